"""Jobs that wait in a queue are done by later workers, and are paid for once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from lix_async import bulk
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .written import EPOCH, WORLD, L, read, requested

NAME = "written_jobs"
INPUTS: list[Any] = [f"{L}/in/person-23", {"email": "body-14@example.com"}]


class ReportingSandbox(Sandbox):
    """Sets `answered` when all inputs were answered."""

    def __init__(self) -> None:
        super().__init__(**WORLD, wall=lambda: EPOCH)
        self.answered = anyio.Event()

    def handle(self, *given: Any) -> Any:
        reply = super().handle(*given)
        if len(self.ledger) == len(INPUTS):
            self.answered.set()
        return reply


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:
    """A database of this test's own: the queues keep their tables in `public`."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
        yield postgres_dsn.replace("/postgres?", f"/{NAME}?")
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


async def work(worker: Callable[..., Awaitable[None]], dsn: str) -> None:
    """Let a worker do the job; then everything is in the ledger, paid for once."""
    sandbox = ReportingSandbox()
    async with memory_client(sandbox) as lix:
        working = asyncio.ensure_future(worker(dsn, lix))
        answered = asyncio.ensure_future(sandbox.answered.wait())
        await asyncio.wait([working, answered], timeout=30, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working  # raises what ended it
        assert answered.done()
        async with bulk.Run(dsn, lix.people.get, INPUTS) as run:  # waits for calls in flight
            found = [(one.state, one.cached) async for one in run]
        working.cancel()
        await asyncio.wait([working])
    assert found == [("done", True)] * len(INPUTS)
    assert len(requested(sandbox, "person.get")) == len(INPUTS)


def test_a_job_of_pgqueuer(dsn: str) -> None:
    pytest.importorskip("pgqueuer")
    import psycopg
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.queries import Queries

    from lix_async.integrations import pgqueuer

    job = read("jobs/pgqueuer.json")

    async def main() -> None:
        await pgqueuer.submit(dsn, "people.get", [])  # makes the tables
        connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
        async with connection, PsycopgDriver(connection) as driver:
            await Queries(driver).enqueue(job["entrypoint"], job["payload"].encode())
        await work(pgqueuer.worker, dsn)

    asyncio.run(main())


def test_a_job_of_procrastinate(dsn: str) -> None:
    pytest.importorskip("procrastinate")
    from procrastinate import App, PsycopgConnector

    from lix_async.integrations import procrastinate

    job = read("jobs/procrastinate.json")

    async def main() -> None:
        await procrastinate.submit(dsn, "people.get", [])  # makes the tables
        app = App(connector=PsycopgConnector(conninfo=dsn))
        async with app.open_async():
            task = app.configure_task(job["task_name"], queue=job["queue_name"])
            await task.defer_async(**job["args"])
        await work(procrastinate.worker, dsn)

    asyncio.run(main())


@pytest.mark.anyio
async def test_a_task_of_another_queue(tmp_path: Path, sandbox: Sandbox) -> None:
    """What a task of examples/taskiq_tasks.py carries: the inputs of `bulk.chunk`."""
    [links] = read("jobs/taskiq.json")["args"]
    async with memory_client(sandbox) as lix, bulk.SqliteStore(tmp_path / "x.db") as store:
        for cached in (False, True):
            [one] = await bulk.chunk(store, lix.people.get, links)
            assert (one.state, one.cached) == ("done", cached)
    assert len(requested(sandbox, "person.get")) == 1
