"""One HTTP/1.1 connection between a client and an ASGI application, over h11."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import h11

AsgiMessage = MutableMapping[str, object]
"""A message or a scope of ASGI."""
AsgiReceive = Callable[[], Awaitable[AsgiMessage]]
AsgiSend = Callable[[AsgiMessage], Awaitable[None]]
AsgiApp = Callable[[AsgiMessage, AsgiReceive, AsgiSend], Awaitable[None]]
DISCONNECT_EXTENSION = "lix_async.sandbox.disconnect"
"""The ASGI extension by which an application ends a connection. Its argument is True for a reset.
"""
if TYPE_CHECKING:
    H11Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]

# SO_LINGER on, with a timeout of 0: closing the socket sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)
_MAX_HEAD = 256 * 1024
"""Bytes of a request line and its headers: search URLs are long."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(epoch: float) -> str:
    """A time as in HTTP headers, in any locale."""
    at = time.gmtime(epoch)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year} {time.strftime('%H:%M:%S', at)} GMT"


class HttpServerConnection(asyncio.Protocol):
    """A connection, which answers one request after the other until one side closes it.

    Args:
        app: The application.
        open_: The open connections; this one is in it while it is open.
    """

    def __init__(self, app: AsgiApp, open_: set[HttpServerConnection]) -> None:
        self._app = app
        self._open = open_
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.lost = False
        """Whether the connection has ended."""
        self._busy = False
        self._is_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._open.add(self)
        self.task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._changed.set()

    def eof_received(self) -> bool:
        self._http.receive_data(b"")
        self._changed.set()
        return True  # the response may still be sent

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._open.discard(self)
        self._changed.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close_soon(self) -> None:
        """Close the connection, after the response that is being made if there is one."""
        self._is_last = True
        if not self._busy:
            self.transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()
        self.task.cancel()

    async def _serve(self) -> None:
        try:
            while isinstance(request := await self.next_event(), h11.Request):
                self._busy = True
                await self._respond(request)
                self._busy = False
                states = {self._http.our_state, self._http.their_state}
                if self.lost or self._is_last or states != {h11.DONE}:
                    break
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                with contextlib.suppress(h11.LocalProtocolError):
                    self._write_error(error.error_status_hint)
        finally:
            self.transport.close()

    async def next_event(self) -> H11Event:
        """The next event of the request; `ConnectionClosed` once the connection is lost."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self.lost:
                return h11.ConnectionClosed()
            if self._http.they_are_waiting_for_100_continue:
                self._write(h11.InformationalResponse(status_code=100, headers=[]))
            await self.wait()
        return event

    async def wait(self) -> None:
        """Wait for data, or for the end of the connection."""
        self._changed.clear()
        await self._changed.wait()

    async def _respond(self, request: h11.Request) -> None:
        exchange = _Exchange(self, request)
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001  # an application may raise anything
            context = {"message": "the application failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            if self._http.our_state is h11.SEND_RESPONSE:
                self._write_error(500)
            self.transport.close()
            return
        while not self.lost and self._http.their_state is h11.SEND_BODY:  # a body that was not read
            await self.next_event()

    def _write_error(self, status: int) -> None:
        headers = [("content-length", "0"), ("connection", "close")]
        self._write(h11.Response(status_code=status, headers=headers), h11.EndOfMessage())

    def _write(self, *events: h11.Event) -> None:
        data = b"".join(filter(None, map(self._http.send, events)))
        if not self.lost:
            self.transport.write(data)

    async def send(self, events: Iterable[h11.Event]) -> None:
        """AsgiSend events, and wait while the client reads them too slowly."""
        self._write(*events)
        await self._writable.wait()

    def disconnect(self, reset: bool) -> None:
        """End the connection, as `DISCONNECT_EXTENSION` says."""
        if not reset:
            self.transport.close()
            return
        raw_socket = self.transport.get_extra_info("socket")
        raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


class _Exchange:
    """A request and its response as ASGI has them: a scope, `receive` and `send`."""

    def __init__(self, connection: HttpServerConnection, request: h11.Request) -> None:
        self._connection = connection
        self._is_head = request.method == b"HEAD"
        self._start: list[h11.Event] = []
        self._complete = False
        path, _, query = bytes(request.target).partition(b"?")
        self.scope: AsgiMessage = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode(),
            "method": request.method.decode(),
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(bytes(name).lower(), bytes(value)) for name, value in request.headers],
            "client": connection.transport.get_extra_info("peername"),
            "server": connection.transport.get_extra_info("sockname"),
            "extensions": {DISCONNECT_EXTENSION: connection.disconnect},
        }

    async def receive(self) -> AsgiMessage:
        """The next part of the body; after it, the end of the connection."""
        connection = self._connection
        while not self._complete:
            event = await connection.next_event()
            if isinstance(event, h11.Data):
                return {"type": "http.request", "body": bytes(event.data), "more_body": True}
            self._complete = True
            if isinstance(event, h11.EndOfMessage):
                return {"type": "http.request", "body": b"", "more_body": False}
        while not connection.lost:
            await connection.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: AsgiMessage) -> None:
        """AsgiSend a part of the response. The head is sent with the first part of the body."""
        if message["type"] == "http.response.start":
            headers = cast("list[tuple[bytes, bytes]]", message.get("headers", []))
            date = (b"date", http_date(time.time()).encode())
            status = cast("int", message["status"])
            self._start = [h11.Response(status_code=status, headers=[date, *headers])]
            return
        events, self._start = self._start, []
        body = cast("bytes", message.get("body", b""))
        if body and not self._is_head:
            events.append(h11.Data(data=body))
        if not message.get("more_body", False):
            events.append(h11.EndOfMessage())
        if events:
            await self._connection.send(events)
