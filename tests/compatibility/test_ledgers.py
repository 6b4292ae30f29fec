"""Ledgers of runs go on where they were: nothing that was paid for is asked for again.

`half_done` and `listings` are as a killed process left them, with a call under way.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lix_async import AsyncLix, bulk
from lix_async.core.errors import NotFoundError
from lix_async.models import Person
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .conftest import Lix
from .written import EPOCH, WRITTEN, L, ManualClock, requested

IN = f"{L}/in"
MAIL = {"email": "body-14@example.com"}
COMPLETE: list[Any] = [
    f"{IN}/person-23",
    f"{IN}/missing-one",
    "https://de.linkedin.com/in/Person-23/?trk=x",
    MAIL,
    "no link",
]
HALF_DONE: list[Any] = [
    f"{IN}/person-23",
    f"{IN}/missing-one",
    f"{IN}/doubt-one",
    f"{IN}/late-one",
    f"{IN}/failing-one",
    MAIL,
    f"{IN}/flying-one",
    f"{IN}/claimed-one",
    f"{IN}/never-one",
]
VIEWER = "sandbox-viewer"
Ledger = Callable[[str], str]
"""The address of a ledger with what is stored under that name."""


def url(what: str) -> str:
    return f"{L}/search/results/people/?keywords={what}%20total%3A8"


LISTED: list[Any] = [
    {"url": url("complete"), "viewer_id": VIEWER},
    {"url": url("beginning"), "viewer_id": VIEWER, "max_items": 5},
    url("half"),
    {"url": url("doubt"), "viewer_id": VIEWER},
    {"url": url("never"), "viewer_id": VIEWER},
]


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "sqlite":

        def made(name: str) -> str:
            path = tmp_path / f"{name}.db"
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript((WRITTEN / "ledgers" / f"{name}.sqlite.sql").read_text())
            return str(path)

        yield made
        return
    psycopg = pytest.importorskip("psycopg")
    dsn: str = request.getfixturevalue("postgres_dsn")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lix_async CASCADE")

        def loaded(name: str) -> str:
            connection.execute((WRITTEN / "ledgers" / f"{name}.postgres.sql").read_text())
            return dsn

        yield loaded
        connection.execute("DROP SCHEMA lix_async CASCADE")


def client(sandbox: Sandbox, after: float = 10.0) -> AsyncLix:
    """A client some seconds after the ledger was written."""
    return memory_client(sandbox, clock=ManualClock(after))


def opened(address: str) -> Any:
    """The ledger at an address, for `async with`."""
    if address.startswith("postgresql://"):
        return bulk.PostgresStore(address)
    return bulk.SqliteStore(address)


async def outcomes(run: bulk.Run[Any]) -> dict[str, bulk.Outcome[Any]]:
    """What became of each input, by the input as JSON."""
    async with run:
        return {json.dumps(one.input): one async for one in run}


async def states(run: bulk.Run[Any]) -> list[tuple[object, str, bool, int]]:
    """Input, state, whether it was in the ledger, credits; in an order of its own."""
    async with run:
        return sorted(
            [(one.input, one.state, one.cached, one.credits) async for one in run], key=repr
        )


def people(sandbox: Sandbox) -> list[str]:
    """Who was asked for, by the last part of the link."""
    return sorted(one["profile_link"].split("/")[-1] for one in requested(sandbox, "person.get"))


def pages(sandbox: Sandbox) -> list[tuple[str, str]]:
    """The pages that were asked for: what was searched, and the page's number."""
    found = []
    for one in requested(sandbox, "search.people"):
        before, _, page = one["url"].partition("&page=")
        found.append((before.partition("keywords=")[2].partition("%20")[0], page or "1"))
    return sorted(found)


