"""Jobs run in one thread, in order, and in batches where they wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import anyio
import pytest

from lix_async.concurrency.worker_thread import WorkerThread
from lix_async.core.errors import ConfigurationError

pytestmark = pytest.mark.anyio
Job = Callable[[], object]


class FinalError(Exception):
    """An error that every job would meet."""


class Handler:
    """Calls jobs, and records the size of each batch and the thread of each close."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.closed = threading.Semaphore(0)
        self.threads: list[int] = []

    def run(self, jobs: Sequence[Job]) -> list[object]:
        self.batches.append(len(jobs))
        self.threads.append(threading.get_ident())
        return [job() for job in jobs]

    def error_for(self, error: Exception) -> Exception:
        return type(error)(f"copy of {error}")

    def close(self) -> None:
        self.closed.release()


def fail(error: Exception) -> Job:
    def job() -> None:
        raise error

    return job


async def run_together(thread: WorkerThread[Job], *jobs: Job) -> dict[int, object]:
    """The results of jobs that all wait while the thread is busy; an error is a result."""
    busy = threading.Event()
    results: dict[int, object] = {}

    async def run(number: int, job: Job) -> None:
        try:
            results[number] = await thread.run(job)
        except Exception as error:
            results[number] = error

    async with anyio.create_task_group() as group:
        thread.post(busy.wait)
        for number, job in enumerate(jobs):
            group.start_soon(run, number, job)
        await anyio.wait_all_tasks_blocked()
        busy.set()
    return results


async def test_jobs_run_in_one_thread_and_return_their_results():
    handler = Handler()
    thread = WorkerThread(handler, "test")
    assert [await thread.run(lambda n=n: n) for n in range(3)] == [0, 1, 2]
    await thread.close()
    assert handler.batches == [1, 1, 1]
    assert len(set(handler.threads)) == 1
    assert handler.threads[0] != threading.get_ident()


async def test_jobs_that_wait_are_run_in_batches():
    handler = Handler()
    thread = WorkerThread(handler, "test", max_batch=3)
    results = await run_together(thread, *(lambda n=n: n for n in range(5)))
    await thread.close()
    assert results == {n: n for n in range(5)}
    assert handler.batches == [1, 3, 2]


async def test_a_failed_batch_is_run_job_by_job():
    handler = Handler()
    thread = WorkerThread(handler, "test", max_batch=3)
    results = await run_together(thread, lambda: 1, fail(ValueError("bad")), lambda: 3)
    await thread.close()
    assert (results[0], results[2]) == (1, 3)
    assert repr(results[1]) == "ValueError('copy of bad')"
    assert handler.batches == [1, 3, 1, 1, 1]


async def test_after_a_final_error_no_job_is_run_again_and_each_caller_gets_its_own_error():
    handler = Handler()
    thread = WorkerThread(handler, "test", max_batch=3, final_error=FinalError)
    results = await run_together(thread, lambda: 1, fail(FinalError("away")), lambda: 3)
    await thread.close()
    assert {repr(error) for error in results.values()} == {"FinalError('copy of away')"}
    assert len({id(error) for error in results.values()}) == 3
    assert handler.batches == [1, 3]


async def test_the_error_of_a_posted_job_is_dropped():
    thread = WorkerThread(Handler(), "test")
    thread.post(fail(ValueError("bad")))
    assert await thread.run(lambda: "next") == "next"
    await thread.close()


async def test_close_runs_what_was_posted_and_the_next_job_starts_another_thread():
    handler = Handler()
    thread = WorkerThread(handler, "test")
    await thread.close()
    assert not handler.closed.acquire(blocking=False), "no thread was running"
    done: list[int] = []
    thread.post(lambda: done.append(1))
    thread.post(lambda: done.append(2))
    await thread.close()
    assert done == [1, 2]
    assert handler.closed.acquire(blocking=False)
    assert await thread.run(lambda: "again") == "again"
    await thread.close()
    assert handler.closed.acquire(blocking=False)


async def test_jobs_posted_while_it_closes_are_run_before_the_thread_ends():
    handler = Handler()
    thread = WorkerThread(handler, "test")
    done: list[int] = []
    busy = threading.Event()
    thread.post(busy.wait)
    async with anyio.create_task_group() as group:
        group.start_soon(thread.close)
        await anyio.wait_all_tasks_blocked()
        thread.post(lambda: done.append(1))
        busy.set()
    assert done == [1]
    assert handler.closed.acquire(blocking=False)
    assert not handler.closed.acquire(blocking=False)


async def test_an_idle_thread_closes_the_connection():
    handler = Handler()
    thread = WorkerThread(handler, "test", idle_timeout=0.01)
    assert await thread.run(lambda: 1) == 1
    assert await anyio.to_thread.run_sync(handler.closed.acquire, True, 5.0)
    assert await thread.run(lambda: 2) == 2
    await thread.close()


@pytest.mark.parametrize("shield", [False, True])
async def test_a_cancelled_caller_leaves_unless_it_is_shielded(shield):
    thread = WorkerThread(Handler(), "test", shield=shield)
    busy = threading.Event()
    finished: list[object] = []

    async def call() -> None:
        finished.append(await thread.run(lambda: "result"))

    async with anyio.create_task_group() as group:
        thread.post(busy.wait)
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
        if shield:
            busy.set()
    busy.set()
    assert finished == (["result"] if shield else [])
    await thread.close()


async def test_a_job_needs_a_running_event_loop():
    thread = WorkerThread(Handler(), "test")

    def call() -> None:
        with pytest.raises(StopIteration):
            thread.run(lambda: 1).send(None)

    with pytest.raises(ConfigurationError, match="no event loop is running"):
        await anyio.to_thread.run_sync(call)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_thread_outlives_an_event_loop_that_ended(backend):
    thread = WorkerThread(Handler(), "test")
    busy = threading.Event()

    async def abandon() -> None:
        with anyio.move_on_after(0):
            await thread.run(busy.wait)

    async def call() -> object:
        busy.set()
        result = await thread.run(lambda: "alive")
        await thread.close()
        return result

    anyio.run(abandon, backend=backend)
    assert anyio.run(call, backend=backend) == "alive"


@pytest.mark.parametrize("busy", [False, True])
async def test_a_periodic_call_comes_with_and_without_jobs(busy: bool) -> None:
    handler, called = Handler(), threading.Semaphore(0)
    thread = WorkerThread[Job](handler, "periodic", periodic=called.release, interval=0.001)
    await thread.run(lambda: None)
    for _ in range(3):
        while busy and not called.acquire(blocking=False):
            await thread.run(lambda: None)
        if not busy:
            assert await anyio.to_thread.run_sync(called.acquire, True, 5)
    await thread.close()
    assert handler.closed.acquire(timeout=5)


async def test_a_thread_that_could_not_be_started_is_started_by_the_next_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []
    thread = WorkerThread(Handler(), "jobs", idle_timeout=1.0)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            await thread.run(lambda: ran.append("first"))
    await thread.run(lambda: ran.append("second"))
    assert ran == ["second"], "the caller of the other one has got an error"
    await thread.close()
