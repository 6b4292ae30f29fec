"""An event loop in a thread of its own, for callers that have none.

anyio's `start_blocking_portal` does the same in a thread that is no daemon: a program that forgets
to stop it never ends.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future, wait
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib.util import find_spec
from typing import Generic, Literal, ParamSpec, Protocol, TypeVar

import anyio
import anyio.abc

from ..core.errors import ConfigurationError
from . import thread_work
from .event_loop import running_loop, threadsafe_callback

Arguments = ParamSpec("Arguments")
R = TypeVar("R")
Backend = Literal["asyncio", "trio"]
"""The library whose event loop the thread runs."""
LEAVE = 1.0
"""Seconds for which an interrupted caller waits until its call is cancelled, at most."""


class ThreadWaiter(Protocol):
    """A `threading.Event`, or what waits in its own way."""

    def set(self) -> None:
        """End `wait`. May be called more than once, and in any thread."""

    def wait(self) -> object:
        """Return once `set` was called."""
        ...


class EventLoopThread:
    """Runs async functions for threads without an event loop.

    The first call starts a daemon thread, which enters `block` and keeps it until `close`. A later
    call starts another one. Any number of threads may call at once. Context variables are those of
    the caller.

    Args:
        block: What the calls need, such as a client. It can be entered again.
        backend: The event loop.

    Raises:
        ConfigurationError: There is no such backend.
    """

    def __init__(self, block: AbstractAsyncContextManager[object], backend: Backend) -> None:
        if backend not in ("asyncio", "trio"):
            raise ConfigurationError(f"backend must be 'asyncio' or 'trio', not {backend!r}")
        if find_spec(backend) is None:
            raise ConfigurationError(f"backend={backend!r} needs the package {backend}")
        self._block = block
        self._backend: Backend = backend
        self._lock = threading.Lock()
        self._pid = 0
        self._started: Future[_RunningLoop] = Future()
        self._ended: Future[None] = Future()

    def run(
        self,
        function: Callable[Arguments, Awaitable[R]],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> R:
        """Await a function in the thread, and return or raise what it does.

        A caller that is interrupted, such as by Ctrl-C, cancels it and does not wait for it.

        Raises:
            ConfigurationError: This is a forked process, or the thread of the event loop itself,
                or the thread was closed during the call.
        """
        return self.run_with(threading.Event(), partial(function, *args, **kwargs))

    def run_with(self, waiter: ThreadWaiter, function: Callable[[], Awaitable[R]]) -> R:
        """The same, for a caller that does something while it waits.

        Args:
            waiter: Its `wait` is called in this thread, its `set` when the call has ended.
            function: The function to await.
        """
        loop = self._running_loop()
        call = _ThreadCall(function, waiter)
        try:
            loop.start(call)
            call.ended.wait()
        except BaseException:
            loop.leave(call)
            raise
        finally:
            loop.calls.discard(call.ended)
        return call.result()

    def close(self) -> None:
        """Cancel what runs, leave `block` and end the thread. Raises what leaving it raises."""
        if self._pid != os.getpid():  # never started, or in the process that was forked
            return
        with self._lock:
            started, ended = self._started, self._ended
        try:
            loop = started.result()
        except Exception:  # noqa: BLE001  # raised by the call that started it
            return
        if loop.is_current:
            raise ConfigurationError("a client cannot be closed by its own callback")
        loop.closing = True
        loop.stop_soon()
        ended.result()

    def __del__(self) -> None:
        started: Future[_RunningLoop] | None = getattr(self, "_started", None)
        if started is None or self._pid != os.getpid():
            return
        if started.done() and not started.cancelled() and started.exception() is None:
            started.result().stop_soon()

    def _running_loop(self) -> _RunningLoop:
        # Before the lock: another thread may have held it when the process was forked.
        if self._pid not in (0, os.getpid()):
            raise ConfigurationError(
                "this client was in use when the process was forked: make one in the child"
            )
        while True:
            with self._lock:
                if not self._pid or self._ended.done():
                    self._start()
                started, ended = self._started, self._ended
            try:
                loop = started.result()
            except CancelledError:  # another caller could not start its thread
                continue
            if loop.is_current:
                raise ConfigurationError(
                    "a callback of a client, such as a listener, cannot wait for its methods"
                )
            if not loop.closing:
                return loop
            wait([ended])  # then it is opened again

    def _start(self) -> None:
        started: Future[_RunningLoop] = Future()
        ended: Future[None] = Future()
        self._pid, self._started, self._ended = os.getpid(), started, ended
        # The thread has no reference to this object, which ends it when it is deleted.
        own = contextvars.Context()
        try:
            threading.Thread(
                target=own.run,
                args=(_run_loop, self._block, self._backend, started, ended),
                name="lix_async",
                daemon=True,
            ).start()
        except BaseException:
            # The next call starts another one, unless an interrupted start has brought it up.
            if started.cancel():
                ended.set_result(None)
            raise


class _RunningLoop:
    """The thread's event loop, as seen from other threads."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self.calls: set[ThreadWaiter] = set()
        """The waiters of all calls that have not ended."""
        self.closing = False
        """Whether it was closed: no further call is made in it."""
        self._tasks = tasks
        self._posted: deque[Callable[[], object]] = deque()
        self._wake = anyio.Event()
        self._stopped = False
        self._call_soon = threadsafe_callback()
        self._thread = threading.get_ident()

    @property
    def is_current(self) -> bool:
        """Whether this is the loop's own thread."""
        return threading.get_ident() == self._thread

    def start(self, call: _ThreadCall[R]) -> None:
        """Start a call, in the caller's context."""
        self.calls.add(call.ended)
        call.context = contextvars.copy_context()
        if not self._post(lambda: self._tasks.start_soon(call.run)):
            call.ended.set()

    def leave(self, call: _ThreadCall[R]) -> None:
        """Cancel a call, and wait until it cannot send anything more."""
        left = threading.Event()
        if self._post(call.leave) and self._post(left.set):
            left.wait(LEAVE)

    def stop_soon(self) -> None:
        """End the loop."""
        self._post(self._stop)

    def _stop(self) -> None:
        self._stopped = True

    def _post(self, function: Callable[[], object]) -> bool:
        """Have a function called by the loop's main task; False if the loop has ended."""
        self._posted.append(function)
        try:
            self._call_soon(self._notify)
        except RuntimeError:  # also trio's
            return False
        return True

    def _notify(self) -> None:
        self._wake.set()

    async def serve(self) -> None:
        """Do what is posted, until the end. A task, since anyio starts none outside of one."""
        while not self._stopped:
            await self._wake.wait()
            self._wake = anyio.Event()
            while self._posted and not self._stopped:
                self._posted.popleft()()


