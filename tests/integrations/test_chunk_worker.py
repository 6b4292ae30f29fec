"""What a worker does with a chunk: when it comes back to it, and when it stands still."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import anyio
import pytest

from lix_async import AsyncLix
from lix_async.bulk import Entry, SqliteStore
from lix_async.bulk.lookup import DoubtPolicy, LookupExecutor
from lix_async.core.errors import BulkError, ConfigurationError
from lix_async.core.retry import RetryPolicy
from lix_async.integrations import chunk_worker as chunks
from lix_async.integrations.chunk_worker import Chunk, ChunkWorker, RetryChunkLater
from lix_async.ledger.rule import Status
from lix_async.limiters.base import Limiter
from lix_async.sandbox import Sandbox, running

pytestmark = pytest.mark.anyio
ONCE = RetryPolicy(attempts=1)
JOB = Chunk("people.get", ["https://www.linkedin.com/in/a", "https://www.linkedin.com/in/b"])


@asynccontextmanager
async def at_work(
    path: Path,
    *,
    stop: anyio.Event | None = None,
    doubts: DoubtPolicy = "hold",
    rate_limit: Limiter | None = None,
    **settings: object,
) -> AsyncGenerator[tuple[ChunkWorker, SqliteStore, Sandbox]]:
    sandbox = Sandbox(people=20, organisations=5, rate=None, **settings)  # type: ignore[arg-type]
    with running(sandbox) as url:
        async with (
            AsyncLix("demo", base_url=url, rate_limit=rate_limit, retry=ONCE) as lix,
            SqliteStore(path / "l.db") as store,
        ):
            yield ChunkWorker(store, lix, 1, doubts, stop=stop), store, sandbox


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


async def test_lookups_that_fail_are_come_back_to_less_and_less_and_for_ever(
    tmp_path: Path,
) -> None:
    faults = {"person.get": ["unavailable"] * 24}
    async with at_work(tmp_path, faults=faults) as (worker, store, _):
        for pause in (60.0, 120.0, 240.0, 480.0, *[900.0] * 8):
            with pytest.raises(RetryChunkLater) as back:
                await worker.run(JOB)
            assert back.value.seconds == pause
        assert (await store.counts()).pending == 2
        await worker.run(JOB)
        assert (await store.counts()).done == 2


@pytest.mark.parametrize(
    ("fault", "status"), [("not_found", "refused"), ("broken_json", "kept"), ("reset", "in_doubt")]
)
async def test_a_chunk_is_finished_when_each_lookup_has_its_final_status(
    tmp_path: Path, fault: str, status: Status
) -> None:
    async with at_work(tmp_path, faults={"person.get": [fault]}) as (worker, store, _):
        job = Chunk(JOB.method, [*JOB.inputs, {"no": "such parameter"}])
        await worker.run(job)
        counts = await store.counts()
        assert (counts.of(status), counts.done) == (1, 1)


@pytest.mark.parametrize("decided", ["hold", "retry"])
async def test_a_function_decides_whether_a_doubt_is_final(
    tmp_path: Path, decided: Literal["hold", "retry"]
) -> None:
    faults = {"person.get": ["reset"] * 2}
    decisions: list[Entry] = []

    def decide(entry: Entry) -> Literal["hold", "retry"]:
        decisions.append(entry)
        return decided

    async with at_work(tmp_path, doubts=decide, faults=faults) as (worker, store, sandbox):
        if decided == "hold":
            await worker.run(JOB)
            assert (await store.counts()).in_doubt == 2
        else:
            with pytest.raises(RetryChunkLater) as back:
                await worker.run(JOB)
            assert back.value.seconds == chunks.RETRY_DELAY
            await worker.run(JOB)
            assert (await store.counts()).done == 2
        assert decisions
        assert len(sandbox.ledger) == (0 if decided == "hold" else 2)


async def test_a_lookup_in_doubt_that_is_to_be_bought_again_is_come_back_to(tmp_path: Path) -> None:
    faults = {"person.get": ["reset"] * 2}
    async with at_work(tmp_path, doubts="retry", faults=faults) as (worker, store, _):
        with pytest.raises(RetryChunkLater):
            await worker.run(JOB)
        await worker.run(JOB)
        assert (await store.counts()).done == 2


async def test_queued_lookups_are_come_back_to_when_they_are_due(tmp_path: Path) -> None:
    async with at_work(tmp_path, faults={"person.get": ["queued"]}) as (worker, store, _):
        with pytest.raises(RetryChunkLater) as back:
            await worker.run(JOB)
        assert 170 < back.value.seconds <= 180
        counts = await store.counts()
        assert (counts.done, counts.queued) == (1, 1)


class Unreachable(Limiter):
    """A limiter whose store is away for a while; then it gives each permit at once."""

    away = True

    async def acquire(self) -> None:
        if self.away:
            raise ConfigurationError("NOREPLICAS Not enough good replicas to write")

    async def hold(self, seconds: float) -> None:
        """No answer asks for it."""


async def test_a_limiter_that_is_away_finishes_nothing(tmp_path: Path) -> None:
    limiter = Unreachable()
    async with at_work(tmp_path, rate_limit=limiter) as (worker, store, sandbox):
        with pytest.raises(RetryChunkLater) as back:
            await worker.run(JOB)
        assert (back.value.seconds, sandbox.requests) == (chunks.OUTAGE_DELAY, [])
        limiter.away = False
        await worker.run(JOB)
        assert (await store.counts()).done == 2


async def test_an_unexpected_error_is_named_and_finishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise OSError("too many open files")

    async with at_work(tmp_path) as (worker, _, _):
        monkeypatch.setattr(LookupExecutor, "run", broken)
        with pytest.raises(RetryChunkLater, match="too many open files"):
            await worker.run(JOB)
        assert worker.error is None


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
