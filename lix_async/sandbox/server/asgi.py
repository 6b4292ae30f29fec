"""The sandbox as a web application: one route for each path of the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

import anyio
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from ...core.endpoint import AnyEndpoint
from ..protocol.authentication import check_host
from ..protocol.errors import ErrorReply
from ..protocol.requests import IncomingRequest
from ..protocol.responses import SandboxResponse, refused
from ..providers import SandboxProvider
from . import admin

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .sandbox import Sandbox

CUT = "lix_async.sandbox.cut"
"""ASGI extension through which the sandbox's own server ends a connection: called with True for a
reset.
"""
LARGEST = 1024 * 1024
"""Bytes of a request body that are taken; a longer one is refused."""
Handler = Callable[[IncomingRequest], SandboxResponse]


class SandboxAsgiApp:
    """One route: reads the request, hands it on as an `Arrival`, and plays the reply."""

    def __init__(
        self,
        sandbox: Sandbox,
        handler: Handler,
        house: SandboxProvider | None = None,
        rows: Sequence[AnyEndpoint] = (),
    ) -> None:
        self._sandbox = sandbox
        self._handler = handler
        self._house = house
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI side of it."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        try:
            check_host(headers.get("host", ""), headers.get("origin"))
            body = await _body(receive)
        except ErrorReply as refusal:
            await self._play(refused(refusal), scope, receive, send)
            return
        found = cast("dict[str, str]", scope.get("path_params", {}))
        text = cast("bytes", scope["query_string"]).decode("latin-1")
        query = parse_qsl(text, keep_blank_values=True)
        renamed: Mapping[str, str] = self._house.renamed if self._house else {}
        arrival = IncomingRequest(
            row=_meant([row for row in self._rows if row.method == scope["method"]], query),
            method=str(scope["method"]),
            path=str(scope["path"]),
            house=self._house,
            allowed={row.method for row in self._rows},
            path_params={renamed.get(name, name): value for name, value in found.items()},
            query=query,
            headers=headers,
            body=body,
        )
        await self._play(self._handler(arrival), scope, receive, send)
        await self._sandbox.tell()

    async def _play(
        self, reply: SandboxResponse, scope: Scope, receive: Receive, send: Send
    ) -> None:
        sleep = self._sandbox.sleep or anyio.sleep
        if reply.wait:
            await sleep(reply.wait)
        if reply.cut != "reset":
            await _start(reply, send)
            for piece in reply.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if reply.pause:
                    await sleep(reply.pause)
        if not reply.cut:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        extensions = cast("dict[str, object]", scope.get("extensions") or {})
        cut = cast("Callable[[bool], None] | None", extensions.get(CUT))
        if cut is None:
            raise ConnectionResetError("the sandbox broke the connection")
        cut(reply.cut == "reset")
        while (await receive())["type"] != "http.disconnect":
            pass


def _meant(rows: Sequence[AnyEndpoint], query: Sequence[tuple[str, str]]) -> AnyEndpoint | None:
    """Which row of one path is meant: the one that knows most of the query, and little besides."""
    given = {name for name, _ in query}

    def fits(row: AnyEndpoint) -> tuple[int, int]:
        names = set(row.params.__struct_encode_fields__)
        return len(names & given), -len(names)

    return max(rows, key=fits, default=None)


async def _start(reply: SandboxResponse, send: Send) -> None:
    headers = [(name.lower().encode(), _value(value)) for name, value in reply.headers.items()]
    if reply.length is not None:
        headers.append((b"content-length", str(reply.length).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


def _value(text: str) -> bytes:
    # A fault may ask for a header with digits of another alphabet: those go out as UTF-8.
    return text.encode("latin-1") if text.isascii() else text.encode()


async def _body(receive: Receive) -> bytes:
    """The whole body. A larger one is read to its end too: some clients wait until it is."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        piece = cast("bytes", message.get("body", b""))
        more, size = bool(message.get("more_body", False)), size + len(piece)
        if size <= LARGEST:
            pieces.append(piece)
    if size > LARGEST:
        raise ErrorReply(413, None, "the request body is too large")
    return b"".join(pieces)


def _greed(place: tuple[str, object]) -> tuple[bool, int]:
    """How much of other paths a path would take: few with no placeholder, longer ones less."""
    return "{" in place[0], -place[0].count("/")


def application(sandbox: Sandbox) -> Starlette:
    """The routes of a sandbox: its own, the tables', and `unknown_route` for the rest."""
    places: dict[str, tuple[SandboxProvider, list[AnyEndpoint]]] = {}
    for house in sandbox.houses:
        for row in house.table:
            for path in filter(None, (row.path, row.alternate)):
                if path not in sandbox.closed:
                    places.setdefault(house.place(row, path), (house, []))[1].append(row)
    routes: list[BaseRoute] = [
        Route(path, SandboxAsgiApp(sandbox, made(sandbox))) for path, made in admin.PAGES.items()
    ]
    # An id may hold a slash: the last placeholder of a path takes the rest of it, so paths that
    # say more stand first.
    for path, (house, rows) in sorted(places.items(), key=_greed):
        whole = f"{path[:-1]}:path}}" if path.endswith("}") else path
        routes.append(Route(whole, SandboxAsgiApp(sandbox, sandbox.handle, house, rows)))
    app = Starlette(routes=routes)
    app.router.default = SandboxAsgiApp(sandbox, sandbox.handle)
    app.router.redirect_slashes = False
    return app
