"""FastAPI in one process: clients, errors as answers, streams, and callers who leave."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import fastapi
import fastapi.encoders
import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.testclient import TestClient
from openapi_spec_validator import validate
from starlette.requests import Request
from starlette.testclient import WebSocketDenialResponse

import lix_async.integrations.fastapi
from lix_async import AsyncLix, AsyncLookC, Checkpoint, LocalLimiter, Page, Person, Post, RateLimit
from lix_async.core.errors import (
    BulkError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    LixError,
    NotFoundError,
    OutageError,
    PendingError,
    QueuedError,
    RateLimitError,
    ServerError,
    TransportError,
    WeeklyLimitError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.events import CallEnded, Event
from lix_async.integrations.fastapi import (
    PROBLEMS,
    LixDep,
    LookCDep,
    StopOnDisconnect,
    client,
    problem,
    setup,
    stream,
    stream_of,
)
from lix_async.limiters.base import Limiter
from lix_async.sandbox import Sandbox
from lix_async.testing import VirtualClock, memory_client

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio
LINK = "https://www.linkedin.com/in/person-1"
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=total:{}"


class MyLix(AsyncLix):
    """A class of a user's own."""


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The application after its start, and a client of it."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://app") as http,
    ):
        yield http


def backend(*clients: AsyncLix, **options: Any) -> FastAPI:
    app = FastAPI(responses=PROBLEMS)
    setup(app, *clients, **options)

    @app.get("/person")
    async def person(link: str, lix: LixDep) -> Person:
        return await lix.people.get(link)

    @app.get("/plain")
    async def plain(link: str, lix: LixDep):  # type: ignore[no-untyped-def]  # that is tested
        return {"found": await lix.people.get(link)}

    @app.get("/search")
    async def search(url: str, lix: LixDep, sse: bool = False, items: int = 500) -> Any:
        return stream(lix.search.people(url, max_items=items), sse=sse)

    @app.get("/page")
    async def page(url: str, lix: LixDep) -> Page[Person] | None:
        return await lix.search.people(url).next_page()

    return app


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(people=60, rate=None)


# Clients


async def test_routes_share_an_open_client(sandbox: Sandbox) -> None:
    app = backend(memory_client(sandbox))
    async with served(app) as http:
        typed = await http.get("/person", params={"link": LINK})
        plain = await http.get("/plain", params={"link": LINK})
        page = await http.get("/page", params={"url": SEARCH.format(3)})
    assert typed.status_code == plain.status_code == 200
    assert typed.json() == plain.json()["found"]
    assert len(page.json()["items"]) == 3
    validate(app.openapi())
    assert app.openapi()["openapi"].startswith("3.1")


def test_the_table_of_encoders_is_still_there() -> None:
    """FastAPI does not document it: without it, routes need a return annotation."""
    assert isinstance(fastapi.encoders.encoders_by_class_tuples, dict)


async def test_a_stored_error_in_a_struct_is_written_as_text(sandbox: Sandbox) -> None:
    from lix_async.bulk import Outcome

    app = backend(memory_client(sandbox))

    @app.get("/outcome")
    async def outcome():  # type: ignore[no-untyped-def]  # that is tested
        return Outcome(input=LINK, state="failed", error=TransportError("no connection"))

    async with served(app) as http:
        assert (await http.get("/outcome")).json()["error"] == "no connection"


async def test_the_applications_own_lifespan_runs_inside(sandbox: Sandbox) -> None:
    lix = memory_client(sandbox)
    steps: list[object] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        steps.append((await lix.people.get(LINK)).name)
        yield {"own": 1}
        steps.append((await lix.people.get(LINK)).name)

    app = FastAPI(lifespan=lifespan)
    setup(app, lix)
    async with app.router.lifespan_context(app) as state:
        assert state == {"own": 1}
    assert len(steps) == 2


async def test_a_client_of_a_class_of_ones_own(sandbox: Sandbox) -> None:
    app = FastAPI()
    setup(app, memory_client(sandbox, AsyncLix), memory_client(sandbox, MyLix))
    names = []

    @app.get("/both")
    async def both(one: LixDep, other: Annotated[MyLix, Depends(client(MyLix))]) -> None:
        names.extend([type(one).__name__, type(other).__name__])

    async with served(app) as http:
        assert (await http.get("/both")).status_code == 200
    assert names == ["AsyncLix", "MyLix"]


