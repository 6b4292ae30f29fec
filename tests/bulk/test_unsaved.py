"""Answers that were paid and that a failing ledger cannot save: all of them reach the caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_provider import THING, SampleClient, Thing, ThingParams, reply

from lix_async import bulk
from lix_async.bulk import SqliteStore
from lix_async.core.errors import AuthenticationError, BulkError, DecodeError, LixError, combined
from lix_async.core.wire import HttpRequest
from lix_async.integrations.chunk_worker import Chunk, ChunkWorker, RetryChunkLater
from lix_async.ledger.records import EventResult, LedgerEvent, Receive
from lix_async.ledger.store import Store

pytestmark = pytest.mark.anyio
INPUTS = [str(number) for number in range(12)]


class Failing(SqliteStore):
    """A disk that takes so many answers and no more."""

    left = 0

    async def apply(self, *events: LedgerEvent) -> list[EventResult]:
        if any(isinstance(event, Receive) for event in events):
            self.left -= 1
            if self.left < 0:
                raise BulkError("the ledger cannot be written: disk full")
        return await super().apply(*events)


class Vendor(SampleClient):
    """Answers once so many requests are on their way, so that all of them are paid for."""

    def __init__(self, together: int) -> None:
        super().__init__(self.answered)
        self.together = together
        self.waiting = 0
        self.go = anyio.Event()

    async def answered(self, outgoing: HttpRequest) -> Any:
        self.waiting += 1
        if self.waiting >= self.together:
            self.go.set()
        await self.go.wait()
        return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1]})

    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value


async def by_run(store: Store, vendor: Vendor, together: int) -> None:
    async with bulk.Run(store, vendor.get, INPUTS, concurrency=together) as run:
        async for _ in run:
            pass


async def by_chunk(store: Store, vendor: Vendor, together: int) -> None:
    await bulk.chunk(store, vendor.get, INPUTS, concurrency=together)


async def by_worker(store: Store, vendor: Vendor, together: int) -> None:
    worker = ChunkWorker(store, vendor, together, "hold")
    try:
        await worker.run(Chunk("get", list(INPUTS)))
    except RetryChunkLater:
        pass
    finally:
        if worker.error is not None:
            raise worker.error


@pytest.mark.parametrize("way", [by_run, by_chunk, by_worker])
@pytest.mark.parametrize(("together", "saved"), [(1, 0), (4, 0), (4, 2), (5, 1), (12, 3)])
async def test_every_paid_answer_is_in_the_ledger_or_in_the_error(
    tmp_path: Path, way: Any, together: int, saved: int
) -> None:
    vendor = Vendor(together)
    store = Failing(tmp_path / "l.db")
    store.left = saved
    async with store:
        with pytest.raises(BulkError, match="disk full") as caught:
            await way(store, vendor, together)
    unsaved = [outcome for outcome in caught.value.unsaved if isinstance(outcome, bulk.Outcome)]
    assert len({outcome.key for outcome in unsaved}) == len(caught.value.unsaved)
    assert all(outcome.value for outcome in unsaved)
    async with SqliteStore(tmp_path / "l.db") as again:
        done = [entry async for entry in again.entries("done")]
    assert len(unsaved) + len(done) == len(vendor.script.sent)


@pytest.mark.parametrize("way", [by_run, by_chunk, by_worker])
async def test_a_cancelled_caller_gets_what_could_not_be_saved(tmp_path: Path, way: Any) -> None:
    vendor = Vendor(5)  # the four requests stay on their way until the caller is cancelled

    class Late(Failing):
        async def apply(self, *events: LedgerEvent) -> list[EventResult]:
            try:
                return await super().apply(*events)
            finally:
                failed.set()

    failed = anyio.Event()
    caught: list[LixError] = []
    async with Late(tmp_path / "l.db") as store, anyio.create_task_group() as tasks:

        async def work() -> None:
            try:
                await way(store, vendor, 4)
            except BulkError as error:
                caught.append(error)

        tasks.start_soon(work)
        while len(vendor.script.sent) < 4:
            await anyio.lowlevel.checkpoint()
        if way is by_worker:  # its calls are cancelled with it: one of them has failed before
            vendor.go.set()
            await failed.wait()
        tasks.cancel_scope.cancel()
        vendor.go.set()
    (error,) = caught
    assert isinstance(error, BulkError) and error.unsaved
    if way is not by_worker:
        assert len(error.unsaved) == 4


errors = st.builds(AuthenticationError, st.just("")) | st.builds(
    lambda paid: _bulk_error(tuple(paid)), st.lists(st.integers(), max_size=3)
)


def _bulk_error(paid: tuple[object, ...]) -> BulkError:
    error = BulkError("")
    error.unsaved = paid
    return error


@given(st.lists(errors, min_size=1, max_size=6))
def test_of_several_errors_the_first_is_raised_with_what_all_have(found: list[LixError]) -> None:
    paid = [one for error in found if isinstance(error, BulkError) for one in error.unsaved]
    raised: LixError | None = None
    first_with = next((e for e in found if isinstance(e, BulkError) and e.unsaved), None)
    for error in found:
        raised = combined(raised, error)
        assert combined(raised, raised) is raised
    assert raised is found[0] or raised is first_with
    assert sorted(getattr(raised, "unsaved", ()), key=str) == sorted(paid, key=str)
    assert str(raised).endswith("; what was received is in .unsaved") == bool(paid)


@pytest.mark.parametrize("way", [by_run, by_chunk, by_worker])
async def test_a_paid_answer_that_can_be_neither_saved_nor_read_is_in_the_error(
    tmp_path: Path, way: Any
) -> None:
    class Unreadable(Vendor):
        async def answered(self, outgoing: HttpRequest) -> Any:
            return reply(200, b'{"id": {}}')

    async with Failing(tmp_path / "l.db") as store:
        with pytest.raises(BulkError, match="disk full") as caught:
            await way(store, Unreadable(1), 1)
    [outcome] = caught.value.unsaved
    assert isinstance(outcome, bulk.Outcome)
    assert isinstance(outcome.error, DecodeError)
    assert (outcome.state, outcome.value, outcome.body) == ("in_doubt", None, b'{"id": {}}')
