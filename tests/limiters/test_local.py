"""Permits of one process: first come, first served, also after cancellations."""

from __future__ import annotations

import asyncio
import itertools
import threading

import anyio
import pytest
import trio
from sample_provider import Skipping, settle

from lix_async.concurrency.clock import PunctualSleep
from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import RateLimit, SlidingWindow, WindowLimit
from lix_async.limiters.local import LocalLimiter
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio

RATE = RateLimit(1, per=3.0, margin=0)


class Callers:
    """Callers of one limiter, with a clock that the test moves."""

    def __init__(self, rate: RateLimit = RATE) -> None:
        self.clock = VirtualClock()
        self.limiter = LocalLimiter(rate, clock=self.clock)
        self.permits: list[tuple[int, float]] = []
        self.scopes: dict[int, anyio.CancelScope] = {}

    async def call(self, number: int) -> None:
        with anyio.CancelScope() as self.scopes[number]:
            await self.limiter.acquire()
            self.permits.append((number, self.clock.now()))

    async def until(self, moment: float) -> None:
        """Advance the clock, a second at a time."""
        while self.clock.now() < moment:
            self.clock.advance(1)
            await settle()


async def start_calls(tasks: anyio.abc.TaskGroup, callers: Callers, count: int) -> None:
    for number in range(count):
        tasks.start_soon(callers.call, number)
        await settle(3)  # so that they wait in this order


async def test_callers_are_served_in_order():
    callers = Callers()
    async with anyio.create_task_group() as tasks:
        await start_calls(tasks, callers, 5)
        await callers.until(12)
    assert callers.permits == [(0, 0), (1, 3), (2, 6), (3, 9), (4, 12)]


async def test_a_burst_is_served_at_once_and_the_rest_in_order():
    callers = Callers(RateLimit(1, per=3.0, burst=3, margin=0))
    async with anyio.create_task_group() as tasks:
        await start_calls(tasks, callers, 5)
        await callers.until(6)
    assert callers.permits == [(0, 0), (1, 0), (2, 0), (3, 3), (4, 6)]


@pytest.mark.parametrize("leaves", range(1, 6))
async def test_a_cancelled_caller_takes_no_token_and_the_order_is_kept(leaves):
    callers = Callers()
    async with anyio.create_task_group() as tasks:
        await start_calls(tasks, callers, 6)
        await callers.until(1)
        callers.scopes[leaves].cancel()
        await callers.until(15)
    stayed = [number for number in range(1, 6) if number != leaves]
    assert callers.permits == [(0, 0), *((number, 3 * (n + 1)) for n, number in enumerate(stayed))]


@pytest.mark.parametrize("moment", [2, 3, 4])
async def test_after_all_callers_were_cancelled_the_queue_is_empty(moment):
    callers = Callers()
    async with anyio.create_task_group() as tasks:
        await start_calls(tasks, callers, 4)
        await callers.until(moment)
        for scope in callers.scopes.values():
            scope.cancel()
        await settle()
        tasks.start_soon(callers.call, 9)
        await callers.until(6)
    assert [number for number, _ in callers.permits] == ([0, 9] if moment < 3 else [0, 1, 9])
    assert callers.permits[-1][1] == (3 if moment < 3 else 6)


def test_a_caller_cancelled_while_being_served_refunds_its_token():
    """Two tokens come at once; a native `Task.cancel` arrives before the second caller runs."""
    callers = Callers(RateLimit(1, per=3.0, burst=2, margin=0))

    async def main() -> None:
        tasks = [asyncio.ensure_future(callers.call(number)) for number in range(4)]
        await settle()
        serve = callers.limiter._serve

        def served() -> float:
            pause = serve()
            tasks[3].cancel()
            return pause

        callers.limiter._serve = served
        callers.clock.advance(6)  # both tokens are free when the first caller wakes
        await settle()
        assert tasks[3].cancelled()
        await callers.call(9)

    asyncio.run(main())
    assert callers.permits == [(0, 0), (1, 0), (2, 6), (9, 6)]


async def test_a_hold_stops_even_a_caller_whose_wait_is_nearly_over():
    callers = Callers()
    async with anyio.create_task_group() as tasks:
        await start_calls(tasks, callers, 3)
        await callers.until(2)
        await callers.limiter.hold(10)
        await callers.until(15)
    assert callers.permits == [(0, 0), (1, 12), (2, 15)]