def _run_loop(
    block: AbstractAsyncContextManager[object],
    backend: Backend,
    started: Future[_RunningLoop],
    ended: Future[None],
) -> None:
    if not started.set_running_or_notify_cancel():
        return
    failure: BaseException | None = None
    try:
        anyio.run(_serve, block, started, backend=backend)
    except BaseException as error:  # noqa: BLE001  # raised by `close`, or by the first call
        failure = error
    if started.done():
        for waiter in tuple(started.result().calls):  # of calls that came too late
            waiter.set()
    if failure is None:
        ended.set_result(None)
    elif started.done():
        ended.set_exception(failure)
    else:
        ended.set_result(None)
        started.set_exception(failure)


async def _serve(block: AbstractAsyncContextManager[object], started: Future[_RunningLoop]) -> None:
    async with block, anyio.create_task_group() as tasks:
        loop = _RunningLoop(tasks)
        started.set_result(loop)
        await loop.serve()
        tasks.cancel_scope.cancel()


class _ThreadCall(Generic[R]):
    """A call that another thread waits for."""

    def __init__(self, function: Callable[[], Awaitable[R]], waiter: ThreadWaiter) -> None:
        self.ended = waiter
        self.context = contextvars.Context()
        """That of the caller."""
        self._function = function
        self._scope: anyio.CancelScope | None = None
        self._left = False
        self._values: list[R] = []
        self._error: BaseException = ConfigurationError("the client was closed during this call")

    async def run(self) -> None:
        """Make the call, in the event loop."""
        # What the loop itself has set stays: the caller may be in a loop of another kind.
        own = contextvars.copy_context()
        for variable, value in self.context.items():
            if variable not in own:
                variable.set(value)
        loop = running_loop()
        thread_work.calls.begin(loop)
        try:
            with anyio.CancelScope() as self._scope:
                if not self._left:
                    self._values.append(await self._function())
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  # raised in the caller's thread
            self._error = error
        finally:
            thread_work.calls.end(loop)
            self.ended.set()

    def leave(self) -> None:
        """Cancel it, in the event loop."""
        self._left = True
        if self._scope is not None:
            self._scope.cancel()

    def result(self) -> R:
        """The value; raises the error where there is none."""
        if self._values:
            return self._values[0]
        try:
            raise self._error
        finally:
            del self._error  # its traceback refers to this frame
