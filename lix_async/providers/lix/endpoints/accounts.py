"""Endpoints of the Lix account, LinkedIn accounts and connections.

Contract: lix.md#lix-account, lix.md#linkedin-accounts, lix.md#connections
"""

from __future__ import annotations

from ....core.endpoint import FREE, Endpoint, standard
from ....core.pagination import Offset, PageNumber
from .. import models as m
from .. import params as p
from . import ids

BALANCES = Endpoint(
    "account.balances",
    "GET",
    "/v1/account/balances",
    p.NoParams,
    m.Balances,
    docs="lix.md#account.balances",
)
DAILY_ALLOWANCE = Endpoint(
    "account.daily_allowance",
    "GET",
    "/v1/account/allowances/daily",
    p.NoParams,
    m.DailyAllowance,
    credits=FREE,
    docs="lix.md#account.daily_allowance",
)
CONNECTIONS = Endpoint(
    "connections.list",
    "GET",
    "/v1/connections",
    p.ConnectionsParams,
    m.ConnectionsPage,
    # A short page is not the end: it is not documented that `count` is obeyed.
    paging=Offset("start"),
    ids=ids.CONNECTIONS,
    docs="lix.md#connections.list",
)
LINKEDIN_ACCOUNT = Endpoint(
    "linkedin_account.get",
    "GET",
    "/v1/account/linkedin/account",
    p.ViewerParams,
    m.LinkedInAccount,
    docs="lix.md#linkedin_account.get",
)
LINKEDIN_ACCOUNTS = Endpoint(
    "linkedin_account.list",
    "GET",
    "/v1/account/linkedin/accounts",
    p.LinkedInAccountsParams,
    m.LinkedInAccountsPage,
    paging=PageNumber("page", size=5),
    docs="lix.md#linkedin_account.list",
)
PUT_LINKEDIN = Endpoint(
    "linkedin_account.put",
    "PUT",
    "/v1/account/linkedin/account",
    p.PutLinkedInParams,
    m.AttachedAccount,
    body=("cookies",),
    docs="lix.md#linkedin_account.put",
)
CONNECTIONS_REMAINING = Endpoint(
    "linkedin_account.connections_remaining",
    "GET",
    "/v1/account/connections/remaining",
    p.ViewerParams,
    m.ConnectionsRemaining,
    docs="lix.md#linkedin_account.connections_remaining",
)
INVITE = Endpoint(
    "connections.send",
    "POST",
    "/v1/connections/send",
    p.InviteParams,
    m.Invitation,
    credits=standard(1),
    idempotent=False,
    body=("viewer_id", "profile_link", "profile_id", "message"),
    docs="lix.md#connections.send",
)
