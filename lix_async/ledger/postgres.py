"""A ledger in PostgreSQL (12 or newer), shared by processes on any number of machines.

Each transaction is self-contained: settings are made with it, tables are named with their schema,
and owners are distinguished by their tokens and beats. So the connection may pass through
a pooler that hands out connections by transaction, and may be replaced at any time.

A transaction whose connection breaks is repeated. Where the break hides whether its commit took
place, the owner's row tells: it has the number of the owner's last transaction, which is written
with everything else.
"""

from __future__ import annotations

import contextlib
import re
import threading
import zlib
from collections.abc import Generator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import LiteralString, NamedTuple, cast

from ..concurrency.thread_work import in_thread
from ..core.errors import BulkError, ConfigurationError
from ..core.server_address import address_problem
from ..core.validation import guarded_repr
from .connection import (
    Job,
    LedgerConnection,
    LedgerNotFoundError,
    LedgerUnreachableError,
)
from .database import Columns, Database, Query
from .migration import OLD, OLD_TABLES, migrate
from .owners import Owner, new_token
from .personal import personal_path
from .records import InputRow
from .schema import EARLIER, VERSION, SqlType, column_types, tables, version_error
from .store import Store
from .tables import SqlTables

try:
    import psycopg
    from psycopg import errors, pq
    from psycopg.conninfo import conninfo_to_dict
except ModuleNotFoundError as error:
    raise ConfigurationError(
        "a ledger in PostgreSQL needs the extra: pip install 'lix_async[postgres]'"
    ) from error

UNREACHABLE_TIMEOUT = 60.0
"""Seconds that a server which cannot be used is tried again before `LedgerUnreachableError`."""
OPENING_TIMEOUT = 5.0
"""The same for a server that was never reached: its address may be wrong."""
GRACE = 20.0
"""Seconds of a silent beat after which an owner counts as dead."""
LENT_WITHIN = 2.0
"""Seconds that the statement of a limiter waits for a transaction of the ledger."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between two tries, doubled from the first to the longest."""
CONNECTION_OPTIONS: dict[str, object] = {
    "connect_timeout": 5,
    "application_name": "lix_async ledger",
    # A peer that vanished is noticed in about half a minute. These are the client's own options:
    # a pooler passes no settings of a session on.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_READING = f"{BEGIN} READ ONLY"
# A request may only leave after an announcement that is on the disk. A client that stops in the
# middle of a transaction must not keep its rows locked. Statements are few rows by their keys: a
# plan made while the tables were empty must not read whole tables later.
SETTINGS = """
SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit')
    IN ('off', 'local') THEN 'on' ELSE current_setting('synchronous_commit') END, true),
    set_config('lock_timeout', '5s', true),
    set_config('idle_in_transaction_session_timeout', '30s', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)
"""
STORAGE = """
ALTER TABLE answer ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE lookup SET (fillfactor = 80);
ALTER TABLE attempt SET (fillfactor = 80);
ALTER TABLE owner SET (fillfactor = 40);
"""
"""Answers are packed by the ledger where they are packed; rows that change need space beside them
in their page."""
SCHEMA = tables(auto="bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", blob="bytea", big="bigint")
TYPES: dict[SqlType, str] = {
    "AUTO": "bigint",
    "BIG": "bigint",
    "INTEGER": "integer",
    "TEXT": "text",
    "BLOB": "bytea",
}
COLUMNS = column_types()
TABLE = re.compile(
    rf"\b(FROM|JOIN|INTO|UPDATE|EXISTS|TABLE|ON) ({'|'.join([*COLUMNS, *OLD_TABLES])})\b",
    re.IGNORECASE,
)
"""The places of a statement where a table is named."""
PLACE = re.compile(r"%|IN \(\?(\*{1,2})\)|\?")

WAITED_FOR = ("08", "53", "57P")
"""Classes of errors that pass: connections, resources (disk full, too many connections), a server
that starts or stops."""
REPEATED = {
    "25006",  # read-only: a standby before its promotion
    "25P03",  # idle in a transaction for too long
    "40001",  # serialization failure
    "40P01",  # deadlock
    "55P03",  # a lock was not free in time
    "58030",  # input or output of the server
}
LOST_PREPARED = {"26000", "42P05", "0A000"}
"""A prepared statement is missing, exists already, or has other columns: a pooler gave this
transaction another connection than the one where it was prepared."""
NEVER_CONNECTS = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "is not permitted to log in",
)
"""What a server says to a connection that it will not accept later either."""


