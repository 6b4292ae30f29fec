"""Facets: the ids that search filters accept, found by text."""

from __future__ import annotations

from ...core.values import JsonObject
from ..protocol.params import RequestParams
from ..world import names
from ..world.facet_values import COMPANIES, TYPE_ALIASES, facet_values
from ..world.random import number
from ..world.search_filters import initials
from ..world.world import World
from .context import AnswerContext


def _options(world: World, kind: str) -> list[tuple[str, str]]:
    """Id and text of all values of a type; none for an unknown type."""
    if kind == COMPANIES:
        common = (world.companies.by_slug(name) for name in names.COMMON_COMPANIES)
        return [(one.urn, one.name) for one in (*world.companies.listed, *common)]
    return list(facet_values().get(kind, {}).items())


def match_options(query: str, options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The options that match a query, best first; often none.

    These are the texts in which the query begins a word, and those whose initials it has, otherwise
    those that share a word with it. One or two letters match anywhere.
    """
    text, words = " ".join(query.casefold().split()), set(query.casefold().split())

    def fits(option: str) -> bool:
        begins = f" {text}" in f" {option.casefold()}" or text == initials(option)
        return begins or (len(text) < 3 and text in option.casefold())

    if containing := [option for option in options if text and fits(option[1])]:
        return sorted(
            containing,
            key=lambda option: (not option[1].casefold().startswith(text), len(option[1])),
        )
    return [option for option in options if words & set(option[1].casefold().split())]


def sales(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator facets.

    Companies are the `children` of one element; without a match, `elements` is left out.
    """
    kind = params.require("type").upper()
    kind = TYPE_ALIASES.get(kind, kind)
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
