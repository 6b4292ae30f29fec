"""The running event loop, asyncio's or trio's, and how to call back into it.

The only module that asks which event loop runs. asyncio and trio are looked up in `sys.modules`
and never imported: whoever runs a loop has imported its library already, and asyncio alone would
take a third of this package's import time.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

import anyio

from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio

    from trio.lowlevel import TrioToken

    Loop = asyncio.AbstractEventLoop | TrioToken


def running_loop() -> Loop:
    """Return asyncio's running event loop, or the token of trio's.

    Raises:
        ConfigurationError: No event loop runs in this thread.

    """
    if (asyncio := sys.modules.get("asyncio")) is not None:
        try:
            loop: Loop = asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            return loop
    try:
        token: TrioToken = sys.modules["trio"].lowlevel.current_trio_token()
    except (KeyError, RuntimeError):
        raise ConfigurationError("no event loop is running: call this from async code") from None
    return token


def is_asyncio(loop: Loop) -> TypeGuard[asyncio.AbstractEventLoop]:
    """Whether a loop is asyncio's, not trio's."""
    return hasattr(loop, "call_soon_threadsafe")


def threadsafe_callback(loop: Loop | None = None) -> Callable[[Callable[[], object]], object]:
    """Return a function that runs a callable on an event loop, from any thread.

    The function raises `RuntimeError` once that loop has ended (trio's `RunFinishedError` is one).

    Args:
        loop: The loop; None for the one that runs in this thread.

    Raises:
        ConfigurationError: No event loop runs in this thread.

    """
    loop = loop or running_loop()
    if is_asyncio(loop):
        return loop.call_soon_threadsafe
    return cast("TrioToken", loop).run_sync_soon


def is_cancelled() -> bool:
    """Whether the current task is being cancelled."""
    if anyio.current_effective_deadline() == -math.inf:
        return True
    if not is_asyncio(running_loop()):
        return False
    task: asyncio.Task[object] | None = sys.modules["asyncio"].current_task()
    return task is not None and task.cancelling() > 0  # without a scope, as a closing loop does


def raisable(error: BaseException) -> BaseException:
    """What another task can raise for an error of this one.

    A cancellation that is not this task's, such as that of a task which an iterator waited for,
    would be taken for one of the task that raises it. It becomes a `RuntimeError`, as Python does
    with a `StopIteration` inside of a generator.

    Raises:
        BaseException: The error itself, where this task is being cancelled.
    """
    if isinstance(error, Exception):
        return error
    closing = isinstance(error, GeneratorExit)
    if not closing and is_cancelled():
        raise error
    if closing or isinstance(error, anyio.get_cancelled_exc_class()):
        wrapped = RuntimeError(f"{type(error).__name__} was raised, but nothing was cancelled")
        wrapped.__cause__ = error
        return wrapped
    return error


class WaitableEvent(Protocol):
    """What a task waits for, or several tasks of one event loop."""

    def set(self) -> object:
        """Wake those who wait."""
        ...

    def is_set(self) -> bool:
        """Whether it was set."""
        ...

    def wait(self) -> Awaitable[object]:
        """Wait until it is set."""
        ...


class _FutureEvent:
    """An event of asyncio for one task at a time: a future, made when the task waits."""

    __slots__ = ("_future", "_is_set", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._is_set = False
        self._future: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._is_set = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def is_set(self) -> bool:
        return self._is_set

    def wait(self) -> Awaitable[object]:
        self._future = self._loop.create_future()  # one that was cancelled cannot be used again
        if self._is_set:
            self._future.set_result(None)
        return self._future


def new_event(loop: Loop | None = None) -> WaitableEvent:
    """An event for which one task waits. To make one of anyio takes twenty times as long.

    Args:
        loop: The running loop, where it is at hand.
    """
    loop = loop or running_loop()
    return _FutureEvent(loop) if is_asyncio(loop) else anyio.Event()


async def wait_through(event: WaitableEvent) -> None:
    """Wait for an event although the caller is cancelled, which is raised afterwards."""
    try:
        if not event.is_set():
            await event.wait()
    except BaseException as error:  # noqa: BLE001  # raised by what it is passed to
        await wait_on(event, error)


async def wait_on(event: WaitableEvent, error: BaseException) -> None:
    """Wait for an event after a wait for it was cancelled, which is raised afterwards.

    A shield does not keep off a `task.cancel()` of asyncio. Nor is one made before a cancellation
    comes: it would cost as much as the rest. A scope that is cancelled stays so.

    Args:
        event: The event.
        error: What the wait has ended with. One that is no cancellation is raised at once.
    """
    cancelled = anyio.get_cancelled_exc_class()
    if not isinstance(error, cancelled):
        raise error
    missed = error if anyio.current_effective_deadline() > -math.inf else None
    with anyio.CancelScope(shield=True):
        while not event.is_set():
            try:
                await event.wait()
            except cancelled as again:
                missed = again
    if missed is not None:
        raise missed


def _can_continue(loop: Loop, has_waiters: bool) -> bool:
    if is_asyncio(loop):
        # `run_until_complete` stops a loop that may be started again, with its waiting tasks.
        return loop.is_running() or (has_waiters and not loop.is_closed())
    try:
        cast("TrioToken", loop).run_sync_soon(lambda: None)
    except RuntimeError:
        return False
    return True


class EventLoopBinding:
    """The event loop and process that an object belongs to: those of its first use."""

    __slots__ = ("_loop", "_pid")

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._pid = 0

    def check(self, has_waiters: bool = False) -> bool:
        """Bind to the running loop, or compare it with the loop of earlier uses.

        Args:
            has_waiters: Whether tasks wait for the object. An asyncio loop that stopped may be
                started again with them, so another loop cannot take the object over.

        Returns:
            True where the earlier loop has ended and this one replaces it: whatever belonged to
            the earlier one must be dropped.

        Raises:
            ConfigurationError: The object is in use on another loop, or was before a fork.
                Neither connections nor waiting tasks can be shared with those.

        """
        loop = running_loop()
        pid = os.getpid()
        if loop is self._loop and pid == self._pid:
            return False
        if self._loop is None:
            self._loop, self._pid = loop, pid
            return False
        if pid != self._pid:
            raise ConfigurationError(
                "this client was in use when the process was forked: make one in the child"
            )
        if _can_continue(self._loop, has_waiters):
            raise ConfigurationError(
                "this client or its limiter is in use on another event loop: make one for each loop"
            )
        self._loop = loop
        return True

    def unbind(self) -> None:
        """Forget the loop, once nothing is left that belongs to it."""
        self._loop = None
