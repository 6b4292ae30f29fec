"""Turns: the only place where calls wait for the rate. First come, first served."""

from __future__ import annotations

import math
from collections import deque
from contextvars import ContextVar

import anyio

from ..concurrency.clock import Clock, RealClock
from ..concurrency.event_loop import EventLoopBinding
from ..core.rate_limit import Bucket, RateLimit, TokenBucket
from ..core.validation import check_type


class _WaitingCaller:
    """A caller in the line. `leads`: its turn to sleep for all. `gone`: cancelled or served.

    `turn`: when its token was taken, None until then.
    """

    __slots__ = ("event", "gone", "leads", "turn")

    def __init__(self, leads: bool) -> None:
        self.event = anyio.Event()
        self.leads = leads
        self.turn: float | None = None
        self.gone = False


class LocalLimiter:
    """A token bucket for one process. Give one object to several clients to share one rate.

    `bucket` takes the place of the token bucket that `rate` would make.

    The caller at the head of the line sleeps until its token is there and wakes the next ones;
    nobody else has a timer, so ten thousand waiting calls cost ten thousand events and no more.
    A cancelled caller leaves the line and takes no token with it.
    """

    def __init__(
        self, rate: RateLimit, *, clock: Clock | None = None, bucket: Bucket | None = None
    ) -> None:
        check_type("rate", rate, RateLimit)
        self.rate = rate
        self._clock: Clock = clock or RealClock()
        self._bucket: Bucket = bucket or TokenBucket(rate)
        self._line: deque[_WaitingCaller] = deque()
        self._ahead = 0
        self._leading = False
        self._home = EventLoopBinding()
        # `give_back` names no turn: it is that of the caller's own task.
        self._mine: ContextVar[float] = ContextVar("turn", default=-math.inf)

    def __repr__(self) -> str:
        return f"<LocalLimiter {self.rate.requests:g} per {self.rate.per:g} s>"

    async def acquire(self) -> None:
        """Return when it is the caller's turn."""
        self._settle()
        if not self._leading:
            now = self._clock.now()
            if self._bucket.take(now) == 0.0:
                self._mine.set(now)
                return
        waiter = _WaitingCaller(leads=not self._leading)
        self._leading = True
        line = self._line
        line.append(waiter)
        self._ahead += 1
        try:
            if not waiter.leads:
                await waiter.event.wait()
            while waiter.turn is None:
                pause = self._serve()
                if waiter.turn is None:
                    await self._clock.sleep(pause)
            self._mine.set(waiter.turn)
        except BaseException:
            if waiter.turn is not None:
                self._bucket.refund(waiter.turn)
            raise
        finally:
            waiter.gone = True
            if line is self._line:  # else it stood on a loop that has ended
                self._ahead -= waiter.turn is None
                if waiter.leads:
                    self._pass_on()

    def _settle(self) -> None:
        if self._home.check(bool(self._line)):  # who stands in line died with the loop
            self._line, self._ahead, self._leading = deque(), 0, False

    def estimated_wait(self) -> float:
        """Seconds until a caller who asks now has its turn, if all before it stay. Takes none."""
        self._settle()
        return self._bucket.wait(self._clock.now(), self._ahead)

    def _serve(self) -> float:
        """Give the tokens that are there to the head of the line; seconds until the next one."""
        now = self._clock.now()
        while self._line:
            if not self._line[0].gone:
                pause = self._bucket.take(now)
                if pause > 0.0:
                    return pause
                head = self._line[0]
                head.turn = now
                self._ahead -= 1
                head.event.set()
            self._line.popleft()
        return 0.0

    def _pass_on(self) -> None:
        """Make the next caller in the line the one who sleeps."""
        while self._line and self._line[0].gone:
            self._line.popleft()
        self._leading = bool(self._line)
        if self._line:
            self._line[0].leads = True
            self._line[0].event.set()

    async def hold(self, seconds: float) -> None:
        """No turn for anybody for that long, also for those whose pause is nearly over."""
        self._bucket.hold(self._clock.now() + seconds)

    def refund(self) -> None:
        """The turn that this task took was not used: its request never left."""
        self._bucket.refund(self._mine.get())
        self._mine.set(-math.inf)

    def report_delay(self, seconds: float) -> None:
        """A request left that long after its turn (it had to connect first)."""
        self._bucket.report_delay(seconds)
