"""Several limits at once: by key, by account, by kind of call.

A call takes a turn in all the lanes that it counts against, or in none. Calls with the same
lanes stand in one line, first come, first served; lines that share a lane share its turns.
"""

from __future__ import annotations

from collections.abc import Callable

from ..concurrency.clock import Clock, RealClock
from ..core.endpoint import Endpoint, P
from ..core.models import Params
from ..core.rate_limit import CombinedBucket, RateLimit, SlidingWindow, WindowLimit
from ..core.validation import check_type
from .base import Limiter
from .local import LocalLimiter

LATE = 0.001
"""Seconds between turn and departure that are not worth a correction."""
Choice = Callable[[Endpoint[Params, object], Params], tuple[WindowLimit, ...]]
"""Which lanes a call counts against."""


class KeyedLimiter:
    """A `Limiter` that gives each call the line for its lanes. For one process.

    `lane()` is what the engine asks. Outside of a call, `acquire` counts against nothing and
    `hold` holds every lane that was ever used.
    """

    def __init__(self, choose: Choice, *, clock: Clock | None = None) -> None:
        check_type("choose", choose, Callable)
        self._choose = choose
        self._clock: Clock = clock or RealClock()
        self._buckets: dict[WindowLimit, SlidingWindow] = {}
        self._lines: dict[tuple[WindowLimit, ...], LocalLimiter] = {}

    def __repr__(self) -> str:
        lanes = ", ".join(f"{x.name} {x.requests} per {x.per:g} s" for x in self._buckets)
        return f"<LaneLimiter {lanes or 'not used yet'}>"

    def for_call(self, row: Endpoint[Params, object], params: Params) -> Limiter | None:
        """The line for a call; None for one that counts against nothing."""
        lanes = self._choose(row, params)
        if lanes and lanes not in self._lines:
            for one in lanes:
                self._buckets.setdefault(one, SlidingWindow(one))
            joint = CombinedBucket([self._buckets[one] for one in lanes])
            rate = min((RateLimit(one.requests, one.per) for one in lanes), key=_speed)
            self._lines[lanes] = LocalLimiter(rate, clock=self._clock, bucket=joint)
        return self._lines.get(lanes)

    async def acquire(self) -> None:
        """Return at once: what is no call of a row counts against nothing."""

    async def hold(self, seconds: float) -> None:
        """No turn for anybody for that long."""
        for bucket in self._buckets.values():
            bucket.hold(self._clock.now() + seconds)


def _speed(rate: RateLimit) -> float:
    return rate.requests / rate.per


# Only `acquire` and `hold` are asked of a limiter; what follows makes a good one better.


def for_call(limiter: Limiter | None, row: Endpoint[P, object], params: P) -> Limiter | None:
    """The limiter of a call: the one for all, or what a limiter with lanes has for its row."""
    choose = getattr(limiter, "for_call", None)
    return limiter if choose is None else choose(row, params)


def estimated_wait(limiter: Limiter | None) -> float:
    """Seconds until the limiter has a turn for who asks now; 0 where it cannot tell."""
    tell = getattr(limiter, "estimated_wait", None)
    return 0.0 if tell is None else tell()


def refund(limiter: Limiter | None) -> None:
    """Tell the limiter that a turn was taken, but nothing was sent."""
    tell = getattr(limiter, "refund", None)
    if tell is not None:
        tell()


def report_delay(limiter: Limiter | None, seconds: float) -> None:
    """Tell the limiter that a request left that long after its turn."""
    tell = getattr(limiter, "report_delay", None)
    if tell is not None and seconds > LATE:
        tell(seconds)
