"""Searches: LinkedIn, Sales Navigator, Recruiter, and the saved lists of Sales Navigator."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...core.values import JsonObject
from ..protocol.errors import is_missing, params_invalid, unknown_record
from ..protocol.params import RequestParams
from ..world import job_postings, links, organisations, person_bodies, posts
from ..world.people import PersonRecord
from ..world.random import number
from ..world.search_filters import SearchFilter, make_filter
from ..world.search_queries import SearchQuery, make_query, query_from_url
from ..world.world import World
from .context import AnswerContext, get_part

_PAIRS = {"person_titles": "title", "locations": "place", "organisations": "company"}
_PAIR = re.compile(r"\[([^,\]]*),(.*)\]", re.DOTALL)


class _SearchKind(NamedTuple):
    """What a search finds, and how its pages look. `old_key` is the key in the oldest samples."""

    records: str
    key: str
    old_key: str
    page_size: int
    cap: int
    """How many items can be fetched, whatever the total is (lix.md#paging-caps)."""
    make_items: Callable[[World, Sequence[int]], list[JsonObject]]
    """Makes the items from the indexes of the records."""


def _people(world: World, indexes: Sequence[int]) -> list[JsonObject]:
    """Some items are hidden members; the first of a page never is."""
    people = [world.person(index) for index in indexes]
    visible = next((one for one in people if not one.hidden), people[0] if people else None)
    people.sort(key=lambda one: one is not visible)  # the first visible person to the front
    return [_person_item(world, one, first=one is visible) for one in people]


def _person_item(world: World, one: PersonRecord, first: bool) -> JsonObject:
    if one.hidden and not first:
        return person_bodies.hidden_item(one)
    if not first and number("bare", one.key) % 20 == 0:
        return {"name": one.name, "link": one.link, "description": None, "location": one.location}
    return person_bodies.search_item(one, world.career(one))


def _jobs(world: World, indexes: Sequence[int]) -> list[JsonObject]:
    return [job_postings.search_item(world.posting_at(index)) for index in indexes]


def _posts(world: World, indexes: Sequence[int]) -> list[JsonObject]:
    return [posts.body(world.post_at(index)) for index in indexes]


def _orgs(world: World, indexes: Sequence[int]) -> list[JsonObject]:
    return [organisations.search_item(world.organisation(index)) for index in indexes]


def _leads(world: World, indexes: Sequence[int]) -> list[JsonObject]:
    people = map(world.person, indexes)
    return [person_bodies.search_item(one, world.career(one)) for one in people]


def _accounts(world: World, indexes: Sequence[int]) -> list[JsonObject]:
    return [organisations.account_item(world.organisation(index)) for index in indexes]


_PEOPLE = _SearchKind("people", "people", "people", 10, 1000, _people)
_JOBS = _SearchKind("postings", "jobPostings", "people", 10, 1000, _jobs)
_POSTS = _SearchKind("posts", "posts", "posts", 10, 1000, _posts)
_ORGS = _SearchKind("organisations", "orgs", "posts", 10, 1000, _orgs)
_LEADS = _SearchKind("people", "people", "people", 25, 2500, _leads)
_ACCOUNTS = _SearchKind("organisations", "organisations", "people", 25, 2500, _accounts)


def _search(
    world: World,
    params: RequestParams,
    context: AnswerContext,
    kind: _SearchKind,
    query: SearchQuery,
    start: int,
) -> JsonObject:
    """A page of a search."""
    order, sequence_id = context.search_order(params)
    found = world.search(kind.records, query, order)
    end = min(start + context.page_size(kind.page_size), kind.cap)
    items = kind.make_items(world, found[start:end])
    paging = {"count": len(items), "start": start, "total": len(found)}
    meta: JsonObject = {"meta": {"sequenceId": sequence_id}}
    if context.envelope == "seed":
        return {"searchResponse": {kind.old_key: items, "paging": paging}} | meta
    page: JsonObject = {kind.key: items, "paging": paging}
    return {"response": page} | meta if context.envelope == "response" else page | meta


def _search_url(
    world: World, params: RequestParams, context: AnswerContext, kind: _SearchKind
) -> JsonObject:
    """A page of the search in `url`, which also has the position of the page."""
    url = params.require("url")
    start = _start_of(url, context.page_size(kind.page_size))
    return _search(world, params, context, kind, query_from_url(url), start)


def _start_of(url: str, size: int) -> int:
    """The offset in a LinkedIn URL: `start=` counts items, `page=` counts pages from 1."""
    start = links.position(url, "start")
    page = links.position(url, "page")
    if page == 0:
        raise params_invalid("page in the url must be at least 1")
    return start if start is not None else ((page or 1) - 1) * size


def search_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn people search. Some items are hidden members; the first of a page never is."""
    return _search_url(world, params, context, _PEOPLE)


def search_jobs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn job search, paged by `start` in the URL."""
    return _search_url(world, params, context, _JOBS)


def search_posts(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn post search, paged by the parameter `start`."""
    query, start = query_from_url(params.require("url")), params.number("start")
    return _search(world, params, context, _POSTS, query, start)


def search_orgs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn company search."""
    return _search_url(world, params, context, _ORGS)


def sales_orgs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator account search."""
    return _search_url(world, params, context, _ACCOUNTS)


def sales_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator people search, by GET and by form POST."""
    return _search_url(world, params, context, _LEADS)


def people_by_filters(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator search by filters: one page, since no parameter for more is documented."""
    filters: list[SearchFilter] = []
    for name, filtered in _PAIRS.items():
        if (given := params.text(name)) is not None:
            pair = _PAIR.fullmatch(given)
            if pair is None:
                raise params_invalid(f"{name} must have the form [id,text]")
            value = pair[2].replace("\\,", ","), pair[1]
            filters.append(make_filter(filtered, [value]))
    keywords = params.text("keywords") or ""
    if not filters and not keywords:
        raise params_invalid("at least one filter is required")
    query = make_query("filters", keywords, filters)
    return _search(world, params, context, _LEADS, query, 0)


def recruiter_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Recruiter search by skills, paged by `start` in the JSON body.

    Its items are never wrapped, not even in the oldest samples.
    """
    skills = params.array("skills")
    if not skills:
        raise params_invalid("skills is required")
    query = make_query("recruiter", "", map(_skill_filter, skills))
    flat, start = replace(context, envelope="flat"), params.number("start")
    return _search(world, params, flat, _LEADS, query, start)


def _skill_filter(skill: object) -> SearchFilter:
    text = get_part(skill, "text")
    if not isinstance(text, str) or not text:
        raise params_invalid("each item of skills must have a text")
    value = [(text, "")]
    return make_filter("skill", *(((), value) if get_part(skill, "negated") is True else (value,)))


def _saved_list(params: RequestParams, context: AnswerContext) -> tuple[SearchQuery, int]:
    list_id = params.require("list_id")
    if not list_id.isdecimal():
        raise params_invalid("list_id must consist of digits")
    if is_missing(list_id):
        raise unknown_record("list")
    query = SearchQuery(f"list {list_id}", (), 40 + number("list", list_id) % 240)
    return query, (params.number("page", 1, minimum=1) - 1) * context.page_size(25)


def list_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The people of a saved list, 25 on a page."""
    query, start = _saved_list(params, context)
    return _search(world, params, context, _LEADS, query, start)


def list_orgs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The companies of a saved list."""
    query, start = _saved_list(params, context)
    return _search(world, params, context, _ACCOUNTS, query, start)
