"""Chunks of inputs as jobs of a queue, and when to retry one.

The queue hands chunks out and takes back those of a dead worker. What is paid is decided by the
ledger alone, so a chunk may run any number of times. It is finished only when the ledger says that
every lookup of it is, so no worker can empty the queue while there is something left to ask for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple, cast

import anyio
import msgspec
from msgspec.structs import replace

from ..bulk.admission import AdmissionController
from ..bulk.prepared_call import CallPreparer
from ..core.errors import BulkError, ConfigurationError, LixError, combined
from ..core.freshness import Freshness
from ..engine.call_key import Input, server_of
from ..engine.client import Client
from ..engine.doubts import DoubtPolicy
from ..engine.lookup import CallsParked, LookupExecutor
from ..engine.options import UNSET, chosen_freshness
from ..ledger.reconciliation import account_of
from ..ledger.records import CallQuery, InputRow, LookupSpec, StoredLookup
from ..ledger.rule import FINAL
from ..ledger.store import Store

RETRY_DELAY = 60.0
"""Seconds until a chunk is retried that stopped its worker or had failed lookups."""
MAX_RETRY_DELAY = 900.0
"""The longest delay of a chunk with failed lookups; it grows with the failures of its lookups."""
OUTAGE_DELAY = 5.0
"""Seconds until a chunk is retried whose calls could not be sent, where no breaker is open."""
PARK_CHECK_INTERVAL = 1.0
"""Seconds between two checks of a parked ledger."""


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A job: some inputs of a run in the ledger, for a method of a client such as `people.get`.

    Older jobs carry their inputs; a job with inputs names no run.
    """

    method: str
    inputs: list[str | int | dict[str, object]] = []
    schema: str = ""
    """The ledger that has the inputs."""
    run: int = 0
    first: int = 0
    last: int = 0