class _Text(NamedTuple):
    text: bytes
    places: tuple[str, ...]
    """For each value: empty, `*` for a list, `**` for a list of pairs."""


class PostgresDatabase:
    """PostgreSQL behind the methods that `SqlTables` uses.

    Within a transaction all statements are sent in a pipeline: those whose rows are not asked for
    travel together with the next one whose rows are, or with the commit.
    """

    for_update = " FOR UPDATE"

    def __init__(self, connection: psycopg.Connection[Columns], schema: str) -> None:
        self.connection = connection
        self._schema = schema
        self._pipeline: contextlib.AbstractContextManager[object] | None = None

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction with the next statement."""
        pipeline = self.connection.pipeline()
        pipeline.__enter__()
        self._pipeline = pipeline
        self._send(BEGIN if writes else BEGIN_READING)
        if writes:
            self._send(SETTINGS)

    def commit(self) -> None:
        """Send what waits, with the commit, and wait for the outcome."""
        cursor = self._send("COMMIT")
        pipeline, self._pipeline = self._pipeline, None
        assert pipeline is not None  # `begin` made it
        pipeline.__exit__(None, None, None)
        if cursor.statusmessage != "COMMIT":
            raise errors.InFailedSqlTransaction("the transaction was rolled back")

    def rollback(self) -> None:
        """Undo the transaction that is open, if one is."""
        pipeline, self._pipeline = self._pipeline, None
        with contextlib.suppress(psycopg.Error):  # the error that led here is raised
            if pipeline is not None:
                pipeline.__exit__(None, None, None)
        with contextlib.suppress(psycopg.Error):
            if self.connection.info.transaction_status != pq.TransactionStatus.IDLE:
                self.connection.execute("ROLLBACK")

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Columns]:
        return _rows(self._send(statement, values))

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        cursor = self._send(f"{statement} RETURNING 1", values)
        return len(_rows(cursor))  # asking for rows waits for the statement

    def select(self, queries: Sequence[Query]) -> list[list[Columns]]:
        cursors = [self._send(statement, values) for statement, values in queries]
        return [_rows(cursor) for cursor in cursors]

    def insert(
        self, table: str, columns: str, rows: Sequence[Sequence[object]], conflict: str = ""
    ) -> int:
        if not rows:
            return 0
        return self._write(*_insert(self._schema, table, columns, conflict), rows).rowcount

    def insert_new(
        self, table: str, columns: str, rows: Sequence[Sequence[object]], key: str
    ) -> list[Columns]:
        conflict = f"({key}) DO NOTHING RETURNING {key}, id"
        return _rows(self._write(*_insert(self._schema, table, columns, conflict), rows))

    def update(self, table: str, columns: str, keys: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self._write(*_update(self._schema, table, columns, keys), rows)

    def _write(
        self, text: bytes, types: tuple[str, ...], rows: Sequence[Sequence[object]]
    ) -> psycopg.Cursor[Columns]:
        columns = zip(types, zip(*rows, strict=True), strict=True)
        values = [_array(kind, column) for kind, column in columns]
        return self.connection.cursor(binary=True).execute(text, values)

    def _send(self, statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[Columns]:
        text, places = translated(statement, self._schema)
        cursor = self.connection.cursor(binary=True)
        if not values:
            return cursor.execute(text)
        sent: list[object] = []
        for value, place in zip(values, places, strict=True):
            if place == "**":
                pairs = cast("Sequence[tuple[int, int]]", value)
                sent += [_integers([a for a, _ in pairs]), _integers([b for _, b in pairs])]
            elif place == "*":
                elements = cast("Sequence[object]", value)
                kind = "bytea" if elements and isinstance(elements[0], bytes) else "bigint"
                sent.append(_array(kind, elements))
            else:
                sent.append(value)
        return cursor.execute(text, sent)


def _rows(cursor: psycopg.Cursor[Columns]) -> list[Columns]:
    """The rows of a statement; those that have none wait with the next one."""
    return cursor.fetchall() if cursor.description or cursor.statusmessage is None else []


@lru_cache(maxsize=512)
def translated(statement: str, schema: str) -> _Text:
    """A statement in psycopg's words: `%s` for values, tables with their schema."""
    places: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[0] == "%":
            return "%%"
        places.append(found[1] or "")
        if found[1] == "**":
            return "IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"
        return "= ANY(%s)" if found[1] else "%s"

    quoted = schema.replace('"', '""').replace("%", "%%")
    text = PLACE.sub(place, statement)
    if not places:
        text, quoted = statement, quoted.replace("%%", "%")
    text = TABLE.sub(lambda found: f'{found[1]} "{quoted}".{found[2]}', text)
    return _Text(text.encode(), tuple(places))


