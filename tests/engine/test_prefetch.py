"""The next page is fetched while the caller works on this one: inside `async with`, and only then."""

from __future__ import annotations

import contextlib
import functools

import anyio
import pytest
from reference_server import Vendor, ids, things
from sample_provider import LIST, LOST, ListParams, SampleClient, refused, reply, settle

from lix_async.core.errors import PagingError, TransportError
from lix_async.core.retry import RetryPolicy
from lix_async.engine import pages as pages_module
from lix_async.limiters.base import Limiter

pytestmark = pytest.mark.anyio
ALL = [f"t{number}" for number in range(25)]


class Waiting(Limiter):
    """A limiter that gives no permit."""

    def __init__(self, asked: anyio.Event) -> None:
        self.asked = asked

    async def acquire(self) -> None:
        self.asked.set()
        await anyio.sleep_forever()

    async def hold(self, seconds: float) -> None:
        raise AssertionError("nothing was sent")


class Gated:
    """A vendor whose pages come when they are let through."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.events: list[anyio.Event] = []
        self.cancelled = 0

    def __call__(self, outgoing):
        return self.answer(outgoing)

    async def answer(self, outgoing):
        opened = anyio.Event()
        self.events.append(opened)
        try:
            await opened.wait()
        except BaseException:
            self.cancelled += 1
            raise
        return self.vendor(outgoing)


def ahead(vendor, **settings):
    return SampleClient(vendor, retry=RetryPolicy(attempts=1)).pages(
        LIST, ListParams(), prefetch=1, **settings
    )


async def test_the_next_page_is_on_its_way_while_the_caller_has_this_one():
    vendor = Vendor(things(25), total=25)
    async with ahead(vendor) as pages:
        assert vendor.asked == []
        assert (await pages.first()).id == "t0"
        await settle()
        assert vendor.starts == [0, 10]
        for _ in range(10):
            await pages.first()
        await settle()
        assert vendor.starts == [0, 10, 20]
        assert ids(await pages.collect()) == ALL[11:]
    assert vendor.starts == [0, 10, 20]
    assert pages.stats.complete


async def test_pages_come_in_order_when_the_caller_is_the_faster_one():
    gated = Gated(Vendor(things(25), total=25))
    found: list[object] = []
    async with ahead(gated) as pages, anyio.create_task_group() as tasks:

        async def work() -> None:
            found.extend([item.id async for item in pages])

        tasks.start_soon(work)
        for count in (0, 10, 20):
            await settle()
            assert (len(found), len(gated.events)) == (0, count // 10 + 1)
            gated.events[-1].set()
    assert found == ALL


@pytest.mark.parametrize("limit", [0, 1, 10, 11, 20, 21, 25])
async def test_no_page_is_fetched_that_the_callers_limit_does_not_need(limit):
    for by_page in (False, True):
        vendor = Vendor(things(25), total=25)
        async with ahead(vendor, max_items=limit) as pages:
            if by_page:
                found = [item async for page in pages.by_page() for item in page.items]
            else:
                found = []
                async for item in pages:
                    found.append(item)
                    await settle()
            await settle()
        assert ids(found) == ALL[:limit]
        assert len(vendor.asked) == -(-limit // 10)


async def leave_with_a_page_on_its_way(gated, pages, scope, *, how):
    """Take one item, and leave the block while the next page is on its way."""
    with scope:
        async with pages:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pages.first)
                await settle()
                gated.events[0].set()
            await settle()
            if how == "error":
                raise KeyError("mine")
            if how == "cancelled":
                scope.cancel()
                await settle()


@pytest.mark.parametrize("how", ["break", "error", "cancelled", "cancelled while it waits"])
async def test_leaving_early_keeps_the_page_that_is_on_its_way(how):
    gated, scope = Gated(Vendor(things(25), total=25)), anyio.CancelScope()
    pages = ahead(gated)

    async def leave() -> None:
        with contextlib.suppress(KeyError):
            await leave_with_a_page_on_its_way(gated, pages, scope, how=how)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leave)
        await settle(20)
        if how == "cancelled while it waits":
            scope.cancel()
            await settle()
        assert len(gated.events) == 2
        gated.events[1].set()
    assert (gated.cancelled, pages.stats.pages) == (0, 2)
    rest = SampleClient(gated.vendor).pages(LIST, ListParams(), resume=pages.checkpoint)
    assert ids(await rest.collect()) == ALL[1:]
    assert gated.vendor.starts == [0, 10, 20]


async def test_a_cancelled_caller_does_not_wait_for_a_page_for_ever(monkeypatch):
    monkeypatch.setattr(pages_module, "GRACE", 0.0)
    gated, scope = Gated(Vendor(things(25), total=25)), anyio.CancelScope()
    pages = ahead(gated)
    await leave_with_a_page_on_its_way_and_be_cancelled(gated, pages, scope)
    assert (gated.cancelled, pages.stats.pages) == (1, 1)
    pages._paginator._engine.transport.answers = [gated.vendor]
    assert ids(await pages.collect()) == ALL[1:]


async def leave_with_a_page_on_its_way_and_be_cancelled(gated, pages, scope):
    async with anyio.create_task_group() as tasks:
        leave = functools.partial(leave_with_a_page_on_its_way, how="cancelled")
        tasks.start_soon(leave, gated, pages, scope)


async def test_leaving_early_does_not_send_what_waits_for_a_permit():
    vendor, waits = Vendor(things(25), total=25), anyio.Event()
    pages = ahead(vendor)
    async with pages:
        assert (await pages.next_page()) is not None
        await settle()
        pages._paginator._engine.limiter = Waiting(waits)
        assert (await pages.next_page()) is not None
        await settle()
        assert waits.is_set()
    assert vendor.starts == [0, 10]
    pages._paginator._engine.limiter = None
    assert ids(await pages.collect()) == ALL[20:]


@pytest.mark.parametrize("fault", [LOST, refused(429, "rate_limit"), reply(503)])
async def test_leaving_early_does_not_repeat_an_attempt(fault):
    gated = Gated(Vendor(things(25), total=25))
    pages = SampleClient(gated, retry=RetryPolicy(attempts=5)).pages(LIST, ListParams(), prefetch=1)

    async with anyio.create_task_group() as tasks:
        leave = functools.partial(leave_with_a_page_on_its_way, how="break")
        tasks.start_soon(leave, gated, pages, anyio.CancelScope())
        await settle(20)
        gated.vendor = lambda outgoing: fault
        gated.events[1].set()
    assert len(gated.events) == 2
    assert pages.stats.pages == 1


async def test_a_page_that_came_before_the_exit_is_kept():
    vendor = Vendor(things(25), total=25)
    async with ahead(vendor) as pages:
        await pages.first()
        await settle()
    assert len(vendor.asked) == 2
    assert ids(await pages.collect()) == ALL[1:]
    assert vendor.starts == [0, 10, 20]


async def test_an_error_of_a_prefetch_is_raised_in_order_and_the_listing_continues():
    vendor = Vendor(things(25), total=25)
    faults = iter([False, True, False, False])
    answer_or_fail = lambda outgoing: LOST if next(faults) else vendor(outgoing)  # noqa: E731
    found: list[object] = []
    async with ahead(answer_or_fail) as pages:
        with pytest.raises(TransportError):
            async for item in pages:
                found.append(item.id)
                await settle()
        assert found == ALL[:10]
        assert ids(await pages.collect()) == ALL[10:]


@pytest.mark.parametrize("error", [KeyError("mine"), PagingError("theirs")])
async def test_an_error_inside_the_block_comes_out_as_it_is_and_not_in_a_group(error):
    with pytest.raises(type(error)) as caught:
        async with ahead(Vendor(things(25))) as pages:
            await pages.first()
            raise error
    assert caught.value is error


async def test_an_error_of_the_listing_leaves_the_block_unwrapped():
    with pytest.raises(PagingError):
        async with ahead(Vendor(things(25), 10, alter=lambda n, rows: things(10))) as pages:
            await pages.collect()


async def test_an_empty_page_is_confirmed_ahead_too():
    vendor = Vendor(things(25), total=25, alter=lambda n, rows: [] if n == 2 else rows)
    async with ahead(vendor) as pages:
        found = []
        async for item in pages:
            found.append(item.id)
            await settle()
    assert (found, vendor.starts) == (ALL, [0, 10, 10, 20])


async def test_a_checkpoint_holds_the_items_of_a_prefetched_page():
    vendor = Vendor(things(25), total=25)
    async with ahead(vendor) as pages:
        await pages.first()
        await settle()
        point = pages.checkpoint
    rest = SampleClient(vendor).pages(LIST, ListParams(), resume=point)
    assert ids(await rest.collect()) == ALL[1:]
    assert vendor.starts == [0, 10, 20]
