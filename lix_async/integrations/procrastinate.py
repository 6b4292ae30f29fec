"""Bulk lookups on many machines with Procrastinate (asyncio): queue and ledger in one PostgreSQL.

    await submit(dsn, "people.get", links)     # once, on any machine
    await worker(dsn, lix)                     # on every machine

The answers are in the ledger: `bulk.Run(dsn, lix.people.get, links)` yields them without a charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
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
    from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
    from procrastinate.exceptions import ConnectorException
    from procrastinate.jobs import Job  # noqa: TC002  # beside its siblings
except ModuleNotFoundError as error:
    raise ConfigurationError("missing extra: pip install 'lix_async[procrastinate]'") from error

LOCK = 0x6C697870
"""The advisory lock under which the tables of the queue are created."""
QUEUE = "lix_async"
POLL = 2.0
"""Seconds between two polls for chunks that are due."""


async def submit(dsn: str, method: str, inputs: Iterable[Input], *, size: int = CHUNK_SIZE) -> int:
    """Queue inputs for a method of a client. Creates the tables of Procrastinate if necessary.

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
    async with _app(dsn) as app:
        for chunk in split_into_chunks(method, inputs, size):
            await app.configure_task(TASK_NAME, queue=QUEUE).defer_async(
                method=chunk.method, inputs=msgspec.to_builtins(chunk.inputs)
            )
            count += 1
    return count


class _ChunkRetryStrategy(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, RetryChunkLater):
            return RetryDecision(retry_in={"seconds": round(exception.seconds)})
        return None


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
    async with _app(dsn) as app, PostgresStore(dsn, schema=schema) as store:
        chunk_worker = ChunkWorker(
            store, client, concurrency, doubts, max_credits=max_credits, stop=stop
        )

        @app.task(name=TASK_NAME, queue=QUEUE, retry=_ChunkRetryStrategy())
        async def run(method: str, inputs: list[object]) -> None:
            await chunk_worker.run(msgspec.convert({"method": method, "inputs": inputs}, Chunk))

        work = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=1,
                update_heartbeat_interval=heartbeat / 3,
                stalled_worker_timeout=heartbeat,
                fetch_job_polling_interval=min(heartbeat / 3, POLL),
                install_signal_handlers=False,
                shutdown_graceful_timeout=5.0,
            )
        )
        helpers = [asyncio.create_task(_take_over(app, heartbeat)), work]
        end = asyncio.create_task(chunk_worker.stopped.wait())
        try:
            await asyncio.wait([*helpers, end], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*helpers, end):
                task.cancel()
            done = await asyncio.gather(*helpers, return_exceptions=True)
        if chunk_worker.error is not None:
            raise chunk_worker.error
        for failure in done:
            if isinstance(failure, Exception):
                raise failure


async def _take_over(app: App, heartbeat: float) -> None:
    """Put the chunks of dead workers back: Procrastinate leaves that to its user."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=heartbeat
        ):
            await app.job_manager.retry_job(job)
        await asyncio.sleep(heartbeat / 3)


@asynccontextmanager
async def _app(dsn: str) -> AsyncGenerator[App]:
    check_postgres_address(dsn)
    with queue_errors_as_bulk_errors(psycopg.Error, ConnectorException):
        app = App(connector=PsycopgConnector(conninfo=dsn))
        async with app.open_async():
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as line:
                await line.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
                found = await line.execute("SELECT to_regclass('procrastinate_jobs')")
                if await found.fetchone() == (None,):
                    await app.schema_manager.apply_schema_async()
            yield app
