"""kill -9: nothing is paid twice, nothing that was kept is lost, what is in doubt was in flight.

The witness is the vendor's own list of what it charged for. `LIX_KILLS` says at how many points
workers are killed (`nox -s campaign`: 200, over runs of 2,000 inputs, ten to each).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import anyio
import preloaded
import pytest
from preloaded import PROGRAM, Process

from lix_async import AsyncLix, bulk
from lix_async.ledger.ledger import open_store
from lix_async.ledger.postgres import PostgresStore
from lix_async.ledger.store import Store
from lix_async.sandbox import Sandbox

from .worker import forms, link

KILLS = int(os.environ.get("LIX_KILLS", "3"))
LONG = KILLS >= 10
COUNT = 2_000 if LONG else 60
EACH = 10 if LONG else KILLS
CONCURRENCY = 4
Vendor = tuple[Sandbox, str]
seeds = pytest.mark.parametrize("seed", range(KILLS // EACH))


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path, schema: str) -> str:
    """A ledger's address, as workers take it."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    return f"{request.getfixturevalue('postgres_dsn')}#{schema}"


def start(
    ledger: str, url: str, first: int, last: int, to: IO[str] | int = subprocess.PIPE
) -> Process:
    program = [str(Path(__file__).with_name("worker.py")), ledger, url]
    more = [str(first), str(last), str(CONCURRENCY)]
    return preloaded.start([*program, *more], PROGRAM, stdout=to, text=True)


def done(lines: list[str]) -> set[str]:
    """The inputs among these lines that are done; a line may have been cut."""
    return {line.split()[1] for line in lines if line.startswith("done ") and line.endswith("\n")}


def killed_after(process: Process, bought: int) -> set[str]:
    """Kill it when it has reported so many outcomes; return the inputs that it reported."""
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while lines[-1] and bought:
        bought -= lines[-1].endswith(" bought\n")
        lines.append(process.stdout.readline())
    process.kill()
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return done(lines)


def points(seed: int, share: int) -> Iterator[int]:
    """How many each one may buy; nothing: killed while it recovers what is known."""
    chance = random.Random(seed)
    for _ in range(EACH):
        yield chance.choice([0, *(chance.randrange(2 * share // EACH) for _ in range(3))])


def check(ledger: str, vendor: Vendor, reported: set[str]) -> None:
    """A last run over all inputs: what was reported is there, what was paid is done or in doubt."""
    sandbox, url = vendor
    states: dict[str, list[str]] = {"done": [], "in_doubt": []}
    dsn, _, schema = ledger.partition("#")
    store: Store = PostgresStore(dsn, schema=schema) if schema else open_store(ledger)

    async def main() -> bulk.Report:
        async with AsyncLix("demo", base_url=url, rate_limit=None) as lix:
            run = bulk.Run(store, lix.people.get, map(link, range(COUNT)), concurrency=8)
            async for outcome in run:
                assert (outcome.value is not None) == (outcome.state == "done")
                states[outcome.state].append(str(outcome.input))
                if outcome.input in reported:
                    assert outcome.cached
            return run.report()

    progress = anyio.run(main).progress
    paid = len(sandbox.ledger)
    numbers = (
        f"{progress.done} done, {progress.in_doubt} in doubt, {paid} paid, {len(reported)} reported"
    )
    sys.stdout.write(f"{numbers}\n")  # shown with -rP
    assert sandbox.ledger.repeats() == {}
    assert reported <= set(states["done"])
    assert progress.done + progress.in_doubt == COUNT
    assert progress.in_doubt <= EACH * CONCURRENCY
    assert progress.done <= paid <= progress.done + progress.in_doubt


@seeds
def test_a_killed_process_and_those_after_it(seed: int, tmp_path: Path, vendor: Vendor) -> None:
    ledger = str(tmp_path / "ledger.db")
    reported: set[str] = set()
    for point in points(seed, COUNT):
        reported |= killed_after(start(ledger, vendor[1], 0, COUNT), point)
    check(ledger, vendor, reported)


@seeds
def test_two_workers_on_one_ledger_and_one_of_them_killed(
    seed: int, shared: str, vendor: Vendor, tmp_path: Path
) -> None:
    reported: set[str] = set()
    output = tmp_path / "reported"  # the worker would block on a pipe that is not read
    with output.open("w") as to, start(shared, vendor[1], COUNT - 1, -1, to) as other:
        for point in points(seed, COUNT // 2):
            reported |= killed_after(start(shared, vendor[1], 0, COUNT), point)
    assert other.returncode == 0
    lines = output.read_text().splitlines(keepends=True)
    assert len(lines) == COUNT  # no worker waits for a dead one
    check(shared, vendor, reported | done(lines))


@seeds
def test_people_in_four_forms_cost_one_lookup_each(
    seed: int, shared: str, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIX_FORMS", "1")
    output = tmp_path / "reported"
    with output.open("w") as to, start(shared, vendor[1], COUNT - 1, -1, to) as other:
        for point in points(seed, COUNT // 2):
            killed_after(start(shared, vendor[1], 0, COUNT), point)
    assert other.returncode == 0
    paid = len(vendor[0].ledger)
    # Twice only where both ids were in flight before an answer connected them, or where it was
    # lost with a killed process; asked for again, everybody is known.
    assert COUNT <= paid <= COUNT + EACH * CONCURRENCY + COUNT // 20
    dsn, _, schema = shared.partition("#")
    store: Store = PostgresStore(dsn, schema=schema) if schema else open_store(shared)

    async def main() -> bulk.Report:
        async with AsyncLix("demo", base_url=vendor[1], rate_limit=None) as lix:
            run = bulk.Run(store, lix.people.get, forms(0, COUNT), concurrency=8)
            async for outcome in run:
                assert outcome.cached or outcome.state == "in_doubt"
            return run.report()

    progress = anyio.run(main).progress
    sys.stdout.write(f"{paid} paid for {COUNT} people, {progress.in_doubt} in doubt\n")
    assert progress.done + progress.in_doubt == 4 * COUNT
    assert len(vendor[0].ledger) == paid
