"""A ledger that fails at any moment: nothing that was paid for is dropped without a word.

Every statement of a run fails in turn, before it is done or after it, once or from then on: a
full disk, a disk that cannot be written, a server that goes away. `LIX_FAULTS=1` tries every one
on PostgreSQL and every size of a file too (`nox -s campaign`); else some of those.
"""

from __future__ import annotations

import itertools
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lix_async import bulk
from lix_async.bulk import SqliteStore
from lix_async.bulk.postgres import PostgresStore
from lix_async.bulk.store import Entry, Store
from lix_async.core.errors import BulkError
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .conftest import Open

pytestmark = pytest.mark.anyio
ALL = bool(os.environ.get("LIX_FAULTS"))
PEOPLE = [f"https://www.linkedin.com/in/someone-{number}" for number in range(3)]
SEARCH = ["https://www.linkedin.com/search/results/people/?keywords=engineer"]
walks = pytest.mark.parametrize("walks", [False, True], ids=["calls", "walk"])
faults = pytest.mark.parametrize(
    ("after", "lasts"),
    [(False, False), (False, True), (True, False), (True, True)],
    ids=["once", "forever", "once-but-done", "forever-but-done"],
)


class Fault:
    """Fails the `at`-th statement, before or after it is done, and with `lasts` all that follow."""

    def __init__(self, at: int, *, after: bool, lasts: bool) -> None:
        self.at, self.after, self.lasts = at, after, lasts
        self.seen = 0

    def before(self) -> bool:
        self.seen += 1
        return (self.seen == self.at and not self.after) or (self.lasts and self.seen > self.at)

    def later(self) -> bool:
        return self.after and self.seen == self.at


@contextmanager
def on_disk(fault: Fault) -> Iterator[None]:
    """Ledgers in files have that fault."""
    said = ("database or disk is full", "disk I/O error")[fault.at % 2]

    class Faulty(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            if fault.before():
                raise sqlite3.OperationalError(said)
            cursor = super().execute(*arguments)
            if fault.later():
                raise sqlite3.OperationalError(said)
            return cursor

        def executescript(self, script: str) -> sqlite3.Cursor:
            for statement in script.split(";"):
                cursor = self.execute(statement)
            return cursor

    connect = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Faulty, **k))
        yield


@contextmanager
def on_server(fault: Fault) -> Iterator[None]:
    """Ledgers on a server have that fault: the line breaks."""

    class Faulty(psycopg.Connection[Any]):
        def wait(self, *arguments: Any, **more: Any) -> Any:
            value = None if fault.before() else (super().wait(*arguments, **more),)
            if value is None or fault.later():
                self.pgconn.finish()
                raise psycopg.OperationalError("the server went away")
            return value[0]

    def connect(*arguments: Any, **more: Any) -> Faulty:
        if fault.before():
            raise psycopg.OperationalError("there is no server")
        return Faulty.connect(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg, "connect", connect)
        yield


def vendor() -> Sandbox:
    """With three pages for the search."""
    return Sandbox(people=50, organisations=5, rate=None, page_sizes={"search.people": 200})


async def bought(store: Store, sandbox: Sandbox, walks: bool) -> list[bulk.Outcome[Any]]:
    """A run to its end, with or without an error; what it could not save."""
    async with memory_client(sandbox) as lix:
        method: Any = lix.search.people if walks else lix.people.get
        run: Any = bulk.Run(store, method, SEARCH if walks else PEOPLE, concurrency=2)
        try:
            async for outcome in run:
                assert outcome.state in {"done", "in_doubt", "failed"}, outcome
        except BulkError as error:
            return [outcome for outcome in error.unsaved if isinstance(outcome, bulk.Outcome)]
    return []


async def standing(store: Store) -> list[Entry]:
    """What the ledger says; nothing, where the fault let none be made."""
    try:
        await store.look()
    except BulkError:
        return []
    entries = [entry async for entry in store.entries()]
    await store.close()
    return entries


async def check(ledger: Open, sandbox: Sandbox, walks: bool, unsaved: list[Any]) -> None:
    """Each credit is in the ledger, handed over as unsaved, or of a key in doubt; and stays so."""
    paid = dict.fromkeys(SEARCH if walks else PEOPLE, 0)
    for charge in sandbox.ledger:
        paid[next(given for given in paid if walks or given in charge.input)] += charge.amount
    entries = {entry.given.decode().strip('"'): entry for entry in await standing(ledger())}
    saved = {outcome.input for outcome in unsaved if outcome.body}
    for given, credits in paid.items():
        entry = entries.get(given)
        kept = entry.credits if entry else 0
        assert kept <= credits
        if kept < credits:
            assert credits == kept + 1
            assert entry is not None
            assert given in saved or entry.status in {"sent", "in_doubt"}
            assert entry.status != "owed"
    assert await bought(ledger(), sandbox, walks) == []
    assert sandbox.ledger.repeats() == {}
    again = {entry.given.decode().strip('"'): entry for entry in await standing(ledger())}
    assert {entry.status for entry in again.values()} <= {"done", "in_doubt"}
    for given, entry in entries.items():
        if entry.status == "done":
            assert again[given] == entry


@walks
@faults
async def test_a_disk_that_fails_at_any_statement(
    tmp_path: Path, walks: bool, after: bool, lasts: bool
) -> None:
    for at in itertools.count(1):
        sandbox = vendor()
        path = tmp_path / f"{at}.db"
        fault = Fault(at, after=after, lasts=lasts)
        with on_disk(fault):
            unsaved = await bought(SqliteStore(path), sandbox, walks)
        await check(lambda path=path: SqliteStore(path), sandbox, walks, unsaved)
        with sqlite3.connect(path) as line:
            assert line.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        line.close()
        if fault.seen < at:
            break
    assert at > 30


@walks
@faults
async def test_a_server_that_goes_away_at_any_statement(
    postgres_dsn: str, schema: str, walks: bool, after: bool, lasts: bool
) -> None:
    def ledger(patience: float = 5.0) -> Store:
        return PostgresStore(postgres_dsn, schema=f"{schema}_{at}", patience=patience)

    for at in itertools.count(1 + 2 * after + lasts, 1 if ALL else 9):
        sandbox = vendor()
        fault = Fault(at, after=after, lasts=lasts)
        with on_server(fault):
            unsaved = await bought(ledger(0.0 if lasts else 5.0), sandbox, walks)
        await check(ledger, sandbox, walks, unsaved)
        if fault.seen < at:
            break
    assert at > 30


@walks
async def test_a_disk_that_takes_so_much_and_no_more(tmp_path: Path, walks: bool) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = []
    for size in range(0, 100_000, 500 if ALL else 6_000):
        sandbox = vendor()
        path = tmp_path / f"{size}.db"
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            unsaved = await bought(SqliteStore(path), sandbox, walks)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        kept.append(len(sandbox.ledger))
        await check(lambda path=path: SqliteStore(path), sandbox, walks, unsaved)
    assert kept[0] == 0  # what cannot be written down is not bought
    assert kept[-1] > 0
