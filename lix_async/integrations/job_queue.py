"""Queues in PostgreSQL that hold chunks of inputs, whatever package runs them.

A queue holds ranges of inputs; the inputs are in the ledger, in the same database.
"""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import msgspec

from ..concurrency.clock import RealClock
from ..core.errors import BulkError, ConfigurationError
from ..engine.call_key import Input
from ..engine.client import Client
from ..engine.doubts import DoubtPolicy
from ..ledger.postgres import UNREACHABLE_TIMEOUT, PostgresStore, check_postgres_address
from ..ledger.records import InputRow
from .chunk_worker import Chunk, ChunkWorker

if TYPE_CHECKING:
    import anyio

Q = TypeVar("Q")
TASK_NAME = "lix_async.chunk"
"""The name of the job in every queue."""
CHUNK_SIZE = 50
"""The default number of inputs in a chunk."""
CHUNKS_IN_FLIGHT = 4
"""Chunks that a worker holds at most: one fills the calls that the end of another leaves idle."""
BATCH = 5_000
"""Inputs that are written in one transaction, at least one chunk."""
RECONNECT_DELAY = 1.0
"""Seconds until a worker connects again to a queue that it has lost."""


class JobQueue(ABC, Generic[Q]):
    """A kind of queue. `Q` is its connection.

    Args:
        errors: What it raises where the database cannot be used.
    """

    def __init__(self, *errors: type[Exception]) -> None:
        self._errors = errors

    @abstractmethod
    def connect(self, dsn: str) -> AbstractAsyncContextManager[Q]:
        """A connection, with the tables of the queue created where they are missing."""

    @abstractmethod
    async def enqueue(self, queue: Q, chunks: Sequence[Chunk]) -> None:
        """Add chunks."""

    @abstractmethod
    async def work(self, queue: Q, worker: ChunkWorker, heartbeat: float) -> None:
        """Hand chunks to a worker until it stops."""

    async def submit(
        self,
        dsn: str,
        method: str,
        inputs: Iterable[Input],
        *,
        size: int = CHUNK_SIZE,
        schema: str = "lix_async",
    ) -> int:
        """Queue inputs for a method of a client. Creates the tables of queue and ledger.

        Inputs are taken as they are needed, so that they need not fit into memory. Submitting the
        same inputs again costs nothing, because the ledger has their answers.

        Args:
            dsn: `postgresql://...`
            method: The method, such as "people.get".
            inputs: First arguments of the method, or mappings of keyword arguments.
            size: Inputs in a chunk.
            schema: The schema of the ledger, which keeps the inputs.

        Returns:
            The number of chunks.

        Raises:
            ConfigurationError: If an input is not text, a number or a mapping, or an argument is
                not valid. Inputs before it are queued.
            BulkError: If the queue or the ledger cannot be used.
        """
        try:
            check_postgres_address(dsn)
        except ConfigurationError:
            del dsn  # a traceback may show local variables
            raise
        if size < 1:
            raise ConfigurationError(f"size must be at least 1, not {size}")
        count = row = 0
        run: int | None = None
        rows = encode_inputs(inputs)
        async with AsyncExitStack() as stack:
            with queue_errors_as_bulk_errors(*self._errors):
                queue = await stack.enter_async_context(self.connect(dsn))
            store = await stack.enter_async_context(PostgresStore(dsn, schema=schema))
            while batch := list(itertools.islice(rows, max(BATCH // size, 1) * size)):
                if run is None:
                    run = await store.begin_run("", method, "", None)
                await store.add_inputs(run, batch)
                end = row + len(batch)
                chunks = [
                    Chunk(method, [], schema, run, first, min(first + size - 1, end))
                    for first in range(row + 1, end + 1, size)
                ]
                with queue_errors_as_bulk_errors(*self._errors):
                    await self.enqueue(queue, chunks)
                row, count = end, count + len(chunks)
        return count

    async def worker(
        self,
        dsn: str | PostgresStore,
        client: Client,
        *,
        concurrency: int = 16,
        doubts: DoubtPolicy = "hold",
        schema: str = "lix_async",
        heartbeat: float = 30.0,
        max_credits: int | None = None,
        stop: anyio.Event | None = None,
    ) -> None:
        """Work on chunks until `stop` is set. Any number of workers may run, on any machine.

        Chunks are run again by themselves when lookups are queued or fail, after a daily limit, and
        while the ledger is parked. When an error lasts, the worker ends and the chunk stays in the
        queue for another one. A worker uses two connections to the database: the queue's and the
        ledger's, which a `PostgresLimiter` made with the same `PostgresStore` shares.

        Args:
            dsn: `postgresql://...` of queue and ledger, or the ledger, not opened yet.
            client: The client whose methods `submit` named; use one for each process.
            concurrency: Calls in flight at most; the client's limiter sets the rate and should be
                shared between the workers.
            doubts: What to do with lookups in doubt; see `bulk.Run`.
            schema: The schema of the ledger, where `dsn` is an address.
            heartbeat: Seconds after which the chunk of a dead worker is taken over. What it had
                sent is in doubt.
            max_credits: This worker ends with `BudgetError` before it spends more.
            stop: When it is set, no further chunk is taken, calls in flight end, the rest of the
                chunk goes back to the queue, and this returns. If the task is cancelled instead,
                calls in flight are in doubt.

        Raises:
            QuotaExceededError: If the credits are used up (402) or `max_credits` is reached.
            AuthenticationError: If the key is rejected.
            ViewerError: If the viewer id is rejected.
            BulkError: If the ledger or the queue cannot be used.

        Credits: those of the methods, for each input that the ledger does not have.
        """
        ledger = dsn if isinstance(dsn, PostgresStore) else PostgresStore(dsn, schema=schema)
        with queue_errors_as_bulk_errors(*self._errors):
            async with ledger as store:
                chunks = ChunkWorker(
                    store, client, concurrency, doubts, max_credits=max_credits, stop=stop
                )
                try:
                    await self._work(ledger.address, chunks, heartbeat)
                finally:  # also where it is cancelled: the error may hold what was paid for
                    if chunks.error is not None:
                        raise chunks.error

    async def _work(self, dsn: str, chunks: ChunkWorker, heartbeat: float) -> None:
        """Work, connecting again for a minute where the connection of the queue breaks."""
        clock = RealClock()
        until: float | None = None
        while not chunks.stopped.is_set():
            try:
                async with self.connect(dsn) as queue:
                    until = clock.now() + UNREACHABLE_TIMEOUT
                    await self.work(queue, chunks, heartbeat)
            except self._errors:
                if until is None or clock.now() > until:
                    raise
                await clock.sleep(RECONNECT_DELAY)


def encode_inputs(inputs: Iterable[Input]) -> Iterator[InputRow]:
    """Inputs as rows of the ledger, as they are needed.

    Raises:
        ConfigurationError: If an input is not text, a number or a mapping.
    """
    for number, given in enumerate(inputs, start=1):
        value = cast("object", dict(given) if isinstance(given, Mapping) else given)
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | dict):
                raise TypeError(f"got {type(given).__name__}")
            yield InputRow(number, None, given=msgspec.json.encode(value))
        except UnicodeEncodeError as error:  # half of a surrogate pair: data, not a mistake
            yield InputRow(number, None, "invalid", str(error), json.dumps(value).encode())
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"invalid input: expected text, a number or a mapping: {error}"
            ) from None


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
