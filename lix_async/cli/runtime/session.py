"""Running a command's work: a client, a progress line, signals, and an exit code.

The first Ctrl-C or SIGTERM stops new requests, and answers in flight, which may be charged, are
awaited for a few seconds. The second one ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc

from ...core.errors import LixError
from .. import console, interrupts
from ..errors import INTERRUPTED, OK, TERMINATED, CommandError, Interrupted, command_error_for
from ..options import ConnectionOptions
from . import clients
from .activity import ActivityMonitor
from .progress import REFRESH_INTERVAL, ProgressCounts, ProgressLine

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

DRAIN_PERIOD = 5.0
"""Seconds to wait for answers in flight after a signal."""


class CommandSession:
    """What a command's work uses."""

    def __init__(self, lix: AsyncLix, monitor: ActivityMonitor, progress: ProgressLine) -> None:
        self.lix = lix
        self.monitor = monitor
        self.progress = progress
        self.counts = progress.counts
        self.resume_hint = ""
        """Printed when the run was stopped or failed: how to continue."""

    def print_note(self, text: str) -> None:
        """Print a line on stderr, above the progress line."""
        self.progress.stop()
        console.print_note(text)
        self.progress.start()


Work = Callable[[CommandSession], Awaitable[int]]


def run_command(
    work: Work,
    connection: ConnectionOptions,
    counts: ProgressCounts,
    *,
    quiet: bool,
    live: bool = True,
    make_client: Callable[[ConnectionOptions, ActivityMonitor], AsyncLix] = clients.lix_client,
) -> int:
    """Run a command's work, and print its errors.

    Args:
        work: The work; its result is the exit code.
        connection: The connection options.
        counts: What the progress line shows.
        quiet: Whether to print no progress.
        live: Whether a progress line may be shown.
        make_client: Makes the client.

    Returns:
        The exit code: of the work, of its error, or of the signal that stopped it.
    """
    monitor = ActivityMonitor()
    lix = make_client(connection, monitor)
    progress = ProgressLine(counts, monitor, show=live and not quiet)
    return anyio.run(_run, work, CommandSession(lix, monitor, progress))


async def _run(work: Work, session: CommandSession) -> int:
    handler = SignalHandler(session)
    code = OK
    error: CommandError | None = None
    try:
        async with session.lix:
            try:
                code = await _run_in_scope(
                    partial(work, session), handler, partial(_refresh_progress, session)
                )
            except Interrupted:
                code = handler.code
            except BrokenPipeError:
                code = OK
            except CommandError as failure:
                error = failure
            except LixError as failure:
                error = command_error_for(failure)
    finally:
        session.progress.stop()
    if error is not None:
        code = error.code
        console.print_error(error)
    elif code in (INTERRUPTED, TERMINATED):
        console.print_note("stopped")
    if code != OK and session.resume_hint:
        console.print_note(session.resume_hint)
    return code


def run_until_signal(work: Callable[[], Awaitable[int]]) -> int:
    """Run work that a signal ends at once.

    Returns:
        The exit code of the work, or that of the signal which ended it.
    """

    async def run() -> int:
        return await _run_in_scope(work, SignalHandler())

    return anyio.run(run)


async def _run_in_scope(
    work: Callable[[], Awaitable[int]],
    handler: SignalHandler,
    background: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> int:
    """Run work that a handler can cancel. Its exceptions are raised outside of the task group."""
    failure: Exception | None = None
    code = OK
    async with anyio.create_task_group() as tasks:
        await tasks.start(handler.listen, tasks)
        if background is not None:
            tasks.start_soon(background)
        with handler.scope:
            try:
                code = await work()
            except Exception as error:  # noqa: BLE001  # raised below, outside of the task group
                failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return handler.code if handler.scope.cancelled_caught else code


async def _refresh_progress(session: CommandSession) -> None:
    if not session.progress.shown:
        return
    session.progress.start()
    while True:
        session.progress.refresh()
        await session.monitor.clock.sleep(REFRESH_INTERVAL)


class SignalHandler:
    """Ends a command's work on Ctrl-C or SIGTERM.

    With a session, the first signal stops new requests and cancels the work `DRAIN_PERIOD` seconds
    later, and the second signal ends the process. Without a session, the first signal cancels the
    work at once.
    """

    def __init__(self, session: CommandSession | None = None) -> None:
        self.scope = anyio.CancelScope()
        """The scope in which the work runs."""
        self.code = INTERRUPTED
        """The exit code of a command that was stopped."""
        self._session = session

    async def listen(
        self,
        tasks: anyio.abc.TaskGroup,
        *,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Handle signals until cancelled, where this thread and system allow it."""
        if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
            task_status.started()
            return
        try:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                if interrupts.received():  # before, where it was dropped
                    self._stop(signal.SIGINT, tasks)
                async for number in signals:
                    self._stop(number, tasks)
        finally:
            interrupts.install_again()

    def _stop(self, number: int, tasks: anyio.abc.TaskGroup) -> None:
        self.code = 128 + number
        session = self._session
        if session is None:
            self.scope.cancel()
            return
        if session.monitor.stopping:
            session.progress.stop()
            os._exit(self.code)
        session.monitor.stop()
        tasks.start_soon(self._drain, session)

    async def _drain(self, session: CommandSession) -> None:
        await session.monitor.clock.sleep(DRAIN_PERIOD)
        self.scope.cancel()
