"""LookC's webhooks over real HTTP: forged, slow, too large, repeated, and what logs say."""

from __future__ import annotations

import json
import logging
import secrets
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from lix_async import NotFoundError
from lix_async.concurrency.clock import RealClock
from lix_async.core.errors import ConfigurationError
from lix_async.integrations.fastapi import (
    MemorySeenPayloads,
    SeenPayloads,
    SqliteSeenPayloads,
    StopOnDisconnect,
    lookc_webhooks,
    setup,
)

if TYPE_CHECKING:
    from lix_async.providers.lookc.webhooks import WebhookEvent

TOKEN, OTHER = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
SAMPLE = Path(__file__).parents[1] / "contract" / "samples" / "lookc.webhook.json"
EVENT = {"type": "search.person.by-email", "data": None, "n": 1}


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application under uvicorn, in a thread."""
    config = uvicorn.Config(app, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on connections wait for the server
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


class Handler:
    """Keeps the events, and raises what the test sets."""

    def __init__(self) -> None:
        self.events: list[WebhookEvent] = []
        self.raises: Exception | None = None

    async def __call__(self, event: WebhookEvent) -> None:
        self.events.append(event)
        if self.raises is not None:
            raise self.raises


@pytest.fixture
def handler() -> Handler:
    return Handler()


def app_with(handler: Handler, **options: Any) -> FastAPI:
    app = FastAPI()
    setup(app)
    app.include_router(lookc_webhooks(TOKEN, OTHER, handler=handler, **options))
    return app


def raw(url: str, data: bytes) -> bytes:
    """What the server answers to these bytes, of which more never come."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(data)
        found = b""
        while part := connection.recv(65536):
            found += part
    return found


