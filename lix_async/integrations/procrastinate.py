"""Bulk lookups on many machines by Procrastinate (asyncio): queue and ledger in one PostgreSQL.

    await submit(dsn, "people.get", links)     # anywhere, once
    await worker(dsn, lix)                     # on every machine

The answers are in the ledger: `bulk.Run(dsn, lix.people.get, links)` hands them out, paid for.
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
    from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
    from procrastinate.exceptions import ConnectorException
    from procrastinate.jobs import Job  # noqa: TC002  # beside its siblings
except ModuleNotFoundError as error:
    raise ConfigurationError(
        "this needs the extra: pip install 'lix_async[procrastinate]'"
    ) from error

LOCK = 0x6C697870
"""The advisory lock under which the queue's tables are made."""
QUEUE = "lix_async"
POLL = 2.0
"""Seconds between two looks for chunks whose time has come."""


async def submit(dsn: str, method: str, inputs: Iterable[Input], *, size: int = SIZE) -> int:
    """Queue inputs for a client's method, such as "people.get"; how many chunks they make.

    `size`: inputs per chunk (50). Makes Procrastinate's tables if they are not there. Submitting
    the same inputs again costs nothing: the ledger knows them.
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
    async with _app(dsn) as app, PostgresStore(dsn, schema=schema) as store:
        hands = ChunkWorker(store, client, concurrency, doubts, max_credits=max_credits, stop=stop)

        @app.task(name=TASK_NAME, queue=QUEUE, retry=_ChunkRetryStrategy())
        async def run(method: str, inputs: list[object]) -> None:
            await hands.do(msgspec.convert({"method": method, "inputs": inputs}, Chunk))

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
        end = asyncio.create_task(hands.stopped.wait())
        try:
            await asyncio.wait([*helpers, end], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*helpers, end):
                task.cancel()
            done = await asyncio.gather(*helpers, return_exceptions=True)
        if hands.error is not None:
            raise hands.error
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
    with queue_errors_as_bulk_errors(psycopg.Error, ConnectorException):
        app = App(connector=PsycopgConnector(conninfo=dsn))
        async with app.open_async():
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as line:
                await line.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
                found = await line.execute("SELECT to_regclass('procrastinate_jobs')")
                if await found.fetchone() == (None,):
                    await app.schema_manager.apply_schema_async()
            yield app