@lru_cache(maxsize=64)
def _insert(schema: str, table: str, columns: str, conflict: str) -> tuple[bytes, tuple[str, ...]]:
    types = tuple(TYPES[COLUMNS[table][column]] for column in columns.split(", "))
    arrays = ", ".join(map(_array_place, types))
    then = f" ON CONFLICT {conflict}" if conflict else ""
    name = _qualified(schema, table)
    text = f"INSERT INTO {name} ({columns}) SELECT * FROM unnest({arrays}){then}"
    return text.encode(), types


@lru_cache(maxsize=64)
def _update(schema: str, table: str, columns: str, keys: str) -> tuple[bytes, tuple[str, ...]]:
    names = [*columns.split(", "), *keys.split(", ")]
    types = tuple(TYPES[COLUMNS[table][column]] for column in names)
    arrays = ", ".join(map(_array_place, types))
    changes = ", ".join(f"{column} = v.{column}" for column in columns.split(", "))
    those = " AND ".join(f"t.{key} = v.{key}" for key in keys.split(", "))
    text = (
        f"UPDATE {_qualified(schema, table)} AS t SET {changes} "
        f"FROM unnest({arrays}) AS v({', '.join(names)}) WHERE {those}"
    )
    return text.encode(), types


def _qualified(schema: str, table: str) -> str:
    quoted = schema.replace('"', '""').replace("%", "%%")
    return f'"{quoted}".{table}'


def _array_place(kind: str) -> str:
    # Binary: a body needs no escaping.
    return f"%b::{kind}[]" if kind in {"text", "bytea"} else f"%s::{kind}[]"


def _array(kind: str, values: Sequence[object]) -> object:
    if kind in {"text", "bytea"}:
        return list(values)
    return _integers(values)


