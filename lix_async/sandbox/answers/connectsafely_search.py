"""ConnectSafely's searches for people and groups.

Contract: connectsafely.md#paging. Some pages are shorter than requested, `total` is missing or
approximate, and only `hasMore` says whether there are more pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from ...core.values import JsonObject
from ..protocol.params import RequestParams
from ..world import connectsafely_profiles
from ..world.people import PersonRecord
from ..world.random import chance, number
from ..world.search_filters import make_filter
from ..world.search_queries import SearchQuery, make_query, query_from_url
from ..world.world import World
from .context import AnswerContext

_DEGREES = {"DISTANCE_1": "1st", "DISTANCE_2": "2nd"}
# Filters whose values are texts; the others have LinkedIn's ids, which this world does not have.
_TEXT_FILTERS = {
    "firstName": "first",
    "lastName": "last",
    "title": "title",
    "company": "company",
    "school": "school",
    "industry": "industry",
}


def people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """People by keywords and filters, or by the URL of a search."""
    indexes = world.search("people", _search(params), "connectsafely")
    positions, paging = _page(params, len(indexes), context.page_size(10))
    return {
        "success": True,
        "people": [_person(world.person(indexes[index])) for index in positions],
        **paging,
    }


def groups(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Groups by keywords; filters are accepted and ignored."""
    keywords = params.text("keywords") or ""
    total = make_query("connectsafely groups", keywords).total
    positions, paging = _page(params, total, context.page_size(25), approximate=True)
    return {"success": True, "groups": [_group(keywords, index) for index in positions], **paging}


def _search(params: RequestParams) -> SearchQuery:
    keywords, url = params.text("keywords") or "", params.text("url")
    if url:
        return query_from_url(url)
    filters = params.values.get("filters")
    given: Mapping[str, object] = {}
    if isinstance(filters, dict):
        given = cast("Mapping[str, object]", filters)
    others = {name: value for name, value in given.items() if name not in _TEXT_FILTERS}
    filters = [make_filter(to, _texts(given.get(name))) for name, to in _TEXT_FILTERS.items()]
    key = f"connectsafely people {sorted(others.items(), key=str)}"
    return make_query(key, keywords, filters)


def _texts(value: object) -> Iterator[tuple[str, str]]:
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    yield from ((one, "") for one in values if isinstance(one, str) and one)


def _page(
    params: RequestParams, total: int, size: int, *, approximate: bool = False
) -> tuple[range, JsonObject]:
    """The positions of a page's items, and the keys beside them; `approximate` adds a total."""
    start, count = params.number("start"), params.number("count", size, minimum=1)
    # A short page is not the end: pages of 8 to 10 items are normal.
    short = count - number("short", start) % 3 if count > 3 else count
    positions = range(min(start, total), min(start + short, total))
    pagination = {"count": count, "start": start}
    if approximate and total:
        pagination["total"] = -(-total // 10) * 10
    return positions, {"pagination": pagination, "hasMore": positions.stop < total}


def _person(person: PersonRecord) -> JsonObject:
    return {
        "profileId": person.slug,
        "profileUrn": person.urn,
        "firstName": person.first,
        "lastName": person.last,
        "headline": person.headline,
        "profilePicture": person.picture,
        "location": person.location,
        "connectionDegree": _DEGREES.get(connectsafely_profiles.degree(person) or "", "3rd"),
        "currentPosition": person.position if chance(0.8, "position", person.key) else None,
        "profileUrl": person.link,
        "isPremium": connectsafely_profiles.is_premium(person),
        "isOpenToWork": chance(0.1, "open", person.key),
    }


def _group(keywords: str, index: int) -> JsonObject:
    name = str(100_001 + number("group", keywords) % 800_000 + index)
    members = 50 + number("members", name) % 20_000
    logo = f"https://media.example.com/g/{name}.jpg"
    return {
        "groupId": name,
        "name": f"{keywords.title() or 'Example'} Group {index + 1}",
        "memberCount": members if members < 1000 else members // 1000 * 1000,
        "logoUrl": logo if chance(0.7, "logo", name) else None,
        "groupUrl": f"https://www.linkedin.com/groups/{name}",
        "isPrivate": chance(0.5, "private", name),
    }
