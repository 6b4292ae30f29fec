"""Bulk lookups on many machines with PgQueuer (asyncio): queue and ledger in one PostgreSQL.

    await submit(dsn, "people.get", links)     # once, on any machine
    await worker(dsn, lix)                     # on every machine

The answers are in the ledger: `bulk.Run(dsn, lix.people.get, links)` yields them without a charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol, cast
from urllib.parse import urlencode

import msgspec

from ..core.errors import ConfigurationError
from .chunk_worker import Chunk, ChunkWorker, RetryChunkLater
from .job_queue import CHUNKS_IN_FLIGHT, TASK_NAME, JobQueue

try:
    import asyncpg  # type: ignore[import-untyped]  # it has no type hints
    from pgqueuer.db import AsyncpgDriver
    from pgqueuer.errors import FailingListenerError, RetryRequested
    from pgqueuer.models import Job  # noqa: TC002  # PgQueuer reads the annotations
    from pgqueuer.qm import QueueManager
    from pgqueuer.queries import Queries
    from psycopg.conninfo import conninfo_to_dict
except ModuleNotFoundError as error:
    raise ConfigurationError("missing extra: pip install 'lix_async[pgqueuer]'") from error

LOCK = 0x6C697871
"""The advisory lock under which the tables of the queue are created."""
CONNECT_TIMEOUT = 5.0
"""Seconds."""
SSL_PARAMETERS = ("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword")
ASYNCPG_PARAMETERS = {
    *("host", "port", "user", "password", "passfile", "dbname", "application_name"),
    *("target_session_attrs", "krbsrvname", "gsslib", *SSL_PARAMETERS),
    *("ssl_min_protocol_version", "ssl_max_protocol_version"),
}
"""What an address may set of the connection of the queue: asyncpg does not know the rest of
libpq's parameters, and would send it to the server."""


class _Connection(Protocol):
    async def close(self, *, timeout: float) -> None: ...


_open = cast(
    "Callable[..., Awaitable[_Connection]]",
    asyncpg.connect,  # pyright: ignore[reportUnknownMemberType]  # it has no type hints
)


class PgQueuer(JobQueue[Queries]):
    """The queue of the package `pgqueuer`, over asyncpg.

    Its driver for psycopg waits for notifications for a second while it holds the connection, so
    that each statement, and with it each chunk, takes a second.
    """

    @asynccontextmanager
    async def connect(self, dsn: str) -> AsyncGenerator[Queries]:
        connection = await _open(asyncpg_address(dsn), timeout=CONNECT_TIMEOUT)
        try:
            driver = AsyncpgDriver(cast("asyncpg.Connection", connection))
            queries = Queries(driver)
            await driver.execute("SELECT pg_advisory_lock($1)", LOCK)
            try:
                if not await queries.schema_is_installed():
                    await queries.install()
            finally:
                await driver.execute("SELECT pg_advisory_unlock($1)", LOCK)
            yield queries
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT)

    async def enqueue(self, queue: Queries, chunks: Sequence[Chunk]) -> None:
        count = len(chunks)
        payloads: list[bytes | None] = [msgspec.json.encode(chunk) for chunk in chunks]
        await queue.enqueue([TASK_NAME] * count, payloads, [0] * count)

    async def work(self, queue: Queries, worker: ChunkWorker, heartbeat: float) -> None:
        manager = QueueManager(queue)

        @manager.entrypoint(TASK_NAME, on_failure="hold")
        async def run(job: Job) -> None:
            try:
                await worker.run(msgspec.json.decode(job.payload or b"", type=Chunk))
            except RetryChunkLater as later:
                raise RetryRequested(timedelta(seconds=later.seconds), str(later)) from later

        async def ending() -> None:
            await worker.stopped.wait()
            manager.shutdown.set()

        end = asyncio.create_task(ending())
        try:
            # Continuous mode: draining would end before a dead worker's chunks come back.
            await manager.run(
                timedelta(seconds=heartbeat / 2),
                batch_size=CHUNKS_IN_FLIGHT // 2,
                max_concurrent_tasks=CHUNKS_IN_FLIGHT,
                heartbeat_timeout=timedelta(seconds=heartbeat),
                shutdown_on_listener_failure=True,
            )
        finally:
            end.cancel()


def asyncpg_address(dsn: str) -> str:
    """An address of libpq as one that asyncpg understands."""
    given = {k: str(v) for k, v in conninfo_to_dict(dsn).items() if k in ASYNCPG_PARAMETERS}
    return f"postgresql://?{urlencode(given)}"


adapter = PgQueuer(
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that breaks between two messages of a statement
    FailingListenerError,
    OSError,
    TimeoutError,
)
submit = adapter.submit
worker = adapter.worker
