"""A client of the caller's own, of httpx or httpx2: used as it is, and never closed."""

from __future__ import annotations

import gzip

import anyio
import httpx
import httpx2
import pytest
import respx
from loopback import Connection, answer, once, request_builder, saying, serve
from sample_provider import (
    LIST,
    SEND,
    THING,
    ListParams,
    SampleClient,
    SendParams,
    Skipping,
    ThingParams,
    settle,
)

from lix_async.core.errors import OutcomeUnknownError, TransportError
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import (
    TOO_LATE,
    ClientTransport,
    SendTimestamp,
    TransportFailure,
    _pool_size,
)

pytestmark = pytest.mark.anyio
libraries = pytest.mark.parametrize(
    "library", [httpx, httpx2], ids=lambda library: library.__name__
)
ONE = ThingParams(id="a/b", note="ü&=")


@respx.mock(base_url="https://sample.example")
async def test_what_goes_over_the_wire(respx_mock):
    """The whole of a read and of a send: method, target, headers, key, body."""
    read = respx_mock.get("/v1/things/a%2Fb", params={"note": "ü&="}).respond(json={"id": "1"})
    send = respx_mock.post("/v1/send", params={"to": "me"}).respond(json={"ok": True})
    async with httpx.AsyncClient(headers={"Accept-Encoding": "br", "X-Mine": "1"}) as http:
        client = SampleClient(http_client=http)
        assert (await client.send(THING, ONE)).value.id == "1"
        assert (await client.send(SEND, SendParams(to="me", text="hi"))).value.ok
    request = read.calls.last.request
    assert str(request.url) == "https://sample.example/v1/things/a%2Fb?note=%C3%BC%26%3D"
    headers = dict(request.headers)
    assert headers.pop("user-agent").startswith("lix_async/")
    assert headers == {
        "host": "sample.example",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "connection": "keep-alive",
        "content-type": "application/json",
        "authorization": "key",
        "x-mine": "1",
    }
    request = send.calls.last.request
    assert (request.method, request.content) == ("POST", b'{"text":"hi"}')
    assert request.headers["content-length"] == "13"


@libraries
@pytest.mark.parametrize("auth", ["raw", "bearer", "x-api-key", "query"])
async def test_the_key_stands_in_one_place(library, auth, caplog):
    caplog.set_level(1)
    seen = []

    def handle(request):
        seen.append(request)
        return library.Response(200, json={"id": "1"})

    key = "s3cret+key/123456789"
    async with library.AsyncClient(transport=library.MockTransport(handle)) as http:
        await SampleClient(http_client=http, auth=auth, api_key=key).send(THING, ONE)
    (request,) = seen
    names = {"raw": ("authorization", key), "bearer": ("authorization", f"Bearer {key}")}
    header = names.get(auth, ("x-api-key", key))
    if auth == "query":
        assert request.url.params["api_key"] == key
        assert "authorization" not in request.headers
        assert "api_key=***" in caplog.text
    else:
        assert request.headers[header[0]] == header[1]
        assert "api_key" not in request.url.params
    assert key not in f"{caplog.text} {[vars(record) for record in caplog.records]}"
    assert "s3cret%2Bkey" not in f"{[vars(record) for record in caplog.records]}"


@libraries
async def test_it_is_never_closed_and_reported_if_the_caller_closed_it(library):
    http = library.AsyncClient(
        transport=library.MockTransport(lambda _: library.Response(200, json={"id": "1"}))
    )
    client = SampleClient(http_client=http)
    async with client:
        await client.send(THING, ONE)
    assert not http.is_closed
    await client.send(THING, ONE)
    await http.aclose()
    with pytest.raises(TransportError, match="the given HTTP client is closed") as caught:
        await client.send(SEND, SendParams(to="me", text="hi"))
    assert (caught.value.sent, caught.value.attempts) == (False, 1)


def one_by_one(answers):
    """A connection for each answer."""

    async def handler(connection: Connection) -> None:
        await connection.request()
        await connection.say(next(answers))

    return handler


