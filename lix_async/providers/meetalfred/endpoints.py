"""The table of the Meet Alfred API. Sections are those of meetalfred.md.

Paths, method and first page are seen in public clients, not documented: a client's settings
`paths`, `method` and `first_page` mend them. Names mix dashes and underscores on the wire.
"""

from __future__ import annotations

from typing import Any, Literal

from ...core.endpoint import Endpoint
from ...core.pagination import PageNumber
from . import models as m
from . import params as p

Row = Endpoint[Any, object]
"""Any row. `send` ties a row to its params; a table of them all has to forget those."""
Method = Literal["GET", "POST"]
"""How the reads are asked; not published."""

# A server that ignores `page` sends the first page again: that is the end there, and no error.
_PAGES = PageNumber("page", first=0, size="per_page", repeats_end=True)

CAMPAIGNS = Endpoint(
    "meetalfred.campaigns",
    "GET",
    "/campaigns",
    p.CampaignsParams,
    m.Campaigns,
    docs="1. Campaigns",
)
LEADS = Endpoint(
    "meetalfred.leads",
    "GET",
    "/new-leads",
    p.LeadsParams,
    m.Leads,
    paging=_PAGES,
    docs="2. Leads",
)
CONNECTIONS = Endpoint(
    "meetalfred.connections",
    "GET",
    "/new-connections",
    p.ConnectionsParams,
    m.Connections,
    paging=_PAGES,
    docs="3. Connections",
)
NEW_REPLY_DETECTED = Endpoint(
    "meetalfred.new_reply_detected",
    "GET",
    "/new-reply-detected",
    p.PagedParams,
    m.Replies,
    paging=_PAGES,
    docs="live section",
)
GET_LAST_ACTIONS = Endpoint(
    "meetalfred.get_last_actions",
    "GET",
    "/get-last-actions",
    p.LastActionsParams,
    m.Actions,
    paging=_PAGES,
    docs="live section",
)
GET_TEAM_MEMBERS = Endpoint(
    "meetalfred.get_team_members",
    "GET",
    "/get_team_members",
    p.NoParams,
    m.TeamMembers,
    docs="live section",
)
GET_MEMBER_CONNECTIONS = Endpoint(
    "meetalfred.get_member_connections",
    "GET",
    "/get_member_connections",
    p.PagedParams,
    m.MemberConnections,
    paging=_PAGES,
    docs="live section",
)
ADD_LEAD_TO_CAMPAIGN = Endpoint(
    "meetalfred.add_lead_to_campaign",
    "POST",
    "/add_lead_to_campaign",
    p.AddLeadParams,
    m.AddedLead,
    safe=False,
    body=("campaign", "linkedin_profile_url", "email", "columns"),
    spread="columns",
    docs="live section",
)

TABLE: tuple[Row, ...] = (
    CAMPAIGNS,
    LEADS,
    CONNECTIONS,
    NEW_REPLY_DETECTED,
    GET_LAST_ACTIONS,
    GET_TEAM_MEMBERS,
    GET_MEMBER_CONNECTIONS,
    ADD_LEAD_TO_CAMPAIGN,
)
"""Every row."""

BY_ID: dict[str, Row] = {row.id: row for row in TABLE}
"""Every row by its catalogue id."""
