"""`LocalLimiter`, the rate limiter of one process. First come, first served."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from typing import NamedTuple

import anyio

from ..concurrency.clock import Clock, PunctualSleep, RealClock
from ..concurrency.event_loop import EventLoopBinding
from ..core.rate_limit import Bucket, RateLimit, TokenBucket
from ..core.validation import check_type, guarded_repr
from .base import SHORTEST_LIFETIME, Limiter


class _Permit(NamedTuple):
    """When a permit was taken, and its slot in the schedule."""

    at: float
    slot: float


class _WaitingCaller:
    """A caller in the wait queue."""

    __slots__ = ("done", "event", "leads", "permit")

    def __init__(self, leads: bool) -> None:
        self.event = anyio.Event()
        self.leads = leads
        """Whether it is the caller that sleeps for all."""
        self.permit: _Permit | None = None
        self.done = False
        """It was cancelled, or has its permit."""


class LocalLimiter(Limiter):
    """A token bucket for one process. Give one object to several clients to share one rate.

    The caller at the head of the queue sleeps until its permit is free and wakes the next ones.
    No other caller has a timer, so ten thousand waiting calls cost ten thousand events and no
    more. A cancelled caller leaves the queue and takes no permit.

    Args:
        rate: The rate.
        clock: Where callers sleep. Default: the machine's clock.
        bucket: What permits are taken from. Default: a token bucket for `rate`.

    Raises:
        ConfigurationError: `rate` is not a `RateLimit`.

    """

    def __init__(
        self, rate: RateLimit, *, clock: Clock | None = None, bucket: Bucket | None = None
    ) -> None:
        check_type("rate", rate, RateLimit)
        self.rate = rate
        self.permit_lifetime = max(rate.interval, SHORTEST_LIFETIME)
        self._clock: Clock = clock or RealClock()
        self._bucket: Bucket = bucket or TokenBucket(rate)
        self._queue: deque[_WaitingCaller] = deque()
        self._waiting = 0
        self._has_leader = False
        self._binding = EventLoopBinding()
        self._sleep = PunctualSleep(self._clock)
        # `refund` names no permit: it means the one that the calling task took last.
        self._permit: ContextVar[_Permit | None] = ContextVar("permit", default=None)

    @guarded_repr
    def __repr__(self) -> str:
        return f"<LocalLimiter {self.rate.requests:g} per {self.rate.per:g} s>"

    async def acquire(self) -> None:
        """Wait for a permit."""
        self._rebind()
        if not self._has_leader:
            now = self._clock.now()
            if self._bucket.take(now) == 0.0:
                self._permit.set(_Permit(now, self._bucket.slot))
                return
        caller = _WaitingCaller(leads=not self._has_leader)
        self._has_leader = True
        queue = self._queue
        queue.append(caller)
        self._waiting += 1
        try:
            if not caller.leads:
                await caller.event.wait()
            while caller.permit is None:
                seconds = self._serve()
                if caller.permit is None:
                    await self._sleep(seconds)
            self._permit.set(caller.permit)
        except BaseException:
            if caller.permit is not None:
                self._bucket.refund(caller.permit.at)
            raise
        finally:
            caller.done = True
            if queue is self._queue:  # otherwise it waited on a loop that has ended
                self._waiting -= caller.permit is None
                if caller.leads:
                    self._pass_lead()

    def _rebind(self) -> None:
        if self._binding.check(bool(self._queue)):  # the callers in it ended with their loop
            self._queue, self._waiting, self._has_leader = deque(), 0, False

    def estimated_wait(self) -> float:
        """Seconds until a new caller gets a permit if all before it stay. Takes none."""
        self._rebind()
        return self._bucket.wait(self._clock.now(), self._waiting)

    def _serve(self) -> float:
        """Give the free permits to the head of the queue; return seconds until the next one."""
        now = self._clock.now()
        while self._queue:
            if not self._queue[0].done:
                seconds = self._bucket.take(now)
                if seconds > 0.0:
                    return seconds
                head = self._queue[0]
                head.permit = _Permit(now, self._bucket.slot)
                self._waiting -= 1
                head.event.set()
            self._queue.popleft()
        return 0.0

    def _pass_lead(self) -> None:
        """Make the next caller in the queue the one that sleeps."""
        while self._queue and self._queue[0].done:
            self._queue.popleft()
        self._has_leader = bool(self._queue)
        if self._queue:
            self._queue[0].leads = True
            self._queue[0].event.set()

    async def hold(self, seconds: float) -> None:
        """Give no permit for that long, not even to a caller whose wait is nearly over."""
        self._bucket.hold(self._clock.now() + seconds)

    def refund(self) -> None:
        """Return the permit that this task took: its request was never sent."""
        permit = self._permit.get()
        self._permit.set(None)
        if permit is not None:
            self._bucket.refund(permit.at)

    def report_delay(self, seconds: float) -> None:
        """Move the next permits on where a request is sent too long after its own."""
        permit = self._permit.get()
        if permit is not None:
            left = max(self._clock.now(), permit.at + seconds)
            self._bucket.report_delay(left - permit.slot, permit.slot)
