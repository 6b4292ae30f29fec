"""The embedded ledger: one SQLite file, shared by the processes of one machine."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, TypeVar, cast

import msgspec

from ...concurrency.clock import RealClock
from ...concurrency.worker_thread import WorkerThread
from ...core.errors import BulkError
from ...filesystem import create_private_file, make_private, try_lock
from .base import (
    CODES,
    COLUMNS,
    MAX_BATCH,
    STATUSES,
    Entry,
    EntryColumns,
    LedgerCounts,
    LedgerNotFoundError,
    Status,
    StoredError,
    counts_from_rows,
    entry_from_row,
    join_json_arrays,
    ledger_error,
)

T = TypeVar("T")
BATCH = 200
"""Entries read at once while exporting."""
FIND = f"SELECT {COLUMNS} FROM call WHERE key = ?"
SELECT_ENTRY = f"SELECT {COLUMNS}, owner FROM call WHERE key = ?"
INSERT = """
INSERT INTO call (key, endpoint, given, status, changed, owner) VALUES (?, ?, ?, 0, ?, ?)
ON CONFLICT (key) DO NOTHING
"""
DOUBT = "UPDATE call SET status = 5, owner = NULL WHERE key = ?"
CLAIM = "UPDATE call SET owner = ? WHERE key = ?"
SENT = """
UPDATE call SET status = 1, attempts = attempts + 1, lost = lost + (status = 5), changed = :now,
    owner = :owner
WHERE key = :key AND owner
"""
# An answer is saved whichever worker has claimed the key by now.
KEEP = """
UPDATE call SET status = 3, body = ?, credits = credits + ?, changed = ?, error = NULL, due = 0,
    owner = NULL
WHERE key = ? AND status <> 3
"""
# A key that another worker has taken over (our lock was gone) is not changed.
SET_OUTCOME = """
UPDATE call SET status = ?, error = ?, due = ?, changed = ?, owner = NULL
WHERE key = ? AND status <> 3 AND (owner = ? OR owner IS NULL)
"""
RELEASE = "UPDATE call SET owner = NULL WHERE key = ? AND owner = ?"
PAGE = "INSERT INTO page SELECT ?, coalesce(max(number), 0) + 1, ? FROM page WHERE key = ?"
PAGED = """
UPDATE call SET status = 0, point = :point, credits = credits + :credits, changed = :now,
    owner = :owner
