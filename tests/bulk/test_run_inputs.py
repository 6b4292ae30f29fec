"""Runs whose inputs lead to single calls, and what a ledger has without anything being sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sample_provider import LOST, Skipping, refused

from lix_async.core.errors import BudgetError, InDoubtError, LixError
from lix_async.engine.credits import ClosedBudget
from lix_async.engine.run_inputs import CALLS, RunInputs
from lix_async.ledger import Ledger
from lix_async.ledger.store import Store

from .conftest import Open
from .test_cache import ONCE, Server, Vendor, gathered, thing

pytestmark = pytest.mark.anyio


def known_only(vendor: Vendor) -> Vendor:
    """A view that answers what the ledger has, and sends nothing."""
    return vendor.with_engine(vendor.engine.with_budget(ClosedBudget()), cached=True)


async def run_of(vendor: Vendor) -> RunInputs:
    store = vendor.cache.store
    return RunInputs(store, await store.begin_run("a file", "several calls", "", None))


async def places(store: Store, run: int) -> list[tuple[int, int | None]]:
    """The inputs of a run: the position of each, and its lookup."""
    await store.flush()
    found = await store.inputs(run, 1, 100 * CALLS)
    return [((one.row - 1) // CALLS + 1, one.lookup) for one in found]


async def test_calls_belong_to_the_input_in_whose_block_they_are_made(ledger: Open) -> None:
    async with Vendor(thing, cache=ledger()) as vendor:
        inputs = await run_of(vendor)
        with inputs.calls_for(1):
            await vendor.get("a")
        with inputs.calls_for(2):
            await vendor.get("b")
        with inputs.calls_for(3):
            await vendor.get("a")
        await vendor.get("c")
        inputs.flush()
        inputs.flush()
        store = vendor.cache.store
        (_, a), (_, b), (_, again) = found = await places(store, inputs.run)
        assert [position for position, _ in found] == [1, 2, 3]
        assert (a, a != b) == (again, True)
        (entry,) = await Ledger(store).runs()
        assert (entry.name, entry.inputs, entry.credits) == ("a file", 3, 4)


async def test_what_another_call_brings_belongs_to_all_who_waited(ledger: Open) -> None:
    server = Server()
    async with Vendor(server, cache=ledger()) as vendor:
        inputs = await run_of(vendor)

        def ask(position: int) -> Callable[[], object]:
            async def work() -> None:
                with inputs.calls_for(position):
                    await vendor.get("a")

            return work

        async def release() -> None:
            await server.arrived.wait()
            server.may_answer.set()

        await gathered(ask(1), ask(2), release)  # type: ignore[arg-type]
        inputs.flush()
        found = await places(vendor.cache.store, inputs.run)
        assert [position for position, _ in found] == [1, 2]
        assert len({lookup for _, lookup in found}) == 1


async def test_many_inputs_are_handed_to_the_ledger_as_they_come(ledger: Open) -> None:
    async with Vendor(thing, cache=ledger()) as vendor:
        await vendor.get("a")
        inputs = await run_of(vendor)
        for position in range(1, 601):
            with inputs.calls_for(position):
                await vendor.get("a")
        store = vendor.cache.store
        await store.flush()
        (entry,) = await Ledger(store).runs()
        assert entry.inputs in (500, 600), "a database on a server has each at once"


async def test_a_view_that_sends_nothing_joins_no_request(ledger: Open) -> None:
    """It would have to wait for it."""
    server = Server()
    async with Vendor(server, cache=ledger()) as vendor:

        async def look() -> None:
            await server.arrived.wait()
            with pytest.raises(BudgetError, match="not asked yet"):
                await known_only(vendor).get("a")
            server.may_answer.set()

        await gathered(lambda: vendor.get("a"), look)
        assert (await known_only(vendor).get("a")).id == "a"
        with pytest.raises(BudgetError, match="not asked yet"):
            await known_only(vendor).get("b")
    assert server.charged.total() == 1


async def test_a_view_that_sends_nothing_waits_for_nothing(ledger: Open) -> None:
    """A lookup that was refused for now is due later."""
    clock = Skipping()
    vendor = Vendor(refused(503, "api_error"), cache=ledger(), clock=clock, retry=ONCE)
    async with vendor:
        with pytest.raises(LixError):
            await vendor.get("a")
        before = list(clock.slept)
        with pytest.raises(BudgetError, match="not asked yet"):
            await known_only(vendor).get("a")
        assert clock.slept == before


@pytest.mark.parametrize(("doubts", "expected"), [("hold", InDoubtError), ("retry", BudgetError)])
async def test_a_view_that_sends_nothing_decides_no_doubts(
    tmp_path: Path, doubts: str, expected: type[Exception]
) -> None:
    address = str(tmp_path / "l.db")
    async with Vendor(LOST, cache=address, doubts="hold") as vendor:
        with pytest.raises(InDoubtError):
            await vendor.get("a")
    async with Vendor(thing, cache=address, doubts=doubts) as vendor:
        with pytest.raises(expected):
            await known_only(vendor).get("a")
        counts = await vendor.cache.store.counts()
        assert counts.in_doubt == 1
        if doubts == "retry":
            assert (await vendor.get("a")).id == "a"
