"""Observing a client through its limiter, clock and retry policy.

`ActivityMonitor` is what the progress line shows. It also stops a run: no further request is sent,
waits end at once, and answers that are on their way, and may be charged, are still received.
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
    """What a client does between a call and its answer, counted and described."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or RealClock()
        self.rate: RateLimit | None = None
        """The rate of the limiter."""
        self.requests = 0
        """Requests sent, including retries."""
        self.failures: Counter[str] = Counter()
        """Failed attempts that were retried, by reason."""
        self.stopping = False
        self.state = "requesting"
        """What the command is doing, shown when no call is waiting."""
        self._held_until = -math.inf
        self._waiting = 0
        self._sleeps: dict[anyio.CancelScope, tuple[str, float]] = {}
        self._scopes: set[anyio.CancelScope] = set()

    def stop(self) -> None:
        """Send nothing more, and end all waits for a permit or a retry."""
        self.stopping = True
        for scope in list(self._scopes):
            scope.cancel()

    def describe(self) -> str:
        """What is going on now, in a few words."""
        now = self.clock.now()
        if self.stopping:
            return "stopping: waiting for answers in flight"
        if self._held_until > now:
            return f"held after 429, {format_duration(math.ceil(self._held_until - now))}"
        if self._waiting:
            return "waiting for a permit"
        if self._sleeps:
            reason, end = min(self._sleeps.values(), key=lambda sleep: sleep[1])
            what = reason or (self.state if self.state != "requesting" else "waiting")
            return f"{what}, next attempt in {format_duration(math.ceil(end - now))}"
        return self.state

    def report_failure(self, error: LixError, again: bool) -> None:
        """Record that an attempt failed. Called by the retry policy in the task of the call."""
        reason = failure_text(error)
        if again:
            self.failures[reason] += 1
            _reason.set(reason)

    def report_hold(self, seconds: float) -> None:
        """Record that the limiter gives no permits for a while, after a 429."""
        self._held_until = max(self._held_until, self.clock.now() + seconds)

    async def wait_for_permit(self, wait: Callable[[], Awaitable[None]]) -> None:
        """Wait for a permit, and count the request."""
        self._waiting += 1
        try:
            await self.unless_stopped(wait)
        finally:
            self._waiting -= 1
        self.requests += 1

    async def sleep(self, seconds: float) -> None:
        """Wait before another attempt."""
        until = self.clock.now() + seconds
        await self.unless_stopped(lambda: self.clock.sleep(seconds), until)

    async def unless_stopped(
        self, wait: Callable[[], Awaitable[None]], until: float | None = None
    ) -> None:
        """Wait for something, until the run is stopped.

        Args:
            wait: Waits.
            until: When the wait ends, if it is a pause before a retry.

        Raises:
            Interrupted: The run was or is being stopped.
        """
        if self.stopping:
            raise Interrupted
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            if until is not None:
                self._sleeps[scope] = (_reason.get(), until)
                _reason.set("")  # the next sleep may follow no failure
            try:
                await wait()
            finally:
                self._scopes.discard(scope)
                self._sleeps.pop(scope, None)
        if scope.cancelled_caught:
            raise Interrupted


def failure_text(error: LixError) -> str:
    """A failed attempt in a word: `429`, `503`, `queued`, `connection lost`."""
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
    """A limiter that reports to an `ActivityMonitor`; without a rate it never waits."""

    def __init__(self, rate: RateLimit | None, monitor: ActivityMonitor) -> None:
        self.rate = monitor.rate = rate
        self._inner = None if rate is None else LocalLimiter(rate, clock=monitor.clock)
        self._monitor = monitor

    async def acquire(self) -> None:
        """Wait for a permit."""
        await self._monitor.wait_for_permit(
            self._no_wait if self._inner is None else self._inner.acquire
        )

    async def hold(self, seconds: float) -> None:
        """Give no permits for a number of seconds."""
        if self._inner is not None:
            self._monitor.report_hold(seconds)
            await self._inner.hold(seconds)

    def refund(self) -> None:
        """Return a permit whose request was not sent."""
        self._monitor.requests -= 1
        if self._inner is not None:
            self._inner.refund()

    def report_delay(self, seconds: float) -> None:
        """Report how long after its permit the last request was sent."""
        if self._inner is not None:
            self._inner.report_delay(seconds)

    async def _no_wait(self) -> None:
        await self._monitor.clock.sleep(0)


class MonitoredRetryPolicy(RetryPolicy, frozen=True, kw_only=True):
    """A retry policy that reports failures to an `ActivityMonitor`."""

    monitor: ActivityMonitor

    def next_delay(
        self, error: LixError, *, failures: int, polls: int, idempotent: bool, window: float
    ) -> RetryDelay | None:
        delay = RetryPolicy.next_delay(
            self, error, failures=failures, polls=polls, idempotent=idempotent, window=window
        )
        self.monitor.report_failure(error, again=delay is not None)
        return delay


class MonitoredClock:
    """A clock whose sleeps an `ActivityMonitor` can see, and end."""

    def __init__(self, monitor: ActivityMonitor) -> None:
        self._monitor = monitor

    def now(self) -> float:
        """Seconds on a monotonic clock."""
        return self._monitor.clock.now()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._monitor.clock.wall()

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the run is stopped."""
        await self._monitor.sleep(seconds)

    def timeout(self, seconds: float) -> anyio.CancelScope:
        """A scope that is cancelled after a number of seconds."""
        return self._monitor.clock.timeout(seconds)

    def between(self, low: float, high: float) -> float:
        """A random number, for jitter."""
        return self._monitor.clock.between(low, high)