def test_a_test_puts_another_client_in_place_of_the_apps(sandbox: Sandbox) -> None:
    app = backend(AsyncLix("key-of-the-app"))
    app.dependency_overrides[client(AsyncLix)] = lambda: memory_client(sandbox)
    http = TestClient(app)  # without its block: the app's own clients are not opened
    assert http.get("/person", params={"link": LINK}).json()["name"]
    rows = http.get("/search", params={"url": SEARCH.format(12)}).text.splitlines()
    assert len(rows) == 13
    assert sandbox.ledger.totals()["standard"] == 3
    assert client(AsyncLix) is client(AsyncLix)


@pytest.mark.parametrize("cached", [False, True])
def test_a_mounted_application_has_the_clients_of_the_outer_one(
    sandbox: Sandbox, cached: bool, tmp_path: Path
) -> None:
    outer, inner = FastAPI(), backend()
    setup(outer, memory_client(sandbox, cache=tmp_path / "people.db" if cached else None))
    outer.mount("/inner", inner)
    with TestClient(outer) as http:
        assert http.get("/inner/person", params={"link": LINK}).json()["name"]
        wrong = http.get("/inner/person", params={"link": "x"})
        assert wrong.json()["title"] == "ConfigurationError"
        assert wrong.status_code == 422


async def test_a_caller_of_a_mounted_application_who_leaves_gets_the_answer_under_way(
    sandbox: Sandbox,
) -> None:
    events: list[Event] = []
    asked, answered = anyio.Event(), anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await answered.wait()
        await sandbox.app(scope, receive, send)

    http_client = httpx.AsyncClient(transport=httpx.ASGITransport(slow))
    lix = AsyncLix(
        "sandbox-key",
        base_url="http://127.0.0.1",
        rate_limit=None,
        http_client=http_client,
        on_event=events.append,
    )
    outer, inner = FastAPI(), backend(lix)  # the middleware of both
    setup(outer)
    outer.mount("/inner", inner)
    async with http_client, inner.router.lifespan_context(inner):
        caller = Caller(outer, "/inner/person", link=LINK)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.call)
            await asked.wait()
            caller.left.set()
            await anyio.wait_all_tasks_blocked()
            assert [one for one in events if isinstance(one, CallEnded)] == []
            answered.set()
    assert [one.outcome for one in events if isinstance(one, CallEnded)] == ["ok"]


async def test_a_missing_client_is_named_at_the_request(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def route(lookc: LookCDep) -> None:
        raise AssertionError

    bare, app = FastAPI(), FastAPI()
    for one in (bare, app):
        one.get("/")(route)
    async with served(bare) as http:
        with pytest.raises(ConfigurationError, match=r"add setup\(app, AsyncLookC\(\)\)"):
            await http.get("/")
    setup(app, memory_client(sandbox))
    async with served(app) as http:
        answer = await http.get("/")
    assert (answer.status_code, "detail" in answer.json()) == (500, False)
    assert "add setup(app, AsyncLookC())" in caplog.text


def test_wrong_arguments_of_setup(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="a client"):
        setup(FastAPI(), AsyncLix)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="one client of each class"):
        setup(FastAPI(), memory_client(sandbox), memory_client(sandbox))
    app = FastAPI()
    setup(app, memory_client(sandbox))
    with pytest.raises(ConfigurationError, match="called before"):
        setup(app, memory_client(sandbox, AsyncLookC))


async def test_a_client_that_cannot_open_fails_the_start(tmp_path: Path) -> None:
    (tmp_path / "people.db").write_text("no database, but a text that is long enough " * 50)
    app = backend(memory_client(Sandbox(rate=None), cache=tmp_path / "people.db"))
    with pytest.raises(LixError):
        async with served(app):
            pass


def test_the_dependencies_are_exported() -> None:
    for name in lix_async.integrations.fastapi.__all__:
        assert getattr(lix_async.integrations.fastapi, name) is not None
    with pytest.raises(AttributeError, match="OtherDep"):
        lix_async.integrations.fastapi.OtherDep  # type: ignore[attr-defined]  # noqa: B018


# Errors as answers

