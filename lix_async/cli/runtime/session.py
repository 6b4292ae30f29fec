"""Running one command's work: a client, a progress line, signals, and an exit code at the end.

The first Ctrl-C or SIGTERM lets no further request go out and waits some seconds for the answer
under way, which may be paid for. The second one ends everything at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import anyio.abc

from ...core.errors import LixError
from .. import console
from ..errors import INTERRUPTED, OK, TERMINATED, CommandError, Interrupted, command_error_for
from ..options import ConnectionOptions
from . import clients
from .activity import ActivityMonitor
from .progress import TICK, ProgressCounts, ProgressLine

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

DRAIN = 5.0
"""Seconds that an answer under way is waited for after a signal."""


class CommandSession:
    """What a command's work has at hand."""

    def __init__(self, lix: AsyncLix, watch: ActivityMonitor, progress: ProgressLine) -> None:
        self.lix = lix
        self.watch = watch
        self.progress = progress
        self.tally = progress.tally
        self.go_on = ""
        """What to tell a person whose run was stopped: how to go on."""


Work = Callable[[CommandSession], Awaitable[int]]


def run_command(
    work: Work,
    connection: ConnectionOptions,
    tally: ProgressCounts,
    *,
    quiet: bool,
    live: bool = True,
    make: Callable[[ConnectionOptions, ActivityMonitor], AsyncLix] = clients.client,
) -> int:
    """Do a command's work under signals; the exit code. Errors are told here, in one line."""
    watch = ActivityMonitor()
    lix = make(connection, watch)
    progress = ProgressLine(tally, watch, show=live and not quiet)
    return anyio.run(_run, work, CommandSession(lix, watch, progress))


async def _run(work: Work, session: CommandSession) -> int:
    stop = SignalHandler(session)
    try:
        async with session.lix:
            code, trouble = await _supervised(work, session, stop)
    finally:
        session.progress.stop()
    if trouble is not None:
        console.print_error(trouble)
    elif code in (INTERRUPTED, TERMINATED):
        console.print_note("stopped")
    if code != OK and session.go_on:
        console.print_note(session.go_on)
    return code


async def _supervised(
    work: Work, session: CommandSession, stop: SignalHandler
) -> tuple[int, CommandError | None]:
    code, trouble = OK, None
    async with anyio.create_task_group() as tasks:
        await tasks.start(stop.listen, tasks)
        if session.progress.shown:
            session.progress.start()
            tasks.start_soon(_ticking, session)
        with stop.scope:
            try:
                code = await work(session)
            except Interrupted:
                code = stop.code
            except BrokenPipeError:
                code = OK
            except CommandError as error:
                trouble = error
            except LixError as error:
                trouble = command_error_for(error)
        if stop.scope.cancelled_caught:
            code = stop.code
        tasks.cancel_scope.cancel()
    return (code, None) if trouble is None else (trouble.code, trouble)


async def _ticking(session: CommandSession) -> None:
    while True:
        session.progress.tick()
        await session.watch.clock.sleep(TICK)


class SignalHandler:
    """Waits for signals, and stops a session by them."""

    def __init__(self, session: CommandSession) -> None:
        self.scope = anyio.CancelScope()
        self.code = INTERRUPTED
        """What the command ends with when it was stopped."""
        self._session = session
        self._asked = False

    async def listen(
        self,
        tasks: anyio.abc.TaskGroup,
        *,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Take over Ctrl-C and SIGTERM, where this thread and system allow it."""
        if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
            task_status.started()
            return
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                self.code = 128 + number
                if self._asked:
                    self._session.progress.stop()
                    os._exit(self.code)
                self._asked = True
                self._session.watch.stop()
                tasks.start_soon(self._drain)

    async def _drain(self) -> None:
        await self._session.watch.clock.sleep(DRAIN)
        self.scope.cancel()


def run_until_signal(work: Callable[[], Awaitable[int]]) -> int:
    """Do it; its exit code, or that of the signal which ended it."""
    return anyio.run(_run_until_signal, work)


async def _run_until_signal(work: Callable[[], Awaitable[int]]) -> int:
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
