"""Kinds of lookups, and which endpoint answers for each: names alone, no client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["person", "org", "email"]
ROWS: Mapping[Kind, str] = {
    "person": "person.get",
    "org": "organisation.by_linkedin",
    "email": "contact.email_by_linkedin",
}
"""The endpoint that answers for each kind of lookup."""
KINDS: Mapping[str, str] = {endpoint: kind for kind, endpoint in ROWS.items()}
BEHIND: Mapping[str, str] = dict(ROWS.items())