EXPECTED = {
    "LixError": 500,
    "ConfigurationError": 422,
    "MissingClientError": 422,  # by itself; `setup` makes it 500
    "TransportError": 502,
    "DeadlineError": 504,
    "PendingError": 504,
    "OutcomeUnknownError": 502,
    "RefusalError": 500,
    "InvalidParamsError": 422,
    "InvalidFieldsError": 422,
    "AuthenticationError": 500,
    "QuotaExceededError": 402,
    "BudgetError": 402,
    "NotFoundError": 404,
    "ViewerError": 409,
    "RateLimitError": 503,
    "HeldError": 503,
    "DailyLimitError": 429,
    "WeeklyLimitError": 429,
    "QueuedError": 503,
    "ServerError": 502,
    "DecodeError": 502,
    "PagingError": 500,
    "BulkError": 500,
    "OutageError": 503,
    "BusyError": 503,
    "InDoubtError": 409,
    "JobExistsError": 409,
    "SuppressedError": 410,
    "LedgerGoneError": 503,
    "LedgerNotFoundError": 500,
    "LedgerParkedError": 503,
    "LedgerUnreachableError": 503,
    "LetricsError": 500,
    "LetricsInvalidParamsError": 422,
    "LetricsAuthenticationError": 500,
    "LetricsQuotaExceededError": 402,
    "LetricsNotFoundError": 404,
    "LetricsRateLimitError": 503,
    "LetricsServerError": 502,
}


def kinds(base: type[LixError] = LixError) -> Iterator[type[LixError]]:
    yield base
    for kind in base.__subclasses__():
        if kind.__module__.startswith("lix_async."):
            yield from kinds(kind)


def test_every_error_has_its_status() -> None:
    import lix_async.providers.connectsafely.errors
    import lix_async.providers.letrics.errors  # noqa: F401  # its errors count as well

    found = {kind.__name__: kind for kind in kinds()}
    statuses = {}
    for name, kind in found.items():
        error = kind("words of a vendor")
        error.endpoint = "person.get"
        answer = problem(error, now=0.0)
        body = json.loads(bytes(answer.body))
        statuses[name] = answer.status_code
        assert answer.media_type == "application/problem+json"
        assert body["status"] == answer.status_code
        assert body["title"] == name
        assert body["endpoint"] == "person.get"
        assert ("detail" in body) == (answer.status_code < 500)
        assert body["type"].startswith("urn:lix-async:")
        assert answer.status_code in PROBLEMS
        if answer.status_code in (429,) or isinstance(error, RateLimitError | QueuedError):
            assert int(answer.headers["retry-after"]) > 0
    assert statuses == EXPECTED
    assert json.loads(bytes(problem(NotFoundError("x")).body))["type"] == "urn:lix-async:not-found"


def outage(seconds: float) -> OutageError:
    error = OutageError("no connection")
    error.retry_after = seconds
    return error


def daily(refreshes_at: float | None) -> DailyLimitError:
    error = DailyLimitError("used up")
    error.refreshes_at = refreshes_at
    return error


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitError("x", retry_after=0.2), "1"),
        (RateLimitError("x", retry_after=7.0), "7"),
        (RateLimitError("x", endpoint="person.get"), "3"),
        (RateLimitError("x", endpoint="lookc.org_employees"), "1"),
        (RateLimitError("x", endpoint="connectsafely.profile"), "15"),
        (RateLimitError("x", retry_after=1e308), str(2**31 - 1)),
        (QueuedError("x"), "60"),
        (QueuedError("x", retry_after=90.5), "91"),
        (daily(1_000_100.2), "101"),
        (daily(999_999.0), "0"),
        (daily(None), str(12 * 86400 - 1_000_000)),
        (WeeklyLimitError("x", retry_after=5.0), "5"),
        (DeadlineError("x", retry_at=1_000_002.5), "3"),
        (PendingError("x", request_id="id", retry_at=1_000_010.0), "10"),
        (DeadlineError("x"), None),
        (ServerError("x", retry_after=4.0), "4"),
        (ServerError("x"), None),
        (outage(12.3), "13"),
        (OutageError("x"), None),
        (NotFoundError("x"), None),
    ],
    ids=str,
)
def test_when_to_try_again(error: LixError, seconds: str | None) -> None:
    assert problem(error, now=1_000_000.0).headers.get("retry-after") == seconds


