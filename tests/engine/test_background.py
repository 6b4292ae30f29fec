"""A task beside an object that is used without `async with`."""

from __future__ import annotations

import anyio
import pytest

from lix_async.engine.background import Background

pytestmark = pytest.mark.anyio


async def test_work_begins_at_once_and_ends_by_itself():
    begun, finish, ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def work() -> None:
        begun.set()
        await finish.wait()
        ended.set()

    Background(work)
    await begun.wait()
    finish.set()
    await ended.wait()


async def test_cancelling_waits_until_the_work_has_cleaned_up():
    begun, cleaned = anyio.Event(), anyio.Event()

    async def work() -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.set()

    background = Background(work)
    await begun.wait()
    await background.cancel()
    assert cleaned.is_set()
    await background.cancel()


async def test_cancelling_ends_the_work_also_where_the_caller_is_cancelled():
    cleaned = anyio.Event()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.set()

    background = Background(work)
    await anyio.wait_all_tasks_blocked()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await background.cancel()
    assert cleaned.is_set()
