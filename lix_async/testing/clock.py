"""Virtual clocks: they jump to the next deadline when every task waits."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Generator
from types import TracebackType
from typing import TYPE_CHECKING

import anyio
import anyio.abc
from anyio.lowlevel import checkpoint

from ..concurrency.background import BackgroundTask
from ..concurrency.event_loop import running_loop, threadsafe_callback
from ..concurrency.thread_work import wait_until_idle
from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    from ..concurrency.event_loop import Loop

EPOCH = 1_700_000_000.0
"""The epoch seconds at which a virtual clock starts: 2023-11-14 22:13:20 UTC."""


class _Timer:
    """A sleeping task, or a scope that is cancelled at its time."""

    def __init__(self, thing: anyio.Event | anyio.CancelScope) -> None:
        self.loop = running_loop()
        self.over = False
        """Whether nothing waits for it any more."""
        self._end = thing.set if isinstance(thing, anyio.Event) else thing.cancel
        self._call_soon = threadsafe_callback()

    def fire(self) -> None:
        """Wake the task or cancel the scope, from any thread."""
        try:
            here = running_loop() is self.loop
        except ConfigurationError:  # a thread without an event loop
            here = False
        if here:
            self._end()
        else:
            with contextlib.suppress(RuntimeError):  # its loop has ended
                self._call_soon(self._end)


class VirtualClock:
    """A clock that jumps to the next deadline as soon as every task of the event loop waits.

    Sleeping tasks wake in the order of their deadlines, without real waiting. It stands still while
    a task waits for a thread of this package, such as that of a ledger. Random delays come from
    `seed`, so a run can be repeated exactly.

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
        self._due: list[tuple[float, int, _Timer]] = []
        self._random = random.Random(seed)
        self._tasks: anyio.abc.TaskGroup | None = None
        self._changed: anyio.Event | None = None
        self.slept: list[float] = []
        """The seconds of each sleep, in the order in which they began."""

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
        self.slept.append(seconds)
        event = anyio.Event()
        with self._timer(seconds, event):
            await event.wait()

    @contextlib.contextmanager
    def timeout(self, seconds: float) -> Generator[anyio.CancelScope]:
        """A scope that is cancelled when the virtual time is `seconds` later."""
        with anyio.CancelScope() as scope, self._timer(seconds, scope):
            yield scope

    def advance(self, seconds: float) -> None:
        """Move the time by hand; everything that becomes due wakes."""
        self._until(self._now + seconds)

    @contextlib.contextmanager
    def _timer(self, seconds: float, thing: anyio.Event | anyio.CancelScope) -> Generator[None]:
        timer = _Timer(thing)
        heapq.heappush(self._due, (self._now + seconds, next(self._order), timer))
        if self._changed is not None:
            self._changed.set()
        try:
            yield
        finally:
            timer.over = True

    def _next_moment(self, loop: Loop | None = None) -> float | None:
        """When the next timer is due, in one event loop or in any."""
        self._due = [one for one in self._due if not one[2].over]
        heapq.heapify(self._due)
        return min((one[0] for one in self._due if loop in (None, one[2].loop)), default=None)

    def _until(self, moment: float) -> None:
        while self._due and self._due[0][0] <= moment:
            due, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, due)
            timer.fire()
        self._now = max(self._now, moment)

    async def _drive(self) -> None:
        while True:
            if self._next_moment() is None:
                self._changed = anyio.Event()
                await self._changed.wait()
            await wait_until_idle()
            if (moment := self._next_moment()) is not None:
                self._until(moment)

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


class IdleClock(VirtualClock):
    """A virtual clock that needs no `async with`, and serves any number of event loops.

    When all tasks of a loop wait and one of them sleeps, it jumps to the loop's next deadline. A
    timeout alone does not make it jump: the answer of a thread may be waited for. It runs a task
    only while something sleeps.
    """

    def __init__(self, *, start: float = 0.0, seed: int = 0) -> None:
        super().__init__(start=start, seed=seed)
        self._sleepers: Counter[Loop] = Counter()
        self._served: set[Loop] = set()

    async def sleep(self, seconds: float) -> None:
        loop = running_loop()
        self._sleepers[loop] += 1
        if loop not in self._served:  # one task for all: of two, each might jump
            self._served.add(loop)
            BackgroundTask(self._jump)
        try:
            await super().sleep(seconds)
        finally:
            self._sleepers[loop] -= 1

    async def _jump(self) -> None:
        loop = running_loop()
        try:
            while self._sleepers[loop]:
                await wait_until_idle()
                if self._sleepers[loop] and (moment := self._next_moment(loop)) is not None:
                    self._until(moment)
        finally:
            self._served.discard(loop)
