"""The sandbox as an ASGI application: one route for each path of the endpoints."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qsl

import anyio

from ...core.endpoint import AnyEndpoint
from ..protocol.authentication import check_host
from ..protocol.errors import ErrorReply
from ..protocol.requests import IncomingRequest, RequestRecord
from ..protocol.responses import SandboxResponse, error_response, json_response
from .connection import DISCONNECT_EXTENSION, AsgiApp, AsgiMessage, AsgiReceive, AsgiSend

if TYPE_CHECKING:  # the root page is answered before these are loaded
    from ..faults.schedule import Faults
    from ..providers import SandboxProvider
    from ..state.credit_ledger import CreditLedger
    from ..state.state import SentItem
    from ..state.webhooks import Webhook
    from ..world.world import World

MAX_BODY = 1024 * 1024
"""Bytes of a request body at most."""
Handler = Callable[[IncomingRequest], SandboxResponse]


class SandboxServices(Protocol):
    """The part of `Sandbox` that the server and each of its routes use."""

    @property
    def webhook(self) -> Webhook | None:
        """Where finished lookups are posted."""
        ...

    @property
    def sleep(self) -> Callable[[float], Awaitable[None]] | None:
        """Waits for a number of seconds; None for `anyio.sleep`."""
        ...

    @property
    def app(self) -> AsgiApp:
        """The ASGI application."""
        ...

    async def notify_webhook(self) -> None:
        """Post finished lookups to the webhook."""


class SandboxApi(SandboxServices, Protocol):
    """The part of `Sandbox` that the web application uses."""

    world: World
    ledger: CreditLedger
    faults: Faults
    requests: list[RequestRecord]
    closed: frozenset[str]

    @property
    def providers(self) -> tuple[SandboxProvider, ...]:
        """The providers."""
        ...

    @property
    def sent(self) -> list[SentItem]:
        """Everything that was sent."""
        ...

    def advance(self, days: int) -> None:
        """Let days pass in the world."""

    def reset(self) -> None:
        """Return to the initial state."""

    def handle(self, request: IncomingRequest, /) -> SandboxResponse:
        """Answer one request."""
        ...


def root_page(request: IncomingRequest) -> SandboxResponse:
    """The page at `/`: what this is, and where more is found."""
    return json_response(
        {
            "sandbox": "lix_async",
            "invented": True,
            "status": "/_sandbox",
            "openapi": "/openapi.json",
        }
    )


class SandboxAsgiApp:
    """One route: reads a request, calls a handler and sends the response."""

    def __init__(
        self,
        sandbox: SandboxServices,
        handler: Handler,
        provider: SandboxProvider | None = None,
        endpoints: Sequence[AnyEndpoint] = (),
    ) -> None:
        self._sandbox = sandbox
        self._handler = handler
        self._provider = provider
        self._endpoints = endpoints

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Handle one request."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        try:
            check_host(headers.get("host", ""), headers.get("origin"))
            body = await _read_body(receive)
        except ErrorReply as error:
            await self._send(error_response(error), scope, receive, send)
            return
        text = cast("bytes", scope["query_string"]).decode("latin-1")
        query = parse_qsl(text, keep_blank_values=True)
        method = str(scope["method"])
        names: Mapping[str, str] = self._provider.param_names if self._provider else {}
        values = cast("dict[str, str]", scope.get("path_params", {}))
        request = IncomingRequest(
            endpoint=_best_match([one for one in self._endpoints if one.method == method], query),
            method=method,
            path=str(scope["path"]),
            provider=self._provider.name if self._provider else "",
            allowed={one.method for one in self._endpoints},
            path_params={names.get(name, name): value for name, value in values.items()},
            query=query,
            headers=headers,
            body=body,
        )
        await self._send(self._handler(request), scope, receive, send)
        await self._sandbox.notify_webhook()

    async def _send(
        self, response: SandboxResponse, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend
    ) -> None:
        sleep = self._sandbox.sleep or anyio.sleep
        if response.delay:
            await sleep(response.delay)
        if response.disconnect != "reset":
            await _start(response, send)
            for chunk in response.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if response.chunk_delay:
                    await sleep(response.chunk_delay)
        if not response.disconnect:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        extensions = cast("dict[str, object]", scope.get("extensions") or {})
        disconnect = cast("Callable[[bool], None] | None", extensions.get(DISCONNECT_EXTENSION))
        if disconnect is None:
            raise ConnectionResetError("the sandbox broke the connection")
        disconnect(response.disconnect == "reset")
        while (await receive())["type"] != "http.disconnect":
            pass


def _best_match(
    endpoints: Sequence[AnyEndpoint], query: Sequence[tuple[str, str]]
) -> AnyEndpoint | None:
    """The endpoint with the most parameters of the query, and the fewest others."""
    given = {name for name, _ in query}

    def score(endpoint: AnyEndpoint) -> tuple[int, int]:
        names = set(endpoint.params.__struct_encode_fields__)
        return len(names & given), -len(names)

    return max(endpoints, key=score, default=None)


async def _start(response: SandboxResponse, send: AsgiSend) -> None:
    headers = [
        (name.lower().encode(), _header_value(value)) for name, value in response.headers.items()
    ]
    if response.content_length is not None:
        headers.append((b"content-length", str(response.content_length).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


def _header_value(text: str) -> bytes:
    # The option of a fault may have digits of another alphabet: they are sent as UTF-8.
    return text.encode("latin-1") if text.isascii() else text.encode()


async def _read_body(receive: AsgiReceive) -> bytes:
    """The whole body. A body that is too large is read to its end: some clients wait for that."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        chunk = cast("bytes", message.get("body", b""))
        more, size = bool(message.get("more_body", False)), size + len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
    if size > MAX_BODY:
        raise ErrorReply(413, None, "the request body is too large")
    return b"".join(chunks)


