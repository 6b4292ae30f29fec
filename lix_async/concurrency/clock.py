"""Time and randomness behind one object, so that tests can control both."""

from __future__ import annotations

import random
import time
from contextlib import AbstractContextManager
from typing import Protocol

import anyio


class Clock(Protocol):
    """Where time and randomness come from; `lix_async.testing.VirtualClock` is one for tests."""

    def now(self) -> float:
        """Seconds on a clock that never jumps, for delays and permits."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, only for dates."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep that long; zero or less lets other tasks run once."""

    def timeout(self, seconds: float, /) -> AbstractContextManager[anyio.CancelScope]:
        """A scope, used by `with`, that cancels what runs in it after that long."""
        ...

    def between(self, low: float, high: float, /) -> float:
        """A random number between the two, for jitter."""
        ...


class RealClock:
    """The machine's clock."""

    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    between = staticmethod(random.uniform)
    timeout = staticmethod(anyio.move_on_after)

    @staticmethod
    async def sleep(seconds: float) -> None:
        await anyio.sleep(max(seconds, 0.0))


class PunctualSleep:
    """Sleeps that end in time where timers are late, which those of asyncio are by a millisecond.

    The least delay of the last sleeps is subtracted from the next one. A sleep may end too early
    when timers become more exact: the caller looks at the clock and sleeps again.
    """

    LONGEST = 0.002
    """Seconds that are subtracted at most: what is late by more is a busy machine, not a timer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._delay = 0.0

    async def __call__(self, seconds: float) -> None:
        """Sleep that long, or shortly less."""
        asked = seconds - self._delay if seconds > 2 * self._delay else seconds
        began = self._clock.now()
        await self._clock.sleep(asked)
        delay = max(min(self._clock.now() - began - asked, self.LONGEST), 0.0)
        # A little less than the measured one: rounding must not make each second sleep too short.
        self._delay = min(delay * 0.98, self._delay + delay / 8)
