"""A transport for the LookC tests, with scripted responses and a record of requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import SendTimestamp, TransportFailure
from lix_async.providers.lookc.client import AsyncLookC

SAMPLES = Path(__file__).parents[2] / "contract" / "samples"
LOOKUP = "/v1/search/person/by-email"
STATUS = "/v1/request"
ID = "00000000-0000-4000-8000-000000000003"
PENDING = {"request_id": ID, "status": "pending"}

Said = HttpResponse | TransportFailure | Callable[[HttpRequest], Awaitable[HttpResponse]]


def sample(name: str) -> bytes:
    """A contract sample: `lookc.request_status`, `variants/lookc.org_employees.snake`."""
    return (SAMPLES / f"{name}.json").read_bytes()


def says(body: object = None, status: int = 200, **headers: str) -> HttpResponse:
    """A response. Bytes are sent as they are, anything else as JSON."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HttpResponse(status, raw, body if isinstance(body, bytes) else msgspec.json.encode(body))


DIRECT = says(sample("lookc.person_by_email"))
COMPLETE = says(sample("lookc.request_status"))
WAITING = says({"status": "pending", "data": None})
LOST = TransportFailure("the connection broke", sent=True)


class Wire:
    """Scripted responses by path, the last one repeated; `asked` lists the requests."""

    def __init__(self, **answers: list[Said]) -> None:
        self._answers = {
            LOOKUP: answers.get("lookup", []),
            STATUS: answers.get("status", []),
            "employees": answers.get("employees", []),
        }
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closed = False

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    async def exchange(
        self, outgoing: HttpRequest, departure: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        await checkpoint()
        assert outgoing.method == "GET"
        assert outgoing.body is None
        path, _, query = outgoing.target.partition("?")
        self.asked.append((path, dict(parse_qsl(query, strict_parsing=bool(query)))))
        departure.at = 0.0
        answers = self._answers["employees" if path.endswith("/employees") else path]
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        return await said(outgoing) if callable(said) else said

    async def aclose(self) -> None:
        self.closed = True


class Stopwatch:
    """A clock whose sleeps take no time and are recorded."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_700_000_000.0 + self.time

    def between(self, low: float, high: float) -> float:
        return low

    def timeout(self, seconds: float) -> anyio.CancelScope:
        return anyio.CancelScope()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await checkpoint()


def client(wire: Wire, **settings: Any) -> AsyncLookC:
    """A client of that transport, without a limiter and with one attempt by default."""
    settings = {
        "rate_limit": None,
        "clock": Stopwatch(),
        "retry": RetryPolicy(attempts=1, queued_attempts=0),
    } | settings
    return AsyncLookC("key", http_client=wire, **settings)
