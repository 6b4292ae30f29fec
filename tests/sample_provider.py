"""A provider for tests: a few endpoints, and a transport with scripted answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from lix_async.concurrency.event_loop import running_loop
from lix_async.core.endpoint import Endpoint, Price, required, standard
from lix_async.core.error_responses import ErrorResponseParser
from lix_async.core.errors import (
    ConfigurationError,
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    QueuedError,
    RateLimitError,
    RefusalError,
    ServerError,
)
from lix_async.core.models import Listing, Model, Params
from lix_async.core.pagination import Offset, PageInUrl
from lix_async.core.provider import AuthScheme, Provider
from lix_async.core.rate_limit import RateLimit
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.client import Client
from lix_async.engine.transport import SendTimestamp, TransportFailure

T = TypeVar("T")
Said = HttpResponse | TransportFailure | BaseException | Callable[[HttpRequest], Any]

SAMPLE = Provider(
    name="Sample",
    base_url="https://sample.example",
    key_variables=("SAMPLE_API_KEY", "OTHER_API_KEY"),
    url_variable="SAMPLE_BASE_URL",
    credentials={
        "raw": AuthScheme("header", "Authorization"),
        "bearer": AuthScheme("header", "Authorization", "Bearer "),
        "x-api-key": AuthScheme("header", "X-Api-Key"),
        "query": AuthScheme("query", "api_key"),
    },
    rate=RateLimit(1, per=3.0),
    refusal=ErrorResponseParser(
        types={
            "params_invalid": InvalidParamsError,
            "not_found": NotFoundError,
            "unknown_route": RefusalError,
            "queued": QueuedError,
            "rate_limit": RateLimitError,
            "daily_limit": DailyLimitError,
            "api_error": ServerError,
        },
        messages={429: "too many requests"},
    ),
)


class ThingParams(Params, frozen=True, kw_only=True):
    id: str
    note: str | None = None
    viewer_id: str | None = None


class SendParams(Params, frozen=True, kw_only=True):
    to: str
    text: str

    def check(self) -> None:
        required(self, "to", "text")


class ListParams(Params, frozen=True, kw_only=True):
    q: str = ""
    start: int = 0
    sequence_id: str | None = None
    viewer_id: str | None = None


class UrlParams(Params, frozen=True, kw_only=True):
    url: str
    sequence_id: str | None = None


class Thing(Model):
    id: str | None = None
    size: int | None = None
    named: bool = True

    @property
    def identity(self) -> str | None:
        return self.id if self.named else None


class ThingPage(Listing[Thing]):
    items: list[Thing] = msgspec.field(name="things", default_factory=list)


class Sent(Model):
    ok: bool = False


THING = Endpoint(
    "thing.get", "GET", "/v1/things/{id}", ThingParams, Thing, credits=standard(2), docs="-"
)
ROUTED = Endpoint("thing.routed", "GET", "/v1/a/{id}", ThingParams, Thing, alternate="/v1/b/{id}")
SEND = Endpoint(
    "send", "POST", "/v1/send", SendParams, Sent,
    body=("text",), idempotent=False, credits=Price("standard", 1, only="ok"),
)  # fmt: skip
LIST = Endpoint(
    "list", "GET", "/v1/list", ListParams, ThingPage,
    paging=Offset(sequence=True), credits=standard(1),
)  # fmt: skip
SEARCH = Endpoint("search", "GET", "/v1/search", UrlParams, ThingPage, paging=PageInUrl(cap=100))


def reply(status: int = 200, body: object = None, **headers: str) -> HttpResponse:
    """An answer; header names are written with `_` for `-`."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HttpResponse(
        status, raw, body if isinstance(body, bytes) else msgspec.json.encode(body or {})
    )


def refused(status: int, kind: str, message: str = "", **headers: str) -> HttpResponse:
    """An error answer of the provider."""
    return reply(status, {"error": {"type": kind, "message": message}}, **headers)


LOST = TransportFailure("the connection broke", sent=True)
UNREACHED = TransportFailure("no connection", sent=False)


class Script:
    """A transport with fixed answers, given in order; the last one is repeated."""

    def __init__(self, *answers: Said, departs: bool = True) -> None:
        self.answers = list(answers)
        self.departs = departs
        self.sent: list[HttpRequest] = []
        self.closed = 0

    @property
    def targets(self) -> list[str]:
        return [outgoing.target for outgoing in self.sent]

    async def exchange(
        self, outgoing: HttpRequest, departure: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        self.sent.append(outgoing)
        if self.departs:
            departure.at = 0.0
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(said):
            said = said(outgoing)
        if isinstance(said, Awaitable):
            said = await said
        if isinstance(said, BaseException):
            raise said
        return said

    async def aclose(self) -> None:
        self.closed += 1


class Skipping:
    """A clock whose sleeps take no time and are recorded. Draws the lower end of a range."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_700_000_000.0 + self.time

    def between(self, low: float, high: float) -> float:
        assert 0 <= low <= high
        return low

    def timeout(self, seconds: float) -> anyio.CancelScope:
        return anyio.CancelScope()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += max(seconds, 0.0)
        await checkpoint()


class SampleClient(Client):
    """The client for tests: by default without a limiter, on a `Script`."""

    provider = SAMPLE

    def __init__(self, *answers: Said, **settings: Any) -> None:
        self.clock_used = settings.get("clock") or Skipping()
        self._param_defaults = settings.pop("defaults", {})
        self._observer = settings.pop("observer", None)
        options: dict[str, Any] = {
            "api_key": "key",
            "rate_limit": None,
            "http_client": Script(*answers) if answers else None,
            "clock": self.clock_used,
        }
        super().__init__(**options | settings)

    @property
    def script(self) -> Script:
        transport = self._engine.transport
        assert isinstance(transport, Script)
        return transport


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, which waits for nothing where an event loop runs."""
    try:
        running_loop()
    except ConfigurationError:
        pass
    else:
        try:
            coroutine.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        coroutine.close()
        raise AssertionError("it waits for something")

    async def main() -> T:
        return await coroutine

    return anyio.run(main)


async def settle(steps: int = 8) -> None:
    """Let every other task run until it waits (for a task that takes a few steps at most)."""
    for _ in range(steps):
        await checkpoint()
