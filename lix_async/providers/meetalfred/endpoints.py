"""The endpoints of the Meet Alfred API (meetalfred.md#overview).

Paths, method and first page are known from public clients and not documented; the arguments
`paths`, `method` and `first_page` of a client replace them. The API's names mix dashes and
underscores.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ...core.endpoint import AnyEndpoint, Endpoint, endpoints_of
from ...core.pagination import PageNumber
from ...core.subject_ids import IdGroup
from . import models as m
from . import params as p

ReadMethod = Literal["GET", "POST"]
"""The HTTP method of reads; not published."""

# A server that ignores `page` sends the first page again: there, a repeated page is the end.
_PAGES = PageNumber("page", first=0, size="per_page", repeat_ends=True)

_PERSON = IdGroup(
    names=("linkedin_handle", "linkedin_data.handle"),
    sales=("key", "linkedin_data.urn"),
    members=("object_urn", "linkedin_data.objectUrn"),
)
_CONNECTION = IdGroup(
    at=("actions[]", "connections[]"),
    names=("publicIdentifier",),
    sales=("id", "entityUrn"),
    members=("objectUrn",),
)
_REPLY = IdGroup(at=("actions[]",), links=("linkedin_profile_url",))

CAMPAIGNS = Endpoint(
    "meetalfred.campaigns",
    "GET",
    "/campaigns",
    p.CampaignsParams,
    m.Campaigns,
    docs="meetalfred.md#meetalfred.campaigns",
)
LEADS = Endpoint(
    "meetalfred.leads",
    "GET",
    "/new-leads",
    p.LeadsParams,
    m.Leads,
    paging=_PAGES,
    ids=(msgspec.structs.replace(_PERSON, at=("actions[].person",)),),
    docs="meetalfred.md#meetalfred.leads",
)
CONNECTIONS = Endpoint(
    "meetalfred.connections",
    "GET",
    "/new-connections",
    p.ConnectionsParams,
    m.Connections,
    paging=_PAGES,
    ids=(_CONNECTION,),
    docs="meetalfred.md#meetalfred.connections",
)
NEW_REPLY_DETECTED = Endpoint(
    "meetalfred.new_reply_detected",
    "GET",
    "/new-reply-detected",
    p.PagedParams,
    m.Replies,
    paging=_PAGES,
    ids=(_REPLY,),
    docs="meetalfred.md#meetalfred.new_reply_detected",
)
GET_LAST_ACTIONS = Endpoint(
    "meetalfred.get_last_actions",
    "GET",
    "/get-last-actions",
    p.LastActionsParams,
    m.Actions,
    paging=_PAGES,
    ids=(msgspec.structs.replace(_PERSON, at=("actions[].lead.person",)),),
    docs="meetalfred.md#meetalfred.get_last_actions",
)
GET_TEAM_MEMBERS = Endpoint(
    "meetalfred.get_team_members",
    "GET",
    "/get_team_members",
    p.NoParams,
    m.TeamMembers,
    docs="meetalfred.md#meetalfred.get_team_members",
)
GET_MEMBER_CONNECTIONS = Endpoint(
    "meetalfred.get_member_connections",
    "GET",
    "/get_member_connections",
    p.PagedParams,
    m.MemberConnections,
    paging=_PAGES,
    ids=(_CONNECTION,),
    docs="meetalfred.md#meetalfred.get_member_connections",
)
ADD_LEAD_TO_CAMPAIGN = Endpoint(
    "meetalfred.add_lead_to_campaign",
    "POST",
    "/add_lead_to_campaign",
    p.AddLeadParams,
    m.AddedLead,
    idempotent=False,
    body=("campaign", "linkedin_profile_url", "email", "columns"),
    spread="columns",
    docs="meetalfred.md#meetalfred.add_lead_to_campaign",
)

TABLE = endpoints_of(globals())
"""Every endpoint."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""
