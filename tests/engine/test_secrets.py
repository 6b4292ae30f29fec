"""One key through every failure: it is in no message, no log line, no frame and no pickle."""

from __future__ import annotations

import asyncio
import copy
import gzip
import importlib
import json
import logging
import os
import pickle
import pkgutil
import ssl
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from typing import Any

import anyio
import httpx
import httpx2
import msgspec
import pytest
from loopback import Connection, answer, free_port, once, serve
from rich.pretty import pretty_repr
from sample_provider import (
    LIST,
    SEND,
    THING,
    ListParams,
    SampleClient,
    SendParams,
    Skipping,
    Thing,
    ThingParams,
    run,
)

import lix_async
from lix_async import AsyncConnectSafely, AsyncLetrics, AsyncLix, AsyncLookC, AsyncMeetAlfred
from lix_async.core.errors import ConfigurationError, DecodeError, LixError, RefusalError
from lix_async.core.models import Params
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpResponse
from lix_async.engine.answer import Answer
from lix_async.engine.client import Client
from lix_async.engine.transport import TransportFailure
from lix_async.providers.connectsafely.endpoints import TABLE as CONNECTSAFELY
from lix_async.providers.letrics.endpoints import TABLE as LETRICS
from lix_async.providers.lix.endpoints import TABLE as LIX
from lix_async.providers.lookc.endpoints import TABLE as LOOKC
from lix_async.providers.meetalfred.endpoints import TABLE as MEETALFRED

pytestmark = pytest.mark.anyio
KEY = "s3cret-k3y/of+the=caller"
ESCAPED = "s3cret-k3y%2Fof%2Bthe%3Dcaller"
ECHO = f'{{"error": {{"type": "x", "message": "bad key {KEY} or {ESCAPED}"}}}}'.encode()
ECHOES = r"""{"error": {"message": "s3cret-k3y\/of+the=caller s3cret-k3y\u002Fof\u002bthe=caller",
"type": "<b>s3cret&#45;k3y&#x2f;of&#43;the=caller s3cret-k3y%252fof%252bthe%3dcaller"}}"""
AUTHS = ["raw", "bearer", "x-api-key", "query"]
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # each client would load its own: 20 ms
CALLS = [(THING, ThingParams(id="1")), (SEND, SendParams(to="me", text="x"))]


async def reset(connection: Connection) -> None:
    await connection.request()
    await connection.reset()


async def silence(connection: Connection) -> None:
    await connection.request()
    await anyio.sleep_forever()


async def echo(connection: Connection) -> None:
    """The whole request comes back as the body of a refusal, as of a careless gateway."""
    head = await connection.request()
    await connection.say(answer(head, "400 Bad Request"))


FAULTS = {
    "refusal that escapes": once(answer(ECHOES.encode(), "403 No")),
    "refusal that echoes": once(answer(ECHO, "401 Unauthorized")),
    "request that is echoed": echo,
    "page that does not fit": once(answer(f'["{KEY}"]'.encode())),
    "web page": once(answer(f"<html>{KEY}</html>".encode(), "500 No")),
    "redirect with the key": once(answer(b"", "302 Found", f"Location: /?api_key={ESCAPED}")),
    "reset": reset,
    "silence": silence,
    "cut": once(answer(b"{}")[:-1]),
    "no http": once(b"nonsense\r\n\r\n"),
    "bad gzip": once(answer(b"x", "200 OK", "Content-Encoding: gzip")),
    "cut gzip": once(answer(gzip.compress(ECHO)[:-2], "200 OK", "Content-Encoding: gzip")),
    "too fast": once(answer(ECHO.replace(b'"x"', b'"rate_limit"'), "429 No", "Retry-After: 999")),
}


