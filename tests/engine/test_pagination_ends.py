"""Two more ways in which a walk ends: a flag that says so, and a page that comes again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sample_provider import LIST, ListParams, Thing, ThingPage, Toy, reply

from lix_async.core.endpoint import Endpoint
from lix_async.core.errors import PagingError
from lix_async.core.pagination import Offset, OffsetWhileMore, PageNumber

pytestmark = pytest.mark.anyio


class FlaggedPage(ThingPage):
    more: bool | None = None

    @property
    def continues(self) -> bool | None:
        return self.more


class PageParams(ListParams, frozen=True, kw_only=True):
    page: int = 0


FLAGGED: Endpoint[ListParams, FlaggedPage] = Endpoint(
    "flagged", "GET", "/v1/list", ListParams, FlaggedPage, paging=OffsetWhileMore()
)
STUBBORN: Endpoint[PageParams, ThingPage] = Endpoint(
    "stubborn", "GET", "/v1/list", PageParams, ThingPage,
    paging=PageNumber(first=0, repeat_ends=True),
)  # fmt: skip


def page(*ids: str, **beside: Any) -> Any:
    return reply(200, {"things": [{"id": x} for x in ids], **beside})


async def ids(toy: Toy, row: Any, params: Any) -> list[str | None]:
    return [thing.id for thing in await toy.pages(row, params).collect()]


async def test_a_flag_ends_a_walk_and_no_total_does() -> None:
    total = {"paging": {"total": 2}}
    toy = Toy(page("a", "b", more=True, **total), page("c", more=False, paging={"total": 9}))
    pages = toy.pages(FLAGGED, ListParams())
    assert len(await pages.collect()) == 3
    assert pages.stats.complete


async def test_a_page_that_promises_more_and_is_empty_leaves_the_walk_incomplete() -> None:
    toy = Toy(page("a", more=True), page(more=True))
    pages = toy.pages(FLAGGED, ListParams())
    assert len(await pages.collect()) == 1
    assert (len(toy.script.sent), pages.stats.complete) == (3, False)


async def test_a_page_that_comes_again_is_the_end_where_the_plan_says_so() -> None:
    toy = Toy(page("a", "b"))
    pages = toy.pages(STUBBORN, PageParams())
    assert [thing.id for thing in await pages.collect()] == ["a", "b"]
    assert (pages.stats.items, pages.stats.pages, pages.stats.complete) == (2, 2, True)
    plain = replace(STUBBORN, paging=PageNumber(first=0))
    with pytest.raises(PagingError):
        await ids(Toy(page("a", "b")), plain, PageParams())


async def test_ids_tell_a_page_there() -> None:
    def sized(size: int) -> Any:
        return reply(200, {"things": [{"id": "a", "size": size}, {"id": "b", "size": size}]})

    assert await ids(Toy(sized(1), sized(2)), STUBBORN, PageParams()) == ["a", "b"]
    with pytest.raises(PagingError):
        await ids(Toy(page("a"), page("b"), page("a")), STUBBORN, PageParams())


async def test_without_ids_the_rows_do() -> None:
    unnamed = msgspec.json.encode({"things": [{"size": 1}]})
    toy = Toy(reply(200, unnamed))
    pages = toy.pages(STUBBORN, PageParams())
    assert await pages.collect() == [Thing(size=1)]
    assert len(toy.script.sent) == 2


async def test_a_size_may_be_a_number_or_a_param() -> None:
    for size in (2, "start"):
        row = replace(STUBBORN, paging=PageNumber(first=0, size=size))
        toy = Toy(page("a", "b"), page("c"))
        assert await ids(toy, row, PageParams(start=2)) == ["a", "b", "c"]
        assert len(toy.script.sent) == 2


async def test_a_rooted_path_leaves_the_base_urls_path_out() -> None:
    toy = Toy(page(), base_url="https://toy.example/api")
    await toy.send(LIST, ListParams())
    await toy.send(replace(LIST, rooted=True), ListParams())
    assert [target.split("?")[0] for target in toy.script.targets] == ["/api/v1/list", "/v1/list"]


async def test_past_the_total_a_page_without_anything_new_is_the_end_and_no_error() -> None:
    """The rows before it overlapped, so it had to be asked for; a server may send any for it."""
    total = {"paging": {"total": 4}}
    pages = [page("a", "b", **total), page("b", "c", **total)]
    for last in (page("c", "b", **total), page("b", "c", **total), page("a", **total), page()):
        toy = Toy(*pages, last)
        walk = toy.pages(LIST, ListParams())
        assert [thing.id for thing in await walk.collect()] == ["a", "b", "c"]
        assert (len(toy.script.sent), walk.stats.complete) == (3, False)


async def test_past_the_total_what_is_new_is_taken_along() -> None:
    total = {"paging": {"total": 4}}
    toy = Toy(page("a", "b", **total), page("b", "c", **total), page("c", "d", **total))
    walk = toy.pages(LIST, ListParams())
    assert [thing.id for thing in await walk.collect()] == ["a", "b", "c", "d"]
    assert (len(toy.script.sent), walk.stats.duplicates, walk.stats.complete) == (3, 2, True)


async def test_a_cap_is_a_position_and_is_not_moved_by_what_came_twice() -> None:
    row = replace(LIST, paging=Offset(cap=4))
    total = {"paging": {"total": 9}}
    toy = Toy(page("a", "b", **total), page("b", "c", **total), page("d", **total))
    walk = toy.pages(row, ListParams())
    assert [thing.id for thing in await walk.collect()] == ["a", "b", "c"]
    assert (len(toy.script.sent), walk.stats.complete) == (2, False)
