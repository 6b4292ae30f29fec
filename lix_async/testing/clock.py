"""Time that does not pass by itself: it jumps to the next deadline when every task waits."""

from __future__ import annotations

import heapq
import itertools
import random
from types import TracebackType

import anyio
import anyio.abc
from anyio.lowlevel import checkpoint

EPOCH = 1_700_000_000.0
"""Where a virtual clock's calendar begins: 2023-11-14 22:13:20 UTC."""


class VirtualClock:
    """A clock that jumps. `async with VirtualClock() as clock: AsyncLix(…, clock=clock)`.

    Sleepers wake in the order of their deadlines, without any real waiting: whenever every task
    of the event loop waits, time moves on to the next deadline. Jitter is drawn from `seed`, so
    a run repeats exactly. A jump costs about 0.1 s on asyncio and less on trio (that is how
    long anyio takes to see that nothing moves), so prefer few jumps.
    """

    def __init__(self, *, start: float = 0.0, seed: int = 0) -> None:
        self._now = start
        self._order = itertools.count()
        self._due: list[tuple[float, int, anyio.Event | anyio.CancelScope]] = []
        self._chance = random.Random(seed)
        self._tasks: anyio.abc.TaskGroup | None = None
        self._stirred: anyio.Event | None = None

    def now(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def wall(self) -> float:
        """Virtual seconds since 1970, beginning at `EPOCH`."""
        return EPOCH + self._now

    def between(self, low: float, high: float) -> float:
        """A seeded random number."""
        return self._chance.uniform(low, high)

    async def sleep(self, seconds: float) -> None:
        """Wait for the virtual moment."""
        if seconds <= 0:
            await checkpoint()
            return
        event = anyio.Event()
        self._push(self._now + seconds, event)
        await event.wait()

    def timeout(self, seconds: float) -> anyio.CancelScope:
        """A scope that is cancelled at the virtual moment."""
        scope = anyio.CancelScope()
        self._push(self._now + seconds, scope)
        return scope

    def advance(self, seconds: float) -> None:
        """Move time by hand; everything that falls due on the way wakes."""
        self._until(self._now + seconds)

    def _push(self, moment: float, thing: anyio.Event | anyio.CancelScope) -> None:
        heapq.heappush(self._due, (moment, next(self._order), thing))
        if self._stirred is not None:
            self._stirred.set()

    def _until(self, moment: float) -> None:
        while self._due and self._due[0][0] <= moment:
            self._now, _, thing = heapq.heappop(self._due)
            if isinstance(thing, anyio.Event):
                thing.set()
            else:
                thing.cancel()
        self._now = moment

    async def _drive(self) -> None:
        while True:
            if not self._due:
                self._stirred = anyio.Event()
                await self._stirred.wait()
            await anyio.wait_all_tasks_blocked()
            if self._due:
                self._until(self._due[0][0])

    async def __aenter__(self) -> VirtualClock:
        self._stirred = anyio.Event()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._drive)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            tasks.cancel_scope.cancel()  # told of no error: it would wrap it in a group
            await tasks.__aexit__(None, None, None)
