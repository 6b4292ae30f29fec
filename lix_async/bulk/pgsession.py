"""The PostgreSQL ledger's connection: one transaction for all jobs that wait, one owner lock.

A worker holds keys under its owner number, and an advisory lock on that number for as long as
its connection lives. PostgreSQL lets go of the lock when the process dies, so the dead are told
from the slow without any clock. A connection that breaks under a living worker is made again
under the same number.

Jobs of one kind become one statement, keys sorted. New keys are inserted first in a transaction,
and rows that another transaction has locked are passed over: two workers never wait in a circle.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from ..core.errors import BulkError, ConfigurationError
from .store import CODES

try:
    import psycopg
    from psycopg import sql
except ModuleNotFoundError as error:
    raise ConfigurationError(
        "a ledger in PostgreSQL needs the extra: pip install 'lix_async[postgres]'"
    ) from error

Connection = psycopg.Connection[tuple[object, ...]]
Row = tuple[bytes, str, bytes, int, int, int, float, float, bytes | None, bytes | None,
            bytes | None, int | None]  # fmt: skip
T = TypeVar("T")
VERSION = 1
LOCKS = 0x6C6978
"""The class of our advisory locks: "lix"."""
COLUMNS = "key, endpoint, given, status, attempts, credits, due, changed, error, body, point, owner"
OWED, SENT, QUEUED, DONE, IN_DOUBT = (
    CODES[name] for name in ("owed", "sent", "queued", "done", "in_doubt")
)
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
    due double precision NOT NULL DEFAULT 0,
    changed double precision NOT NULL,
    owner integer,
    error bytea,
    body bytea,
    point bytea
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS call_owner ON {0}.call (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_queued ON {0}.call (due) WHERE status = 2;
CREATE TABLE IF NOT EXISTS {0}.page (
    key bytea NOT NULL, number integer NOT NULL, items bytea NOT NULL, PRIMARY KEY (key, number)
);
"""


class Take(msgspec.Struct, frozen=True):
    """Look a key up, and hold it if it is to be called."""

    key: bytes
    endpoint: str
    given: bytes
    now: float


class Send(msgspec.Struct, frozen=True):
    """Write an intent down."""

    key: bytes
    now: float


class Keep(msgspec.Struct, frozen=True):
    """Keep an answer."""

    key: bytes
    body: bytes
    credits: int
    now: float


class Do(msgspec.Struct, frozen=True):
    """Anything else: a function of the session."""

    work: Callable[[PgSession], object]


Job = Take | Send | Keep | Do


class PgSession:
    """The connection. Only the ledger's thread touches it."""

    def __init__(self, dsn: str, schema: str, patience: float) -> None:
        self._dsn = dsn
        self._schema = schema
        self._patience = patience
        self._connection: Connection | None = None
        self.owner: int | None = None
        self._texts: dict[str, sql.Composed] = {}

    def run(self, jobs: Sequence[Job]) -> list[object]:
        """Do all jobs in one transaction; a broken connection is made again meanwhile."""
        give_up = time.monotonic() + self._patience
        pause = 0.05
        while True:
            try:
                connection = self._connection = self._connection or self._connect()
                with connection.transaction():
                    return self._all(jobs)
            except psycopg.OperationalError:
                # Every job can be done again: the break may have come after the commit.
                broken, self._connection = self._connection, None
                if broken is not None:
                    with contextlib.suppress(psycopg.Error):
                        broken.close()
                if time.monotonic() + pause > give_up:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 2.0)

    def told(self, error: Exception) -> str:
        """The server's first line, which never holds the address or its password."""
        text = str(error).strip().splitlines()
        return f"the ledger in PostgreSQL cannot be used: {text[0] if text else error!r}"

    def close(self) -> None:
        """Let go of the connection, and with it of every key that is still held."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                if self.owner is not None:
                    self._connection.execute(self.text(FREE), {"owner": self.owner})
                    self._connection.commit()
                self._connection.close()
            self._connection = None

    def text(self, statement: str) -> sql.Composed:
        """A statement with the schema's name in the place of `{0}`."""
        if (found := self._texts.get(statement)) is None:
            found = sql.SQL(statement).format(sql.Identifier(self._schema))  # type: ignore[arg-type]  # ours
            self._texts[statement] = found
        return found

    def rows(self, statement: str, **values: object) -> list[Row]:
        """Run a statement; its rows, in binary."""
        assert self._connection is not None  # `run` made it
        cursor = self._connection.cursor(binary=True)
        cursor.execute(self.text(statement), values)
        return cursor.fetchall() if cursor.description else []  # type: ignore[return-value]  # as asked for

    def changed(self, statement: str, **values: object) -> int:
        """Run a statement; how many rows it changed."""
        assert self._connection is not None  # `run` made it
        return self._connection.execute(self.text(statement), values).rowcount
