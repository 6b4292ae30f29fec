"""One thread that owns a ledger's connection and commits for everybody at once.

Jobs that wait while a commit is on its way go into the next one together, so the price of a
durable commit is shared by all who wait, and one who is alone waits for nobody.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, cast

import anyio
import anyio.to_thread

from ..bulk.stores.base import LedgerUnreachableError
from ..core.errors import BulkError

J = TypeVar("J")
J_contra = TypeVar("J_contra", contravariant=True)
GROUP = 500
"""Jobs in one commit at most."""


class JobHandler(Protocol[J_contra]):
    """A connection. Only the thread touches it."""

    def run(self, jobs: Sequence[J_contra]) -> Sequence[object]:
        """The jobs' results. All or nothing: durable when it returns, undone when it raises."""
        ...

    def told(self, error: Exception) -> str:
        """What to tell those whose job failed."""
        ...

    def close(self) -> None:
        """Let go of it."""


class _QueuedJob(Generic[J]):
    def __init__(self, job: J) -> None:
        self.job = job
        self.done = anyio.Event()
        self.value: object = None
        self.error: Exception | None = None
        self.post = _post()


def _post() -> Callable[[Callable[[], object]], object]:
    """How another thread tells this event loop something."""
    asyncio = sys.modules.get("asyncio")
    loop = asyncio._get_running_loop() if asyncio is not None else None
    if loop is not None:
        return cast("Callable[[Callable[[], object]], object]", loop.call_soon_threadsafe)
    token = sys.modules["trio"].lowlevel.current_trio_token()
    return cast("Callable[[Callable[[], object]], object]", token.run_sync_soon)


class WorkerThread(Generic[J]):
    """The thread, and the way to hand it jobs."""

    def __init__(self, session: JobHandler[J]) -> None:
        self._session = session
        self._queue: queue.SimpleQueue[_QueuedJob[J] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="lix_async ledger", daemon=True)
        self._thread.start()

    async def do(self, job: J) -> object:
        """Run a job in the thread; when it returns, its changes are durable.

        Raises `BulkError` when they are not. Not to be cancelled: it happens anyway, and the
        caller must know how it ends.
        """
        waiting = _QueuedJob(job)
        self._queue.put(waiting)
        with anyio.CancelScope(shield=True):
            await waiting.done.wait()
        error = waiting.error
        if error is not None:  # all of a group have the same one: each raises one of its own
            if isinstance(error, BulkError):
                raise type(error)(error.args[0]) from error
            raise BulkError(self._session.told(error)) from error
        return waiting.value

    async def stop(self) -> None:
        """Finish what waits, close the connection, end the thread."""
        self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)

    def _work(self) -> None:
        ends = False
        while not ends:
            group: list[_QueuedJob[J]] = []
            first = self._queue.get()
            while first is not None:
                group.append(first)
                if len(group) >= GROUP:
                    break
                try:
                    first = self._queue.get_nowait()
                except queue.Empty:
                    break
            ends = first is None
            if group:
                self._commit(group)
        self._session.close()

    def _commit(self, group: list[_QueuedJob[J]]) -> None:
        if not self._tried(group):
            for waiting in group:  # one bad job must not take the others' paid answers along
                self._tried([waiting])
        for post in {waiting.post for waiting in group}:
            mine = [waiting.done for waiting in group if waiting.post == post]
            with contextlib.suppress(RuntimeError):  # that loop has ended; nobody waits there
                post(functools.partial(_wake, mine))

    def _tried(self, group: list[_QueuedJob[J]]) -> bool:
        try:
            values = self._session.run([waiting.job for waiting in group])
        except Exception as error:  # noqa: BLE001  # told to everybody who waits
            for waiting in group:
                waiting.error = error
            return len(group) == 1 or isinstance(error, LedgerUnreachableError)
        for waiting, value in zip(group, values, strict=True):
            waiting.value, waiting.error = value, None
        return True


def _wake(events: list[anyio.Event]) -> None:
    for event in events:
        event.set()
