"""`max_credits`: never more, and all of it where there is enough to do."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_provider import LOST, UNREACHED, refused, reply

from lix_async import bulk
from lix_async.core.errors import BudgetError, ConfigurationError
from lix_async.core.wire import HttpRequest
from lix_async.testing import VirtualClock

from .conftest import Open
from .test_admission import Vendor, drained, thing

NAMES = [f"n{number}" for number in range(40)]
ANSWERS = {
    "charged": (None, 2),
    "missing": (refused(404, "not_found"), 0),
    "away": (UNREACHED, 0),
    "failed": (refused(500, "api_error"), 0),
    "lost": (LOST, 2),
    "web page": (reply(200, b"<html>"), 2),
    "unusable": (reply(200, {"id": {}}), 2),
    "gateway": (reply(502, b""), 2),
}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cap=st.integers(0, 20),
    client_cap=st.integers(0, 20) | st.none(),
    concurrency=st.integers(1, 64),
    answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=30),
)
def test_a_run_spends_what_it_may_and_no_more(
    tmp_path: Path,
    backend: str,
    cap: int,
    client_cap: int | None,
    concurrency: int,
    answers: list[str],
) -> None:
    left, charges = list(answers), 0
    path = tmp_path / "l.db"
    path.unlink(missing_ok=True)

    async def answer(outgoing: HttpRequest) -> Any:
        nonlocal charges
        await anyio.lowlevel.checkpoint()
        said, price = ANSWERS[left.pop() if left else "charged"]
        charges += price
        return said or thing(outgoing)

    async def main() -> None:
        async with VirtualClock() as clock:
            client = Vendor(answer, clock=clock, max_credits=client_cap)
            run = bulk.Run(
                path, client.get, NAMES, max_credits=cap, concurrency=concurrency, doubts="retry"
            )
            async with run:
                with contextlib.suppress(BudgetError):
                    await drained(run)
            for budget in (client.credits, run.admission.budget):
                assert (budget.total + budget.lost, budget.reserved("standard")) == (charges, 0)

    anyio.run(main, backend=backend)
    limit = cap if client_cap is None else min(cap, client_cap)
    assert charges <= limit
    assert charges + 2 > limit  # there is always more to do


@pytest.mark.anyio
@pytest.mark.parametrize("concurrency", [1, 16, 64])
async def test_a_small_limit_is_used_up_whatever_is_in_flight(
    ledger: Open, concurrency: int
) -> None:
    async def slow(outgoing: HttpRequest) -> Any:
        await anyio.lowlevel.checkpoint()
        return thing(outgoing)

    client, got = Vendor(slow), list[Any]()
    run = bulk.Run(ledger(), client.get, NAMES, max_credits=6, concurrency=concurrency)
    with pytest.raises(BudgetError, match="max_credits of this run is 6 credits: 6 are spent"):
        await drained(run, got)
    assert [outcome.state for outcome in got] == ["done"] * 3
    assert (len(client.script.sent), client.credits.total) == (3, 6)


@pytest.mark.anyio
async def test_a_chunk_takes_a_limit_of_its_own_or_that_of_its_admission(ledger: Open) -> None:
    async with ledger() as store:
        client = Vendor(thing)
        outcomes = await bulk.chunk(store, client.get, NAMES[:2], max_credits=4)
        assert [outcome.credits for outcome in outcomes] == [2, 2]
        with pytest.raises(BudgetError):
            await bulk.chunk(store, client.get, NAMES, max_credits=5)
        assert client.credits.total == 8
        admission = bulk.AdmissionController(client.engine, store)
        with pytest.raises(ConfigurationError, match="beside admission"):
            await bulk.chunk(store, client.get, NAMES, max_credits=4, admission=admission)


@pytest.mark.anyio
async def test_runs_of_one_name_share_a_limit(ledger: Open) -> None:
    """Also where only the ledger knows it, and while others' calls hold what is left."""
    charges = 0

    async def answer(outgoing: HttpRequest) -> Any:
        nonlocal charges
        await anyio.lowlevel.checkpoint()
        if outgoing.target.endswith(("0", "1", "2")):
            return refused(404, "not_found")
        charges += 2
        return thing(outgoing)

    got: list[Any] = []

    async def work(names: list[str], cap: int | None) -> None:
        client = Vendor(answer)
        run = bulk.Run(ledger(), client.get, names, name="june", max_credits=cap, concurrency=16)
        with contextlib.suppress(BudgetError):
            await drained(run, got)

    async with ledger() as store:
        await store.begin_run("june", "Sample get", "{}", 6)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work, NAMES[:20], None)
            tasks.start_soon(work, NAMES[20:], 6)
        counts = await store.counts()
    assert charges == counts.credits == 6
    with pytest.raises(BudgetError):
        await drained(bulk.Run(ledger(), Vendor(answer).get, ["x9"], name="june"))
    await drained(bulk.Run(ledger(), Vendor(answer).get, ["x9"], name="july"))
    await drained(bulk.Run(ledger(), Vendor(answer).get, ["x8"]))
    await drained(bulk.Run(ledger(), Vendor(answer).get, ["x7"], name="june", max_credits=8))
    assert charges == 12
