"""Lix for the tests: samples, the method of each endpoint, and a transport with scripted responses."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from lix_async import AsyncLix, RetryPolicy
from lix_async.core.endpoint import Endpoint
from lix_async.core.models import Params
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import SendTimestamp, TransportFailure

CONTRACT = Path(__file__).parent / "contract"
SAMPLES = CONTRACT / "samples"
CATALOGUE: list[dict[str, Any]] = json.loads((CONTRACT / "catalogue.json").read_bytes())

METHODS = {
    "account.balances": "account.balances",
    "account.daily_allowance": "account.daily_allowance",
    "linkedin_account.get": "account.linkedin",
    "linkedin_account.list": "account.linkedin_accounts",
    "linkedin_account.put": "account.put_linkedin",
    "linkedin_account.connections_remaining": "account.connections_remaining",
    "connections.list": "connections.list",
    "connections.send": "connections.send",
    "ids.person": "people.ids",
    "ids.organisation": "organisations.ids",
    "person.get": "people.get",
    "person.legacy": "people.legacy",
    "person.employment": "people.employment",
    "person.extended": "people.extended",
    "organisation.by_linkedin": "organisations.get",
    "organisation.by_website": "organisations.by_website",
    "organisation.followers": "organisations.followers",
    "enrich.job": "job_postings.get",
    "enrich.post": "posts.get",
    "enrich.post_comments": "posts.comments",
    "enrich.post_reactions": "posts.reactions",
    "activity.posts": "people.posts",
    "activity.comments": "people.comments",
    "activity.reactions": "people.reactions",
    "search.people": "search.people",
    "search.jobs": "search.jobs",
    "jobs.hirers": "job_postings.hirers",
    "search.posts": "search.posts",
    "search.orgs": "search.orgs",
    "sales.search_people": "sales.leads",
    "sales.search_people_post": "sales.leads",
    "sales.people_by_filters": "sales.leads_by_filters",
    "sales.search_orgs": "sales.accounts",
    "sales.list_people": "sales.lead_list",
    "sales.list_orgs": "sales.account_list",
    "sales.threads": "sales.threads",
    "sales.thread": "sales.thread",
    "sales.send_message": "sales.send_message",
    "recruiter.search_people": "recruiter.people",
    "facets.sales": "sales.facets",
    "facets.recruiter": "recruiter.facets",
    "conversations.list": "messages.conversations",
    "messages.list": "messages.list",
    "messages.send": "messages.send",
    "contact.email_by_linkedin": "contact.email",
}
"""The method of `AsyncLix` for each catalogue id."""
FILES_OF_LISTINGS = {
    row["id"]: Path(row["example"]).stem for row in CATALOGUE if row["paging"]["style"] != "none"
}
"""The main sample of every listing."""


def sample(name: str) -> bytes:
    """A published sample: `person.get`, `variants/person.get.full`, `seed/person.get`."""
    return (SAMPLES / f"{name}.json").read_bytes()


def method(client: AsyncLix, id_: str) -> Callable[..., Any]:
    group, _, name = METHODS[id_].partition(".")
    found: Callable[..., Any] = getattr(getattr(client, group), name)
    return found


def arguments(id_: str) -> dict[str, inspect.Parameter]:
    """The arguments of a method, without the options that all listings have in common."""
    signature = inspect.signature(method(Recorder(), id_))
    return {name: one for name, one in signature.parameters.items() if name != "options"}


class Recorded(Exception):
    """A call reached the client."""


class Recorder(AsyncLix):
    """A client that sends nothing and records endpoint and params of the last call."""

    row: Endpoint[Any, Any]
    params: Params

    def __init__(self) -> None:
        super().__init__("key", rate_limit=None, http_client=Wire())

    async def send(self, endpoint: Endpoint[Any, Any], params: Any) -> Any:
        self.row, self.params = endpoint, params
        raise Recorded

    def pages(self, endpoint: Endpoint[Any, Any], params: Any, **options: Any) -> Any:
        self.row, self.params = endpoint, params
        return options


def says(body: object = None, status: int = 200, **headers: str) -> HttpResponse:
    """A response. Bytes are sent as they are, anything else as JSON."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HttpResponse(status, raw, body if isinstance(body, bytes) else msgspec.json.encode(body))


class Wire:
    """A transport with scripted responses, the last one repeated."""

    def __init__(self, *answers: HttpResponse | TransportFailure) -> None:
        self.answers = list(answers)
        self.sent: list[HttpRequest] = []

    @property
    def targets(self) -> list[str]:
        return [outgoing.target for outgoing in self.sent]

    async def exchange(
        self, outgoing: HttpRequest, departure: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        await checkpoint()
        departure.at = 0.0
        self.sent.append(outgoing)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def aclose(self) -> None:
        """Nothing to close."""


class Stopwatch:
    """A clock whose sleeps take no time and are recorded."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now()

    def between(self, low: float, high: float) -> float:
        return low

    def timeout(self, seconds: float) -> anyio.CancelScope:
        return anyio.CancelScope()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await checkpoint()


def client(wire: Wire, **settings: Any) -> AsyncLix:
    """A client of that transport, without a limiter and with one attempt by default."""
    settings = {
        "rate_limit": None,
        "clock": Stopwatch(),
        "retry": RetryPolicy(attempts=1, queued_attempts=0),
    } | settings
    return AsyncLix("key", http_client=wire, **settings)
