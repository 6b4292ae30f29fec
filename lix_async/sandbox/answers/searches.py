"""Searches: LinkedIn, Sales Navigator, Recruiter, and the saved lists of Sales Navigator."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..protocol.errors import is_missing, params_invalid, unknown_record
from ..world import job_postings, links, organisations, person_bodies, posts
from ..world.random import number
from ..world.search_queries import SearchQuery, make_query, query_from_url
from .context import get_part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol.params import RequestParams
    from ..world.people import PersonRecord
    from ..world.world import World
    from .context import AnswerContext

# How many items of one search can be fetched, whatever its total is (lix.md#paging-caps).
LINKEDIN_CAP = 1000
SALES_CAP = 2500
_PAIR = re.compile(r"\[([^,\]]*),(.*)\]", re.DOTALL)


def _wrap_page(
    context: AnswerContext,
    items: tuple[str, str],
    rows: list[dict[str, object]],
    start: int,
    total: int,
    shown: str,
) -> dict[str, object]:
    """A page in the sandbox's envelope; `items` are the items' keys today and in old samples."""
    old = context.envelope == "seed"
    paging = {"count": len(rows), "start": start, "total": total}
    inner: dict[str, object] = {items[1] if old else items[0]: rows, "paging": paging}
    meta: dict[str, object] = {"meta": {"sequenceId": shown}}
    if context.envelope == "flat":
        return inner | meta
    return {"searchResponse" if old else "response": inner} | meta


def _start_of(url: str, size: int) -> int:
    """The offset in a LinkedIn URL: `start=` counts items, `page=` counts pages from 1."""
    start = links.position(url, "start")
    page = links.position(url, "page")
    if page == 0:
        raise params_invalid("page in the url must be at least 1")
    return start if start is not None else ((page or 1) - 1) * size


def _slice(found: Sequence[int], start: int, size: int, cap: int) -> Sequence[int]:
    return found[start : min(start + size, cap)]


def search_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn people search. Some items are hidden members; the first of a page never is."""
    url = params.require("url")
    size, (order, shown) = context.page_size(10), context.search_order(params)
    search, start = query_from_url(url), _start_of(url, size)
    found = world.search("people", search, order)
    people = [world.person(index) for index in _slice(found, start, size, LINKEDIN_CAP)]
    visible = next((one for one in people if not one.hidden), people[0] if people else None)
    people.sort(key=lambda one: one is not visible)  # the first visible person to the front
    rows = [_person_row(world, one, first=one is visible) for one in people]
    return _wrap_page(context, ("people", "people"), rows, start, len(found), shown)


def _person_row(world: World, one: PersonRecord, first: bool) -> dict[str, object]:
    if one.hidden and not first:
        return person_bodies.hidden_row(one)
    if not first and number("bare", one.slug) % 20 == 0:
        return {"name": one.name, "link": one.link, "description": None, "location": one.location}
    return person_bodies.search_row(one, world.career(one))


def search_jobs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn job search, paged by `start` in the URL."""
    url = params.require("url")
    size, (order, shown) = context.page_size(10), context.search_order(params)
    found, start = world.search("postings", query_from_url(url), order), _start_of(url, size)
    rows = [
        job_postings.search_row(world.posting_at(index))
        for index in _slice(found, start, size, LINKEDIN_CAP)
    ]
    return _wrap_page(context, ("jobPostings", "people"), rows, start, len(found), shown)


def search_posts(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn post search, paged by the parameter `start`."""
    size, (order, shown) = context.page_size(10), context.search_order(params)
    found, start = (
        world.search("posts", query_from_url(params.require("url")), order),
        params.number("start"),
    )
    rows = [posts.body(world.post_at(index)) for index in _slice(found, start, size, LINKEDIN_CAP)]
    return _wrap_page(context, ("posts", "posts"), rows, start, len(found), shown)


