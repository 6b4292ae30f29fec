"""The HTTP library behind one method, against a server that breaks off wherever it likes."""

from __future__ import annotations

import gzip
import ssl
import zlib
from types import SimpleNamespace

import anyio
import httpx
import httpx2
import pytest
from loopback import Connection, answer, free_port, once, request_builder, saying, serve

from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine import response_body as module
from lix_async.engine.transport import (
    TOO_LATE,
    ClientTransport,
    HttpTransport,
    SendTimestamp,
    TransportFailure,
    close_if_unread,
    has_unread_bytes,
)

pytestmark = pytest.mark.anyio
TIMEOUT = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": None}
READ = HttpRequest("GET", "/v1/things?q=a%20b")
SEND = HttpRequest("POST", "/v1/send", b'{"a":1}', idempotent=False)


@pytest.fixture(params=[httpx, httpx2], ids=lambda library: library.__name__)
def library(request):
    return request.param


class Visit:
    """A transport to a server, and one exchange after the other over it."""

    def __init__(self, url: str, library=httpx, size: int = 1, **timeout: float) -> None:
        self.transport = HttpTransport(request_builder(url), TIMEOUT | timeout, library, size)
        self.departure = SendTimestamp()

    async def exchange(self, outgoing: HttpRequest = READ) -> HttpResponse | TransportFailure:
        self.departure = SendTimestamp()
        with anyio.fail_after(10):
            reply = await self.transport.exchange(outgoing, self.departure)
        assert self.transport.pool.in_use == 0
        return reply

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.transport.aclose()


async def visited(handler, outgoing: HttpRequest = READ, library=httpx, **timeout: float):
    """What one exchange brings, and when it left."""
    async with serve(handler) as server, Visit(server.url, library, **timeout) as visit:
        return await visit.exchange(outgoing), visit.departure.at


async def test_a_request_goes_out_as_it_is_and_the_answer_comes_back_as_it_came(library):
    body = answer(b'{"a": 1}', "201 Created", "X-Twice: a", "X-Twice: b")
    async with serve(saying(body)) as server, Visit(server.url, library) as visit:
        assert await visit.exchange(SEND) == HttpResponse(
            201,
            [(b"Content-Length", b"8"), (b"X-Twice", b"a"), (b"X-Twice", b"b")],
            b'{"a": 1}',
        )
        host = server.url.removeprefix("http://").encode()
        assert server.heard == [
            b"POST /v1/send HTTP/1.1\r\nHost: " + host + b"\r\nUser-Agent: tests\r\n"
            b"Accept: application/json\r\nAccept-Encoding: gzip\r\n"
            b"Content-Type: application/json\r\nContent-Length: 7\r\nAuthorization: key\r\n\r\n"
            b'{"a":1}'
        ]
        assert visit.departure.at is not None


async def test_a_request_that_would_leave_too_late_is_not_sent(library):
    async with serve(saying(answer())) as server, Visit(server.url, library) as visit:
        late = SendTimestamp()
        late.latest = -1.0
        assert await visit.transport.exchange(READ, late) is TOO_LATE
        assert (late.at, server.heard) == (None, [])
        assert isinstance(await visit.exchange(), HttpResponse)
        assert server.connections == 1, "the connection is not used up"


async def test_a_connection_is_kept_for_reads_and_a_send_gets_a_fresh_one(library):
    async with serve(saying(answer())) as server, Visit(server.url, library) as visit:
        counts = []
        for outgoing in (READ, READ, SEND, READ, SEND, SEND):
            assert isinstance(await visit.exchange(outgoing), HttpResponse)
            assert visit.departure.at is not None
            counts.append(server.connections)
    assert counts == [1, 1, 2, 2, 3, 4]


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced(library):
    async with serve(once(answer())) as server, Visit(server.url, library) as visit:
        for count in (1, 2, 3):
            assert isinstance(await visit.exchange(), HttpResponse)
            await anyio.wait_all_tasks_blocked()
            assert server.connections == count


