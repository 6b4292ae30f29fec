"""What the adapters to job engines share: chunks of inputs as jobs, and when to come back to one.

The engine hands chunks out and takes back those of a dead worker; what is paid for is decided by
the ledger alone, so a chunk may run any number of times.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from operator import attrgetter

import anyio
import msgspec

from ..bulk import chunk
from ..bulk.calls import Input, Method
from ..bulk.store import Doubts, Store
from ..core.errors import ConfigurationError, DailyLimitError, LixError
from ..engine.client import Client

NAME = "lix_async.chunk"
"""The job's name in every engine."""
SIZE = 50
"""Inputs in a chunk."""
DAY = 86_400.0
AFTER_STOP = 60.0
"""Seconds until a chunk is tried again that stopped its worker."""


class Chunk(msgspec.Struct, frozen=True):
    """A job: some inputs for a method of a client, such as `people.get`."""

    method: str
    inputs: list[str | int | dict[str, object]]


class ComeBack(Exception):
    """The chunk is not finished: run it again after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.seconds = seconds


def cut(method: str, inputs: Iterable[Input], size: int = SIZE) -> Iterator[Chunk]:
    """Inputs as chunks, as they are needed. Raises `ConfigurationError` for what is no input."""
    stream = iter(inputs)
    while batch := list(itertools.islice(stream, size)):
        try:
            yield msgspec.convert(Chunk(method, msgspec.to_builtins(batch)), Chunk)
        except (msgspec.ValidationError, TypeError) as error:
            raise ConfigurationError(
                f"inputs must be texts, numbers or mappings: {error}"
            ) from None


class Hands:
    """Does a worker's chunks, one at a time, and notices what makes further ones pointless."""

    def __init__(self, store: Store, client: Client, concurrency: int, doubts: Doubts) -> None:
        self._store = store
        self._client = client
        self._concurrency = concurrency
        self._doubts: Doubts = doubts
        self._lock = anyio.Lock()  # the next chunk is at hand, and its lease is renewed meanwhile
        self.stopped = anyio.Event()
        self.error: LixError | None = None
        """What ended the worker: 402, a bad key, a ledger that fails."""

    async def do(self, job: Chunk) -> None:
        """Run a chunk. Raises `ComeBack`, and `ConfigurationError` for an unknown method."""
        try:
            method: Method[object] = attrgetter(job.method)(self._client)
        except AttributeError:
            raise ConfigurationError(f"this client has no {job.method}") from None
        now = self._client.clock.wall
        async with self._lock:
            if self.error is not None:
                raise ComeBack(AFTER_STOP)
            try:
                outcomes = await chunk(
                    self._store,
                    method,
                    job.inputs,
                    concurrency=self._concurrency,
                    doubts=self._doubts,
                )
            except ConfigurationError:
                raise
            except DailyLimitError as error:
                until = error.refreshes_at or (now() // DAY + 1) * DAY
                raise ComeBack(max(until - now(), 1.0)) from error
            except LixError as error:
                self.error = error
                self.stopped.set()
                raise ComeBack(AFTER_STOP) from error
        due = [outcome.due for outcome in outcomes if outcome.state == "queued"]
        if due:
            raise ComeBack(max(min(due) - now(), 1.0))
