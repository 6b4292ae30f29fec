"""Jobs: runs in the background that outlive requests, stops and crashes."""

from __future__ import annotations

import asyncio
import copy
import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from sample_provider import THING, SampleClient, Thing, ThingParams, reply

from lix_async.bulk import SqliteStore
from lix_async.core.errors import BulkError, ConfigurationError
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.integrations.fastapi import JobExistsError, Jobs
from lix_async.integrations.fastapi.job_store import JobStore, StoredJob

pytestmark = pytest.mark.anyio


class Vendor(SampleClient):
    """A client whose requests the test lets through."""

    def __init__(self, *answers: Any, **options: Any) -> None:
        super().__init__(*(answers or (self._thing,)), **options)
        self.asked = anyio.Event()
        self.open = anyio.Event()
        self.open.set()

    async def _thing(self, outgoing: HttpRequest) -> HttpResponse:
        self.asked.set()
        await self.open.wait()
        return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1]})

    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value

    def close(self) -> None:
        """Let no request through until `open` is set."""
        self.open = anyio.Event()


async def ended(jobs: Jobs, name: str) -> None:
    """Wait until this process runs a job no more."""
    while (own := jobs._running.get(name)) is not None:
        await own.task.wait()


def files(path: Path) -> list[str]:
    """The file, and what stands beside it."""
    return sorted(one.name for one in path.parent.glob(f"{path.name}*"))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


async def test_a_job_runs_in_the_background(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    async with jobs.running([vendor]):
        assert jobs.progress("a") is jobs.state("a") is None
        await jobs.start("a", vendor.get, map(str, range(5)), ledger=ledger)
        assert jobs.progress("a") is not None
        assert jobs.state("a") == "running"
        await ended(jobs, "a")
        assert jobs.state("a") == "ended"
        progress = jobs.progress("a")
        assert progress is not None
        assert (progress.done, progress.total, progress.credits) == (5, 5, 10)

        async def stream() -> AsyncIterator[str]:
            for number in range(4, 7):
                yield str(number)

        await jobs.start("a", vendor.get, stream(), ledger=str(ledger))
        await jobs.start("b", vendor.get, [{"id": "x"}], ledger=ledger, max_age=timedelta(days=1))
        await ended(jobs, "a")
        await ended(jobs, "b")
        again = jobs.progress("a")
        assert again is not None
        assert (again.done, again.cached) == (3, 1)
        assert jobs.names() == ["a", "b"]
    assert len(vendor.script.sent) == 8
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert files(path) == ["jobs.db"]


async def test_a_live_name_is_taken(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    vendor.close()
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, ["1"], ledger=ledger)
        with pytest.raises(JobExistsError, match="'a' is not over"):
            await jobs.start("a", vendor.get, ["2"], ledger=ledger)
        assert issubclass(JobExistsError, BulkError)
        await vendor.asked.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jobs.park, "a")
            await anyio.wait_all_tasks_blocked()
            vendor.open.set()
        with pytest.raises(JobExistsError):
            await jobs.start("a", vendor.get, ["2"], ledger=ledger)


async def test_a_stop_parks_and_a_start_goes_on(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    vendor.close()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(jobs.running([vendor]))
        await jobs.start("a", vendor.get, map(str, range(6)), ledger=ledger, concurrency=1)
        await vendor.asked.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stack.aclose)
            await anyio.wait_all_tasks_blocked()
            vendor.open.set()
    assert len(vendor.script.sent) == 1
    with pytest.raises(ConfigurationError, match=r"add setup\(app, …, jobs=jobs\)"):
        jobs.progress("a")
    later, other = Jobs(path), Vendor()
    async with later.running([other]):
        await ended(later, "a")
        progress = later.progress("a")
        assert progress is not None
        assert (progress.done, progress.cached, progress.in_doubt) == (6, 1, 0)
    assert len(other.script.sent) == 5
    async with Jobs(path).running([other]):
        pass
    assert len(other.script.sent) == 5, "it is over"


async def test_an_answer_that_does_not_come_is_given_up(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path, grace=0.0)
    vendor.close()
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, ["1"], ledger=ledger)
        await vendor.asked.wait()
    store = SqliteStore(ledger)
    await store.open_read_only()
    counts = await store.counts()
    await store.close()
    assert (counts.in_doubt, counts.done) == (1, 0)


async def test_a_parked_job_stays_parked_until_it_is_resumed(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    vendor.close()
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, map(str, range(3)), ledger=ledger, concurrency=1)
        await vendor.asked.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jobs.park, "a")
            await anyio.wait_all_tasks_blocked()
            vendor.open.set()
        progress = jobs.progress("a")
        assert progress is not None
        assert (progress.parked, progress.done) == ("parked", 1)
        assert jobs.state("a") == "parked"
        await jobs.park("a")
    other, jobs = Vendor(), Jobs(path)
    async with jobs.running([other]):
        assert jobs.progress("a") == progress
        await jobs.resume("a")
        await jobs.resume("a")
        await ended(jobs, "a")
        progress = jobs.progress("a")
        assert progress is not None
        assert (progress.parked, progress.done) == ("", 3)
        for wrong in (jobs.park, jobs.resume):
            with pytest.raises(ConfigurationError, match="unknown job 'b'"):
                await wrong("b")


