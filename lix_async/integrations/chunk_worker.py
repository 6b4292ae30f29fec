"""Chunks of inputs as jobs of a queue, and when to retry one.

The queue hands chunks out and takes back those of a dead worker. What is paid is decided by the
ledger alone, so a chunk may run any number of times.
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
from ..bulk.outcome import Outcome
from ..bulk.prepared_call import ClientMethod, Input
from ..bulk.stores.base import DoubtPolicy, Store
from ..core.errors import BulkError, ConfigurationError, DailyLimitError, LixError
from ..engine.client import Client

TASK_NAME = "lix_async.chunk"
"""The name of the job in every queue."""
CHUNK_SIZE = 50
"""The default number of inputs in a chunk."""
DAY = 86_400.0
RETRY_DELAY = 60.0
"""Seconds until a chunk is retried that stopped its worker or had failed lookups."""
PARK_CHECK_INTERVAL = 1.0
"""Seconds between two checks of a parked ledger."""
MAX_CHUNK_RETRIES = 8
"""Retries of a chunk with failed lookups, each after twice the delay of the one before. After the
last one its lookups stay pending in the ledger."""


class Chunk(msgspec.Struct, frozen=True):
    """A job: some inputs for a method of a client, such as `people.get`."""

    method: str
    inputs: list[str | int | dict[str, object]]


class RetryChunkLater(Exception):
    """The chunk is not finished and must be run again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"retry in {seconds:.0f} s")
        self.seconds = seconds


def split_into_chunks(
    method: str, inputs: Iterable[Input], size: int = CHUNK_SIZE
) -> Iterator[Chunk]:
    """Split inputs into chunks, as they are needed.

    Raises:
        ConfigurationError: If an input is not text, a number or a mapping.
    """
    stream = iter(inputs)
    while batch := list(itertools.islice(stream, size)):
        try:
            yield msgspec.convert(Chunk(method, msgspec.to_builtins(batch)), Chunk)
        except (msgspec.ValidationError, TypeError) as error:
            raise ConfigurationError(
                f"invalid input: expected text, a number or a mapping: {error}"
            ) from None


class ChunkWorker:
    """Runs the chunks of one worker, one at a time, until a stop or an error that lasts.

    Args:
        store: The open store of the ledger.
        client: The client whose methods the chunks name.
        concurrency: Calls in flight at most.
        doubts: What to do with lookups in doubt; see `bulk.Run`.
        max_credits: The worker ends before it spends more.
        stop: When it is set, no further chunk is taken, calls in flight end and the rest of the
            chunk goes back to the queue.
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
        self._admission = AdmissionController(
            client.engine,
            store,
            balance_endpoints=type(client).balance_endpoints,
            max_credits=max_credits,
        )
        self._lock = (
            anyio.Lock()
        )  # the next chunk was taken already, and its lease is renewed meanwhile
        self._failed: Counter[bytes] = Counter()
        self.stopped = stop or anyio.Event()
        self.error: LixError | None = None
        """The error that ended the worker: 402, a rejected key, a ledger that fails."""

    async def run(self, job: Chunk) -> None:
        """Run a chunk.

        Raises:
            RetryChunkLater: If the chunk is not finished.
            ConfigurationError: If the client has no such method.
        """
        try:
            method: ClientMethod[object] = attrgetter(job.method)(self._client)
        except AttributeError:
            raise ConfigurationError(
                f"unknown method {job.method!r} of {type(self._client).__name__}"
            ) from None
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
        """Return when a chunk may begin; wait while the ledger is parked."""
        if not self.stopped.is_set() and await self._parked():
            with anyio.move_on_after(
                PARK_CHECK_INTERVAL
            ):  # the chunk is kept, so that the queue does not hand it out again and again
                await self.stopped.wait()
            if not self.stopped.is_set() and await self._parked():
                raise RetryChunkLater(PARK_CHECK_INTERVAL)
        if self.stopped.is_set():
            raise RetryChunkLater(0.0 if self.error is None else RETRY_DELAY)

    async def _parked(self) -> bool:
        try:
            self._admission.parked = await self._store.parked()
        except BulkError as error:
            raise self._ended(error) from error
        return bool(self._admission.parked)

    async def _outcomes(self, method: ClientMethod[object], job: Chunk) -> list[Outcome[object]]:
        now = self._client.clock.wall
        # A stop ends the inputs. A call that waits for a permit by then gets it or is cancelled.
        inputs = itertools.takewhile(lambda _: not self.stopped.is_set(), job.inputs)
        try:
            return await chunk(
                self._store,
                method,
                inputs,
                concurrency=self._concurrency,
                doubts=self._doubts,
                admission=self._admission,
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
        return RetryChunkLater(RETRY_DELAY)

    def _again(self, job: bytes) -> list[float]:
        """When to run a chunk again whose lookups failed; nothing after the last attempt."""
        self._failed[job] += 1
        tries = self._failed[job]
        if tries > MAX_CHUNK_RETRIES:
            del self._failed[job]
            return []
        return [RETRY_DELAY * 2 ** (tries - 1)]


@contextmanager
def queue_errors_as_bulk_errors(*kinds: type[Exception]) -> Generator[None]:
    """Raise the errors of a queue as `BulkError`, without the address and its password."""
    try:
        yield
    except kinds as error:
        lines = str(error).strip().splitlines()
        message = f"the queue in PostgreSQL cannot be used: {lines[0] if lines else repr(error)}"
    else:
        return
    raise BulkError(message)
