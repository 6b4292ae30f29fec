"""A ledger in a SQLite file, shared by the processes of one machine."""

from __future__ import annotations

import contextlib
import errno
import glob
import itertools
import os
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import IO, cast

from ..concurrency.thread_work import in_thread
from ..core.errors import BulkError
from ..core.validation import guarded_repr
from ..filesystem import (
    NO_FOLLOW,
    create_private_file,
    create_private_folder,
    fsync_file,
    make_private,
    try_lock,
)
from .connection import EventsJob, Job, LedgerConnection, LedgerGoneError, LedgerNotFoundError
from .database import CHUNK, Columns, Database, Query, chunks
from .erasure import place_in
from .migration import OLD, migrate
from .owners import Owner, is_unlocked, lock_path
from .personal import personal_path
from .records import AnswerRow, Receive, unpacked
from .rescue import RescuedAnswer, rescue, rescue_files, take_in
from .schema import BODY, CODEC, EARLIER, VERSION, tables, version_error
from .store import Store
from .tables import SqlTables

READERS_FOR = 5.0
"""Seconds that readers are waited for before the log is emptied."""
SEARCHED = 1 << 24
"""Bytes of a file that are searched at once."""
LOCKED_FOR = 60.0
"""Seconds to wait for another process's transaction."""
CUT = b"cut off"
"""In the file that stays beside a ledger, once it lacks what was committed: what SQLite makes of it
the next time looks like a ledger, and would buy again what is missing."""
SENT = """
SELECT l.key, l.endpoint, l.written_as, l.variant, a.price, a.kind, a.sent
FROM lookup l JOIN attempt a ON a.lookup = l.id WHERE l.id = ? AND a.n = ?
"""
COMPANIONS = ("-wal", "-shm")
"""Files that SQLite keeps beside a database."""
SCHEMA = tables(
    auto="INTEGER PRIMARY KEY AUTOINCREMENT", blob="BLOB", big="INTEGER", by_key=" WITHOUT ROWID"
)


class SqliteDatabase:
    """SQLite behind the methods that `SqlTables` uses."""

    for_update = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Columns]:
        if "?*" in statement:
            statement, values = expand(statement, values)
        rows: list[Columns] = self.connection.execute(statement, values).fetchall()
        return rows

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        if "?*" in statement:
            statement, values = expand(statement, values)
        return self.connection.execute(statement, values).rowcount

    def select(self, queries: Sequence[Query]) -> list[list[Columns]]:
        return [self.execute(statement, values) for statement, values in queries]

    def insert(
        self, table: str, columns: str, rows: Sequence[Sequence[object]], conflict: str = ""
    ) -> int:
        given, left = _given_columns(columns, rows)
        statement = f"INSERT INTO {table} ({', '.join(given)}) SELECT * FROM (?**) WHERE true"
        if conflict:
            statement += f" ON CONFLICT {conflict}"
        inserted = 0
        while left:  # in powers of two: nothing is filled up, as it would be inserted twice
            size = min(1 << (len(left).bit_length() - 1), CHUNK)
            inserted += self.change(statement, (left[:size],))
            left = left[size:]
        return inserted

    def insert_new(
        self, table: str, columns: str, rows: Sequence[Sequence[object]], key: str
    ) -> list[Columns]:
        given, some = _given_columns(columns, rows)
        return self.execute(
            f"INSERT INTO {table} ({', '.join(given)}) SELECT * FROM (?**) WHERE true "
            f"ON CONFLICT ({key}) DO NOTHING RETURNING {key}, id",
            (some,),
        )

    def update(self, table: str, columns: str, keys: str, rows: Sequence[Sequence[object]]) -> None:
        given, left = _given_columns(f"{columns}, {keys}", rows)
        statement = _update(table, columns, keys, given)
        for some in chunks(left):
            self.execute(statement, (some,))


def _given_columns(
    columns: str, rows: Sequence[Sequence[object]]
) -> tuple[tuple[str, ...], Sequence[Sequence[object]]]:
    """The columns that have a value in any row, and the rows with those.

    A None costs ten times as much as a number: sqlite3 looks for an adapter of it first.
    """
    names = tuple(columns.split(", "))
    values = list(zip(*rows, strict=True))
    given = [place for place, column in enumerate(values) if column.count(None) < len(column)]
    if len(given) == len(names) or not rows:
        return names, rows
    chosen = zip(*[values[place] for place in given], strict=True)
    return tuple(names[place] for place in given), list(chosen)


