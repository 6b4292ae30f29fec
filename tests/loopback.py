"""A server on 127.0.0.1 that sends exactly the given bytes."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import pytest
from sample_provider import SAMPLE

from lix_async.concurrency.clock import RealClock
from lix_async.core.provider import ApiKey, BaseUrl, parse_base_url
from lix_async.engine.credentials import RequestBuilder


class Gone(Exception):
    """The client closed the connection."""


class Connection:
    """One connection, seen from the server."""

    def __init__(self, stream: anyio.abc.SocketStream, number: int, heard: list[bytes]) -> None:
        self.stream = stream
        self.number = number
        self.heard = heard
        self.rest = b""

    async def request(self) -> bytes:
        """Receive the next request, head and body."""
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += await self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        size = int(length[1]) if length else 0
        while len(body) < size:
            body += await self._more()
        self.rest = body[size:]
        self.heard.append(head + b"\r\n\r\n" + body[:size])
        return self.heard[-1]

    async def _more(self) -> bytes:
        try:
            return await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise Gone from None

    async def say(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            await self.stream.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise Gone from None

    async def reset(self) -> None:
        """Break the connection off with a RST."""
        raw = self.stream.extra(anyio.abc.SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.stream.aclose()


Handler = Callable[[Connection], Awaitable[None]]


class Server:
    """The URL of a server, the number of connections, and the requests received."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.connections = 0
        self.heard: list[bytes] = []


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[Server]:
    """Run `handler` for each connection until the block ends."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    server = Server(listener.extra(anyio.abc.SocketAttribute.local_port))

    async def handle(stream: anyio.abc.SocketStream) -> None:
        server.connections += 1
        async with stream:
            try:
                await handler(Connection(stream, server.connections, server.heard))
            except Gone:
                pass

    failed: BaseException | None = None
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        try:
            yield server
        except (Exception, pytest.fail.Exception) as error:
            failed = error  # raised below: the task group would wrap it
        finally:
            tasks.cancel_scope.cancel()
    if failed is not None:
        raise failed


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """Return an answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(*data: bytes) -> Handler:
    """Answer each request with the next of these; the last one is repeated."""

    async def handler(connection: Connection) -> None:
        number = 0
        while True:
            await connection.request()
            await connection.say(data[min(number, len(data) - 1)])
            number += 1

    return handler


def once(*data: bytes) -> Handler:
    """Send this after the first request, and close the connection."""

    async def handler(connection: Connection) -> None:
        await connection.request()
        for part in data:
            await connection.say(part)

    return handler


def free_port() -> int:
    """A port without a server."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def request_builder(url: str | BaseUrl, auth: str = "raw", key: str = "key") -> RequestBuilder:
    """A request builder for a server, with a made-up key."""
    where = parse_base_url(url) if isinstance(url, str) else url
    return RequestBuilder(where, ApiKey(key), SAMPLE.credentials[auth], "tests", RealClock.now)