async def test_a_refunded_permit_is_free_once():
    callers = Callers()
    await callers.limiter.acquire()
    callers.limiter.refund()
    callers.limiter.refund()
    await callers.call(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(callers.call, 2)
        await callers.until(3)
    assert callers.permits == [(1, 0), (2, 3)]


async def test_a_permit_is_refunded_by_the_task_that_took_it():
    """The task that refunds took its permit long ago; the last permit was used."""
    callers = Callers()
    left = anyio.Event()

    async def slow_to_connect() -> None:
        await callers.limiter.acquire()
        await left.wait()
        callers.limiter.refund()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slow_to_connect)
        await settle(3)
        tasks.start_soon(callers.call, 1)
        await callers.until(4)
        left.set()
        await settle()
        tasks.start_soon(callers.call, 2)
        await callers.until(6)
    assert callers.permits == [(1, 3), (2, 6)]


async def test_a_reported_delay_moves_the_following_permits():
    callers = Callers()
    await callers.call(0)
    callers.limiter.report_delay(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(callers.call, 1)
        await callers.until(4)
    assert callers.permits == [(0, 0), (1, 4)]


async def test_permits_may_come_from_another_bucket():
    clock = VirtualClock()
    bucket = SlidingWindow(WindowLimit("x", 2, 60, margin=0))
    limiter = LocalLimiter(RATE, clock=clock, bucket=bucket)
    await limiter.acquire()
    await limiter.acquire()
    assert bucket.wait(0) == 60
    assert repr(limiter) == "<LocalLimiter 1 per 3 s>"


class LateClock(Skipping):
    """Timers that are late."""

    def __init__(self, *delays: float) -> None:
        super().__init__()
        self._delays = itertools.cycle(delays)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + next(self._delays))


@pytest.mark.parametrize("delays", [[0.001], [0.0001, 0.0006, 0.0011], [0.001] * 40 + [0.0]])
@pytest.mark.parametrize(
    "rate", [RateLimit(50, per=1.0), RateLimit(1, per=0.05), RateLimit(500, per=1.0)]
)
async def test_late_timers_cost_less_than_a_hundredth_of_the_rate(rate, delays):
    clock, moments = LateClock(*delays), []
    limiter = LocalLimiter(rate, clock=clock)
    for _ in range(1500):
        await limiter.acquire()
        limiter.report_delay(0.0)
        moments.append(clock.now())
    assert moments[-1] <= 1499 * rate.interval / 0.99
    requests = round(rate.requests)
    for first, last in zip(moments, moments[requests:], strict=False):
        assert last - first > rate.per, "no window holds more than the rate allows"


async def test_a_very_late_timer_is_not_taken_into_account_next_time():
    clock = LateClock(30.0, 0.0)
    sleep = PunctualSleep(clock)
    await sleep(1.0)
    await sleep(1.0)
    assert clock.now() == pytest.approx(32.0, abs=PunctualSleep.LONGEST)


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
    callers = Callers()
    stopped = asyncio.new_event_loop()
    calls = [stopped.create_task(callers.call(number)) for number in range(2)]
    stopped.run_until_complete(settle())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(callers.call(2))
    callers.clock.advance(3)
    stopped.run_until_complete(asyncio.wait(calls))
    callers.clock.advance(3)
    asyncio.run(callers.call(3))
    stopped.close()
    assert callers.permits == [(0, 0), (1, 3), (3, 6)]


def test_callers_of_an_ended_loop_do_not_delay_others():
    callers = Callers()
    dead = asyncio.new_event_loop()
    calls = [dead.create_task(callers.call(number)) for number in range(3)]
    dead.run_until_complete(settle())
    dead.close()
    callers.clock._due.clear()  # its timers ended with it
    callers.clock.advance(3)
    asyncio.run(callers.call(4))
    assert callers.permits == [(0, 0), (4, 3)]
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
    callers = Callers()
    assert callers.limiter.estimated_wait() == 0
    async with anyio.create_task_group() as tasks:
        await start_calls(tasks, callers, 4)
        assert callers.limiter.estimated_wait() == 12
        await callers.until(1)
        assert callers.limiter.estimated_wait() == 11
        callers.scopes[2].cancel()
        await settle()
        assert callers.limiter.estimated_wait() == 8
        await callers.until(3)
        assert callers.limiter.estimated_wait() == 6
        await callers.until(9)
        assert callers.limiter.estimated_wait() == 0
    assert callers.permits == [(0, 0), (1, 3), (3, 6)]


def test_callers_of_an_ended_loop_are_not_counted():
    callers = Callers()
    dead = asyncio.new_event_loop()
    calls = [dead.create_task(callers.limiter.acquire()) for _ in range(3)]
    dead.run_until_complete(settle())
    dead.close()

    async def asks() -> float:
        return callers.limiter.estimated_wait()

    assert asyncio.run(asks()) == 3
    for call in calls[1:]:  # leaves the queue of another loop, not of the new one
        call.get_coro().close()
        call._log_destroy_pending = False
        assert asyncio.run(asks()) == 3


def test_a_limiter_needs_a_rate():
    with pytest.raises(ConfigurationError, match="rate must be a RateLimit, not int"):
        LocalLimiter(3)
