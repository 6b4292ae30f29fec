"""A ledger that fails at any moment: nothing that was paid for is dropped without a word.

Statements of a run fail in turn, before they are done or after it, once or from then on: a full
disk, a disk that cannot be written, a server that goes away. The suite takes some of the statements,
each kind of fault and each loop others of them; `LIX_FAULTS=1` takes all (`nox -s campaign`).
"""

from __future__ import annotations

import contextlib
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
from lix_async.bulk import Entry, SqliteStore, Store
from lix_async.core.errors import BulkError
from lix_async.ledger.postgres import PostgresLedgerConnection, PostgresStore
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .conftest import Open

pytestmark = pytest.mark.anyio
ALL = bool(os.environ.get("LIX_FAULTS"))
PEOPLE = [f"https://www.linkedin.com/in/someone-{number}" for number in range(3)]
SEARCH = ["https://www.linkedin.com/search/results/people/?keywords=rare&page=12"]
"""The last three pages of it."""
listings = pytest.mark.parametrize("listings", [False, True], ids=["calls", "listings"])
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


def points(every: int, loop: str, *, after: bool, lasts: bool) -> Iterator[int]:
    """All statements with `LIX_FAULTS`; else one of so many, others for each fault and loop."""
    if ALL:
        return itertools.count(1)
    return itertools.count(1 + 2 * after + lasts + (loop == "trio") * every // 2, every)


@contextmanager
def on_disk(fault: Fault) -> Iterator[None]:
    """Ledgers in files have that fault."""

    def failed() -> sqlite3.OperationalError:
        code, said = ((13, "database or disk is full"), (10, "disk I/O error"))[fault.at % 2]
        error = sqlite3.OperationalError(said)
        error.sqlite_errorcode = code
        return error

    class Faulty(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            if fault.before():
                raise failed()
            cursor = super().execute(*arguments)
            if fault.later():
                cursor.close()
                raise failed()
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


class Vendor:
    """The vendor, and a client of it."""

    def __init__(self, listings: bool) -> None:
        self.listings = listings
        self.inputs = SEARCH if listings else PEOPLE
        self.sandbox = Sandbox(people=50, organisations=5, rate=None, daily_allowance=10**6)
        self.client = memory_client(self.sandbox)

    async def __aenter__(self) -> Vendor:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.client.__aexit__(*error)

    async def run(self, store: Store) -> list[bulk.Outcome[Any]]:
        """A run to its end, with or without an error; what it could not save."""
        lix = self.client
        method: Any = lix.search.people if self.listings else lix.people.get
        try:
            async for outcome in bulk.Run(store, method, self.inputs, concurrency=2):
                assert outcome.state in {"done", "in_doubt", "failed"}, outcome
        except BulkError as error:
            return [outcome for outcome in error.unsaved if isinstance(outcome, bulk.Outcome)]
        return []

    def paid(self) -> dict[str, int]:
        """Credits by input."""
        paid = dict.fromkeys(self.inputs, 0)
        for charge in self.sandbox.ledger:
            given = next(given for given in paid if self.listings or given in charge.input)
            paid[given] += charge.amount
        return paid

    async def check(self, ledger: Open, unsaved: list[bulk.Outcome[Any]]) -> None:
        """Each credit is in the ledger, was handed over as unsaved, or is in doubt; and stays."""
        entries = await standing(ledger())
        saved = {outcome.input for outcome in unsaved if outcome.body}
        for given, credits in self.paid().items():
            kept = entries[given].credits if given in entries else 0
            assert kept <= credits
            if kept < credits:  # one call of each was in flight, not more
                assert credits == kept + 1
                assert given in saved or entries[given].status in {"sent", "received", "in_doubt"}
                assert entries[given].status != "pending"
        assert await self.run(ledger()) == []
        assert self.sandbox.ledger.repeats() == {}
        again = await standing(ledger())
        assert {entry.status for entry in again.values()} <= {"done", "in_doubt"}
        for given, entry in entries.items():
            if entry.status == "done":
                assert again[given] == entry


async def standing(store: Store) -> dict[str, Entry]:
    """What the ledger says of each input; nothing, where the fault let none be made."""
    try:
        await store.open_read_only()
    except BulkError:
        return {}
    entries = [entry async for entry in store.entries()]
    await store.close()
    return {entry.given.decode().strip('"'): entry for entry in entries}


@listings
@faults
async def test_a_disk_that_fails_at_any_statement(
    tmp_path: Path, anyio_backend_name: str, listings: bool, after: bool, lasts: bool
) -> None:
    async with Vendor(listings) as vendor:
        for at in points(72, anyio_backend_name, after=after, lasts=lasts):
            vendor.sandbox.ledger.reset()
            path = tmp_path / f"{at}.db"
            fault = Fault(at, after=after, lasts=lasts)
            with on_disk(fault):
                unsaved = await vendor.run(SqliteStore(path))
            await vendor.check(lambda path=path: SqliteStore(path), unsaved)
            with contextlib.closing(sqlite3.connect(path)) as line:
                assert line.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if fault.seen < at:
                break
    assert at > 30


@pytest.fixture
def soon_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner whose line broke for ever is soon taken for dead."""
    monkeypatch.setattr(PostgresLedgerConnection, "grace", 0.2)
    monkeypatch.setattr(Store, "beat_every", 0.05)


@listings
@faults
@pytest.mark.usefixtures("soon_dead")
async def test_a_server_that_goes_away_at_any_statement(
    postgres_dsn: str,
    schema: str,
    anyio_backend_name: str,
    listings: bool,
    after: bool,
    lasts: bool,
) -> None:
    def ledger(timeout: float = 5.0) -> Store:
        return PostgresStore(postgres_dsn, schema=f"{schema}_{at}", timeout=timeout)

    async with Vendor(listings) as vendor:
        for at in points(160, anyio_backend_name, after=after, lasts=lasts):
            vendor.sandbox.ledger.reset()
            fault = Fault(at, after=after, lasts=lasts)
            with on_server(fault):
                unsaved = await vendor.run(ledger(0.0 if lasts else 5.0))
            await vendor.check(ledger, unsaved)
            if fault.seen < at:
                break
    assert at > 30


@listings
async def test_a_disk_that_takes_so_much_and_no_more(tmp_path: Path, listings: bool) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    paid = []
    async with Vendor(listings) as vendor:
        for size in range(0, 600_000, 3_000 if ALL else 60_000):
            vendor.sandbox.ledger.reset()
            path = tmp_path / f"{size}.db"
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
            try:
                unsaved = await vendor.run(SqliteStore(path))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            paid.append(len(vendor.sandbox.ledger))
            await vendor.check(lambda path=path: SqliteStore(path), unsaved)
    assert paid[0] == 0  # what cannot be written down is not bought
    assert paid[-1] > 0
