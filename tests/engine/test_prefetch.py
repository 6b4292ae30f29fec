"""The next page is fetched while the caller works on this one: inside `async with`, and only then."""

from __future__ import annotations

import anyio
import pytest
from reference_server import Vendor, ids, things
from sample_provider import LIST, LOST, ListParams, SampleClient, settle

from lix_async.core.errors import PagingError, TransportError
from lix_async.core.retry import RetryPolicy

pytestmark = pytest.mark.anyio
ALL = [f"t{number}" for number in range(25)]


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


async def test_leaving_early_cancels_the_prefetch_and_the_listing_can_continue():
    gated = Gated(Vendor(things(25), total=25))
    async with ahead(gated) as pages:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pages.first)
            await settle()
            gated.events[0].set()
        await settle()
        assert len(gated.events) == 2
    assert gated.cancelled == 1
    pages._paginator._engine.transport.answers = [gated.vendor]
    assert ids(await pages.collect()) == ALL[1:]


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


async def test_a_cancelled_caller_leaves_the_block_and_cancels_what_is_on_its_way():
    gated = Gated(Vendor(things(25)))

    async def work() -> None:
        async with ahead(gated) as pages:
            await pages.collect()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await settle()
        gated.events[0].set()
        await settle()
        tasks.cancel_scope.cancel()
    assert gated.cancelled == 1


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
