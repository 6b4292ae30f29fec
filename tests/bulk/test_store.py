"""What every ledger promises, on both kinds of ledger and both loops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from lix_async.bulk.store import Counts, Entry, Failed, Store
from lix_async.core.errors import BulkError, NotFoundError

from .conftest import Open

pytestmark = pytest.mark.anyio
KEY, OTHER = b"k" * 16, b"o" * 16


@asynccontextmanager
async def opened(ledger: Open, name: str = "run") -> AsyncIterator[Store]:
    store = ledger()
    await store.open(name, 1.0)
    try:
        yield store
    finally:
        await store.close()


async def taken(store: Store, key: bytes = KEY, now: float = 2.0) -> Entry:
    return await store.take(key, "thing.get", b'"given"', now)


async def test_a_new_key_is_owed_and_held_by_who_took_it(ledger: Open) -> None:
    async with opened(ledger) as store:
        first = await taken(store)
        assert (first.status, first.held, first.given) == ("owed", True, b'"given"')
        again = await taken(store)
        assert (again.status, again.held) == ("busy", False)


async def test_one_of_many_who_ask_at_once_gets_it(ledger: Open) -> None:
    found: list[Entry] = []

    async def ask() -> None:
        found.append(await taken(store))

    async with opened(ledger) as store, anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert sorted(entry.status for entry in found) == ["busy"] * 19 + ["owed"]


async def test_an_answer_is_there_for_ever(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        assert await store.sent(KEY, True, 3.0)
        await store.done(KEY, b'{"a":1}', 2, 4.0)
    async with opened(ledger) as store:
        entry = await taken(store)
        assert (entry.status, entry.body, entry.credits, entry.attempts) == (
            "done",
            b'{"a":1}',
            2,
            1,
        )
        assert await store.counts() == Counts(done=1, credits=2)
        assert not entry.held


async def test_a_released_key_can_be_taken_again(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.release(KEY)
        assert (await taken(store)).held


async def test_a_queued_key_is_left_alone_until_it_is_due(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        await store.settle(KEY, "queued", Failed("QueuedError", "soon", 202, "queued"), 50.0, 4.0)
        assert await store.soonest() == 50.0
        early, late = await taken(store, now=49.0), await taken(store, now=50.0)
        assert (early.status, early.held, early.due) == ("queued", False, 50.0)
        assert (late.status, late.held) == ("queued", True)


async def test_a_refusal_is_kept_with_its_facts(ledger: Open) -> None:
    error = NotFoundError("nobody", status=404, kind="not_found")
    async with opened(ledger) as store:
        await taken(store)
        await store.settle(KEY, "refused", Failed.of(error), 0.0, 3.0)
        entry = await taken(store)
        assert entry.status == "refused"
        assert entry.error is not None
        again = entry.error.error("thing.get")
        assert isinstance(again, NotFoundError)
        assert (again.status, again.kind) == (404, "not_found")


async def test_one_in_doubt_is_bought_again_by_one_only(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        await store.settle(KEY, "in_doubt", None, 0.0, 4.0)
        assert [(await taken(store)).held for _ in range(2)] == [False, False]
        assert await store.sent(KEY, False, 5.0)
        assert not await store.sent(KEY, False, 5.0)
        assert await store.sent(KEY, True, 6.0)  # its next attempt
        assert (await taken(store)).status == "busy"


async def test_a_walk_is_kept_page_by_page(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        for number, items in enumerate((b"[1,2]", b"[]", b"[3]")):
            await store.sent(KEY, True, 3.0)
            await store.page(KEY, items, b"point %d" % number, 1, 4.0)
    async with opened(ledger) as store:
        entry = await taken(store)
        assert (entry.status, entry.held, entry.point) == ("owed", True, b"point 2")
        assert await store.walked(KEY, 5.0) == b"[1,2,3]"
        done = await taken(store)
        assert (done.status, done.body, done.credits) == ("done", b"[1,2,3]", 3)


async def test_entries_come_in_the_order_of_the_inputs(ledger: Open) -> None:
    keys = [bytes([number]) * 16 for number in range(250, 0, -1)]
    async with opened(ledger) as store:
        for key in keys:
            await taken(store, key)
        await store.settle(keys[7], "refused", None, 0.0, 3.0)
        assert [entry.key async for entry in store.entries()] == keys
        assert [entry.key async for entry in store.entries("refused")] == [keys[7]]


async def test_bodies_come_back_byte_for_byte(ledger: Open) -> None:
    body = bytes(range(256)) * 100
    async with opened(ledger) as store:
        await taken(store)
        await store.done(KEY, body, 0, 3.0)
        assert (await taken(store)).body == body


async def test_a_closed_store_says_so(ledger: Open) -> None:
    store = ledger()
    with pytest.raises(BulkError, match="not open"):
        await taken(store)
    async with opened(ledger) as store:
        pass
    with pytest.raises(BulkError, match="not open"):
        await taken(store)


async def test_close_leaves_what_was_sent_in_doubt_and_the_rest_owed(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        await taken(store, OTHER)
    async with opened(ledger) as store:
        assert (await taken(store)).status == "in_doubt"
        assert (await taken(store, OTHER)).held
