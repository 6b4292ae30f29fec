"""One thread that talks to the store, for every event loop alike.

Neither redis-py nor psycopg knows trio, and a turn is given back from code that cannot wait. A
thread of its own serves both: jobs run one after another, so what was posted is done before what
is asked next. It ends, and closes the connection, after a while without work.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, cast

import anyio
import anyio.to_thread

from ..core.errors import LixError

T = TypeVar("T")
S = TypeVar("S", bound="Closing")
IDLE = 15.0
"""Seconds without work after which the thread ends. A turn every 3 s keeps it."""
Callback = Callable[[], object]


class Closing(Protocol):
    """What is closed when the thread ends."""

    def close(self) -> None: ...


class _Asked(Generic[T]):
    def __init__(self) -> None:
        self.done = anyio.Event()
        self.value: T | None = None
        self.error: Exception | None = None


class Desk(Generic[S]):
    """The thread, started when first needed. `store` is touched by it alone."""

    def __init__(self, store: S, name: str) -> None:
        self._store = store
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[S], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def post(self, job: Callable[[S], object]) -> None:
        """Have something done, sooner or later. Whatever goes wrong with it is not told."""
        with self._lock:
            self._jobs.put(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    async def do(self, job: Callable[[S], T]) -> T:
        """Have something done and wait for it. A cancelled caller leaves; the job goes on."""
        asked: _Asked[T] = _Asked()
        tell = _teller()

        def run(store: S) -> None:
            try:
                asked.value = job(store)
            except Exception as error:  # noqa: BLE001  # told to the caller
                asked.error = error
            with contextlib.suppress(RuntimeError):  # that loop has ended: nobody waits
                tell(asked.done.set)

        self.post(run)
        await asked.done.wait()
        if asked.error is not None:
            raise asked.error
        return cast("T", asked.value)

    async def close(self) -> None:
        """Finish what was posted, disconnect, end the thread. The next job starts another."""
        with self._lock:
            thread = self._thread
            if thread is not None:
                self._jobs.put(None)
        if thread is not None:
            await anyio.to_thread.run_sync(thread.join, abandon_on_cancel=True)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=IDLE)
            except queue.Empty:
                job = None
            if job is not None:
                with contextlib.suppress(LixError):
                    job(self._store)
                continue
            with self._lock:
                if self._jobs.empty():
                    # Closed while nobody can start another thread, which would connect again.
                    self._store.close()
                    self._thread = None
                    return


def _teller() -> Callable[[Callback], object]:
    """How another thread tells this event loop something."""
    # Looked up, not imported: a loop that runs has been imported by somebody.
    asyncio = sys.modules.get("asyncio")
    loop = asyncio._get_running_loop() if asyncio is not None else None
    if loop is not None:
        return cast("Callable[[Callback], object]", loop.call_soon_threadsafe)
    token = sys.modules["trio"].lowlevel.current_trio_token()
    return cast("Callable[[Callback], object]", token.run_sync_soon)
