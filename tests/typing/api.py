"""The public API written out for the type checkers. Never run.

Lines that end in `expect: error` must fail: the checkers report an ignore that is not needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import assert_type

import httpx

import lix_async.models.connectsafely as models_connectsafely
import lix_async.models.lookc as models_lookc
from lix_async import (
    Answer,
    AsyncConnectSafely,
    AsyncLetrics,
    AsyncLix,
    AsyncLookC,
    AsyncMeetAlfred,
    Checkpoint,
    Drift,
    Email,
    Limiter,
    LocalLimiter,
    Organisation,
    Page,
    Pages,
    Person,
    RateLimit,
    RetryPolicy,
    __version__,
    bulk,
    linkedin,
    models,
    to_dict,
)
from lix_async.engine.options import ClientOptions
from lix_async.engine.pages import ListingOptions
from lix_async.events import CallEnded, CallOutcome, Event, WaitStarted
from lix_async.providers.connectsafely.rate_limits import Velocity
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.endpoints.searches import SEARCH_PEOPLE
from lix_async.providers.lix.params import PersonParams, SearchParams
from lix_async.sandbox import Sandbox, base_url_of
from lix_async.testing import memory_client


def heard(event: Event) -> None:
    if isinstance(event, CallEnded):
        assert_type(event.outcome, CallOutcome)
    elif isinstance(event, WaitStarted):
        assert_type(event.seconds, float | None)


async def clients() -> None:
    async with AsyncLix(
        "key", rate_limit=RateLimit(5, per=1), retry=RetryPolicy(attempts=2)
    ) as lix:
        assert_type(lix, AsyncLix)
        assert_type(lix.with_options(deadline=3, viewer_id=None), AsyncLix)
    limiter: Limiter = LocalLimiter(RateLimit(1, per=3.0))
    AsyncLix(rate_limit=limiter, http_client=httpx.AsyncClient(), timeout=httpx.Timeout(5))
    AsyncLix(rate_limit=None, max_credits={"org": 3}, on_drift=print)
    AsyncLix(on_event=heard)
    AsyncLookC(on_event=[heard, print])
    AsyncLix(on_event=len)  # type: ignore[arg-type]  # expect: error
    assert_type(lix.events.add(heard), Callable[[], None])
    AsyncLix(rate_limit=3)  # type: ignore[arg-type]  # expect: error
    AsyncLookC(deadline="soon")  # type: ignore[arg-type]  # expect: error


def report(drift: Drift) -> None:
    assert_type(drift.path, str)


def options(given: ClientOptions) -> None:
    """Every client accepts every option of `ClientOptions`, and rejects others."""
    AsyncLix("key", **given)
    AsyncLookC("key", **given)
    AsyncConnectSafely("key", **given)
    AsyncLetrics("key", **given)
    AsyncMeetAlfred("key", **given)
    AsyncLix(on_drift=report)
    AsyncConnectSafely(rate_limit=Velocity(reads=10), account_id="a", auth="bearer")
    AsyncConnectSafely(rate_limit=None, deadline="soon")  # type: ignore[arg-type]  # expect: error
    AsyncLetrics(paths={}, base_url="https://x.example", retry=RetryPolicy())
    AsyncLetrics(deadline="soon")  # type: ignore[arg-type]  # expect: error
    AsyncLetrics(unknown=1)  # type: ignore[call-arg]  # expect: error
    AsyncMeetAlfred(key_parameter="k", clock=None)
    AsyncMeetAlfred(viewer_id=5)  # type: ignore[arg-type]  # expect: error


async def lookups(lix: AsyncLix) -> None:
    person = await lix.people.get("https://www.linkedin.com/in/example-person-1")
    assert_type(person, Person)
    assert_type(person.name, str | None)
    assert_type(await lix.organisations.get(linkedin_url="x"), Organisation)
    assert_type(await lix.contact.email("x", recheck=5), Email)
    await lix.people.get(5)  # type: ignore[arg-type]  # expect: error


async def answers(lix: AsyncLix, lookc: AsyncLookC, client: AsyncConnectSafely) -> None:
    answer = await lix.answer(lix.people.get, "https://www.linkedin.com/in/example-person-1")
    assert_type(answer, Answer[Person])
    assert_type(answer.value.name, str | None)
    jobs = await lix.answer(lix.people.employment, profile_link="x")
    assert_type(jobs, Answer[list[models.Employment]])
    assert_type(await lookc.answer(lookc.submit, "a@b.example"), Answer[models_lookc.Lookup])
    assert_type(await client.answer(client.health), Answer[models_connectsafely.Health])
    await lix.answer(lix.people.get, 3)  # type: ignore[arg-type]  # expect: error
    await lix.answer(lix.people.get, emial="x")  # type: ignore[call-arg]  # expect: error
    await lix.answer(lix.search.people, "x")  # type: ignore[arg-type]  # expect: error


def structs(email: Email, person: models.Person) -> str:
    assert_type(to_dict(person, names="wire", unset=False), dict[str, object])
    to_dict(person, names="camel")  # type: ignore[arg-type]  # expect: error
    assert_type(__version__, str)
    match email.status:
        case None:
            return ""
        case "VALID":
            return email.email or ""
        case other:
            return other


async def listings(lix: AsyncLix, url: str, options: ListingOptions) -> None:
    pages = lix.search.people(url, max_items=10)
    assert_type(pages, Pages[Person])
    async for item in pages:
        assert_type(item, Person)
    async for page in pages.by_page():
        assert_type(page, Page[Person])
    assert_type(await pages.collect(), list[Person])
    assert_type(await pages.first(), Person | None)
    assert_type(pages.checkpoint, Checkpoint)
    lix.search.people(url, resume="text")  # type: ignore[arg-type]  # expect: error
    lix.search.people(url, max_item=10)  # type: ignore[call-arg]  # expect: error
    assert_type(lix.search.people(url, **options), Pages[Person])
    assert_type(lix.pages(SEARCH_PEOPLE, SearchParams(url=url), **options), Pages[Person])


async def endpoints(lix: AsyncLix) -> None:
    answer = await lix.send(PERSON, PersonParams(profile_link="x"))
    assert_type(answer, Answer[Person])
    assert_type(lix.pages(SEARCH_PEOPLE, SearchParams(url="x")), Pages[Person])
    await lix.send(PERSON, SearchParams(url="x"))  # type: ignore[misc]  # expect: error


async def runs(lix: AsyncLix, links: list[str]) -> None:
    async for outcome in bulk.Run("people.db", lix.people.get, links):
        assert_type(outcome, bulk.Outcome[Person])
    outcomes: AsyncIterator[bulk.Outcome[Person]] = bulk.map(lix.people.get, links)
    assert_type(await anext(outcomes), bulk.Outcome[Person])
    rows = [{"link": link, "owner": "me"} for link in links]
    bulk.Run("people.db", lix.people.get, rows, on={"profile_link": "link"})
    bulk.map(lix.people.get, rows, on=lambda row: row["link"].strip())
    await bulk.preview("people.db", lix.people.get, rows, on="link")
    bulk.map(lix.people.get, rows, on=3)  # type: ignore[arg-type]  # expect: error


async def in_memory() -> None:
    sandbox = Sandbox(rate=None)
    assert_type(memory_client(), AsyncLix)
    assert_type(memory_client(sandbox, deadline=5), AsyncLix)
    assert_type(memory_client(rate_limit=None), AsyncLix)
    assert_type(memory_client(sandbox, AsyncLookC), AsyncLookC)
    assert_type(memory_client(None, AsyncLookC, deadline=5), AsyncLookC)
    async with memory_client(kind=AsyncMeetAlfred) as alfred:
        assert_type(alfred, AsyncMeetAlfred)
    assert_type(base_url_of("http://127.0.0.1:8765", "letrics"), str)
    memory_client(sandbox, str)  # type: ignore[type-var]  # expect: error


def urls() -> None:
    assert_type(linkedin.lead_search(linkedin.current_title("Founder")), str)
    assert_type(linkedin.classify("linkedin.com/in/x").id, str)
