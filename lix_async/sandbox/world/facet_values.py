"""The values that search filters accept, with their ids, by the `type` of a facet request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from . import names
from .random import rng_for

TYPE_ALIASES = {"SENIORITY": "SENIORITY_V2", "COMPANY_TITLE": "COMPANY_WITH_LIST"}
"""The names of two types in the text of the documentation (lix.md#contradiction-8)."""
COMPANIES = "COMPANY_WITH_LIST"
"""The type of companies, whose values are those of a world."""
_GROUPS = ("Builders of {}", "{} Product Circle", "Data People of {}", "{} Founders")


def _numbered(values: Iterable[str], first: int = 1) -> dict[str, str]:
    return {str(first + index): value for index, value in enumerate(values)}


@cache
def facet_values() -> Mapping[str, Mapping[str, str]]:
    """Text by id, by type, for all types except `COMPANIES`."""
    cities = [f"{city}, {country}" for city, country, _ in names.PLACES]
    countries = dict.fromkeys(country for _, country, _ in names.PLACES)
    schools = sorted({names.school_name(rng_for("school", index)) for index in range(60)})
    groups = (_GROUPS[n % 4].format(city) for n, (city, _, _) in enumerate(names.PLACES))
    postal_codes = (f"{10_000 + n * 137} {city}" for n, city in enumerate(cities))
    functions = dict.fromkeys(function for _, _, function in names.TITLES)
    return {
        "TITLE": _numbered([*(title for title, _, _ in names.TITLES), *names.COMMON_TITLES]),
        "SENIORITY_V2": _numbered(names.SENIORITIES),
        "BING_GEO": _numbered([*countries, *cities, *names.REAL_PLACES], 100_001),
        "BING_GEO_POSTAL_CODE": _numbered(postal_codes, 200_001),
        "INDUSTRY": _numbered(names.INDUSTRIES),
        "SCHOOL": _numbered(schools, 15_001),
        "GROUP": _numbered(groups, 60_001),
        "COMPANY_TYPE": _numbered(names.COMPANY_TYPES),
        "FUNCTION": _numbered(functions),
        # From B, as at LinkedIn, where A is a company of one.
        "COMPANY_SIZE": {chr(66 + n): text for n, (_, _, text) in enumerate(names.SIZES)},
        "TENURE": _numbered(names.TENURES),
        "PROFILE_LANGUAGE": {name[:2].lower(): name for name in names.LANGUAGES},
    }


@cache
def _by_text(kind: str) -> Mapping[str, str]:
    return {text.casefold(): text for text in facet_values().get(kind, {}).values()}


def known_text(kind: str, text: str, value_id: str) -> str:
    """The text of a value as facets show it, however it is written; by its id without a text."""
    if not text:
        return facet_values().get(kind, {}).get(value_id, "")
    plain = " ".join(text.split())
    return _by_text(kind).get(plain.casefold(), names.capitalised(plain))