def test_what_an_answer_says() -> None:
    body = json.loads(bytes(problem(PendingError("not yet", request_id="abc")).body))
    assert body["request_id"] == "abc"
    named = problem(NotFoundError("x"), statuses={NotFoundError: 410, LixError: 418})
    other = problem(ServerError("x"), statuses={LixError: 418})
    assert (named.status_code, other.status_code) == (410, 502)
    assert problem(BulkError("x"), statuses={BulkError: 418}).status_code == 418
    error = ServerError("SENTINEL", status=502, body="SENTINEL", kind="SENTINEL")
    assert b"SENTINEL" not in bytes(problem(error).body)
    error_below = NotFoundError("no such person", body="SENTINEL", headers={"a": "SENTINEL"})
    assert b"SENTINEL" not in bytes(problem(error_below).body)


async def test_errors_of_routes_become_answers(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    lix = memory_client(
        sandbox, retry=RetryPolicy(attempts=1, queued_attempts=0, queued_interval=9)
    )
    async with served(backend(lix)) as http:

        async def status(force: str | None, link: str = LINK) -> httpx.Response:
            if force is not None:
                sandbox.faults.force(force)
            return await http.get("/person", params={"link": link})

        foreign = await status(None, "https://example.com/x")
        assert foreign.status_code == 422
        assert foreign.headers["content-type"] == "application/problem+json"
        assert "linkedin.com" in foreign.json()["detail"]
        missing = await status(None, "https://www.linkedin.com/in/missing-person")
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:lix-async:not-found")
        limited = await status("rate_limit")
        assert limited.status_code == 503
        assert int(limited.headers["retry-after"]) >= 3
        queued = await status("queued")
        assert (queued.status_code, queued.headers["retry-after"]) == (503, "9")
        used = await status("daily_limit", f"{LINK}2")
        assert (used.status_code, used.headers["retry-after"].isdecimal()) == (429, True)
        down = await status("unavailable", f"{LINK}3")
        assert (down.status_code, "detail" in down.json()) == (502, False)
        assert "AuthenticationError" not in caplog.text
    wrong = memory_client(sandbox, api_key="bad-key")
    async with served(backend(wrong)) as http:
        answer = await http.get("/person", params={"link": LINK})
    assert (answer.status_code, "detail" in answer.json()) == (500, False)
    assert any(record.levelno == logging.ERROR for record in caplog.records)
    assert "bad-key" not in caplog.text


async def test_statuses_of_ones_own_and_none(sandbox: Sandbox) -> None:
    missing = "https://www.linkedin.com/in/missing-person"
    app = backend(memory_client(sandbox), statuses={NotFoundError: 410})
    async with served(app) as http:
        assert (await http.get("/person", params={"link": missing})).status_code == 410
    app = backend(memory_client(sandbox), problems=False)
    async with served(app) as http:
        with pytest.raises(NotFoundError):
            await http.get("/person", params={"link": missing})


# Streams


def lines(answer: httpx.Response) -> list[Any]:
    return [json.loads(line) for line in answer.text.splitlines() if line]


async def test_a_listing_is_sent_row_by_row(sandbox: Sandbox) -> None:
    async with served(backend(memory_client(sandbox))) as http:
        answer = await http.get("/search", params={"url": SEARCH.format(25)})
        events = await http.get("/search", params={"url": SEARCH.format(25), "sse": True})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    *rows, end = lines(answer)
    assert len(rows) == 25
    assert end == {"_end": {"done": True, "items": 25, "credits": 3, "complete": True}}
    assert events.headers["content-type"].startswith("text/event-stream")
    start, *parts, rest = events.text.split("\n\n")
    assert (start, rest) == ("retry: 86400000", "")
    *others, last = [json.loads(part.removeprefix("data: ")) for part in parts]
    assert (len(others), last) == (25, end)
    assert others[0].keys() == rows[0].keys()


async def test_an_error_in_a_stream_says_where_to_go_on(sandbox: Sandbox) -> None:
    lix = memory_client(sandbox, max_credits=2)
    async with served(backend(lix)) as http:
        answer = await http.get("/search", params={"url": SEARCH.format(25)})
    *rows, end = lines(answer)
    assert answer.status_code == 200
    assert len(rows) == 20
    end = end["_end"]
    assert (end["done"], end["items"], end["credits"], end["complete"]) == (False, 20, 2, False)
    assert (end["problem"]["title"], end["problem"]["status"]) == ("BudgetError", 402)
    async with memory_client(sandbox) as other:
        resume = Checkpoint.from_json(end["checkpoint"])
        rest = await other.search.people(SEARCH.format(25), resume=resume).collect()
    assert len(rest) == 5


async def test_an_operators_error_in_a_stream_is_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(backend(memory_client(sandbox, api_key="bad-key"))) as http:
        answer = await http.get("/search", params={"url": SEARCH.format(25)})
    (end,) = lines(answer)
    assert end["_end"]["problem"]["status"] == 500
    assert "detail" not in end["_end"]["problem"]
    assert any(record.levelno == logging.ERROR for record in caplog.records)


async def test_a_stream_says_that_it_lives_while_a_page_waits() -> None:
    async with VirtualClock() as clock:
        sandbox = Sandbox(people=60, rate=None, clock=clock.now, wall=clock.wall)
        limiter = LocalLimiter(RateLimit(1, per=40.0), clock=clock)
        lix = memory_client(sandbox, clock=clock, rate_limit=limiter)
        async with served(backend(lix)) as http:
            plain = await http.get("/search", params={"url": SEARCH.format(15)})
            events = await http.get("/search", params={"url": SEARCH.format(15), "sse": True})
    assert len(lines(plain)) == 16
    assert plain.text.splitlines().count("") >= 2
    assert events.text.count(": keep-alive\n\n") >= 2
    assert lines(plain)[-1]["_end"]["credits"] == 2


def test_a_stream_is_described_by_its_media_type_and_its_rows(sandbox: Sandbox) -> None:
    app = FastAPI(responses=PROBLEMS)

    @app.get("/people", **stream_of(Person))
    async def people(url: str, lix: LixDep) -> Response:
        return stream(lix.search.people(url))

    @app.get("/posts", **stream_of(Post, sse=True))
    async def posts(url: str, lix: LixDep) -> Response:
        return stream(lix.search.posts(url), sse=True)

    document = app.openapi()
    validate(document)
    for path, media_type, row in (
        ("/people", "application/x-ndjson", "Person"),
        ("/posts", "text/event-stream", "Post"),
    ):
        described = document["paths"][path]["get"]["responses"]["200"]
        assert list(described["content"]) == [media_type]
        references = [one["$ref"] for one in described["content"][media_type]["schema"]["anyOf"]]
        assert references == [f"#/components/schemas/{name}" for name in (row, "StreamEndLine")]
        assert "the last one is `_end`" in described["description"]
    end = document["components"]["schemas"]["StreamEnd"]["properties"]
    assert all(field["description"] for field in end.values())
    for wrong in (dict, "Person", None):
        with pytest.raises(ConfigurationError, match="kind must be the struct of the rows"):
            stream_of(wrong)  # type: ignore[arg-type]


def test_wrong_arguments_of_streams(sandbox: Sandbox) -> None:
    lix = memory_client(sandbox)
    with pytest.raises(ConfigurationError, match="prefetch=1 buys a page ahead"):
        stream(lix.search.people(SEARCH.format(5), prefetch=1))
    stream(lix.search.people(SEARCH.format(5), prefetch=1), prefetch=True)
    for wrong in (0, -1.0, float("inf")):
        with pytest.raises(ConfigurationError, match="heartbeat"):
            stream(lix.search.people(SEARCH.format(5)), heartbeat=wrong)
    with pytest.raises(ConfigurationError, match="pages"):
        stream([])  # type: ignore[arg-type]


# Callers who leave


class HeldPermits(Limiter):
    """Gives permits when the test says so."""

    def __init__(self) -> None:
        self.waiting = 0
        self.open = anyio.Event()

    async def acquire(self) -> None:
        self.waiting += 1
        try:
            await self.open.wait()
        finally:
            self.waiting -= 1

    async def hold(self, seconds: float) -> None:
        pass


class Caller:
    """A caller of an ASGI application who may leave."""

    def __init__(self, app: Any, path: str, method: str = "GET", **query: str) -> None:
        self.left = anyio.Event()
        self.sent: list[Message] = []
        self.received = 0
        self._app = app
        self._body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
        text = str(httpx.QueryParams(query)).encode()
        self._scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": text,
            "headers": [],
            "client": ("127.0.0.1", 1),
            "server": ("app", 80),
            "state": {},
        }

    async def receive(self) -> Message:
        if self._body:
            return self._body.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def call(self) -> None:
        await self._app(self._scope, self.receive, self.send)


