"""Turns from a rate that many processes share: who waits for what, and where.

Two lines form in each process, each first come, first served. The head of the interactive line
reserves the next turn on the server and sleeps until it comes; the head of the bulk line takes a
turn only when it is free (now, or within 5 ms, so that timers that fire late lose none), and
otherwise asks again when one may be. So bulk gets what interactive callers leave, and each line
holds one reserved turn at most: a killed process loses no more than that.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import TypeVar

import anyio

from ..concurrency.clock import Clock, RealClock
from ..concurrency.event_loop import EventLoopBinding
from ..core.errors import TransportError
from ..core.rate_limit import DelayTracker, RateLimit
from .backend import BackendClient, LimiterBackend, Permit, check
from .gcra import FOREVER, SECOND, GcraParameters
from .local import LocalLimiter

T = TypeVar("T")
GIVE_UP_AFTER = 5.0
"""Seconds that an interactive caller bears with a store that does not answer."""
NEAR = SECOND // 200
"""Microseconds before a turn at which a bulk caller may take it: never more than half a gap."""
STALE = (0.01, 0.1)
"""A reserved turn is not used when its caller woke later than one gap, but no less and no more
than these seconds: a machine that stands still must not let all its turns go at once."""
SLOW_ANSWER = 1.0
"""Nor when asking about a hold took longer: everybody's turns passed while the store was away."""
SPACED = SECOND
"""Gaps of that many microseconds are counted one by one: there a late turn shifts the next."""
_OWN_SHARE = Permit(-1, 0.0)
"""A turn that was not the store's."""


class _WaitQueues:
    """The locks of one event loop. anyio's are first come, first served."""

    def __init__(self) -> None:
        self.interactive = anyio.Lock(fast_acquire=True)
        self.bulk = anyio.Lock(fast_acquire=True)