async def test_a_job_of_a_process_that_died_is_taken_over_by_one(path: Path, ledger: Path) -> None:
    vendor = Vendor()
    dead = Jobs(path)
    dead._store.open()
    dead._clients = (vendor,)
    vendor.close()
    await dead.start("a", vendor.get, ["1", "2"], ledger=ledger)
    await vendor.asked.wait()
    other = Vendor()
    alive = Jobs(path)
    async with alive.running([other]):
        assert alive.names() == ["a"]
        assert alive._running == {}, "its process lives"
        progress = alive.progress("a")
        assert progress is not None
        assert (progress.total, progress.seen) == (2, 0)
    # Its process dies: the system releases its lock.
    own = dead._running["a"]
    own.run.park()
    vendor.open.set()
    dead._end = lambda *_, **__: None  # type: ignore[method-assign]  # the dead write nothing
    await own.task.wait()
    assert dead._store._lock is not None
    dead._store._lock.close()
    first, second = Jobs(path), Jobs(path)
    async with first.running([other]), second.running([other]):
        await ended(first, "a")
        await ended(second, "a")
        progress = second.progress("a")
        assert progress is not None
        assert progress.done == 2
    assert files(path) == ["jobs.db"]


async def test_another_process_can_park_a_job(path: Path, ledger: Path) -> None:
    vendor, jobs, other = Vendor(), Jobs(path), Jobs(path)
    ticks: list[float] = []
    tick = anyio.Event()

    class Clock(type(vendor.clock)):  # type: ignore[misc]  # that of the client
        async def sleep(self, seconds: float) -> None:
            ticks.append(seconds)
            await tick.wait()

    vendor.engine.clock = Clock()
    vendor.close()
    async with jobs.running([vendor]), other.running([vendor]):
        await jobs.start("a", vendor.get, ["1", "2"], ledger=ledger, concurrency=1)
        await vendor.asked.wait()
        await other.resume("a")
        assert other._running == {}
        await other.park("a")
        tick.set()
        while not jobs._running["a"].run.progress().parked:
            await anyio.lowlevel.checkpoint()
        vendor.open.set()
        await ended(jobs, "a")
        progress = other.progress("a")
        assert progress is not None
        assert (progress.parked, progress.done) == ("parked", 1)


async def test_a_job_is_resumed_while_it_is_being_parked(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    vendor.close()
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, ["1", "2"], ledger=ledger, concurrency=1)
        await vendor.asked.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jobs.park, "a")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(jobs.resume, "a")
            await anyio.wait_all_tasks_blocked()
            vendor.open.set()
        await ended(jobs, "a")
        assert jobs.state("a") == "ended"


@pytest.mark.parametrize("noticed", [False, True])
async def test_another_process_can_resume_what_it_has_parked(
    path: Path, ledger: Path, noticed: bool
) -> None:
    """Also before the process that runs the job has seen that it is to be parked."""
    vendor, jobs, other = Vendor(), Jobs(path), Jobs(path)
    ticks = anyio.Event()

    class Clock(type(vendor.clock)):  # type: ignore[misc]  # that of the client
        async def sleep(self, seconds: float) -> None:
            await ticks.wait()

    vendor.engine.clock = Clock()
    vendor.close()
    async with jobs.running([vendor]), other.running([vendor]):
        await jobs.start("a", vendor.get, ["1", "2"], ledger=ledger, concurrency=1)
        await vendor.asked.wait()
        own = jobs._running["a"]
        await other.park("a")
        if noticed:
            ticks.set()
            while not own.parking:
                await anyio.lowlevel.checkpoint()
        await other.resume("a")
        assert other._running == {}
        vendor.open.set()
        await own.task.wait()
        await ended(jobs, "a")
        assert jobs.state("a") == other.state("a") == "ended"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_start_that_is_cancelled_leaves_no_job_that_does_not_run(
    path: Path, ledger: Path
) -> None:
    """As by `asyncio.timeout` in a route, at any moment."""
    vendor, jobs = Vendor(), Jobs(path)
    started: list[str] = []
    async with jobs.running([vendor]):
        for steps in range(14):
            name = f"job {steps}"
            task = asyncio.ensure_future(jobs.start(name, vendor.get, ["1"], ledger=ledger))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await ended(jobs, name)
            started += [name] * (jobs.state(name) is not None)
        assert 0 < len(started) < 14
        assert {jobs.state(name) for name in started} == {"ended"}


async def test_a_job_that_is_resumed_while_the_application_stops_goes_on_at_the_next_start(
    path: Path, ledger: Path
) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(jobs.running([vendor]))
        await jobs.start("a", vendor.get, ["1"], ledger=ledger)
        await jobs.park("a")
        claim = jobs._store.claim

        def late(job: StoredJob) -> bool:
            jobs._clients = None  # as the end of the block does
            return claim(job)

        jobs._store.claim = late  # type: ignore[method-assign]
        await jobs.resume("a")
    assert jobs._running == {}
    jobs = Jobs(path)
    async with jobs.running([vendor]):
        await ended(jobs, "a")
        assert jobs.state("a") == "ended"


