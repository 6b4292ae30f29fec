"""Durable runs for callers without an event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, TypeVar, cast

import anyio

from ..bulk.progress import Progress, Report
from ..bulk.row_input import AnyRow
from ..bulk.run import Run
from ..concurrency import thread_work
from ..concurrency.event_loop import running_loop, threadsafe_callback
from ..concurrency.loop_thread import EventLoopThread
from ..core.validation import guarded_repr
from ..engine.outcome import Outcome
from ..ledger.reconciliation import Reconciliation

T = TypeVar("T")


class InputIterator(Generic[AnyRow]):
    """The inputs of a run from an iterator that the caller's thread advances.

    It may be bound to that thread, as a cursor of SQLite is, and it may make calls of the client,
    which cannot be made in the thread of the event loop.
    """

    def __init__(self, inputs: Iterator[AnyRow]) -> None:
        self._inputs = inputs
        self.wanted: SimpleQueue[object] = SimpleQueue()
        """Functions that take an input, and the waiters whose call has ended."""
        self._suppliers = 0
        self._waits = self._counts = False

    def __aiter__(self) -> AsyncIterator[AnyRow]:
        return self

    async def __anext__(self) -> AnyRow:
        found: list[AnyRow] = []
        errors: list[Exception] = []
        self._loop = running_loop()
        there, call_soon = anyio.Event(), threadsafe_callback(self._loop)

        def take() -> None:
            try:
                found.append(next(self._inputs))
            except StopIteration:
                pass
            except Exception as error:  # noqa: BLE001  # raised by the run, after its outcomes
                errors.append(error)
            finally:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    call_soon(there.set)

        self._waits = True
        self._count()
        try:
            self.wanted.put(take)
            await there.wait()
        finally:
            self._waits = False
            self._count()
        if found:
            return found[0]
        raise errors[0] if errors else StopAsyncIteration

    async def supplied(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await a function, during which the caller's thread takes inputs that are wanted."""
        self._suppliers += 1
        self._count()
        try:
            return await function()
        finally:
            self._suppliers -= 1
            self._count()

    def _count(self) -> None:
        """Note whether a thread works for a task: it does where both are there."""
        counts = self._waits and self._suppliers > 0
        if counts != self._counts:
            self._counts = counts
            (thread_work.inputs.begin if counts else thread_work.inputs.end)(self._loop)


def input_stream(inputs: Iterable[AnyRow]) -> Iterable[AnyRow] | InputIterator[AnyRow]:
    """Inputs that the thread of the loop can read: a collection can be read in any thread."""
    return InputIterator(inputs) if isinstance(inputs, Iterator) else inputs


def run_supplied(
    thread: EventLoopThread, inputs: object, function: Callable[[], Awaitable[T]]
) -> T:
    """Make a call that reads inputs, and take them from an iterator meanwhile."""
    if not isinstance(inputs, InputIterator):
        return thread.run(function)
    stream = cast("InputIterator[object]", inputs)
    return thread.run_with(_InputSupply(stream.wanted), partial(stream.supplied, function))


class _InputSupply:
    """What the caller does while it waits for an outcome: it takes inputs."""

    def __init__(self, wanted: SimpleQueue[object]) -> None:
        self._wanted = wanted

    def set(self) -> None:
        """End `wait`."""
        self._wanted.put(self)

    def wait(self) -> None:
        """Take inputs that are wanted, until `set`."""
        while (wanted := self._wanted.get()) is not self:
            if callable(wanted):  # else the waiter of an earlier call
                wanted()


class SyncRun(Generic[T]):
    """A durable run: `for outcome in lix.run("people.db", lix.people.get, links)`.

    It is a `bulk.Run`. A loop that is interrupted, as by Ctrl-C, stops it: what was not sent is not
    sent, and what was sent gets a few seconds for its answer, which is paid for.

    Args:
        thread: The thread of the client.
        run: The run, made in that thread.
        inputs: Its inputs.
    """

    def __init__(self, thread: EventLoopThread, run: Run[T], inputs: object) -> None:
        self._thread = thread
        self.aio = run
        """The run of the async client."""
        self._inputs = inputs

    @guarded_repr
    def __repr__(self) -> str:
        return repr(self.aio)

    def __iter__(self) -> Iterator[Outcome[T]]:
        return self

    def __next__(self) -> Outcome[T]:
        try:
            return run_supplied(self._thread, self._inputs, self.aio.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None
        except Exception:
            raise
        except BaseException:
            self.close()
            raise

    def park(self, reason: str = "parked") -> None:
        """Take no further input. Calls in flight end and are handed out; then the run ends."""

        async def park() -> None:
            self.aio.park(reason)

        self._thread.run(park)

    def close(self) -> None:
        """Stop within a few seconds. Calls that are still in flight then are in doubt.

        Raises:
            BulkError: If the ledger could not save answers that were paid; see its `unsaved`.
        """
        self._thread.run(self.aio.aclose)

    def progress(self) -> Progress:
        """The state of the run. Sends nothing."""
        return self.aio.progress()

    def report(self) -> Report:
        """Counts, credits, reasons of failures, and a histogram of latencies."""
        return self.aio.report()

    def reconcile(self) -> list[Reconciliation]:
        """Settle the lookups in doubt by the balances; see `Run.reconcile`.

        Credits: none for lookups; what reading the balances costs is not published.
        """
        return self._thread.run(self.aio.reconcile)

    def __enter__(self) -> SyncRun[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