def _integers(values: Sequence[object]) -> str:
    """Integers as PostgreSQL writes an array: one type whatever their size, so one statement."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


class PostgresLedgerConnection(LedgerConnection):
    """One opening of a ledger in PostgreSQL; its connection is made again where it breaks.

    Args:
        address: A connection string of libpq. It may lead to a pooler.
        schema: Where the tables are. Each schema is one ledger.
        read_only: Changes nothing, and needs a ledger that is there.
        timeout: Seconds that a server which cannot be used is tried again.
    """

    grace = GRACE

    def __init__(
        self,
        address: str,
        *,
        schema: str = "lix_async",
        read_only: bool = False,
        timeout: float = UNREACHABLE_TIMEOUT,
    ) -> None:
        super().__init__(read_only=read_only)
        self._address = address
        self._schema = schema
        self._timeout = timeout
        self._database: PostgresDatabase | None = None
        self._prepares = True
        self._guard = threading.RLock()
        """Held during a transaction: between two, others may use the connection."""
        self._closed = self._reached = False

    @guarded_repr
    def __repr__(self) -> str:
        return f"PostgresLedgerConnection(…, schema={self._schema!r})"  # it may have a password

    def wait(self, seconds: float) -> None:
        """Wait before the next try, in the ledger's own thread: no event loop waits."""
        threading.Event().wait(seconds)

    # Transactions

    def _run(self, jobs: Sequence[Job]) -> list[object]:
        """The transaction, repeated while the server cannot be used.

        Raises:
            LedgerUnreachableError: The server could not be used for as long as the timeout.
            BulkError: The server refuses the connection, or has no ledger of this version.
        """
        timeout = self._timeout if self._reached else min(self._timeout, OPENING_TIMEOUT)
        until = self._clock.now() + timeout
        pause = FIRST_PAUSE
        while True:
            try:
                return self._transaction(jobs)
            except psycopg.Error as error:
                self.note_error(error)
                if not self._passes(error):
                    raise
                if self._clock.now() + pause > until:
                    message = self.describe_error(error)
                    raise LedgerUnreachableError(message) from None
            self.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _transaction(self, jobs: Sequence[Job]) -> list[object]:
        with self._guard:
            return super()._transaction(jobs)

    @contextlib.contextmanager
    def between(self, timeout: float = -1) -> Generator[psycopg.Connection[Columns]]:
        """The connection, between two transactions of the ledger."""
        if not self._guard.acquire(timeout=timeout):
            raise psycopg.OperationalError("the connection of the ledger is busy")
        try:
            if self._closed:
                raise psycopg.OperationalError("the ledger is closed")
            yield self.connect().connection
        except psycopg.Error as error:
            self.note_error(error)
            raise
        finally:
            self._guard.release()

    def copy_inputs(self, run: int, inputs: Sequence[InputRow]) -> None:
        """Keep new inputs of a run: many times as fast as a statement with arrays.

        Raises:
            BulkError: The server cannot be used.
        """
        quoted = self._schema.replace('"', '""')
        copy = f'COPY "{quoted}".input (run, row, given, state, note) FROM STDIN'
        try:
            with self.between() as connection, connection.cursor().copy(copy.encode()) as target:
                for one in inputs:
                    target.write_row((run, one.row, one.given, one.state, one.note))
        except psycopg.Error as error:
            raise self.error_for(error) from error

    def tables_in(self, schema: str) -> SqlTables:
        """The tables in another schema, in the transaction that is open."""
        return self.tables(PostgresDatabase(self._db.connection, schema))

    def key_file(self, database: Database) -> Path:
        # Beside the personal ledger: a server has no place of this user's.
        rows = database.execute("SELECT value FROM about WHERE name = 'ledger_id'")
        return personal_path().with_name(f"ledger-{rows[0][0]}.key")

    def begin(self, *, writes: bool) -> None:
        self._db.begin(writes=writes)

    def commit(self) -> None:
        self._db.commit()

    def in_transaction(self) -> bool:
        return not self._db.connection.closed

    def rollback(self) -> None:
        if self._database is not None:
            self._database.rollback()

    def note_error(self, error: Exception) -> None:
        """Note what an error means for the connection."""
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        database = self._database
        broken = database is None or database.connection.closed
        if state in LOST_PREPARED and self._prepares:
            self._prepares = False
            self._disconnect()
        elif broken or state == "25006":  # another host of the address may take writes
            self._disconnect()

    def _passes(self, error: psycopg.Error) -> bool:
        """Whether the same transaction may succeed later."""
        state = error.sqlstate
        if state is None:
            text = str(error)
            return isinstance(error, psycopg.OperationalError) and not (
                any(reason in text for reason in NEVER_CONNECTS)
            )
        return (
            state.startswith(WAITED_FOR)
            or state in REPEATED
            or (state in LOST_PREPARED and self._database is None)
        )

    # Owners

    def is_dead(self, owner: Owner) -> bool:  # beats alone decide
        return False

    # The connection

    @property
    def _db(self) -> PostgresDatabase:
        assert self._database is not None  # `connect` comes first
        return self._database

    def connect(self) -> PostgresDatabase:
        if self._database is None:
            self._database = PostgresDatabase(self._opened(), self._schema)
            self._reached = True
        if not self.owner and not self._read_only:
            self._database.begin(writes=True)
            try:
                self.register(self.tables(self._database))
                self._database.commit()
            except BaseException:
                self.owner = 0
                self._database.rollback()
                raise
        return self._database

    def describe_error(self, error: Exception) -> str:
        lines = self._redacted(str(error)).strip().splitlines()
        text = lines[0] if lines else type(error).__name__
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        hint = {
            "25006": "; it only reads: a standby, or a database set to read-only",
            "53100": "; its disk is full",
            "42501": "; the role lacks a privilege",
        }.get(state or "", "")
        return f"the ledger in PostgreSQL cannot be used: {text}{hint}"

    def close(self) -> None:
        with self._guard:
            self._closed = True
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(psycopg.Error, BulkError):
            if self.owner:
                self.end_owner(self.tables(self.connect()))
        self.owner = 0
        self.rollback()
        self._disconnect()

    def _disconnect(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.connection.close()

    def _opened(self) -> psycopg.Connection[Columns]:
        connection = self._connected()
        try:
            self._recognise(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connected(self) -> psycopg.Connection[Columns]:
        try:
            # No variable has the parts: a traceback may show it.
            given = conninfo_to_dict(self._address).keys()
            options = {k: v for k, v in CONNECTION_OPTIONS.items() if k not in given}
            connection: psycopg.Connection[Columns] = psycopg.connect(
                self._address,
                autocommit=True,
                **options,  # type: ignore[arg-type]  # libpq's own names
            )
        except psycopg.OperationalError as error:
            # Its traceback must not show the password either.
            raise psycopg.OperationalError(self._redacted(str(error))) from None
        # Of `connection.transaction()`: who waited for a lock sees what its holder has written,
        # whatever the default of the database is.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        if not self._prepares:
            connection.prepare_threshold = None
        return connection

    def _redacted(self, text: str) -> str:
        given = conninfo_to_dict(self._address)
        secrets = [str(given.get(name) or "") for name in ("password", "sslpassword")]
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text

    # The tables

    def _recognise(self, connection: psycopg.Connection[Columns]) -> None:
        """Recognise the ledger, or create it where there is none."""
        version = self._version(connection)
        if version is None:
            if self._read_only:
                raise LedgerNotFoundError(
                    f"the schema {self._schema} of the PostgreSQL has no ledger"
                )
            try:
                self._create(connection)
            except errors.InsufficientPrivilege as error:
                raise BulkError(
                    f"the ledger cannot be created in PostgreSQL: {str(error).strip()}. Let its "
                    f'administrator run CREATE SCHEMA "{self._schema}" AUTHORIZATION with the name '
                    "of your role"
                ) from error
            version = self._version(connection)
        if version in EARLIER:
            self._migrate(connection)
            version = self._version(connection)
        if version != VERSION:
            place = f"the schema {self._schema} of the PostgreSQL"
            raise BulkError(version_error(place, version))

    def _version(self, connection: psycopg.Connection[Columns]) -> str | None:
        # Read from the catalogue: to_regclass() may remember that there was no such table.
        found = connection.execute(
            "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
            "ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = 'about'",
            (self._schema,),
        ).fetchone()
        if found is None:
            return None
        query = translated("SELECT value FROM about WHERE name = 'version'", self._schema).text
        try:
            row = connection.execute(query).fetchone()
        except errors.UndefinedColumn:
            row = None
        if row is None:
            raise BulkError(
                f"the schema {self._schema} of the PostgreSQL has tables that are not a "
                "lix_async ledger: use another schema"
            )
        return str(row[0])

    def _migrate(self, connection: psycopg.Connection[Columns]) -> None:
        """Make an earlier ledger one of this version, in one transaction.

        Make a backup first where one is wanted: the old tables are dropped.
        """
        guard = zlib.crc32(f"lix_async ledger {self._schema}".encode()) - 2**31
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", (guard,))
            version = self._version(connection)
            if version is None or version not in EARLIER:
                return  # another process has migrated it
            if version == OLD:
                self._check_old_owners(connection, guard)
            for statements in (*EARLIER[version], f"{SCHEMA}{STORAGE}"):
                connection.execute(translated(statements, self._schema).text)
            connection.execute(SETTINGS)
            migrate(PostgresDatabase(connection, self._schema), version)

    def _check_old_owners(self, connection: psycopg.Connection[Columns], guard: int) -> None:
        """Make sure that no owner of version 2 lives: each holds a numbered advisory lock."""
        query = "SELECT DISTINCT owner FROM call WHERE owner IS NOT NULL"
        owners = connection.execute(translated(query, self._schema).text).fetchall()
        for (owner,) in owners:
            lock = "SELECT pg_try_advisory_xact_lock(%s::int, %s::int)"
            row = connection.execute(lock, (guard, owner)).fetchone()
            if row is None or not row[0]:
                raise BulkError(
                    f"the schema {self._schema} of the PostgreSQL is in use by an older "
                    "version of lix_async: stop it first"
                )
        # Version 2 had a sequence under the name of a table of this version.
        quoted = self._schema.replace('"', '""')
        connection.execute(f'DROP SEQUENCE IF EXISTS "{quoted}".owner'.encode())

    def _create(self, connection: psycopg.Connection[Columns]) -> None:
        quoted = self._schema.replace('"', '""')
        with connection.transaction():
            # One process creates; the lock ends with the transaction, so a pooler does no harm.
            guard = zlib.crc32(f"lix_async ledger {self._schema}".encode()) - 2**31
            connection.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", (guard,))
            if self._version(connection) is not None:
                return  # another process has created it
            found = connection.execute(
                "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (self._schema,)
            ).fetchone()
            if found is None:  # else the privilege to create it is not needed
                connection.execute(f'CREATE SCHEMA "{quoted}"'.encode())
            connection.execute(translated(f"{SCHEMA}{STORAGE}", self._schema).text)
            about = translated("INSERT INTO about VALUES (?, ?)", self._schema).text
            connection.execute(about, ("version", VERSION))
            connection.execute(about, ("ledger_id", new_token().hex()))
            connection.execute(about, ("identity", "learned"))


def check_postgres_address(address: str) -> None:
    """Check a connection string without connecting.

    Raises:
        ConfigurationError: It is none. The message shows no part of it, and psycopg's would.
    """
    problem = postgres_address_problem(address)
    if problem:
        del address  # a traceback may show local variables
        raise ConfigurationError(problem)


def postgres_address_problem(address: str) -> str:
    """What `check_postgres_address` raises; empty for a good address."""
    if problem := address_problem(address):
        return problem
    try:
        conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        return (
            "the address is not a connection string of PostgreSQL: it looks like "
            "postgresql://user:password@host:5432/database"
        )
    return ""


class PostgresStore(Store):
    """A ledger in PostgreSQL, shared by runs and workers on any number of machines.

    It uses one connection, in a thread of its own, and needs the extra `postgres`.

    Args:
        address: A connection string, as `postgresql://user@host/database`. It may lead to a pooler.
        schema: Where its tables are; they are created where they are missing. Each schema is one
            ledger: what any run bought there, all runs have.
        timeout: Seconds that a server which cannot be used is tried again before an error.

    Raises:
        ConfigurationError: The address is not a connection string.
    """

    def __init__(
        self, address: str, *, schema: str = "lix_async", timeout: float = UNREACHABLE_TIMEOUT
    ) -> None:
        super().__init__()
        if problem := postgres_address_problem(address):
            del address  # a traceback may show local variables
            raise ConfigurationError(problem)
        self.address = address
        self.schema = schema
        self._timeout = timeout

    @guarded_repr
    def __repr__(self) -> str:
        return f"PostgresStore(…, schema={self.schema!r})"  # an address may hold a password

    def is_same(self, other: Store) -> bool:
        same = isinstance(other, PostgresStore) and other.address == self.address
        return same and other.schema == self.schema

    async def disk_usage(self) -> tuple[int, int, dict[str, int]]:
        def work(tables: SqlTables) -> dict[str, int]:
            rows = tables.database.execute(
                "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_catalog.pg_class c JOIN "
                "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? "
                "AND c.relkind = 'r'",
                (self.schema,),
            )
            return dict(cast("list[tuple[str, int]]", rows))

        found = await self.statement(work, writes=False)
        return sum(found.values()), 0, found

    async def damages(self) -> list[str]:
        return []

    async def vacuum(self, *, full: bool) -> None:
        ledger = cast("PostgresLedgerConnection", self._connection)

        def work() -> None:
            with ledger.between() as connection:
                for table in COLUMNS:
                    name = _qualified(self.schema, table)
                    connection.execute(f"VACUUM {'FULL ' * full}{name}".encode())

        await in_thread(work)

    async def release_deleted(self, *, full: bool) -> tuple[list[int], str]:
        await self.vacuum(full=full)
        note = "archives of the write-ahead log, replicas and backups of the server may have it"
        if not full:
            note = f"free space of the tables may have it until it is written again; {note}"
        return [], note

    def _connect(self, *, read_only: bool) -> PostgresLedgerConnection:
        return PostgresLedgerConnection(
            self.address, schema=self.schema, read_only=read_only, timeout=self._timeout
        )

    def _tables_in(self, schema: str, tables: SqlTables) -> SqlTables:
        if schema == self.schema:
            return tables
        return cast("PostgresLedgerConnection", self._connection).tables_in(schema)

    async def add_inputs(self, run: int, inputs: Sequence[InputRow]) -> None:
        ledger = cast("PostgresLedgerConnection", self._connection)
        await in_thread(ledger.copy_inputs, run, inputs)

    def execute(
        self, statement: LiteralString, values: Mapping[str, object] | None = None
    ) -> psycopg.Cursor[Columns]:
        """Run one statement on the connection of the open ledger, from any other thread.

        This is how a `PostgresLimiter` shares the connection: `PostgresLimiter(store, …)`.

        Raises:
            psycopg.Error: It failed, the ledger is not open, or was busy for two seconds.
        """
        if self._connection is None:
            raise psycopg.OperationalError("the ledger is not open")
        ledger = cast("PostgresLedgerConnection", self._connection)
        with ledger.between(LENT_WITHIN) as connection:
            return connection.execute(statement, values)
