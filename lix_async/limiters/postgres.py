"""A rate shared by all processes that reach one PostgreSQL (12 or newer), by updates of a row.

psycopg 3 is used in the limiter's own thread, on both event loops: it does not run on trio, and a
permit is refunded from code that cannot await.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, LiteralString, Protocol, Unpack, cast, runtime_checkable

from ..core.errors import ConfigurationError, LixError
from ..core.rate_limit import GcraDecision, GcraParameters, RateLimit
from ..core.server_address import address_problem
from ..core.validation import check_attributes
from .backend import rejected_error, unavailable_error
from .shared import SharedLimiter, SharedLimiterOptions

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg_pool import ConnectionPool

TABLE = """
CREATE TABLE IF NOT EXISTS lix_async_limiter (
    name text PRIMARY KEY, full_at bigint NOT NULL DEFAULT 0, held bigint NOT NULL DEFAULT 0,
    asked_at bigint NOT NULL DEFAULT 0, turn_at bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20)
"""
ROW = "INSERT INTO lix_async_limiter (name) VALUES (%(name)s) ON CONFLICT DO NOTHING"
# Each statement locks the one row until its transaction ends, at once because of autocommit, so
# two processes change it one after the other. clock_timestamp() advances while a statement runs:
# OFFSET 0 makes the planner evaluate it once. Inside of SET it is evaluated when the row is locked,
# so a process that waited for the lock does not use an old moment. turn_at exists to be returned.
NOW: LiteralString = (
    "(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now OFFSET 0)"
)
# `f` and `h` are the state on a clock that may have been put back: see rebase_state.
STATE: LiteralString = f"""
    SELECT now, l.full_at - back AS f, l.held - back AS h
    FROM (SELECT now, greatest(l.asked_at - now, 0) AS back FROM {NOW} AS c) AS b
"""
STEP: LiteralString = (
    "UPDATE lix_async_limiter AS l SET (full_at, held, asked_at, turn_at) = ({})"
    " WHERE name = %(name)s RETURNING asked_at, turn_at, full_at"
)
COUNT: LiteralString = (
    "CASE WHEN {0} - %(tolerance)s - f > %(interval)s THEN {0}"
    " ELSE greatest(f, {0} - %(tolerance)s) END + %(interval)s"
)
TAKE: LiteralString = STEP.format(f"""
    SELECT CASE WHEN permit_at - now <= %(max_wait)s THEN {COUNT.format("permit_at")} ELSE f END,
           h, now, permit_at
    FROM (SELECT now, f, h, greatest(f - %(slack)s, h, now) AS permit_at FROM ({STATE}) AS s) AS t
""")
HOLD: LiteralString = STEP.format(f"""
    SELECT greatest(f, now + %(length)s + %(slack)s), greatest(h, now + %(length)s), now, 0
    FROM ({STATE}) AS s
""")
REFUND: LiteralString = STEP.format(f"""
    SELECT f - CASE WHEN f = %(full_at)s THEN %(interval)s ELSE 0 END, h, now,
           (f = %(full_at)s)::int
    FROM ({STATE}) AS s
""")
DELAY: LiteralString = STEP.format(f"""
    SELECT least(f + %(length)s, {COUNT.format("now")}), h, now, 0
    FROM ({STATE}) AS s
