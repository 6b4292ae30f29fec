"""A task that runs beside an object which is used without `async with`.

anyio has no such thing on purpose: a task should not outlive the block that started it. A plain
`async for outcome in run` has no block. So the task lives with the event loop, ends by itself
when its work is done, and is cancelled with the loop or by `cancel()`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import anyio


class Background:
    """Runs `work` at once. `work` must not raise: it has nobody to raise to."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._work = work
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and asyncio._get_running_loop() is not None:
            self._task = asyncio.ensure_future(self._run())
        else:
            sys.modules["trio"].lowlevel.spawn_system_task(self._run)

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._work()
        finally:
            self._done.set()

    async def cancel(self) -> None:
        """End the task and wait until it has ended."""
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._done.wait()
