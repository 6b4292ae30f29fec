"""The results of a waterfall: fields that several providers have, each with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import ClassVar

import msgspec
from msgspec import field

from ..core.bridge import ReadableStruct
from ..core.errors import LixError
from .targets import About, Target

INPUT = "input"
"""The provider and endpoint of fields that the target had."""


class Source(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """The origin of a field."""

    provider: str
    """`Lix`, `LookC` and so on; `input` for fields of the target."""
    endpoint: str
    """The catalogue id of the call, such as `contact.email_by_linkedin`."""
    at: datetime
    """When the answer was received; aware, UTC."""
    credits: int
    """The cost of the whole answer, of one from a ledger when it was bought. Fields of one answer
    share it, so do not add it up."""


class Result(ReadableStruct, msgspec.Struct, kw_only=True):
    """The base class of all results.

    `msgspec.json.encode(result, enc_hook=str)` encodes one as JSON, with errors as text.
    """

    about: ClassVar[About] = "person"

    target: Target
    """What was looked up."""
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    """The source of each filled field."""
    errors: dict[str, LixError] = field(default_factory=dict[str, LixError])
    """The error of each step that failed or found nothing. They are not raised."""
    credits: int = 0
    """Credits of all kinds spent on this result."""

    @classmethod
    def fields(cls) -> frozenset[str]:
        """The names of the fields that can be filled."""
        return _fields_of(cls)

    def get(self, name: str) -> str | None:
        """The value of a field; None if it is not filled or not a field of this result."""
        value: object = getattr(self, name) if name in self.fields() else None
        return value if isinstance(value, str) else None

    def filled(self, fields: Iterable[str]) -> bool:
        """Whether all of these fields have a value."""
        return not self.missing(fields)

    def missing(self, fields: Iterable[str]) -> frozenset[str]:
        """The fields among these that have no value."""
        return frozenset(name for name in fields if self.get(name) is None)

    def take(self, values: Mapping[str, str | None], source: Source) -> None:
        """Fill fields that are missing. Filled fields keep their values."""
        for name, value in values.items():
            text = (value or "").strip()
            if text and name in self.fields() and self.get(name) is None:
                setattr(self, name, text)
                self.sources[name] = source


@cache
def _fields_of(kind: type[Result]) -> frozenset[str]:
    return frozenset(kind.__struct_fields__) - frozenset(Result.__struct_fields__)


class Profile(Result, kw_only=True):
    """A person."""

    full_name: str | None = None
    """First and last name."""
    headline: str | None = None
    """The headline of the LinkedIn profile."""
    location: str | None = None
    """In the provider's words."""
    linkedin_url: str | None = None
    """The public profile."""
    title: str | None = None
    """The title of the current job."""
    company: str | None = None
    """The name of the current employer."""
    company_url: str | None = None
    """The LinkedIn page of the current employer."""
    email: str | None = None
    """An e-mail address."""
    phone: str | None = None
    """A phone number."""


class Company(Result, kw_only=True):
    """A company."""

    about: ClassVar[About] = "company"

    name: str | None = None
    """The name."""
    linkedin_url: str | None = None
    """The URL of the LinkedIn page."""
    website: str | None = None
    """The URL of the company's own site."""
    industry: str | None = None
    """The industry, as a text."""
    size: str | None = None
    """A range of employees as text: "201-500", "10001+"."""
    location: str | None = None
    """The headquarters, in the provider's words."""


class Email(Result, kw_only=True):
    """An e-mail address and its owner."""

    email: str | None = None
    """The e-mail address."""
    full_name: str | None = None
    """First and last name of the person."""
    linkedin_url: str | None = None
    """The URL of the LinkedIn profile."""