@cache
def _update(table: str, columns: str, keys: str, given: Sequence[str]) -> str:
    places = {name: f"v.column{n}" for n, name in enumerate(given, 1)}
    changes = ", ".join(f"{name} = {places.get(name, 'NULL')}" for name in columns.split(", "))
    those = " AND ".join(f"{table}.{key} = {places[key]}" for key in keys.split(", "))
    return f"UPDATE {table} SET {changes} FROM (?**) AS v WHERE {those}"


LIST = re.compile(r"\?(\*{0,2})")


def expand(statement: str, values: Sequence[object]) -> tuple[str, list[object]]:
    """Write a statement's lists out, each with a number of marks that is a power of two.

    SQLite keeps prepared statements by their text: few lengths are few texts. The last element
    fills the list, which an `IN` does not notice.
    """
    flat: list[object] = []
    sizes: list[tuple[int, int]] = []
    for value, stars in zip(values, LIST.findall(statement), strict=True):
        if not stars:
            flat.append(value)
            sizes.append((1, 1))
            continue
        elements = list(cast("Sequence[object]", value))
        full = 1 << max(len(elements) - 1, 0).bit_length()
        elements += elements[-1:] * (full - len(elements))
        count, width = len(elements), 1
        if stars == "**":
            rows = cast("list[Sequence[object]]", elements)
            width = len(rows[0])
            elements = [part for row in rows for part in row]
        sizes.append((count, width))
        flat += elements
    return _with_marks(statement, tuple(sizes)), flat


@lru_cache(maxsize=256)
def _with_marks(statement: str, sizes: tuple[tuple[int, int], ...]) -> str:
    left = iter(sizes)

    def marks(found: re.Match[str]) -> str:
        count, width = next(left)
        if found[1] != "**":
            return ", ".join(["?"] * count)
        row = f"({', '.join(['?'] * width)})"
        return f"VALUES {', '.join([row] * count)}"

    # SQLite looks pairs up in an index only where they come from a SELECT.
    return LIST.sub(marks, statement.replace("IN (?**)", "IN (SELECT * FROM (?**))"))


