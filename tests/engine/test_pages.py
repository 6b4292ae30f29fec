"""Listings as the caller sees them: items, pages, lists, limits, and leaving early."""

from __future__ import annotations

import gc

import anyio
import pytest
from reference_server import Vendor, ids, things
from sample_provider import (
    LIST,
    LOST,
    SEARCH,
    THING,
    ListParams,
    SampleClient,
    ThingParams,
    UrlParams,
    reply,
    settle,
)

from lix_async.core.errors import BudgetError, ConfigurationError, PagingError, TransportError
from lix_async.core.retry import RetryPolicy

pytestmark = pytest.mark.anyio
ALL = [f"t{number}" for number in range(25)]


def listing(vendor: Vendor | None = None, **settings):
    vendor = vendor or Vendor(things(25), total=25)
    return vendor, SampleClient(vendor).pages(LIST, ListParams(), **settings)


async def test_items_come_one_by_one_in_order_and_nothing_is_sent_before_the_first():
    vendor, pages = listing()
    assert vendor.asked == []
    found = [item.id async for item in pages]
    assert found == ALL
    assert vendor.starts == [0, 10, 20]
    stats = pages.stats
    assert (stats.items, stats.pages, stats.credits, stats.total) == (25, 3, 3, 25)
    assert (stats.duplicates, stats.complete) == (0, True)


async def test_pages_come_whole_and_tell_where_they_stand():
    _, pages = listing(Vendor(things(25), total=25, sequence=lambda _: "s"))
    found = [page async for page in pages.by_page()]
    assert [ids(page.items) for page in found] == [ALL[:10], ALL[10:20], ALL[20:]]
    assert [(p.start, p.count, p.total) for p in found] == [(0, 10, 25), (10, 10, 25), (20, 5, 25)]
    assert [page.sequence_id for page in found] == ["s"] * 3
    assert [page.answer.status for page in found] == [200] * 3
    assert repr(found[1]) == "<Page 10+10 of 25>"
    assert await pages.next_page() is None


async def test_a_second_loop_goes_on_where_the_first_one_stopped():
    vendor, pages = listing()
    found: list[object] = []
    async for item in pages:
        found.append(item.id)
        if len(found) == 13:
            break
    first = await pages.first()
    page = await pages.next_page()
    rest = await pages.collect()
    assert [*found, first.id, *ids(page.items), *ids(rest)] == ALL
    assert (page.start, page.count, len(page.items), len(vendor.asked)) == (10, 10, 6, 3)
    assert (await pages.first(), await pages.collect(), pages.stats.items) == (None, [], 25)


@pytest.mark.parametrize("limit", [0, 1, 9, 10, 11, 20, 24, 25, 26, 99])
async def test_no_more_items_are_given_and_no_more_pages_fetched_than_asked_for(limit):
    wanted = min(limit, 25)
    for way in ("items", "pages", "collect"):
        vendor, pages = listing(max_items=limit)
        if way == "items":
            found = [item async for item in pages]
        elif way == "pages":
            found = [item async for page in pages.by_page() for item in page.items]
        else:
            found = await pages.collect()
        assert ids(found) == ALL[:wanted]
        assert len(vendor.asked) == -(-wanted // 10)
        assert pages.stats.items == wanted


async def test_the_first_item_costs_one_page_and_none_is_none():
    vendor, pages = listing()
    assert (await pages.first()).id == "t0"
    assert len(vendor.asked) == 1
    assert await listing(Vendor([]))[1].first() is None


async def test_items_collected_before_an_error_are_kept_and_the_listing_continues():
    vendor = Vendor(things(25), total=25)
    faults = iter([False, False, True, False])

    def handle(outgoing):
        return LOST if next(faults) else vendor(outgoing)

    pages = SampleClient(handle, retry=RetryPolicy(attempts=1)).pages(LIST, ListParams())
    with pytest.raises(TransportError):
        await pages.collect()
    assert ids(pages.collected) == ALL[:20]
    assert ids(await pages.collect()) == ALL[20:]
    assert ids(pages.collected) == ALL[20:]


async def test_two_tasks_on_one_listing_are_refused():
    opened = anyio.Event()
    vendor = Vendor(things(25))

    async def slow(outgoing):
        await opened.wait()
        return vendor(outgoing)

    pages = SampleClient(lambda outgoing: slow(outgoing)).pages(LIST, ListParams())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pages.first)
        await settle()
        with pytest.raises(ConfigurationError, match="by two tasks at the same time"):
            await pages.first()
        opened.set()
    assert (await pages.first()).id == "t1"