@pytest.mark.anyio
async def test_a_complete_run_asks_for_nothing(ledger: Ledger, sandbox: Sandbox) -> None:
    store = ledger("complete")
    async with client(sandbox) as lix:
        output = await bulk.preview(store, lix.people.get, COMPLETE)
        assert (output.inputs, output.distinct, output.calls, output.invalid) == (5, 3, 0, 1)
        sandbox.reset()
        found = await outcomes(bulk.Run(store, lix.people.get, COMPLETE))
        assert sandbox.requests == []
        fresh = {json.dumps(one.input): one async for one in bulk.map(lix.people.get, COMPLETE)}
    assert {text: one.state for text, one in found.items()} == {
        json.dumps(COMPLETE[0]): "done",
        json.dumps(COMPLETE[1]): "refused",
        json.dumps(COMPLETE[2]): "done",
        json.dumps(COMPLETE[3]): "done",
        json.dumps(COMPLETE[4]): "invalid",
    }
    for text, one in found.items():
        assert one.key == fresh[text].key
        if one.value is not None:  # as it was answered then, by a sandbox of that time
            then, now = msgspec.json.decode(one.body), msgspec.json.decode(fresh[text].body)
            assert isinstance(one.value, Person)
            assert one.value.name == then["name"]
            assert then.keys() == now.keys()
            assert (then["name"], then["link"]) == (now["name"], now["link"])
        assert (one.credits, one.cached) == (0, one.state != "invalid")
        assert (type(one.error), str(one.error)) == (
            type(fresh[text].error),
            str(fresh[text].error),
        )


@pytest.mark.anyio
async def test_a_killed_run_goes_on_with_what_was_not_paid_for(
    ledger: Ledger, sandbox: Sandbox
) -> None:
    store = ledger("half_done")
    async with client(sandbox) as lix:
        async with opened(store) as open_store:
            late = await bulk.chunk(open_store, lix.people.get, [f"{IN}/late-one"])
        assert [(one.state, one.due - EPOCH > 180) for one in late] == [("queued", True)]
        assert sandbox.requests == []

        found = await states(bulk.Run(store, lix.people.get, HALF_DONE))
        assert found == [
            (f"{IN}/claimed-one", "done", False, 1),
            (f"{IN}/doubt-one", "in_doubt", True, 0),
            (f"{IN}/failing-one", "done", False, 1),
            (f"{IN}/flying-one", "in_doubt", True, 0),
            (f"{IN}/late-one", "done", False, 1),
            (f"{IN}/missing-one", "refused", True, 0),
            (f"{IN}/never-one", "done", False, 1),
            (f"{IN}/person-23", "done", True, 0),
            (MAIL, "done", True, 0),
        ]
        assert people(sandbox) == ["claimed-one", "failing-one", "late-one", "never-one"]

        sandbox.reset()
        found = await states(bulk.Run(store, lix.people.get, HALF_DONE, doubts="retry"))
        again = {text for text, _, cached, _ in found if not cached}
        assert again == {f"{IN}/doubt-one", f"{IN}/flying-one"}
        assert people(sandbox) == ["doubt-one", "flying-one"]
        assert [state for _, state, _, _ in found].count("done") == len(HALF_DONE) - 1

        sandbox.reset()
        found = await states(bulk.Run(store, lix.people.get, HALF_DONE))
        assert {cached for _, _, cached, _ in found} == {True}
        assert sandbox.requests == []


@pytest.mark.anyio
async def test_listings_go_on_with_their_next_page(ledger: Ledger, sandbox: Sandbox) -> None:
    store = ledger("listings")
    async with client(sandbox) as lix:
        found = await outcomes(bulk.Run(store, lix.search.people, LISTED))
        complete, beginning, half, doubt, never = (found[json.dumps(one)] for one in LISTED)
        assert pages(sandbox) == [("half", "2"), ("half", "3")] + [
            ("never", page) for page in ("1", "2", "3")
        ]
        assert [one.state for one in (complete, beginning, half, doubt, never)] == [
            *["done"] * 3,
            "in_doubt",
            "done",
        ]
        assert [one.credits for one in (complete, beginning, half, doubt, never)] == [0, 0, 2, 0, 3]
        [sequence] = {
            one["sequence_id"]
            for one in requested(sandbox, "search.people")
            if "half" in one["url"]
        }
        stored = [path.read_text() for path in (WRITTEN / "ledgers").glob("listings.*")]
        assert any(sequence in text for text in stored)  # the pages of one search

        sandbox.reset()
        run = bulk.Run(store, lix.search.people, LISTED, doubts="retry")
        doubt = (await outcomes(run))[json.dumps(LISTED[3])]
        assert pages(sandbox) == [("doubt", "2"), ("doubt", "3")]

        for one, text in ((complete, 0), (beginning, 1), (doubt, 3), (never, 4)):
            whole = await lix.search.people(**LISTED[text]).collect()
            assert one.value == whole
        assert half.value == await lix.search.people(LISTED[2], sequence_id=sequence).collect()


