"""The table of the Lix API: one row per endpoint, and nothing about one anywhere else.

Names of params are the provider's own; `docs` cites lix.md#endpoints, and the vendor's public pages
are at https://lix-it.com/docs. Prices are for one call, which of a listing is one
page. `TABLE` has the rows of the vendor's oldest reference first, then the newer ones.
"""

from __future__ import annotations

from typing import Any

from ....core.endpoint import Endpoint
from .accounts import (
    BALANCES,
    CONNECTIONS,
    CONNECTIONS_REMAINING,
    DAILY_ALLOWANCE,
    INVITE,
    LINKEDIN_ACCOUNT,
    LINKEDIN_ACCOUNTS,
    PUT_LINKEDIN,
)
from .messages import CONVERSATIONS, MESSAGES, SEND_INMAIL, SEND_MESSAGE, THREAD, THREADS
from .profiles import (
    ACTIVITY_COMMENTS,
    ACTIVITY_POSTS,
    ACTIVITY_REACTIONS,
    EMAIL,
    EMPLOYMENT,
    EXTENDED,
    FOLLOWERS,
    HIRERS,
    JOB,
    LEGACY_PERSON,
    ORGANISATION,
    ORGANISATION_IDS,
    ORGANISATIONS_BY_WEBSITE,
    PERSON,
    PERSON_IDS,
    POST,
    POST_COMMENTS,
    POST_REACTIONS,
)
from .searches import (
    ORGS_LIST,
    PEOPLE_BY_FILTERS,
    PEOPLE_LIST,
    RECRUITER_FACETS,
    RECRUITER_PEOPLE,
    SALES_FACETS,
    SALES_ORGS,
    SALES_PEOPLE,
    SALES_PEOPLE_FORM,
    SEARCH_JOBS,
    SEARCH_ORGS,
    SEARCH_PEOPLE,
    SEARCH_POSTS,
)

AnyEndpoint = Endpoint[Any, object]
"""Any row. `send` ties a row to its params; a table of them all has to forget those."""

TABLE: tuple[AnyEndpoint, ...] = (
    BALANCES,
    DAILY_ALLOWANCE,
    CONNECTIONS,
    PERSON_IDS,
    ORGANISATION_IDS,
    PERSON,
    LEGACY_PERSON,
    ORGANISATION,
    JOB,
    POST,
    SEARCH_PEOPLE,
    SEARCH_JOBS,
    HIRERS,
    SEARCH_POSTS,
    SEARCH_ORGS,
    SALES_PEOPLE,
    RECRUITER_PEOPLE,
    SALES_FACETS,
    RECRUITER_FACETS,
    EMAIL,
    LINKEDIN_ACCOUNT,
    LINKEDIN_ACCOUNTS,
    PUT_LINKEDIN,
    CONNECTIONS_REMAINING,
    INVITE,
    EMPLOYMENT,
    EXTENDED,
    ORGANISATIONS_BY_WEBSITE,
    FOLLOWERS,
    POST_COMMENTS,
    POST_REACTIONS,
    ACTIVITY_POSTS,
    ACTIVITY_COMMENTS,
    ACTIVITY_REACTIONS,
    SALES_PEOPLE_FORM,
    PEOPLE_BY_FILTERS,
    SALES_ORGS,
    PEOPLE_LIST,
    ORGS_LIST,
    THREADS,
    THREAD,
    SEND_INMAIL,
    CONVERSATIONS,
    MESSAGES,
    SEND_MESSAGE,
)
"""Every row."""

BY_ID: dict[str, AnyEndpoint] = {row.id: row for row in TABLE}
"""Every row by its catalogue id."""

__all__ = [
    "ACTIVITY_COMMENTS",
    "ACTIVITY_POSTS",
    "ACTIVITY_REACTIONS",
    "BALANCES",
    "BY_ID",
    "CONNECTIONS",
    "CONNECTIONS_REMAINING",
    "CONVERSATIONS",
    "DAILY_ALLOWANCE",
    "EMAIL",
    "EMPLOYMENT",
    "EXTENDED",
    "FOLLOWERS",
    "HIRERS",
    "INVITE",
    "JOB",
    "LEGACY_PERSON",
    "LINKEDIN_ACCOUNT",
    "LINKEDIN_ACCOUNTS",
    "MESSAGES",
    "ORGANISATION",
    "ORGANISATIONS_BY_WEBSITE",
    "ORGANISATION_IDS",
    "ORGS_LIST",
    "PEOPLE_BY_FILTERS",
    "PEOPLE_LIST",
    "PERSON",
    "PERSON_IDS",
    "POST",
    "POST_COMMENTS",
    "POST_REACTIONS",
    "PUT_LINKEDIN",
    "RECRUITER_FACETS",
    "RECRUITER_PEOPLE",
    "SALES_FACETS",
    "SALES_ORGS",
    "SALES_PEOPLE",
    "SALES_PEOPLE_FORM",
    "SEARCH_JOBS",
    "SEARCH_ORGS",
    "SEARCH_PEOPLE",
    "SEARCH_POSTS",
    "SEND_INMAIL",
    "SEND_MESSAGE",
    "TABLE",
    "THREAD",
    "THREADS",
    "AnyEndpoint",
]
