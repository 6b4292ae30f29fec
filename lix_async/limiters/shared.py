"""Limiters for a rate that several processes share: `SharedLimiter` and its bulk view.

Two wait queues form in each process, each first come, first served. The head of the interactive
queue reserves the next permit on the server and sleeps until its moment ("reserve"). The head of
the bulk queue takes a permit only when one is free, now or within 5 ms so that timers that fire
late lose none, and otherwise asks again when one may be ("try"). So bulk callers get what
interactive callers leave, and each queue has at most one reserved permit: a process that is
killed loses no more than that.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import TypedDict, TypeVar

import anyio

from ..concurrency.clock import Clock, PunctualSleep, RealClock
from ..concurrency.event_loop import EventLoopBinding
from ..core.errors import TransportError
from ..core.rate_limit import (
    FOREVER,
    LONGEST_HOLD,
    SECOND,
    GcraParameters,
    RateLimit,
)
from ..core.validation import guarded_repr
from .backend import BackendClient, LimiterBackend, Permit, check_arguments
from .base import SHORTEST_LIFETIME, Limiter
from .local import LocalLimiter

T = TypeVar("T")
_LOG = logging.getLogger("lix_async.limiter")
GIVE_UP_AFTER = 5.0
"""Seconds that an interactive caller waits for a server that does not answer."""
FREE_WITHIN = SECOND // 200
"""Microseconds before its moment at which a bulk caller may take a permit: a timer that fires
late would miss it. Never more than half a gap."""
STALE_AFTER = (0.01, 0.1)
"""A reserved permit is not used when its caller woke later than one gap, but no less and no more
than these seconds. After a machine was suspended, all its permits must not be used at once."""
SLOW_ANSWER = 1.0
"""Nor is it used when asking about a hold took longer: all permits of that time have passed."""
_FALLBACK_PERMIT = Permit(-1, 0.0, math.inf)
"""Stands for a permit of the fallback limiter, not of the server."""


class SharedLimiterOptions(TypedDict, total=False):
    """The keyword arguments of all shared limiters."""

    margin: float | None
    give_up_after: float
    fallback: int | None
    clock: Clock | None


class _WaitQueues:
    """The wait queues of one event loop. anyio's locks are first come, first served."""

    def __init__(self) -> None:
        self.interactive = anyio.Lock(fast_acquire=True)
        self.bulk = anyio.Lock(fast_acquire=True)


