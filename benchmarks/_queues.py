"""The figures of `queue.py`: PgQueuer and Procrastinate on one PostgreSQL, without a rate limit.

* Inputs submitted a second and the growth of memory meanwhile (10^6 inputs; 10^5 with `--quick`).
* Lookups a second of one worker with a provider that takes 1 ms, and its connections.
* A hundred tasks in four processes: what is lost, asked for twice or not acknowledged.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import ModuleType

import anyio
import psycopg
from _harness import count, report, table
from _sample_data import KEY
from ledger import link, resident, server

from lix_async import AsyncLix, RateLimit
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import SendTimestamp
from lix_async.ledger.postgres import PostgresStore
from lix_async.limiters import PostgresLimiter

ENGINES = ("pgqueuer", "procrastinate")
PROCESSES, TASKS = 4, 25
BODY = b'{"name":"Some One","liId":"someone","headline":"Keeper of books"}'
HEADERS = [(b"content-type", b"application/json")]
UNFINISHED = {
    "pgqueuer": "SELECT count(*) FROM pgqueuer",
    "procrastinate": "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'",
}


class Provider:
    """Answers after 1 ms, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def exchange(self, outgoing: HttpRequest, departure: SendTimestamp) -> HttpResponse:
        """Answer."""
        departure.at = time.monotonic()
        self.asked += outgoing.target.startswith("/v1/person")
        await anyio.sleep(0.001)
        return HttpResponse(200, HEADERS, BODY)

    async def aclose(self) -> None:
        """Nothing is open."""


def adapter(engine: str) -> ModuleType:
    return importlib.import_module(f"lix_async.integrations.{engine}")


@contextmanager
def database(address: str, name: str) -> Iterator[str]:
    """A new database."""
    with psycopg.connect(address, autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}".encode())
        yield address.replace("/postgres?", f"/{name}?")
        line.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def number(dsn: str, query: str) -> int:
    with psycopg.connect(dsn, autocommit=True) as line:
        row = line.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


def connections(dsn: str) -> int:
    return number(
        dsn,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )


def done(dsn: str) -> int:
    return number(dsn, "SELECT count(*) FROM lix_async.lookup WHERE status = 4")


async def submit(engine: str, dsn: str, inputs: int, repeats: int = 1) -> tuple[float, float]:
    """Seconds, and MiB by which memory grows after the first tenth."""
    warm = most = 0

    def given() -> Iterator[str]:
        nonlocal warm, most
        for n in range(inputs * repeats):
            if n == inputs * repeats // 10:
                warm = most = resident()
            elif warm and n % 1000 == 0:
                most = max(most, resident())
            yield link(n % inputs)

    began = time.perf_counter()
    await adapter(engine).submit(dsn, "people.get", given())
    return time.perf_counter() - began, (most - warm) / 1024


@asynccontextmanager
async def working(engine: str, dsn: str, tasks: int) -> AsyncGenerator[Provider]:
    """A worker that works during the block; its limiter shares the ledger's connection."""
    provider, stop, store = Provider(), anyio.Event(), PostgresStore(dsn)
    limiter = PostgresLimiter(store, "benchmark", RateLimit(10**6, per=1.0))
    async with (
        limiter,
        AsyncLix(KEY, rate_limit=None, http_client=provider) as lix,
        anyio.create_task_group() as group,
    ):

        async def work() -> None:
            await adapter(engine).worker(store, lix, concurrency=tasks, stop=stop)

        group.start_soon(work)
        while not store.is_open:  # noqa: ASYNC110  # a store has no event for it
            await anyio.sleep(0.01)
        await limiter.acquire()
        yield provider
        stop.set()


async def one_worker(engine: str, dsn: str, inputs: int, tasks: int) -> tuple[float, int, int]:
    """Seconds, connections, and requests of one worker."""
    began = time.perf_counter()
    async with working(engine, dsn, tasks) as provider:
        while done(dsn) < inputs:  # noqa: ASYNC110  # the database is asked
            await anyio.sleep(0.05)
        return time.perf_counter() - began, connections(dsn), provider.asked


def process(engine: str, dsn: str, inputs: int, ready: Callable[[], object], asked: object) -> None:
    """One of several workers; it ends when no chunk is left."""

    async def work() -> int:
        ready()
        async with working(engine, dsn, TASKS) as provider:
            while number(dsn, UNFINISHED[engine]):  # noqa: ASYNC110  # the same
                await anyio.sleep(0.5)
            return provider.asked

    asked.put(asyncio.run(work()))  # type: ignore[attr-defined]


def four_processes(engine: str, dsn: str, inputs: int) -> tuple[float, int, int]:
    """Seconds, connections at most, and requests."""
    barrier, asked = multiprocessing.Barrier(PROCESSES + 1), multiprocessing.SimpleQueue()
    workers = [
        multiprocessing.Process(target=process, args=(engine, dsn, inputs, barrier.wait, asked))
        for _ in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    began, most = time.perf_counter(), 0
    while number(dsn, UNFINISHED[engine]):
        most = max(most, connections(dsn) - PROCESSES)  # each looks at the queue by one of its own
        time.sleep(0.25)
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return seconds, most, sum(asked.get() for _ in workers)


def measure(engine: str, address: str) -> None:
    """Print the figures of one queue."""
    many, some, few = count(10**6, 10**5), count(50_000, 4_000), count(10_000, 3_000)
    with database(address, f"submit_{engine}") as dsn:
        seconds, grown = asyncio.run(submit(engine, dsn, many))
    report(f"{engine}: submit 1,000,000 inputs", seconds * 10**6 / many, "s", 30)
    report(f"{engine}: memory growth over {many:,} inputs", grown, "MiB", 20)
    with database(address, f"one_{engine}") as dsn:
        asyncio.run(submit(engine, dsn, few))
        seconds, lines, asked = asyncio.run(one_worker(engine, dsn, few, 16))
    report(f"{engine}: one worker, 16 calls in flight", 1000 * seconds / few, "ms a lookup", 2)
    report(f"{engine}: connections of a worker and its limiter", lines, "", 2)
    with database(address, f"four_{engine}") as dsn:
        asyncio.run(submit(engine, dsn, some, repeats=2))
        seconds, lines, asked = four_processes(engine, dsn, some)
        lost = some - done(dsn)
    title = f"{engine}: {PROCESSES * TASKS} tasks in {PROCESSES} processes, {some:,} lookups"
    table(title, ["", "lookups/s"], [["all together", f"{some / seconds:,.0f}"]])
    report(f"{engine}: lost", lost, "lookups", 0)
    report(f"{engine}: asked for twice", asked - (some - lost), "lookups", 0)


def main() -> None:
    """Measure both queues."""
    with tempfile.TemporaryDirectory() as folder, server(folder) as address:
        for engine in ENGINES:
            measure(engine, address)
