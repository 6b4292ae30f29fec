"""kill -9: nothing is paid twice, nothing that was kept is lost, what is in doubt was in flight.

`LIX_KILLS` says how many points the suite tries (`nox -s campaign`: 200).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from lix_async import AsyncLix, bulk
from lix_async.bulk.postgres import PostgresStore
from lix_async.bulk.store import Store
from lix_async.sandbox import Sandbox

from .worker import link

KILLS = int(os.environ.get("LIX_KILLS", "3"))
CONCURRENCY = 4
Vendor = tuple[Sandbox, str]


def start(ledger: str, url: str, first: int, last: int) -> subprocess.Popen[str]:
    program = [sys.executable, str(Path(__file__).with_name("worker.py")), ledger, url]
    return subprocess.Popen(
        [*program, str(first), str(last), str(CONCURRENCY)], stdout=subprocess.PIPE, text=True
    )


def killed_after(process: subprocess.Popen[str], outcomes: int) -> list[str]:
    """The inputs whose outcomes it had handed over when it was killed."""
    assert process.stdout is not None
    lines = [line for _ in range(outcomes) if (line := process.stdout.readline())]
    process.kill()
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return [line.split()[1] for line in lines if line.endswith("\n")]


def finished(store: Store, url: str, count: int) -> bulk.Report:
    """A run over all inputs to its end; every outcome that is done must have its value."""

    async def main() -> bulk.Report:
        async with AsyncLix("demo", base_url=url, rate_limit=None) as lix:
            run = bulk.Run(store, lix.people.get, [link(n) for n in range(count)], concurrency=8)
            async for outcome in run:
                assert outcome.state in {"done", "in_doubt"}, outcome
                assert (outcome.value is not None) == (outcome.state == "done")
            return run.report()

    return anyio.run(main)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_process_and_the_one_after_it(seed: int, tmp_path: Path, vendor: Vendor) -> None:
    sandbox, url = vendor
    count, path = 60, str(tmp_path / "ledger.db")
    known: set[str] = set()
    chance = random.Random(seed)
    for _ in range(2):  # killed again while it recovers
        known.update(killed_after(start(path, url, 0, count), chance.randrange(count // 2)))
    report = finished(bulk.SqliteStore(path), url, count).progress
    assert sandbox.ledger.repeats() == {}
    assert report.in_doubt <= 2 * CONCURRENCY
    assert report.done + report.in_doubt == count
    assert report.cached >= len(known) - 2 * CONCURRENCY
    paid = len(sandbox.ledger)
    assert report.done <= paid <= report.done + report.in_doubt


def test_two_workers_on_one_ledger_and_one_of_them_killed(
    postgres_dsn: str, schema: str, vendor: Vendor
) -> None:
    sandbox, url = vendor
    count = 300
    ledger = f"{postgres_dsn}#{schema}"
    doomed, other = start(ledger, url, 0, count), start(ledger, url, count - 1, -1)
    known = killed_after(doomed, 40)
    assert other.stdout is not None
    with other:
        lines = other.stdout.readlines()
    assert other.returncode == 0
    assert len(lines) == count
    assert sandbox.ledger.repeats() == {}
    done = {line.split()[1] for line in lines if line.startswith("done ")}
    assert {line.split()[0] for line in lines} <= {"done", "in_doubt"}
    assert set(known) <= done  # what was handed over was kept
    assert len(done) >= count - CONCURRENCY
    report = finished(PostgresStore(postgres_dsn, schema=schema), url, count).progress
    assert (report.done, report.cached) == (len(done), count)
    assert sandbox.ledger.repeats() == {}
