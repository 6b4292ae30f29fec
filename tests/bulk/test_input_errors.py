"""Whatever an iterator of inputs raises: those before it are handed out, then it is raised."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sample_provider import THING, SampleClient, Thing, ThingParams, reply
from waterfall.stub import ADA, Lookup

from lix_async import bulk
from lix_async.concurrency.worker_pool import CallScope, InputStream, WorkerPool
from lix_async.core.wire import HttpRequest
from lix_async.waterfall import Waterfall

pytestmark = pytest.mark.anyio


class Own(BaseException):
    """An exception that is no `Exception`."""


async def answered(outgoing: HttpRequest) -> Any:
    await anyio.lowlevel.checkpoint()
    return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1]})


class Vendor(SampleClient):
    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value


def by_run(path: Path, inputs: Any) -> Any:
    return bulk.Run(path / "l.db", Vendor(answered).get, inputs, concurrency=2)


def by_map(path: Path, inputs: Any) -> Any:
    return bulk.map(Vendor(answered).get, inputs, concurrency=2)


def in_order(path: Path, inputs: Any) -> Any:
    return bulk.map(Vendor(answered).get, inputs, concurrency=2, ordered=True)


def by_waterfall(path: Path, inputs: Any) -> Any:
    step = Lookup("one.look", {"full_name": "Ada"}).step
    return Waterfall([step], want=("full_name",), concurrency=2).run(inputs)


WAYS = [by_run, by_map, in_order, by_waterfall]
KINDS = [RuntimeError, Own, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]


def fails(count: int, kind: type[BaseException]) -> Iterator[str]:
    for number in range(count):
        yield f"{ADA}-{number}"
    raise kind


async def fails_late(count: int, kind: type[BaseException]) -> AsyncIterator[str]:
    for number in range(count):
        yield f"{ADA}-{number}"
        await anyio.lowlevel.checkpoint()
    raise kind


async def waits_for_a_cancelled_task(count: int, _: object = None) -> AsyncIterator[str]:
    for number in range(count):
        yield f"{ADA}-{number}"
    upstream = asyncio.ensure_future(asyncio.sleep(3600))
    upstream.cancel()
    await upstream


async def drained(outcomes: Any) -> tuple[int, BaseException | None]:
    """The number of outcomes, and what ended them."""
    count = 0
    try:
        async for _ in outcomes:
            count += 1
    except BaseException as error:  # whatever it is
        with pytest.raises(StopAsyncIteration):  # it is raised once
            await anext(outcomes)
        return count, error
    return count, None


def expected(kind: type[BaseException]) -> type[BaseException]:
    wrapped = kind is GeneratorExit or issubclass(kind, anyio.get_cancelled_exc_class())
    return RuntimeError if wrapped else kind


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("source", [fails, fails_late])
async def test_inputs_before_an_error_are_handed_out(
    tmp_path: Path, way: Any, kind: type[BaseException], count: int, source: Callable[..., Any]
) -> None:
    seen, error = await drained(way(tmp_path, source(count, kind)))
    assert (seen, type(error)) == (count, expected(kind))
    if error is not None and type(error) is not kind:
        assert type(error.__cause__) is kind


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [0, 3])
async def test_a_task_that_was_cancelled_upstream_cancels_nothing_else(
    tmp_path: Path, way: Any, count: int
) -> None:
    seen, error = await drained(way(tmp_path, waits_for_a_cancelled_task(count)))
    assert (seen, type(error)) == (count, RuntimeError)
    task = asyncio.current_task()
    assert task is not None and not task.cancelling()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_chunk_raises_what_its_inputs_raise(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    vendor = Vendor(answered)
    async with bulk.SqliteStore(tmp_path / "l.db") as store:
        with pytest.raises(expected(kind)):
            await bulk.chunk(store, vendor.get, fails(3, kind))
        done = [entry async for entry in store.entries("done")]
    assert len(done) == len(vendor.script.sent) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_a_preview_raises_what_its_inputs_raise(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    with pytest.raises(expected(kind)):
        await bulk.preview(tmp_path / "l.db", Vendor(answered).get, fails_late(3, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ordered", [False, True])
async def test_work_that_raises_anything_ends_no_worker_in_silence(
    kind: type[BaseException], ordered: bool
) -> None:
    async def work(number: int, scope: CallScope) -> int:
        await anyio.lowlevel.checkpoint()
        if number == 2:
            raise kind
        return number

    pool: WorkerPool[int, int] = WorkerPool(work, InputStream(range(9)), 3, ordered=ordered)
    seen, error = await drained(pool)
    assert seen >= 2
    assert type(error) is expected(kind)


async def test_a_cancelled_reader_is_cancelled() -> None:
    async def never() -> AsyncIterator[int]:
        await anyio.sleep_forever()
        yield 0

    stream = InputStream(never())
    with anyio.CancelScope() as scope:
        scope.cancel()
        await stream.next()
    assert scope.cancelled_caught
    stream.raise_failure()  # there is none
