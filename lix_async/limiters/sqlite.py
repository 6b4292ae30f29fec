"""A rate shared by the processes of one machine through a small SQLite file."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar, Unpack

from ..concurrency.clock import Clock, RealClock
from ..core.errors import ConfigurationError
from ..core.rate_limit import (
    SECOND,
    GcraDecision,
    GcraParameters,
    GcraState,
    RateLimit,
    delay_permits,
    hold_permits,
    rebase_state,
    refund_permit,
    take_permit,
)
from ..core.validation import check_type
from ..filesystem import create_private_file, make_private
from .backend import rejected_error, unavailable_error
from .shared import SharedLimiter, SharedLimiterOptions

T = TypeVar("T")
LOCK_TIMEOUT = 2.0
"""Seconds to wait for another process's transaction, which takes far less than a millisecond."""
TABLE = """
CREATE TABLE IF NOT EXISTS lix_async_rate (
    name TEXT PRIMARY KEY, full_at INTEGER NOT NULL, held INTEGER NOT NULL,
    asked_at INTEGER NOT NULL
) WITHOUT ROWID
"""
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
_FULL = {errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE}
"""What ends by itself or by an administrator's hand: waited for."""


class SqliteLimiter(SharedLimiter):
    """A rate shared by the processes of one machine.

    The "server's clock" is the machine's monotonic one, which all its processes share.

    Args:
        path: A file of its own, created with mode 0600 if missing, on a local disk; not on a
            network file system, and not the ledger of a run.
        name: Name of the rate.
        rate: The rate.
        **options: See `SharedLimiter`.

    Raises:
        ConfigurationError: An argument is invalid.

    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        rate: RateLimit,
        **options: Unpack[SharedLimiterOptions],
    ) -> None:
        check_type("path", path, str | os.PathLike)
        backend = SqliteBackend(Path(path), name, options.get("clock") or RealClock())
        super().__init__(backend, name, rate, **options)


class SqliteBackend:
    """The state in a row; each step is a write transaction around a GCRA function."""

    def __init__(self, path: Path, name: str, clock: Clock) -> None:
        self._path = path
        self._name = name
        self._clock = clock
        self._connection: sqlite3.Connection | None = None

    def take(self, params: GcraParameters[int], max_wait: int) -> GcraDecision:
        def take(state: GcraState[int], now: int) -> tuple[GcraState[int], GcraDecision]:
            state, permit_at = take_permit(state, params, now, max_wait)
            return state, GcraDecision(now, permit_at, state.full_at)

        return self._step(take)

    def hold(self, params: GcraParameters[int], length: int) -> None:
        self._step(lambda state, now: (hold_permits(state, params, now + length), None))

    def refund(self, params: GcraParameters[int], full_at: int) -> bool:
        def undo(state: GcraState[int], now: int) -> tuple[GcraState[int], bool]:
            return refund_permit(state, params, full_at), state.full_at == full_at

        return self._step(undo)

    def delay(self, params: GcraParameters[int], length: int) -> None:
        self._step(lambda state, now: (delay_permits(state, params, length, now), None))

    def hold_left(self) -> int:
        return self._step(lambda state, now: (state, max(state.held_until - now, 0)))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _step(self, change: Callable[[GcraState[int], int], tuple[GcraState[int], T]]) -> T:
        with self._transaction() as connection:
            # Read inside the transaction: a process that waited for it must not use an old moment.
            now = int(self._clock.now() * SECOND)
            row: tuple[int, int, int] = connection.execute(
                "SELECT full_at, held, asked_at FROM lix_async_rate WHERE name = ?", (self._name,)
            ).fetchone() or self._earlier(connection, now)
            before = rebase_state(GcraState(row[0], row[1]), row[2], now)
            after, value = change(before, now)
            if after != before or now < row[2]:
                connection.execute(
                    "INSERT OR REPLACE INTO lix_async_rate VALUES (?, ?, ?, ?)",
                    (self._name, after.full_at, after.held_until, now),
                )
        return value

    def _earlier(self, connection: sqlite3.Connection, now: int) -> tuple[int, int, int]:
        """What an earlier version left, whose moments are those of the wall clock."""
        query = "SELECT full_at, held FROM lix_async_limiter WHERE name = ?"
        try:
            found = connection.execute(query, (self._name,)).fetchone()
        except sqlite3.OperationalError:  # no such table
            found = None
        shift = now - int(self._clock.wall() * SECOND)
        return (found[0] + shift, found[1] + shift, now) if found else (0, 0, 0)

    @contextlib.contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        failure: Exception
        try:
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            unavailable = getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE
            code = getattr(error, "sqlite_errorname", "")
            failure = (unavailable_error if unavailable else rejected_error)("file", error, code)
        except OSError as error:
            failure = ConfigurationError(f"cannot open the limiter's file: {error.strerror}")
            if error.errno in _FULL:
                failure = unavailable_error("file", error, errno.errorcode[error.errno])
        else:
            return
        self.close()
        raise failure

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            _create(self._path)
            # The worker thread may be another one next time, but never two at once.
            connection = sqlite3.connect(
                self._path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            self._connection = connection
            connection.execute("PRAGMA journal_mode = WAL")
            # A machine that lost power restarts after the time of any permit: nothing to flush.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(TABLE)
        return self._connection


def _create(path: Path) -> None:
    """Create the file before SQLite does, readable for its owner alone."""
    create_private_file(path)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ConfigurationError("path of the limiter must be a regular file")
    make_private(path)
