"""What a worker does with a chunk: when it comes back to it, and when it stands still."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel
import pytest

from lix_async import AsyncLix
from lix_async.bulk import Entry, Outcome, SqliteStore
from lix_async.core.errors import BulkError, ConfigurationError
from lix_async.core.retry import RetryPolicy
from lix_async.engine.doubts import DoubtPolicy
from lix_async.engine.lookup import LookupExecutor
from lix_async.integrations import chunk_worker as chunks
from lix_async.integrations.chunk_worker import Chunk, ChunkWorker, RetryChunkLater
from lix_async.integrations.job_queue import encode_inputs
from lix_async.ledger.records import LookupSpec, Send
from lix_async.ledger.rule import Status
from lix_async.limiters.base import Limiter
from lix_async.sandbox import Sandbox, running
from lix_async.testing import VirtualClock, memory_client

pytestmark = pytest.mark.anyio
ONCE = RetryPolicy(attempts=1)
JOB = Chunk("people.get", ["https://www.linkedin.com/in/a", "https://www.linkedin.com/in/b"])


def links(numbers: Iterable[int]) -> list[str]:
    return [f"https://www.linkedin.com/in/person-{number}" for number in numbers]


@asynccontextmanager
async def at_work(
    path: Path,
    *,
    stop: anyio.Event | None = None,
    doubts: DoubtPolicy = "hold",
    rate_limit: Limiter | None = None,
    concurrency: int = 1,
    **settings: object,
) -> AsyncGenerator[tuple[ChunkWorker, SqliteStore, Sandbox]]:
    sandbox = Sandbox(people=20, organisations=5, rate=None, **settings)  # type: ignore[arg-type]
    with running(sandbox) as url:
        async with (
            AsyncLix("demo", base_url=url, rate_limit=rate_limit, retry=ONCE) as lix,
            SqliteStore(path / "l.db") as store,
        ):
            yield ChunkWorker(store, lix, concurrency, doubts, stop=stop), store, sandbox


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


async def queued(store: SqliteStore, *given: object) -> Chunk:
    """A chunk of inputs that the ledger keeps."""
    run = await store.begin_run("", JOB.method, "", None)
    await store.add_inputs(run, list(encode_inputs(given)))  # type: ignore[arg-type]
    return Chunk(JOB.method, run=run, first=1, last=len(given))


async def test_a_chunk_is_a_range_of_inputs_that_the_ledger_keeps(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (worker, store, sandbox):
        a, b = JOB.inputs
        capital = "https://www.linkedin.com/in/A/"
        job = await queued(store, a, capital, {"no": "such parameter"}, "\ud800", a, b)
        for _ in range(2):
            await worker.run(job)
            rows = await store.inputs(job.run, 1, 6)
            assert [row.row for row in rows] == [1, 2, 3, 4, 5, 6]
            assert [row.state for row in rows] == ["", "", "invalid", "invalid", "", ""]
            first, other = rows[0].lookup, rows[5].lookup
            assert {first, other} == {1, 2}
            assert [row.lookup for row in rows] == [first, first, None, None, first, other]
            assert [json.loads(row.given or b"") for row in rows] == [
                *(a, capital, {"no": "such parameter"}, "\ud800", a, b)
            ]
            assert all(row.note for row in rows if row.state)
        assert len(sandbox.ledger) == 2
        assert (await store.counts()).done == 2


async def test_inputs_that_the_ledger_does_not_have_finish_nothing(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (worker, store, sandbox):
        job = await queued(store, *JOB.inputs)
        with pytest.raises(RetryChunkLater, match="does not have the inputs"):
            await worker.run(Chunk(JOB.method, run=job.run, first=1, last=3))
        assert not sandbox.requests


async def test_the_ledger_and_not_an_outcome_says_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(*_: object, **__: object) -> Outcome[object]:
        return Outcome(input="", state="done")

    async with at_work(tmp_path) as (worker, store, _):
        monkeypatch.setattr(LookupExecutor, "run", said)
        with pytest.raises(RetryChunkLater):
            await worker.run(await queued(store, *JOB.inputs))
        assert (await store.counts()).pending == 2


async def test_what_another_worker_has_sent_is_come_back_to_soon(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (worker, store, _), SqliteStore(tmp_path / "l.db") as other:
        job = await queued(store, *JOB.inputs)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LookupExecutor, "run", anyio.lowlevel.checkpoint)
            with pytest.raises(RetryChunkLater):
                await worker.run(job)
        (spec,) = [LookupSpec(one.key, one.endpoint, one.given) async for one in other.entries()][
            :1
        ]
        sent = await other.announce(spec, Send(0, 0, 1, other.now))
        assert sent.result.applied
        with pytest.raises(RetryChunkLater) as back:
            await worker.run(job)
        assert back.value.seconds == 1.0
        assert (await store.counts()).done == 1


async def test_chunks_share_the_calls_in_flight(tmp_path: Path) -> None:
    calls = flying = most = 0
    full = anyio.Event()

    class Counting(Limiter):
        """Lets no lookup go before three are in flight; the first two calls read balances."""

        async def acquire(self) -> None:
            nonlocal calls, flying, most
            calls += 1
            if calls <= 2:
                return
            flying += 1
            most = max(most, flying)
            if flying == 3:
                full.set()
            await full.wait()
            flying -= 1

        async def hold(self, seconds: float) -> None:
            """No answer asks for it."""

    async with at_work(tmp_path, rate_limit=Counting(), concurrency=3) as (worker, store, _):
        jobs = [await queued(store, *links(range(n, n + 5))) for n in range(0, 20, 5)]
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for job in jobs:
                    tasks.start_soon(worker.run, job)
        assert (await store.counts()).done == 20
    assert most == 3


class SteppedClock(VirtualClock):
    """A clock whose wall clock is set back."""

    step = 0.0

    def wall(self) -> float:
        return super().wall() + self.step


async def test_setting_the_wall_clock_back_lengthens_no_wait(tmp_path: Path) -> None:
    clock = SteppedClock()
    sandbox = Sandbox(
        people=20,
        organisations=5,
        rate=None,
        faults={"person.get": ["queued"]},
        clock=clock.now,
    )
    async with (
        clock,
        memory_client(sandbox, clock=clock, retry=ONCE) as lix,
        SqliteStore(tmp_path / "l.db") as store,
    ):
        worker = ChunkWorker(store, lix, 1, "hold")
        job = await queued(store, *JOB.inputs)
        with pytest.raises(RetryChunkLater) as back:
            await worker.run(job)
        clock.step = -3600.0
        with pytest.raises(RetryChunkLater) as again:
            await worker.run(job)
        assert again.value.seconds <= back.value.seconds
        asked = len(sandbox.requests)
        clock.advance(back.value.seconds)
        with contextlib.suppress(RetryChunkLater):
            await worker.run(job)
        assert len(sandbox.requests) == asked + 1


async def test_an_outage_is_tried_the_rarer_the_longer_it_lasts(tmp_path: Path) -> None:
    limiter = Unreachable()
    async with (
        VirtualClock() as clock,
        memory_client(None, clock=clock, retry=ONCE, rate_limit=limiter) as lix,
        SqliteStore(tmp_path / "l.db") as store,
    ):
        worker = ChunkWorker(store, lix, 1, "hold")
        pauses: list[float] = []
        for _ in range(12):
            with pytest.raises(RetryChunkLater) as back:
                await worker.run(JOB)
            pauses.append(back.value.seconds)
            clock.advance(back.value.seconds)
        assert pauses == sorted(pauses)
        assert (pauses[0], pauses[-1]) == (5.0, 300.0)


async def test_readings_of_the_balances_are_kept(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (worker, store, _):
        await worker.run(Chunk("people.get", links(range(2))))
        rows = await store.statement(
            lambda tables: tables.database.execute("SELECT DISTINCT account FROM reading"),
            writes=False,
        )
    assert len(rows) == 1


async def test_a_person_costs_one_lookup_under_all_forms(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (worker, store, sandbox):
        people = [sandbox.world.person(number) for number in range(4)]
        run = await store.begin_run("", "people.get", "", None)
        forms = [link for one in people for link in (one.link, one.sales_link)]
        await store.add_inputs(run, list(encode_inputs(forms)))
        await worker.run(Chunk("people.get", [], store.schema, run, 1, 8))
        assert len(sandbox.ledger) == 4
        counts = await store.counts()
        assert (counts.done, counts.pending) == (4, 0)
        rows = await store.inputs(run, 1, 8)
        assert [json.loads(row.given or b"") for row in rows] == forms
        assert [one.lookup == other.lookup for one, other in itertools.pairwise(rows)] == [
            *(True, False, True, False, True, False, True)
        ]
        await worker.run(Chunk("people.get", [one.sales_link for one in people]))
        assert len(sandbox.ledger) == 4


@pytest.mark.parametrize("max_age", [0, timedelta(days=30)])
async def test_old_answers_are_bought_again_once(
    tmp_path: Path, max_age: float | timedelta
) -> None:
    async with at_work(tmp_path) as (worker, store, sandbox):
        link = sandbox.world.person(1).link
        job = Chunk("people.get", [link])
        await worker.run(job)
        await store.statement(lambda tables: tables.database.change("UPDATE answer SET at = 1"))
        again = ChunkWorker(store, worker._client.with_options(max_age=max_age), 1, "hold")
        for _ in range(3):
            await again.run(job)
        assert len(sandbox.ledger) == 2
        await worker.run(job)
        assert len(sandbox.ledger) == 2