async def test_a_connection_is_not_used_longer_than_the_server_keeps_it(library):
    now = 0.0
    says = "Keep-Alive: max=9, Timeout=5"
    async with serve(saying(answer(), answer(b"{}", "200 OK", says))) as server:
        builder = request_builder(server.url)
        builder.now = lambda: now
        transport = HttpTransport(builder, TIMEOUT, library)
        assert await transport.prepare(READ, 0.0) is None
        counts = []
        for pause in (0.0, 59.0, 3.9, 4.0, 3.9):  # the second answer is the first one that says it
            now += pause
            assert isinstance(await transport.exchange(READ, SendTimestamp()), HttpResponse)
            counts.append(server.connections)
        assert counts == [1, 1, 1, 2, 2]
        for wait in (0.0, 3.9, 4.0, 4.0):  # the next permit comes too late for the connection
            assert await transport.prepare(READ, wait) is None
            counts.append(server.connections)
        assert counts[5:] == [2, 2, 3, 3]
        await transport.aclose()


async def test_what_a_closed_connection_has_shown_is_remembered(library):
    """A server that closes idle connections without saying so may close one during a request."""
    now = 0.0

    async def handler(connection: Connection) -> None:
        await connection.request()
        await connection.say(answer())
        if connection.number == 1:
            await connection.request()  # which comes too late
        else:
            await saying(answer())(connection)

    async with serve(handler) as server:
        builder = request_builder(server.url)
        builder.now = lambda: now
        transport = HttpTransport(builder, TIMEOUT, library)
        outcomes = []
        for pause in (0.0, 3.0, 3.0, 1.4, 1.5):
            now += pause
            reply = await transport.exchange(READ, SendTimestamp())
            outcomes.append((type(reply), server.connections))
        await transport.aclose()
    assert outcomes == [
        (HttpResponse, 1),
        (TransportFailure, 1),
        (HttpResponse, 2),
        (HttpResponse, 2),
        (HttpResponse, 3),
    ]


async def test_closing_closes_the_idle_connection_and_the_next_exchange_opens_another():
    gone = anyio.Event()

    async def handler(connection: Connection) -> None:
        try:
            await saying(answer())(connection)
        finally:
            gone.set()

    async with serve(handler) as server, Visit(server.url) as visit:
        await visit.exchange()
        await visit.transport.aclose()
        await gone.wait()
        assert isinstance(await visit.exchange(), HttpResponse)
        assert server.connections == 2


async def test_where_no_server_listens_nothing_was_sent(library):
    async with Visit(f"http://127.0.0.1:{free_port()}", library) as visit:
        failure = await visit.exchange()
        assert (failure.sent, failure.permanent, visit.departure.at) == (False, False, None)
        assert failure.message.startswith("no connection: ")


@pytest.mark.parametrize("stage", ["accept", "request", "head", "body"])
@pytest.mark.parametrize("way", ["reset", "close"])
async def test_a_connection_that_breaks_at_any_stage_leaves_the_outcome_open(stage, way, library):
    async def handler(connection: Connection) -> None:
        if stage != "accept":
            await connection.request()
        if stage in ("head", "body"):
            await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n")
        if stage == "body":
            await connection.say(b"\r\n{")
        if way == "reset":
            await connection.reset()

    for outgoing in (READ, SEND):
        failure, departed = await visited(handler, outgoing, library)
        assert isinstance(failure, TransportFailure)
        assert (failure.sent, failure.permanent) == (True, False)
        assert departed is not None


async def test_a_head_cut_at_every_byte_is_a_failure_and_never_an_answer():
    whole = answer(b"{}", "200 OK", "A: b")
    end = whole.index(b"\r\n\r\n") + 4
    cuts = iter(range(end + 2))

    async def handler(connection: Connection) -> None:
        await connection.request()
        await connection.say(whole[: next(cuts)])

    async with serve(handler) as server, Visit(server.url) as visit:
        for _ in range(end + 2):
            failure = await visit.exchange()
            assert isinstance(failure, TransportFailure)
            assert (failure.sent, failure.permanent) == (True, False)
        assert server.connections == end + 2


async def test_bodies_come_by_length_in_chunks_or_until_the_end():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    ending = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"
    nothing = b"HTTP/1.1 204 No Content\r\n\r\n"
    found = [(await visited(once(data)))[0].body for data in (chunked, ending, nothing)]
    assert found == [b"{}", b"{}", b""]
    cut = await visited(once(chunked[:-7]))
    assert isinstance(cut[0], TransportFailure)


