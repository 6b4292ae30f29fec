"""A background task without a task group."""

from __future__ import annotations

import threading

import anyio
import pytest

from lix_async.concurrency.background import BackgroundTask

pytestmark = pytest.mark.anyio


async def test_work_starts_at_once_and_ends_by_itself():
    started, finish, ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def work() -> None:
        started.set()
        await finish.wait()
        ended.set()

    BackgroundTask(work)
    await started.wait()
    finish.set()
    await ended.wait()


async def test_cancelling_waits_until_the_work_has_cleaned_up():
    started, cleaned = anyio.Event(), anyio.Event()

    async def work() -> None:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.set()

    background = BackgroundTask(work)
    await started.wait()
    await background.cancel()
    assert cleaned.is_set()
    await background.cancel()


async def test_cancelling_ends_the_work_even_where_the_caller_is_cancelled():
    cleaned = anyio.Event()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.set()

    background = BackgroundTask(work)
    await anyio.wait_all_tasks_blocked()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await background.cancel()
    assert cleaned.is_set()


async def test_a_function_can_be_called_from_another_thread() -> None:
    called = anyio.Event()
    task = BackgroundTask(anyio.sleep_forever)
    thread = threading.Thread(target=task.call_soon, args=(called.set,))
    thread.start()
    await called.wait()
    thread.join()
    await task.cancel()


async def test_end_does_not_wait_and_later_calls_are_ignored() -> None:
    ended = anyio.Event()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    task = BackgroundTask(work)
    await anyio.lowlevel.checkpoint()
    task.end()
    await ended.wait()
    await task.cancel()
    calls: list[int] = []
    task.call_soon(lambda: calls.append(1))
    await anyio.lowlevel.checkpoint()
    assert calls == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls_after_the_end_of_the_loop_are_ignored(backend: str) -> None:
    tasks: list[BackgroundTask] = []

    async def work() -> None:
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()

    async def main() -> None:
        tasks.append(BackgroundTask(work))

    anyio.run(main, backend=backend)
    tasks[0]._done = anyio.Event()  # as if it had not ended
    tasks[0].call_soon(lambda: pytest.fail("it was called"))