def shown(error: BaseException) -> Iterator[str]:
    """Everything that a log, a crash reporter or a pickle could show of an error."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        todo += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
        yield f"{one} {one!r} {one.args!r} {vars(one)!r}"
        # Without the frames: their lines are those of a source file, and their values come below.
        yield "".join(traceback.format_exception(type(one), one, None))
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if "/tests/" in frame.f_code.co_filename:
                continue
            for value in frame.f_locals.values():
                yield repr(value)
                yield repr(getattr(value, "__dict__", ""))
                yield repr([getattr(value, n, "") for n in getattr(type(value), "__slots__", ())])
    yield repr(pickle.dumps(error))


def assert_hidden(*texts: str) -> None:
    for text in texts:
        assert "s3cret" not in text, text[max(0, text.index("s3cret") - 200) :][:400]


def records(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    for record in caplog.records:
        yield record.getMessage()
        yield repr(vars(record))


async def test_no_failure_of_any_kind_shows_the_key(caplog):
    """Every fault, by every way of authentication, for a read and for a send."""
    caplog.set_level(1)
    logging.getLogger("httpcore").setLevel(1)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for auth in AUTHS:
            for name, handler in FAULTS.items():
                if auth == "query" or "redirect" not in name:
                    async with serve(handler) as server:
                        await fail_everywhere(server.url, auth)
            await fail_everywhere(f"http://127.0.0.1:{free_port()}", auth)
    assert_hidden(*records(caplog), *(str(warning.message) for warning in warned))


async def fail_everywhere(url: str, auth: str) -> None:
    own = {"timeout": 0.02, "verify": CONTEXT}
    async with httpx.AsyncClient(**own) as http, httpx2.AsyncClient(**own) as http2:
        for http_client in (None, http, http2) if auth == "query" else (None, http):
            client = SampleClient(
                http_client=http_client, api_key=KEY, auth=auth, base_url=url, timeout=0.02,
                retry=RetryPolicy(attempts=1),
            )  # fmt: skip
            assert_hidden(repr(client), repr(vars(client)), repr(vars(client.engine)))
            async with client:
                for row, params in CALLS if http_client is None else CALLS[:1]:
                    with pytest.raises(LixError) as caught:
                        await client.send(row, params)
                    assert_hidden(*shown(caught.value))


async def test_a_header_that_echoes_the_key_is_in_no_error_and_no_log_record(caplog):
    """Not even in the one that names the content encoding."""
    caplog.set_level(1)
    logging.getLogger("httpcore").setLevel(1)
    for headers in ([f"X-Echo: {KEY}"], [f"Content-Encoding: {KEY}"]):
        async with serve(once(answer(ECHOES.encode(), "403 No", *headers))) as server:
            await fail_everywhere(server.url, "raw")
    assert any("X-Echo" in line for line in records(caplog))
    assert_hidden(*records(caplog))


async def test_no_success_shows_the_key_to_a_log(caplog):
    caplog.set_level(1)
    for auth in AUTHS:
        for library in (httpx, httpx2):
            async with serve(once(answer(b'{"id": "1"}'))) as server, library.AsyncClient() as http:
                for http_client in (None, http):
                    client = SampleClient(
                        http_client=http_client, api_key=KEY, auth=auth, base_url=server.url
                    )
                    async with client:
                        answered = await client.send(*CALLS[0])
                        assert_hidden(repr(answered))
    assert any("httpx" in record.name for record in caplog.records)
    assert_hidden(*records(caplog))


async def test_no_error_before_sending_shows_the_key():
    client = SampleClient(api_key=KEY)
    calls = [(THING, ThingParams(id="..")), (THING, ThingParams(id="\ud800")), (SEND, CALLS[0][1])]
    for row, params in calls:
        with pytest.raises(ConfigurationError) as caught:
            await client.send(row, params)
        assert_hidden(*shown(caught.value))


@pytest.mark.parametrize(
    "make", [AsyncLix, AsyncLookC, AsyncConnectSafely, AsyncLetrics, AsyncMeetAlfred, SampleClient]
)
@pytest.mark.parametrize("given", [{}, {"api_key": None}, {"api_key": KEY}])
def test_a_key_that_is_passed_as_auth_is_not_shown(make, given, monkeypatch):
    for name in make.provider.key_variables:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="invalid auth: expected one of") as caught:
        make(**given, auth=KEY)
    assert_hidden(f"{caught.value} {caught.value!r}")


@pytest.mark.parametrize("bad", [f"{KEY}\n", f" {KEY}", f"{KEY}é", f"{KEY}\r\nHost: x"])
def test_a_bad_key_is_refused_without_being_shown(bad):
    with pytest.raises(ConfigurationError) as caught:
        SampleClient(api_key=bad)
    assert_hidden(f"{caught.value} {caught.value!r} {caught.value.args} {vars(caught.value)}")


def test_other_bad_settings_do_not_show_it_either():
    for settings in ({"auth": "other"}, {"base_url": "http://x.example"}, {"rate_limit": 5}):
        with pytest.raises(ConfigurationError) as caught:
            SampleClient(api_key=KEY, **settings)
        assert_hidden(f"{caught.value} {caught.value!r} {vars(caught.value)}")


REFUSED: list[tuple[type[Client], str, dict[str, Any]]] = [
    *((cls, f"{KEY}\n", {}) for cls in (AsyncLix, AsyncLookC, AsyncConnectSafely, AsyncMeetAlfred)),
    *((AsyncLix, KEY, options) for options in (
        {"deadline": -1}, {"auth": "other"}, {"base_url": "http://x.example"}, {"rate_limit": 5},
        {"timeout": -1}, {"max_credits": -1}, {"viewer_id": ""}, {"on_drift": 1}, {"clock": 1},
    )),
    (AsyncConnectSafely, KEY, {"account_id": ""}),
    (AsyncLetrics, KEY, {"paths": {"no": "such"}, "base_url": "https://letrics.example"}),
    (AsyncLetrics, KEY, {}),
    (AsyncMeetAlfred, KEY, {"first_page": 3}),
    (AsyncMeetAlfred, KEY, {"key_parameter": "?"}),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "key", "options"), REFUSED)
def test_a_constructor_that_raises_shows_no_key_in_a_traceback_with_locals(cls, key, options):
    with pytest.raises(ConfigurationError) as caught:
        cls(key, **options)
    assert_hidden(*shown(caught.value))
    summary = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    library = [frame for frame in summary.stack if "/lix_async/" in frame.filename]
    assert library
    assert_hidden(*(repr(frame.locals) for frame in library))


def own_reprs() -> list[type]:
    """Every class of the library that describes itself, if its constructor may raise halfway."""
    names = [
        module.name
        for module in pkgutil.walk_packages(lix_async.__path__, "lix_async.")
        if ".cli" not in module.name and not module.name.endswith("__main__")
    ]
    found = [thing for name in names for thing in vars(importlib.import_module(name)).values()]
    kinds = {kind for kind in found if isinstance(kind, type) and "__repr__" in vars(kind)}
    own = [kind for kind in kinds if kind.__module__.startswith("lix_async")]
    return [k for k in own if not (is_dataclass(k) or issubclass(k, msgspec.Struct | tuple))]


def test_an_object_that_is_not_complete_has_a_repr():
    """A traceback with local variables shows `self` of a constructor that raised."""
    kinds = own_reprs()
    assert Client in kinds
    for kind in kinds:
        assert repr(object.__new__(kind))


def test_an_answer_shows_neither_value_nor_body_to_repr_and_rich():
    """rich prints the fields of a struct, also in tracebacks with local variables."""
    answered = Answer(
        value=Thing(id="private"), body=b"private", status=200, raw_headers=[(b"X", b"private")],
        attempts=1, waited=0.0, credits=1, lost=0,
    )  # fmt: skip
    assert pretty_repr(answered) == "Answer(status=200, attempts=1, credits=1, lost=0)"
    assert "private" not in repr(answered)


@pytest.mark.parametrize("taken", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_neither_pickled_nor_copied(taken):
    with pytest.raises(ConfigurationError, match="cannot be pickled") as caught:
        taken(SampleClient(api_key=KEY))
    assert_hidden(str(caught.value))


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("own", [False, True])
def test_a_cancellation_by_asyncio_itself_carries_no_frame_that_saw_the_key(auth, own):
    """`asyncio.timeout` keeps the cancellation, with its frames, as the cause of TimeoutError."""

    async def main() -> BaseException:
        async with serve(silence) as server, httpx.AsyncClient() as http:
            client = http if own else None
            client = SampleClient(api_key=KEY, auth=auth, base_url=server.url, http_client=client)
            async with client:
                try:
                    async with asyncio.timeout(0.05):
                        await client.send(LIST, ListParams())
                except TimeoutError as error:
                    return error
        raise AssertionError("no timeout")

    assert_hidden(*shown(asyncio.run(main())))


def echoes(shown: str) -> Iterator[bytes]:
    """Error bodies of every shape that one of the vendors has, with the key in every field."""
    said = f"key was Bearer {shown}, at {shown}"
    item: dict[str, object] = {"id": shown, "code": said, "details": said, "message": said}
    issue = {**item, "path": [shown, 0], "expected": shown, "received": said}
    zod = {"name": shown, "type": said, "message": said, "issues": [issue, issue], shown: said}
    trees: list[object] = [
        {"error": {"type": shown, "message": said}},
        {"error": {"type": "daily_limit", "message": said, "refreshesAt": shown}},
        {"error": {"type": "queued", "message": said}, shown: {shown: [said]}},
        {"error": said, "code": shown, "success": False, "holdUntil": said},
        {"success": False, "code": "rate_limit_exceeded", "message": f"{said} (120/120)"},
        {"success": False, "error": zod},
        {"success": False, "message": [said]},
        {"errors": [item, {**item, "code": 401}, {"id": shown}]},
        {"message": said, "holdUntil": "2030-01-01T00:00:00Z"},
        {"detail": {"message": said}, "details": said},
        {"profile": {}, "message": said},
        {"success": shown, "items": shown, "data": {shown: [shown]}},
        [shown, {"id": [shown]}],
        said,
    ]
    for tree in trees:
        yield json.dumps(tree).encode()
    yield said.encode()
    yield f"<!doctype html><p title='{said}'>{shown}".encode()
    yield b"x" * (1024 - 9) + shown.encode()  # the end of an error's excerpt would cut it
    yield f'{{"error": "{shown}'.encode()
    yield b"\xff" + shown.encode()


def facts(thing: object, seen: set[int]) -> Iterator[str]:
    """Everything that an object holds, however deep, as texts."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield f"{thing} {thing!r}"
    inside: list[object] = [getattr(thing, "__dict__", None)]
    inside += [getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())]
    inside += getattr(thing, "args", ()), getattr(thing, "__notes__", ())
    if isinstance(thing, dict):
        inside += [*thing, *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inside += thing
    for part in inside:
        yield from facts(part, seen)


class Echo:
    """A transport of the caller's own that returns a given response."""

    def __init__(self) -> None:
        self.said: list[HttpResponse | TransportFailure] = []

    async def exchange(
        self, _outgoing: object, _departure: object
    ) -> HttpResponse | TransportFailure:
        return self.said.pop()

    async def aclose(self) -> None:
        """Nothing to close."""


class Nothing(Params, frozen=True, kw_only=True):
    """The params of a probe: what is asked for does not matter, only what it is read as."""


HEADERS = ["X-Echo", "WWW-Authenticate", "Retry-After", "Location", "X-RateLimit-Action"]
EVERY_ECHO = bool(os.environ.get("LIX_ECHOES"))
STATUSES = [
    200, 202, 301, 304, 400, 401, 402, 403, 404, 405, 407, 409, 422, 429, 500, 502, 503, 504, 999,
]  # fmt: skip
SISTERS: dict[str, tuple[type[Client], tuple[Any, ...], dict[str, object]]] = {
    "lix": (AsyncLix, LIX, {}),
    "lookc": (AsyncLookC, LOOKC, {}),
    "connectsafely": (AsyncConnectSafely, CONNECTSAFELY, {}),
    "letrics": (AsyncLetrics, LETRICS, {"base_url": "https://letrics.example"}),
    "meetalfred": (AsyncMeetAlfred, MEETALFRED, {}),
}


@pytest.mark.parametrize(
    "form", [KEY, ESCAPED, KEY.replace("/", r"\/")], ids=["plain", "percent", "json"]
)
@pytest.mark.parametrize("sister", SISTERS)
def test_a_vendor_that_echoes_the_key_everywhere_puts_it_into_no_error(sister, form):
    """Each row at two statuses, the first of the table at all of them.

    The other rows only with the plain key: the row does not decide how a key is found. `nox -s
    campaign` has every row with each form of it.
    """
    run(echoed(sister, form))


async def echoed(sister: str, form: str) -> None:
    cls, table, own = SISTERS[sister]
    vendor = Echo()
    client = cls(
        KEY, http_client=vendor, rate_limit=None, clock=Skipping(),
        retry=RetryPolicy(attempts=1, queued_attempts=0), **own,
    )  # fmt: skip
    headers = [(name.encode(), form.encode()) for name in HEADERS]
    kinds, refused = set(), 0
    for row in table if form == KEY or EVERY_ECHO else table[:1]:
        probe = replace(row, method="GET", path="/probe", params=Nothing, body=(), alternate=None)
        for status in STATUSES if row is table[0] else [200, 400]:
            for body in echoes(form):
                vendor.said = [HttpResponse(status, headers, body)]
                try:
                    await client.send(probe, Nothing())
                except LixError as error:
                    assert_hidden(*facts(error, set()), *shown(error))
                    refused += isinstance(error, RefusalError) and "***" in error.body
                    kinds.add(type(error))
    assert refused > 100, "it looked where there was something to find"
    assert DecodeError in kinds
    vendor.said = [TransportFailure(f"the proxy said {form} \udc80", sent=False)]
    with pytest.raises(LixError, match=r"the proxy said \*\*\*") as caught:
        await client.send(probe, Nothing())
    assert_hidden(*facts(caught.value, set()), *shown(caught.value))