PACKED = gzip.compress(b'{"packed": true}')


JSON = b'{"packed": true}'
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW_DEFLATE = RAW.compress(JSON) + RAW.flush()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        *((name, PACKED) for name in ("gzip", "x-gzip", " GZIP ", "identity, gzip", "gzip,utf-8")),
        *(
            (name, JSON)
            for name in ("identity", "none", "utf-8", "binary", "br", "", ",", "x" * 900)
        ),
        *((name, JSON) for name in ("gzip", "deflate", "gzip, gzip")),  # decompressed on the way
        ("deflate", zlib.compress(JSON)),
        ("deflate", RAW_DEFLATE),
        ("gzip, gzip", gzip.compress(PACKED)),
        ("deflate, gzip", gzip.compress(zlib.compress(JSON))),
        ("gzip, deflate", zlib.compress(PACKED)),
    ],
)
async def test_a_body_is_read_whatever_it_calls_its_coding(name, body):
    data = answer(body, "200 OK", f"Content-Encoding: {name}")
    halves = once(data[:-10], data[-10:])
    for handler in (once(data), halves):
        assert (await visited(handler))[0].body == JSON


async def test_an_empty_body_may_call_itself_packed_or_plain():
    for name in ("gzip", "identity", ""):
        data = answer(b"", "200 OK", f"Content-Encoding: {name}")
        assert (await visited(once(data)))[0].body == b""


@pytest.mark.parametrize(
    ("name", "body", "message", "permanent"),
    [
        ("gzip", PACKED[:-4], "the compressed response is incomplete", False),
        ("gzip", PACKED[:-8] + bytes(8), "the response cannot be decompressed", True),
        ("deflate", zlib.compress(b"{}")[:-1], "the compressed response is incomplete", False),
        ("gzip, gzip", gzip.compress(PACKED[:-4]), "the compressed response is incomplete", False),
        ("gzip," * 5, PACKED, "the response has more than 4 content codings", True),
    ],
)
async def test_what_cannot_be_unpacked_is_no_answer(name, body, message, permanent):
    failure, _ = await visited(once(answer(body, "200 OK", f"Content-Encoding: {name}")))
    assert failure.message.startswith(message)
    assert (failure.sent, failure.permanent) == (True, permanent)


REFUSAL = b'{"error": {"type": "rate_limit"}}'


@pytest.mark.parametrize("library", [httpx, httpx2, None], ids=["httpx", "httpx2", "own client"])
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 99\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n63\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08\0",
        b"\r\n" + bytes(4096),
    ],
    ids=["cut", "cut in a chunk", "not to be unpacked", "too large"],
)
@pytest.mark.parametrize("status", [302, 404, 429, 502])
async def test_a_refusal_whose_text_is_lost_is_a_refusal(status, head, library, monkeypatch):
    monkeypatch.setattr(module, "MAX_RECEIVED_BYTES", 2048)
    data = b"HTTP/1.1 %d No\r\nRetry-After: 7\r\n%s%s" % (status, head, REFUSAL)
    async with serve(once(data)) as server, httpx.AsyncClient() as own:
        if library is None:
            transport = ClientTransport(request_builder(server.url), TIMEOUT, own)
        else:
            transport = HttpTransport(request_builder(server.url), TIMEOUT, library)
        for count in (1, 2):
            reply = await transport.exchange(SEND, SendTimestamp())
            assert (reply.status, reply.body) == (status, b"")
            assert reply.headers[0] == (b"Retry-After", b"7")
            assert server.connections == count, "what is left of it reaches no other call"
        await transport.aclose()


async def test_a_bomb_is_not_unpacked_beyond_the_cap(monkeypatch):
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 2**16)
    fits, bomb = gzip.compress(bytes(2**16)), gzip.compress(bytes(2**16 + 1))
    data = answer(fits, "200 OK", "Content-Encoding: gzip")
    assert len((await visited(once(data)))[0].body) == 2**16
    failure, _ = await visited(once(answer(bomb, "200 OK", "Content-Encoding: gzip")))
    assert failure == TransportFailure(
        f"the response is too large ({len(bomb)} bytes received)", True, True
    )


