"""The sandbox as a web application: one route for each path of the tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qsl

import anyio
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from ..protocol.authentication import check_host
from ..protocol.errors import ErrorReply
from ..protocol.requests import AnyEndpoint, IncomingRequest
from ..protocol.responses import SandboxResponse, error_response
from ..providers import SandboxProvider

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from ..faults.schedule import Faults
    from ..protocol.requests import RequestRecord
    from ..state.credit_ledger import CreditLedger
    from ..state.state import SentItem
    from ..state.webhooks import Webhook
    from ..world.world import World

DISCONNECT_EXTENSION = "lix_async.sandbox.cut"
"""ASGI extension through which the sandbox's own server ends a connection: called with True for a
reset.
"""
MAX_BODY = 1024 * 1024
"""Bytes of a request body that are taken; a longer one is refused."""
Handler = Callable[[IncomingRequest], SandboxResponse]


class SandboxApi(Protocol):
    """What the web side needs of a `Sandbox`."""

    world: World
    ledger: CreditLedger
    faults: Faults
    requests: list[RequestRecord]
    providers: tuple[SandboxProvider, ...]
    closed: frozenset[str]
    webhook: Webhook | None
    sleep: Callable[[float], Awaitable[None]] | None

    @property
    def app(self) -> Starlette:
        """The ASGI application."""
        ...

    @property
    def sent(self) -> list[SentItem]:
        """Everything that was sent."""
        ...

    def reset(self) -> None:
        """Return to the initial state."""

    def handle(self, request: IncomingRequest, /) -> SandboxResponse:
        """Answer one request."""
        ...

    async def notify_webhook(self) -> None:
        """Post due lookups to the webhook."""


class SandboxAsgiApp:
    """One route: reads the request, hands it on as an `Arrival`, and plays the reply."""

    def __init__(
        self,
        sandbox: SandboxApi,
        handler: Handler,
        provider: SandboxProvider | None = None,
        rows: Sequence[AnyEndpoint] = (),
    ) -> None:
        self._sandbox = sandbox
        self._handler = handler
        self._provider = provider
        self._endpoints = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI side of it."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        try:
            check_host(headers.get("host", ""), headers.get("origin"))
            body = await _read_body(receive)
        except ErrorReply as refusal:
            await self._send(error_response(refusal), scope, receive, send)
            return
        found = cast("dict[str, str]", scope.get("path_params", {}))
        text = cast("bytes", scope["query_string"]).decode("latin-1")
        query = parse_qsl(text, keep_blank_values=True)
        renamed: Mapping[str, str] = self._provider.param_names if self._provider else {}
        arrival = IncomingRequest(
            endpoint=_best_match(
                [row for row in self._endpoints if row.method == scope["method"]], query
            ),
            method=str(scope["method"]),
            path=str(scope["path"]),
            provider=self._provider.name if self._provider else "",
            allowed={row.method for row in self._endpoints},
            path_params={renamed.get(name, name): value for name, value in found.items()},
            query=query,
            headers=headers,
            body=body,
        )
        await self._send(self._handler(arrival), scope, receive, send)
        await self._sandbox.notify_webhook()

    async def _send(
        self, reply: SandboxResponse, scope: Scope, receive: Receive, send: Send
    ) -> None:
        sleep = self._sandbox.sleep or anyio.sleep
        if reply.delay:
            await sleep(reply.delay)
        if reply.disconnect != "reset":
            await _start(reply, send)
            for piece in reply.chunks:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if reply.chunk_delay:
                    await sleep(reply.chunk_delay)
        if not reply.disconnect:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        extensions = cast("dict[str, object]", scope.get("extensions") or {})
        cut = cast("Callable[[bool], None] | None", extensions.get(DISCONNECT_EXTENSION))
        if cut is None:
            raise ConnectionResetError("the sandbox broke the connection")
        cut(reply.disconnect == "reset")
        while (await receive())["type"] != "http.disconnect":
            pass


def _best_match(
    rows: Sequence[AnyEndpoint], query: Sequence[tuple[str, str]]
) -> AnyEndpoint | None:
    """Which row of one path is meant: the one that knows most of the query, and little besides."""
    given = {name for name, _ in query}

    def fits(row: AnyEndpoint) -> tuple[int, int]:
        names = set(row.params.__struct_encode_fields__)
        return len(names & given), -len(names)

    return max(rows, key=fits, default=None)


async def _start(reply: SandboxResponse, send: Send) -> None:
    headers = [
        (name.lower().encode(), _header_value(value)) for name, value in reply.headers.items()
    ]
    if reply.content_length is not None:
        headers.append((b"content-length", str(reply.content_length).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


def _header_value(text: str) -> bytes:
    # A fault may ask for a header with digits of another alphabet: those go out as UTF-8.
    return text.encode("latin-1") if text.isascii() else text.encode()


async def _read_body(receive: Receive) -> bytes:
    """The whole body. A larger one is read to its end too: some clients wait until it is."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        piece = cast("bytes", message.get("body", b""))
        more, size = bool(message.get("more_body", False)), size + len(piece)
        if size <= MAX_BODY:
            pieces.append(piece)
    if size > MAX_BODY:
        raise ErrorReply(413, None, "the request body is too large")
    return b"".join(pieces)


def _match_order(place: tuple[str, object]) -> tuple[bool, int]:
    """How much of other paths a path would take: few with no placeholder, longer ones less."""
    return "{" in place[0], -place[0].count("/")


def application(sandbox: SandboxApi, pages: Mapping[str, Handler]) -> Starlette:
    """The routes of a sandbox: its own, the tables', and `unknown_route` for the rest."""
    places: dict[str, tuple[SandboxProvider, list[AnyEndpoint]]] = {}
    for provider in sandbox.providers:
        for row in provider.endpoints:
            for path in filter(None, (row.path, row.alternate)):
                if path not in sandbox.closed:
                    places.setdefault(provider.full_path(row, path), (provider, []))[1].append(row)
    routes: list[BaseRoute] = [
        Route(path, SandboxAsgiApp(sandbox, handler)) for path, handler in pages.items()
    ]
    # An id may hold a slash: the last placeholder of a path takes the rest of it, so paths that
    # say more stand first.
    for path, (provider, rows) in sorted(places.items(), key=_match_order):
        whole = f"{path[:-1]}:path}}" if path.endswith("}") else path
        routes.append(Route(whole, SandboxAsgiApp(sandbox, sandbox.handle, provider, rows)))
    app = Starlette(routes=routes)
    app.router.default = SandboxAsgiApp(sandbox, sandbox.handle)
    app.router.redirect_slashes = False
    return app