@libraries
async def test_it_goes_over_real_connections_with_bodies_of_every_kind(library):
    packed = answer(gzip.compress(b'{"id": "1"}'), "200 OK", "Content-Encoding: gzip")
    broken = answer(b"\x1fx", "200 OK", "Content-Encoding: gzip")
    answers = iter([answer(b'{"id": "1"}'), packed, broken, b"HTTP/1.1 2"])

    async with serve(one_by_one(answers)) as server, library.AsyncClient() as http:
        client = SampleClient(http_client=http, base_url=server.url, retry=RetryPolicy(attempts=1))
        for _ in range(2):
            assert (await client.send(THING, ONE)).value.id == "1"
        with pytest.raises(TransportError, match="cannot be decompressed"):
            await client.send(THING, ONE)
        with pytest.raises(OutcomeUnknownError):
            await client.send(SEND, SendParams(to="me", text="hi"))
        assert server.heard[-1].endswith(b'\r\n\r\n{"text":"hi"}')


@libraries
async def test_a_request_that_would_leave_too_late_is_not_sent(library):
    async with serve(saying(answer())) as server, library.AsyncClient() as http:
        transport = ClientTransport(request_builder(server.url), None, http)
        late = SendTimestamp()
        late.latest = -1.0
        assert await transport.exchange(HttpRequest("GET", "/"), late) is TOO_LATE
        assert (late.at, server.heard) == (None, [])


@libraries
async def test_redirects_are_not_followed_although_the_client_would(library):
    async with serve(saying(answer())) as elsewhere:
        moved = answer(b"", "302 Found", f"Location: {elsewhere.url}")
        async with serve(once(moved)) as server, library.AsyncClient(follow_redirects=True) as http:
            transport = ClientTransport(request_builder(server.url), None, http)
            reply = await transport.exchange(HttpRequest("GET", "/"), SendTimestamp())
            assert (reply.status, elsewhere.connections) == (302, 0)


@libraries
async def test_a_hook_may_read_the_answer_first(library):
    async def hook(response) -> None:
        await response.aread()

    packed = answer(gzip.compress(b'{"id": "1"}'), "200 OK", "Content-Encoding: gzip")
    async with (
        serve(saying(packed)) as server,
        library.AsyncClient(event_hooks={"response": [hook]}) as http,
    ):
        answered = await SampleClient(http_client=http, base_url=server.url).send(THING, ONE)
    assert answered.value.id == "1"


@libraries
async def test_failures_are_distinguished_and_mock_transports_may_raise_anything(library):
    faults = [library.ConnectError("no"), library.ReadError("no"), KeyError("a bug")]

    def handle(request):
        raise faults.pop(0)

    async with library.AsyncClient(transport=library.MockTransport(handle)) as http:
        transport = ClientTransport(request_builder("http://127.0.0.1:1"), {"read": 1.0}, http)
        found = [
            await transport.exchange(HttpRequest("GET", "/"), SendTimestamp()) for _ in range(3)
        ]
    assert found == [
        TransportFailure("no connection: no (ConnectError)", False, False),
        TransportFailure(
            "the connection broke before the response was complete (ReadError)", True, False
        ),
        TransportFailure("the connection failed (KeyError)", True, False),
    ]


@libraries
async def test_the_timeout_given_to_us_wins_then_the_clients_own_then_our_default(library):
    """The default of httpx, 5 s, was not chosen: a live lookup takes longer."""
    seen = []

    def handle(request):
        seen.append(request.extensions["timeout"]["read"])
        return library.Response(200, json={})

    own = [{}, {"timeout": 7}, {"timeout": None}, {"timeout": library.Timeout(5, read=6)}]
    for settings in own:
        transport = library.MockTransport(handle)
        async with library.AsyncClient(transport=transport, **settings) as http:
            for timeout in (None, 3, httpx.Timeout(4)):
                await SampleClient(http_client=http, timeout=timeout).send(LIST, ListParams())
    assert seen == [90, 3, 4, 7, 3, 4, None, 3, 4, 6, 3, 4]


@libraries
async def test_the_clients_own_credentials_do_not_replace_the_key(library):
    seen = []

    def handle(request):
        seen.append(request.headers["authorization"])
        return library.Response(200, json={})

    transport = library.MockTransport(handle)
    headers = {"Authorization": "theirs"}
    async with library.AsyncClient(transport=transport, auth=("a", "b"), headers=headers) as http:
        await SampleClient(http_client=http).send(LIST, ListParams())
    assert seen == ["key"]


