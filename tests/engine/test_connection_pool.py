"""The free list of connections: lent first come first served, and never lost."""

from __future__ import annotations

import asyncio
import random

import anyio
import pytest
import trio
from anyio.lowlevel import checkpoint
from sample_provider import settle

from lix_async.core.errors import ConfigurationError
from lix_async.engine.connection_pool import ConnectionPool

pytestmark = pytest.mark.anyio


class Connection:
    made = 0

    def __init__(self) -> None:
        Connection.made += 1
        self.closed = 0

    async def aclose(self) -> None:
        await checkpoint()
        self.closed += 1


def slots(size: int = 1) -> ConnectionPool[Connection]:
    Connection.made = 0
    return ConnectionPool(Connection, size)


async def test_the_connection_used_last_is_lent_first():
    pool = slots(3)
    a, b = await pool.acquire(), await pool.acquire()
    assert (a is b, pool.in_use, Connection.made) == (False, 2, 2)
    assert pool.release(a)
    assert pool.release(b)
    assert await pool.acquire() is b
    assert (pool.in_use, Connection.made) == (1, 2)


async def test_a_broken_connection_is_closed_and_replaced():
    pool = slots()
    broken = await pool.acquire()
    await pool.discard(broken)
    assert (broken.connection.closed, pool.in_use) == (1, 0)
    fresh = await pool.acquire()
    assert (fresh.connection is broken.connection, Connection.made) == (False, 2)


async def test_a_borrowed_slot_can_get_a_fresh_connection():
    pool = slots()
    slot = await pool.acquire()
    slot.used_at = 1.0
    old = slot.connection
    await pool.replace_connection(slot)
    assert (old.closed, slot.used_at, slot.connection is old, pool.in_use) == (1, None, False, 1)


class Queue:
    """Borrowers of one slot, in the order of their coming."""

    def __init__(self, size: int = 1) -> None:
        self.pool = slots(size)
        self.served: list[int] = []
        self.ends = anyio.Event()
        self.scopes: dict[int, anyio.CancelScope] = {}

    async def borrow(self, number: int) -> None:
        with anyio.CancelScope() as self.scopes[number]:
            slot = await self.pool.acquire()
            self.served.append(number)
            try:
                await self.ends.wait()
            except BaseException:
                await self.pool.discard(slot)
                raise
            self.pool.release(slot)


async def start(tasks: anyio.abc.TaskGroup, queue: Queue, count: int) -> None:
    for number in range(count):
        tasks.start_soon(queue.borrow, number)
        await settle(3)


async def test_waiting_callers_are_served_in_order():
    queue = Queue()
    async with anyio.create_task_group() as tasks:
        await start(tasks, queue, 5)
        assert (queue.served, queue.pool.in_use) == ([0], 1)
        queue.ends.set()
    assert (queue.served, queue.pool.in_use, Connection.made) == ([0, 1, 2, 3, 4], 0, 1)


@pytest.mark.parametrize("leaves", range(4))
async def test_whoever_leaves_the_line_or_breaks_off_leaves_no_hole(leaves):
    queue = Queue()
    async with anyio.create_task_group() as tasks:
        await start(tasks, queue, 4)
        queue.scopes[leaves].cancel()
        await settle()
        queue.ends.set()
    assert queue.served == [0, *(number for number in range(1, 4) if number != leaves)]
    assert (queue.pool.in_use, len(queue.pool._free)) == (0, 1)


async def test_a_slot_thrown_away_while_only_gone_callers_wait_is_not_replaced():
    queue = Queue()
    async with anyio.create_task_group() as tasks:
        await start(tasks, queue, 3)
        for number in (1, 2, 0):
            queue.scopes[number].cancel()
            await settle()
    assert (queue.served, queue.pool.in_use, queue.pool._free) == ([0], 0, [])


