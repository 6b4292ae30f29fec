"""Runs against a sandbox whose account tells what was charged."""

from __future__ import annotations

from typing import Any

import pytest

from lix_async import bulk
from lix_async.ledger import Ledger
from lix_async.sandbox import Faults, Sandbox
from lix_async.testing import VirtualClock, memory_client

from .conftest import Open

pytestmark = pytest.mark.anyio
LINKS = [f"https://www.linkedin.com/in/some-body-{n}" for n in range(12)]


def small(*plan: str, **settings: Any) -> Sandbox:
    faults = settings.pop("faults", {"person.get": plan})
    return Sandbox(people=30, organisations=5, rate=None, faults=faults, **settings)


async def states(run: bulk.Run[Any]) -> list[str]:
    return [outcome.state async for outcome in run]


@pytest.mark.parametrize(
    ("plan", "status", "charged"),
    [
        (["reset", "reset"], "pending", 10),
        (["reset_after", "reset_after"], "kept", 12),
        (["reset", "reset_after"], "in_doubt", 11),
        (["empty200", "ok"], "pending", 11),
    ],
)
async def test_a_run_is_reconciled(
    ledger: Open, plan: list[str], status: str, charged: int
) -> None:
    sandbox = small(*plan)
    async with VirtualClock() as clock, memory_client(sandbox, clock=clock) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS)
        doubts = (await states(run)).count("in_doubt")
        assert doubts == sum(fault != "ok" for fault in plan)
        assert run.report().unexplained == 0
        (found,) = await run.reconcile()
        async with ledger() as store:
            counts = await store.counts()
            assert counts.of(status) == doubts  # type: ignore[arg-type]  # one of the statuses
            assert counts.credits + counts.maybe >= charged
        assert (found.decision is None) == (status == "in_doubt")
        again = bulk.Run(ledger(), lix.people.get, LINKS)
        expected = {"pending": "done", "kept": "kept", "in_doubt": "in_doubt"}[status]
        assert (await states(again)).count(expected) >= doubts
    bought = charged + (doubts if status == "pending" else 0)
    assert sandbox.ledger.totals()["standard"] == bought
    assert [fact.status for fact in sandbox.requests if fact.status == 402] == []


async def test_what_was_charged_says_so(ledger: Open) -> None:
    async with memory_client(small("reset_after")) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS[:1])
        await states(run)
        await run.reconcile()
        (outcome,) = [one async for one in bulk.Run(ledger(), lix.people.get, LINKS[:1])]
    assert (outcome.state, outcome.cached, outcome.value) == ("kept", True, None)
    assert "charged" in str(outcome.error)


async def test_a_run_that_was_killed_is_reconciled_by_the_reading_of_the_next(
    ledger: Open,
) -> None:
    sandbox = small("reset_after")
    async with memory_client(sandbox) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS[:2])
        await anext(run)
        await run.aclose(0)  # no reading at its end
        before = len(sandbox.requests)
        await states(bulk.Run(ledger(), lix.people.get, LINKS[2:]))
        assert sandbox.requests[before].endpoint == "account.daily_allowance"
        async with Ledger(ledger()) as known:
            found = await known.reconcile()
    assert [one.decision for one in found] == ["charged"]


@pytest.mark.parametrize("extra", [5, -3])
async def test_a_price_that_is_not_the_tables_is_reported(ledger: Open, extra: int) -> None:
    sandbox = small()
    async with VirtualClock() as clock, memory_client(sandbox, clock=clock) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS)
        async for outcome in run:
            if outcome.input == LINKS[3]:
                sandbox.ledger.balances["standard"] -= extra
        assert run.report().unexplained == extra
        quiet = bulk.Run(ledger(), lix.people.get, LINKS[:1])
        assert await states(quiet) == ["done"]
        assert quiet.report().unexplained == 0


async def test_a_price_is_reported_at_the_next_reading(ledger: Open) -> None:
    sandbox = small()
    async with VirtualClock() as clock, memory_client(sandbox, clock=clock) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS, concurrency=1)
        await anext(run)
        sandbox.ledger.balances["standard"] -= 7
        while not run.report().unexplained:
            await clock.sleep(300)
            await anext(run)
        assert run.report().unexplained == 7
        assert run.progress().done < len(LINKS)
        await run.aclose(0)


async def test_credits_that_are_bought_meanwhile_are_no_difference(ledger: Open) -> None:
    sandbox = small()
    async with VirtualClock() as clock, memory_client(sandbox, clock=clock) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS, concurrency=1)
        async for outcome in run:
            if outcome.input == LINKS[3]:
                sandbox.ledger.balances["standard"] += 1000
        assert run.report().unexplained == 0


async def test_two_runs_over_one_ledger_explain_each_other(ledger: Open) -> None:
    sandbox = small()
    async with ledger() as store, memory_client(sandbox) as lix:
        one = bulk.Run(store, lix.people.get, LINKS[:6])
        await anext(one)
        await states(bulk.Run(store, lix.people.get, LINKS[6:]))
        await states(one)
        assert one.report().unexplained == 0


@pytest.mark.parametrize("fault", ["unauthorized", "api_error", "no_type", "html200"])
async def test_balances_that_cannot_be_read_are_unknown(ledger: Open, fault: str) -> None:
    sandbox = small(faults=Faults(plan={"account.balances": [fault] * 9}))
    async with VirtualClock() as clock, memory_client(sandbox, clock=clock) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS)
        assert await states(run) == ["done"] * 12
        assert run.report().unexplained == 0
        assert run.admission.balances is None
        assert await run.reconcile() == []


async def test_a_run_without_balances_reads_none(ledger: Open) -> None:
    sandbox = small("reset")
    async with memory_client(sandbox) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS[:2], check_balances=False)
        await states(run)
        (found,) = await run.reconcile()
    assert found.decision is None
    assert {fact.endpoint for fact in sandbox.requests} == {"person.get"}
