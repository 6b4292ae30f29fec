"""`Limiter`, the base of all rate limiters, and `adapt()` for objects of other classes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Protocol

from ..core.endpoint import AnyEndpoint
from ..core.models import Params
from ..core.validation import guarded_repr

SHORTEST_LIFETIME = 0.5
"""Seconds for which a permit is good at any rate: a slow disk must not cost a second one."""


class Limiter(ABC):
    """Decides when a call may be sent. Share one object among all clients that use the same key.

    A limiter of your own derives from this class and defines `acquire` and `hold`. The other
    methods make it more exact and have defaults.
    """

    permit_lifetime = math.inf
    """Seconds for which a permit is good. A request that is held up for longer takes another one:
    it would meet the requests of later permits."""

    @abstractmethod
    async def acquire(self) -> None:
        """Wait for a permit. Each attempt of a call uses one.

        Raises:
            TransportError: The limiter cannot give permits. It ends the call; its `sent` is False
                unless the answer of an earlier attempt was lost.

        """

    @abstractmethod
    async def hold(self, seconds: float) -> None:
        """Give no permit to any caller for that long: the provider answered "too many requests"."""

    def estimated_wait(self) -> float:
        """Seconds until a new caller gets a permit, 0.0 if unknown. Takes none.

        A call whose deadline ends before that fails at once.
        """
        return 0.0

    def refund(self) -> None:
        """Return the permit that this task took: its request was never sent."""
        return

    def report_delay(self, seconds: float) -> None:
        """A request is sent now, that long after its permit: each call tells it once."""
        return

    def for_call(self, endpoint: AnyEndpoint, params: Params) -> Limiter | None:
        """The limiter for one call; None if it needs no permit."""
        return self


class _TwoMethods(Protocol):
    async def acquire(self) -> None: ...
    async def hold(self, seconds: float) -> None: ...


class _AdaptedLimiter(Limiter):
    """A `Limiter` over an object that has only `acquire` and `hold`."""

    def __init__(self, limiter: _TwoMethods) -> None:
        self._limiter = limiter

    @guarded_repr
    def __repr__(self) -> str:
        return repr(self._limiter)

    async def acquire(self) -> None:
        await self._limiter.acquire()

    async def hold(self, seconds: float) -> None:
        await self._limiter.hold(seconds)


def adapt(limiter: Limiter | _TwoMethods) -> Limiter:
    """Make a `Limiter` of any object with `acquire` and `hold`; no other method of it is used."""
    return limiter if isinstance(limiter, Limiter) else _AdaptedLimiter(limiter)