""")
HOLD_LEFT: LiteralString = (
    "SELECT greatest(held - greatest(now, asked_at), 0)"
    f" FROM lix_async_limiter, {NOW} AS c WHERE name = %(name)s"
)


@runtime_checkable
class StatementExecutor(Protocol):
    """Runs statements one by one, each in a transaction of its own: a `PostgresStore`."""

    def execute(
        self, statement: LiteralString, values: Mapping[str, object] | None = None, /
    ) -> Cursor[tuple[object, ...]]:
        """Run a statement."""
        ...


class PostgresLimiter(SharedLimiter):
    """A rate shared by all who use the same database and name. Needs the extra `postgres`.

    The first process creates the table `lix_async_limiter`. A pooler in between (pgbouncer) must
    pool by session.

    Args:
        where: A connection string; a `psycopg_pool.ConnectionPool` of your own, from which one
            connection is borrowed while permits are taken; or a `PostgresStore`, whose connection
            is shared while it is open.
        name: Name of the rate.
        rate: The rate.
        **options: See `SharedLimiter`.

    Raises:
        ConfigurationError: An argument is invalid, or psycopg is not installed.

    """

    def __init__(
        self,
        where: str | ConnectionPool | StatementExecutor,
        name: str,
        rate: RateLimit,
        **options: Unpack[SharedLimiterOptions],
    ) -> None:
        if isinstance(where, str) and (problem := address_problem(where)):
            del where  # a traceback may show local variables
            raise ConfigurationError(problem)
        super().__init__(PostgresBackend(where, name), name, rate, **options)


class PostgresBackend:
    """The state in a row; each step is one statement."""

    def __init__(self, where: str | ConnectionPool | StatementExecutor, name: str) -> None:
        try:
            self._psycopg = importlib.import_module("psycopg")
        except ImportError:
            hint = "PostgresLimiter needs: pip install 'lix_async[postgres]'"
            raise ConfigurationError(hint) from None
        if not isinstance(where, str | StatementExecutor):
            # AsyncConnectionPool has `connection` as well, but no `with`.
            what = "a connection string or a psycopg_pool.ConnectionPool"
            check_attributes("where", where, what, "connection", "__enter__")
        self._where = where
        self._name = name
        self._resources = contextlib.ExitStack()
        self._connection: Connection | StatementExecutor | None = None

    def take(self, params: GcraParameters[int], max_wait: int) -> GcraDecision:
        now, permit_at, full_at = self._run(
            TAKE,
            interval=params.interval,
            slack=params.slack,
            tolerance=params.tolerance,
            max_wait=max_wait,
        )
        return GcraDecision(now, permit_at, full_at)

    def hold(self, params: GcraParameters[int], length: int) -> None:
        self._run(HOLD, length=length, slack=params.slack)

    def refund(self, params: GcraParameters[int], full_at: int) -> bool:
        return bool(self._run(REFUND, full_at=full_at, interval=params.interval)[1])

    def delay(self, params: GcraParameters[int], length: int) -> None:
        self._run(DELAY, length=length, tolerance=params.tolerance, interval=params.interval)

    def hold_left(self) -> int:
        return self._run(HOLD_LEFT)[0]

    def close(self) -> None:
        self._connection = None
        with contextlib.suppress(self._psycopg.Error):
            self._resources.close()

    def _run(self, statement: LiteralString, **values: int) -> tuple[int, ...]:
        failure: LixError
        try:
            return self._row(statement, {"name": self._name, **values})
        except self._psycopg.Error as error:
            # All but a request that is wrong ends some day: no connection, a server that starts,
            # stops, fails over, is read-only (25006) or full, a lock or a transaction that timed
            # out (see https://www.postgresql.org/docs/current/errcodes-appendix.html).
            final = isinstance(error, (self._psycopg.ProgrammingError, self._psycopg.DataError))
            code = getattr(error, "sqlstate", None) or ""
            failure = (rejected_error if final else unavailable_error)("PostgreSQL", error, code)
        self.close()
        raise failure

    def _row(self, statement: LiteralString, values: dict[str, str | int]) -> tuple[int, ...]:
        connection = self._connected()
        errors = self._psycopg.errors
        for _ in range(3):
            with contextlib.suppress(errors.UndefinedTable):
                row = connection.execute(statement, values).fetchone()
                if row is not None:
                    return cast("tuple[int, ...]", row)
                connection.execute(ROW, values)
                continue
            # Two processes that create it at the same moment: one of them fails.
            with contextlib.suppress(errors.UniqueViolation, errors.DuplicateTable):
                connection.execute(TABLE)
        raise errors.UndefinedTable

    def _connected(self) -> Connection | StatementExecutor:
        if self._connection is None:
            where = self._where
            if isinstance(where, str):
                self._connection = self._resources.enter_context(_open(where))
            elif isinstance(where, StatementExecutor):
                self._connection = where
            else:
                borrowed = self._resources.enter_context(where.connection(timeout=2.0))
                self._connection = self._resources.enter_context(_autocommit(borrowed))
            # A server that crashes loses the last permits, but restarts after their time.
            self._connection.execute("SET synchronous_commit = off")
        return self._connection


@contextlib.contextmanager
def _open(dsn: str) -> Generator[Connection, None, None]:
    import psycopg

    connection = psycopg.connect(dsn, autocommit=True, connect_timeout=2, tcp_user_timeout=5000)
    try:
        connection.execute("SET statement_timeout = 2000")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _autocommit(connection: Connection) -> Generator[Connection, None, None]:
    """A pool's connection in autocommit mode, restored afterwards."""
    before = connection.autocommit
    connection.set_autocommit(True)
    try:
        yield connection
    finally:
        if not connection.closed:
            connection.execute("RESET synchronous_commit")
            connection.set_autocommit(before)
