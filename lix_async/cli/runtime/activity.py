"""Watching the engine work, through the seams that it offers: limiter, clock and retry policy.

`Watch` is what the progress line reads, and how a person stops a run: no further request goes
out, waiting ends at once, and the answer under way, which may be paid for, still arrives.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import anyio

from ...concurrency.clock import Clock, RealClock
from ...core.errors import (
    DeadlineError,
    LixError,
    QueuedError,
    RateLimitError,
    RefusalError,
    TransportError,
)
from ...core.rate_limit import RateLimit
from ...core.retry import RetryDelay, RetryPolicy
from ...limiters.base import Limiter
from ...limiters.local import LocalLimiter
from ..errors import Interrupted
from ..text import format_duration

T = TypeVar("T")
_reason: ContextVar[str] = ContextVar("lix_cli_reason", default="")


class ActivityMonitor:
    """What happens between a call and its answer, counted and put into words."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or RealClock()
        self.rate: RateLimit | None = None
        """The pace of whoever waits for turns."""
        self.requests = 0
        """Requests that left, repeats included."""
        self.failures: Counter[str] = Counter()
        """Attempts that failed and were made again, by what went wrong."""
        self.stopping = False
        self.state = "asking"
        """Words of the command's own, where no call says more."""
        self._held_until = -math.inf
        self._waiting = 0
        self._pauses: dict[anyio.CancelScope, tuple[str, float]] = {}
        self._scopes: set[anyio.CancelScope] = set()

    def stop(self) -> None:
        """Let nothing else go out, and wake everybody who waits for a turn or a pause."""
        self.stopping = True
        for scope in list(self._scopes):
            scope.cancel()

    def words(self) -> str:
        """What is going on right now, in a few words."""
        now = self.clock.now()
        if self.stopping:
            return "stopping: waiting for the answer under way"
        if self._held_until > now:
            return f"held by 429, {format_duration(math.ceil(self._held_until - now))}"
        if self._waiting:
            return "waiting for turn"
        if self._pauses:
            reason, due = min(self._pauses.values(), key=lambda pause: pause[1])
            what = reason or (self.state if self.state != "asking" else "waiting")
            return f"{what}, asking again in {format_duration(math.ceil(due - now))}"
        return self.state

    def failed(self, error: LixError, again: bool) -> None:
        """An attempt failed; told by the retry policy, in the task of the call."""
        reason = failure(error)
        if again:
            self.failures[reason] += 1
            _reason.set(reason)

    def held(self, seconds: float) -> None:
        """Everybody waits because of a 429."""
        self._held_until = max(self._held_until, self.clock.now() + seconds)

    async def turn(self, wait: Callable[[], Awaitable[None]]) -> None:
        """Wait for a turn, and count it."""
        self._waiting += 1
        try:
            await self.unless_stopped(wait)
        finally:
            self._waiting -= 1
        self.requests += 1

    async def pause(self, seconds: float) -> None:
        """Wait before another attempt."""
        until = self.clock.now() + seconds
        await self.unless_stopped(lambda: self.clock.sleep(seconds), until)

    async def unless_stopped(
        self, wait: Callable[[], Awaitable[None]], until: float | None = None
    ) -> None:
        """Wait for something; raise `Stopped` as soon as the person asks to stop."""
        if self.stopping:
            raise Interrupted
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            if until is not None:
                self._pauses[scope] = (_reason.get(), until)
                _reason.set("")  # the next pause may have no failure before it
            try:
                await wait()
            finally:
                self._scopes.discard(scope)
                self._pauses.pop(scope, None)
        if scope.cancelled_caught:
            raise Interrupted


def failure(error: LixError) -> str:
    """What went wrong with an attempt, in a word: `429`, `503`, `queued`, `connection lost`."""
    if isinstance(error, QueuedError):
        return "queued"
    if isinstance(error, RateLimitError):
        return "429"
    if isinstance(error, RefusalError):
        return str(error.status or error.kind)
    if isinstance(error, DeadlineError):
        return "deadline"
    return "connection lost" if isinstance(error, TransportError) else "unreadable answer"


class MonitoredLimiter(Limiter):
    """A limiter that tells a `Watch` who waits; without a rate nobody does."""

    def __init__(self, rate: RateLimit | None, watch: ActivityMonitor) -> None:
        self.rate = watch.rate = rate
        self._inner = None if rate is None else LocalLimiter(rate, clock=watch.clock)
        self._watch = watch

    async def acquire(self) -> None:
        """Return when it is the caller's turn."""
        await self._watch.turn(self._at_once if self._inner is None else self._inner.acquire)

    async def hold(self, seconds: float) -> None:
        """No turn for anybody for that long."""
        if self._inner is not None:
            self._watch.held(seconds)
            await self._inner.hold(seconds)

    def refund(self) -> None:
        """A turn was taken, but its request never left."""
        self._watch.requests -= 1
        if self._inner is not None:
            self._inner.refund()

    def report_delay(self, seconds: float) -> None:
        """The last request left that long after its turn."""
        if self._inner is not None:
            self._inner.report_delay(seconds)

    async def _at_once(self) -> None:
        await self._watch.clock.sleep(0)


class MonitoredRetryPolicy(RetryPolicy, frozen=True, kw_only=True):
    """A retry policy that tells a `Watch` what failed."""

    watch: ActivityMonitor

    def next_delay(
        self, error: LixError, *, failures: int, polls: int, idempotent: bool, window: float
    ) -> RetryDelay | None:
        pause = RetryPolicy.next_delay(
            self, error, failures=failures, polls=polls, idempotent=idempotent, window=window
        )
        self.watch.failed(error, again=pause is not None)
        return pause


class MonitoredClock:
    """A clock whose sleeps a `Watch` can see, and end."""

    def __init__(self, watch: ActivityMonitor) -> None:
        self._watch = watch

    def now(self) -> float:
        """Seconds on a clock that never jumps."""
        return self._watch.clock.now()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._watch.clock.wall()

    async def sleep(self, seconds: float) -> None:
        """Wait that long, or until the run is stopped."""
        await self._watch.pause(seconds)

    def timeout(self, seconds: float) -> anyio.CancelScope:
        """A scope that ends after that long."""
        return self._watch.clock.timeout(seconds)

    def between(self, low: float, high: float) -> float:
        """A random number, for jitter."""
        return self._watch.clock.between(low, high)