async def test_a_body_without_end_is_read_up_to_the_cap_only(monkeypatch):
    monkeypatch.setattr(module, "MAX_RECEIVED_BYTES", 2**16)

    async def handler(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await connection.say(b" " * 4096)

    failure, _ = await visited(handler)
    assert failure.message.startswith("the response is too large")
    assert failure.permanent


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_never_followed(status, library):
    async with serve(saying(answer())) as elsewhere:
        for target in (elsewhere.url, elsewhere.url.replace("127.0.0.1", "localhost"), "/v1/x"):
            data = answer(b"", f"{status} Moved", f"Location: {target}")
            reply, _ = await visited(once(data), library=library)
            assert (reply.status, reply.body) == (status, b"")
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    ],
)
async def test_what_is_not_http_is_no_answer(data):
    """It may be charged, and another attempt would be as well: it is not repeated."""
    async with serve(once(data)) as server, Visit(server.url) as visit, httpx.AsyncClient() as own:
        client = ClientTransport(request_builder(server.url), TIMEOUT, own)
        for failure in (await visit.exchange(), await client.exchange(READ, SendTimestamp())):
            assert isinstance(failure, TransportFailure)
            assert failure.message == "the server sent invalid HTTP (RemoteProtocolError)"
            assert (failure.sent, failure.permanent) == (True, True)


async def test_a_server_that_says_nothing_is_given_up_after_the_timeout(library):
    async def handler(connection: Connection) -> None:
        await connection.request()
        await anyio.sleep_forever()

    failure, departed = await visited(handler, library=library, read=0.05)
    assert failure.message == "no response within the timeout (ReadTimeout)"
    assert (failure.sent, failure.permanent, departed is None) == (True, False, False)


async def test_an_url_that_is_too_long_was_not_sent_and_will_not_be():
    long = HttpRequest("GET", "/v1?q=" + "x" * 70_000)
    failure, departed = await visited(saying(answer()), long)
    assert (failure.sent, failure.permanent, departed) == (False, True, None)


@pytest.mark.parametrize("length", [59_000, 65_000])
async def test_a_long_url_goes_out_as_it_is(library, length):
    target = f"/v1/things?q={'%20' * (length // 3)}"
    async with serve(saying(answer())) as server, Visit(server.url, library) as visit:
        assert isinstance(await visit.exchange(HttpRequest("GET", target)), HttpResponse)
        assert server.heard[0].startswith(f"GET {target} HTTP/1.1".encode())


async def test_a_url_that_no_server_would_take_is_not_sent(library):
    target = f"/v1/things?q={'x' * 70_000}"
    async with serve(saying(answer())) as server, Visit(server.url, library) as visit:
        failure = await visit.exchange(HttpRequest("GET", target))
        assert failure.message.startswith("the URL is too long or not valid")
        assert (failure.sent, failure.permanent, server.heard) == (False, True, [])


@pytest.mark.parametrize(
    ("read", "unread"),
    [(ssl.SSLWantReadError(), False), (ssl.SSLEOFError(), True), (b"H", True), (b"", True)],
    ids=["nothing", "broken", "surplus", "ended"],
)
async def test_unread_bytes_that_tls_has_decrypted_are_seen(read, unread):
    class Layer:
        def read(self, size):
            if isinstance(read, Exception):
                raise read
            return read

    facts = {"ssl_object": Layer(), "is_readable": False}
    stream = SimpleNamespace(get_extra_info=facts.get)
    state = SimpleNamespace(trailing_data=(b"", False))
    connection = SimpleNamespace(_h11_state=state, _network_stream=stream)
    assert has_unread_bytes(connection) is unread


@pytest.mark.parametrize("idle", [None, False], ids=["HTTP/2", "lent again"])
async def test_a_connection_that_is_not_this_answers_alone_is_left_as_it_is(idle):
    connection = SimpleNamespace()
    if idle is not None:
        connection = SimpleNamespace(_h11_state=None, is_closed=lambda: False, is_idle=lambda: idle)
    response = SimpleNamespace(stream=SimpleNamespace(_connection=connection), is_closed=True)
    await close_if_unread(response)
