"""Turns: first come, first served, also for those who leave the line."""

from __future__ import annotations

import asyncio
import threading

import anyio
import pytest
import trio
from sample_provider import Skipping, settle

from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import RateLimit, SlidingWindow, WindowLimit
from lix_async.limiters.local import LocalLimiter
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio

RATE = RateLimit(1, per=3.0, margin=0)


class Line:
    """Callers of one limiter, with a clock that is moved by hand."""

    def __init__(self, rate: RateLimit = RATE) -> None:
        self.clock = VirtualClock()
        self.limiter = LocalLimiter(rate, clock=self.clock)
        self.turns: list[tuple[int, float]] = []
        self.scopes: dict[int, anyio.CancelScope] = {}

    async def call(self, number: int) -> None:
        with anyio.CancelScope() as self.scopes[number]:
            await self.limiter.acquire()
            self.turns.append((number, self.clock.now()))

    async def until(self, moment: float) -> None:
        """Let time pass, a second at a time."""
        while self.clock.now() < moment:
            self.clock.advance(1)
            await settle()


async def stand_in(tasks: anyio.abc.TaskGroup, line: Line, count: int) -> None:
    for number in range(count):
        tasks.start_soon(line.call, number)
        await settle(3)  # so that they stand in this order


async def test_callers_are_served_in_order():
    line = Line()
    async with anyio.create_task_group() as tasks:
        await stand_in(tasks, line, 5)
        await line.until(12)
    assert line.turns == [(0, 0), (1, 3), (2, 6), (3, 9), (4, 12)]


async def test_a_burst_is_served_at_once_and_the_rest_in_order():
    line = Line(RateLimit(1, per=3.0, burst=3, margin=0))
    async with anyio.create_task_group() as tasks:
        await stand_in(tasks, line, 5)
        await line.until(6)
    assert line.turns == [(0, 0), (1, 0), (2, 0), (3, 3), (4, 6)]


@pytest.mark.parametrize("leaves", range(1, 6))
async def test_a_cancelled_caller_takes_no_token_and_the_order_is_kept(leaves):
    line = Line()
    async with anyio.create_task_group() as tasks:
        await stand_in(tasks, line, 6)
        await line.until(1)
        line.scopes[leaves].cancel()
        await line.until(15)
    stayed = [number for number in range(1, 6) if number != leaves]
    assert line.turns == [(0, 0), *((number, 3 * (n + 1)) for n, number in enumerate(stayed))]


@pytest.mark.parametrize("moment", [2, 3, 4])
async def test_after_all_callers_were_cancelled_the_queue_is_empty(moment):
    line = Line()
    async with anyio.create_task_group() as tasks:
        await stand_in(tasks, line, 4)
        await line.until(moment)
        for scope in line.scopes.values():
            scope.cancel()
        await settle()
        tasks.start_soon(line.call, 9)
        await line.until(6)
    assert [number for number, _ in line.turns] == ([0, 9] if moment < 3 else [0, 1, 9])
    assert line.turns[-1][1] == (3 if moment < 3 else 6)


def test_a_caller_cancelled_while_being_served_refunds_its_token():
    """Two tokens come at once; a native `Task.cancel` hits between the second one and its turn."""
    line = Line(RateLimit(1, per=3.0, burst=2, margin=0))

    async def main() -> None:
        tasks = [asyncio.ensure_future(line.call(number)) for number in range(4)]
        await settle()
        serve = line.limiter._serve

        def served() -> float:
            pause = serve()
            tasks[3].cancel()
            return pause

        line.limiter._serve = served
        line.clock.advance(6)  # both waiters' tokens are there when the first one wakes
        await settle()
        assert tasks[3].cancelled()
        await line.call(9)

    asyncio.run(main())
    assert line.turns == [(0, 0), (1, 0), (2, 6), (9, 6)]


async def test_a_hold_stops_even_a_caller_whose_wait_is_nearly_over():
    line = Line()
    async with anyio.create_task_group() as tasks:
        await stand_in(tasks, line, 3)
        await line.until(2)
        await line.limiter.hold(10)
        await line.until(15)
    assert line.turns == [(0, 0), (1, 12), (2, 15)]


async def test_a_refunded_permit_is_free_once():
    line = Line()
    await line.limiter.acquire()
    line.limiter.refund()
    line.limiter.refund()
    await line.call(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.call, 2)
        await line.until(3)
    assert line.turns == [(1, 0), (2, 3)]


async def test_a_permit_is_refunded_by_the_task_that_took_it():
    """The one who leaves took its turn long ago; the one who took the last turn has sent."""
    line = Line()
    left = anyio.Event()

    async def slow_to_connect() -> None:
        await line.limiter.acquire()
        await left.wait()
        line.limiter.refund()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slow_to_connect)
        await settle(3)
        tasks.start_soon(line.call, 1)
        await line.until(4)
        left.set()
        await settle()
        tasks.start_soon(line.call, 2)
        await line.until(6)
    assert line.turns == [(1, 3), (2, 6)]


