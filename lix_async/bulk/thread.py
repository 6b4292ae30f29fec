"""One thread that owns an SQLite connection and commits for everybody at once.

Operations that wait while a commit is on its way to the disk go into the next one together, so
the price of a durable commit is shared by all who wait, and one who is alone waits for nobody.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import anyio
import anyio.to_thread

from ..core.errors import BulkError

T = TypeVar("T")
GROUP = 500
"""Operations in one commit at most."""
Job = Callable[[sqlite3.Connection], T]


class _Waiting(Generic[T]):
    def __init__(self, job: Job[T]) -> None:
        self.job = job
        self.done = anyio.Event()
        self.value: T | None = None
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


class Writer:
    """The thread. `connect` is called in it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._queue: queue.SimpleQueue[_Waiting[object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="lix_async ledger", daemon=True)
        self._thread.start()

    async def do(self, job: Job[T]) -> T:
        """Run a job in the thread; when it returns, its changes are on the disk."""
        waiting = _Waiting(job)
        self._queue.put(cast("_Waiting[object]", waiting))
        with anyio.CancelScope(shield=True):  # it happens anyway: the caller must know how it ends
            await waiting.done.wait()
        if waiting.error is not None:
            raise waiting.error
        return cast("T", waiting.value)

    async def stop(self) -> None:
        """Finish what waits, close the connection, end the thread."""
        self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        ends = False
        while not ends:
            group: list[_Waiting[object]] = []
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
                connection = self._commit(connection, group)
        if connection is not None:
            connection.close()

    def _commit(
        self, connection: sqlite3.Connection | None, group: list[_Waiting[object]]
    ) -> sqlite3.Connection | None:
        try:
            connection = connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")
            for waiting in group:
                waiting.value = waiting.job(connection)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # told to everybody who waits
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            told = _told(error)
            for waiting in group:
                waiting.error = told
        for post in {waiting.post for waiting in group}:
            mine = [waiting.done for waiting in group if waiting.post == post]
            with contextlib.suppress(RuntimeError):  # that loop has ended; nobody waits there
                post(functools.partial(_wake, mine))
        return connection


def _wake(events: list[anyio.Event]) -> None:
    for event in events:
        event.set()


def _told(error: Exception) -> BulkError:
    if isinstance(error, BulkError):
        return error
    hint = ""
    if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
        hint = "; the file is damaged: restore a copy, nothing was changed"
    return BulkError(f"the ledger cannot be written: {error}{hint}")