async def test_leaving_early_leaves_nothing_behind():
    """Warnings are errors: an unfinished generator or a lost coroutine would fail this test."""
    gc.freeze()  # what there was before is not looked at again and again
    for _ in range(3):
        _, pages = listing()
        async for _item in pages:
            break
        async for _page in pages.by_page():
            break
        with pytest.raises(KeyError):
            async for _item in pages:
                raise KeyError
        del pages
        gc.collect()


async def test_a_cancelled_page_is_asked_for_again(monkeypatch):
    monkeypatch.setattr("lix_async.engine.pages.GRACE", 0.0)  # its answer never comes
    vendor = Vendor(things(25), total=25)
    stuck = iter([True, False, False, False])

    async def handle(outgoing):
        if next(stuck):
            await anyio.sleep_forever()
        return vendor(outgoing)

    pages = SampleClient(lambda outgoing: handle(outgoing)).pages(LIST, ListParams())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pages.collect)
        await settle()
        tasks.cancel_scope.cancel()
    assert ids(await pages.collect()) == ALL


async def test_it_may_be_entered_also_without_a_prefetch():
    vendor, pages = listing()
    async with pages as same:
        assert same is pages
        assert (await pages.first()).id == "t0"
    await settle()
    assert len(vendor.asked) == 1
    assert len(await pages.collect()) == 24


async def test_leaving_the_block_twice_or_unentered_does_nothing():
    _, pages = listing(prefetch=1)
    await pages.__aexit__(None, None, None)
    async with pages:
        assert (await pages.first()).id == "t0"
    await pages.__aexit__(None, None, None)
    assert (await pages.first()).id == "t1"


async def test_a_listing_stops_before_it_exceeds_its_credits_and_can_continue():
    vendor, pages = listing(max_credits=2)
    with pytest.raises(BudgetError, match="max_credits of this listing is 2 credits: 2 are spent"):
        await pages.collect()
    assert (ids(pages.collected), len(vendor.asked)) == (ALL[:20], 2)
    rest = SampleClient(vendor).pages(LIST, ListParams(), resume=pages.checkpoint, max_credits=1)
    assert ids(await rest.collect()) == ALL[20:]
    assert (len(vendor.asked), rest.stats.credits) == (3, 3)
    with pytest.raises(BudgetError):
        await listing(max_credits=0)[1].first()


async def test_a_search_is_paged_inside_its_url_with_one_sequence():
    vendor = Vendor(things(25), 10, total=25)
    pages = SampleClient(vendor).pages(SEARCH, UrlParams(url="https://x/?q=%2520"))
    assert ids(await pages.collect()) == ALL
    assert [query["url"] for query in vendor.asked] == [
        "https://x/?q=%2520", "https://x/?q=%2520&page=2", "https://x/?q=%2520&page=3",
    ]  # fmt: skip


async def test_a_position_that_is_no_number_is_refused_before_anything_is_paid():
    client = SampleClient(reply())
    with pytest.raises(ConfigurationError, match="page= in the LinkedIn URL must be a number"):
        client.pages(SEARCH, UrlParams(url="https://x/?page=two"))
    assert client.script.sent == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_items": -1}, "max_items must not be negative: -1"),
        ({"max_items": 2.5}, "max_items must be a whole number or None, not float"),
        ({"max_items": True}, "max_items must be a whole number or None, not bool"),
        ({"resume": b"{}"}, r"resume must be a Checkpoint: use Checkpoint.from_json\("),
        ({"max_credits": "5"}, "max_credits must be a whole number or None, not str"),
        ({"prefetch": True}, "prefetch must be a whole number, not bool"),
        ({"prefetch": "1"}, "prefetch must be a whole number, not str"),
        ({"prefetch": 2}, "prefetch must be 0 or 1: 2"),
        ({"max_credits": -1}, "max_credits must not be negative: -1"),
        ({"prefetch": -1}, "prefetch must be 0 or 1: -1"),
    ],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        listing(**settings)


def test_an_endpoint_without_pages_is_not_a_listing():
    with pytest.raises(ConfigurationError, match=r"thing.get is not a listing: use send\(\)"):
        SampleClient(reply()).pages(THING, ThingParams(id="1"))


async def test_a_page_that_comes_again_is_an_error_and_what_came_before_is_valid():
    vendor = Vendor(things(25), 10, alter=lambda number, rows: things(10))
    _, pages = listing(vendor)
    with pytest.raises(
        PagingError, match="page 2 of this listing repeats an earlier one"
    ) as caught:
        await pages.collect()
    assert (ids(pages.collected), caught.value.endpoint) == (ALL[:10], "list")
    assert not pages.stats.complete
