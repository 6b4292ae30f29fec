"""One rate for whoever reaches a PostgreSQL (12 or newer): one update of one row.

psycopg 3 in the limiter's own thread, on both event loops: it knows no trio, and a turn is given
back from code that cannot wait.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator
from typing import TYPE_CHECKING, LiteralString

from ..concurrency.clock import Clock
from ..core.errors import ConfigurationError, LixError
from ..core.rate_limit import RateLimit
from ..core.validation import check_attributes
from .backend import refused, unreachable
from .gcra import LONGEST_HOLD, GcraDecision, GcraParameters
from .shared import GIVE_UP_AFTER, SharedLimiter

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg_pool import ConnectionPool

TABLE = """
CREATE TABLE IF NOT EXISTS lix_async_limiter (
    name text PRIMARY KEY, full_at bigint NOT NULL DEFAULT 0, held bigint NOT NULL DEFAULT 0,
    asked_at bigint NOT NULL DEFAULT 0, turn_at bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20)
"""
ROW = "INSERT INTO lix_async_limiter (name) VALUES (%(name)s) ON CONFLICT DO NOTHING"
# clock_timestamp() moves while a statement runs: OFFSET 0 makes the planner ask it once. Inside
# of SET it is asked when the row is locked, so who waited for the row has no old moment. asked_at
# and turn_at are there to be returned.
NOW: LiteralString = (
    "(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now OFFSET 0)"
)
ASK: LiteralString = f"""
UPDATE lix_async_limiter AS l SET (full_at, held, asked_at, turn_at) = (
    SELECT CASE WHEN turn - now <= %(ahead)s
                THEN greatest(f, turn - %(tolerance)s) + %(interval)s ELSE f END, h, now, turn
    FROM (SELECT now, f, h, greatest(f - %(slack)s, h, now) AS turn
          FROM (SELECT now, CASE WHEN forget THEN 0 ELSE l.full_at END AS f,
                       CASE WHEN forget THEN 0 ELSE l.held END AS h
                FROM (SELECT now, l.full_at - now > %(horizon)s AS forget FROM {NOW} AS c) AS c
               ) AS s) AS t)
WHERE name = %(name)s RETURNING asked_at, turn_at, full_at
"""
HOLD: LiteralString = f"""
UPDATE lix_async_limiter SET held = greatest(held, now + %(length)s),
    full_at = greatest(full_at, now + %(length)s + %(slack)s)
FROM {NOW} AS c WHERE name = %(name)s RETURNING held
"""
GIVE_BACK: LiteralString = """
UPDATE lix_async_limiter SET turn_at = (full_at = %(stamp)s)::int,
    full_at = CASE WHEN full_at = %(stamp)s THEN full_at - %(interval)s ELSE full_at END
WHERE name = %(name)s RETURNING turn_at
"""
PUSH: LiteralString = (
    "UPDATE lix_async_limiter SET full_at = full_at + %(length)s"
    " WHERE name = %(name)s RETURNING full_at"
)
HELD: LiteralString = (
    f"SELECT greatest(held - now, 0) FROM lix_async_limiter, {NOW} AS c WHERE name = %(name)s"
)


class PostgresLimiter(SharedLimiter):
    """A rate shared by whoever uses the same database and name. Needs the extra `postgres`.

    `where`: a connection string, or a `psycopg_pool.ConnectionPool` of your own, from which one
    connection is borrowed while there are turns. A pooler between (pgbouncer) must pool by
    session. The first to come makes the table `lix_async_limiter`. Other arguments: see
    `SharedLimiter`.
    """

    def __init__(
        self,
        where: str | ConnectionPool,
        name: str,
        rate: RateLimit,
        *,
        margin: float | None = None,
        give_up_after: float = GIVE_UP_AFTER,
        fallback: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            PostgresBackend(where, name),
            name,
            rate,
            margin=margin,
            give_up_after=give_up_after,
            fallback=fallback,
            clock=clock,
        )


class PostgresBackend:
    """The numbers in a row; each step is one statement."""

    def __init__(self, where: str | ConnectionPool, name: str) -> None:
        try:
            self._psycopg = importlib.import_module("psycopg")
        except ImportError:
            hint = "PostgresLimiter needs: pip install 'lix_async[postgres]'"
            raise ConfigurationError(hint) from None
        if not isinstance(where, str):
            # Its asyncio sister has a `connection` too, but no `with`.
            what = "a connection string or a psycopg_pool.ConnectionPool"
            check_attributes("where", where, what, "connection", "__enter__")
        self._where = where
        self._name = name
        self._held = contextlib.ExitStack()
        self._connection: Connection | None = None

    def ask(self, pace: GcraParameters, ahead: int) -> GcraDecision:
        now, turn, full_at = self._run(
            ASK,
            interval=pace.interval,
            slack=pace.slack,
            tolerance=pace.tolerance,
            horizon=pace.horizon,
            ahead=ahead,
        )
        return GcraDecision(now, turn, full_at)

    def hold(self, pace: GcraParameters, length: int) -> None:
        self._run(HOLD, length=min(length, LONGEST_HOLD), slack=pace.slack)

    def refund(self, pace: GcraParameters, stamp: int) -> bool:
        return bool(self._run(GIVE_BACK, stamp=stamp, interval=pace.interval)[0])

    def push(self, length: int) -> None:
        self._run(PUSH, length=length)

    def held(self) -> int:
        return self._run(HELD)[0]

    def close(self) -> None:
        self._connection = None
        with contextlib.suppress(self._psycopg.Error):
            self._held.close()

    def _run(self, statement: LiteralString, **values: int) -> tuple[int, ...]:
        failure: LixError
        try:
            return self._row(statement, {"name": self._name, **values})
        except (self._psycopg.OperationalError, self._psycopg.InterfaceError) as error:
            failure = unreachable("PostgreSQL", error)
        except self._psycopg.Error as error:
            failure = refused("PostgreSQL", error)
        self.close()
        raise failure

    def _row(self, statement: LiteralString, values: dict[str, str | int]) -> tuple[int, ...]:
        connection = self._connected()
        errors = self._psycopg.errors
        for _ in range(3):
            with contextlib.suppress(errors.UndefinedTable):
                row: tuple[int, ...] | None = connection.execute(statement, values).fetchone()
                if row is not None:
                    return row
                connection.execute(ROW, values)
                continue
            # Two who make it at the same moment: one of them is told that it is there already.
            with contextlib.suppress(errors.UniqueViolation, errors.DuplicateTable):
                connection.execute(TABLE)
        raise errors.UndefinedTable

    def _connected(self) -> Connection:
        if self._connection is None:
            if isinstance(self._where, str):
                self._connection = self._held.enter_context(_opened(self._where))
            else:
                borrowed = self._held.enter_context(self._where.connection(timeout=2.0))
                self._connection = self._held.enter_context(_lent(borrowed))
            # A server that crashes forgets the last turns, and has paused for longer than them.
            self._connection.execute("SET synchronous_commit = off")
        return self._connection


@contextlib.contextmanager
def _opened(dsn: str) -> Generator[Connection, None, None]:
    import psycopg

    connection = psycopg.connect(dsn, autocommit=True, connect_timeout=2, tcp_user_timeout=5000)
    try:
        connection.execute("SET statement_timeout = 2000")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _lent(connection: Connection) -> Generator[Connection, None, None]:
    """A pool's connection, given back as it was."""
    before = connection.autocommit
    connection.set_autocommit(True)
    try:
        yield connection
    finally:
        if not connection.closed:
            connection.execute("RESET synchronous_commit")
            connection.set_autocommit(before)