async def test_callers_who_leave_while_they_wait_cost_nothing(sandbox: Sandbox) -> None:
    permits = HeldPermits()
    app = backend(memory_client(sandbox, rate_limit=permits))
    async with app.router.lifespan_context(app):
        callers = [Caller(app, "/person", link=f"{LINK}{n}") for n in range(10)]
        async with anyio.create_task_group() as tasks:
            for caller in callers:
                tasks.start_soon(caller.call)
            await anyio.wait_all_tasks_blocked()
            assert permits.waiting == 10
            for caller in callers:
                caller.left.set()
        assert permits.waiting == 0
        permits.open.set()
        await anyio.wait_all_tasks_blocked()
    assert sandbox.requests == []


@pytest.mark.parametrize("cached", [False, True])
async def test_an_attempt_under_way_is_waited_for(
    sandbox: Sandbox, cached: bool, tmp_path: Path
) -> None:
    events: list[Event] = []
    asked, answered = anyio.Event(), anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await answered.wait()
        await sandbox.app(scope, receive, send)

    http_client = httpx.AsyncClient(transport=httpx.ASGITransport(slow))
    lix = AsyncLix(
        "sandbox-key",
        base_url="http://127.0.0.1",
        rate_limit=None,
        http_client=http_client,
        on_event=events.append,
        cache=tmp_path / "people.db" if cached else None,
    )
    app = backend(lix)
    reached: list[str] = []

    @app.get("/twice")
    async def twice(lix: LixDep) -> None:
        await lix.people.get(LINK)
        reached.append("after the first")
        await anyio.lowlevel.checkpoint()
        reached.append("after its next wait")

    async with http_client, app.router.lifespan_context(app):
        caller = Caller(app, "/twice")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.call)
            await asked.wait()
            caller.left.set()
            await anyio.wait_all_tasks_blocked()
            assert [one for one in events if isinstance(one, CallEnded)] == []
            answered.set()
        assert "after its next wait" not in reached
        if cached:
            await lix.people.get(LINK)
            while lix.cache.flights:  # the answer is in the ledger a little before they end
                await anyio.lowlevel.checkpoint()
            assert lix.cache.stats.bought == 1
        assert [one.outcome for one in events if isinstance(one, CallEnded)] == ["ok"]
    assert len(sandbox.requests) == 1


