"""Time and chance, in one place, so that tests can hold both in their hands."""

from __future__ import annotations

import random
import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """Where the engine gets time from. `lix_async.testing.VirtualClock` is another one."""

    def now(self) -> float:
        """Seconds on a clock that never jumps: for pauses and turns."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch: only to read and to tell dates."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero or less is one turn of the event loop."""

    def timeout(self, seconds: float, /) -> anyio.CancelScope:
        """A scope that cancels what runs in it after that long (use it with `with`)."""
        ...

    def between(self, low: float, high: float, /) -> float:
        """A random number, for jitter."""
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
