"""A task that runs beside an object which is used without `async with`.

anyio has no such thing on purpose: a task should not outlive the block that started it. A plain
`async for outcome in run` has no block. So the task lives with the event loop, ends by itself
when its work is done, and is cancelled with the loop or by `cancel()`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable

import anyio


class BackgroundTask:
    """Runs `work` at once. `work` must not raise: it has nobody to raise to."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._work = work
        asyncio = sys.modules.get("asyncio")
        self._call_soon: Callable[[Callable[[], object]], object]
        if asyncio is not None and (loop := asyncio._get_running_loop()) is not None:
            self._task = asyncio.ensure_future(self._run())
            self._call_soon = loop.call_soon_threadsafe
        else:
            lowlevel = sys.modules["trio"].lowlevel
            lowlevel.spawn_system_task(self._run)
            self._call_soon = lowlevel.current_trio_token().run_sync_soon

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._work()
        finally:
            self._done.set()

    def soon(self, work: Callable[[], object]) -> None:
        """Do something on the loop, from any thread; nothing when the task has ended."""
        if not self._done.is_set():
            with contextlib.suppress(RuntimeError):  # also trio's RunFinishedError
                self._call_soon(work)

    def end(self) -> None:
        """End the task, without waiting for it."""
        self._scope.cancel()

    async def cancel(self) -> None:
        """End the task and wait until it has ended."""
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._done.wait()
