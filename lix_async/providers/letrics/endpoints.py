"""The endpoints of the Letrics API, with the settings that replace guesses.

Method, paths, the place of the fields and the name of one field are not published, or the pages
contradict each other (letrics.md#configurable). `customised` builds the endpoints of a client from
its settings, so that a wrong guess can be corrected without a change of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

import msgspec

from ...core.endpoint import AnyEndpoint, Endpoint, endpoints_of
from ...core.errors import ConfigurationError
from ...core.pagination import PageNumber
from ...core.subject_ids import IdGroup
from .models import CompaniesPage, ContactsPage
from .params import CompaniesParams, ContactsParams, NewerContactsParams

R = TypeVar("R", bound=Endpoint[Any, Any])

RequestMethod = Literal["POST", "GET"]
Arrays = Literal["joined", "repeated", "bracketed"]
PersonalEmailField = Literal["has_personal_emails", "has_personal_email"]

# A page with fewer items than `per_page` is the last one, unless a total says otherwise. Items have
# no confirmed id, so equal items are all kept, and only a page that repeats as a whole is an error.
_PAGES = PageNumber("page", first=1, size="per_page")

# The names of the models: the fields are not documented (letrics.md#records).
_CONTACTS = (IdGroup(at=("data[]",), links=("linkedin_profile", "linkedin_url")),)

CONTACTS = Endpoint(
    "letrics.contacts",
    "POST",
    "/contacts",
    ContactsParams,
    ContactsPage,
    paging=_PAGES,
    body=ContactsParams.__struct_fields__,
    lookup=True,
    ids=_CONTACTS,
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
    lookup=True,
    docs="letrics.md#letrics.companies",
)
CONTACTS_NEWER: Endpoint[ContactsParams, ContactsPage] = replace(
    CONTACTS,
    id="letrics.contacts.newer",
    params=NewerContactsParams,
    lookup=False,  # it asks for what is new
    docs="letrics.md#letrics.contacts.newer",
)

TABLE = endpoints_of(globals())
"""Every endpoint, under the working assumptions."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""


class EndpointSet(msgspec.Struct, frozen=True):
    """The endpoints of one client."""

    contacts: Endpoint[ContactsParams, ContactsPage]
    companies: Endpoint[CompaniesParams, CompaniesPage]


def customised(
    paths: Mapping[str, str],
    method: RequestMethod,
    personal_email_field: PersonalEmailField,
    arrays: Arrays,
) -> EndpointSet:
    """The endpoints under a client's settings.

    Raises:
        ConfigurationError: A setting has a value that is not allowed.
    """
    if unknown := set(paths) - {"contacts", "companies"}:
        raise ConfigurationError(
            f"unknown key {min(unknown)!r} in paths: expected 'contacts' or 'companies'"
        )
    for path in paths.values():
        if not path.startswith("/") or any(char in "?#{}\\" or char <= " " for char in path):
            raise ConfigurationError(
                f"invalid path {path!r} in paths: expected one such as '/contacts', below base_url"
            )
    for setting, value, allowed in (
        ("method", method, ("POST", "GET")),
        (
            "personal_email_field",
            personal_email_field,
            ("has_personal_emails", "has_personal_email"),
        ),
        ("arrays", arrays, ("joined", "repeated", "bracketed")),
    ):
        if value not in allowed:
            raise ConfigurationError(
                f"{setting} must be one of {', '.join(allowed)}, not {value!r}"
            )
    newer = personal_email_field == "has_personal_email"
    return EndpointSet(
        _customise(CONTACTS_NEWER if newer else CONTACTS, paths.get("contacts"), method, arrays),
        _customise(COMPANIES, paths.get("companies"), method, arrays),
    )


def _customise(endpoint: R, path: str | None, method: RequestMethod, arrays: Arrays) -> R:
    body = endpoint.body if method == "POST" else ()
    return replace(endpoint, method=method, path=path or endpoint.path, body=body, arrays=arrays)
