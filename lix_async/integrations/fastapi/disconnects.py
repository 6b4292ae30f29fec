"""Callers who leave: what was not sent for them is not sent, and what was sent is waited for.

The middleware listens to the events of the clients in the context of each request. It is plain
ASGI, see https://asgi.readthedocs.io/en/latest/specs/www.html.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...engine.client import Client
from ...engine.events import AttemptEnded, AttemptStarted, CallEnded, CallStarted, Event

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream

DISCONNECT: Message = {"type": "http.disconnect"}
CLIENT_LEFT = 499
"""The status, as nginx logs it, of a request that was given up since its caller had left."""


class _RequestCalls:
    """The calls that are made for a request."""

    def __init__(self, scope: anyio.CancelScope, given_up: anyio.Event) -> None:
        self._scope = scope
        self._given_up = given_up
        """Whether the rest of the request is given up."""
        self._sent: set[int | None] = set()
        """The calls of which an attempt is under way."""
        self._acts = False
        self._left = False

    def hear(self, event: Event) -> None:
        match event:
            case CallStarted(idempotent=False):
                self._acts = True
            case AttemptStarted():
                self._sent.add(event.call)
            case AttemptEnded() | CallEnded():
                self._sent.discard(event.call)
                self._check()
            case _:
                pass

    def leave(self) -> None:
        """The caller has left."""
        self._left = True
        self._check()

    def _check(self) -> None:
        # A request that has acted, such as sent a message, runs to its end, and may note that.
        if self._left and not self._sent and not self._acts:
            self._scope.cancel()
            self._given_up.set()


_request: ContextVar[_RequestCalls | None] = ContextVar("lix_async_request", default=None)


def _hear(event: Event) -> None:
    """The listener: it is called in the context of the request that a call is made for."""
    calls = _request.get()
    if calls is not None:
        calls.hear(event)


def leave_request() -> None:
    """Make the calls of this task from now on without a request, as those of a job are."""
    _request.set(None)


def _only_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error in a group of one, for logs and error trackers; else the group."""
    error, *others = group.exceptions
    if others:
        return group
    if isinstance(error, BaseExceptionGroup):
        return _only_error(cast("BaseExceptionGroup[BaseException]", error))
    return error


class StopOnDisconnect:
    """ASGI middleware that cancels a request when its caller has left; `setup` adds it.

    While an attempt of a call is under way, which may be charged, it waits for the answer first.
    Requests that have made a call that acts, such as sending a message, are never cancelled.

    Args:
        app: The ASGI application.
        clients: The clients whose calls it waits for.
    """

    def __init__(self, app: ASGIApp, clients: Sequence[Client] = ()) -> None:
        self._app = app
        for client in clients:
            client.events.add(_hear)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or _request.get() is not None:  # or it is mounted in another
            await self._app(scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        except BaseExceptionGroup as group:  # a task group makes one of every error
            error = _only_error(group)
            raise error from error.__cause__

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        # One message at a time: a body is read no faster than the application takes it.
        sender, receiver = anyio.create_memory_object_stream[Message](1)
        begun = answered = False
        given_up = anyio.Event()

        async def forward(message: Message) -> None:
            nonlocal begun, answered
            begun = True
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered = True  # background tasks may follow: they belong to no caller
            await send(message)

        async with sender, receiver, anyio.create_task_group() as tasks:
            calls = _RequestCalls(tasks.cancel_scope, given_up)

            async def pump() -> None:
                if tasks.cancel_scope.cancel_called:  # all is done without having waited once
                    return
                while (message := await receive())["type"] != "http.disconnect":
                    try:
                        sender.send_nowait(message)
                    except anyio.WouldBlock:
                        await sender.send(message)
                if not answered:
                    calls.leave()
                    await given_up.wait()  # else a streaming response would stop at once
                sender.close()

            tasks.start_soon(pump)
            token = _request.set(calls)
            try:
                await self._app(scope, _Inbox(receiver), forward)
            finally:
                _request.reset(token)
            tasks.cancel_scope.cancel()
        if given_up.is_set() and not begun:
            # No server sends it. A middleware around this one may raise where there is no answer.
            with contextlib.suppress(OSError):
                await send({"type": "http.response.start", "status": CLIENT_LEFT, "headers": []})
                await send({"type": "http.response.body"})


class _Inbox:
    """What the application receives."""

    def __init__(self, receiver: MemoryObjectReceiveStream[Message]) -> None:
        self._receiver = receiver

    async def __call__(self) -> Message:
        try:
            try:
                # Without waiting where there is one: `Request.is_disconnected` does not wait.
                return self._receiver.receive_nowait()
            except anyio.WouldBlock:
                return await self._receiver.receive()
        except anyio.EndOfStream:
            return DISCONNECT
