"""The embedded ledger: one SQLite file, one process at a time, many tasks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar, cast

import msgspec

from ..core.errors import BulkError
from ..engine.clock import RealClock
from .file import locked, private
from .store import CODES, COLUMNS, STATUSES, Counts, Entry, Failed, Status, joined, read
from .thread import Writer

VERSION = 1
T = TypeVar("T")
Job = Callable[[sqlite3.Connection], object]
BATCH = 200
"""Entries read at once while exporting."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    given BLOB NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    credits INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    error BLOB,
    body BLOB,
    point BLOB
);
CREATE INDEX IF NOT EXISTS call_open ON call (status, due) WHERE status IN (1, 2, 5);
CREATE TABLE IF NOT EXISTS page (
    key BLOB NOT NULL, number INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
"""


class _Session:
    """The connection, as the ledger's thread uses it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def run(self, jobs: Sequence[Job]) -> list[object]:
        self._connection = connection = self._connection or self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            values = [job(connection) for job in jobs]
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return values

    def told(self, error: Exception) -> str:
        hint = ""
        if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
            hint = "; the file is damaged: restore a copy, nothing was changed"
        return f"the ledger cannot be written: {error}{hint}"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=30.0)
        # FULL: an intent that the disk forgot would be paid for twice.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(SCHEMA)
        return connection


class SqliteStore:
    """A ledger in a file. The file and its companions are readable by their owner only (0600)."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock: IO[str] | None = None
        self._writer: Writer[Job] | None = None
        self._held: set[bytes] = set()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    async def open(self, name: str, now: float) -> int:
        if self._writer is not None:
            raise BulkError(f"{self.path} is open already")
        self._held.clear()
        private(self.path)
        self._lock = locked(self.path.with_name(f"{self.path.name}.lock"))
        self._writer = Writer(_Session(self.path))

        def begin(connection: sqlite3.Connection) -> int:
            found = dict(connection.execute("SELECT name, value FROM about").fetchall())
            if found and found.get("version") != str(VERSION):
                raise BulkError(f"{self.path} is a ledger of version {found.get('version')}")
            if name and found.get("run", name) != name:
                raise BulkError(
                    f"{self.path} belongs to another run ({found['run']}, not {name}): "
                    "give this one a file of its own"
                )
            connection.executemany(
                "INSERT OR IGNORE INTO about VALUES (?, ?)",
                [("version", str(VERSION)), ("run", name)][: 1 + bool(name)],
            )
            return connection.execute(
                "UPDATE call SET status = ?, changed = ? WHERE status = ?",
                (CODES["in_doubt"], now, CODES["sent"]),
            ).rowcount

        try:
            return await self._do(begin)
        except BaseException:
            await self.close()
            raise

    async def __aenter__(self) -> SqliteStore:
        await self.open("", RealClock().wall())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._writer is None:
            raise BulkError(f"{self.path} is not open")
        return cast("T", await self._writer.do(job))

    async def take(self, key: bytes, endpoint: str, given: bytes, now: float) -> Entry:
        def job(connection: sqlite3.Connection) -> Entry:
            row = connection.execute(f"SELECT {COLUMNS} FROM call WHERE key = ?", (key,)).fetchone()
            if row is not None:
                return read(row)
            connection.execute(
                "INSERT INTO call (key, endpoint, given, status, changed) VALUES (?, ?, ?, 0, ?)",
                (key, endpoint, given, now),
            )
            return Entry(key=key, endpoint=endpoint, given=given, status="owed", changed=now)

        entry = await self._do(job)
        if key in self._held:
            entry.status = "busy"
        elif entry.status == "owed" or (entry.status == "queued" and entry.due <= now):
            self._held.add(key)
            entry.held = True
        return entry

    async def sent(self, key: bytes, held: bool, now: float) -> bool:
        if not held and key in self._held:
            return False
        self._held.add(key)
        await self._set("status = 1, attempts = attempts + 1, changed = ?", (now,), key)
        return True

    async def done(self, key: bytes, body: bytes, credits: int, now: float) -> None:
        change = "status = 3, body = ?, credits = credits + ?, changed = ?, error = NULL, due = 0"
        await self._set(change, (body, credits, now), key)
        self._held.discard(key)

    async def page(self, key: bytes, items: bytes, point: bytes, credits: int, now: float) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO page SELECT ?, coalesce(max(number), 0) + 1, ? FROM page "
                "WHERE key = ?",
                (key, items, key),
            )
            connection.execute(
                "UPDATE call SET status = 0, point = ?, credits = credits + ?, changed = ? "
                "WHERE key = ?",
                (point, credits, now, key),
            )

        await self._do(job)

    async def walked(self, key: bytes, now: float) -> bytes:
        def job(connection: sqlite3.Connection) -> bytes:
            pages = connection.execute(
                "SELECT items FROM page WHERE key = ? ORDER BY number", (key,)
            ).fetchall()
            body = joined([items for (items,) in pages])
            connection.execute(
                "UPDATE call SET status = 3, body = ?, point = NULL, changed = ? WHERE key = ?",
                (body, now, key),
            )
            connection.execute("DELETE FROM page WHERE key = ?", (key,))
            return body

        body = await self._do(job)
        self._held.discard(key)
        return body

    async def settle(
        self, key: bytes, status: Status, error: Failed | None, due: float, now: float
    ) -> None:
        kept = None if error is None else msgspec.json.encode(error)
        change = "status = ?, error = ?, due = ?, changed = ?"
        await self._set(change, (CODES[status], kept, due, now), key)
        self._held.discard(key)

    async def release(self, key: bytes) -> None:
        self._held.discard(key)

    async def _set(self, change: str, values: tuple[object, ...], key: bytes) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(f"UPDATE call SET {change} WHERE key = ?", (*values, key))

        await self._do(job)

    async def counts(self) -> Counts:
        def job(connection: sqlite3.Connection) -> Counts:
            rows = connection.execute(
                "SELECT status, count(*), sum(credits) FROM call GROUP BY status"
            ).fetchall()
            return Counts(
                **{STATUSES[status]: count for status, count, _ in rows},
                credits=sum(credits for _, _, credits in rows),
            )

        return await self._do(job)

    async def soonest(self) -> float | None:
        def job(connection: sqlite3.Connection) -> float | None:
            found = connection.execute("SELECT min(due) FROM call WHERE status = 2").fetchone()
            moment: float | None = found[0]
            return moment

        return await self._do(job)

    async def entries(self, *statuses: Status) -> AsyncIterator[Entry]:
        wanted = tuple(CODES[status] for status in statuses or STATUSES)
        marks = ", ".join("?" * len(wanted))
        last = 0
        while True:

            def job(connection: sqlite3.Connection, after: int = last) -> list[tuple[int, Entry]]:
                rows = connection.execute(
                    f"SELECT id, {COLUMNS} FROM call WHERE id > ? AND status IN ({marks}) "
                    "ORDER BY id LIMIT ?",
                    (after, *wanted, BATCH),
                ).fetchall()
                return [(row[0], read(row[1:])) for row in rows]

            batch = await self._do(job)
            if not batch:
                return
            for last, entry in batch:  # noqa: B007  # the last one read is where to go on
                yield entry

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.stop()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()
