"""The clients without an event loop, for the type checkers. Never run.

Lines that end in `expect: error` must fail: the checkers report an ignore that is not needed.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, assert_type

import lix_async.models.connectsafely as models_connectsafely
import lix_async.models.letrics as models_letrics
import lix_async.models.lookc as models_lookc
import lix_async.models.meetalfred as models_meetalfred
from lix_async import (
    Answer,
    AsyncLix,
    Checkpoint,
    ConnectSafely,
    Letrics,
    Lix,
    LookC,
    MeetAlfred,
    Page,
    Person,
    RateLimit,
    bulk,
)
from lix_async.engine.options import ClientOptions
from lix_async.frames import Frame
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.endpoints.searches import SEARCH_PEOPLE
from lix_async.providers.lix.params import PersonParams, SearchParams
from lix_async.sandbox import Sandbox
from lix_async.sync import SyncPages, SyncRun
from lix_async.testing import memory_client

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


def clients(given: ClientOptions) -> None:
    with Lix("key", rate_limit=RateLimit(5, per=1), backend="trio") as lix:
        assert_type(lix, Lix)
        assert_type(lix.with_options(deadline=3, viewer_id=None), Lix)
        assert_type(lix.aio, AsyncLix)
    Lix("key", **given)
    LookC("key", **given)
    Letrics("key", **given, paths={}, arrays="repeated")
    MeetAlfred("key", **given, first_page=1)
    ConnectSafely("key", account_id="a", daily_profiles=3, deadline=5)
    ConnectSafely("key").with_options(account_id="b")
    Lix(backend="curio")  # type: ignore[arg-type]  # expect: error
    Lix(deadline="soon")  # type: ignore[arg-type]  # expect: error
    Lix(daily_profiles=3)  # type: ignore[call-arg]  # expect: error
    lix.with_options(account_id="b")  # type: ignore[call-arg]  # expect: error
    assert_type(memory_client(Sandbox(), Lix), Lix)
    assert_type(memory_client(kind=LookC, deadline=3), LookC)


def lookups(lix: Lix, lookc: LookC, safely: ConnectSafely, alfred: MeetAlfred) -> None:
    person = lix.people.get("linkedin.com/in/example-person-1")
    assert_type(person, Person)
    assert_type(lix.people.get(email="x@example.com", viewer_id="5"), Person)
    assert_type(lookc.person_by_email("x@example.com"), models_lookc.PersonByEmail)
    assert_type(safely.health(), models_connectsafely.Health)
    assert_type(alfred.campaigns(), list[models_meetalfred.Campaign])
    lix.people.get(3)  # type: ignore[arg-type]  # expect: error
    lix.people.get("x", emial="y")  # type: ignore[call-arg]  # expect: error


def listings(lix: Lix, letrics: Letrics, checkpoint: Checkpoint) -> None:
    pages = lix.search.people("url", max_items=10, resume=checkpoint)
    assert_type(pages, SyncPages[Person])
    for row in pages:
        assert_type(row, Person)
    for page in pages.by_page():
        assert_type(page, Page[Person])
    assert_type(pages.collect(), list[Person])
    assert_type(pages.first(), Person | None)
    assert_type(pages.checkpoint, Checkpoint)
    assert_type(letrics.contacts(), SyncPages[models_letrics.Contact])
    lix.search.people("url", max_item=10)  # type: ignore[call-arg]  # expect: error


def answers(lix: Lix) -> None:
    assert_type(lix.answer(lix.people.get, "x"), Answer[Person])
    assert_type(lix.send(PERSON, PersonParams(profile_link="x")), Answer[Person])
    assert_type(lix.pages(SEARCH_PEOPLE, SearchParams(url="x")), SyncPages[Person])
    lix.answer(lix.people.get, 3)  # type: ignore[arg-type]  # expect: error


def runs(lix: Lix, links: sqlite3.Cursor) -> None:
    run = lix.run("people.db", lix.people.get, ["a"], concurrency=2)
    assert_type(run, SyncRun[Person])
    for outcome in run:
        assert_type(outcome, bulk.Outcome[Person])
    assert_type(run.progress(), bulk.Progress)
    assert_type(lix.run("x.db", lix.search.people, (row[0] for row in links)), SyncRun[Person])
    assert_type(lix.preview("people.db", lix.people.get, ["a"], max_age=3600), bulk.Preview)
    lix.run("people.db", lix.people.get, ["a"], concurency=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # expect: error


def tables(lix: Lix, frame: pl.DataFrame, table: pd.DataFrame, store: str) -> None:
    found = lix.enrich_frame(frame, lix.people.get, on="link", store=store, max_credits=5)
    assert_type(found, Frame)
    lix.enrich_frame(table, lix.people.get, on={"profile_link": "link"}, store=store)
    lix.enrich_frame([{"link": "x"}], lix.people.get, on="link", store=store)
    lix.enrich_frame(frame, lix.people.get, on="link", store=store, max_credit=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # expect: error
