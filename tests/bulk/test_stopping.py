"""A run that is left: what was never charged is pending, what was charged is counted."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sample_provider import (
    THING,
    UNREACHED,
    SampleClient,
    Skipping,
    Thing,
    ThingParams,
    refused,
    reply,
)

from lix_async import bulk
from lix_async.concurrency.thread_work import wait_until_idle
from lix_async.core.errors import ConfigurationError
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import TransportFailure
from lix_async.limiters.base import Limiter

from .conftest import Open
from .test_run import drained

pytestmark = pytest.mark.anyio


class Vendor(SampleClient):
    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value


class Stopping(Skipping):
    """A clock whose sleeps never end, so that a run can be left in the middle of one."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = anyio.Event()

    def between(self, low: float, high: float) -> float:
        return high

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.asleep.set()
            await anyio.sleep_forever()
        await super().sleep(seconds)


@pytest.mark.parametrize(
    "answer", [refused(503, "api_error"), refused(429, "rate_limit"), UNREACHED]
)
async def test_between_two_attempts_nothing_is_in_doubt(
    ledger: Open, answer: HttpResponse | TransportFailure
) -> None:
    clock = Stopping()
    vendor = Vendor(answer, clock=clock)
    run = bulk.Run(ledger(), vendor.get, ["a"])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drained, run)
        await clock.asleep.wait()
        await run.aclose(0.0)
        tasks.cancel_scope.cancel()
    store = ledger()
    await store.open_read_only()
    counts = await store.counts()
    await store.close()
    assert (counts.pending, counts.in_doubt) == (1, 0)
    assert len(vendor.script.sent) == 1


class OnePermit(Limiter):
    """A limiter that gives one permit; the others wait for the next day."""

    def __init__(self) -> None:
        self.asked = self.left = 0

    async def acquire(self) -> None:
        self.asked += 1
        if self.asked > 1:
            try:
                await anyio.sleep_forever()
            finally:
                self.left += 1

    async def hold(self, seconds: float) -> None:
        pass


async def test_a_parked_run_waits_for_the_answer_under_way_alone(ledger: Open) -> None:
    asked, answered = anyio.Event(), anyio.Event()

    async def slow(outgoing: HttpRequest) -> HttpResponse:
        asked.set()
        await answered.wait()
        return thing(outgoing)

    limiter = OnePermit()
    vendor = Vendor(slow, rate_limit=limiter)
    run = bulk.Run(ledger(), vendor.get, map(str, range(50)), concurrency=4)
    found: list[bulk.Outcome[Thing]] = []

    async def consume() -> None:
        found.extend(await drained(run))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await asked.wait()
        await anyio.wait_all_tasks_blocked()
        assert limiter.asked == 4
        run.park("maintenance")
        await anyio.wait_all_tasks_blocked()
        assert limiter.left == 3, "those that only waited are released at once"
        answered.set()
    assert [outcome.state for outcome in found] == ["done"]
    assert run.progress().in_flight == 0
    store = ledger()
    await store.open_read_only()
    counts = await store.counts()
    await store.close()
    assert (counts.done, counts.in_doubt, counts.sent) == (1, 0, 0)
    assert len(vendor.script.sent) == 1
    (known, other) = await drained(bulk.Run(ledger(), Vendor(thing).get, ["0", "1"]))
    assert (known.cached, other.cached) == (True, False)


async def test_what_came_while_a_run_was_left_is_on_its_bill(ledger: Open) -> None:
    vendor = Vendor(thing)
    async with bulk.Run(ledger(), vendor.get, map(str, range(50)), concurrency=8) as run:
        async for _ in run:
            break
    assert run.report().progress.credits == 2 * len(vendor.script.sent)


def thing(outgoing: HttpRequest) -> HttpResponse:
    return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1]})


async def tasks_left(before: int) -> int:
    """Tasks that are there beside those of before, once all that can end have ended."""
    gc.collect()
    await wait_until_idle()
    return len(anyio.get_running_tasks()) - before


async def test_no_work_continues_after_the_loop_was_left(ledger: Open) -> None:
    vendor = Vendor(thing)
    before = len(anyio.get_running_tasks())
    for number in range(3):
        async for _ in bulk.map(vendor.get, map(str, range(1000))):
            break
        names = (f"{number}-{n}" for n in range(1000))
        async for _ in bulk.Run(ledger(), vendor.get, names):
            break
    assert await tasks_left(before) == 0
    store = ledger()
    await store.open_read_only()
    counts = await store.counts()
    await store.close()
    assert counts.done > 3, "what was under way was kept"
    assert (counts.in_doubt, counts.sent) == (0, 0)
    assert counts.credits == 2 * counts.done


async def test_a_store_that_is_open_already_stays_so(ledger: Open) -> None:
    vendor = Vendor(thing)
    store = ledger()
    async with bulk.Run(store, vendor.get, map(str, range(9))) as first:
        got = [await anext(first)]
        (other,) = await drained(bulk.Run(store, vendor.get, ["x"]))
        assert other.state == "done"
        got += [outcome async for outcome in first]
    assert sorted(outcome.state for outcome in got) == ["done"] * 9


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": 1.5},
        {"concurrency": 0},
        {"queued_for": "x"},
        {"queued_for": -1},
        {"queued_for": float("nan")},
        {"recheck_after": "a"},
        {"account": 1},
    ],
)
async def test_wrong_settings_are_named_at_once(ledger: Open, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        bulk.Run(ledger(), Vendor(thing).get, ["a"], **wrong)


@pytest.mark.parametrize("kind", ["mysql", "postgresql+asyncpg"])
async def test_an_address_of_another_kind_is_no_file(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="invalid store address") as caught:
        bulk.Run(f"{kind}://user:hunter2@host/db", Vendor(thing).get, ["a"])
    assert "hunter2" not in str(caught.value)


async def test_a_run_whose_block_is_cancelled_leaves_no_task(ledger: Open) -> None:
    clock = Stopping()
    vendor = Vendor(refused(503, "api_error"), clock=clock)
    before = len(anyio.get_running_tasks())
    with anyio.CancelScope() as scope:
        async with bulk.Run(ledger(), vendor.get, ["a"]) as run:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anext, run)
                await clock.asleep.wait()
                scope.cancel()
    assert await tasks_left(before) == 0
    store = ledger()
    await store.open_read_only()
    assert (await store.counts()).in_doubt == 0
    await store.close()


def test_a_worker_that_is_cancelled_as_it_is_woken_lets_another_one_look(tmp_path: Path) -> None:
    async def main() -> None:
        running = bulk.Run(tmp_path / "x.db", Vendor(reply()).get, [])._running
        first, second, third = [asyncio.create_task(running._wait_to_take()) for _ in range(3)]
        await anyio.lowlevel.checkpoint()
        second.cancel()  # it was not woken yet
        running._wake_takers(1)
        first.cancel()
        await third
        assert first.cancelled() and second.cancelled()
        assert not running._takers

    asyncio.run(main())