class SqliteLedgerConnection(LedgerConnection):
    """One opening of a ledger's file."""

    def __init__(self, path: Path, *, read_only: bool = False, new: bool = False) -> None:
        super().__init__(read_only=read_only)
        # Absolute at once: a program that changes its directory must not find another ledger.
        self.path = path.absolute()
        self._new = new
        self._database: SqliteDatabase | None = None
        self._lock: IO[bytes] | None = None
        self._locked = b""
        self._creating: IO[bytes] | None = None
        self._identity: tuple[int, int] | None = None
        self._log_size = 0
        """Bytes of the write-ahead log after the last commit."""
        self._log_is_cut = False
        self.keeps_old = True
        """Whether a ledger that is migrated is kept beside the new one as it was."""
        self._data_version: object = None

    def connect(self) -> SqliteDatabase:
        if self._database is None:
            self._database, self._data_version = SqliteDatabase(self._open()), None
            if not self._read_only:
                self.begin(writes=True)
                self.register(self.tables(self._database))
                self.commit()
        elif self._identity is not None:
            self._check_file()
        return self._database

    def run(self, jobs: Sequence[Job]) -> list[object]:
        try:
            return super().run(jobs)
        except Exception:
            if len(jobs) == 1:  # those of a group are tried one by one
                self._rescue(jobs[0])
            raise

    def _rescue(self, job: Job) -> None:
        """Keep the answers of a job that cannot be stored: they are paid for."""
        events = job.events if isinstance(job, EventsJob) and self._database is not None else ()
        answers: list[RescuedAnswer] = []
        with contextlib.suppress(sqlite3.Error, OSError):  # the caller has them as well
            for event in events:
                if isinstance(event, Receive):
                    # From the open file, also where the path does not lead to it any more.
                    rows = self._db.execute(SENT, (event.lookup, event.n))
                    found = cast("list[tuple[bytes, str, bytes, bytes, int, str, int]]", rows)
                    answers += [
                        RescuedAnswer(
                            ledger=str(self.path),
                            key=key,
                            endpoint=endpoint,
                            written_as=written_as,
                            variant=variant,
                            n=event.n,
                            page=event.page,
                            price=price,
                            kind=kind,
                            sent=sent,
                            at=event.now,
                            http=event.http,
                            body=event.body,
                        )
                        for key, endpoint, written_as, variant, price, kind, sent in found
                    ]
            if answers:
                rescue(self.path, self.token, answers)

    def begin(self, *, writes: bool) -> None:
        self._db.connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def others_wrote(self) -> bool:
        # https://www.sqlite.org/pragma.html#pragma_data_version: own commits do not change it.
        ((version,),) = self._db.execute("PRAGMA data_version")
        before, self._data_version = self._data_version, version
        return version != before

    def commit(self) -> None:
        self._db.connection.execute("COMMIT")
        if self._identity is not None and not self._read_only:
            with contextlib.suppress(OSError):  # deleted: seen by the next check
                self._log_size = self._log.stat().st_size

    def rollback(self) -> None:
        if self._database is not None and self._database.connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the error that led here is raised
                self._database.connection.execute("ROLLBACK")

    def in_transaction(self) -> bool:
        return self._db.connection.in_transaction

    def key_file(self, database: Database) -> Path:
        return self.path.with_name(f"{self.path.name}.key")

    def is_dead(self, owner: Owner) -> bool:
        return is_unlocked(self.path, owner)

    def remove_dead_lock(self, owner: Owner) -> None:
        with contextlib.suppress(OSError):
            lock_path(self.path, owner.token).unlink()

    def register(self, tables: SqlTables) -> None:
        super().register(tables)
        self._release_lock(remove=True)
        self._lock = try_lock(lock_path(self.path, self.token))
        self._locked = self.token

    def describe_error(self, error: Exception) -> str:
        hint = ""
        if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
            hint = "; the file is damaged: restore a copy, nothing was changed"
        return f"the ledger {self.path} cannot be written: {error}{hint}"

    def close(self) -> None:
        gone = False
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error, BulkError):
                # A commit would fill the gap in a log that was cut, and hide it.
                if self.owner and not self._log_is_cut:
                    self.end_owner(self.tables(self._database))
                gone = True
            self.rollback()
            self._database.connection.close()
            self._database = None
        # Where that failed, its lock file without a lock says so.
        self._release_lock(remove=gone)

    @property
    def _db(self) -> SqliteDatabase:
        assert self._database is not None  # `connect` comes first
        return self._database

    def _release_lock(self, *, remove: bool) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            if remove:
                with contextlib.suppress(OSError):
                    lock_path(self.path, self._locked).unlink()
            lock.close()

    def _open(self) -> sqlite3.Connection:
        until = self._clock.now() + LOCKED_FOR
        while True:
            try:
                return self._opened()
            except sqlite3.OperationalError as error:
                # Two that make the file, or one that closes it: SQLite does not always wait.
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or self._clock.now() > until:
                    raise
            threading.Event().wait(0.01)  # the ledger's own thread: no event loop waits

    def _opened(self) -> sqlite3.Connection:
        try:
            self._check_place()
            return self._prepared()
        finally:
            if self._creating is not None:
                self._creating.close()
                self._creating = None

    def _prepared(self) -> sqlite3.Connection:
        mode = "mode=rw" if self.can_write else "mode=ro&immutable=1"
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?{mode}", isolation_level=None, timeout=LOCKED_FOR, uri=True
        )
        try:
            # Nothing is changed before it is known whose file it is.
            old = self._recognise(connection) in EARLIER
            if self.can_write:
                make_private(self.path)
            # FULL: a forgotten announcement would be paid for twice.
            connection.execute("PRAGMA synchronous = FULL")
            # Pages of a size in which the usual answers leave little space unused; and fewer
            # checkpoints, since each writes the pages that have changed once more.
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA wal_autocheckpoint = 2000")
            # Erased answers must not stay in free pages.
            connection.execute("PRAGMA secure_delete = ON")
            if old:
                connection.execute("PRAGMA cache_size = -65536")
                # All pages change: a write-ahead log would hold each of them once more. Where
                # somebody reads meanwhile, it stays.
                with contextlib.suppress(sqlite3.OperationalError):
                    connection.execute("PRAGMA journal_mode = TRUNCATE")
                self._migrate(connection)
            if old or not self._read_only:
                connection.execute("PRAGMA journal_mode = WAL")
            if not old and not self._read_only:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {SCHEMA}; INSERT INTO about VALUES "
                    f"('version', '{VERSION}') ON CONFLICT DO NOTHING; INSERT INTO about VALUES "
                    "('ledger_id', lower(hex(randomblob(16)))) ON CONFLICT DO NOTHING; INSERT INTO "
                    "about SELECT 'identity', 'learned' WHERE NOT EXISTS (SELECT 1 FROM lookup) "
                    "ON CONFLICT DO NOTHING; COMMIT"
                )
            for companion in COMPANIONS if self.can_write else ():
                make_private(self.path.with_name(self.path.name + companion))
            found = self.path.stat()
            self._identity = found.st_dev, found.st_ino
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_place(self) -> None:
        """Create the file (0600) where there is none and none was."""
        path, marker = self.path, self._marker
        try:
            is_cut = marker.exists() and marker.stat().st_size == len(CUT)
            if is_cut and not (self._new or self._read_only):
                raise BulkError(
                    f"{path} was cut off while in use, and lacks what was saved last: restore a "
                    f"copy, and remove {marker.name}"
                )
            if not self._read_only and path == personal_path():
                create_private_folder(path.parent)
            empty = not path.exists() or path.stat().st_size == 0
            if empty and not self._read_only:
                empty = self._wait_for_creator()
            if empty and not self._new and not self._read_only:
                left = [n for n in COMPANIONS if path.with_name(path.name + n).exists()]
                if left:
                    raise BulkError(
                        f"{path} is missing or empty, and {path.name}{left[0]} is beside it: it "
                        "was a ledger. Restore it, or remove the other files to begin a new one"
                    )
            if not self._read_only:
                create_private_file(path)
            # The file is not opened: closing it would end SQLite's locks on it in this process.
            if not stat.S_ISREG(path.lstat().st_mode):
                raise BulkError(f"the ledger {path} is not a file")
            frozen = _is_on_read_only_system(path)
            self.can_write = not (frozen and self._read_only)
            log = path.with_name(f"{path.name}-wal")
            if not self.can_write and log.exists() and log.stat().st_size:
                raise BulkError(
                    f"the ledger {path} is on a read-only file system, and {log.name} has what was "
                    "saved last: copy both to a folder that can be written, and name the copy"
                )
            if not os.access(path, os.R_OK | os.W_OK if self.can_write else os.R_OK):
                problem = os.strerror(errno.EROFS if frozen else errno.EACCES)
                raise BulkError(f"the ledger {path} cannot be opened: {problem}")
        except FileNotFoundError as error:
            message = f"the ledger {path} cannot be opened: {error.strerror}"
            raise LedgerNotFoundError(message) from None
        except OSError as error:
            message = f"the ledger {path} cannot be opened: {error.strerror}"
            raise BulkError(message) from None

    def _wait_for_creator(self) -> bool:
        """Lock the file that stays beside every ledger; whether the ledger is still empty.

        It is held until the tables are there, so an empty ledger beside it that is not locked was
        one before: it was cut off.
        """
        marker = self._marker
        was_there = marker.exists()
        until = self._clock.now() + LOCKED_FOR
        while (lock := try_lock(marker)) is None:
            if self._clock.now() > until:
                raise BulkError(f"{self.path} is in use by an older version of lix_async")
            threading.Event().wait(0.01)  # the ledger's own thread: no event loop waits
        if self.path.exists() and self.path.stat().st_size:
            lock.close()
            return False
        if was_there and self.path.exists() and not self._new:
            lock.close()
            raise BulkError(
                f"{self.path} is empty and was a ledger: restore a copy, or remove it and "
                f"{marker.name} to begin a new one"
            )
        self._creating = lock
        return True

    @property
    def _marker(self) -> Path:
        return self.path.with_name(f"{self.path.name}.lock")

    def _recognise(self, connection: sqlite3.Connection) -> str | None:
        """The version of the ledger; None for a new file. Anything else is refused."""
        try:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            found = {str(name) for (name,) in names}
            version = None
            if {"about", "lookup", "attempt", "answer"} <= found or {"about", "call"} <= found:
                rows = connection.execute("SELECT value FROM about WHERE name = 'version'")
                version = (rows.fetchone() or (None,))[0]
        except sqlite3.DatabaseError as error:
            # Not a database at all; one that is locked or damaged says something else.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
                raise
            found, version = {""}, None
        if version is None and (found or self._read_only):
            what = "not" if found else "empty, and not"
            error_type = BulkError if found else LedgerNotFoundError
            raise error_type(
                f"{self.path} is {what} a lix_async ledger: pass a file created by bulk.Run or "
                "lix enrich --store"
            )
        if version not in (None, VERSION, *EARLIER):
            raise BulkError(version_error(str(self.path), version))
        return version

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Make an earlier ledger one of this version, with a copy of the old one beside it."""
        copy: Path | None = None
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = self._recognise(connection)
            if (
                version is not None and version in EARLIER
            ):  # not migrated by another process meanwhile
                with contextlib.ExitStack() as locks:
                    if version == OLD:
                        self._lock_old_owners(locks)
                    copy = self._copy_old(version) if self.keeps_old else None
                    for statement in (*EARLIER[version], *SCHEMA.split(";")):
                        connection.execute(statement)
                    migrate(SqliteDatabase(connection), version)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            if copy is not None:
                copy.unlink()
            raise

    def _lock_old_owners(self, locks: contextlib.ExitStack) -> None:
        """Make sure that no owner of version 2 lives: each held a numbered file beside the ledger.

        Raises:
            BulkError: One lives.
        """
        name = re.compile(re.escape(self.path.name) + r"\.lock[0-9]*", re.ASCII)
        for path in self.path.parent.iterdir():
            if not name.fullmatch(path.name):
                continue
            lock = try_lock(path)
            if lock is None:
                raise BulkError(
                    f"{self.path} is in use by an older version of lix_async: stop it first"
                )
            locks.enter_context(lock)

    def _copy_old(self, version: str) -> Path:
        """Copy the ledger as it was to a new private file, such as `NAME.v2-DATE`."""
        day = datetime.fromtimestamp(self._clock.wall(), UTC).date().isoformat()
        copy = self.path.with_name(f"{self.path.name}.v{version}-{day}")
        for number in itertools.count(2):
            if not os.path.lexists(copy):
                break
            copy = self.path.with_name(f"{self.path.name}.v{version}-{day}-{number}")
        create_private_file(copy)
        # The connection that migrates cannot copy inside of its transaction; another one reads the
        # same, because nothing has been written in there yet.
        copy_database(self.path, copy)
        fsync_file(copy)
        return copy

    def _check_file(self) -> None:
        """Raise `LedgerGoneError` where the path does not lead to the open file any more."""
        try:
            found = self.path.stat()
        except OSError:
            raise LedgerGoneError(f"the ledger {self.path} was deleted while in use") from None
        if (found.st_dev, found.st_ino) != self._identity:
            raise LedgerGoneError(f"the ledger {self.path} was replaced while in use")
        try:
            size = self._log.stat().st_size
        except OSError:
            if self._read_only:
                return
            raise LedgerGoneError(f"{self._log} was deleted while in use") from None
        if found.st_size == 0 and size == 0:
            raise LedgerGoneError(f"the ledger {self.path} was emptied while in use")
        if size < self._log_size and not self._log_is_cut:
            # Others may write and empty it meanwhile: only what is cut off lacks them each time.
            self._log_is_cut = all(self._lacks_frames() for _ in range(3))
        if self._log_is_cut:
            with contextlib.suppress(OSError):  # a full disk: the error is raised all the same
                self._marker.write_bytes(CUT)
            raise LedgerGoneError(f"{self._log} was cut off while in use")
        self._log_size = size

    @property
    def _log(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def _lacks_frames(self) -> bool:
        """Whether a log that has become shorter lacks what was committed.

        A checkpoint that truncates it, as backups make, has copied all of it first. SQLite says how
        many frames it takes the log to have, and fails where one to copy is not there
        (https://www.sqlite.org/fileformat2.html#walformat).
        """
        connection = self._db.connection
        try:
            ((page_size,),) = connection.execute("PRAGMA page_size")
            ((_, frames, copied),) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            size = self._log.stat().st_size
            return bool(copied < frames and size < 32 + frames * (24 + page_size))
        except FileNotFoundError:
            return True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_IOERR_SHORT_READ:
                raise
            return True


STORED_ANSWER = f"""
SELECT a.lookup, a.n, a.page, a.at, a.http, {CODEC}, {BODY} FROM lookup l
JOIN answer a ON a.lookup = l.id AND a.n = coalesce(l.refresh, l.cur)
WHERE l.key = ? AND l.page = 0 AND (l.status = 4 OR l.refresh IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM alias x WHERE x.kind = ? AND x.id = ? AND x.subject <> l.subject)
"""


class SqliteStore(Store):
    """A ledger in a file, shared by runs and workers on this machine.

    The file and its companions can be read by their owner only (0600). It must be on a disk of
    this machine: locks over a network cannot be trusted.

    Args:
        path: The file; it is created where it is missing.
        new: Begin a new ledger even where files of an older one are beside the path.
    """

    def __init__(self, path: str | os.PathLike[str], *, new: bool = False) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        self._new = new
        self._reader: sqlite3.Connection | None = None

    @guarded_repr
    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    async def _open(self, *, read_only: bool) -> int:
        doubts = await super()._open(read_only=read_only)
        connection = self._connection
        if connection is None or read_only:
            return doubts
        try:
            for path, answers in rescue_files(self.path):
                work = partial(take_in, answers=answers, owner=connection.owner)
                if await self.statement(work):
                    with contextlib.suppress(OSError):
                        path.unlink()
        except BaseException:
            await self.close()
            raise
        return doubts

    def is_same(self, other: Store) -> bool:
        return isinstance(other, SqliteStore) and other.path.resolve() == self.path.resolve()

    async def disk_usage(self) -> tuple[int, int, dict[str, int]]:
        def work(tables: SqlTables) -> tuple[int, int, dict[str, int]]:
            pages, free, size = (
                cast("int", tables.database.execute(f"PRAGMA {name}")[0][0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            try:
                rows = tables.database.execute(
                    "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m "
                    "ON m.name = s.name GROUP BY 1"
                )
            except sqlite3.OperationalError:  # SQLite was built without it
                rows = []
            return pages * size, free * size, dict(cast("list[tuple[str, int]]", rows))

        return await self.statement(work, writes=False)

    async def damages(self) -> list[str]:
        rows = await self.statement(
            lambda tables: tables.database.execute("PRAGMA integrity_check"), writes=False
        )
        return [text for (text,) in cast("list[tuple[str]]", rows) if text != "ok"]

    async def vacuum(self, *, full: bool) -> None:
        def work() -> None:
            with contextlib.closing(
                sqlite3.connect(self.path, isolation_level=None, timeout=LOCKED_FOR)
            ) as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        try:
            await in_thread(work)
        except sqlite3.Error as error:
            raise BulkError(f"the ledger {self.path} cannot be compacted: {error}") from None

    async def empty_log(self) -> bool:
        def work() -> bool:
            with contextlib.closing(
                sqlite3.connect(self.path, isolation_level=None, timeout=READERS_FOR)
            ) as connection:
                ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return not busy

        try:
            return await in_thread(work)
        except sqlite3.Error as error:
            raise BulkError(f"the log of {self.path} cannot be emptied: {error}") from None

    async def release_deleted(self, *, full: bool) -> tuple[list[int], str]:
        if await self.empty_log():
            return [], ""
        rows = await self.statement(
            lambda tables: tables.database.execute(
                "SELECT DISTINCT pid FROM owner WHERE dead = 0 ORDER BY pid"
            ),
            writes=False,
        )
        return [cast("int", pid) for (pid,) in rows], f"{self.path}-wal could not be emptied"

    async def search_files(
        self, names: Sequence[bytes], parts: Sequence[bytes]
    ) -> list[tuple[str, bytes]]:
        longest = max(map(len, (*names, *parts)), default=0) + 1

        def work() -> list[tuple[str, bytes]]:
            found: dict[tuple[str, bytes], None] = {}
            log = self.path.with_name(f"{self.path.name}-wal")
            for path, blocks in ((self.path, _blocks(self.path)), (log, _log_blocks(log))):
                rest = b""
                for read in blocks if longest > 1 else ():
                    data = rest + read
                    hits = [one for one in names if place_in(data, one) >= 0]
                    hits += [one for one in parts if one in data]
                    found.update(((str(path), one), None) for one in hits)
                    rest = data[-longest:]
            return list(found)

        return await in_thread(work)

    async def copies(self) -> list[str]:
        names = await self.statement(
            lambda tables: tables.database.execute("SELECT name FROM run WHERE name <> ''"),
            writes=False,
        )
        beside = [*self.path.parent.glob(f"{glob.escape(self.path.name)}.v*")]
        beside += self.path.parent.glob(f"{glob.escape(self.path.name)}.rescue*")
        for (name,) in cast("list[tuple[str]]", names):  # that of a file ends with a digest
            beside += [Path(f"{one}.ledger") for one in (name, name.rpartition(" ")[0])]
        return sorted(str(path) for path in beside if path.is_file())

    @property
    def is_in_use(self) -> bool:
        """Whether a process works on it now; one that only reads does not count."""
        name = re.compile(re.escape(self.path.name) + r"(-owner-[0-9a-f]+|\.lock[0-9]*)", re.ASCII)
        for path in self.path.parent.iterdir():
            if name.fullmatch(path.name):
                lock = try_lock(path)
                if lock is None:
                    return True
                lock.close()
        return False

    def readable(self, folder: Path) -> SqliteStore:
        """This ledger; where an earlier version wrote it, a copy of this version in a folder.

        Raises:
            sqlite3.Error: It cannot be read.
        """
        if not self.path.is_file():
            return self
        with contextlib.closing(
            sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)
        ) as reader:
            try:
                rows = reader.execute("SELECT value FROM about WHERE name = 'version'").fetchall()
            except sqlite3.DatabaseError:  # whatever it is, opening it says so
                return self
        if not rows or rows[0][0] not in EARLIER:
            return self
        copy = folder / self.path.name
        create_private_file(copy)
        copy_database(self.path, copy)
        return _MigratedCopy(copy)

    def stored_answer(self, key: bytes, asked: tuple[str, bytes] | None = None) -> AnswerRow | None:
        """The answer that stands, read on the calling thread: in 10 µs, a tenth of the other way.

        The thread is the one that opens and closes the ledger.
        """
        try:
            self._worker()  # it is open, in this process
            if self._reader is None:
                # It never waits for a lock: readers of a write-ahead log need none.
                self._reader = sqlite3.connect(
                    f"{self.path.as_uri()}?mode=ro", isolation_level=None, timeout=0.0, uri=True
                )
            row = self._reader.execute(STORED_ANSWER, (key, *(asked or ("", b"")))).fetchone()
        except sqlite3.Error:  # the ledger's own thread meets it as well, and can say what it is
            return None
        if row is None:
            return None
        lookup, n, page, at, http, codec, body = row
        return AnswerRow(lookup, n, page, at, http, unpacked(body, codec))

    async def close(self) -> None:
        """Close the ledger. What was sent and has no answer is in doubt."""
        reader, self._reader = self._reader, None
        if reader is not None:  # before the last connection, which removes the log
            reader.close()
        await super().close()

    def _connect(self, *, read_only: bool) -> SqliteLedgerConnection:
        return SqliteLedgerConnection(self.path, read_only=read_only, new=self._new)


_searching = threading.Lock()
_searched: dict[tuple[int, int], int] = {}
"""Ledgers that were searched, open for good: closing one would end SQLite's locks on it in this
process (https://www.sqlite.org/howtocorrupt.html)."""


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a ledger, which may be in use, and of its write-ahead log."""
    found = path.stat()
    place = found.st_dev, found.st_ino
    if place not in _searched:
        flags = os.O_RDONLY | NO_FOLLOW | getattr(os, "O_BINARY", 0)
        _searched[place] = os.open(path, flags)
    start = 0
    while block := _read_at(_searched[place], start):
        yield block
        start += len(block)


def _read_at(file: int, start: int) -> bytes:
    """Bytes of a file that other threads may be reading; Windows has no `os.pread`."""
    with _searching:
        os.lseek(file, start, os.SEEK_SET)
        return os.read(file, SEARCHED)


def _is_on_read_only_system(path: Path) -> bool:
    return hasattr(os, "statvfs") and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _log_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a write-ahead log, on which SQLite has no locks."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(SEARCHED):
            yield block


class _MigratedCopy(SqliteStore):
    """A copy, of which no copy is kept when it is migrated."""

    def _connect(self, *, read_only: bool) -> SqliteLedgerConnection:
        connection = super()._connect(read_only=read_only)
        connection.keeps_old = False
        return connection


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database to an empty file, as it was last committed."""
    with (
        contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as reader,
        contextlib.closing(sqlite3.connect(copy)) as writer,
    ):
        writer.execute("PRAGMA synchronous = OFF")
        reader.backup(writer)
