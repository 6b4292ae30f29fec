"""A virtual clock: it jumps to the next deadline when every task waits."""

from __future__ import annotations

import heapq
import itertools
import random
from types import TracebackType

import anyio
import anyio.abc
from anyio.lowlevel import checkpoint

EPOCH = 1_700_000_000.0
"""The epoch seconds at which a virtual clock starts: 2023-11-14 22:13:20 UTC."""


class VirtualClock:
    """A clock that jumps to the next deadline as soon as every task of the event loop waits.

    Sleeping tasks wake in the order of their deadlines, without real waiting. Random delays come
    from `seed`, so a run can be repeated exactly. A jump takes about 0.1 s on asyncio and less on
    trio, the time in which anyio detects that all tasks wait, so prefer few jumps.

    Args:
        start: Virtual seconds at the start.
        seed: Seed of the random delays.

    Example:
        ```python
        async with VirtualClock() as clock, AsyncLix(clock=clock) as lix:
            ...
        ```
    """

    def __init__(self, *, start: float = 0.0, seed: int = 0) -> None:
        self._now = start
        self._order = itertools.count()
        self._due: list[tuple[float, int, anyio.Event | anyio.CancelScope]] = []
        self._random = random.Random(seed)
        self._tasks: anyio.abc.TaskGroup | None = None
        self._changed: anyio.Event | None = None

    def now(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def wall(self) -> float:
        """Virtual epoch seconds, which begin at `EPOCH`."""
        return EPOCH + self._now

    def between(self, low: float, high: float) -> float:
        """A random number from the seeded generator."""
        return self._random.uniform(low, high)

    async def sleep(self, seconds: float) -> None:
        """Wait until the virtual time is `seconds` later."""
        if seconds <= 0:
            await checkpoint()
            return
        event = anyio.Event()
        self._push(self._now + seconds, event)
        await event.wait()

    def timeout(self, seconds: float) -> anyio.CancelScope:
        """A scope that is cancelled when the virtual time is `seconds` later."""
        scope = anyio.CancelScope()
        self._push(self._now + seconds, scope)
        return scope

    def advance(self, seconds: float) -> None:
        """Move the time by hand; everything that becomes due wakes."""
        self._until(self._now + seconds)

    def _push(self, moment: float, thing: anyio.Event | anyio.CancelScope) -> None:
        heapq.heappush(self._due, (moment, next(self._order), thing))
        if self._changed is not None:
            self._changed.set()

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
                self._changed = anyio.Event()
                await self._changed.wait()
            await anyio.wait_all_tasks_blocked()
            if self._due:
                self._until(self._due[0][0])

    async def __aenter__(self) -> VirtualClock:
        self._changed = anyio.Event()
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
            # The error is not passed on: a task group would wrap it in an exception group.
            tasks.cancel_scope.cancel()
            await tasks.__aexit__(None, None, None)
