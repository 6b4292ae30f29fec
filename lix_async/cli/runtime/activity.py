"""What a client does, from its events, and how it is stopped.

`ActivityMonitor` is the listener behind the progress line. With `monitored`, a client can be
stopped as well: no further request is sent, waits end at once, and answers that are on their way,
and may be charged, are still received.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

import anyio

from ...concurrency.clock import Clock, RealClock
from ...core.endpoint import Endpoint, P
from ...core.rate_limit import RateLimit
from ...core.wire import HttpRequest
from ...engine.answer import Answer
from ...engine.client import Client
from ...engine.engine import AttemptHooks, Engine
from ...engine.events import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    Event,
    Held,
    WaitStarted,
)
from ..errors import Interrupted
from ..text import format_duration

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C", bound=Client)


class _StoppableCall:
    """A call or another wait that ends when the run is stopped."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.on_its_way = False
        """Whether a request was sent and its answer is awaited."""


_current: ContextVar[_StoppableCall | None] = ContextVar("lix_cli_call", default=None)


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
        self._permits: set[int | None] = set()
        """The calls that wait for a permit."""
        self._pauses: dict[object, tuple[str, float]] = {}
        """Why something waits, and until when: by the number of the call, or the wait itself."""
        self._statuses: dict[int | None, int] = {}
        """The status of the last attempt of each call."""
        self._calls: set[_StoppableCall] = set()

    def stop(self) -> None:
        """Send nothing more, and end all waits for a permit or a retry."""
        self.stopping = True
        for call in list(self._calls):
            if not call.on_its_way:
                call.scope.cancel()

    def describe(self) -> str:
        """What is going on now, in a few words."""
        now = self.clock.now()
        if self.stopping:
            return "stopping: waiting for answers in flight"
        if self._held_until > now:
            left = format_duration(math.ceil(self._held_until - now))
            return f"too fast (429), next attempt in {left}"
        if self._permits:
            return "waiting"
        if self._pauses:
            reason, end = min(self._pauses.values(), key=lambda pause: pause[1])
            what = reason or (self.state if self.state != "requesting" else "waiting")
            return f"{what}, next attempt in {format_duration(math.ceil(max(end - now, 0.0)))}"
        return self.state

    def hear(self, event: Event) -> None:
        """Take an event into account; the listener of the client."""
        call = event.call
        match event:
            case WaitStarted(reason="permit"):
                self._pauses.pop(call, None)
                self._permits.add(call)
            case WaitStarted() if call is not None:
                status = self._statuses.pop(call, 0)
                reason = "queued" if event.reason == "queued" else str(status or "connection lost")
                self.failures[reason] += 1
                self._pauses[call] = reason, self.clock.now() + (event.seconds or 0.0)
            case AttemptStarted():
                self._pauses.pop(call, None)
                self._permits.discard(call)
                self.requests += 1
                self._set_on_its_way(True)
            case AttemptEnded():
                self.requests -= not (event.status or event.lost)  # it was never sent
                self._statuses[call] = event.status
                self._set_on_its_way(False)
            case CallEnded():
                self._permits.discard(call)
                self._pauses.pop(call, None)
                self._statuses.pop(call, None)
            case Held():
                self._held_until = max(self._held_until, self.clock.now() + event.seconds)
            case _:
                pass

    def _set_on_its_way(self, on_its_way: bool) -> None:
        call = _current.get()
        if call is not None:
            call.on_its_way = on_its_way
            if self.stopping and not on_its_way:
                call.scope.cancel()  # without effect on an answer, after which nothing is awaited

    async def unless_stopped(
        self, wait: Callable[[], Awaitable[T]], seconds: float | None = None
    ) -> T:
        """Wait for something, until the run is stopped.

        Args:
            wait: Waits.
            seconds: How long that takes, if it is a pause.

        Raises:
            Interrupted: The run was or is being stopped.
        """
        if self.stopping:
            raise Interrupted
        call = _StoppableCall()
        self._calls.add(call)
        if seconds is not None:
            self._pauses[call] = "", self.clock.now() + seconds
        outer = _current.set(call)
        try:
            with call.scope:
                return await wait()
        finally:
            _current.reset(outer)
            self._calls.discard(call)
            self._pauses.pop(call, None)
        raise Interrupted


class StoppableEngine(Engine):
    """An engine whose calls end with `Interrupted` when the run is stopped."""

    def __init__(self, engine: Engine, monitor: ActivityMonitor) -> None:
        self.__dict__.update(engine.__dict__)
        self._monitor = monitor
        self.unstoppable = engine
        """The same engine, whose calls go on when the run is stopped."""

    async def sleep(self, seconds: float) -> None:
        """Wait between two calls, unless the run is stopped."""
        await self._monitor.unless_stopped(partial(super().sleep, seconds), seconds)

    async def send(
        self,
        endpoint: Endpoint[P, R],
        params: P,
        *,
        hooks: AttemptHooks | None = None,
        request: HttpRequest | None = None,
    ) -> Answer[R]:
        """One call, unless the run is stopped before its request leaves."""
        send = super().send
        return await self._monitor.unless_stopped(
            lambda: send(endpoint, params, hooks=hooks, request=request)
        )


def monitored(client: C, monitor: ActivityMonitor) -> C:
    """A view of a client that a monitor hears of and can stop."""
    client.events.add(monitor.hear)
    return client.with_engine(StoppableEngine(client.engine, monitor), cached=True)
