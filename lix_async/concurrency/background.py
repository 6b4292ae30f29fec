"""A background task that needs no task group.

anyio offers none on purpose: a task should not outlive the block that started it. A plain
`async for outcome in run` has no such block, so this task belongs to the event loop. It ends when
its work is done, and is cancelled by `cancel()` or with the loop.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
from collections.abc import Awaitable, Callable

import anyio

from .event_loop import is_asyncio, running_loop, threadsafe_callback, wait_through


class BackgroundTask:
    """Runs `work` from construction on. `work` must not raise: nothing receives its error."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._work = work
        self._call_soon = threadsafe_callback()
        loop = running_loop()
        if is_asyncio(loop):
            self._task = loop.create_task(self._run())  # asyncio itself keeps no reference
        else:
            context = contextvars.copy_context()  # as asyncio does
            sys.modules["trio"].lowlevel.spawn_system_task(self._run, context=context)

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._work()
        finally:
            self._done.set()

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call a function on the task's loop, from any thread; ignored once the task has ended."""
        if not self._done.is_set():
            with contextlib.suppress(RuntimeError):  # the loop has ended; also trio's
                self._call_soon(function)

    def end(self, grace: float = 0.0) -> None:
        """Cancel the task, if it has not ended after `grace` seconds, without waiting for it."""
        if grace > 0:
            self._scope.deadline = anyio.current_time() + grace
        else:
            self._scope.cancel()

    @property
    def done(self) -> bool:
        """Whether the task has ended."""
        return self._done.is_set()

    async def wait(self) -> None:
        """Wait until the task has ended by itself."""
        await self._done.wait()

    async def cancel(self) -> None:
        """Cancel the task and wait until it has ended."""
        self._scope.cancel()
        await self.join()

    async def join(self) -> None:
        """Wait until the task has ended, although the caller is cancelled."""
        await wait_through(self._done)
