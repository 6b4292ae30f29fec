"""The event loop and process that an object belongs to."""

from __future__ import annotations

import asyncio
import os
import sys

import anyio
import anyio.lowlevel
import pytest
import trio
from sample_provider import LOST, THING, SampleClient, ThingParams, reply

from lix_async.concurrency.event_loop import EventLoopBinding, new_event, wait_through
from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import RateLimit

pytestmark = pytest.mark.anyio


async def test_the_first_use_binds_to_the_loop():
    binding = EventLoopBinding()
    assert [binding.check(), binding.check()] == [False, False]
    binding.unbind()
    assert binding.check() is False


def check_on_new_loop(binding: EventLoopBinding) -> bool:
    async def check() -> bool:
        return binding.check()

    return asyncio.run(check())


def test_a_new_loop_replaces_one_that_ended():
    binding = EventLoopBinding()
    assert [check_on_new_loop(binding), check_on_new_loop(binding)] == [False, True]

    async def check() -> bool:
        return binding.check()

    assert [trio.run(check), trio.run(check), check_on_new_loop(binding)] == [True, True, True]


def test_without_a_running_loop_an_error_is_raised(monkeypatch):
    with pytest.raises(ConfigurationError, match="no event loop is running"):
        EventLoopBinding().check()
    monkeypatch.delitem(sys.modules, "trio")
    with pytest.raises(ConfigurationError, match="no event loop is running"):
        EventLoopBinding().check()
    monkeypatch.delitem(sys.modules, "asyncio")
    with pytest.raises(ConfigurationError, match="no event loop is running"):
        EventLoopBinding().check()


async def test_a_loop_in_another_thread_is_rejected():
    binding = EventLoopBinding()
    binding.check()
    for run in (lambda: check_on_new_loop(binding), lambda: trio.run(check, binding)):
        with pytest.raises(ConfigurationError, match="make one for each loop"):
            await anyio.to_thread.run_sync(run)


def test_another_process_is_rejected_although_the_loop_is_the_same_object(monkeypatch):
    binding = EventLoopBinding()

    async def fork() -> None:
        binding.check()
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(ConfigurationError, match="forked: make one in the child"):
            binding.check()

    asyncio.run(fork())


async def check(binding: EventLoopBinding) -> bool:
    return binding.check()


def in_child(work) -> int:
    """Run work in a forked child: 0 for a ConfigurationError about the fork, 1 for no error."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
        except ConfigurationError as error:
            code = 0 if "forked: make one in the child" in str(error) else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_client_in_use_is_rejected_in_a_forked_child():
    lix = SampleClient(reply(), rate_limit=RateLimit(100, per=1))

    async def call() -> None:
        await lix.send(THING, ThingParams(id="1"))

    asyncio.run(call())
    assert in_child(lambda: asyncio.run(call())) == 0
    asyncio.run(call())


def test_a_client_that_was_not_used_before_the_fork_works_in_the_child():
    lix = SampleClient(reply(), rate_limit=RateLimit(100, per=1))

    async def call() -> None:
        await lix.send(THING, ThingParams(id="1"))

    assert in_child(lambda: asyncio.run(call())) == 1  # no error


def test_a_client_can_be_used_on_one_loop_after_the_other():
    lix = SampleClient(LOST, reply(), rate_limit=RateLimit(100, per=1))

    async def call() -> int:
        return (await lix.send(THING, ThingParams(id="1"))).attempts

    assert [asyncio.run(call()), trio.run(call), asyncio.run(call())] == [2, 1, 1]


async def test_an_event_wakes_its_task_once_it_is_set():
    event = new_event()
    woken = anyio.Event()

    async def wait() -> None:
        await event.wait()
        woken.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        assert not event.is_set()
        event.set()
        event.set()
        await woken.wait()
    assert event.is_set()
    await event.wait()  # at once


async def test_an_event_can_be_waited_for_again_after_a_cancellation():
    event = new_event()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await event.wait()
    assert scope.cancelled_caught
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_through, event)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.lowlevel.cancel_shielded_checkpoint()
            event.set()
    assert event.is_set()
