"""Bulk lookups on many machines by PgQueuer (asyncio): the queue and the ledger in one PostgreSQL.

    await submit(dsn, "people.get", links)     # anywhere, once
    await worker(dsn, lix)                     # on every machine

The answers are in the ledger: `bulk.Run(dsn, lix.people.get, links)` hands them out, paid for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ..bulk.lookup import DoubtPolicy
from ..bulk.prepared_call import Input
from ..core.errors import ConfigurationError
from ..engine.client import Client
from ..ledger.postgres import PostgresStore
from .chunk_worker import (
    SIZE,
    TASK_NAME,
    Chunk,
    ChunkWorker,
    RetryChunkLater,
    queue_errors_as_bulk_errors,
    split_into_chunks,
)

if TYPE_CHECKING:
    import anyio

try:
    import psycopg
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.errors import RetryRequested
    from pgqueuer.models import Job  # noqa: TC002  # PgQueuer reads the annotations
    from pgqueuer.qm import QueueManager
    from pgqueuer.queries import Queries
except ModuleNotFoundError as error:
    raise ConfigurationError("this needs the extra: pip install 'lix_async[pgqueuer]'") from error

LOCK = 0x6C697871
"""The advisory lock under which the queue's tables are made."""


async def submit(dsn: str, method: str, inputs: Iterable[Input], *, size: int = SIZE) -> int:
    """Queue inputs for a client's method, such as "people.get"; how many chunks they make.

    `size`: inputs per chunk (50). Makes PgQueuer's tables if they are not there. Submitting the
    same inputs again costs nothing: the ledger knows them.
    """
    count = 0
    async with _queries(dsn) as queries:
        for chunk in split_into_chunks(method, inputs, size):
            await queries.enqueue(TASK_NAME, msgspec.json.encode(chunk))
            count += 1
    return count


async def worker(
    dsn: str,
    client: Client,
    *,
    concurrency: int = 4,
    doubts: DoubtPolicy = "hold",
    schema: str = "lix_async",
    heartbeat: float = 30.0,
    max_credits: int | None = None,
    stop: anyio.Event | None = None,
) -> None:
    """Work on chunks until `stop` is set. Any number of workers may run, anywhere.

    One `client` per process; its methods are what `submit` named. `concurrency`: calls in flight
    at most (4); the client's limiter sets the pace, and should be one that is shared. The ledger
    is in the same database (`schema`). `doubts` is that of `bulk.Run`. The chunk of a worker that
    died is taken over after `heartbeat` seconds (30); what it had sent is held in doubt.

    `stop`: when it is set, no further chunk is taken, calls in flight end, the rest of the chunk
    goes back to the queue, and this returns; cancelled, it leaves calls in flight in doubt.
    `max_credits`: this worker ends with `BudgetError` before it spends more (no bound).

    A chunk comes back by itself when lookups are queued or fail, after a daily limit, and while
    the ledger is parked. Raises what makes further calls pointless (`QuotaExceededError`,
    `AuthenticationError`, `BulkError`, …): the chunk stays where it is, for a worker to come.
    """
    async with _queries(dsn) as queries, PostgresStore(dsn, schema=schema) as store:
        manager = QueueManager(queries)
        hands = ChunkWorker(store, client, concurrency, doubts, max_credits=max_credits, stop=stop)

        @manager.entrypoint(TASK_NAME, on_failure="hold")
        async def run(job: Job) -> None:
            try:
                await hands.do(msgspec.json.decode(job.payload or b"", type=Chunk))
            except RetryChunkLater as later:
                raise RetryRequested(timedelta(seconds=later.seconds), str(later)) from later

        async def ending() -> None:
            await hands.stopped.wait()
            manager.shutdown.set()

        end = asyncio.create_task(ending())
        try:
            # Continuous mode: draining would end before a dead worker's chunks come back.
            await manager.run(
                timedelta(seconds=heartbeat / 2),
                batch_size=1,
                max_concurrent_tasks=2,
                heartbeat_timeout=timedelta(seconds=heartbeat),
            )
        finally:
            end.cancel()
        if hands.error is not None:
            raise hands.error


@asynccontextmanager
async def _queries(dsn: str) -> AsyncGenerator[Queries]:
    with queue_errors_as_bulk_errors(psycopg.Error):
        line = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
        async with line, PsycopgDriver(line) as driver:
            queries = Queries(driver)
            await line.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            try:
                if not await queries.schema_is_installed():
                    await queries.install()
            finally:
                await line.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
            yield queries