def search_orgs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn company search."""
    return _organisations(
        world, params, context, ("orgs", "posts"), 10, LINKEDIN_CAP, organisations.search_row
    )


def sales_orgs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator account search."""
    return _organisations(
        world,
        params,
        context,
        ("organisations", "people"),
        25,
        SALES_CAP,
        organisations.account_row,
    )


def _organisations(
    world: World,
    params: RequestParams,
    context: AnswerContext,
    items: tuple[str, str],
    size: int,
    cap: int,
    row: Callable[[organisations.OrganisationRecord], dict[str, object]],
) -> object:
    url = params.require("url")
    size, (order, shown) = context.page_size(size), context.search_order(params)
    found, start = world.search("organisations", query_from_url(url), order), _start_of(url, size)
    rows = [row(world.companies.at(index)) for index in _slice(found, start, size, cap)]
    return _wrap_page(context, items, rows, start, len(found), shown)


def _people_page(
    world: World,
    params: RequestParams,
    context: AnswerContext,
    search: SearchQuery,
    start: int,
    size: int,
) -> dict[str, object]:
    order, shown = context.search_order(params)
    found = world.search("people", search, order)
    people = [world.person(index) for index in _slice(found, start, size, SALES_CAP)]
    rows = [person_bodies.search_row(one, world.career(one)) for one in people]
    return _wrap_page(context, ("people", "people"), rows, start, len(found), shown)


def sales_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator people search, by GET and by form POST."""
    url, size = params.require("url"), context.page_size(25)
    return _people_page(world, params, context, query_from_url(url), _start_of(url, size), size)


def people_by_filters(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Sales Navigator search by filters: one page, since no parameter for more is documented."""
    groups: list[tuple[str, ...]] = []
    for name in ("person_titles", "locations", "organisations"):
        if (given := params.text(name)) is not None:
            pair = _PAIR.fullmatch(given)
            if pair is None:
                raise params_invalid(f"{name} must have the form [id,text]")
            text = pair[2].replace("\\,", ",").casefold()
            groups.append((text or pair[1].casefold(),))
    keywords = params.text("keywords") or ""
    if not groups and not keywords:
        raise params_invalid("at least one filter is required")
    search = make_query(f"filters {groups} {keywords}", keywords, groups)
    return _people_page(world, params, context, search, 0, context.page_size(25))


def recruiter_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Recruiter search by skills, paged by `start` in the JSON body.

    Its items are never wrapped, not even in the oldest samples.
    """
    skills = [_skill(skill) for skill in params.array("skills")]
    if not skills:
        raise params_invalid("skills is required")
    search = make_query(f"recruiter {sorted(skills)}", "", [(text,) for text in skills])
    flat = replace(context, envelope="flat")
    return _people_page(world, params, flat, search, params.number("start"), context.page_size(25))


def _skill(skill: object) -> str:
    text = get_part(skill, "text")
    if not isinstance(text, str) or not text:
        raise params_invalid("each item of skills must have a text")
    return text.casefold()


def _saved_list(params: RequestParams, size: int) -> tuple[SearchQuery, int]:
    list_id = params.require("list_id")
    if not list_id.isdecimal():
        raise params_invalid("list_id must consist of digits")
    if is_missing(list_id):
        raise unknown_record("list")
    search = SearchQuery(f"list {list_id}", (), 40 + number("list", list_id) % 240)
    return search, (params.number("page", 1, minimum=1) - 1) * size


def list_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The people of a saved list, 25 on a page."""
    size = context.page_size(25)
    return _people_page(world, params, context, *_saved_list(params, size), size)


def list_orgs(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The companies of a saved list."""
    size, (order, shown) = context.page_size(25), context.search_order(params)
    search, start = _saved_list(params, size)
    found = world.search("organisations", search, order)
    rows = [
        organisations.account_row(world.companies.at(index))
        for index in _slice(found, start, size, SALES_CAP)
    ]
    return _wrap_page(context, ("organisations", "people"), rows, start, len(found), shown)
