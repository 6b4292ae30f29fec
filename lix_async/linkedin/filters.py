"""Filters of a Sales Navigator search, from free text or from the answers of the facet endpoint.

Every function takes texts, `Value`s and facet items, for example
`current_title("Founder", Value("Owner", excluded=True))` or `region(*facets)`. For a type that has
no function, use `Filter("ANY_TYPE", […])`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeAlias

import msgspec

from lix_async.core.errors import ConfigurationError

FACETS: Mapping[str, str] = MappingProxyType(
    {
        # lix.md#search-urls
        "TITLE": "CURRENT_TITLE",
        "COMPANY_WITH_LIST": "CURRENT_COMPANY",
        "SENIORITY_V2": "SENIORITY_LEVEL",
        "BING_GEO": "REGION",
        # The other names on the page of the facet endpoint: lix.md#contradiction-8
        "COMPANY_TITLE": "CURRENT_COMPANY",
        "SENIORITY": "SENIORITY_LEVEL",
        # Not in lix.md#search-urls: the names in Sales Navigator's own URLs.
        "BING_GEO_POSTAL_CODE": "POSTAL_CODE",
        "COMPANY_SIZE": "COMPANY_HEADCOUNT",
        "TENURE": "YEARS_OF_EXPERIENCE",
    }
)
"""The filter in a URL that takes the ids of a facet, by the `type` of the facet call.

Types that are not listed have the same name in both places."""

_TYPE = re.compile("[A-Z][A-Z0-9_]*")
_OF_COMPANIES = ("CURRENT_COMPANY", "PAST_COMPANY")


class Facet(Protocol):
    """An item of a facet answer, or another object with its id and its text."""

    @property
    def id(self) -> str | None:
        """LinkedIn's id: digits, a letter, or `urn:li:organization:<digits>`."""

    @property
    def display_value(self) -> str | None:
        """The text that LinkedIn shows for it."""


class Value(msgspec.Struct, frozen=True):
    """One value of a filter. Without an `id` it is free text.

    Raises:
        ConfigurationError: It has neither a text nor an id.
    """

    text: str
    """The value as LinkedIn shows it."""
    id: str | None = None
    """The id of the value; None for free text."""
    excluded: bool = False
    """Whether people or companies with this value are left out of the search."""
    parent: str | None = None
    """The id of the group that the value belongs to; "0" is set for companies with an id."""

    def __post_init__(self) -> None:
        if self.id == "" or not (self.text or self.id):
            raise ConfigurationError("a filter value needs a text or an id, and both are empty")

    @classmethod
    def of(cls, facet: Facet, *, excluded: bool = False) -> Value:
        """The value for a facet item."""
        return cls(facet.display_value or "", facet.id or None, excluded)


Given: TypeAlias = str | Value | Facet
"""An argument for a value: free text, the value itself, or a facet item."""


@dataclass(frozen=True, init=False, slots=True)
class Filter:
    """One filter: it matches if any of its included values does.

    Raises:
        ConfigurationError: The type is not written in capitals, or there are no values.
    """

    type: str
    values: tuple[Value, ...]

    def __init__(self, type: str, values: Iterable[Given]) -> None:  # noqa: A002  (LinkedIn's word)
        if not _TYPE.fullmatch(type):
            raise ConfigurationError(
                f"invalid filter type {type!r}: expected a name such as CURRENT_TITLE"
            )
        # A single text would be iterated letter by letter, which is never meant.
        given = (values,) if isinstance(values, str) else tuple(values)
        if not given:
            raise ConfigurationError(f"the filter {type} needs at least one value")
        object.__setattr__(self, "type", type)
        object.__setattr__(self, "values", tuple(_value(one, type) for one in given))


def _value(given: Given, type_: str) -> Value:
    if isinstance(given, str):
        given = Value(given)
    value = given if isinstance(given, Value) else Value.of(given)
    # lix.md#search-urls: company values add `parent:(id:0)`.
    if type_ in _OF_COMPANIES and value.id and value.parent is None:
        return msgspec.structs.replace(value, parent="0")
    return value


def of_facet(facet_type: str, *values: Given) -> Filter:
    """The filter for values of a facet, by the `type` of the facet call."""
    return Filter(FACETS.get(facet_type, facet_type), values)


def current_title(*values: Given) -> Filter:
    """People with one of these current job titles."""
    return Filter("CURRENT_TITLE", values)


def past_title(*values: Given) -> Filter:
    """People with one of these past job titles."""
    return Filter("PAST_TITLE", values)


def current_company(*values: Given) -> Filter:
    """People who work there. Ids are `urn:li:organization:<digits>`."""
    return Filter("CURRENT_COMPANY", values)


def past_company(*values: Given) -> Filter:
    """People who used to work there. Ids are `urn:li:organization:<digits>`."""
    return Filter("PAST_COMPANY", values)


def region(*values: Given) -> Filter:
    """People, or companies, in these places."""
    return Filter("REGION", values)


def seniority(*values: Given) -> Filter:
    """People of these seniority levels."""
    return Filter("SENIORITY_LEVEL", values)


def industry(*values: Given) -> Filter:
    """People, or companies, in these industries."""
    return Filter("INDUSTRY", values)


def function(*values: Given) -> Filter:
    """People who work in these functions, such as sales or engineering."""
    return Filter("FUNCTION", values)


def company_size(*values: Given) -> Filter:
    """Companies with this number of employees, or people in them."""
    return Filter("COMPANY_HEADCOUNT", values)


def company_type(*values: Given) -> Filter:
    """People in companies of these types, such as public or privately held."""
    return Filter("COMPANY_TYPE", values)


def school(*values: Given) -> Filter:
    """People who attended these schools."""
    return Filter("SCHOOL", values)


def group(*values: Given) -> Filter:
    """Members of these LinkedIn groups."""
    return Filter("GROUP", values)


def years_of_experience(*values: Given) -> Filter:
    """People with these years of experience. The facet is called TENURE."""
    return Filter("YEARS_OF_EXPERIENCE", values)


def profile_language(*values: Given) -> Filter:
    """People whose profile is written in these languages."""
    return Filter("PROFILE_LANGUAGE", values)