@pytest.mark.anyio
async def test_a_parked_ledger_stands_still_and_then_rechecks(
    ledger: Ledger, sandbox: Sandbox
) -> None:
    store = ledger("parked")
    links = [f"{IN}/person-{number}" for number in range(6)]
    async with client(sandbox) as lix:
        run = bulk.Run(store, lix.contact.email, links, recheck=2)
        assert await outcomes(run) == {}
        assert run.progress().parked == "until the budget is agreed"
        assert sandbox.requests == []

        async with opened(store) as open_store:
            await open_store.park("")
        found = await outcomes(bulk.Run(store, lix.contact.email, links, recheck=2))
    assert {one.state for one in found.values()} == {"done"}
    again = [one["url"].split("/")[-1] for one in requested(sandbox, "contact.email_by_linkedin")]
    assert sorted(again) == ["person-0", "person-0", "person-5", "person-5"]  # twice, as it says


STATUS: dict[str, dict[str, object]] = {
    "complete": {"done": 2, "refused": 1, "credits": 2},
    "half_done": {
        "pending": 2,
        "queued": 1,
        "done": 2,
        "refused": 1,
        "in_doubt": 2,
        "credits": 2,
        "maybe": 2,
    },
    "listings": {"pending": 1, "done": 2, "in_doubt": 1, "credits": 7, "maybe": 1},
    "parked": {"done": 6, "credits": 3, "parked": "until the budget is agreed"},
}


@pytest.mark.parametrize("name", STATUS)
def test_the_command_tells_how_a_ledger_stands(name: str, ledger: Ledger, lix: Lix) -> None:
    output = json.loads(lix("run", "status", ledger(name), "--format", "jsonl"))
    assert {key: value for key, value in output.items() if value} == {
        **STATUS[name],
        **{key: output[key] for key in ("store", "due") if output[key]},
    }


def test_the_command_lists_and_settles_what_is_in_doubt(ledger: Ledger, lix: Lix) -> None:
    store = ledger("half_done")

    def output(*arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in lix("run", *arguments).splitlines()]

    doubts = output("doubts", store, "--format", "jsonl")
    assert [one["input"] for one in doubts] == [f"{IN}/doubt-one", f"{IN}/flying-one"]
    lix("run", "doubts", store, "--retry", "--input", f"{IN}/flying-one")
    lix("run", "doubts", store, "--drop", "--input", f"{IN}/doubt-one")
    [status] = output("status", store, "--format", "jsonl")
    assert (status["pending"], status["refused"], status["in_doubt"]) == (3, 2, 0)
    rows = {row["input"]: row for row in output("export", store)}
    assert list(rows) == [*HALF_DONE[:5], MAIL["email"], *HALF_DONE[6:8]]
    assert rows[MAIL["email"]]["result"]["name"] == "Body Ashkingsol"
    assert rows[f"{IN}/missing-one"]["status"] == "not_found"


@pytest.mark.anyio
async def test_a_client_with_a_cache_finds_what_was_bought(
    ledger: Ledger, sandbox: Sandbox
) -> None:
    options: dict[str, Any] = {"clock": ManualClock(10.0), "cache": ledger("complete")}
    async with memory_client(sandbox, **options) as lix:
        found = await lix.people.get(f"{IN}/person-23")
        assert found == await lix.people.get("https://de.linkedin.com/in/Person-23/?trk=x")
        await lix.people.get(email=MAIL["email"])
        with pytest.raises(NotFoundError):
            await lix.people.get(f"{IN}/missing-one")
        assert sandbox.requests == []
        assert lix.cache.stats.bought == lix.credits.total == 0
        await lix.people.get(f"{IN}/person-24")
        assert lix.cache.stats.bought == 1