async def test_a_middleware_around_it_raises_no_error_where_the_caller_has_left(
    sandbox: Sandbox,
) -> None:
    """It gets an answer, which no server sends."""
    permits = HeldPermits()
    app = backend(memory_client(sandbox, rate_limit=permits))
    statuses: list[int] = []

    @app.middleware("http")
    async def note(request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
        answer = await call_next(request)
        statuses.append(answer.status_code)
        return answer

    async with app.router.lifespan_context(app):
        caller = Caller(app, "/person", link=LINK)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.call)
            await anyio.wait_all_tasks_blocked()
            assert permits.waiting == 1
            caller.left.set()
    assert statuses == [499]


async def test_a_server_that_refuses_to_send_to_a_caller_who_has_left(sandbox: Sandbox) -> None:
    permits = HeldPermits()
    app = backend(memory_client(sandbox, rate_limit=permits))
    refused: list[str] = []

    async def send(message: Message) -> None:
        refused.append(message["type"])
        raise OSError("the connection is closed")

    async with app.router.lifespan_context(app):
        caller = Caller(app, "/person", link=LINK)
        caller.send = send  # type: ignore[method-assign]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.call)
            await anyio.wait_all_tasks_blocked()
            caller.left.set()
    assert refused == ["http.response.start"]


async def test_a_call_that_acts_is_never_cancelled(sandbox: Sandbox) -> None:
    permits = HeldPermits()
    lix = memory_client(sandbox, rate_limit=permits)
    app = backend(lix)
    reached: list[str] = []

    @app.post("/invite")
    async def invite(lix: LixDep) -> None:
        await lix.connections.send(LINK, viewer_id="viewer-1")
        reached.append("sent")
        await anyio.lowlevel.checkpoint()
        reached.append("noted")

    async with app.router.lifespan_context(app):
        caller = Caller(app, "/invite", "POST")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.call)
            await anyio.wait_all_tasks_blocked()
            caller.left.set()
            await anyio.wait_all_tasks_blocked()
            assert permits.waiting == 1
            permits.open.set()
    assert reached == ["sent", "noted"]


