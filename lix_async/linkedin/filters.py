"""Filters of a Sales Navigator search, from free text or from the answers of the facet endpoint.

`current_title("Founder", Value("Owner", excluded=True))` or `region(*facets)`: every constructor
takes texts, `Value`s and facet items alike. The types are an open set: `Filter("ANY_TYPE", […])`.
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
        # The other spellings on the page of the facet endpoint: lix.md#contradiction-8
        "COMPANY_TITLE": "CURRENT_COMPANY",
        "SENIORITY": "SENIORITY_LEVEL",
        # Not in lix.md#search-urls: as Sales Navigator's own URLs spell them.
        "BING_GEO_POSTAL_CODE": "POSTAL_CODE",
        "COMPANY_SIZE": "COMPANY_HEADCOUNT",
        "TENURE": "YEARS_OF_EXPERIENCE",
    }
)
"""The `type` of a facet call, and the filter in a URL that takes its ids. Others are alike."""

_TYPE = re.compile("[A-Z][A-Z0-9_]*")
_OF_COMPANIES = ("CURRENT_COMPANY", "PAST_COMPANY")


class Facet(Protocol):
    """An item of a facet answer, or whatever else has its id and its words."""

    @property
    def id(self) -> str | None:
        """LinkedIn's id: digits, a letter, or `urn:li:organization:<digits>`."""

    @property
    def display_value(self) -> str | None:
        """The words that LinkedIn shows for it."""


class Value(msgspec.Struct, frozen=True):
    """One value of a filter. Without `id` it is free text, matched as LinkedIn sees fit.

    Raises `ConfigurationError` when it has neither text nor id.
    """

    text: str
    id: str | None = None
    excluded: bool = False
    parent: str | None = None
    """The id of the group that the value belongs to. Companies with an id get "0" by themselves."""

    def __post_init__(self) -> None:
        if self.id == "" or not (self.text or self.id):
            raise ConfigurationError(
                "a filter value needs a text or an id: an empty one is neither"
            )

    @classmethod
    def of(cls, facet: Facet, *, excluded: bool = False) -> Value:
        """The value that a facet item stands for."""
        return cls(facet.display_value or "", facet.id or None, excluded)


Given: TypeAlias = str | Value | Facet
"""What stands for a value: free text, the value itself, or a facet item."""


@dataclass(frozen=True, init=False, slots=True)
class Filter:
    """One filter: the people (or companies) for whom any included value holds.

    Raises `ConfigurationError` for a type that is no TYPE, and for no values at all.
    """

    type: str
    values: tuple[Value, ...]

    def __init__(self, type: str, values: Iterable[Given]) -> None:  # noqa: A002  (LinkedIn's word)
        if not _TYPE.fullmatch(type):
            raise ConfigurationError(
                f"{type!r} is no filter type: they are written like CURRENT_TITLE"
            )
        # A lone string is an iterable of letters; nobody means those.
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
    """The filter for values found by a facet call of that `type`, whichever its spelling."""
    return Filter(FACETS.get(facet_type, facet_type), values)


def current_title(*values: Given) -> Filter:
    """People who hold one of these jobs now."""
    return Filter("CURRENT_TITLE", values)


def past_title(*values: Given) -> Filter:
    """People who once held one of these jobs."""
    return Filter("PAST_TITLE", values)


def current_company(*values: Given) -> Filter:
    """People who work there now. Ids are `urn:li:organization:<digits>`."""
    return Filter("CURRENT_COMPANY", values)


def past_company(*values: Given) -> Filter:
    """People who once worked there. Ids are `urn:li:organization:<digits>`."""
    return Filter("PAST_COMPANY", values)


def region(*values: Given) -> Filter:
    """People, or companies, in these places."""
    return Filter("REGION", values)


def seniority(*values: Given) -> Filter:
    """People of these levels."""
    return Filter("SENIORITY_LEVEL", values)


def industry(*values: Given) -> Filter:
    """People, or companies, of these industries."""
    return Filter("INDUSTRY", values)


def function(*values: Given) -> Filter:
    """People who work in these functions, such as sales or engineering."""
    return Filter("FUNCTION", values)


def company_size(*values: Given) -> Filter:
    """People in companies, or companies, with so many employees."""
    return Filter("COMPANY_HEADCOUNT", values)


def company_type(*values: Given) -> Filter:
    """People in companies of these types, such as public or privately held."""
    return Filter("COMPANY_TYPE", values)


def school(*values: Given) -> Filter:
    """People who went to these schools."""
    return Filter("SCHOOL", values)


def group(*values: Given) -> Filter:
    """Members of these LinkedIn groups."""
    return Filter("GROUP", values)


def years_of_experience(*values: Given) -> Filter:
    """People who have worked for so long; the facet calls it TENURE."""
    return Filter("YEARS_OF_EXPERIENCE", values)


def profile_language(*values: Given) -> Filter:
    """People whose profile is written in these languages."""
    return Filter("PROFILE_LANGUAGE", values)
