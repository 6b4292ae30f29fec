"""What a limiter needs of the place where its numbers are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from ..concurrency.clock import Clock
from ..concurrency.worker_thread import WorkerThread
from ..core.errors import ConfigurationError, TransportError
from ..core.rate_limit import RateLimit
from ..core.validation import check_attributes, check_type
from .gcra import SECOND, GcraDecision, GcraParameters

IDLE_TIMEOUT = 15.0
"""Seconds without work after which a limiter disconnects. A permit every 3 s keeps it connected."""


class LimiterBackend(Protocol):
    """One name's numbers on a server. Blocking: only the limiter's own thread calls it.

    Each method is one atomic step on the server's clock, in microseconds, and does what the
    function of that name in `gcra` does. It connects when first used, and again after `close`.
    Raises `TransportError` when the server cannot be reached (asking again may help) and
    `ConfigurationError` when it can, but refuses.
    """

    def ask(self, pace: GcraParameters, ahead: int) -> GcraDecision: ...

    def hold(self, pace: GcraParameters, length: int) -> None: ...

    def refund(self, pace: GcraParameters, stamp: int) -> bool:
        """Whether the turn was the last one, and is there again."""
        ...

    def push(self, length: int) -> None: ...

    def held(self) -> int:
        """How much longer a hold lasts; 0 without one."""
        ...

    def close(self) -> None: ...


def check(
    name: str,
    rate: RateLimit,
    margin: float | None,
    give_up_after: float,
    fallback: int | None,
    clock: Clock | None,
) -> None:
    """Raise `ConfigurationError` for the first of a limiter's arguments that is none.

    A name is what every store takes: 1 to 200 printable characters without spaces.
    """
    check_type("name", name, str)
    if not (0 < len(name) <= 200 and name.isprintable() and " " not in name):
        raise ConfigurationError(
            "name must be 1 to 200 printable characters without spaces: a word for the account"
        )
    check_type("rate", rate, RateLimit)
    check_type("margin", margin, float | None)
    check_type("give_up_after", give_up_after, float)
    if not give_up_after > 0:
        raise ConfigurationError(
            f"give_up_after must be a positive number of seconds: {give_up_after!r}"
        )
    check_type("fallback", fallback, int | None)
    if fallback is not None and fallback < 1:
        raise ConfigurationError(
            f"fallback must be the number of processes that share the rate: {fallback!r}"
        )
    if clock is not None:
        check_attributes("clock", clock, "a Clock", "now", "wall", "sleep", "timeout", "between")


def unreachable(store: str, error: Exception) -> TransportError:
    """The server does not answer. Names no address: it may hold a password."""
    return TransportError(f"the shared limiter's {store} cannot be reached: {_kind(error)}")


def refused(store: str, error: Exception) -> ConfigurationError:
    """The server answers, but will not have it."""
    return ConfigurationError(f"the shared limiter's {store} refuses: {_kind(error)}")


def _kind(error: Exception) -> str:
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


class _BackendJobs:
    """Runs jobs, one at a time, on a backend."""

    def __init__(self, backend: LimiterBackend) -> None:
        self._backend = backend

    def run(self, jobs: Sequence[Callable[[LimiterBackend], object]]) -> list[object]:
        return [job(self._backend) for job in jobs]

    def error_for(self, error: Exception) -> Exception:
        return error

    def close(self) -> None:
        self._backend.close()


class Permit(msgspec.Struct, frozen=True):
    """`stamp`: what taking it left in the store. `at`: its moment on this process's clock."""

    stamp: int
    at: float


class BackendClient:
    """One process's way to a store."""

    def __init__(
        self, store: LimiterBackend, pace: GcraParameters, clock: Clock, name: str
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._thread: WorkerThread[Callable[[LimiterBackend], object]] = WorkerThread(
            _BackendJobs(store), f"lix_async limiter {name}", idle_timeout=IDLE_TIMEOUT
        )
        self._spare: Permit | None = None  # changed by the desk's thread alone, as is the next
        self._full_at = -math.inf  # on this process's clock, as of the last answer

    async def ask(self, ahead: int) -> tuple[float, Permit | None]:
        """Seconds until the next turn, and the turn if that is at most `ahead` microseconds."""
        taken: list[Permit] = []

        def take(store: LimiterBackend) -> tuple[float, Permit | None]:
            reply = self._take(store, ahead)
            wait = reply.wait / SECOND
            if reply.wait > ahead:
                return wait, None
            taken.append(Permit(reply.full_at, self._clock.now() + wait))
            return wait, taken[0]

        def undo(store: LimiterBackend) -> None:
            for turn in taken:
                self._undo(store, turn)

        try:
            return cast("tuple[float, Permit | None]", await self._thread.run(take))
        except BaseException:
            self._thread.post(undo)
            raise

    def next_at(self, ahead: int) -> float:
        """When, on this process's clock, a turn comes for who has so many before it at the least.

        As far as the last answer tells, without asking: what others have taken since makes it
        later. What they have given back since could make it earlier.
        """
        spare = self._spare
        if spare is not None and spare.at > self._clock.now():
            if not ahead:
                return spare.at
            ahead -= 1
        return self._full_at + (ahead * self._pace.interval - self._pace.slack) / SECOND

    def refund(self, turn: Permit) -> None:
        """The turn is not used. Needs no waiting: whoever asks later finds it done."""
        self._thread.post(lambda store: self._undo(store, turn))

    async def hold(self, length: int) -> None:
        """No turn for anybody for that many microseconds."""
        await self._thread.run(lambda store: store.hold(self._pace, length))

    async def held(self) -> int:
        """Microseconds for which a hold lasts."""
        return cast("int", await self._thread.run(lambda store: store.held()))

    def push(self, length: int) -> None:
        """Shift the turns that follow."""
        self._thread.post(lambda store: store.push(length))

    async def close(self) -> None:
        """Finish what was posted and disconnect."""
        await self._thread.close()

    def _undo(self, store: LimiterBackend, turn: Permit) -> None:
        if store.refund(self._pace, turn.stamp):
            self._full_at -= self._pace.interval / SECOND
        elif turn.at > self._clock.now():
            self._spare = turn  # others come after it: the next caller of this process has it

    def _take(self, store: LimiterBackend, ahead: int) -> GcraDecision:
        spare = self._spare
        left = 0 if spare is None else math.ceil((spare.at - self._clock.now()) * SECOND)
        if spare is not None and 0 < left <= ahead:
            self._spare = None
            return GcraDecision(0, left, spare.stamp)
        # The server's moment is a later one than this: what is told by `next_at` is no later
        # than what is so.
        asked = self._clock.now()
        reply = store.ask(self._pace, ahead)
        self._full_at = asked + (reply.full_at - reply.now) / SECOND
        return reply