async def test_a_reported_delay_moves_the_following_permits():
    line = Line()
    await line.call(0)
    line.limiter.report_delay(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.call, 1)
        await line.until(4)
    assert line.turns == [(0, 0), (1, 4)]


async def test_permits_may_come_from_another_bucket():
    clock = VirtualClock()
    bucket = SlidingWindow(WindowLimit("x", 2, 60, margin=0))
    limiter = LocalLimiter(RATE, clock=clock, bucket=bucket)
    await limiter.acquire()
    await limiter.acquire()
    assert bucket.wait(0) == 60
    assert repr(limiter) == "<LocalLimiter 1 per 3 s>"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_ten_thousand_callers_are_served_with_one_timer_at_a_time(backend):
    """Not in debug mode, where asyncio alone takes five seconds for as many tasks."""
    clock = Skipping()
    limiter = LocalLimiter(RATE, clock=clock)
    served: list[int] = []

    async def call(number: int) -> None:
        await limiter.acquire()
        served.append(number)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(10_000):
                tasks.start_soon(call, number)

    anyio.run(main, backend=backend)
    assert sorted(served) == list(range(10_000))
    assert clock.now() == pytest.approx(3 * 9_999)
    assert len(clock.slept) <= 10_000


def run_everywhere(limiter: LocalLimiter) -> None:
    asyncio.run(limiter.acquire())
    trio.run(limiter.acquire)
    asyncio.run(limiter.acquire())


def test_a_limiter_keeps_its_rate_on_one_loop_after_the_other():
    clock = Skipping()
    limiter = LocalLimiter(RATE, clock=clock)
    run_everywhere(limiter)
    assert clock.now() == 6


def test_callers_on_a_stopped_loop_are_served_when_it_continues():
    line = Line()
    stopped = asyncio.new_event_loop()
    calls = [stopped.create_task(line.call(number)) for number in range(2)]
    stopped.run_until_complete(settle())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(line.call(2))
    line.clock.advance(3)
    stopped.run_until_complete(asyncio.wait(calls))
    line.clock.advance(3)
    asyncio.run(line.call(3))
    stopped.close()
    assert line.turns == [(0, 0), (1, 3), (3, 6)]


def test_callers_of_an_ended_loop_do_not_delay_others():
    line = Line()
    dead = asyncio.new_event_loop()
    calls = [dead.create_task(line.call(number)) for number in range(3)]
    dead.run_until_complete(settle())
    dead.close()
    line.clock._due.clear()  # its timers died with it
    line.clock.advance(3)
    asyncio.run(line.call(4))
    assert line.turns == [(0, 0), (4, 3)]
    for call in calls:
        call._log_destroy_pending = False


def test_two_loops_at_once_are_rejected():
    limiter = LocalLimiter(RATE)
    problems: list[Exception] = []

    def elsewhere() -> None:
        for run in (lambda: asyncio.run(limiter.acquire()), lambda: trio.run(limiter.acquire)):
            try:
                run()
            except ConfigurationError as error:
                problems.append(error)

    async def here() -> None:
        await limiter.acquire()
        thread = threading.Thread(target=elsewhere)
        thread.start()
        await anyio.to_thread.run_sync(thread.join)

    asyncio.run(here())
    assert len(problems) == 2
    assert all("another event loop: make one for each loop" in str(error) for error in problems)


async def test_the_wait_is_estimated_without_taking_a_permit():
    line = Line()
    assert line.limiter.estimated_wait() == 0
    async with anyio.create_task_group() as tasks:
        await stand_in(tasks, line, 4)
        assert line.limiter.estimated_wait() == 12
        await line.until(1)
        assert line.limiter.estimated_wait() == 11
        line.scopes[2].cancel()
        await settle()
        assert line.limiter.estimated_wait() == 8
        await line.until(3)
        assert line.limiter.estimated_wait() == 6
        await line.until(9)
        assert line.limiter.estimated_wait() == 0
    assert line.turns == [(0, 0), (1, 3), (3, 6)]


def test_callers_of_an_ended_loop_are_not_counted():
    line = Line()
    dead = asyncio.new_event_loop()
    calls = [dead.create_task(line.limiter.acquire()) for _ in range(3)]
    dead.run_until_complete(settle())
    dead.close()

    async def asks() -> float:
        return line.limiter.estimated_wait()

    assert asyncio.run(asks()) == 3
    for call in calls[1:]:  # leaves the line of another loop: takes nothing off the new one
        call.get_coro().close()
        call._log_destroy_pending = False
        assert asyncio.run(asks()) == 3


def test_a_limiter_needs_a_rate():
    with pytest.raises(ConfigurationError, match="rate must be a RateLimit, not int"):
        LocalLimiter(3)