async def test_processes_that_fork_are_two_owners(path: Path, ledger: Path) -> None:
    """`Jobs` made before a fork is that of two processes: each may take over from the other."""
    parent = Jobs(path)
    first, second = copy.copy(parent), copy.copy(parent)
    second._store, second._running = copy.copy(parent._store), {}
    vendor = Vendor()
    vendor.close()
    async with first.running([vendor]), second.running([vendor]):
        assert first._store.token != second._store.token
        await first.start("a", vendor.get, ["1"], ledger=ledger)
        await vendor.asked.wait()
        assert not second._store.claim(next(iter(second._store.jobs("a"))))
        vendor.open.set()
        await ended(first, "a")
    assert files(path) == ["jobs.db"]


async def test_a_job_with_options_of_another_version_stops_no_start(
    path: Path, ledger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    vendor.close()
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, ["1"], ledger=ledger)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE job SET state = 'running', options = '{"pace": 3}'""")
    jobs = Jobs(path)
    async with jobs.running([vendor]):
        assert jobs.state("a") == "failed"
    assert "the job 'a' cannot go on" in caplog.text


async def test_an_error_ends_a_job_and_is_logged(
    path: Path, ledger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, ["1", "2"], ledger=ledger, max_credits=2)
        await ended(jobs, "a")
        progress = jobs.progress("a")
        assert progress is not None
        assert (progress.parked, progress.done) == ("BudgetError", 1)
        assert jobs.state("a") == "failed"
    assert "the job 'a' failed: " in caplog.text
    async with Jobs(path).running([vendor]):
        pass
    assert len(vendor.script.sent) == 1, "it does not go on by itself"
    async with (jobs := Jobs(path)).running([vendor]):
        await jobs.resume("a")
        await ended(jobs, "a")
    assert len(vendor.script.sent) == 1, "the budget holds over restarts"


async def test_a_job_without_its_client_is_reported(
    path: Path, ledger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vendor, jobs = Vendor(), Jobs(path, grace=0.0)
    vendor.close()
    async with jobs.running([vendor]):
        await jobs.start("a", vendor.get, ["1"], ledger=ledger)
    async with (jobs := Jobs(path)).running([]):
        assert jobs._running == {}
        with pytest.raises(ConfigurationError, match=r"Vendor\.get"):
            await jobs.resume("a")
    assert "the job 'a' cannot go on: no client with the method Vendor.get" in caplog.text
    async with (jobs := Jobs(path)).running([Vendor()]):
        await jobs.resume("a")
        await ended(jobs, "a")


async def test_wrong_arguments(path: Path, ledger: Path) -> None:
    vendor, jobs = Vendor(), Jobs(path)
    view = vendor.with_options(deadline=1.0)

    async def start(method: Any = vendor.get, inputs: Any = ("1",), **options: Any) -> None:
        await jobs.start("a", method, inputs, **{"ledger": ledger, **options})

    with pytest.raises(ConfigurationError, match="add setup"):
        await start()
    async with jobs.running([vendor]):
        for arguments, message in (
            ({"method": view.get}, "not of a view"),
            ({"method": print}, "expected a method of a client"),
            ({"inputs": "one text"}, "inputs must be a list"),
            ({"inputs": ["\x00"]}, "the input"),
            ({"ledger": SqliteStore(ledger)}, "ledger"),
            ({"doubts": lambda entry: "retry"}, "a function cannot be kept"),
            ({"concurrency": 0}, "concurrency"),
        ):
            with pytest.raises(ConfigurationError, match=message):
                await start(**arguments)
        with pytest.raises(ConfigurationError, match="name"):
            await jobs.start(1, vendor.get, ["1"], ledger=ledger)  # type: ignore[arg-type]
        assert jobs.names() == []
    for wrong in ({"store": 1}, {"store": "x", "grace": "1"}):
        with pytest.raises(ConfigurationError):
            Jobs(**wrong)  # type: ignore[arg-type]


@pytest.fixture(params=["a folder", "another file"])
def unusable(request: pytest.FixtureRequest, path: Path) -> Path:
    if request.param == "a folder":
        path.mkdir()
    else:
        path.write_text("a text that is no database " * 100)
    return path


async def test_a_file_that_cannot_be_used(unusable: Path) -> None:
    with pytest.raises(ConfigurationError, match="the file of the jobs cannot be used"):
        async with Jobs(unusable).running([]):
            pass


async def test_a_full_disk_stops_no_job(
    path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sqlite3

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    vendor, jobs = Vendor(), Jobs(path)
    async with jobs.running([vendor]):
        monkeypatch.setattr(JobStore, "note", full)
        monkeypatch.setattr(JobStore, "end", full)
        await jobs.start("a", vendor.get, ["1"], ledger=ledger)
        await ended(jobs, "a")
    assert len(vendor.script.sent) == 1
    assert "disk is full" in caplog.text
