"""Ledgers of version 2: what each of their rows becomes, and how their file is treated.

`tests/compatibility` goes on with whole ledgers that version 2 wrote. These rows are rarer.
"""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from lix_async import AsyncLix, bulk
from lix_async.bulk import SqliteStore
from lix_async.core.errors import BulkError
from lix_async.filesystem import try_lock
from lix_async.ledger.records import Counts
from lix_async.ledger.store import Entry
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio

SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE call (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, endpoint TEXT NOT NULL, given BLOB NOT NULL,
    status INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    credits INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
    changed REAL NOT NULL, owner INTEGER, error BLOB, body BLOB, point BLOB
);
CREATE TABLE page (
    key BLOB NOT NULL, number INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
INSERT INTO about VALUES ('version', '2');
"""
PENDING, SENT, QUEUED, DONE, REFUSED, IN_DOUBT = range(6)
KEY = b"k" * 16
ANSWER = b'{"name":"Ada"}'
LOST = b'{"type":"TransportError","message":"connection lost","status":0,"kind":""}'
CHANGED = 1_700_000_000.5


def old_ledger(
    path: Path, call: Mapping[str, object], pages: tuple[bytes, ...] = (), key: bytes = KEY
) -> SqliteStore:
    """A ledger of version 2 with one row."""
    values = {"key": key, "endpoint": "person.get", "given": b'"x"', "changed": CHANGED, **call}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        marks = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO call ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
        )
        numbered = [(key, number, items) for number, items in enumerate(pages, start=1)]
        connection.executemany("INSERT INTO page VALUES (?, ?, ?)", numbered)
    return SqliteStore(path)


def copies_in(folder: Path) -> list[Path]:
    """The copies of old ledgers."""
    return sorted(one for one in folder.iterdir() if ".v2-" in one.name)


async def migrated(
    path: Path, call: Mapping[str, object], pages: tuple[bytes, ...] = ()
) -> tuple[Entry, Counts]:
    async with old_ledger(path, call, pages) as store:
        entry = await store.get(KEY)
        assert entry is not None
        return entry, await store.counts()


@pytest.mark.parametrize("status", [PENDING, SENT, QUEUED, IN_DOUBT])
async def test_an_answer_stands_while_a_better_one_was_sought(status: int, tmp_path: Path) -> None:
    call = {"status": status, "attempts": 2, "credits": 1, "due": CHANGED + 60, "body": ANSWER}
    entry, counts = await migrated(tmp_path / "l.db", call)
    doubt = status in (SENT, IN_DOUBT)
    assert (entry.status, entry.body, entry.attempts) == ("done", ANSWER, 2)
    assert (counts.credits, counts.maybe) == (1, int(doubt))


@pytest.mark.parametrize("attempts", [0, 1, 3])
async def test_what_may_have_been_charged_stays_counted(attempts: int, tmp_path: Path) -> None:
    call = {"status": IN_DOUBT, "attempts": attempts, "lost": 2, "error": LOST}
    entry, counts = await migrated(tmp_path / "l.db", call)
    assert (entry.status, entry.attempts, entry.maybe) == ("in_doubt", 3, 3)
    assert (entry.note, entry.changed) == ("connection lost", CHANGED)
    assert (counts.credits, counts.maybe) == (0, 3)


async def test_a_doubt_that_was_dropped_is_refused_without_an_answer(tmp_path: Path) -> None:
    call = {"status": REFUSED, "attempts": 1, "lost": 1, "error": LOST}
    entry, counts = await migrated(tmp_path / "l.db", call)
    assert (entry.status, entry.http, entry.body, entry.attempts) == ("refused", 0, None, 1)
    assert (entry.note, counts.credits, counts.maybe) == ("connection lost", 0, 1)


async def test_a_queued_lookup_keeps_its_pause(tmp_path: Path) -> None:
    """No wait is longer than the pause that was decided, whatever the clock says today."""
    call = {"status": QUEUED, "attempts": 1, "due": CHANGED + 180}
    async with old_ledger(tmp_path / "l.db", call) as store:
        lookup = (await store.find([KEY]))[KEY]
    assert (lookup.state.status, lookup.pause) == ("queued", 180_000)
    assert lookup.state.due == int((CHANGED + 180) * 1000)


async def test_the_pages_of_a_stopped_listing_are_kept(tmp_path: Path) -> None:
    call = {
        "endpoint": "search.people",
        "status": IN_DOUBT,
        "attempts": 4,
        "credits": 2,
        "lost": 1,
        "point": b"{}",
    }
    path = tmp_path / "l.db"
    pages = (b'[{"name":"A"}]', b'[{"name":"B"}]')
    entry, counts = await migrated(path, call, pages)
    assert [(one.page, one.n, one.body) for one in entry.pages] == [
        (1, 2, pages[0]),
        (2, 3, pages[1]),
    ]
    assert (entry.attempts, counts.credits, counts.maybe) == (4, 2, 2)
    async with SqliteStore(path) as store:
        lookup = (await store.find([KEY]))[KEY]
    assert (lookup.state.page, lookup.position) == (3, b"{}")


async def test_a_listing_that_had_no_page_yet_is_listed(tmp_path: Path) -> None:
    """Version 2 did not tell a listing from a single answer before it had a page."""
    url = "https://www.linkedin.com/search/results/people/?keywords=x%20total%3A3"
    sandbox = Sandbox(rate=None)
    async with memory_client(sandbox) as lix:
        [key] = await keys_of(lix, url, tmp_path / "key.db")
        sandbox.reset()
        call = {"endpoint": "search.people", "given": json.dumps(url).encode()}
        store = old_ledger(tmp_path / "l.db", {**call, "status": IN_DOUBT, "attempts": 1}, key=key)
        for doubts, state in (("hold", "in_doubt"), ("retry", "done"), ("hold", "done")):
            async with bulk.Run(store, lix.search.people, [url], doubts=doubts) as run:
                [outcome] = [one async for one in run]
            assert outcome.state == state
        assert (len(outcome.value or ()), outcome.cached) == (3, True)
    assert [one.endpoint for one in sandbox.requests].count("search.people") == 1


async def keys_of(lix: AsyncLix, url: str, path: Path) -> list[bytes]:
    async with bulk.Run(path, lix.search.people, [url]) as run:
        return [bytes.fromhex(one.key) async for one in run]


async def test_a_private_copy_of_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "l [1].db"
    for count in (1, 2):  # the same day, and another old ledger under the same name
        path.unlink(missing_ok=True)
        old_ledger(path, {"status": DONE, "attempts": count, "credits": 1, "body": ANSWER})
        path.chmod(0o644)
        store = SqliteStore(path)
        await store.open_read_only()
        await store.close()
        copies = copies_in(tmp_path)
        assert len(copies) == count
        assert {stat.S_IMODE(one.stat().st_mode) for one in (*copies, path)} == {0o600}
        for companion in ("-wal", "-shm"):
            path.with_name(path.name + companion).unlink(missing_ok=True)
    attempts = []
    for copy in copies:
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT value FROM about").fetchall() == [("2",)]
            attempts += connection.execute("SELECT attempts FROM call").fetchall()
    assert attempts == [(1,), (2,)]


@pytest.mark.parametrize("gone", [(), (3,), (1, 5)])
async def test_every_answer_stays_with_its_lookup(gone: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    store = old_ledger(path, {"status": PENDING})
    answers = {b"%016d" % n: b'{"name": "%d"}' % n for n in range(2, 8) if n not in gone}
    with closing(sqlite3.connect(path)) as connection, connection:
        for n in range(2, 8):  # with gaps where lookups were deleted
            connection.execute(
                "INSERT INTO call (id, key, endpoint, given, status, attempts, credits, changed, "
                "body) VALUES (?, ?, 'person.get', ?, ?, 1, 1, ?, ?)",
                (n, b"%016d" % n, b'"%d"' % n, DONE, CHANGED, b'{"name": "%d"}' % n),
            )
        connection.executemany("DELETE FROM call WHERE id = ?", [(n,) for n in gone])
    with closing(sqlite3.connect(path)) as reader:  # who reads meanwhile goes on
        reader.execute("PRAGMA journal_mode = WAL")
        assert reader.execute("BEGIN").execute("SELECT count(*) FROM page").fetchall() == [(0,)]
        async with store:
            entries = {entry.key: entry async for entry in store.entries()}
        assert reader.execute("SELECT count(*) FROM call").fetchall()
    assert {key: one.body for key, one in entries.items() if one.body} == answers
    assert all(one.given == b'"%d"' % int(key) for key, one in entries.items() if one.body)


async def test_a_ledger_in_use_by_version_2_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    store = old_ledger(path, {"status": SENT, "attempts": 1, "owner": 2})
    before = path.read_bytes()
    lock = try_lock(tmp_path / "l.db.lock2")
    assert lock is not None
    with lock, pytest.raises(BulkError, match="in use by an older version of lix_async"):
        await store.open()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT status, owner FROM call").fetchall() == [(SENT, 2)]
    assert len(path.read_bytes()) == len(before)
    assert not copies_in(tmp_path)
    async with store:
        assert (await store.counts()).in_doubt == 1


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    store = old_ledger(path, {"status": REFUSED, "attempts": 1, "error": b"not JSON"})
    with pytest.raises(BulkError):
        await store.open()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT error FROM call").fetchall() == [(b"not JSON",)]
    assert not copies_in(tmp_path)


def test_an_old_ledger_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    old_ledger(path, {"status": DONE, "attempts": 1, "credits": 1, "body": ANSWER})
    start = threading.Barrier(4)
    found: list[Counts] = []

    async def look() -> None:
        start.wait()
        async with SqliteStore(path) as store:
            found.append(await store.counts())

    threads = [threading.Thread(target=anyio.run, args=(look,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Counts(done=1, credits=1)] * 4
    assert len(copies_in(tmp_path)) == 1