async def test_a_stream_stops_at_the_row_at_which_the_caller_leaves(sandbox: Sandbox) -> None:
    app = backend(memory_client(sandbox))
    caller = Caller(app, "/search", url=SEARCH.format(60))
    send = caller.send

    async def leave_at_the_first_row(message: Message) -> None:
        await send(message)
        if message.get("body"):
            caller.left.set()
            await anyio.wait_all_tasks_blocked()

    caller.send = leave_at_the_first_row  # type: ignore[method-assign]
    async with app.router.lifespan_context(app):
        await caller.call()
    assert len(sandbox.requests) == 1


async def test_what_follows_an_answer_is_not_cancelled(sandbox: Sandbox) -> None:
    app = backend(memory_client(sandbox))
    reached: list[str] = []
    left = anyio.Event()

    async def later() -> None:
        await left.wait()
        await anyio.lowlevel.checkpoint()
        reached.append("later")

    @app.get("/later")
    async def route(tasks: BackgroundTasks) -> str:
        tasks.add_task(later)
        return "answer"

    async with app.router.lifespan_context(app):
        caller = Caller(app, "/later")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.call)
            await anyio.wait_all_tasks_blocked()
            caller.left.set()
            await anyio.wait_all_tasks_blocked()
            left.set()
    assert reached == ["later"]


async def test_an_error_is_not_wrapped_in_a_group(sandbox: Sandbox) -> None:
    app = backend(memory_client(sandbox))

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError

    @app.get("/group")
    async def group() -> None:
        async with anyio.create_task_group():
            raise ZeroDivisionError

    @app.get("/groups")
    async def groups() -> None:
        raise ExceptionGroup("two", [ZeroDivisionError(), KeyError()])

    async with served(app) as http:
        for path in ("/bug", "/group"):
            with pytest.raises(ZeroDivisionError):
                await http.get(path)
        with pytest.raises(ExceptionGroup, match="two"):
            await http.get("/groups")


async def test_bodies_and_disconnects_reach_the_application() -> None:
    heard: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        heard.append(await request.body())
        heard.append(await request.is_disconnected())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await anyio.wait_all_tasks_blocked()
        heard.append(await request.is_disconnected())
        heard.append(await receive())

    caller = Caller(StopOnDisconnect(app), "/", "POST")
    caller._body = [
        {"type": "http.request", "body": b"one", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": False},
    ]
    send = caller.send

    async def leave(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.body":
            caller.left.set()

    caller.send = leave  # type: ignore[method-assign]
    await caller.call()
    assert heard == [b"onetwo", False, True, {"type": "http.disconnect"}]
    other: list[str] = []

    async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        other.append(scope["type"])

    await StopOnDisconnect(lifespan)({"type": "lifespan"}, caller.receive, caller.send)
    assert other == ["lifespan"]


async def test_it_can_be_left_out(sandbox: Sandbox) -> None:
    app = backend(memory_client(sandbox), stop_on_disconnect=False)
    assert "StopOnDisconnect" not in repr(app.user_middleware)
    async with served(app) as http:
        assert (await http.get("/person", params={"link": LINK})).status_code == 200


def test_web_sockets_have_clients_and_end_with_the_name_of_an_error(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    app = backend(memory_client(sandbox))

    @app.websocket("/names")
    async def names(socket: WebSocket, lix: LixDep, early: bool = False) -> None:
        if early:
            await lix.people.get("https://example.com/person")
        await socket.accept()
        async for link in socket.iter_text():
            await socket.send_text((await lix.people.get(link)).name or "")

    with TestClient(app) as http:
        with http.websocket_connect("/names") as socket:
            socket.send_text(LINK)
            assert socket.receive_text()
            socket.send_text("https://example.com/person")
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
            assert (closed.value.code, closed.value.reason) == (1011, "ConfigurationError")
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            http.websocket_connect("/names?early=1"),
        ):
            pass
        assert refused.value.status_code == 422
        assert refused.value.json()["title"] == "ConfigurationError"


async def test_a_server_without_refusals_of_web_sockets_gets_the_error(sandbox: Sandbox) -> None:
    app = backend(memory_client(sandbox))

    @app.websocket("/names")
    async def names(socket: WebSocket, lix: LixDep) -> None:
        await lix.people.get("https://example.com/person")

    async with app.router.lifespan_context(app):
        caller = Caller(app, "/names")
        caller._scope |= {"type": "websocket", "scheme": "ws", "subprotocols": []}
        with pytest.raises(ConfigurationError):
            await caller.call()
    assert caller.sent == []
