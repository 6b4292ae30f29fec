"""PgQueuer and Procrastinate under one contract: nothing is lost, nothing is paid twice."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import anyio
import preloaded
import psycopg
import pytest
from preloaded import QUEUE, Process

from lix_async import AsyncLix, RateLimit
from lix_async.core.errors import BulkError, ConfigurationError, QuotaExceededError
from lix_async.integrations.chunk_worker import RetryChunkLater
from lix_async.integrations.job_queue import encode_inputs, queue_errors_as_bulk_errors
from lix_async.integrations.pgqueuer import asyncpg_address
from lix_async.ledger.postgres import PostgresStore
from lix_async.ledger.records import Counts
from lix_async.limiters import PostgresLimiter
from lix_async.sandbox import Sandbox, running

NUMBERS = itertools.count(1)


@pytest.fixture(params=["pgqueuer", "procrastinate"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def adapter(engine: str) -> ModuleType:
    return importlib.import_module(f"lix_async.integrations.{engine}")


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:
    """A database of this test's own: the queues keep their tables in `public`."""
    name = f"queue_{next(NUMBERS)}"
    with psycopg.connect(postgres_dsn, autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}")
        yield postgres_dsn.replace("/postgres?", f"/{name}?")
        line.execute(f"DROP DATABASE {name} WITH (FORCE)")


def links(count: int) -> list[str]:
    return [f"https://www.linkedin.com/in/someone-{number}" for number in range(count)]


async def counts(dsn: str) -> Counts:
    async with PostgresStore(dsn) as store:
        return await store.counts()


async def until(
    dsn: str, reached: Callable[[Counts], bool], within: float = 60, schema: str = "lix_async"
) -> Counts:
    """The counts once they are so."""
    async with asyncio.timeout(within), PostgresStore(dsn, schema=schema) as store:
        while not reached(found := await store.counts()):  # noqa: ASYNC110  # see below
            await asyncio.sleep(0.05)  # the other process does not signal when it is ready
        return found


def start(engine: str, dsn: str, url: str, tasks: int = 16) -> Process:
    program = str(Path(__file__).with_name("queue_worker.py"))
    return preloaded.start([program, engine, dsn, "lix_async", url, str(tasks)], QUEUE)


@pytest.mark.parametrize("engine", ["procrastinate"], indirect=True)
def test_two_workers_one_killed(engine: str, adapter: ModuleType, dsn: str) -> None:
    """By Procrastinate; tests/cli/test_worker.py kills a worker of PgQueuer's."""

    async def main(url: str) -> Counts:
        assert await adapter.submit(dsn, "people.get", links(200), size=20) == 10
        doomed, other = start(engine, dsn, url), start(engine, dsn, url)
        try:
            await until(dsn, lambda found: found.done >= 20)
            doomed.kill()
            return await until(
                dsn, lambda found: found.done + found.in_doubt == 200 and not found.sent
            )
        finally:
            for process in (doomed, other):
                process.kill()
                process.wait()

    sandbox = Sandbox(people=50, organisations=5, rate=None)
    with running(sandbox) as url:
        found = asyncio.run(main(url))
    assert found.in_doubt <= 16
    assert sandbox.ledger.repeats() == {}
    assert found.done <= len(sandbox.ledger) <= 200


def test_a_hundred_tasks_in_four_processes(engine: str, adapter: ModuleType, dsn: str) -> None:
    """Nothing is lost and nothing is paid twice; each input is there three times."""
    count = int(os.environ.get("LIX_QUEUED", "300"))

    async def main(url: str) -> Counts:
        every = (link for _ in range(3) for link in links(count))
        await adapter.submit(dsn, "people.get", every, size=20)
        processes = [start(engine, dsn, url, 25) for _ in range(4)]
        try:
            found = await until(dsn, lambda found: found.done == count, within=60 + count / 20)
            assert all(process.poll() is None for process in processes)
            await until_empty(engine, dsn)
            assert 4 < connections(dsn) <= 8
            return found
        finally:
            for process in processes:
                process.kill()
                process.wait()

    sandbox = Sandbox(people=50, organisations=5, rate=None)
    with running(sandbox) as url:
        found = asyncio.run(main(url))
    assert sandbox.ledger.repeats() == {}
    assert len(sandbox.ledger) == found.done == found.credits == count


def connections(dsn: str) -> int:
    """Connections to the database besides this one."""
    with psycopg.connect(dsn, autocommit=True) as line:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        row = line.execute(query).fetchone()
        assert row is not None
        return int(row[0])


UNFINISHED = {
    "pgqueuer": "SELECT count(*) FROM pgqueuer",
    "procrastinate": "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'",
}


