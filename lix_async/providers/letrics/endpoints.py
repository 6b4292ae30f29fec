"""The table of the Letrics API, and the one place where guesses become requests.

Method, paths, the place of the fields and one spelling are not published or contradict one
another (letrics.md#configurable). `tailored` makes the rows of a
client from its settings, so a guess that proves wrong is mended by a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

import msgspec

from ...core.endpoint import AnyEndpoint, Endpoint
from ...core.errors import ConfigurationError
from ...core.pagination import PageNumber
from .models import CompaniesPage, ContactsPage
from .params import CompaniesParams, ContactsParams, NewerContactsParams

R = TypeVar("R", bound=Endpoint[Any, Any])

RequestMethod = Literal["POST", "GET"]
Arrays = Literal["joined", "repeated", "bracketed"]
PersonalEmailField = Literal["has_personal_emails", "has_personal_email"]

# A shorter page is the end, unless a total says otherwise. Rows have no confirmed identity, so
# two equal rows are two rows, and only a whole page that comes twice is held to stand still.
_PAGES = PageNumber("page", first=1, size="per_page")

CONTACTS = Endpoint(
    "letrics.contacts",
    "POST",
    "/contacts",
    ContactsParams,
    ContactsPage,
    paging=_PAGES,
    body=ContactsParams.__struct_fields__,
    docs="letrics.md#letrics.contacts",
)
COMPANIES = Endpoint(
    "letrics.companies",
    "POST",
    "/companies",
    CompaniesParams,
    CompaniesPage,
    paging=_PAGES,
    body=CompaniesParams.__struct_fields__,
    docs="letrics.md#letrics.companies",
)
CONTACTS_NEWER: Endpoint[ContactsParams, ContactsPage] = replace(
    CONTACTS,
    id="letrics.contacts.newer",
    params=NewerContactsParams,
    docs="letrics.md#letrics.contacts.newer",
)

TABLE: tuple[AnyEndpoint, ...] = (CONTACTS, COMPANIES, CONTACTS_NEWER)
"""Every endpoint, under the working assumptions."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""


class EndpointSet(msgspec.Struct, frozen=True):
    """The rows of one client."""

    contacts: Endpoint[ContactsParams, ContactsPage]
    companies: Endpoint[CompaniesParams, CompaniesPage]


def customised(
    paths: Mapping[str, str],
    method: RequestMethod,
    personal_email_field: PersonalEmailField,
    arrays: Arrays,
) -> EndpointSet:
    """The rows under a client's settings. Raises `ConfigurationError` for one that is none."""
    if unknown := set(paths) - {"contacts", "companies"}:
        raise ConfigurationError(f"paths knows contacts and companies, not {sorted(unknown)}")
    for path in paths.values():
        if not path.startswith("/") or any(char in "?#{}\\" or char <= " " for char in path):
            raise ConfigurationError(f"a path is /like/this, behind base_url: {path!r}")
    for setting, value, known in (
        ("method", method, ("POST", "GET")),
        (
            "personal_email_field",
            personal_email_field,
            ("has_personal_emails", "has_personal_email"),
        ),
        ("arrays", arrays, ("joined", "repeated", "bracketed")),
    ):
        if value not in known:
            raise ConfigurationError(f"{setting} must be one of {', '.join(known)}, not {value!r}")
    newer = personal_email_field == "has_personal_email"
    return EndpointSet(
        _over(CONTACTS_NEWER if newer else CONTACTS, paths.get("contacts"), method, arrays),
        _over(COMPANIES, paths.get("companies"), method, arrays),
    )


def _over(row: R, path: str | None, method: RequestMethod, arrays: Arrays) -> R:
    body = row.body if method == "POST" else ()
    return replace(row, method=method, path=path or row.path, body=body, arrays=arrays)
