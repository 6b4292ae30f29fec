"""Calls without sending: what a client method would send, and what an answer would mean."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Generic, TypeVar, cast

import msgspec
from msgspec.structs import replace

from ..core.endpoint import Endpoint, P
from ..core.models import Params
from ..core.wire import HttpRequest, HttpResponse
from .answer import Answer
from .credits import CreditBudget
from .engine import AttemptHooks, Engine
from .events import EventStream
from .pages import Pages
from .transport import SendTimestamp

R = TypeVar("R")


class RecordedCall(msgspec.Struct, frozen=True):
    """The first call that a client method would make."""

    endpoint: Endpoint[Params, object]
    params: Params
    pages: Pages[object] | None = None
    """The listing, if the method returns one."""


class RecordingEngine(Engine):
    """An engine whose `send` stops the method that called it and reports the call.

    Bind a client to it with `client.with_engine(RecordingEngine(client.engine))` and pass what a
    method of that view returns to `recorded_call`.
    """

    def __init__(self, engine: Engine) -> None:
        self.__dict__.update(engine.__dict__)

    async def send(
        self,
        endpoint: Endpoint[P, R],
        params: P,
        *,
        hooks: AttemptHooks | None = None,
        request: HttpRequest | None = None,
    ) -> Answer[R]:
        """Report the call to `recorded_call`; never returns."""
        call = RecordedCall(cast("Endpoint[Params, object]", endpoint), params)
        return await _Suspension[R](call)


class _Suspension(Generic[R]):
    """An awaitable that yields a call to whoever drives the coroutine."""

    def __init__(self, call: RecordedCall) -> None:
        self._call = call

    def __await__(self) -> Generator[RecordedCall, Answer[R], Answer[R]]:
        return (yield self._call)


def recorded_call(result: object) -> RecordedCall | None:
    """The call behind the return value of a method that is bound to a `RecordingEngine`.

    A coroutine is advanced to its first `send` and closed there; a listing has its endpoint and
    parameters.

    Returns:
        The call, or None if the method does something else first.

    Raises:
        ConfigurationError: What the method raises for its arguments.
    """
    if isinstance(result, Pages):
        pages = cast("Pages[object]", result)
        return RecordedCall(pages.endpoint, pages.params, pages)
    if not isinstance(result, Awaitable):
        return None
    steps = cast("Generator[object, None, object]", result.__await__())
    try:
        first = next(steps, None)
    finally:
        steps.close()
    return first if isinstance(first, RecordedCall) else None


class _StoredResponse:
    """A transport that has one response."""

    def __init__(self, response: HttpResponse) -> None:
        self._response = response

    async def exchange(self, request: HttpRequest, sent_at: SendTimestamp) -> HttpResponse:
        del request, sent_at  # nothing is sent
        return self._response

    async def aclose(self) -> None:
        """Nothing is open."""


def replaying_engine(engine: Engine, response: HttpResponse) -> Engine:
    """A copy of an engine whose calls get a response that was received before.

    It waits for nothing, counts nothing, sends nothing and emits no events.
    """
    other = engine.with_options(replace(engine.options, deadline=None))
    other.transport = _StoredResponse(response)
    other.limiter = other.observer = other.drift_detector = None
    other.credits = CreditBudget(None, name="no limit")
    other.events = EventStream()
    return other
