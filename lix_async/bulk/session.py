"""A worker's connection to the embedded ledger, as the ledger's thread uses it.

A worker holds keys under its number; see `file` for how the dead are told from the slow.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from ..core.errors import BulkError
from ..engine.clock import RealClock
from .file import joined, locked, private, there

VERSION = "2"
LOCKED_FOR = 60.0
"""Seconds that others may write, before a commit fails."""
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
    lost INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    owner INTEGER,
    error BLOB,
    body BLOB,
    point BLOB
);
CREATE INDEX IF NOT EXISTS call_owner ON call (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_queued ON call (due) WHERE status = 2;
CREATE INDEX IF NOT EXISTS call_doubt ON call (id) WHERE status = 5;
CREATE TABLE IF NOT EXISTS page (
    key BLOB NOT NULL, number INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
"""
OWNERS = "SELECT DISTINCT owner FROM call WHERE owner IS NOT NULL"
DOUBTS = "SELECT count(*) FROM call WHERE owner = ? AND status = 1"
BURY = """
UPDATE call SET owner = NULL, status = CASE status WHEN 1 THEN 5 ELSE status END WHERE owner = ?
"""


class Session:
    """One worker's connection, its number, and the keys that it holds under it.

    `looks`: it makes no file and no tables and has no number, it only comes to look.
    """

    def __init__(self, path: Path, *, looks: bool = False) -> None:
        self.path = path
        self.owner = 0
        self.held: set[bytes] = set()
        self._looks = looks
        self._database: sqlite3.Connection | None = None
        self._lock: IO[bytes] | None = None
        self._graves: list[IO[bytes]] = []

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, for the jobs of a transaction."""
        assert self._database is not None  # `run` made it
        return self._database

    def run(self, jobs: Sequence[Job]) -> list[object]:
        """All jobs in one durable transaction."""
        database = self._database = self._database or self._connect()
        held = set(self.held)
        try:
            database.execute("BEGIN IMMEDIATE" if any(job.writes for job in jobs) else "BEGIN")
            values = [self._done(job) for job in jobs]
            database.execute("COMMIT")
        except BaseException:
            self.held = held
            if len(jobs) == 1:  # it is not tried again: the attempt is over, in one way or another
                self.held.discard(jobs[0].frees)
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            if database.in_transaction:  # it is of no use any more
                self._database = None
                database.close()
            raise
        finally:
            while self._graves:
                self._graves.pop().close()
        return values

    def _done(self, job: Job) -> object:
        value = job.work(self)
        self.held.discard(job.frees)
        return value

    def bury(self, owner: int) -> int | None:
        """Free what a dead worker held; how many keys are in doubt now. None while it lives.

        Our own number is that of a dead one too, when we have just got it.
        """
        if owner != self.owner:
            lock = locked(self.path, owner)
            if lock is None:
                return None
            self._graves.append(lock)  # nobody may have the number before this is committed
        doubts: int = self.database.execute(DOUBTS, (owner,)).fetchone()[0]
        self.database.execute(BURY, (owner,))
        return doubts

    def bury_all(self) -> int:
        """Free what any dead worker held; how many keys are in doubt now."""
        owners = self.database.execute(OWNERS).fetchall()
        return sum(self.bury(owner) or 0 for (owner,) in owners)

    def told(self, error: Exception) -> str:
        """What went wrong, and what helps."""
        hint = ""
        if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
            hint = "; the file is damaged: restore a copy, nothing was changed"
        return f"the ledger cannot be written: {error}{hint}"

    def close(self) -> None:
        """Free what is still held, and let go of the file."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):  # else the next to come will see us dead
                if self.owner:
                    self._database.execute(BURY, (self.owner,))
            self._database.close()
        if self._lock is not None:
            self._lock.close()

    def _connect(self) -> sqlite3.Connection:
        until = RealClock().now() + LOCKED_FOR
        while True:
            try:
                return self._connected()
            except sqlite3.OperationalError as error:
                # Two that make the file, or one that closes it: SQLite does not always wait.
                if (
                    error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY
                    or RealClock().now() > until
                ):
                    raise
            threading.Event().wait(0.01)  # the ledger's own thread: no loop is held up

    def _connected(self) -> sqlite3.Connection:
        there(self.path, make=not self._looks)
        place = f"{self.path.absolute().as_uri()}?mode=rw"
        database = sqlite3.connect(place, isolation_level=None, timeout=LOCKED_FOR, uri=True)
        try:
            # Nothing is changed before it is known whose the file is, not even who may read it.
            self._recognise(database)
            private(self.path)
            # FULL: an intent that the disk forgot would be paid for twice.
            database.execute("PRAGMA synchronous=FULL")
            if not self._looks:
                database.execute("PRAGMA journal_mode=WAL")
                self._make(database)
                if self._lock is None:
                    self.owner, self._lock = joined(self.path)
        except BaseException:
            database.close()
            raise
        return database

    def _make(self, database: sqlite3.Connection) -> None:
        if not _tables(database):
            version = f"INSERT OR IGNORE INTO about VALUES ('version', '{VERSION}')"
            database.executescript(f"BEGIN IMMEDIATE; {SCHEMA}; {version}; COMMIT")

    def _recognise(self, database: sqlite3.Connection) -> None:
        try:
            tables = _tables(database)
            ours = {"about", "call", "page"} <= tables
            found = about(database, "version") if ours else None
        except sqlite3.DatabaseError as error:
            # No database at all, or an `about` of other columns; what is locked or damaged is else.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
                raise
            tables, found = {""}, None
        if found is None and (self._looks or tables):
            raise BulkError(
                f"{self.path} is no ledger: give the file that a run or `lix enrich --store` made"
            )
        if found not in (None, VERSION):
            raise BulkError(f"{self.path} is a ledger of version {found}")


class Job(msgspec.Struct, frozen=True):
    """A part of a transaction. `frees`: the key that is held no longer afterwards."""

    work: Callable[[Session], object]
    writes: bool = True
    frees: bytes = b""


def about(database: sqlite3.Connection, name: str) -> str | None:
    """What is written down of the ledger as a whole."""
    found = database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