class RetryChunkLater(Exception):
    """The chunk is not finished and must be run again after `seconds`."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(f"retry in {seconds:.0f} s" + (f": {reason}" if reason else ""))
        self.seconds = seconds


class _Task(NamedTuple):
    """A lookup of a chunk."""

    given: Input
    lookup: StoredLookup


class ChunkWorker:
    """Runs the chunks of one worker, several at a time, until a stop or an error that lasts.

    Args:
        store: The open store of the ledger.
        client: The client whose methods the chunks name; answers older than its `max_age` are
            bought again.
        concurrency: Calls in flight at most, those of all chunks together.
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
        self._doubts: DoubtPolicy = doubts
        self._admission = AdmissionController(
            client.engine,
            store,
            balance_endpoints=type(client).balance_endpoints,
            max_credits=max_credits,
            outage_patience=None,
            account=account_of("", server_of(client.engine.provider, client.origin)),
        )
        self._concurrency = concurrency
        self._slots = anyio.Semaphore(concurrency, fast_acquire=True)
        self._callers: dict[str, CallPreparer] = {}
        self._waits: dict[tuple[int, int], float] = {}
        """When the wait of a lookup ends (monotonic), by its id and its due time."""
        self._fresh: dict[int, Freshness] = {}
        """Which answers are new enough, by run."""
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
        try:
            await self._ready()
            tasks = await self._tasks(caller, job)
            fresh = self._freshness(job)
            old = await self._expired(tasks.values(), fresh)
            left = [
                task
                for ident, task in tasks.items()
                if ident in old or not await self._is_final(task.lookup)
            ]
            if left:
                await self._look_up(caller, job, left, fresh)
                left = await self._unfinished(left)
            if any(task.lookup.state.n == 0 for task in left):
                # It may have been bought under another id of the same subject meanwhile.
                now = await self._tasks(caller, job)
                left = [one for one in now.values() if not await self._is_final(one.lookup)]
        except BulkError as error:
            raise self._ended(error) from error
        if self._admission.stop is not None:
            self._ended(self._admission.stop)
        if left:
            raise RetryChunkLater(self._delay(left))

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
        self._admission.parked = await self._store.parked()
        return bool(self._admission.parked)

    async def _tasks(self, caller: CallPreparer, job: Chunk) -> dict[int, _Task]:
        """The lookups of a chunk, which the ledger has from now on, by id."""
        given: list[Input] = list(job.inputs)
        rows = [InputRow(0, None)] * len(given)
        if job.run:
            rows = await self._store.inputs(job.run, job.first, job.last, job.schema)
            if len(rows) <= job.last - job.first:
                raise RetryChunkLater(RETRY_DELAY, "the ledger does not have the inputs")
            rows = [row for row in rows if not row.state]
            given = [cast("Input", msgspec.json.decode(row.given or b"")) for row in rows]
        valid: list[tuple[InputRow, Input, LookupSpec]] = []
        calls: list[CallQuery] = []
        invalid: list[InputRow] = []
        for row, one in zip(rows, given, strict=True):
            try:
                found = caller.call_key(one)
            except ConfigurationError as error:  # it cannot be sent, today or later
                invalid.append(replace(row, state="invalid", note=str(error)))
                continue
            text = row.given or msgspec.json.encode(one)
            page = 1 if found.row.is_listing else 0
            spec = LookupSpec(found.key, found.row.id, text, found.variant, page=page)
            valid.append((row, one, spec))
            calls.append(found.query)
        suppressed = await self._store.suppressed_calls(calls)
        for row, _, _ in itertools.compress(valid, suppressed):
            invalid.append(replace(row, given=None, state="suppressed"))
        kept = [not gone for gone in suppressed]
        valid = list(itertools.compress(valid, kept))
        asked = [call.asked for call in itertools.compress(calls, kept)]
        lookups = await self._store.add_lookups(
            [spec for _, _, spec in valid],
            [*(row for row, _, _ in valid), *invalid],
            job.run if job.run and job.schema == self._store.schema else None,
            asked=asked,
        )
        return {
            lookup.id: _Task(one, lookup)
            for (_, one, _), lookup in zip(valid, lookups, strict=True)
        }

    def _freshness(self, job: Chunk) -> Freshness:
        """Which answers are new enough: the same for all chunks of a run, also when they return."""
        options, now = self._client.engine.options, self._client.clock.wall()
        return self._fresh.setdefault(job.run, chosen_freshness(options, UNSET, UNSET, now))

    async def _expired(self, tasks: Iterable[_Task], fresh: Freshness) -> set[int]:
        """The lookups whose answers are bought again; one whose purchase fails keeps its answer."""
        if fresh == Freshness():
            return set()
        ids = {task.lookup.id: task.lookup.state.status for task in tasks}
        times = await self._store.statement(
            lambda tables: tables.answer_times(list(ids)), writes=False
        )
        return {
            ident
            for ident, at in times.items()
            if fresh.is_expired(ids[ident], datetime.fromtimestamp(at / 1000, UTC))
        }

    async def _look_up(
        self, caller: CallPreparer, job: Chunk, left: Sequence[_Task], fresh: Freshness
    ) -> None:
        executor = LookupExecutor(
            *(self._store, caller.engine, self._admission), doubts=self._doubts, fresh=fresh
        )
        if job.schema == self._store.schema:
            executor.run_id = job.run or None
        attempts = self._client.engine.options.retry.attempts
        failures: list[Exception] = []
        waiting = iter(left)

        async def work() -> None:
            for given, lookup in waiting:
                async with self._slots:
                    if failures or self.stopped.is_set():
                        return
                    try:
                        await executor.run(
                            caller.call(given),
                            given,
                            lookup=lookup,
                            tries=lookup.state.tries % attempts,
                            waited=self._waited(lookup),
                        )
                    except Exception as error:  # noqa: BLE001  # raised below, without a group
                        failures.append(error)
                        if isinstance(error, LixError):
                            self._ended(error)

        async with anyio.create_task_group() as group:
            for _ in left[: self._concurrency]:
                group.start_soon(work)
        for failure in failures:
            if isinstance(failure, CallsParked):
                if failure.error is not None:
                    self._admission.refused(failure.error)
            elif isinstance(failure, LixError):
                raise RetryChunkLater(RETRY_DELAY) from failure
            else:  # a wait that the stop has ended, or something unexpected
                seconds = 0.0 if self.stopped.is_set() else RETRY_DELAY
                raise RetryChunkLater(seconds, repr(failure)) from failure

    async def _unfinished(self, tasks: Sequence[_Task]) -> list[_Task]:
        """Those lookups that are not final, by what the ledger has now."""
        now = await self._store.by_id([task.lookup.id for task in tasks])
        left: list[_Task] = []
        for task in tasks:
            lookup = now.get(task.lookup.id)
            if lookup is not None and not await self._is_final(lookup):  # None: forgotten
                left.append(_Task(task.given, lookup))
        return left

    async def _is_final(self, lookup: StoredLookup) -> bool:
        status, doubts = lookup.state.status, self._doubts
        if lookup.moved:
            return False
        if status != "in_doubt" or doubts == "retry":
            return status in FINAL
        entry = await self._store.get(lookup.key) if callable(doubts) else None
        return entry is None or not callable(doubts) or doubts(entry) == "hold"

    def _delay(self, left: Sequence[_Task]) -> float:
        """Seconds until a chunk is run again with what is left of it."""
        if self.stopped.is_set():
            return 0.0 if self.error is None else RETRY_DELAY
        if closed := self._admission.closed_for:
            return max(closed, 1.0)
        if self._admission.parked:
            return PARK_CHECK_INTERVAL
        return max(min(self._pause(task.lookup) for task in left), 1.0)

    def _pause(self, lookup: StoredLookup) -> float:
        state, now = lookup.state, self._client.clock.now()
        if state.due is not None:
            # By the wall clock, which may be set: the wait that was begun is the one that counts.
            pause = min(state.due / 1000 - self._client.clock.wall(), lookup.pause / 1000)
            return self._waits.setdefault((lookup.id, state.due), now + pause) - now
        if state.owner:  # another worker's
            return 0.0
        failures = state.tries // self._client.engine.options.retry.attempts
        if state.status == "in_doubt":  # to be bought again
            failures = state.n
        if not failures:  # it could not be sent; the circuit breaker makes longer pauses
            return OUTAGE_DELAY
        return min(RETRY_DELAY * 2.0 ** min(failures - 1, 10), MAX_RETRY_DELAY)

    def _waited(self, lookup: StoredLookup) -> bool:
        """Whether this worker has waited until a lookup is due."""
        wait = lookup.id, lookup.state.due or 0
        over = self._waits.get(wait, math.inf) <= self._client.clock.now()
        if over:
            del self._waits[wait]
        return over

    def _ended(self, error: LixError) -> RetryChunkLater:
        self.error = combined(self.error, error)
        self.stopped.set()
        return RetryChunkLater(RETRY_DELAY)