@libraries
@pytest.mark.parametrize("auth", ["raw", "query"])
async def test_the_clients_own_query_and_address_do_not_replace_those_of_a_call(library, auth):
    """httpx would drop the query of a URL for `params=`: a call without what it asks about."""
    seen = []

    def handle(request):
        seen.append(str(request.url))
        return library.Response(200, json={})

    transport = library.MockTransport(handle)
    for own in (
        {},
        {"params": {"note": "theirs", "x": "y"}},
        {"base_url": "https://other.example"},
    ):
        async with library.AsyncClient(transport=transport, **own) as http:
            client = SampleClient("key", http_client=http, auth=auth)
            await client.send(THING, ONE)
            await client.send(SEND, SendParams(to="me", text="hi"))
    assert seen == seen[:2] * 3
    assert "?note=%C3%BC%26%3D" in seen[0]
    assert "?to=me" in seen[1]


def by_name(first_surplus: bytes, size: int = 0, hold: int = 1):
    """Answer each request with the name in its path; the first answer is followed by a surplus."""

    async def handler(connection: Connection) -> None:
        while True:
            head = await connection.request()
            name = head.split()[1].rpartition(b"/")[2]
            body = b'{"id": "%b"}' % name + b" " * size
            await connection.say(answer(body) + first_surplus * (len(connection.heard) <= hold))

    return handler


STRAY = answer(b'{"id": "stray"}')


@libraries
@pytest.mark.parametrize("size", [0, 2**16, 2**19])
@pytest.mark.parametrize("read_by_hook", [False, True])
async def test_no_answer_reaches_another_call(library, size, read_by_hook):
    """One answer too many on a kept connection of the caller's client: it is closed."""

    async def hook(response) -> None:
        await response.aread()

    hooks = {"response": [hook] if read_by_hook else []}
    async with (
        serve(by_name(STRAY, size, 2)) as server,
        library.AsyncClient(event_hooks=hooks) as http,
    ):
        client = SampleClient(http_client=http, base_url=server.url)
        names = ["a", "b", "c", "d"]
        got = [(await client.send(THING, ThingParams(id=name))).value.id for name in names]
        assert (got, server.connections) == (names, 3)


@libraries
async def test_no_call_waits_inside_a_small_pool(library):
    """There a cancelled waiter would strand a connection: callers wait in front of it."""
    at_once: list[int] = []
    open_now = 0

    async def handler(connection: Connection) -> None:
        nonlocal open_now
        await connection.request()
        open_now += 1
        at_once.append(open_now)
        await settle()
        open_now -= 1
        await connection.say(answer())

    done: list[object] = []
    limits = library.Limits(max_connections=2, max_keepalive_connections=0)
    async with serve(handler) as server, library.AsyncClient(limits=limits) as http:
        transport = ClientTransport(request_builder(server.url), None, http)

        async def call() -> None:
            done.append(await transport.exchange(HttpRequest("GET", "/"), SendTimestamp()))

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(call)
            await settle(2)
            assert (transport._pool.in_use, len(transport._pool._waiters)) == (2, 8)
    assert [type(reply) for reply in done] == [HttpResponse] * 10
    assert max(at_once) <= 2


def test_the_size_of_a_pool_is_looked_up_where_there_is_one():
    for library in (httpx, httpx2):
        assert _pool_size(library.AsyncClient()) == 100
        unbounded = library.AsyncClient(limits=library.Limits(max_connections=None))
        assert _pool_size(unbounded) == 100
        assert (
            _pool_size(library.AsyncClient(transport=library.MockTransport(lambda _: None))) == 100
        )


@libraries
async def test_the_module_itself_makes_the_connections(library):
    async with serve(saying(answer(b'{"id": "1"}'))) as server:
        async with SampleClient(
            http_client=library, base_url=server.url, clock=Skipping()
        ) as client:
            assert (await client.send(THING, ONE)).value.id == "1"
            connection = client.engine.transport.pool._free[0].connection
            name = library.__name__.replace("httpx", "httpcore")
            assert type(connection._http).__module__ == name