WHERE key = :key AND status IN (1, 5) AND (owner = :owner OR owner IS NULL)
"""
AT = "SELECT 1 FROM call WHERE key = ? AND point = ?"
FINISH_LISTING = """
UPDATE call SET status = 3, body = ?, point = NULL, changed = ?, owner = NULL WHERE key = ?
"""


class SqliteStore:
    """A ledger in an SQLite file, shared by runs and workers on this machine.

    The file and its companions can be read by their owner only (mode 0600). It must be on a local
    disk, because locks over a network are not reliable. Each worker has a permanent `.lock` file
    beside it, which shows other workers whether it is alive.

    Args:
        path: The file, created if necessary.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._writer: WorkerThread[SqliteJob] | None = None

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    async def open(self, name: str, now: float) -> int:
        def begin(conn: SqliteLedgerConnection) -> int:
            if name and (found := about(conn.database, "run") or name) != name:
                raise BulkError(
                    f"{self.path} belongs to another run ({found}, not {name}): use another file"
                )
            if name:
                conn.database.execute("INSERT OR IGNORE INTO about VALUES ('run', ?)", (name,))
            return conn.release_dead_owners()

        return await self._begin(SqliteLedgerConnection(self.path), begin)

    async def open_read_only(self) -> None:
        await self._begin(
            SqliteLedgerConnection(self.path, existing_only=True),
            SqliteLedgerConnection.release_dead_owners,
        )

    async def _begin(
        self, session: SqliteLedgerConnection, first: Callable[[SqliteLedgerConnection], T]
    ) -> T:
        if self._writer is not None:
            raise BulkError(f"{self.path} is open already")
        self._writer = WorkerThread(session, "lix_async ledger", max_batch=MAX_BATCH, shield=True)
        try:
            return await self._do(first)
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

    async def _do(
        self,
        work: Callable[[SqliteLedgerConnection], T],
        *,
        writes: bool = True,
        frees: bytes = b"",
    ) -> T:
        if self._writer is None:
            raise BulkError(f"{self.path} is not open")
        return cast("T", await self._writer.run(SqliteJob(work, writes, frees)))

    async def _rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        def work(conn: SqliteLedgerConnection) -> list[tuple[object, ...]]:
            return conn.database.execute(statement, values).fetchall()

        return await self._do(work, writes=False)

    async def get(self, key: bytes) -> Entry | None:
        rows = await self._rows(FIND, key)
        return entry_from_row(cast("EntryColumns", rows[0])) if rows else None

    async def final_entries(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        marks = ", ".join("?" * len(keys))
        final = f"SELECT {COLUMNS} FROM call WHERE key IN ({marks}) AND status IN (3, 4)"
        entries = [
            entry_from_row(cast("EntryColumns", row)) for row in await self._rows(final, *keys)
        ]
        return {entry.key: entry for entry in entries}

    async def parked(self) -> str:
        return await self._do(lambda conn: about(conn.database, "parked") or "", writes=False)

    async def park(self, reason: str) -> None:
        def work(conn: SqliteLedgerConnection) -> None:
            conn.database.execute("DELETE FROM about WHERE name = 'parked'")
            if reason:
                conn.database.execute("INSERT INTO about VALUES ('parked', ?)", (reason,))

        await self._do(work)

    async def resolve(self, key: bytes, status: Literal["pending", "refused"], now: float) -> bool:
        change = (
            "UPDATE call SET status = ?, lost = lost + 1, changed = ? WHERE key = ? AND status = 5"
        )
        return await self._change(change, CODES[status], now, key) == 1

    async def claim(self, key: bytes, endpoint: str, given: bytes, now: float) -> Entry:
        def work(conn: SqliteLedgerConnection) -> Entry:
            values = (key, endpoint, given, now, conn.owner)
            if conn.database.execute(INSERT, values).rowcount == 1:
                conn.held.add(key)
                return Entry(
                    key=key,
                    endpoint=endpoint,
                    given=given,
                    status="pending",
                    changed=now,
                    held=True,
                )
            row = conn.database.execute(SELECT_ENTRY, (key,)).fetchone()
            if row[-1] not in {None, conn.owner} and conn.release_dead_owner(row[-1]) is not None:
                row = conn.database.execute(SELECT_ENTRY, (key,)).fetchone()
            *columns, owner = row
            entry = entry_from_row(cast("EntryColumns", columns))
            if key in conn.held or owner not in {None, conn.owner}:
                entry.status = "busy"
            elif owner is not None and entry.status == "sent":  # by an attempt that was given up
                conn.database.execute(DOUBT, (key,))
                entry.status = "in_doubt"
            elif entry.status == "pending" or (entry.status == "queued" and entry.due <= now):
                conn.database.execute(CLAIM, (conn.owner, key))
                conn.held.add(key)
                entry.held = True
            return entry

        return await self._do(work)

    async def mark_sent(self, key: bytes, held: bool, now: float) -> bool:
        change = f"{SENT} = :owner" if held else f"{SENT} IS NULL AND status IN (0, 2, 5)"

        def work(conn: SqliteLedgerConnection) -> bool:
            values = {"now": now, "owner": conn.owner, "key": key}
            changed = conn.database.execute(change, values).rowcount == 1
            if changed:
                conn.held.add(key)
            return changed

        return await self._do(work)

    async def done(self, key: bytes, body: bytes, credits: int, now: float) -> None:
        values = (body, credits, now, key)
        await self._do(lambda conn: conn.database.execute(KEEP, values), frees=key)

    async def add_page(
        self, key: bytes, items: bytes, point: bytes, credits: int, now: float
    ) -> None:
        def work(conn: SqliteLedgerConnection) -> None:
            values = {
                "key": key,
                "point": point,
                "credits": credits,
                "now": now,
                "owner": conn.owner,
            }
            if conn.database.execute(PAGED, values).rowcount:
                conn.database.execute(PAGE, (key, items, key))
            elif conn.database.execute(AT, (key, point)).fetchone() is None:  # not a repetition
                raise BulkError("another worker has continued this listing")

        await self._do(work)

    async def finish_listing(self, key: bytes, now: float) -> bytes:
        def work(conn: SqliteLedgerConnection) -> bytes:
            done = conn.database.execute(f"{FIND} AND status = 3", (key,)).fetchone()
            if done is not None:  # a repetition: the error came after the commit
                return entry_from_row(done).body or b""
            pages = "SELECT items FROM page WHERE key = ? ORDER BY number"
            body = join_json_arrays([items for (items,) in conn.database.execute(pages, (key,))])
            conn.database.execute(FINISH_LISTING, (body, now, key))
            conn.database.execute("DELETE FROM page WHERE key = ?", (key,))
            return body

        return await self._do(work, frees=key)

    async def schedule_recheck(self, key: bytes, due: float, now: float) -> bool:
        change = "UPDATE call SET status = 2, due = ?, changed = ? WHERE key = ? AND status = 3"
        return await self._change(change, due, now, key) == 1

    async def set_outcome(
        self, key: bytes, status: Status, error: StoredError | None, due: float, now: float
    ) -> None:
        saved = None if error is None else msgspec.json.encode(error)
        await self._free(key, SET_OUTCOME, CODES[status], saved, due, now, key)

    async def release(self, key: bytes) -> None:
        await self._free(key, RELEASE, key)

    async def _free(self, key: bytes, change: str, *values: object) -> None:
        await self._do(lambda conn: conn.database.execute(change, (*values, conn.owner)), frees=key)

    async def _change(self, change: str, *values: object) -> int:
        return await self._do(lambda conn: conn.database.execute(change, values).rowcount)

    async def counts(self) -> LedgerCounts:
        found = await self._rows(
            "SELECT status, count(*), sum(credits), sum(lost) FROM call GROUP BY status"
        )
        return counts_from_rows(cast("list[tuple[int, int, int, int]]", found))

    async def next_due(self) -> float | None:
        found = await self._rows("SELECT min(due) FROM call WHERE status = 2")
        return cast("float | None", found[0][0])

    async def entries(self, *statuses: Status, endpoint: str | None = None) -> AsyncIterator[Entry]:
        wanted = [CODES[status] for status in statuses or STATUSES]
        # Numbers in the text, not parameters: otherwise the partial indexes are not used.
        among = f"= {wanted[0]}" if len(wanted) == 1 else f"IN ({', '.join(map(str, wanted))})"
        some = (
            f"SELECT id, {COLUMNS} FROM call WHERE id > ? AND status {among} "
            "AND endpoint = coalesce(?, endpoint) ORDER BY id LIMIT ?"
        )
        last = 0
        while rows := await self._rows(some, last, endpoint, BATCH):
            last = cast("int", rows[-1][0])
            for row in rows:
                yield entry_from_row(cast("EntryColumns", row[1:]))

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()


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


RELEASE_DEAD_OWNER = """
UPDATE call SET owner = NULL, status = CASE status WHEN 1 THEN 5 ELSE status END WHERE owner = ?
"""


class SqliteLedgerConnection:
    """One worker's connection, its owner number, and the keys that it claimed.

    `existing_only`: it makes no file and no tables and takes no owner number.
    """

    def __init__(self, path: Path, *, existing_only: bool = False) -> None:
        self.path = path
        self.owner = 0
        self.held: set[bytes] = set()
        self._existing_only = existing_only
        self._database: sqlite3.Connection | None = None
        self._lock: IO[bytes] | None = None
        self._dead_owner_locks: list[IO[bytes]] = []

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, for the jobs of a transaction."""
        assert self._database is not None  # `run` made it
        return self._database

    def run(self, jobs: Sequence[SqliteJob]) -> list[object]:
        """All jobs in one durable transaction."""
        database = self._database = self._database or self._connect()
        held = set(self.held)
        try:
            database.execute("BEGIN IMMEDIATE" if any(job.writes for job in jobs) else "BEGIN")
            values = [self._done(job) for job in jobs]
            database.execute("COMMIT")
        except BaseException:
            self.held = held
            if len(jobs) == 1:  # not tried again: the attempt has ended
                self.held.discard(jobs[0].frees)
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            if database.in_transaction:  # it is of no use any more
                self._database = None
                database.close()
            raise
        finally:
            while self._dead_owner_locks:
                self._dead_owner_locks.pop().close()
        return values

    def _done(self, job: SqliteJob) -> object:
        value = job.work(self)
        self.held.discard(job.frees)
        return value

    def release_dead_owner(self, owner: int) -> int | None:
        """Release what a dead owner held: the number of keys now in doubt. None while it lives.

        A new owner number may have been that of a dead owner before.
        """
        if owner != self.owner:
            lock = _owner_lock(self.path, owner)
            if lock is None:
                return None
            self._dead_owner_locks.append(lock)  # the number stays locked until this is committed
        doubts: int = self.database.execute(DOUBTS, (owner,)).fetchone()[0]
        self.database.execute(RELEASE_DEAD_OWNER, (owner,))
        return doubts

    def release_dead_owners(self) -> int:
        """Release what all dead owners held: the number of keys now in doubt."""
        owners = self.database.execute(OWNERS).fetchall()
        return sum(self.release_dead_owner(owner) or 0 for (owner,) in owners)

    def error_for(self, error: Exception) -> BulkError:
        """A description of the error, with the remedy."""
        hint = ""
        if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
            hint = "; the file is damaged: restore a copy, nothing was changed"
        return ledger_error(error, f"the ledger cannot be written: {error}{hint}")

    def close(self) -> None:
        """Release all claims and close the file."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):  # otherwise the next owner releases our keys
                if self.owner:
                    self._database.execute(RELEASE_DEAD_OWNER, (self.owner,))
            self._database.close()
        if self._lock is not None:
            self._lock.close()

    def _connect(self) -> sqlite3.Connection:
        until = RealClock().now() + LOCKED_FOR
        while True:
            try:
                return self._connected()
            except sqlite3.OperationalError as error:
                # SQLite does not always wait while another process creates or closes the file.
                if (
                    error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY
                    or RealClock().now() > until
                ):
                    raise
            threading.Event().wait(0.01)  # the ledger's own thread: no event loop is blocked

    def _connected(self) -> sqlite3.Connection:
        _check_file(self.path, create=not self._existing_only)
        place = f"{self.path.absolute().as_uri()}?mode=rw"
        database = sqlite3.connect(place, isolation_level=None, timeout=LOCKED_FOR, uri=True)
        try:
            # Nothing is changed until it is known to be a ledger, not even its mode.
            self._recognise(database)
            for suffix in ("", "-wal", "-shm"):  # SQLite's companions hold the same data
                make_private(self.path.with_name(self.path.name + suffix))
            # FULL: an intent that the disk forgot would be paid for twice.
            database.execute("PRAGMA synchronous=FULL")
            if not self._existing_only:
                database.execute("PRAGMA journal_mode=WAL")
                self._make(database)
                if self._lock is None:
                    self.owner, self._lock = _first_free_owner(self.path)
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
            # No database, or an `about` with other columns; locked or damaged is another error.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
                raise
            tables, found = {""}, None
        if found is None and (self._existing_only or tables):
            raise BulkError(
                f"{self.path} is not a lix_async ledger: pass a file created by bulk.Run or "
                "lix enrich --store"
            )
        if found not in (None, VERSION):
            raise BulkError(
                f"{self.path} is a ledger of version {found}: expected version {VERSION}"
            )


class SqliteJob(msgspec.Struct, frozen=True):
    """A part of a transaction. `frees`: the key whose claim ends with it."""

    work: Callable[[SqliteLedgerConnection], object]
    writes: bool = True
    frees: bytes = b""


def about(database: sqlite3.Connection, name: str) -> str | None:
    """A value that is stored for the ledger as a whole."""
    found = database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def _check_file(path: Path, *, create: bool) -> None:
    """Check that the ledger is a writable file; create it (mode 0600) if it is missing.

    An existing file is not touched: it may belong to another program.
    """
    try:
        if create:
            create_private_file(path)
        # The file is not opened: closing it would end SQLite's locks on it in this process.
        if not stat.S_ISREG(path.lstat().st_mode):
            raise BulkError(f"the ledger {path} is not a file")
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        kind = LedgerNotFoundError if isinstance(error, FileNotFoundError) else BulkError
        raise kind(f"the ledger {path} cannot be opened: {error.strerror}") from None


def _first_free_owner(path: Path) -> tuple[int, IO[bytes]]:
    """The lowest owner number that no living process has, and its lock."""
    number = 1
    while (lock := _owner_lock(path, number)) is None:
        number += 1
    return number, lock


def _owner_lock(path: Path, number: int) -> IO[bytes] | None:
    """The lock file of an owner number, locked; None while its owner lives.

    The system releases the lock when a process dies, so no clock decides who is dead.
    """
    name = f"{path.name}.lock" if number == 1 else f"{path.name}.lock{number}"
    try:
        return try_lock(path.with_name(name))
    except OSError as error:
        raise BulkError(f"the ledger {path} cannot be locked: {error.strerror}") from None
