"""Facets: the ids that search filters accept, found by text."""

from __future__ import annotations

from difflib import get_close_matches

from ...core.values import JsonObject
from ..protocol.params import RequestParams
from ..world import names
from ..world.random import number, rng_for
from ..world.world import World
from .context import AnswerContext

_GROUPS = ("Builders of {}", "{} Product Circle", "Data People of {}", "{} Founders")
# The names of two types in the text of the documentation (lix.md#contradiction-8).
_TYPE_ALIASES = {"SENIORITY": "SENIORITY_V2", "COMPANY_TITLE": "COMPANY_WITH_LIST"}
COMPANIES = "COMPANY_WITH_LIST"


def _numbered(values: tuple[str, ...] | list[str], first: int = 1) -> list[tuple[str, str]]:
    return [(str(first + index), value) for index, value in enumerate(values)]


def _options(world: World, kind: str) -> list[tuple[str, str]]:
    """Id and text of all values of a type; none for an unknown type."""
    cities = [f"{city}, {country}" for city, country, _ in names.PLACES]
    countries = list(dict.fromkeys(country for _, country, _ in names.PLACES))
    schools = sorted({names.school_name(rng_for("school", index)) for index in range(60)})
    tables: dict[str, list[tuple[str, str]]] = {
        "TITLE": _numbered([title for title, _, _ in names.TITLES]),
        "SENIORITY_V2": _numbered(names.SENIORITIES),
        "BING_GEO": _numbered(countries + cities, 100_001),
        "BING_GEO_POSTAL_CODE": [
            (str(200_001 + n), f"{10_000 + n * 137} {city}") for n, city in enumerate(cities)
        ],
        "INDUSTRY": _numbered(names.INDUSTRIES),
        "SCHOOL": _numbered(schools, 15_001),
        "GROUP": [
            (str(60_001 + n), _GROUPS[n % 4].format(city))
            for n, (city, _, _) in enumerate(names.PLACES)
        ],
        "COMPANY_TYPE": _numbered(names.COMPANY_TYPES),
        "FUNCTION": _numbered(list(dict.fromkeys(function for _, _, function in names.TITLES))),
        "COMPANY_SIZE": [(chr(65 + n), text) for n, (_, _, text) in enumerate(names.SIZES)],
        "TENURE": _numbered(names.TENURES),
        "PROFILE_LANGUAGE": [(name[:2].lower(), name) for name in names.LANGUAGES],
        COMPANIES: [(one.urn, one.name) for one in world.companies.listed],
    }
    return tables.get(kind, [])


def match_options(query: str, options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The options that match a query, best first.

    These are the texts that contain it, otherwise those that share a word with it, otherwise the
    three most similar. Only `nothing-matches` has no match.
    """
    text = query.strip().casefold()
    if "nothing-matches" in text:
        return []
    containing = [option for option in options if text in option[1].casefold()]
    if containing:
        return sorted(
            containing,
            key=lambda option: (not option[1].casefold().startswith(text), len(option[1])),
        )
    words = set(text.split())
    if shared := [option for option in options if words & set(option[1].casefold().split())]:
        return shared
    by_text = {value.casefold(): (id_, value) for id_, value in options}
    return [by_text[close] for close in get_close_matches(text, by_text, n=3, cutoff=0.0)]


def sales(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator facets.

    Companies are the `children` of one element; without a match, `elements` is left out.
    """
    kind = params.require("type").upper()
    kind = _TYPE_ALIASES.get(kind, kind)
    start, count = params.number("start"), params.number("count", 100, minimum=1)
    found = match_options(params.require("query"), _options(world, kind))[
        start : start + context.page_size(count)
    ]
    data: JsonObject = {"paging": {"count": count}}
    if kind == COMPANIES and found:
        children = [{"id": id_, "displayValue": text, "headline": text} for id_, text in found]
        data = {"elements": [{"displayValue": "Companies", "id": "0", "children": children}]} | data
    elif found:
        data = {"elements": [{"displayValue": text, "id": id_} for id_, text in found]} | data
    return {"data": data}


def recruiter(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Recruiter facets: skills, at most ten on a page.

    `paging.start` is the start of the next page: the published sample has 10 for a request with 0
    (lix.md#paging-object).
    """
    start, count = params.number("start"), params.number("count", 100, minimum=1)
    options = [(f"urn:li:ts_skill:{1001 + index}", text) for index, text in enumerate(names.SKILLS)]
    found = match_options(params.require("query"), options)
    page = found[start : start + min(count, context.page_size(10))]
    return {
        "meta": {"sequenceId": f"01SBX{number('facet', params.require('query')):020d}X"},
        "paging": {"count": len(page), "start": start + len(page), "total": len(found)},
        "results": [{"entity": entity, "text": text} for entity, text in page],
    }
