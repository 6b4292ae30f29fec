"""The ledger for many machines: a PostgreSQL of the user's own, shared by any number of runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Literal, LiteralString, TypeVar, cast

import msgspec

from ...concurrency.clock import RealClock
from ...concurrency.worker_thread import WorkerThread
from ...core.errors import BulkError
from .base import (
    CODES,
    COLUMNS,
    MAX_BATCH,
    STATUSES,
    Entry,
    EntryColumns,
    LedgerCounts,
    LedgerUnreachableError,
    Status,
    StoredError,
    counts_from_rows,
    entry_from_row,
    join_json_arrays,
)
from .postgres_batch import (
    BatchJob,
    ClaimJob,
    MarkSentJob,
    PostgresBatch,
    SaveAnswerJob,
    StatementJob,
)
from .postgres_connection import PostgresLedgerConnection

T = TypeVar("T")
BATCH = 200
"""Entries read at once while exporting."""
RECONNECT_TIMEOUT = 15.0
"""Seconds during which a server that is out of reach is asked again before a run gives up."""
# A key that another worker has taken over (our connection was gone) is not changed.
SET_OUTCOME = """
UPDATE {0}.call SET status = %(status)s, error = %(error)s, due = %(due)s, changed = %(now)s,
    owner = NULL
WHERE key = %(key)s AND (owner = %(owner)s OR owner IS NULL) AND status <> 3
"""
DECIDE = """
UPDATE {0}.call SET status = %(status)s, lost = lost + 1, changed = %(now)s
WHERE key = %(key)s AND status = 5 AND owner IS NULL
"""
FIND = f"SELECT {COLUMNS} FROM {{0}}.call WHERE key = %(key)s"
KNOWN = f"SELECT {COLUMNS} FROM {{0}}.call WHERE key = ANY(%(keys)s::bytea[]) AND status IN (3, 4)"
PARKED = "SELECT value FROM {0}.about WHERE name = 'parked'"
PARK = """
INSERT INTO {0}.about VALUES ('parked', %(reason)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
UNPARK = "DELETE FROM {0}.about WHERE name = 'parked'"
RELEASE = "UPDATE {0}.call SET owner = NULL WHERE key = %(key)s AND owner = %(owner)s"
PAGE = """
UPDATE {0}.call SET status = 0, point = %(point)s, credits = credits + %(credits)s,
    changed = %(now)s, owner = %(owner)s
WHERE key = %(key)s AND (owner = %(owner)s OR owner IS NULL) AND status IN (1, 5)
"""
ADD_PAGE = """
INSERT INTO {0}.page SELECT %(key)s, coalesce(max(number), 0) + 1, %(items)s
FROM {0}.page WHERE key = %(key)s
"""
FINISH_LISTING = """
UPDATE {0}.call SET status = 3, body = %(body)s, point = NULL, changed = %(now)s, owner = NULL
WHERE key = %(key)s
"""


class PostgresStore:
    """A ledger in PostgreSQL, shared by runs and workers on any number of machines.

    A store is one worker: what it has claimed is `busy` for others while its process and its
    connection live. It holds one connection, in a thread of its own. Needs the extra `postgres`.

    Args:
        dsn: `postgresql://...`, a direct connection. A pooler that assigns connections by
            transaction would lose the lock that shows whether a worker is alive.
        schema: The schema of its tables, created if necessary. Each schema is one ledger.
        reconnect_timeout: Seconds to retry while the server is unreachable, before `BulkError`.
    """

    def __init__(
        self, dsn: str, *, schema: str = "lix_async", reconnect_timeout: float = RECONNECT_TIMEOUT
    ) -> None:
        self._dsn = dsn
        self._schema = schema
        self._reconnect_timeout = reconnect_timeout
        self._writer: WorkerThread[BatchJob] | None = None

    def __repr__(self) -> str:
        return f"PostgresStore(…, schema={self._schema!r})"  # a dsn may hold a password

    async def open(self, name: str, now: float) -> int:
        return await self._begin(PostgresLedgerConnection.release_dead_owners, existing_only=False)

    async def open_read_only(self) -> None:
        await self._begin(PostgresLedgerConnection.release_dead_owners, existing_only=True)

    async def _begin(
        self, first: Callable[[PostgresLedgerConnection], T], *, existing_only: bool
    ) -> T:
        if self._writer is not None:
            raise BulkError("this store is open already: create one for each run")
        conn = PostgresLedgerConnection(
            self._dsn, self._schema, self._reconnect_timeout, existing_only=existing_only
        )
        self._writer = WorkerThread(
            PostgresBatch(conn),
            "lix_async ledger",
            max_batch=MAX_BATCH,
            shield=True,
            final_error=LedgerUnreachableError,
        )
        try:
            return await self._do(first)
        except BaseException:
            await self.close()
            raise

    async def __aenter__(self) -> PostgresStore:
        await self.open("", RealClock().wall())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _put(self, job: BatchJob) -> object:
        if self._writer is None:
            raise BulkError("this store is not open")
        return await self._writer.run(job)

    async def _do(self, work: Callable[[PostgresLedgerConnection], T], frees: bytes = b"") -> T:
        return cast("T", await self._put(StatementJob(work, frees)))

    async def get(self, key: bytes) -> Entry | None:
        found = await self._do(lambda conn: conn.rows(FIND, key=key))
        return entry_from_row(cast("EntryColumns", found[0])) if found else None

    async def final_entries(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        found = await self._do(lambda conn: conn.rows(KNOWN, keys=list(keys)))
        entries = [entry_from_row(cast("EntryColumns", row)) for row in found]
        return {entry.key: entry for entry in entries}

    async def parked(self) -> str:
        found = await self._do(lambda conn: conn.rows(PARKED))
        return cast("str", found[0][0]) if found else ""

    async def park(self, reason: str) -> None:
        await self._do(lambda conn: conn.changed(PARK if reason else UNPARK, reason=reason))

    async def resolve(self, key: bytes, status: Literal["pending", "refused"], now: float) -> bool:
        code = CODES[status]
        change = await self._do(lambda conn: conn.changed(DECIDE, key=key, status=code, now=now))
        return change == 1

    async def claim(self, key: bytes, endpoint: str, given: bytes, now: float) -> Entry:
        return cast("Entry", await self._put(ClaimJob(key, endpoint, given, now)))

    async def mark_sent(self, key: bytes, held: bool, now: float) -> bool:
        return bool(await self._put(MarkSentJob(key, held, now)))

    async def done(self, key: bytes, body: bytes, credits: int, now: float) -> None:
        await self._put(SaveAnswerJob(key, body, credits, now))

    async def add_page(
        self, key: bytes, items: bytes, point: bytes, credits: int, now: float
    ) -> None:
        def work(conn: PostgresLedgerConnection) -> None:
            if conn.changed(PAGE, key=key, point=point, credits=credits, now=now, owner=conn.owner):
                conn.changed(ADD_PAGE, key=key, items=items)
                return
            saved = "SELECT 1 FROM {0}.call WHERE key = %(key)s AND point = %(point)s"
            if not conn.rows(saved, key=key, point=point):  # unless it is done for the second time
                raise BulkError("another worker has continued this listing")

        await self._do(work)

    async def finish_listing(self, key: bytes, now: float) -> bytes:
        def work(conn: PostgresLedgerConnection) -> bytes:
            pages = "SELECT items FROM {0}.page WHERE key = %(key)s ORDER BY number"
            done = "SELECT body FROM {0}.call WHERE key = %(key)s AND status = 3"
            if saved := conn.rows(done, key=key):
                return cast("bytes", saved[0][0])
            body = join_json_arrays([cast("bytes", row[0]) for row in conn.rows(pages, key=key)])
            conn.changed(FINISH_LISTING, key=key, body=body, now=now)
            conn.changed("DELETE FROM {0}.page WHERE key = %(key)s", key=key)
            return body

        return await self._do(work, key)

    async def schedule_recheck(self, key: bytes, due: float, now: float) -> bool:
        change: LiteralString = (
            "UPDATE {0}.call SET status = 2, due = %(due)s, changed = %(now)s "
            "WHERE key = %(key)s AND status = 3"
        )
        return await self._do(lambda conn: conn.changed(change, key=key, due=due, now=now) == 1)

    async def set_outcome(
        self, key: bytes, status: Status, error: StoredError | None, due: float, now: float
    ) -> None:
        saved = None if error is None else msgspec.json.encode(error)

        def work(conn: PostgresLedgerConnection) -> None:
            conn.changed(
                SET_OUTCOME,
                key=key, status=CODES[status], error=saved, due=due, now=now, owner=conn.owner,
            )  # fmt: skip

        await self._do(work, key)

    async def release(self, key: bytes) -> None:
        await self._do(lambda conn: conn.changed(RELEASE, key=key, owner=conn.owner), key)

    async def counts(self) -> LedgerCounts:
        def work(conn: PostgresLedgerConnection) -> LedgerCounts:
            found = conn.rows(
                "SELECT status, count(*), sum(credits)::bigint, sum(lost)::bigint "
                "FROM {0}.call GROUP BY status"
            )
            return counts_from_rows(cast("list[tuple[int, int, int, int]]", found))

        return await self._do(work)

    async def next_due(self) -> float | None:
        def work(conn: PostgresLedgerConnection) -> float | None:
            found = conn.rows("SELECT min(due) FROM {0}.call WHERE status = 2")
            return cast("float | None", found[0][0])

        return await self._do(work)

    async def entries(self, *statuses: Status, endpoint: str | None = None) -> AsyncIterator[Entry]:
        wanted = [CODES[status] for status in statuses or STATUSES]
        last = 0
        while True:

            def work(conn: PostgresLedgerConnection, after: int = last) -> list[tuple[int, Entry]]:
                found = conn.rows(
                    f"SELECT id, {COLUMNS} FROM {{0}}.call WHERE id > %(after)s "
                    "AND status = ANY(%(wanted)s) "
                    "AND endpoint = coalesce(%(endpoint)s, endpoint) ORDER BY id LIMIT %(limit)s",
                    after=after,
                    wanted=wanted,
                    endpoint=endpoint,
                    limit=BATCH,
                )
                return [
                    (cast("int", row[0]), entry_from_row(cast("EntryColumns", row[1:])))
                    for row in found
                ]

            batch = await self._do(work)
            if not batch:
                return
            for last, entry in batch:  # noqa: B007  # the last one read is where to go on
                yield entry

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()