async def until_empty(engine: str, dsn: str) -> None:
    """Wait until every chunk is acknowledged."""
    with psycopg.connect(dsn, autocommit=True) as line:
        async with asyncio.timeout(60):
            while line.execute(UNFINISHED[engine].encode()).fetchone() != (0,):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def test_a_worker_needs_two_connections_and_survives_that_they_break(
    adapter: ModuleType, dsn: str
) -> None:
    """One for the queue, and the ledger's, which the limiter shares."""

    async def main(url: str) -> None:
        await adapter.submit(dsn, "people.get", links(60), size=10)
        store = PostgresStore(dsn)
        limiter = PostgresLimiter(store, "queues", RateLimit(40, per=1.0))
        stop = anyio.Event()
        async with limiter, AsyncLix("demo", base_url=url, rate_limit=limiter.bulk) as lix:
            work = asyncio.create_task(adapter.worker(store, lix, heartbeat=2.0, stop=stop))
            async with asyncio.timeout(60):
                while len(sandbox.ledger) < 20:
                    assert not work.done()
                    await asyncio.sleep(0.05)
                assert connections(dsn) == 2
                with psycopg.connect(dsn, autocommit=True) as line:
                    line.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                while len(sandbox.ledger) < 60:
                    assert not work.done()
                    await asyncio.sleep(0.05)
            stop.set()
            await work

    sandbox = Sandbox(people=50, organisations=5, rate=None)
    with running(sandbox) as url:
        asyncio.run(main(url))
    assert sandbox.ledger.repeats() == {}
    assert asyncio.run(counts(dsn)).done == 60


def test_inputs_may_be_kept_in_another_ledger(adapter: ModuleType, dsn: str) -> None:
    async def main(url: str) -> Counts:
        assert await adapter.submit(dsn, "people.get", links(5)) == 1
        async with AsyncLix("demo", base_url=url, rate_limit=None) as lix:
            work = asyncio.create_task(adapter.worker(dsn, lix, schema="other"))
            found = await until(dsn, lambda found: found.done == 5, schema="other")
            work.cancel()
            await asyncio.wait([work])
        return found

    with running(Sandbox(people=50, organisations=5, rate=None)) as url:
        assert asyncio.run(main(url)).credits == 5
    assert asyncio.run(counts(dsn)) == Counts()


def test_what_cannot_be_queued_is_reported(adapter: ModuleType, dsn: str) -> None:
    """Inputs before it are queued, and an error of the inputs themselves stays what it is."""

    def given() -> Iterator[str]:
        yield "https://www.linkedin.com/in/a"
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        asyncio.run(adapter.submit(dsn, "people.get", given()))
    with pytest.raises(ConfigurationError, match="size must be at least 1"):
        asyncio.run(adapter.submit(dsn, "people.get", [], size=0))
    with pytest.raises(BulkError, match="the queue in PostgreSQL cannot be used"):
        asyncio.run(adapter.submit("postgresql://me@127.0.0.1:1/none", "people.get", []))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "postgresql://u:p%40@h:5/d?sslmode=require",
            "user=u&password=p%40&dbname=d&host=h&port=5&sslmode=require",
        ),
        ("host=/tmp/x dbname=d connect_timeout=3", "host=%2Ftmp%2Fx&dbname=d"),
    ],
)
def test_addresses_for_asyncpg(address: str, expected: str) -> None:
    head, _, query = asyncpg_address(address).partition("?")
    assert head == "postgresql://"
    assert sorted(query.split("&")) == sorted(expected.split("&"))


def test_what_makes_calls_pointless_ends_the_worker_and_loses_nothing(
    adapter: ModuleType, dsn: str
) -> None:
    async def main(url: str) -> None:
        await adapter.submit(dsn, "people.get", links(5))
        async with AsyncLix("demo", base_url=url, rate_limit=None) as lix:
            with pytest.raises(QuotaExceededError):
                async with asyncio.timeout(30):
                    await adapter.worker(dsn, lix, heartbeat=2.0, concurrency=1)

    sandbox = Sandbox(people=50, organisations=5, rate=None, credits={"standard": 2})
    with running(sandbox) as url:
        asyncio.run(main(url))
    found = asyncio.run(counts(dsn))
    assert (found.done, found.in_doubt) == (2, 0)


def test_a_worker_ends_when_it_is_cancelled(adapter: ModuleType, dsn: str) -> None:
    async def main(url: str) -> None:
        await adapter.submit(dsn, "people.get", links(3))
        async with AsyncLix("demo", base_url=url, rate_limit=None) as lix:
            work = asyncio.create_task(adapter.worker(dsn, lix, heartbeat=2.0))
            await until(dsn, lambda found: found.done == 3)
            work.cancel()
            async with asyncio.timeout(10):
                with pytest.raises(asyncio.CancelledError):
                    await work

    sandbox = Sandbox(people=50, organisations=5, rate=None)
    with running(sandbox) as url:
        asyncio.run(main(url))
    assert len(sandbox.ledger) == 3


def test_errors_of_a_queue_are_reported_without_its_address() -> None:
    with pytest.raises(BulkError, match=r"queue in PostgreSQL cannot be used: gone$"):
        with queue_errors_as_bulk_errors(OSError):
            raise OSError("gone\nhost=secret")
    with queue_errors_as_bulk_errors(OSError):
        pass


def test_inputs_are_taken_as_they_are_needed() -> None:
    endless = encode_inputs(str(number) for number in itertools.count())
    assert [(row.row, row.given) for row in itertools.islice(endless, 2)] == [
        (1, b'"0"'),
        (2, b'"1"'),
    ]


@pytest.mark.parametrize("given", [object(), 1.5, None, True, ["a"], b"a"])
def test_an_input_is_text_a_number_or_a_mapping(given: object) -> None:
    with pytest.raises(ConfigurationError, match="invalid input"):
        next(encode_inputs([given]))  # type: ignore[list-item]


def test_come_back_says_when() -> None:
    assert str(RetryChunkLater(3.2)) == "retry in 3 s"
