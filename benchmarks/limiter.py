"""The cost of a permit of `LocalLimiter`: alone, and with 1,000 and 10,000 callers waiting.

The clock advances by what is slept, but each sleep is a real timer of the event loop that ends at
once: every permit costs its timer, as it does at one request in three seconds. The cost of creating
the waiting tasks is measured separately and subtracted.

Python's garbage collector examines all objects each time that their number has grown by a quarter,
and so works in steps. Short and long queues are therefore compared with the collector off.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
from _harness import QUICK, Race, count, race, report, table

from lix_async import RateLimit
from lix_async.concurrency.clock import RealClock
from lix_async.limiters.local import LocalLimiter

UNLIMITED = RateLimit(1e9, per=1.0, burst=10**9)
FEW, MANY = 1_000, 10_000


class InstantClock(RealClock):
    """A clock whose sleeps are timers that end at once."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        await anyio.sleep(1e-9)


async def in_tasks(tasks: int, act: Callable[[], Awaitable[None]]) -> None:
    """Run `act` once in each of many tasks."""
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(act)


async def queued(tasks: int) -> None:
    """Take that many permits, all requested at once."""
    await in_tasks(tasks, LocalLimiter(RateLimit(1, per=3.0), clock=InstantClock()).acquire)


async def alone() -> None:
    limiter = LocalLimiter(UNLIMITED)
    for _ in range(MANY):
        await limiter.acquire()


async def timers() -> None:
    clock = InstantClock()
    for _ in range(MANY):
        await clock.sleep(3.0)


async def simple() -> Race:
    """Measure a permit that is free, and a timer."""
    contenders = {"a permit, no callers waiting": alone, "a timer alone": timers}
    return await race(contenders, units=MANY, rounds=count(7, 3))


async def waiting(tasks: int) -> Race:
    """Measure that many waiting callers, and the same tasks without a limiter."""
    contenders = {
        f"{tasks:,} waiting": lambda: queued(tasks),
        f"{tasks:,} tasks alone": lambda: in_tasks(tasks, anyio.lowlevel.checkpoint),
    }
    rounds = count(5, 2) if tasks == MANY else count(21, 9)
    return await race(contenders, units=tasks, rounds=rounds)


def permit_cost(found: Race, tasks: int) -> float:
    """Seconds per permit without creating its task."""
    return found.excess(f"{tasks:,} waiting", f"{tasks:,} tasks alone").median


def measure(loop: str) -> None:
    """Measure one event loop."""
    head = ["", "median", "least", "most"]
    found = anyio.run(simple, backend=loop)
    many = anyio.run(waiting, MANY, backend=loop)
    table(f"A permit on {loop} (CPU µs)", head, found.rows(digits=2) + many.rows(digits=2))
    report(f"a permit with {MANY:,} waiting, {loop}", permit_cost(many, MANY) * 1e6, "µs", 20)
    gc.disable()
    few, many = (anyio.run(waiting, tasks, backend=loop) for tasks in (FEW, MANY))
    gc.enable()
    rows = few.rows(digits=2) + many.rows(digits=2)
    table(f"A permit on {loop}, collector paused (CPU µs)", head, rows)
    ratio = permit_cost(many, MANY) / permit_cost(few, FEW)
    report(f"{MANY:,} waiting against {FEW:,}, per permit, {loop}", ratio, "times", 1.1)


def main() -> None:
    for loop in ("asyncio",) if QUICK else ("asyncio", "trio"):
        measure(loop)


if __name__ == "__main__":
    main()
