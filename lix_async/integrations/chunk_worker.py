"""Chunks of inputs as jobs of a queue, and when to retry one.

The queue hands chunks out and takes back those of a dead worker. What is paid is decided by the
ledger alone, so a chunk may run any number of times. It is finished only when the ledger says that
every lookup of it is, so no worker can empty the queue while there is something left to ask for.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter

import anyio
import msgspec

from ..bulk.admission import AdmissionController
from ..bulk.chunk import LedgerParkedError, chunk
from ..bulk.lookup import DoubtPolicy
from ..bulk.prepared_call import CallPreparer, Input
from ..core.errors import BulkError, ConfigurationError, DailyLimitError, LixError, OutageError
from ..engine.client import Client
from ..ledger.records import Lookup
from ..ledger.rule import FINAL
from ..ledger.store import Store

TASK_NAME = "lix_async.chunk"
"""The name of the job in every queue."""
CHUNK_SIZE = 50
"""The default number of inputs in a chunk."""
DAY = 86_400.0
RETRY_DELAY = 60.0
"""Seconds until a chunk is retried that stopped its worker or had failed lookups."""
MAX_RETRY_DELAY = 900.0
"""The longest delay of a chunk with failed lookups; it grows with the failures of its lookups."""
PARK_CHECK_INTERVAL = 1.0
"""Seconds between two checks of a parked ledger."""


class Chunk(msgspec.Struct, frozen=True):
    """A job: some inputs for a method of a client, such as `people.get`."""

    method: str
    inputs: list[str | int | dict[str, object]]


class RetryChunkLater(Exception):
    """The chunk is not finished and must be run again after `seconds`."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(f"retry in {seconds:.0f} s" + (f": {reason}" if reason else ""))
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
            outage_patience=None,
        )
        self._lock = anyio.Lock()  # the next chunk is at hand, and its lease is renewed meanwhile
        self._callers: dict[str, CallPreparer] = {}
        self.stopped = stop or anyio.Event()
        self.error: LixError | None = None
        """The error that ended the worker: 402, a rejected key, a ledger that fails."""

    async def run(self, job: Chunk) -> None:
        """Run a chunk.

        Raises:
            RetryChunkLater: If the chunk is not finished.
            ConfigurationError: If the client has no such method.
        """
        caller = self._caller(job.method)
        async with self._lock:
            await self._ready()
            await self._look_up(caller, job)
            pause = await self._unfinished_for(caller, job)
        if pause is not None:
            raise RetryChunkLater(0.0 if self.stopped.is_set() else max(pause, 1.0))

    def _caller(self, name: str) -> CallPreparer:
        caller = self._callers.get(name)
        if caller is None:
            try:
                method = attrgetter(name)(self._client)
            except AttributeError:
                raise ConfigurationError(
                    f"unknown method {name!r} of {type(self._client).__name__}"
                ) from None
            caller = self._callers[name] = CallPreparer(method)
        return caller

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
            raise RetryChunkLater(0.0 if self.error is None else RETRY_DELAY)

    async def _parked(self) -> bool:
        try:
            self._admission.parked = await self._store.parked()
        except BulkError as error:
            raise self._ended(error) from error
        return bool(self._admission.parked)

    async def _look_up(self, caller: CallPreparer, job: Chunk) -> None:
        now = self._client.clock.wall
        # A stop ends the inputs: who waits for a turn by then still gets it, or is told to leave.
        inputs = itertools.takewhile(lambda _: not self.stopped.is_set(), job.inputs)
        try:
            await chunk(
                self._store,
                caller,
                inputs,
                concurrency=self._concurrency,
                doubts=self._doubts,
                admission=self._admission,
            )
        except LedgerParkedError as error:
            raise RetryChunkLater(PARK_CHECK_INTERVAL) from error
        except DailyLimitError as error:
            until = error.refreshes_at or (now() // DAY + 1) * DAY
            raise RetryChunkLater(max(until - now(), 1.0)) from error
        except OutageError as error:
            raise RetryChunkLater(max(error.retry_after or 0.0, 1.0), str(error)) from error
        except LixError as error:
            raise self._ended(error) from error
        except Exception as error:
            if self.stopped.is_set():
                raise RetryChunkLater(0.0) from error  # a wait that the stop has ended
            raise RetryChunkLater(RETRY_DELAY, repr(error)) from error

    async def _unfinished_for(self, caller: CallPreparer, job: Chunk) -> float | None:
        """Seconds until the chunk has to be run again; None where every lookup of it is final."""
        keys: set[bytes] = set()
        for given in job.inputs:
            with suppress(ConfigurationError):  # it cannot be sent, today or later
                keys.add(caller.call_key(given).key)
        try:
            found = await self._store.find(list(keys))
            # One that the ledger has not seen could not be asked for: its limiter is unreachable.
            pauses = [RETRY_DELAY] if len(found) < len(keys) else []
            for lookup in found.values():
                if not await self._is_final(lookup):
                    pauses.append(self._pause(lookup))
        except BulkError as error:
            raise self._ended(error) from error
        return min(pauses, default=None)

    async def _is_final(self, lookup: Lookup) -> bool:
        status, doubts = lookup.state.status, self._doubts
        if status != "in_doubt" or doubts == "retry":
            return status in FINAL
        entry = await self._store.get(lookup.key) if callable(doubts) else None
        return entry is None or not callable(doubts) or doubts(entry) == "hold"

    def _pause(self, lookup: Lookup) -> float:
        state = lookup.state
        if state.due is not None:  # by the wall clock, which may have been set since
            return min(state.due / 1000 - self._client.clock.wall(), lookup.pause / 1000)
        if state.owner:  # another worker's
            return 0.0
        failures = state.tries // self._client.engine.options.retry.attempts
        if state.status == "in_doubt":  # to be bought again
            failures = state.n
        return min(RETRY_DELAY * 2.0 ** min(max(failures - 1, 0), 10), MAX_RETRY_DELAY)

    def _ended(self, error: LixError) -> RetryChunkLater:
        self.error = error
        self.stopped.set()
        return RetryChunkLater(RETRY_DELAY)


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
