"""Time and randomness behind one object, so that tests can control both."""

from __future__ import annotations

import random
import time
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

    def timeout(self, seconds: float, /) -> anyio.CancelScope:
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