class SharedLimiter(Limiter):
    """A `Limiter` over a backend; made by `RedisLimiter`, `PostgresLimiter` and `SqliteLimiter`.

    It is used from one event loop at a time, asyncio or trio. It connects for the first permit;
    `aclose()` disconnects, as do 15 seconds without permits, and the next permit connects again.
    One process alone does not reach a rate whose gaps are short compared with the way to the
    server and back, because it reserves one permit at a time.

    Args:
        backend: Where the limiter's state is kept.
        name: All limiters with this name in the same database share one rate. It is stored as it
            is, so it must never be an API key; use a word for the account.
        rate: The rate. It must be the same wherever the name is used.
        margin: Share by which the gaps between permits are stretched. Default: `rate.margin`.
            A quarter makes up for requests that leave late, the rest is for the network.
        give_up_after: Seconds after which an interactive caller gets a `TransportError` when the
            server cannot be reached. Bulk callers wait until it can: nothing is sent without a
            permit.
        fallback: The number of processes that share the rate, or None. While the server cannot
            be reached, interactive callers of this process then go at `rate / fallback`.
        clock: Where this process sleeps. Permits are counted on the server's clock alone.

    Raises:
        ConfigurationError: An argument is invalid.

    """

    def __init__(
        self,
        backend: LimiterBackend,
        name: str,
        rate: RateLimit,
        *,
        margin: float | None = None,
        give_up_after: float = GIVE_UP_AFTER,
        fallback: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        check_arguments(name, rate, margin, give_up_after, fallback, clock)
        self.name = name
        self.rate = rate
        self.give_up_after = give_up_after
        self._clock: Clock = clock or RealClock()
        self.permit_lifetime = max(rate.interval, SHORTEST_LIFETIME)
        self._params = GcraParameters.in_microseconds(rate, margin)
        self._client = BackendClient(backend, self._params, self._clock, name)
        self._outage = OutageTracker(name)
        self._binding = EventLoopBinding()
        self._queues: _WaitQueues | None = None
        # `refund` names no permit: it means the one that the calling task took last.
        self._permit: ContextVar[Permit | None] = ContextVar("permit", default=None)
        self._held_until = -math.inf
        self._sleep = PunctualSleep(self._clock)
        self._fallback: LocalLimiter | None = None
        if fallback is not None:
            share = RateLimit(rate.requests / fallback, rate.per, margin=rate.margin)
            self._fallback = LocalLimiter(share, clock=self._clock)

    @guarded_repr
    def __repr__(self) -> str:
        rate = f"{self.rate.requests:g} per {self.rate.per:g} s"
        return f"<{type(self).__name__} {self.name!r} {rate}>"

    @property
    def bulk(self) -> BulkLimiter:
        """The same rate for work that can wait: its callers let all others go first."""
        return BulkLimiter(self)

    async def acquire(self) -> None:
        """Wait for the next permit that no caller has reserved. A cancelled caller takes none.

        Raises:
            TransportError: The server could not be reached for `give_up_after` seconds.
            ConfigurationError: The server rejected the request.

        """
        async with self._wait_queues().interactive:
            self._permit.set(await self._reserve())

    async def try_acquire(self) -> float:
        """Take a permit if one is free at this moment.

        Returns:
            0.0 if a permit was taken, otherwise the seconds after which to ask again.

        """
        queues = self._wait_queues()
        if queues.bulk.locked():  # earlier callers of this process come first
            return self._params.interval / SECOND
        async with queues.bulk:
            return await self._take_free(0)

    def estimated_wait(self) -> float:
        """Seconds until a caller of `acquire` gets a permit at the earliest. Takes none.

        By the server's last answer: too little where others took permits since, and 0.0 before
        the first answer.
        """
        if self._fallback is not None and self._outage.error is not None:
            return self._fallback.estimated_wait()
        return self._estimate(self._wait_queues().interactive)

    def estimated_bulk_wait(self) -> float:
        """`estimated_wait` of `bulk`, whose callers have a wait queue of their own."""
        retry_delay = self._outage.retry_delay(self._clock.now())
        return max(self._estimate(self._wait_queues().bulk), retry_delay)

    def _estimate(self, queue: anyio.Lock) -> float:
        # The holder of the lock has its permit already.
        permit_at = self._client.next_permit_at(queue.statistics().tasks_waiting)
        return max(max(permit_at, self._held_until) - self._clock.now(), 0.0)

    async def acquire_bulk(self) -> None:
        """`acquire` of `bulk`: wait until a permit is free that no other caller wants."""
        max_wait = min(FREE_WITHIN, self._params.interval // 2)
        async with self._wait_queues().bulk:
            while seconds := await self._take_free(max_wait):
                await self._clock.sleep(seconds)

    async def hold(self, seconds: float) -> None:
        """Give no permit to any process that shares the rate for that long (an hour at most).

        Where the server cannot be reached, this process alone holds.
        """
        if seconds <= 0:
            return
        self._wait_queues()
        self._held_until = max(self._held_until, self._clock.now() + seconds)
        if self._fallback is not None:
            await self._fallback.hold(seconds)
        length = min(math.ceil(seconds * SECOND), LONGEST_HOLD)
        with contextlib.suppress(TransportError):
            await self._call(lambda: self._client.hold(length))

    def refund(self) -> None:
        """Return the permit that this task took: its request was never sent.

        Without effect once another process has taken a later one.
        """
        permit = self._permit.get()
        self._permit.set(None)
        if permit is _FALLBACK_PERMIT and self._fallback is not None:
            self._fallback.refund()
        elif permit is not None:
            self._client.refund(permit)

    def report_delay(self, seconds: float) -> None:
        """Move the next permits on where a request is sent too long after its own."""
        permit = self._permit.get()
        if permit is _FALLBACK_PERMIT and self._fallback is not None:
            self._fallback.report_delay(seconds)
        elif permit is not None:
            late = max(self._clock.now(), permit.at + seconds) - permit.latest
            if late > 0:
                self._client.delay(math.ceil(late * SECOND))

    async def aclose(self) -> None:
        """Disconnect. Permits that were refunded before are back when this returns."""
        await self._client.close()
        self._binding.unbind()
        self._queues = None

    async def __aenter__(self) -> SharedLimiter:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.aclose()

    def _wait_queues(self) -> _WaitQueues:
        if self._binding.check() or self._queues is None:
            self._queues = _WaitQueues()
        return self._queues

    async def _reserve(self) -> Permit:
        while True:
            await self._sleep_through_hold()
            answer = await self._call(lambda: self._client.take(FOREVER))
            wait, permit = answer or (0.0, None)
            if permit is None:
                if self._fallback is not None:
                    await self._fallback.acquire()
                return _FALLBACK_PERMIT
            if not wait:
                return permit
            try:
                while (left := permit.at - self._clock.now()) > 0:
                    await self._sleep(left)
                woke_at = self._clock.now()
                # Another machine may have begun a hold meanwhile.
                hold_left = await self._call(self._client.hold_left)
            except BaseException:
                self._client.refund(permit)
                raise
            now = self._clock.now()
            usable = self._is_usable(woke_at - permit.at, now - woke_at)
            if not hold_left and now >= self._held_until and usable:
                return permit

    def _is_usable(self, delay: float, answer_time: float) -> bool:
        """Whether a permit may be used after waking that late, and after an answer that slow."""
        if delay > min(max(self._params.interval / SECOND, STALE_AFTER[0]), STALE_AFTER[1]):
            return False
        return answer_time <= SLOW_ANSWER

    async def _sleep_through_hold(self) -> None:
        while (left := self._held_until - self._clock.now()) > 0:
            await self._clock.sleep(left)

    async def _take_free(self, max_wait: int) -> float:
        """Take a permit at most `max_wait` µs away; return 0, or seconds until asking again."""
        now = self._clock.now()
        if (left := max(self._held_until - now, self._outage.retry_delay(now))) > 0:
            return left
        try:
            wait, permit = await self._client.take(max_wait)
        except TransportError as error:
            self._outage.record_failure(error, self._clock.now())
            return self._outage.retry_delay(self._clock.now()) * self._clock.between(1.0, 1.2)
        self._outage.record_success()
        if permit is None:
            return max(wait - max_wait / SECOND, 1 / SECOND)
        try:
            if wait:
                await self._clock.sleep(wait)
        except BaseException:
            self._client.refund(permit)
            raise
        self._permit.set(permit)
        return 0.0

    async def _call(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of a server that may be out of reach; None: use the fallback limiter."""
        while True:
            if not self._outage.retry_delay(self._clock.now()):
                try:
                    with self._clock.timeout(self.give_up_after):
                        answer = await ask()
                        self._outage.record_success()
                        return answer
                    failure = TransportError(f"the server of {self!r} did not answer in time")
                except TransportError as error:
                    failure = error
                self._outage.record_failure(failure, self._clock.now())
            if self._fallback is not None:
                return None
            final = self._outage.error_after(self.give_up_after)
            if final is not None:
                raise final
            await self._clock.sleep(self._outage.retry_delay(self._clock.now()))


class BulkLimiter(Limiter):
    """A `SharedLimiter`'s rate for work that can wait: `AsyncLix(rate_limit=limiter.bulk)`.

    It takes permits that are free and reserves none, so it gets what others leave: next to
    callers who use the whole rate it gets nothing. While the server cannot be reached it waits.
    """

    def __init__(self, shared: SharedLimiter) -> None:
        self.shared = shared
        self.rate = shared.rate
        self.permit_lifetime = shared.permit_lifetime

    @guarded_repr
    def __repr__(self) -> str:
        return f"{self.shared!r}.bulk"

    async def acquire(self) -> None:
        """Wait until a permit is free that no other caller wants."""
        await self.shared.acquire_bulk()

    async def try_acquire(self) -> float:
        """Take a permit if one is free at this moment. See `SharedLimiter.try_acquire`."""
        return await self.shared.try_acquire()

    async def hold(self, seconds: float) -> None:
        """Give no permit to any process that shares the rate for that long."""
        await self.shared.hold(seconds)

    def estimated_wait(self) -> float:
        """Seconds until a bulk caller gets a permit at the earliest. Takes none."""
        return self.shared.estimated_bulk_wait()

    def refund(self) -> None:
        """Return the permit that this task took: its request was never sent."""
        self.shared.refund()

    def report_delay(self, seconds: float) -> None:
        """Move the next permits on: a request was sent that long after its own."""
        self.shared.report_delay(seconds)


FIRST_RETRY_DELAY = 0.05
"""Seconds before the second attempt to reach a server; each further one doubles them."""
LONGEST_RETRY_DELAY = 5.0
"""Seconds between two attempts at most."""


class OutageTracker:
    """When a server that is out of reach is tried again, by one caller for all of a process."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self.error: TransportError | None = None
        self.retry_at = 0.0
        self._began_at = 0.0
        self._delay = FIRST_RETRY_DELAY

    def record_failure(self, error: TransportError, now: float) -> None:
        """An attempt failed."""
        if self.error is None:
            self._began_at, self._delay = now, FIRST_RETRY_DELAY
            _LOG.warning("shared limiter %r: its server cannot be reached", self._name)
        self.error = error
        self.retry_at = now + self._delay
        self._delay = min(self._delay * 2, LONGEST_RETRY_DELAY)

    def record_success(self) -> None:
        """The server answered."""
        if self.error is not None:
            _LOG.info("shared limiter %r: its server can be reached again", self._name)
        self.error = None
        self.retry_at = 0.0

    def retry_delay(self, now: float) -> float:
        """Seconds until the next attempt; 0 when one may be made."""
        return max(self.retry_at - now, 0.0)

    def error_after(self, seconds: float) -> TransportError | None:
        """The error for callers who wait that long, where the next attempt comes too late.

        A new object each time: an exception that is raised twice collects both tracebacks.
        """
        if self.error is None or self.retry_at <= self._began_at + seconds:
            return None
        return TransportError(str(self.error.args[0]))
