"""What the adapters to job engines share: chunks of inputs as jobs, and when to come back to one.

The engine hands chunks out and takes back those of a dead worker; what is paid for is decided by
the ledger alone, so a chunk may run any number of times.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter

import anyio
import msgspec

from ..bulk.admission import AdmissionController
from ..bulk.chunk import LedgerParkedError, chunk
from ..bulk.lookup import DoubtPolicy
from ..bulk.outcome import Outcome
from ..bulk.prepared_call import Input, Method
from ..core.errors import BulkError, ConfigurationError, DailyLimitError, LixError
from ..engine.client import Client
from ..ledger.store import Store

TASK_NAME = "lix_async.chunk"
"""The job's name in every engine."""
SIZE = 50
"""Inputs in a chunk."""
DAY = 86_400.0
AFTER_STOP = 60.0
"""Seconds until a chunk is tried again that stopped its worker, or that got no answers."""
PARK_CHECK_INTERVAL = 1.0
"""Seconds that a worker stands still between two looks at a ledger that is parked."""
MAX_CHUNK_RETRIES = 8
"""Times that a worker comes back to a chunk whose lookups fail, each time after twice as long;
then they stay owed in the ledger."""


class Chunk(msgspec.Struct, frozen=True):
    """A job: some inputs for a method of a client, such as `people.get`."""

    method: str
    inputs: list[str | int | dict[str, object]]


class RetryChunkLater(Exception):
    """The chunk is not finished: run it again after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.seconds = seconds


def split_into_chunks(method: str, inputs: Iterable[Input], size: int = SIZE) -> Iterator[Chunk]:
    """Inputs as chunks, as they are needed. Raises `ConfigurationError` for what is no input."""
    stream = iter(inputs)
    while batch := list(itertools.islice(stream, size)):
        try:
            yield msgspec.convert(Chunk(method, msgspec.to_builtins(batch)), Chunk)
        except (msgspec.ValidationError, TypeError) as error:
            raise ConfigurationError(
                f"inputs must be texts, numbers or mappings: {error}"
            ) from None


class ChunkWorker:
    """Does a worker's chunks, one at a time, and notices what makes further ones pointless.

    `stop`: set it, and no further chunk is taken, the one at hand is put back as soon as its calls
    in flight have ended, and the worker ends. `max_credits`: the worker ends before it spends more.
    """

    def __init__(
        self,
        store: Store,
        client: Client,
        concurrency: int,
        doubts: DoubtPolicy,
        *,
        max_credits: int | None = None,
        stop: anyio.Event | None = None,
    ) -> None:
        self._store = store
        self._client = client
        self._concurrency = concurrency
        self._doubts: DoubtPolicy = doubts
        self._governor = AdmissionController(
            client.engine, store, funds=type(client).balance_endpoints, max_credits=max_credits
        )
        self._lock = anyio.Lock()  # the next chunk is at hand, and its lease is renewed meanwhile
        self._failed: Counter[bytes] = Counter()
        self.stopped = stop or anyio.Event()
        self.error: LixError | None = None
        """What ended the worker: 402, a bad key, a ledger that fails."""

    async def do(self, job: Chunk) -> None:
        """Run a chunk. Raises `ComeBack`, and `ConfigurationError` for an unknown method."""
        try:
            method: Method[object] = attrgetter(job.method)(self._client)
        except AttributeError:
            raise ConfigurationError(f"this client has no {job.method}") from None
        async with self._lock:
            await self._ready()
            outcomes = await self._outcomes(method, job)
        now = self._client.clock.wall()
        due = [outcome.due - now for outcome in outcomes if outcome.state == "queued"]
        if any(outcome.state == "failed" for outcome in outcomes):
            due += self._again(msgspec.json.encode(job))
        if len(outcomes) < len(job.inputs):
            due = [0.0]
        if due:
            raise RetryChunkLater(max(min(due), 1.0 if outcomes else 0.0))

    async def _ready(self) -> None:
        """Return when a chunk may be begun; stand still while the ledger is parked."""
        if not self.stopped.is_set() and await self._parked():
            with anyio.move_on_after(
                PARK_CHECK_INTERVAL
            ):  # keeps hold of the chunk: the queue is not churned
                await self.stopped.wait()
            if not self.stopped.is_set() and await self._parked():
                raise RetryChunkLater(PARK_CHECK_INTERVAL)
        if self.stopped.is_set():
            raise RetryChunkLater(0.0 if self.error is None else AFTER_STOP)

    async def _parked(self) -> bool:
        try:
            self._governor.parked = await self._store.parked()
        except BulkError as error:
            raise self._ended(error) from error
        return bool(self._governor.parked)

    async def _outcomes(self, method: Method[object], job: Chunk) -> list[Outcome[object]]:
        now = self._client.clock.wall
        # A stop ends the inputs: who waits for a turn by then still gets it, or is told to leave.
        inputs = itertools.takewhile(lambda _: not self.stopped.is_set(), job.inputs)
        try:
            return await chunk(
                self._store,
                method,
                inputs,
                concurrency=self._concurrency,
                doubts=self._doubts,
                governor=self._governor,
            )
        except ConfigurationError:
            raise
        except LedgerParkedError as error:
            raise RetryChunkLater(PARK_CHECK_INTERVAL) from error
        except DailyLimitError as error:
            until = error.refreshes_at or (now() // DAY + 1) * DAY
            raise RetryChunkLater(max(until - now(), 1.0)) from error
        except LixError as error:
            raise self._ended(error) from error
        except Exception as error:
            if not self.stopped.is_set():
                raise
            raise RetryChunkLater(0.0) from error  # a wait that the stop has ended

    def _ended(self, error: LixError) -> RetryChunkLater:
        self.error = error
        self.stopped.set()
        return RetryChunkLater(AFTER_STOP)

    def _again(self, job: bytes) -> list[float]:
        """When to come back to a chunk whose lookups fail; empty when it was often enough."""
        self._failed[job] += 1
        tries = self._failed[job]
        if tries > MAX_CHUNK_RETRIES:
            del self._failed[job]
            return []
        return [AFTER_STOP * 2 ** (tries - 1)]


@contextmanager
def queue_errors_as_bulk_errors(*kinds: type[Exception]) -> Generator[None]:
    """A queue's own errors as `BulkError`s; the address and its password are no part of them."""
    try:
        yield
    except kinds as error:
        lines = str(error).strip().splitlines()
        message = f"the queue in PostgreSQL cannot be used: {lines[0] if lines else repr(error)}"
    else:
        return
    raise BulkError(message)
