"""HTTP/1.1 on a real socket, byte by byte: what clients send, and what they receive."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote, urlsplit

import pytest

from lix_async.sandbox import Sandbox, running
from lix_async.sandbox.server.connection import (
    AsgiMessage,
    AsgiReceive,
    AsgiSend,
    HttpServerConnection,
    http_date,
)

LINK = quote("https://www.linkedin.com/in/a-b", safe="")
PERSON = f"/v1/person?profile_link={LINK}"


@contextmanager
def connected(**settings: object) -> Iterator[socket.socket]:
    sandbox = Sandbox(people=5, organisations=2, rate=None, **settings)  # type: ignore[arg-type]
    with running(sandbox) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname or "", address.port or 0), 10) as line:
            yield line


def request(target: str = PERSON, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", "Authorization: k", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def to_end(line: socket.socket) -> bytes:
    received = b""
    while piece := line.recv(65536):
        received += piece
    return received


def test_requests_one_after_the_other_on_one_connection() -> None:
    with connected() as line:
        line.sendall(request() + request() + request("/", "Connection: close"))
        received = to_end(line)
    assert received.count(b"HTTP/1.1 200") == 3
    assert received.count(b'"name":"A B"') == 2
    assert b"\r\ndate: " in received


def test_answers_are_not_held_back() -> None:
    sandbox = Sandbox(people=5, organisations=2)
    accepted: list[int] = []

    class Noted(HttpServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            raw = transport.get_extra_info("socket")
            accepted.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            super().connection_made(transport)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lix_async.sandbox.server.server.HttpServerConnection", Noted)
        with running(sandbox) as url:
            address = urlsplit(url)
            with socket.create_connection((address.hostname or "", address.port or 0)) as line:
                line.sendall(request("/", "Connection: close"))
                to_end(line)
    assert accepted
    assert all(accepted)


def test_the_answer_to_head_has_no_body() -> None:
    with connected() as line:
        line.sendall(request("/", "Connection: close", method="HEAD"))
        head, _, body = to_end(line).partition(b"\r\n\r\n")
    assert b"content-length: " in head
    assert not body


@pytest.mark.parametrize("parts", [1, 7])
def test_a_body_in_chunks_and_with_expect(parts: int) -> None:
    search = "https://www.linkedin.com/sales/search/people?query=(keywords:total:3)"
    form = f"url={quote(search, safe='')}".encode()
    size = -(-len(form) // parts)
    pieces = [form[at : at + size] for at in range(0, len(form), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    headers = (
        "Content-Type: application/x-www-form-urlencoded",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Connection: close",
    )
    with connected() as line:
        line.sendall(request("/v1/li/sales/search/people", *headers, method="POST"))
        assert line.recv(65536).startswith(b"HTTP/1.1 100")
        line.sendall(chunks)
        received = to_end(line)
    assert received.startswith(b"HTTP/1.1 200")
    assert json.loads(received.partition(b"\r\n\r\n")[2])["paging"]["total"] == 3


def test_an_old_client_gets_its_answer_to_the_end_of_the_connection() -> None:
    with connected() as line:
        line.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert b'"invented":true' in to_end(line).replace(b" ", b"")


def test_a_client_that_has_sent_all_still_gets_its_answer() -> None:
    with connected() as line:
        line.sendall(request())
        line.shutdown(socket.SHUT_WR)
        assert to_end(line).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with connected() as line:
        line.sendall(data)
        received = to_end(line)
    assert received.startswith(b"HTTP/1.1 400")


def test_a_stopped_server_finishes_the_answer_that_it_is_making() -> None:
    sleeping, go_on = threading.Event(), threading.Event()

    async def sleep(seconds: float) -> None:
        sleeping.set()
        await asyncio.to_thread(go_on.wait, 10)

    sandbox = Sandbox(people=5, organisations=2, rate=None, faults=["slow"], sleep=sleep)
    server = running(sandbox)
    address = urlsplit(server.__enter__())
    with closing(socket.create_connection((address.hostname or "", address.port or 0), 10)) as line:
        line.sendall(request())
        assert sleeping.wait(10)
        stop = threading.Thread(target=server.__exit__, args=(None, None, None))
        stop.start()
        go_on.set()
        assert to_end(line).startswith(b"HTTP/1.1 200")
        stop.join(10)
    assert not stop.is_alive()


def test_an_application_that_fails_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        raise ValueError("on purpose")

    async def ask() -> bytes:
        open_: set[HttpServerConnection] = set()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: HttpServerConnection(broken, open_), "127.0.0.1", 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request())
            received = await reader.read()
            writer.close()
            await writer.wait_closed()
        return received

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(ask()).startswith(b"HTTP/1.1 500")
    assert "the application failed" in caplog.text


def test_dates_are_those_of_http() -> None:
    assert http_date(784_111_777.0) == "Sun, 06 Nov 1994 08:49:37 GMT"
