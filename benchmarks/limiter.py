"""What a turn at the limiter costs: alone, with 1,000 and with 10,000 in line.

Time moves here by as much as is slept, but each sleep is a real timer of the event loop that is
due at once: every turn costs its timer, as it does at one request in three seconds. Spawning the
tasks that wait is measured apart and taken off.

Python's garbage collector looks at everything alive each time that has grown by a quarter, and
so works in steps. Short and long lines are therefore compared while it pauses.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
from _harness import QUICK, Race, count, race, table, verdict

from lix_async import RateLimit
from lix_async.concurrency.clock import RealClock
from lix_async.limiters.local import LocalLimiter

NEVER_SHORT = RateLimit(1e9, per=1.0, burst=10**9)
FEW, MANY = 1_000, 10_000


class Hurried(RealClock):
    """Nobody waits, and yet everybody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        await anyio.sleep(1e-9)


async def crowd(tasks: int, act: Callable[[], Awaitable[None]]) -> None:
    """Many tasks that do one thing each."""
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(act)


async def in_line(tasks: int) -> None:
    """That many turns, all asked for at once."""
    await crowd(tasks, LocalLimiter(RateLimit(1, per=3.0), clock=Hurried()).acquire)


async def alone() -> None:
    limiter = LocalLimiter(NEVER_SHORT)
    for _ in range(MANY):
        await limiter.acquire()


async def timers() -> None:
    clock = Hurried()
    for _ in range(MANY):
        await clock.sleep(3.0)


async def simple() -> Race:
    """What a turn consists of at least."""
    contenders = {"a turn, nobody waiting": alone, "a timer alone": timers}
    return await race(contenders, units=MANY, rounds=count(7, 3))


async def waiting(tasks: int) -> Race:
    """So many in line, and the same tasks without a limiter."""
    contenders = {
        f"{tasks:,} in line": lambda: in_line(tasks),
        f"{tasks:,} tasks alone": lambda: crowd(tasks, anyio.lowlevel.checkpoint),
    }
    rounds = count(5, 2) if tasks == MANY else count(21, 9)
    return await race(contenders, units=tasks, rounds=rounds)


def turn(found: Race, tasks: int) -> float:
    """Seconds per turn without what spawning its task takes."""
    return found.excess(f"{tasks:,} in line", f"{tasks:,} tasks alone").median


def measure(loop: str) -> None:
    """One event loop."""
    head = ["", "median", "least", "most"]
    found = anyio.run(simple, backend=loop)
    many = anyio.run(waiting, MANY, backend=loop)
    table(f"A turn on {loop} (CPU µs)", head, found.rows(digits=2) + many.rows(digits=2))
    verdict(f"a turn with {MANY:,} in line, {loop}", turn(many, MANY) * 1e6, "µs", 20)
    gc.disable()
    few, many = (anyio.run(waiting, tasks, backend=loop) for tasks in (FEW, MANY))
    gc.enable()
    rows = few.rows(digits=2) + many.rows(digits=2)
    table(f"A turn on {loop}, collector paused (CPU µs)", head, rows)
    ratio = turn(many, MANY) / turn(few, FEW)
    verdict(f"{MANY:,} in line against {FEW:,}, per turn, {loop}", ratio, "times", 1.1)


def main() -> None:
    for loop in ("asyncio",) if QUICK else ("asyncio", "trio"):
        measure(loop)


if __name__ == "__main__":
    main()
