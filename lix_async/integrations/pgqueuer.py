"""Bulk lookups on many machines with PgQueuer (asyncio): queue and ledger in one PostgreSQL.

    await submit(dsn, "people.get", links)     # once, on any machine
    await worker(dsn, lix)                     # on every machine

The answers are in the ledger: `bulk.Run(dsn, lix.people.get, links)` yields them without a charge.
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
from ..ledger.postgres import PostgresStore, check_postgres_address
from .chunk_worker import (
    CHUNK_SIZE,
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
    raise ConfigurationError("missing extra: pip install 'lix_async[pgqueuer]'") from error

LOCK = 0x6C697871
"""The advisory lock under which the tables of the queue are created."""


async def submit(dsn: str, method: str, inputs: Iterable[Input], *, size: int = CHUNK_SIZE) -> int:
    """Queue inputs for a method of a client. Creates the tables of PgQueuer if necessary.

    Submitting the same inputs again costs nothing, because the ledger has them.

    Args:
        dsn: `postgresql://...`
        method: The method, such as "people.get".
        inputs: First arguments of the method, or mappings of keyword arguments.
        size: Inputs in a chunk.

    Returns:
        The number of chunks.

    Raises:
        ConfigurationError: If an input is not text, a number or a mapping, or the address is not
            a connection string.
        BulkError: If the queue cannot be used.
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
    """Work on chunks until `stop` is set. Any number of workers may run, on any machine.

    Chunks are run again by themselves when lookups are queued or fail, after a daily limit, and
    while the ledger is parked. When an error lasts, the worker ends and the chunk stays in the
    queue for another one.

    Args:
        dsn: `postgresql://...` of queue and ledger.
        client: The client whose methods `submit` named; use one for each process.
        concurrency: Calls in flight at most; the client's limiter sets the rate and should be
            shared between the workers.
        doubts: What to do with lookups in doubt; see `bulk.Run`.
        schema: The schema of the ledger.
        heartbeat: Seconds after which the chunk of a dead worker is taken over. What it had sent
            is in doubt.
        max_credits: This worker ends with `BudgetError` before it spends more.
        stop: When it is set, no further chunk is taken, calls in flight end, the rest of the chunk
            goes back to the queue, and this returns. If the task is cancelled instead, calls in
            flight are in doubt.

    Raises:
        QuotaExceededError: If the credits are used up (402) or `max_credits` is reached.
        AuthenticationError: If the key is rejected.
        ViewerError: If the viewer id is rejected.
        BulkError: If the ledger or the queue cannot be used.

    Credits: those of the methods, for each input that the ledger does not have.
    """
    async with _queries(dsn) as queries, PostgresStore(dsn, schema=schema) as store:
        manager = QueueManager(queries)
        chunk_worker = ChunkWorker(
            store, client, concurrency, doubts, max_credits=max_credits, stop=stop
        )

        @manager.entrypoint(TASK_NAME, on_failure="hold")
        async def run(job: Job) -> None:
            try:
                await chunk_worker.run(msgspec.json.decode(job.payload or b"", type=Chunk))
            except RetryChunkLater as later:
                raise RetryRequested(timedelta(seconds=later.seconds), str(later)) from later

        async def ending() -> None:
            await chunk_worker.stopped.wait()
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
        if chunk_worker.error is not None:
            raise chunk_worker.error


@asynccontextmanager
async def _queries(dsn: str) -> AsyncGenerator[Queries]:
    check_postgres_address(dsn)
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
