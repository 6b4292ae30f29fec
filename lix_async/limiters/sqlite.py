"""One rate for the processes of one machine, kept in a small file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

from ..concurrency.clock import Clock, RealClock
from ..core.errors import ConfigurationError
from ..core.rate_limit import RateLimit
from ..core.validation import check_type
from ..filesystem import create_private_file, make_private
from . import gcra
from .backend import refused, unreachable
from .gcra import SECOND, GcraDecision, GcraParameters, GcraState
from .shared import GIVE_UP_AFTER, SharedLimiter

T = TypeVar("T")
BUSY = 2.0
"""Seconds to wait for another process's transaction, which takes far less than a millisecond."""
TABLE = """
CREATE TABLE IF NOT EXISTS lix_async_limiter
    (name TEXT PRIMARY KEY, full_at INTEGER NOT NULL, held INTEGER NOT NULL) WITHOUT ROWID
"""
_AWAY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}


class SqliteLimiter(SharedLimiter):
    """A rate that the processes of one machine share through a file (0600, made when missing).

    `path`: on a local disk, not on a network file system, and not the ledger of a run. The
    "server's clock" is that of the machine. Other arguments: see `SharedLimiter`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        rate: RateLimit,
        *,
        margin: float | None = None,
        give_up_after: float = GIVE_UP_AFTER,
        fallback: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        check_type("path", path, str | os.PathLike)
        store = SqliteBackend(Path(path), name, clock or RealClock())
        super().__init__(
            store,
            name,
            rate,
            margin=margin,
            give_up_after=give_up_after,
            fallback=fallback,
            clock=clock,
        )


class SqliteBackend:
    """The numbers in a row; each step is a write transaction around a function of `gcra`."""

    def __init__(self, path: Path, name: str, clock: Clock) -> None:
        self._path = path
        self._name = name
        self._clock = clock
        self._connection: sqlite3.Connection | None = None

    def ask(self, pace: GcraParameters, ahead: int) -> GcraDecision:
        return self._step(lambda state, now: gcra.ask(state, pace, now, ahead))

    def hold(self, pace: GcraParameters, length: int) -> None:
        self._step(lambda state, now: (gcra.hold(state, pace, now, length), None))

    def refund(self, pace: GcraParameters, stamp: int) -> bool:
        def undo(state: GcraState, now: int) -> tuple[GcraState, bool]:
            return gcra.refund(state, pace, stamp), state.full_at == stamp

        return self._step(undo)

    def push(self, length: int) -> None:
        self._step(lambda state, now: (gcra.push(state, length), None))

    def held(self) -> int:
        return self._step(lambda state, now: (state, max(state.held - now, 0)))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _step(self, change: Callable[[GcraState, int], tuple[GcraState, T]]) -> T:
        with self._transaction() as connection:
            row: tuple[int, int] | None = connection.execute(
                "SELECT full_at, held FROM lix_async_limiter WHERE name = ?", (self._name,)
            ).fetchone()
            before = GcraState() if row is None else GcraState(*row)
            # Read inside the transaction: whoever waited for it must not use an old moment.
            after, value = change(before, int(self._clock.wall() * SECOND))
            if after != before:
                connection.execute(
                    "INSERT OR REPLACE INTO lix_async_limiter VALUES (?, ?, ?)",
                    (self._name, after.full_at, after.held),
                )
        return value

    @contextlib.contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        failure: Exception
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            away = getattr(error, "sqlite_errorcode", 0) & 0xFF in _AWAY
            failure = unreachable("file", error) if away else refused("file", error)
        except OSError as error:
            failure = ConfigurationError(f"the limiter's file cannot be opened: {error.strerror}")
        else:
            return
        self.close()
        raise failure

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            _create(self._path)
            # The desk's thread may be another one next time, never two at once.
            connection = sqlite3.connect(
                self._path, timeout=BUSY, isolation_level=None, check_same_thread=False
            )
            self._connection = connection
            connection.execute("PRAGMA journal_mode = WAL")
            # A machine that loses power has paused for longer than any turn: nothing to flush.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(TABLE)
        return self._connection


def _create(path: Path) -> None:
    """Create the file before SQLite does, readable for its owner alone."""
    create_private_file(path)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ConfigurationError("the limiter's path is not a file")
    make_private(path)
