"""The server side of a shared limiter: what a backend must do, and how a process calls it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from ..concurrency.clock import Clock
from ..concurrency.worker_thread import WorkerThread
from ..core.errors import ConfigurationError, TransportError
from ..core.rate_limit import SECOND, GcraDecision, GcraParameters, RateLimit
from ..core.validation import check_attributes, check_type

IDLE_TIMEOUT = 15.0
"""Seconds without work after which a limiter disconnects. A permit every 3 s keeps it connected."""


class LimiterBackend(Protocol):
    """The state of one limiter on a server. Blocking: only the limiter's own thread calls it.

    Each method is one atomic step on the server's clock, in microseconds, and does what the
    function of a like name in `core/rate_limit.py` does. A backend connects when first used, and
    again after `close`. Its methods raise `TransportError` when the server cannot be reached or
    refuses for a while, where asking again may help, and `ConfigurationError` when it rejects the
    request.
    """

    def take(self, params: GcraParameters[int], max_wait: int) -> GcraDecision:
        """Take the next permit if it is at most `max_wait` away."""
        ...

    def hold(self, params: GcraParameters[int], length: int) -> None:
        """Give no permit for that long."""
        ...

    def refund(self, params: GcraParameters[int], full_at: int) -> bool:
        """Undo the taking that left this `full_at`; whether it was the last one."""
        ...

    def delay(self, params: GcraParameters[int], length: int) -> None:
        """Record a request that leaves that much later than its slot and the tolerance."""
        ...

    def hold_left(self) -> int:
        """How much longer a hold lasts; 0 without one."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


def check_arguments(
    name: str,
    rate: RateLimit,
    margin: float | None,
    give_up_after: float,
    fallback: int | None,
    clock: Clock | None,
) -> None:
    """Check the arguments of a shared limiter.

    Raises:
        ConfigurationError: One of them is invalid; the message names it.

    """
    check_type("name", name, str)
    # What every backend takes as a key.
    if not (0 < len(name) <= 200 and name.isprintable() and " " not in name):
        raise ConfigurationError(
            "name must be 1 to 200 printable characters without spaces, such as a word for the"
            " account"
        )
    check_type("rate", rate, RateLimit)
    check_type("margin", margin, float | None)
    check_type("give_up_after", give_up_after, float)
    if not give_up_after > 0:
        raise ConfigurationError(
            f"give_up_after must be a positive number of seconds, not {give_up_after!r}"
        )
    check_type("fallback", fallback, int | None)
    if fallback is not None and fallback < 1:
        raise ConfigurationError(
            f"fallback must be the number of processes that share the rate, not {fallback!r}"
        )
    if clock is not None:
        check_attributes("clock", clock, "a Clock", "now", "wall", "sleep", "timeout", "between")


def unavailable_error(server: str, error: Exception, code: str = "") -> TransportError:
    """The error for a server that does not answer, or answers that it cannot write at present."""
    return TransportError(f"the shared limiter's {server} is not available: {_kind(error, code)}")


def rejected_error(server: str, error: Exception, code: str = "") -> ConfigurationError:
    """The error for a server that rejects the request, now and later."""
    kind = _kind(error, code)
    return ConfigurationError(f"the shared limiter's {server} rejected the request: {kind}")


def _kind(error: Exception, code: str) -> str:
    """The kind of an error. Not its text, which may contain an address with a password."""
    return f"{type(error).__name__} {code}" if code else type(error).__name__


class Permit(msgspec.Struct, frozen=True):
    """A permit that was taken from a backend."""

    full_at: int
    """What taking it left there: the permit's identity when it is refunded."""
    at: float
    """Its moment on this process's clock."""
    latest: float
    """The latest moment on this process's clock at which its request leaves in time."""


class _BackendJobs:
    """Runs jobs on a backend."""

    def __init__(self, backend: LimiterBackend) -> None:
        self._backend = backend

    def run(self, jobs: Sequence[Callable[[LimiterBackend], object]]) -> list[object]:
        return [job(self._backend) for job in jobs]

    def error_for(self, error: Exception) -> Exception:
        return error

    def close(self) -> None:
        self._backend.close()


class BackendClient:
    """One process's access to a backend, by one worker thread."""

    def __init__(
        self, backend: LimiterBackend, params: GcraParameters[int], clock: Clock, name: str
    ) -> None:
        self._params = params
        self._clock = clock
        self._thread: WorkerThread[Callable[[LimiterBackend], object]] = WorkerThread(
            _BackendJobs(backend), f"lix_async limiter {name}", idle_timeout=IDLE_TIMEOUT
        )
        # Both are changed by the worker thread alone.
        self._spare: Permit | None = None
        """A refunded permit that the backend could not take back: others have taken later ones."""
        self._full_at = -math.inf
        """The backend's `full_at` on this process's clock, as of the last answer."""

    async def take(self, max_wait: int) -> tuple[float, Permit | None]:
        """Seconds until the next permit, and the permit if that is at most `max_wait` µs."""
        taken: list[Permit] = []

        def take(backend: LimiterBackend) -> tuple[float, Permit | None]:
            spare = self._spare
            left = 0.0 if spare is None else spare.at - self._clock.now()
            if spare is not None and 0.0 < left <= max_wait / SECOND:
                self._spare = None
                taken.append(spare)
                return left, spare
            # The server's moment comes after this one, so `next_permit_at` is never too late.
            asked_at = self._clock.now()
            decision = backend.take(self._params, max_wait)
            self._full_at = asked_at + (decision.full_at - decision.now) / SECOND
            if decision.wait > max_wait:
                return decision.wait / SECOND, None
            at = self._clock.now() + decision.wait / SECOND
            latest = decision.full_at - self._params.interval + self._params.tolerance
            taken.append(Permit(decision.full_at, at, at + (latest - decision.permit_at) / SECOND))
            return decision.wait / SECOND, taken[0]

        def undo(backend: LimiterBackend) -> None:
            for permit in taken:
                self._undo(backend, permit)

        try:
            return cast("tuple[float, Permit | None]", await self._thread.run(take))
        except BaseException:
            self._thread.post(undo)  # a cancelled caller leaves; its job is run all the same
            raise

    def next_permit_at(self, ahead: int) -> float:
        """When, on this process's clock, a permit is free after `ahead` others at the earliest.

        By the last answer, without asking: permits that other processes have taken since make it
        later, and permits that they have refunded could make it earlier.
        """
        spare = self._spare
        if spare is not None and spare.at > self._clock.now():
            if not ahead:
                return spare.at
            ahead -= 1
        return self._full_at + (ahead * self._params.interval - self._params.slack) / SECOND

    def refund(self, permit: Permit) -> None:
        """Return an unused permit. It is back before anything that is asked afterwards."""
        self._thread.post(lambda backend: self._undo(backend, permit))

    async def hold(self, length: int) -> None:
        """Give no permit to any process for that many microseconds."""
        await self._thread.run(lambda backend: backend.hold(self._params, length))

    async def hold_left(self) -> int:
        """Microseconds for which a hold still lasts."""
        return cast("int", await self._thread.run(lambda backend: backend.hold_left()))

    def delay(self, length: int) -> None:
        """Record a request that leaves now, that many microseconds too late."""
        self._thread.post(lambda backend: backend.delay(self._params, length))

    async def close(self) -> None:
        """Finish what was posted and disconnect."""
        await self._thread.close()

    def _undo(self, backend: LimiterBackend, permit: Permit) -> None:
        if backend.refund(self._params, permit.full_at):
            self._full_at -= self._params.interval / SECOND
        elif permit.at > self._clock.now():
            self._spare = permit  # the next caller of this process gets it
