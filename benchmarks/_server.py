"""A server in its own process, with one fixed answer per path.

Accepts requests without a body, which is all that is measured here. Prints its port, and ends when
its standard input is closed.
"""

from __future__ import annotations

import asyncio
import sys

import _sample_data

ANSWERS = {b"/v1/person": _sample_data.person(1)}
PAGE = _sample_data.page(1)


def response(body: bytes) -> bytes:
    """An answer with the headers of the API's server."""
    head = (
        "HTTP/1.1 200 OK\r\ndate: Mon, 06 Jan 2025 09:00:00 GMT\r\n"
        "content-type: application/json; charset=utf-8\r\nserver: sample\r\n"
        f"x-request-id: 0123456789abcdef\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class AnswerProtocol(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answers = {path: response(body) for path, body in ANSWERS.items()}
        self._page = response(PAGE)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            self._transport.write(self._answers.get(path, self._page))  # type: ignore[attr-defined]


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(AnswerProtocol, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
