"""What a waterfall brings: a few fields that all providers share, each with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

import msgspec
from msgspec import field

from ..core.errors import LixError
from .targets import About, Target

INPUT = "input"
"""The provider and endpoint of what the caller knew already."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field comes from."""

    provider: str
    """`Lix`, `LookC`, …; `input` for what the target said."""
    endpoint: str
    """The catalogue id of the call, such as `contact.email_by_linkedin`."""
    at: datetime
    """When the answer came; aware, UTC."""
    credits: int
    """What the whole answer cost: fields of one answer share it, so it is never to be added up."""


class Result(msgspec.Struct, kw_only=True):
    """What all results have in common.

    `msgspec.json.encode(result, enc_hook=str)` gives JSON, the errors as texts.
    """

    about: ClassVar[About] = "person"

    target: Target
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    """Of each filled field, where it comes from."""
    errors: dict[str, LixError] = field(default_factory=dict[str, LixError])
    """Of each step that failed or found nothing, why. Never raised."""
    credits: int = 0
    """Credits of all kinds that this result cost."""

    @classmethod
    def fields(cls) -> frozenset[str]:
        """The names of what can be filled."""
        return frozenset(cls.__struct_fields__) - frozenset(Result.__struct_fields__)

    def get(self, name: str) -> str | None:
        """A field by name; None where it is not filled, or not a field of this result."""
        found: object = getattr(self, name) if name in self.fields() else None
        return found if isinstance(found, str) else None

    def filled(self, fields: Iterable[str]) -> bool:
        """Whether every one of these fields has a value."""
        return not self.missing(fields)

    def missing(self, fields: Iterable[str]) -> frozenset[str]:
        """Those of these fields that have no value."""
        return frozenset(name for name in fields if self.get(name) is None)

    def take(self, values: Mapping[str, str | None], source: Source) -> None:
        """Fill what is missing. What is filled stays: the first answer counts."""
        for name, value in values.items():
            text = (value or "").strip()
            if text and name in self.fields() and self.get(name) is None:
                setattr(self, name, text)
                self.sources[name] = source


class Profile(Result, kw_only=True):
    """A person."""

    full_name: str | None = None
    headline: str | None = None
    location: str | None = None
    """Text, in the provider's words."""
    linkedin_url: str | None = None
    """The public profile."""
    title: str | None = None
    """Of the current job."""
    company: str | None = None
    """The name of the current employer."""
    company_url: str | None = None
    """Its LinkedIn page."""
    email: str | None = None
    phone: str | None = None


class Company(Result, kw_only=True):
    """A company."""

    about: ClassVar[About] = "company"

    name: str | None = None
    linkedin_url: str | None = None
    website: str | None = None
    industry: str | None = None
    size: str | None = None
    """A range as text, "201-500" or "10001+"."""
    location: str | None = None
    """Headquarters: text, in the provider's words."""


class Email(Result, kw_only=True):
    """An e-mail address, and whose it is."""

    email: str | None = None
    full_name: str | None = None
    linkedin_url: str | None = None
