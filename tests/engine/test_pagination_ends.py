"""A listing ends by a flag, or by a page that is repeated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sample_provider import LIST, ListParams, SampleClient, Thing, ThingPage, reply

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


async def ids(client: SampleClient, row: Any, params: Any) -> list[str | None]:
    return [thing.id for thing in await client.pages(row, params).collect()]


async def test_a_flag_ends_a_listing_and_a_total_does_not() -> None:
    total = {"paging": {"total": 2}}
    client = SampleClient(
        page("a", "b", more=True, **total), page("c", more=False, paging={"total": 9})
    )
    pages = client.pages(FLAGGED, ListParams())
    assert len(await pages.collect()) == 3
    assert pages.stats.complete


async def test_an_empty_page_that_promises_more_leaves_the_listing_incomplete() -> None:
    client = SampleClient(page("a", more=True), page(more=True))
    pages = client.pages(FLAGGED, ListParams())
    assert len(await pages.collect()) == 1
    assert (len(client.script.sent), pages.stats.complete) == (3, False)


async def test_a_page_that_comes_again_is_the_end_where_the_plan_says_so() -> None:
    client = SampleClient(page("a", "b"))
    pages = client.pages(STUBBORN, PageParams())
    assert [thing.id for thing in await pages.collect()] == ["a", "b"]
    assert (pages.stats.items, pages.stats.pages, pages.stats.complete) == (2, 2, True)
    plain = replace(STUBBORN, paging=PageNumber(first=0))
    with pytest.raises(PagingError):
        await ids(SampleClient(page("a", "b")), plain, PageParams())


async def test_ids_tell_a_page_there() -> None:
    def sized(size: int) -> Any:
        return reply(200, {"things": [{"id": "a", "size": size}, {"id": "b", "size": size}]})

    assert await ids(SampleClient(sized(1), sized(2)), STUBBORN, PageParams()) == ["a", "b"]
    with pytest.raises(PagingError):
        await ids(SampleClient(page("a"), page("b"), page("a")), STUBBORN, PageParams())


async def test_without_ids_the_rows_do() -> None:
    unnamed = msgspec.json.encode({"things": [{"size": 1}]})
    client = SampleClient(reply(200, unnamed))
    pages = client.pages(STUBBORN, PageParams())
    assert await pages.collect() == [Thing(size=1)]
    assert len(client.script.sent) == 2


async def test_a_size_may_be_a_number_or_a_param() -> None:
    for size in (2, "start"):
        row = replace(STUBBORN, paging=PageNumber(first=0, size=size))
        client = SampleClient(page("a", "b"), page("c"))
        assert await ids(client, row, PageParams(start=2)) == ["a", "b", "c"]
        assert len(client.script.sent) == 2


async def test_a_rooted_path_leaves_the_base_urls_path_out() -> None:
    client = SampleClient(page(), base_url="https://sample.example/api")
    await client.send(LIST, ListParams())
    await client.send(replace(LIST, rooted=True), ListParams())
    assert [target.split("?")[0] for target in client.script.targets] == [
        "/api/v1/list",
        "/v1/list",
    ]


async def test_past_the_total_a_page_without_anything_new_is_the_end_and_no_error() -> None:
    """The rows before it overlapped, so it had to be asked for; a server may send any for it."""
    total = {"paging": {"total": 4}}
    pages = [page("a", "b", **total), page("b", "c", **total)]
    for last in (page("c", "b", **total), page("b", "c", **total), page("a", **total), page()):
        client = SampleClient(*pages, last)
        listing = client.pages(LIST, ListParams())
        assert [thing.id for thing in await listing.collect()] == ["a", "b", "c"]
        assert (len(client.script.sent), listing.stats.complete) == (3, False)


async def test_past_the_total_what_is_new_is_taken_along() -> None:
    total = {"paging": {"total": 4}}
    client = SampleClient(page("a", "b", **total), page("b", "c", **total), page("c", "d", **total))
    listing = client.pages(LIST, ListParams())
    assert [thing.id for thing in await listing.collect()] == ["a", "b", "c", "d"]
    assert (len(client.script.sent), listing.stats.duplicates, listing.stats.complete) == (
        3,
        2,
        True,
    )


async def test_a_cap_is_a_position_and_is_not_moved_by_what_came_twice() -> None:
    row = replace(LIST, paging=Offset(cap=4))
    total = {"paging": {"total": 9}}
    client = SampleClient(page("a", "b", **total), page("b", "c", **total), page("d", **total))
    listing = client.pages(row, ListParams())
    assert [thing.id for thing in await listing.collect()] == ["a", "b", "c"]
    assert (len(client.script.sent), listing.stats.complete) == (2, False)
