"""`KeyedLimiter`: several limits at once, by key, by account or by kind of call."""

from __future__ import annotations

from collections.abc import Callable

from ..concurrency.clock import Clock, RealClock
from ..core.endpoint import AnyEndpoint
from ..core.models import Params
from ..core.rate_limit import CombinedBucket, RateLimit, SlidingWindow, WindowLimit
from ..core.validation import check_type, guarded_repr
from .base import Limiter
from .local import LocalLimiter

ChooseLimits = Callable[[AnyEndpoint, Params], tuple[WindowLimit, ...]]
"""Which limits a call counts against."""


class KeyedLimiter(Limiter):
    """A `Limiter` with several limits, chosen for each call. For one process.

    A call takes a permit of every limit that it counts against, or of none. Calls with the same
    limits have one wait queue, first come, first served; queues that have a limit in common share
    its permits.

    Args:
        choose: Returns the limits that a call counts against.
        clock: Where callers sleep. Default: the machine's clock.

    Raises:
        ConfigurationError: `choose` cannot be called.

    """

    def __init__(self, choose: ChooseLimits, *, clock: Clock | None = None) -> None:
        check_type("choose", choose, Callable)
        self._choose = choose
        self._clock: Clock = clock or RealClock()
        self._windows: dict[WindowLimit, SlidingWindow] = {}
        self._limiters: dict[tuple[WindowLimit, ...], LocalLimiter] = {}

    @guarded_repr
    def __repr__(self) -> str:
        limits = ", ".join(f"{x.name} {x.requests} per {x.per:g} s" for x in self._windows)
        return f"<KeyedLimiter {limits or 'not used yet'}>"

    def for_call(self, endpoint: AnyEndpoint, params: Params) -> Limiter | None:
        """The limiter for a call; None for one that counts against nothing."""
        limits = self._choose(endpoint, params)
        if limits and limits not in self._limiters:
            for limit in limits:
                self._windows.setdefault(limit, SlidingWindow(limit))
            bucket = CombinedBucket([self._windows[limit] for limit in limits])
            slowest = min(limits, key=lambda limit: limit.requests / limit.per)
            rate = RateLimit(slowest.requests, slowest.per)
            self._limiters[limits] = LocalLimiter(rate, clock=self._clock, bucket=bucket)
        return self._limiters.get(limits)

    async def acquire(self) -> None:
        """Return at once: outside of a call nothing is counted."""

    async def hold(self, seconds: float) -> None:
        """Give no permit of any limit that was used so far for that long."""
        for window in self._windows.values():
            window.hold(self._clock.now() + seconds)