def test_what_is_not_a_webhook_is_refused(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_with(handler, max_body=1000, read_seconds=0.2)
    with caplog.at_level(logging.INFO), served(app) as url, httpx.Client(base_url=url) as http:
        path = f"/hooks/lookc/{TOKEN}"
        forged = http.post(f"/hooks/lookc/{secrets.token_urlsafe(32)}", json=EVENT)
        assert (forged.status_code, forged.content) == (404, b"")
        statuses = {
            "good": http.post(path, json=EVENT).status_code,
            "repeated": http.post(path, content=json.dumps(EVENT, indent=2)).status_code,
            "other token": http.post(f"/hooks/lookc/{OTHER}", json={**EVENT, "n": 2}).status_code,
            "large": http.post(path, content=b"x" * 1001).status_code,
            "no JSON": http.post(path, content=b"{").status_code,
            "a list": http.post(path, json=[EVENT]).status_code,
            "no type": http.post(path, json={"data": 1}).status_code,
            "empty": http.post(path, content=b"").status_code,
        }
        assert statuses == {
            "good": 204,
            "repeated": 204,
            "other token": 204,
            "large": 413,
            "no JSON": 400,
            "a list": 400,
            "no type": 400,
            "empty": 400,
        }
        head = f"POST {path} HTTP/1.1\r\nHost: app\r\n"
        chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
        counted = raw(url, chunked + b"3e9\r\n" + b"x" * 1001 + b"\r\n")
        assert counted.startswith(b"HTTP/1.1 413")
        slow = raw(url, f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert slow.startswith(b"HTTP/1.1 408")
        forged_head = f"POST /hooks/lookc/{'x' * 43} HTTP/1.1\r\nHost: app\r\n"
        early = raw(url, f"{forged_head}Connection: close\r\nContent-Length: 100\r\n\r\n".encode())
        assert early.startswith(b"HTTP/1.1 404"), "before the body"
        assert http.get("/openapi.json").json()["paths"] == {}
    assert len(handler.events) == 2
    access = [one.getMessage() for one in caplog.records if one.name == "uvicorn.access"]
    assert len(access) > 10
    assert not any(TOKEN in line or OTHER in line for line in access)
    assert all("/hooks/lookc/***" in line for line in access if "POST" in line)


def test_a_handler_that_raised_is_called_again(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    handler.raises = NotFoundError("not confirmed")
    body = SAMPLE.read_bytes()
    with served(app_with(handler)) as url, httpx.Client(base_url=url) as http:
        path = f"/hooks/lookc/{TOKEN}"
        assert http.post(path, content=body).status_code == 500
        handler.raises = None
        assert [http.post(path, content=body).status_code for _ in range(2)] == [204, 204]
    assert len(handler.events) == 2
    assert handler.events[0].data is not None
    assert "NotFoundError" in caplog.text


@pytest.mark.anyio
async def test_equal_payloads_at_the_same_time_are_handled_once(handler: Handler) -> None:
    going_on = anyio.Event()
    calls: list[WebhookEvent] = []

    async def slow(event: WebhookEvent) -> None:
        calls.append(event)
        await going_on.wait()

    app = FastAPI()
    app.include_router(lookc_webhooks(TOKEN, handler=slow))
    transport = httpx.ASGITransport(app)
    statuses: list[int] = []

    async def post() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as http:
            statuses.append((await http.post(f"/hooks/lookc/{TOKEN}", json=EVENT)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(post)
        await anyio.wait_all_tasks_blocked()
        going_on.set()
    assert (len(calls), statuses) == (1, [204, 204, 204])


@pytest.mark.anyio
@pytest.mark.parametrize("whole", [True, False])
async def test_a_sender_that_leaves(handler: Handler, whole: bool) -> None:
    going_on, left = anyio.Event(), anyio.Event()
    done: list[WebhookEvent] = []

    async def slow(event: WebhookEvent) -> None:
        await going_on.wait()
        done.append(event)

    app = FastAPI()
    app.include_router(lookc_webhooks(TOKEN, handler=slow))
    body = json.dumps(EVENT).encode()
    messages = [{"type": "http.request", "body": body, "more_body": not whole}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/lookc/{TOKEN}",
        "query_string": b"",
        "headers": [],
    }
    async with anyio.create_task_group() as tasks:
        served_app = StopOnDisconnect(app) if whole else app
        tasks.start_soon(served_app, scope, receive, send)
        await anyio.wait_all_tasks_blocked()
        left.set()
        await anyio.wait_all_tasks_blocked()
        going_on.set()
    assert len(done) == whole
    if not whole:
        assert sent[0]["status"] == 400


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_payloads_are_remembered_for_a_day(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(RealClock, "wall", staticmethod(lambda: now[0]))
    path = tmp_path / "seen.db"
    seen: SeenPayloads = MemorySeenPayloads(2) if kind == "memory" else SqliteSeenPayloads(path)
    assert not await seen.has("a")
    await seen.add("a")
    await seen.add("a")
    assert await seen.has("a")
    now[0] += 86_399
    assert await seen.has("a")
    now[0] += 2
    assert not await seen.has("a")
    for one in "bcd":
        await seen.add(one)
    assert [await seen.has(one) for one in "bcd"] == [kind == "sqlite", True, True]
    if kind == "sqlite":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await SqliteSeenPayloads(path).has("d")


@pytest.mark.parametrize(
    ("tokens", "options", "message"),
    [
        ((), {}, "no token"),
        (("short",), {}, "at least 43 characters"),
        ((TOKEN, "x" * 42 + "/"), {}, "no slash"),
        ((1,), {}, "a token"),
        ((TOKEN,), {"prefix": "hooks"}, "prefix"),
        ((TOKEN,), {"prefix": "/hooks/"}, "prefix"),
        ((TOKEN,), {"max_body": "1"}, "max_body"),
        ((TOKEN,), {"read_seconds": "1"}, "read_seconds"),
        ((TOKEN,), {"handler": None}, "handler"),
    ],
)
def test_wrong_arguments(
    handler: Handler, tokens: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        lookc_webhooks(*tokens, **{"handler": handler, **options})
    assert TOKEN not in str(caught.value)


def test_a_log_record_may_have_any_arguments(handler: Handler) -> None:
    lookc_webhooks(TOKEN, handler=handler, prefix="/own")
    log = logging.getLogger("uvicorn.access")
    for arguments in ((f"/own/{TOKEN}", 1), ({"path": f"/own/{TOKEN}"},), ()):
        record = log.makeRecord("a", 20, "f", 1, f"GET /own/{TOKEN}", arguments, None)
        record.msg = f"GET /own/{TOKEN} {'%(path)s' if record.args and isinstance(record.args, dict) else ''}"
        assert log.filter(record)
        assert TOKEN not in str(record.msg) + str(record.args)