@pytest.mark.parametrize("closes", [False, True])
def test_who_is_cancelled_in_the_moment_of_being_served_passes_the_slot_on(closes):
    """A native `Task.cancel` hits a caller between the lending and its waking up."""

    async def main() -> tuple[bool, int, int]:
        pool = slots()
        first = await pool.acquire()
        waiting = asyncio.ensure_future(pool.acquire())
        await settle()
        pool.release(first)
        if closes:
            await pool.aclose()
        waiting.cancel()
        await settle()
        return waiting.cancelled(), pool.in_use, first.connection.closed

    assert asyncio.run(main()) == (True, 0, int(closes))


async def test_closing_closes_what_is_idle_now_and_what_is_in_use_at_its_end():
    pool = slots(2)
    idle, used = await pool.acquire(), await pool.acquire()
    pool.release(idle)
    await pool.aclose()
    assert (idle.connection.closed, used.connection.closed, pool.in_use) == (1, 0, 1)
    assert not pool.release(used)
    await pool.discard(used)
    assert (used.connection.closed, pool.in_use) == (1, 0)
    assert (await pool.acquire()).connection.closed == 0


async def test_callers_who_wait_while_the_client_closes_get_fresh_connections():
    queue = Queue()
    async with anyio.create_task_group() as tasks:
        await start(tasks, queue, 2)
        await queue.pool.aclose()
        queue.scopes[0].cancel()
        await settle()
        assert (queue.served, Connection.made) == ([0, 1], 2)
        queue.ends.set()


async def test_closing_goes_through_although_the_caller_is_being_cancelled():
    pool = slots()
    slot = await pool.acquire()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await pool.discard(slot)
    assert slot.connection.closed == 1


async def test_a_connection_that_cannot_be_closed_is_left_after_a_while(monkeypatch):
    class Stuck(Connection):
        async def aclose(self) -> None:
            await anyio.sleep_forever()

    monkeypatch.setattr("lix_async.engine.connection_pool.CLOSE_TIMEOUT", 0.01)
    pool = ConnectionPool(Stuck, 1)
    await pool.discard(await pool.acquire())
    assert pool.in_use == 0


async def test_hundreds_of_random_cancellations_lose_no_slot():
    pool, chance = slots(3), random.Random(7)

    async def borrow() -> None:
        slot = await pool.acquire()
        try:
            for _ in range(chance.randrange(4)):
                await checkpoint()
        except BaseException:
            await pool.discard(slot)
            raise
        pool.release(slot)

    async def one() -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as pair:
                pair.start_soon(borrow)
                for _ in range(chance.randrange(8)):
                    await checkpoint()
                scope.cancel()

    for _ in range(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(one)
        assert pool.in_use == 0
    assert len(pool._free) <= 3


def test_slots_work_on_one_loop_after_the_other_with_new_connections():
    pool = slots(2)

    async def use() -> int:
        slot = await pool.acquire()
        pool.release(slot)
        await pool.acquire()  # never given back: the loop ends first
        return Connection.made

    assert [asyncio.run(use()), trio.run(use), asyncio.run(use())] == [1, 2, 3]
    asyncio.run(pool.aclose())
    assert (pool.in_use, pool._free) == (0, [])


def test_a_slot_of_a_loop_that_was_left_does_not_come_back():
    pool = slots()

    async def take() -> object:
        return await pool.acquire()

    async def come_back(slot) -> tuple[bool, int, int]:
        await pool.acquire()
        given = pool.release(slot)
        await pool.discard(slot)
        return given, pool.in_use, slot.connection.closed

    assert asyncio.run(come_back(asyncio.run(take()))) == (False, 1, 1)


def test_two_loops_at_once_are_refused_until_nothing_is_held_any_more():
    pool = slots()

    async def here() -> None:
        slot = await pool.acquire()
        with pytest.raises(ConfigurationError, match="another event loop"):
            await anyio.to_thread.run_sync(trio.run, pool.acquire)
        pool.release(slot)
        await pool.aclose()
        await pool.discard(await anyio.to_thread.run_sync(trio.run, pool.acquire))

    asyncio.run(here())
