"""Doing a command's work so that a signal ends it in order: what was begun aside is cleared away.

For work that sends nothing to a provider; what may be paid for runs in a `Session`.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.abc

from .errors import OK


def calmly(work: Callable[[], Awaitable[int]]) -> int:
    """Do it; its exit code, or that of the signal which ended it."""
    return anyio.run(_run, work)


async def _run(work: Callable[[], Awaitable[int]]) -> int:
    code = OK
    failure: Exception | None = None
    ended: list[int] = []
    async with anyio.create_task_group() as tasks:
        await tasks.start(_listen, tasks.cancel_scope, ended)
        try:
            code = await work()
        except Exception as error:  # noqa: BLE001  # raised below, as itself
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return 128 + ended[0] if ended else code


async def _listen(
    scope: anyio.CancelScope,
    ended: list[int],
    *,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        task_status.started()
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            ended.append(number)
            scope.cancel()
            return
