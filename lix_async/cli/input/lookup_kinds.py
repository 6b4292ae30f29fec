"""The kinds of lookup and their endpoint ids, without the provider that has the endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

LookupKind = Literal["person", "org", "email", "website"]

ENDPOINT_IDS: Mapping[str, str] = {
    "person": "person.get",
    "org": "organisation.by_linkedin",
    "email": "contact.email_by_linkedin",
    "website": "organisation.by_website",
}
MATCHES_KINDS: frozenset[str] = frozenset({"website"})
"""The kinds whose answer is a list of matches: where it has none, nothing was found."""
_ROW_KINDS: Mapping[str, str] = {endpoint: kind for kind, endpoint in ENDPOINT_IDS.items()}


def row_kind(endpoint: str) -> str:
    """The `kind` of an output row for an endpoint id: a lookup kind where there is one."""
    return _ROW_KINDS.get(endpoint, endpoint)


def endpoint_id(kind: str) -> str:
    """The endpoint id for the `kind` of an output row; the reverse of `row_kind`."""
    return ENDPOINT_IDS.get(kind, kind)