def _match_order(item: tuple[str, object]) -> tuple[bool, int]:
    """Sorts paths without placeholders first, then by length: those match fewer other paths."""
    return "{" in item[0], -item[0].count("/")


class SandboxApp:
    """The web application of a sandbox: the routes to its endpoints and its own pages."""

    def __init__(self, sandbox: SandboxApi, pages: Mapping[str, Handler]) -> None:
        self._sandbox = sandbox
        self._pages = {path: SandboxAsgiApp(sandbox, page) for path, page in pages.items()}
        self._default = SandboxAsgiApp(sandbox, sandbox.handle)

    def load(self) -> None:
        """Load the endpoints; the first request for one of them does it otherwise."""
        _ = self._routes

    @cached_property
    def _routes(self) -> tuple[dict[str, SandboxAsgiApp], list[tuple[str, SandboxAsgiApp]]]:
        """The routes to endpoints: by their exact paths, and those of paths with placeholders."""
        sandbox = self._sandbox
        paths: dict[str, tuple[SandboxProvider, list[AnyEndpoint]]] = {}
        for provider in sandbox.providers:
            for endpoint in provider.endpoints:
                for path in filter(None, (endpoint.path, endpoint.alternate)):
                    if path not in sandbox.closed:
                        full_path = provider.full_path(endpoint, path)
                        paths.setdefault(full_path, (provider, []))[1].append(endpoint)
        # More specific paths come first.
        routes = [
            (path, SandboxAsgiApp(sandbox, sandbox.handle, provider, endpoints))
            for path, (provider, endpoints) in sorted(paths.items(), key=_match_order)
        ]
        exact = {path: route for path, route in routes if "{" not in path}
        return exact, [(path, route) for path, route in routes if "{" in path]

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Handle one request, or the start and the end of a server."""
        if scope["type"] == "lifespan":
            for _ in range(2):
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
            return
        path = str(scope["path"])
        own = "/_sandbox/" if path.startswith("/_sandbox/") else path
        route = self._pages.get(path) or self._pages.get(own) or self._endpoint_route(path, scope)
        await route(scope, receive, send)

    def _endpoint_route(self, path: str, scope: AsgiMessage) -> SandboxAsgiApp:
        exact, patterns = self._routes
        if (route := exact.get(path)) is not None:
            return route
        for pattern, route in patterns:
            if found := _compiled(pattern).fullmatch(path):
                scope["path_params"] = found.groupdict()
                return route
        return self._default


@cache
def _compiled(path: str) -> re.Pattern[str]:
    """A path as a pattern. A placeholder at its end matches the rest: an id may have a slash."""
    parts = re.split(r"\{(\w+)\}", path)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [f"(?P<{name}>[^/]+)" for name in parts[1::2]]
    if path.endswith("}"):
        parts[-2] = parts[-2].replace("[^/]+", ".*")
    return re.compile("".join(parts))
