"""Bulk lookups on many machines with Procrastinate (asyncio): queue and ledger in one PostgreSQL.

    await submit(dsn, "people.get", links)     # once, on any machine
    await worker(dsn, lix)                     # on every machine

The answers are in the ledger: `bulk.Run(dsn, lix.people.get, links)` yields them without a charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import msgspec

from ..core.errors import ConfigurationError
from .chunk_worker import Chunk, ChunkWorker, RetryChunkLater
from .job_queue import CHUNKS_IN_FLIGHT, TASK_NAME, JobQueue

try:
    import psycopg
    from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
    from procrastinate.exceptions import ConnectorException
    from procrastinate.jobs import Job  # noqa: TC002  # beside its siblings
    from procrastinate.types import JSONDict  # noqa: TC002  # beside its siblings
    from psycopg_pool import PoolTimeout
except ModuleNotFoundError as error:
    raise ConfigurationError("missing extra: pip install 'lix_async[procrastinate]'") from error

LOCK = 0x6C697870
"""The advisory lock under which the tables of the queue are created."""
QUEUE = "lix_async"
POLL = 1.0
"""Seconds between two polls for chunks that are due, by a worker that has nothing to do."""


class _ChunkRetryStrategy(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, RetryChunkLater):
            return RetryDecision(retry_in={"seconds": round(exception.seconds)})
        return None


class Procrastinate(JobQueue[App]):
    """The queue of the package `procrastinate`, over psycopg."""

    @asynccontextmanager
    async def connect(self, dsn: str) -> AsyncGenerator[App]:
        # One connection: a worker polls, because listening would take another one.
        app = App(connector=PsycopgConnector(conninfo=dsn, min_size=1, max_size=1))
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as line:
            await line.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            async with app.open_async():
                found = await line.execute("SELECT to_regclass('procrastinate_jobs')")
                if await found.fetchone() == (None,):
                    await app.schema_manager.apply_schema_async()
                await line.close()
                yield app

    async def enqueue(self, queue: App, chunks: Sequence[Chunk]) -> None:
        jobs = cast("list[JSONDict]", [msgspec.to_builtins(chunk) for chunk in chunks])
        await queue.configure_task(TASK_NAME, queue=QUEUE).batch_defer_async(*jobs)

    async def work(self, queue: App, worker: ChunkWorker, heartbeat: float) -> None:
        @queue.task(name=TASK_NAME, queue=QUEUE, retry=_ChunkRetryStrategy())
        async def run(**job: object) -> None:
            await worker.run(msgspec.convert(job, Chunk))

        helpers = [
            asyncio.create_task(_take_over(queue, heartbeat)),
            asyncio.create_task(
                queue.run_worker_async(
                    queues=[QUEUE],
                    concurrency=CHUNKS_IN_FLIGHT,
                    listen_notify=False,
                    update_heartbeat_interval=heartbeat / 3,
                    stalled_worker_timeout=heartbeat,
                    fetch_job_polling_interval=min(heartbeat / 3, POLL),
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=5.0,
                )
            ),
        ]
        end = asyncio.create_task(worker.stopped.wait())
        try:
            await asyncio.wait([*helpers, end], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*helpers, end):
                task.cancel()
            done = await asyncio.gather(*helpers, return_exceptions=True)
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


adapter = Procrastinate(psycopg.Error, ConnectorException, PoolTimeout)
submit = adapter.submit
worker = adapter.worker
