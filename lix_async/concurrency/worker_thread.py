"""One thread that owns a blocking connection and runs jobs on it, in order.

Neither sqlite3, psycopg's blocking connections nor redis-py know trio, and a limiter's permit is
refunded from code that cannot await. A thread serves asyncio and trio alike, and what was posted
is done before what is posted next. Jobs that arrive while it is busy are run as one batch, so
the price of a durable commit is shared by all who wait for it.

On the worker thread run: the handler's methods and nothing else. On the event loop: the callers.
A thread that has been idle, or was closed, has closed the connection; the next job starts another.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import anyio.to_thread

from . import thread_work
from .background import BackgroundTask
from .clock import RealClock
from .event_loop import (
    WaitableEvent,
    new_event,
    running_loop,
    threadsafe_callback,
    wait_on,
)

if TYPE_CHECKING:
    from .event_loop import Loop

J = TypeVar("J")
J_contra = TypeVar("J_contra", contravariant=True)


class JobHandler(Protocol[J_contra]):
    """The owner of a connection. Only the worker thread calls `run` and `close`."""

    def run(self, jobs: Sequence[J_contra]) -> Sequence[object]:
        """Run all jobs or none: an exception undoes the whole batch.

        Returns:
            The jobs' results, in their order.

        """
        ...

    def error_for(self, error: Exception) -> Exception:
        """The exception that one caller gets for an error of `run`.

        Called once for each waiting caller. A handler of batches returns a new object each time,
        because an exception that several tasks raise collects all their tracebacks.
        """
        ...

    def close(self) -> None:
        """Close the connection. The next `run` opens another one."""


class _QueuedJob(Generic[J]):
    """A job with its result. `loop` is None where nothing waits for it."""

    __slots__ = ("done", "error", "job", "loop", "value")

    def __init__(self, job: J, loop: Loop | None) -> None:
        self.job = job
        self.loop = loop
        self.done = new_event(loop) if loop is not None else None
        self.value: object = None
        self.error: Exception | None = None


class WorkerThread(Generic[J]):
    """Runs jobs in a thread of its own, which is started by the first one.

    Args:
        handler: Runs the jobs.
        name: Name of the thread, for debuggers.
        max_batch: Jobs in one `handler.run` at most.
        idle_timeout: Seconds without a job after which the thread closes the connection and
            ends; None: it runs until `close`.
        shield: Whether callers wait for the end of their job even where they are cancelled,
            because they need its result.
        final_error: The exceptions that every job would meet. After another one the jobs of a
            failed batch are run one by one: a bad job must not undo the others.
        periodic: Called on the thread between two batches, also while there is no job; it must
            not raise. The thread then runs until `close`.
        interval: Seconds between two of these calls.

    """

    def __init__(
        self,
        handler: JobHandler[J],
        name: str,
        *,
        max_batch: int = 1,
        idle_timeout: float | None = None,
        shield: bool = False,
        final_error: type[Exception] | tuple[type[Exception], ...] = (),
        periodic: Callable[[], None] | None = None,
        interval: float = 0.0,
    ) -> None:
        self._handler = handler
        self._name = name
        self._max_batch = max_batch
        self._idle_timeout = idle_timeout
        self._shield = shield
        self._final_error = final_error
        self._periodic = periodic
        self._interval = interval
        self._next_call = 0.0
        self._queue: queue.SimpleQueue[_QueuedJob[J] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def post(self, job: J) -> None:
        """Run a job at some time, without waiting for it. Its errors are dropped."""
        self._put(_QueuedJob(job, None))

    async def run(self, job: J) -> object:
        """Run a job and wait for its result.

        A cancelled caller leaves at once unless the thread was made with `shield`. The job is
        run in any case.
        """
        loop = running_loop()
        queued = _QueuedJob(job, loop)
        assert queued.done is not None  # made for the loop
        thread_work.jobs.begin(loop)
        try:
            self._put(queued)
            await queued.done.wait()  # without a scope: it would add a quarter to a call
        except BaseException as error:
            if not self._shield:
                raise
            await wait_on(queued.done, error)
        finally:
            thread_work.jobs.end(loop)
        if queued.error is not None:
            raise self._handler.error_for(queued.error)
        return queued.value

    async def close(self) -> None:
        """Run what was posted, close the connection and end the thread."""
        with self._lock:
            thread = self._thread
            if thread is not None:
                self._queue.put(None)
        if thread is not None:

            async def join() -> None:
                with thread_work.job():
                    await anyio.to_thread.run_sync(thread.join, abandon_on_cancel=True)

            await (BackgroundTask(join).join() if self._shield else join())

    def _put(self, queued: _QueuedJob[J]) -> None:
        with self._lock:
            self._queue.put(queued)
            if self._thread is None:
                thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread = thread
                try:
                    thread.start()
                except RuntimeError:  # the system has no thread left: the next job tries again
                    self._thread = None
                    self._queue.get_nowait()  # it is the only one
                    raise

    def _work(self) -> None:
        stopping = False
        self._next_call = RealClock.now() + self._interval
        while not (stopping and self._end()):
            batch, stop = self._next_batch()
            stopping = stopping or stop
            if batch:
                self._run_batch(batch)
            if self._periodic is not None and not stopping and RealClock.now() >= self._next_call:
                self._periodic()
                self._next_call = RealClock.now() + self._interval

    def _next_batch(self) -> tuple[list[_QueuedJob[J]], bool]:
        """The next jobs, and whether the thread ends after them: it was closed, or idle."""
        batch: list[_QueuedJob[J]] = []
        timeout = self._idle_timeout
        if self._periodic is not None:
            timeout = max(self._next_call - RealClock.now(), 0.0)
        try:
            queued = self._queue.get(timeout=timeout)
        except queue.Empty:
            return batch, self._periodic is None
        while queued is not None:
            batch.append(queued)
            if len(batch) >= self._max_batch or self._queue.empty():  # no other thread takes any
                return batch, False
            queued = self._queue.get()
        return batch, True

    def _end(self) -> bool:
        """Close the connection and give the thread up, unless more jobs have been posted."""
        # Under the lock, so that no other thread can be started that would connect again.
        with self._lock:
            if not self._queue.empty():
                return False
            self._thread = None
            self._handler.close()
            return True

    def _run_batch(self, batch: list[_QueuedJob[J]]) -> None:
        if not self._try(batch):
            for queued in batch:
                self._try([queued])
        events: dict[Loop, list[WaitableEvent]] = {}
        for queued in batch:
            if queued.loop is not None and queued.done is not None:
                events.setdefault(queued.loop, []).append(queued.done)
        for loop, done in events.items():
            with contextlib.suppress(RuntimeError):  # that loop has ended, and its tasks with it
                threadsafe_callback(loop)(functools.partial(_set_all, done))

    def _try(self, batch: list[_QueuedJob[J]]) -> bool:
        """Run a batch; False where its jobs are worth running one by one."""
        try:
            values = self._handler.run([queued.job for queued in batch])
        except Exception as error:  # noqa: BLE001  # raised again by the callers
            for queued in batch:
                queued.error = error
            return len(batch) == 1 or isinstance(error, self._final_error)
        for queued, value in zip(batch, values, strict=True):
            queued.value, queued.error = value, None
        return True


def _set_all(events: list[WaitableEvent]) -> None:
    for event in events:
        event.set()
