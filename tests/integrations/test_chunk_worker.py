"""What a worker does with a chunk: when it comes back to it, and when it stands still."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from lix_async import AsyncLix
from lix_async.bulk.stores.sqlite import SqliteStore
from lix_async.core.errors import BulkError, ConfigurationError
from lix_async.core.retry import RetryPolicy
from lix_async.integrations import chunk_worker as chunks
from lix_async.integrations.chunk_worker import (
    Chunk,
    ChunkWorker,
    RetryChunkLater,
    queue_errors_as_bulk_errors,
)
from lix_async.sandbox import Sandbox, running

pytestmark = pytest.mark.anyio
JOB = Chunk("people.get", ["https://www.linkedin.com/in/a", "https://www.linkedin.com/in/b"])


@asynccontextmanager
async def at_work(
    path: Path, *, stop: anyio.Event | None = None, **settings: object
) -> AsyncGenerator[tuple[ChunkWorker, SqliteStore, Sandbox]]:
    sandbox = Sandbox(people=20, organisations=5, rate=None, **settings)  # type: ignore[arg-type]
    with running(sandbox) as url:
        async with (
            AsyncLix("demo", base_url=url, rate_limit=None, retry=RetryPolicy(attempts=1)) as lix,
            SqliteStore(path / "l.db") as store,
        ):
            yield ChunkWorker(store, lix, 1, "hold", stop=stop), store, sandbox


async def test_a_parked_ledger_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "PARK_CHECK_INTERVAL", 0.01)
    async with at_work(tmp_path) as (worker, store, sandbox):
        await store.park("lunch")
        with pytest.raises(RetryChunkLater):
            await worker.run(JOB)
        assert not sandbox.requests
        await store.park("")
        await worker.run(JOB)
        assert (await store.counts()).done == 2


async def test_a_stop_ends_standing_still_and_puts_chunks_back(tmp_path: Path) -> None:
    stop = anyio.Event()
    async with at_work(tmp_path, stop=stop) as (worker, store, sandbox):
        await store.park("lunch")
        stop.set()
        with pytest.raises(RetryChunkLater) as back:
            await worker.run(JOB)
        assert (back.value.seconds, sandbox.requests) == (0.0, [])


async def test_lookups_that_fail_are_come_back_to_less_and_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MAX_CHUNK_RETRIES", 2)
    faults = {"person.get": ["unavailable"] * 50}
    async with at_work(tmp_path, faults=faults) as (worker, store, _):
        for pause in (60.0, 120.0):
            with pytest.raises(RetryChunkLater) as back:
                await worker.run(JOB)
            assert back.value.seconds == pause
        await worker.run(JOB)
        assert (await store.counts()).pending == 2


async def test_a_ledger_that_fails_ends_the_worker(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (worker, store, _):
        await store.close()
        with pytest.raises(RetryChunkLater):
            await worker.run(JOB)
        assert isinstance(worker.error, BulkError)
        with pytest.raises(RetryChunkLater) as back:
            await worker.run(JOB)
        assert (worker.stopped.is_set(), back.value.seconds) == (True, chunks.RETRY_DELAY)
        with pytest.raises(ConfigurationError, match="unknown method"):
            await worker.run(Chunk("nothing.there", []))


def test_errors_of_a_queue_are_reported_without_its_address() -> None:
    with pytest.raises(BulkError, match=r"queue in PostgreSQL cannot be used: gone$"):
        with queue_errors_as_bulk_errors(OSError):
            raise OSError("gone\nhost=secret")
    with queue_errors_as_bulk_errors(OSError):
        pass
