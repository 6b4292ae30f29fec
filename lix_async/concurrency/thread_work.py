"""What other threads do for the tasks of an event loop, which such tasks wait for.

A virtual clock jumps when every task waits. A task that waits for a thread will go on by itself,
so the clock asks here first. Each loop is counted in its own thread alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from .event_loop import is_asyncio, running_loop

if TYPE_CHECKING:
    from .event_loop import Loop

ROUNDS = 50
"""Rounds of asyncio's loop after which tasks that wait for no other thing have come to a wait."""
Arguments = ParamSpec("Arguments")
R = TypeVar("R")


class LoopCounter:
    """A number for each event loop."""

    def __init__(self) -> None:
        self._numbers: dict[Loop, int] = {}

    def begin(self, loop: Loop) -> None:
        """Add one, in the thread of the loop."""
        self._numbers[loop] = self._numbers.get(loop, 0) + 1
        if _changed:
            _report_change(loop)

    def end(self, loop: Loop) -> None:
        """Subtract one, in the thread of the loop."""
        left = self._numbers[loop] - 1
        if left:
            self._numbers[loop] = left
        else:
            del self._numbers[loop]
        if _changed:
            _report_change(loop)

    def of(self, loop: Loop) -> int:
        """The number of a loop."""
        return self._numbers.get(loop, 0)


jobs = LoopCounter()
"""Work in threads that tasks wait for."""
inputs = LoopCounter()
"""Inputs that tasks wait for, and that a caller's thread takes from its iterator."""
calls = LoopCounter()
"""Calls that other threads wait for."""
_changed: dict[Loop, anyio.Event] = {}


def _report_change(loop: Loop) -> None:
    if (event := _changed.pop(loop, None)) is not None:
        event.set()


def is_under_way(loop: Loop) -> bool:
    """Whether a thread works for a task of a loop.

    A thread that takes an input may make a call for it: then the work is that of the call, which
    may wait for a clock.
    """
    taken = inputs.of(loop)
    return jobs.of(loop) > 0 or 0 < calls.of(loop) <= taken


async def wait_until_idle() -> None:
    """Wait until all tasks of this event loop wait, and none of them for a thread."""
    loop = running_loop()
    await _wait_until_blocked(loop)
    while is_under_way(loop):
        await _changed.setdefault(loop, anyio.Event()).wait()
        await _wait_until_blocked(loop)


async def _wait_until_blocked(loop: Loop) -> None:
    if is_asyncio(loop):
        # Where a task can run, anyio looks again after 0.1 s: let it run first.
        for _ in range(ROUNDS):
            await anyio.lowlevel.checkpoint()
    await anyio.wait_all_tasks_blocked()


@contextlib.contextmanager
def job() -> Generator[None]:
    """A block in which a task waits for a thread."""
    loop = running_loop()
    jobs.begin(loop)
    try:
        yield
    finally:
        jobs.end(loop)


async def in_thread(
    function: Callable[Arguments, R], /, *args: Arguments.args, **kwargs: Arguments.kwargs
) -> R:
    """Call a blocking function in a thread, and wait for its end also where it is cancelled."""
    with job():
        return await anyio.to_thread.run_sync(partial(function, *args, **kwargs))
