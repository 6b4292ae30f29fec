"""A worker's connection to the PostgreSQL ledger, and how a dead worker differs from a slow one.

A worker holds keys under its owner number, and an advisory lock on that number for as long as
its connection lives. PostgreSQL lets go of the lock when the process dies, so no clock decides
who is dead. A connection that breaks under a living worker is made again under the same number.
"""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Callable, Sequence
from typing import LiteralString, TypeVar, cast

from ...concurrency.clock import RealClock
from ...core.errors import BulkError, ConfigurationError
from .base import LedgerNotFoundError, LedgerUnreachableError

try:
    import psycopg
    from psycopg import sql
except ModuleNotFoundError as error:
    raise ConfigurationError(
        "a ledger in PostgreSQL needs the extra: pip install 'lix_async[postgres]'"
    ) from error

T = TypeVar("T")
ResultRow = tuple[object, ...]
VERSION = "2"
KEEPALIVE = """
SET synchronous_commit = on; SET lock_timeout = '5s';
SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""
SCHEMA = """
CREATE SCHEMA IF NOT EXISTS {0};
CREATE TABLE IF NOT EXISTS {0}.about (name text PRIMARY KEY, value text NOT NULL);
CREATE SEQUENCE IF NOT EXISTS {0}.owner AS integer CYCLE;
CREATE TABLE IF NOT EXISTS {0}.call (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE,
    endpoint text NOT NULL,
    given bytea NOT NULL,
    status smallint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    credits integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    due double precision NOT NULL DEFAULT 0,
    changed double precision NOT NULL,
    owner integer,
    error bytea,
    body bytea,
    point bytea
);
CREATE INDEX IF NOT EXISTS call_owner ON {0}.call (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_queued ON {0}.call (due) WHERE status = 2;
CREATE TABLE IF NOT EXISTS {0}.page (
    key bytea NOT NULL, number integer NOT NULL, items bytea NOT NULL, PRIMARY KEY (key, number)
);
"""
RELEASE_DEAD_OWNER = """
UPDATE {0}.call SET owner = NULL, status = CASE status WHEN 1 THEN 5 ELSE status END
WHERE owner = %(owner)s RETURNING status
"""


class PostgresLedgerConnection:
    """A connection that is made again when it breaks, and its owner number.

    `existing_only`: it makes no tables and takes no owner number; without a ledger it fails.
    """

    def __init__(
        self, dsn: str, schema: str, reconnect_timeout: float, *, existing_only: bool = False
    ) -> None:
        self._dsn = dsn
        self._schema = sql.Identifier(schema)
        # Advisory locks are the database's: those of two ledgers in it must differ. Member 0 of
        # the class guards the making of tables, the others are the owners'.
        self._locks = zlib.crc32(f"lix_async ledger {schema}".encode()) - 2**31
        self._reconnect_timeout = reconnect_timeout
        self._existing_only = existing_only
        self._conn: psycopg.Connection[ResultRow] | None = None
        self._texts: dict[str, bytes] = {}
        self.owner = 0

    def transact(self, work: Callable[[], T]) -> T:
        """Do the work in one transaction; repeat it when the connection broke, even at the commit.

        Raises what the work raises, and `LedgerUnreachableError` if the server cannot be reached
        within the reconnect timeout.
        """
        give_up = RealClock().now() + self._reconnect_timeout
        pause = 0.05
        while True:
            try:
                conn = self._conn = self._conn or self._connect()
                with conn.transaction():
                    return work()
            except psycopg.OperationalError as error:
                if self._conn is not None and self._conn.closed:
                    self._conn = None
                if RealClock().now() + pause > give_up:
                    raise LedgerUnreachableError(self.error_message(error)) from error
            threading.Event().wait(pause)  # the ledger's own thread: no event loop is blocked
            pause = min(2 * pause, 2.0)

    def rows(self, statement: LiteralString, **values: object) -> Sequence[ResultRow]:
        """Run a statement with `{0}` for the schema; its rows."""
        assert self._conn is not None  # `transact` made it
        cursor = self._conn.cursor(binary=True)
        cursor.execute(self._text(statement), values)
        return cursor.fetchall() if cursor.description else []

    def changed(self, statement: LiteralString, **values: object) -> int:
        """Run a statement: the number of rows that it changed."""
        assert self._conn is not None  # `transact` made it
        return self._conn.execute(self._text(statement), values).rowcount

    def release_dead_owner(self, owner: int) -> int | None:
        """Release what a dead owner held: the number of keys now in doubt. None while it lives."""
        lock: LiteralString = "SELECT pg_try_advisory_xact_lock(%(locks)s::int, %(owner)s::int)"
        if not self.rows(lock, locks=self._locks, owner=owner)[0][0]:
            return None
        return sum(row[0] == 5 for row in self.rows(RELEASE_DEAD_OWNER, owner=owner))

    def release_dead_owners(self) -> int:
        """Release what all dead owners held: the number of keys now in doubt."""
        found = self.rows("SELECT DISTINCT owner FROM {0}.call WHERE owner IS NOT NULL")
        others = [cast("int", owner) for (owner,) in found if owner != self.owner]
        return sum(self.release_dead_owner(owner) or 0 for owner in others)

    def error_message(self, error: Exception) -> str:
        """A description of the error, without the address and its password."""
        lines = str(error).strip().splitlines()
        return f"the ledger in PostgreSQL cannot be used: {lines[0] if lines else repr(error)}"

    def close(self) -> None:
        """Release all claims and close the connection."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(psycopg.Error), conn:
                if self.owner:
                    conn.execute(self._text(RELEASE_DEAD_OWNER), {"owner": self.owner})

    def _text(self, statement: LiteralString) -> bytes:
        if (found := self._texts.get(statement)) is None:
            found = sql.SQL(statement).format(self._schema).as_bytes(None)
            self._texts[statement] = found
        return found

    def _connect(self) -> psycopg.Connection[ResultRow]:
        conn: psycopg.Connection[ResultRow] = psycopg.connect(
            self._dsn, autocommit=True, connect_timeout=5, application_name="lix_async ledger"
        )
        try:
            conn.execute(KEEPALIVE)
            self._prepare(conn)
            if self._existing_only:
                return conn
            if not self.owner:
                found = conn.execute(self._text("SELECT nextval('{0}.owner')")).fetchone()
                assert found is not None  # one row, always
                self.owner = cast("int", found[0])
            conn.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (self._locks, self.owner))
        except BaseException:
            conn.close()
            raise
        return conn

    def _prepare(self, conn: psycopg.Connection[ResultRow]) -> None:
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", (self._locks,))
            about = self._text("{0}.about").decode()
            there = conn.execute("SELECT to_regclass(%s)", (about,)).fetchone()
            if there is None or there[0] is None:
                if self._existing_only:
                    raise LedgerNotFoundError(
                        "this schema of the PostgreSQL database has no ledger"
                    )
                conn.execute(self._text(SCHEMA))
                conn.execute(self._text("INSERT INTO {0}.about VALUES ('version', %s)"), (VERSION,))
            found = conn.execute(
                self._text("SELECT value FROM {0}.about WHERE name = 'version'")
            ).fetchone()
        if found is None or found[0] != VERSION:
            raise BulkError(
                f"the ledger in PostgreSQL has version {found and found[0]}: "
                f"expected version {VERSION}"
            )