class SharedLimiter:
    """A `Limiter` over a store. Made by `RedisLimiter`, `PostgresLimiter` and `SqliteLimiter`.

    * `name`: whoever uses the same name in the same store shares one rate. It is stored as it
      is: never an API key; a word for the account will do.
    * `rate`: must be the same wherever the name is used.
    * `margin`: share by which the gaps are stretched. Default 0.5 %, or `rate.margin` where that
      is not its own default. A `LocalLimiter`'s 2 % would leave 2 % of a rate unused that
      somebody shares because it is too small for them. Half of the 0.5 % makes up for turns that
      come late, half remains for the network; at one request in 3 s this is 7 ms, so choose
      `margin=0.02` for a slow rate that a strict server counts.
    * `give_up_after`: seconds (5) after which an interactive caller gets a `TransportError` when
      the store cannot be reached. Bulk callers wait until it can: nothing is sent unpaced.
    * `fallback`: None, or the number of processes that share the rate. While the store cannot be
      reached, interactive callers of this process then go at `rate / fallback`.
    * `clock`: where this process sleeps. Turns are counted on the server's clock alone.

    Used from one event loop at a time, asyncio or trio. Connects at the first turn; `aclose()`
    disconnects (as does a quarter of a minute without turns); the next turn connects again.
    A rate whose gaps are not long against the way to the store and back is not reached by one
    process alone, as it reserves one turn at a time.
    """

    def __init__(
        self,
        store: LimiterBackend,
        name: str,
        rate: RateLimit,
        *,
        margin: float | None = None,
        give_up_after: float = GIVE_UP_AFTER,
        fallback: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        check(name, rate, margin, give_up_after, fallback, clock)
        self.name = name
        self.rate = rate
        self.give_up_after = give_up_after
        self._clock: Clock = clock or RealClock()
        self._pace = GcraParameters.of(rate, margin)
        self._teller = BackendClient(store, self._pace, self._clock, name)
        self._outage = OutageTracker()
        self._home = EventLoopBinding()
        self._lines: _WaitQueues | None = None
        self._mine: ContextVar[Permit | None] = ContextVar("turn", default=None)
        self._held_until = -math.inf
        self._lateness = DelayTracker()
        self._share: LocalLimiter | None = None
        if fallback is not None:
            share = RateLimit(rate.requests / fallback, rate.per, margin=rate.margin)
            self._share = LocalLimiter(share, clock=self._clock)

    def __repr__(self) -> str:
        pace = f"{self.rate.requests:g} per {self.rate.per:g} s"
        return f"<{type(self).__name__} {self.name!r} {pace}>"

    @property
    def bulk(self) -> BulkLimiter:
        """The same rate for work that can wait: its callers let all others go first."""
        return BulkLimiter(self)

    async def acquire(self) -> None:
        """Return when it is the caller's turn: the next one that nobody has reserved.

        Raises `TransportError` when the store cannot be reached for `give_up_after` seconds,
        `ConfigurationError` when it refuses. Cancelled, it takes no turn with it.
        """
        async with self._here().interactive:
            self._mine.set(await self._reserve())

    async def try_acquire(self) -> float:
        """Take a turn if one is free this moment and return 0.0; else the seconds until one may be.

        Also while the store cannot be reached: seconds until it makes sense to ask again.
        """
        lines = self._here()
        if lines.bulk.locked():  # nobody overtakes those of this process who asked before
            return self._pace.interval / SECOND
        async with lines.bulk:
            return await self._free(0)

    def estimated_wait(self) -> float:
        """Seconds until a caller who asks now has its turn at the earliest. Takes none.

        By the store's last answer, so too little where others took turns since; 0.0 before it.
        """
        if self._share is not None and self._outage.error is not None:
            return self._share.estimated_wait()
        return self._left(self._here().interactive)

    def estimated_bulk_wait(self) -> float:
        """What `limiter.bulk.turn_in()` does: its callers stand in another line."""
        return max(self._left(self._here().bulk), self._outage.left(self._clock.now()))

    def _left(self, line: anyio.Lock) -> float:
        at = self._teller.next_at(line.statistics().tasks_waiting)  # who holds it has its turn
        return max(max(at, self._held_until) - self._clock.now(), 0.0)

    async def acquire_bulk(self) -> None:
        """Return when a turn was free. What `limiter.bulk.acquire()` does."""
        near = min(NEAR, self._pace.interval // 2)
        async with self._here().bulk:
            while pause := await self._free(near):
                await self._clock.sleep(pause)

    async def hold(self, seconds: float) -> None:
        """No turn for anybody who shares the rate for that long (an hour at most).

        If the store cannot be reached, this process alone holds.
        """
        if seconds <= 0:
            return
        self._here()
        self._held_until = max(self._held_until, self._clock.now() + seconds)
        if self._share is not None:
            await self._share.hold(seconds)
        length = math.ceil(seconds * SECOND)
        with contextlib.suppress(TransportError):
            await self._attempt(lambda: self._teller.hold(length))

    def refund(self) -> None:
        """The turn that this task took was not used: its request never left.

        Does nothing once somebody else has taken a later one.
        """
        turn = self._mine.get()
        self._mine.set(None)
        if turn is _OWN_SHARE and self._share is not None:
            self._share.refund()
        elif turn is not None:
            self._teller.refund(turn)

    def report_delay(self, seconds: float) -> None:
        """A request left that long after its turn (it had to connect): shift the next turns.

        Requests of one process that are late side by side shift them once.
        """
        length = math.floor(self._lateness.more(seconds, self._clock.now()) * SECOND)
        if length > self._pace.tolerance:
            self._teller.push(length)

    async def aclose(self) -> None:
        """Disconnect. Turns given back before are there again when this returns."""
        await self._teller.close()
        self._home.unbind()
        self._lines = None

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

    def _here(self) -> _WaitQueues:
        if self._home.check() or self._lines is None:
            self._lines = _WaitQueues()
        return self._lines

    async def _reserve(self) -> Permit:
        while True:
            await self._sit_out()
            wait, turn = await self._attempt(lambda: self._teller.ask(FOREVER)) or (0.0, None)
            if turn is None:
                return await self._from_share()
            if not wait:
                return turn
            try:
                await self._clock.sleep(wait)
                woke = self._clock.now()
                # Somebody may have said "hold" meanwhile, on another machine.
                held = await self._attempt(self._teller.held)
            except BaseException:
                self._teller.refund(turn)
                raise
            now = self._clock.now()
            if not held and now >= self._held_until and self._fresh(woke - turn.at, now - woke):
                return turn

    def _fresh(self, late: float, asking: float) -> bool:
        """Whether a turn that was woken up for that late may still be used."""
        if late > min(max(self._pace.interval / SECOND, STALE[0]), STALE[1]):
            return False
        if self._pace.interval >= SPACED and late * SECOND > self._pace.tolerance:
            self._teller.push(math.floor(late * SECOND))
        return asking <= SLOW_ANSWER

    async def _from_share(self) -> Permit:
        if self._share is not None:
            await self._share.acquire()
        return _OWN_SHARE

    async def _sit_out(self) -> None:
        while (left := self._held_until - self._clock.now()) > 0:
            await self._clock.sleep(left)

    async def _free(self, near: int) -> float:
        """Take a turn that is at most that near and return 0; else seconds until asking again."""
        now = self._clock.now()
        if (left := max(self._held_until - now, self._outage.left(now))) > 0:
            return left
        try:
            wait, turn = await self._teller.ask(near)
        except TransportError as error:
            self._outage.failed(error, self._clock.now())
            return self._outage.left(self._clock.now()) * self._clock.between(1.0, 1.2)
        self._outage.worked()
        if turn is None:
            return max(wait - near / SECOND, 1 / SECOND)
        try:
            if wait:
                await self._clock.sleep(wait)
        except BaseException:
            self._teller.refund(turn)
            raise
        self._mine.set(turn)
        return 0.0

    async def _attempt(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of a store that may be away. None: the caller has a share of its own."""
        while True:
            if not self._outage.left(self._clock.now()):
                try:
                    with self._clock.timeout(self.give_up_after):
                        answer = await ask()
                        self._outage.worked()
                        return answer
                    failure = TransportError(f"no answer from the limiter's store: {self!r}")
                except TransportError as error:
                    failure = error
                self._outage.failed(failure, self._clock.now())
            if self._share is not None:
                return None
            hopeless = self._outage.hopeless(self.give_up_after)
            if hopeless is not None:
                raise hopeless
            await self._clock.sleep(self._outage.left(self._clock.now()))


class BulkLimiter:
    """A `SharedLimiter`'s rate for work that can wait: `AsyncLix(rate_limit=limiter.bulk)`.

    It takes turns that are free and reserves none, so it gets what others leave: under callers
    who use the whole rate it gets nothing. While the store cannot be reached it waits.
    """

    def __init__(self, shared: SharedLimiter) -> None:
        self.shared = shared
        self.rate = shared.rate
        self.acquire = shared.acquire_bulk
        self.try_acquire = shared.try_acquire
        self.estimated_wait = shared.estimated_bulk_wait
        self.hold = shared.hold
        self.refund = shared.refund
        self.report_delay = shared.report_delay

    def __repr__(self) -> str:
        return f"{self.shared!r}.bulk"


FIRST_PAUSE = 0.05


LONGEST_PAUSE = 5.0


class OutageTracker:
    """All callers of a process share one: while it lasts, one of them tries at a time.

    Pauses between attempts double from 0.05 to 5 s.
    """

    def __init__(self) -> None:
        self.error: TransportError | None = None
        self.retry_at = 0.0
        self._since = 0.0
        self._pause = FIRST_PAUSE

    def failed(self, error: TransportError, now: float) -> None:
        """An attempt failed. Errors are kept as new objects: one that is raised twice grows."""
        if self.error is None:
            self._since, self._pause = now, FIRST_PAUSE
        self.error = error
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def worked(self) -> None:
        """An attempt brought an answer."""
        self.error = None
        self.retry_at = 0.0

    def left(self, now: float) -> float:
        """Seconds until the next attempt; 0 when one may be made."""
        return max(self.retry_at - now, 0.0)

    def hopeless(self, patience: float) -> TransportError | None:
        """The error for a caller with that much patience, if the next attempt comes too late."""
        if self.error is None or self.retry_at <= self._since + patience:
            return None
        return TransportError(str(self.error.args[0]))
