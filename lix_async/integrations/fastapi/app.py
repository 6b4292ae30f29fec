"""`setup`: clients that open and close with an application, and the dependencies that give them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import fastapi.encoders
import msgspec
from fastapi import Depends, FastAPI, Response, WebSocket, status
from starlette.requests import HTTPConnection  # noqa: TC002  # FastAPI reads it in annotations
from starlette.websockets import WebSocketState

from ...core.errors import ConfigurationError, LixError
from ...core.installed_providers import provider_name
from ...core.retry import RetryPolicy
from ...core.validation import check_type
from ...engine.client import Client
from .disconnects import StopOnDisconnect
from .jobs import Jobs
from .problems import Statuses, answer_for

if TYPE_CHECKING:
    from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

C = TypeVar("C", bound=Client)
DEPENDENCIES = {
    "LixDep": ("lix", "AsyncLix"),
    "LookCDep": ("lookc", "AsyncLookC"),
    "ConnectSafelyDep": ("connectsafely", "AsyncConnectSafely"),
    "LetricsDep": ("letrics", "AsyncLetrics"),
    "MeetAlfredDep": ("meetalfred", "AsyncMeetAlfred"),
}


class MissingClientError(ConfigurationError):
    """A route depends on a client that `setup` was not given."""


def setup(
    app: FastAPI,
    *clients: Client,
    problems: bool = True,
    stop_on_disconnect: bool = True,
    jobs: Jobs | None = None,
    statuses: Statuses = MappingProxyType({}),
) -> None:
    """Open the clients when the application starts, and close them when it stops.

    The application's own lifespan runs inside of that. Routes get a client by a dependency such as
    `LixDep`; a route without a return annotation may return structs. An application that is mounted
    in this one needs `setup` as well, without clients: it has those of this one.

    Args:
        app: The application, before it starts.
        *clients: The clients, one of each class.
        problems: Whether a `LixError` that a route raises becomes an answer; see `problem`. A web
            socket that is open is closed with 1011 and the name of the error.
        stop_on_disconnect: Whether the request of a caller who has left is cancelled; see
            `StopOnDisconnect`.
        jobs: Runs in the background, which go on when the application starts.
        statuses: HTTP statuses by class of error, before the usual ones.

    Raises:
        ConfigurationError: An argument is not valid, or `setup` was called before.

    Example:
        ```python
        app = FastAPI()
        setup(app, AsyncLix(deadline=30, cache="lookups.db"))
        ```
    """
    for one in clients:
        check_type("a client", one, Client)
    by_class = {type(one): one for one in clients}
    if len(by_class) < len(clients):
        raise ConfigurationError("setup takes one client of each class: derive one for the others")
    if hasattr(app.state, _CLIENTS):
        raise ConfigurationError("setup was called before: call it once, with all clients")
    setattr(app.state, _CLIENTS, by_class)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[Mapping[str, object] | None]:
        async with AsyncExitStack() as stack:
            for one in clients:
                await stack.enter_async_context(one)
            if jobs is not None:
                await stack.enter_async_context(jobs.running(clients))
            yield await stack.enter_async_context(inner(app))

    app.router.lifespan_context = cast(
        "Callable[[FastAPI], AbstractAsyncContextManager[None]]", lifespan
    )
    if problems:

        async def answer(connection: HTTPConnection, error: Exception) -> Response | None:
            found = cast("LixError", error)
            response = answer_for(
                found, _STATUSES | dict(statuses), None, _queued_interval(clients, found)
            )
            if not isinstance(connection, WebSocket):
                return response
            if connection.application_state == WebSocketState.CONNECTED:
                await connection.close(status.WS_1011_INTERNAL_ERROR, type(error).__name__)
                return None
            if "websocket.http.response" in connection.scope.get("extensions", {}):
                return response
            raise error  # the server closes it

        app.add_exception_handler(LixError, cast("ExceptionHandler", answer))
    app.add_middleware(_ClientsInScope, clients=by_class)
    if stop_on_disconnect:
        app.add_middleware(StopOnDisconnect, clients=clients)
    _encode_structs()


_CLIENTS = "lix_clients"
"""Where the scope of a request has the clients by their class."""
_STATUSES: dict[type[LixError], int] = {MissingClientError: 500}


class _ClientsInScope:
    """ASGI middleware that gives the clients to all routes, also those of mounted applications."""

    def __init__(self, app: ASGIApp, clients: Mapping[type[Client], Client]) -> None:
        self._app = app
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, a socket or the lifespan."""
        scope[_CLIENTS] = {**scope.get(_CLIENTS, {}), **self._clients}
        await self._app(scope, receive, send)


def _queued_interval(clients: tuple[Client, ...], error: LixError) -> float:
    name = provider_name(error.endpoint or "")
    policies = (one.engine.options.retry for one in clients if one.provider.id == name)
    return next(policies, RetryPolicy()).queued_interval


def _encode_structs() -> None:
    """Let routes without a return annotation return structs."""
    # Not documented by FastAPI. Where it is missing, such routes raise, and others work.
    encoders: object = getattr(fastapi.encoders, "encoders_by_class_tuples", None)
    if isinstance(encoders, dict):
        table = cast("dict[Callable[[object], object], tuple[type, ...]]", encoders)
        table[_to_builtins] = (msgspec.Struct,)


_to_builtins = partial(msgspec.to_builtins, str_keys=True, enc_hook=str)
"""A struct as JSON values; the errors inside of outcomes as their texts."""


def client(kind: type[C]) -> Callable[[HTTPConnection], Awaitable[C]]:
    """The dependency that gives the client of a class: for a class of your own, and for tests.

    Routes and web sockets may have it.

    It is the same function each time, which `LixDep` has too, so `app.dependency_overrides` can put
    another client in its place.

    Args:
        kind: The class, or one that it derives from.

    Example:
        ```python
        MyLixDep = Annotated[MyLix, Depends(client(MyLix))]
        app.dependency_overrides[client(AsyncLix)] = lambda: lix  # in a test
        ```
    """
    found = _dependencies.get(kind)
    if found is None:
        found = _dependencies[kind] = _dependency_on(kind)
    return cast("Callable[[HTTPConnection], Awaitable[C]]", found)


_dependencies: dict[type[Client], Callable[[HTTPConnection], Awaitable[Client]]] = {}


def _dependency_on(kind: type[Client]) -> Callable[[HTTPConnection], Awaitable[Client]]:
    async def dependency(connection: HTTPConnection) -> Client:
        clients: Mapping[type[Client], Client] = connection.scope.get(_CLIENTS, {})
        for one in (clients.get(kind), *clients.values()):
            if isinstance(one, kind):
                return one
        raise MissingClientError(
            f"no {kind.__name__}: add setup(app, {kind.__name__}()) where the app is made"
        )

    return dependency


def dependency(name: str) -> object:
    """The type of a parameter that gets a client, such as `LixDep`; None for another name."""
    if name not in DEPENDENCIES:
        return None
    provider, kind = DEPENDENCIES[name]
    module = import_module(f"...providers.{provider}.client", __package__)
    found: type[Client] = getattr(module, kind)
    return Annotated[found, Depends(client(found))]
