"""The sandbox as a web application: one route for each path of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

import anyio
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from ..providers.lix.endpoints import TABLE
from . import admin
from .arrivals import Arrival, Row
from .gate import check_host
from .refusals import Refusal
from .replies import Reply, refused

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .app import Sandbox

CUT = "lix_async.sandbox.cut"
"""ASGI extension through which the sandbox's own server ends a connection: called with True for a
reset.
"""
LARGEST = 1024 * 1024
"""Bytes of a request body that are taken; a longer one is refused."""
# A placeholder of an alternate path that has another name than the param it stands for.
_RENAMED = {"domain": "website"}

Handler = Callable[[Arrival], Reply]


class Door:
    """One route: reads the request, hands it on as an `Arrival`, and plays the reply."""

    def __init__(self, sandbox: Sandbox, handler: Handler, row: Row | None = None) -> None:
        self._sandbox = sandbox
        self._handler = handler
        self._row = row

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI side of it."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        try:
            check_host(headers.get("host", ""), headers.get("origin"))
            body = await _body(receive)
        except Refusal as refusal:
            await self._play(refused(refusal), scope, receive, send)
            return
        row = self._row if self._row and self._row.method == scope["method"] else None
        found = cast("dict[str, str]", scope.get("path_params", {}))
        query = cast("bytes", scope["query_string"]).decode("latin-1")
        arrival = Arrival(
            row=row,
            method=str(scope["method"]),
            path=str(scope["path"]),
            path_params={_RENAMED.get(name, name): value for name, value in found.items()},
            query=parse_qsl(query, keep_blank_values=True),
            headers=headers,
            body=body,
        )
        await self._play(self._handler(arrival), scope, receive, send)

    async def _play(self, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
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


async def _start(reply: Reply, send: Send) -> None:
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
        raise Refusal(413, None, "the request body is too large")
    return b"".join(pieces)


def application(sandbox: Sandbox) -> Starlette:
    """The routes of a sandbox: its own, the table's, and `unknown_route` for the rest."""

    def route(path: str, handler: Handler, row: Row | None = None) -> BaseRoute:
        # An id may hold a slash; the last placeholder of a path takes the rest of it.
        path = f"{path[:-1]}:path}}" if path.endswith("}") else path
        return Route(path, Door(sandbox, handler, row), methods=[row.method] if row else None)

    routes = [route(path, made(sandbox)) for path, made in admin.PAGES.items()]
    for row in cast("tuple[Row, ...]", TABLE):
        paths = [row.path, row.alternate] if row.alternate else [row.path]
        routes += [route(path, sandbox.handle, row) for path in paths if path not in sandbox.closed]
    routes.append(route("/{path}", sandbox.handle))
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app
