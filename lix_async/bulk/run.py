"""A durable run: many lookups, for days, surviving everything, each paid once."""

from __future__ import annotations

import contextlib
import heapq
import itertools
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sized
from types import TracebackType
from typing import Generic, NamedTuple, TypeVar, cast

import anyio
import msgspec

from ..concurrency.worker_pool import GRACE, InputStream, WorkerGroup
from ..core.errors import BulkError, ConfigurationError, LixError
from ..ledger.address import StoreAddress, open_store
from ..ledger.records import Input as InputRow
from ..ledger.records import Lookup, LookupSpec
from ..ledger.store import Store
from .admission import AdmissionController, CallsParked, OnDailyLimit
from .lookup import QUEUED_FOR, RECHECK_AFTER, DoubtPolicy, LookupExecutor, Postponed
from .outcome import Outcome, OutcomeCounter, Progress, Report
from .prepared_call import CallKey, CallPreparer, Input, Method, PreparedCall

T = TypeVar("T")


class Run(Generic[T]):
    """Many lookups, each bought once: `async for outcome in Run("x.db", lix.people.get, links)`.

    Asks for every distinct input once and keeps every answer in the ledger before it hands it
    over. Stop it in any way, and a new `Run` over the same ledger and inputs goes on: what was
    bought comes back from the ledger and costs nothing.

    * `store`: a path (SQLite, made if it is not there), a `postgresql://…` address (shared by any
      number of runs on any number of machines), or a `Store`.
    * `method`: a method of a client, such as `lix.people.get`; a listing method makes each input
      a whole walk, kept page by page.
    * `inputs`: the method's first arguments (or mappings of keyword arguments), from any iterable
      or async iterable; they are taken as they are needed and need not fit into memory.
    * `concurrency`: calls in flight at most (4). The client's limiter sets the pace, not this.
    * `doubts`: what to do with a lookup that was interrupted, so that nobody knows whether it was
      paid: `"hold"` (default: never buy it again silently), `"retry"`, or a function that is
      asked.
    * `max_credits`: stop with `BudgetError` before this run spends more; calls whose end nobody
      knows count as paid.
    * `on_daily_limit`: `"wait"` until the allowance refreshes, or `"stop"`.
    * `queued_for`: seconds (180) until a lookup that the provider prepares is asked for again.
    * `recheck`: how often at most (0) an answer that may become better is asked for again, each
      time `recheck_after` seconds (an hour) later: an e-mail address that is only `PROBABLE`, 5
      to 10 times as the vendor advises. The better one, or the last, is handed over.
    * `account`: a name that keeps ledgers of several accounts apart.
    * `watch_funds`: read the account's balances and the day's allowance before the first call
      that costs, and every quarter of an hour (True, where the provider tells them; the
      allowance is free, the price of the balances is not published). The run stops with
      `QuotaExceededError` before it asks for what the balance cannot pay, and the daily limit is
      known before it is met.

    Iterating raises what stops the whole run, after everything in flight was kept:
    `QuotaExceededError` (402), `AuthenticationError`, `ViewerError`, `BudgetError`, `BulkError`.
    A ledger that was parked (`lix run park`, `Store.park`) ends the iteration: see
    `progress().parked`.
    """

    def __init__(
        self,
        store: StoreAddress,
        method: Method[T] | CallPreparer,
        inputs: Iterable[Input] | AsyncIterable[Input],
        *,
        concurrency: int = 4,
        doubts: DoubtPolicy = "hold",
        max_credits: int | None = None,
        on_daily_limit: OnDailyLimit = "wait",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
        account: str = "",
        check_balances: bool = True,
    ) -> None:
        self._running: RunExecutor[T] = RunExecutor(
            store,
            method,
            inputs,
            concurrency=concurrency,
            doubts=doubts,
            max_credits=max_credits,
            on_daily_limit=on_daily_limit,
            queued_for=queued_for,
            recheck=recheck,
            recheck_after=recheck_after,
            account=account,
            check_balances=check_balances,
        )
        self.admission = self._running.admission
        """What this run may still spend, as far as it was told."""

    def __aiter__(self) -> AsyncIterator[Outcome[T]]:
        return self

    def __anext__(self) -> Awaitable[Outcome[T]]:
        return self._running.next()

    def __del__(self) -> None:
        if (running := getattr(self, "_running", None)) is not None:
            running.drop()

    async def __aenter__(self) -> Run[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def park(self, reason: str = "parked") -> None:
        """Take no further input: calls in flight end, are kept and handed over, then it ends."""
        self._running.park(reason)

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop within `grace` seconds. What is still in flight then is held in doubt.

        Raises the `BulkError` that tells of paid answers which the ledger could not keep.
        """
        await self._running.aclose(grace)

    def progress(self) -> Progress:
        """The run as it stands; costs nothing to ask."""
        return self._running.progress()

    def report(self) -> Report:
        """Counts, credits, reasons of failures, and a histogram of latencies."""
        return self._running.report()


FIRST = 16


MOST = 256
"""Inputs looked up in the ledger at once: the more, the more of them it knew."""


class PendingLookup(NamedTuple):
    """A call that is to be made, or to be looked up."""

    given: Input
    call: PreparedCall
    lookup: Lookup | None = None
    """What the ledger held of it when its input was read."""
    polls: int = 0
    """How often the provider said that it is queued."""
    tries: int = 0
    """Transient failures in this run."""


class InputReader:
    """Takes inputs as they are needed, and hands out at once what needs no call.

    A run that goes on meets what it knows first: there many inputs are looked up at once, and
    handed over together. Where they are new they are taken one at a time.
    """

    def __init__(
        self,
        inputs: Iterable[Input] | AsyncIterable[Input],
        caller: CallPreparer,
        lookup: LookupExecutor,
        store: Store,
        hand_over: Callable[[list[Outcome[object]]], Awaitable[None]],
    ) -> None:
        self._source: InputStream[Input] = InputStream(inputs)
        # One at a time from a stream: the next input may be long in coming.
        self._most = 1 if isinstance(inputs, AsyncIterable) else MOST
        self._caller = caller
        self._lookup = lookup
        self._store = store
        self._hand_over = hand_over
        self._ready: deque[PendingLookup] = deque()
        self._lock: anyio.Lock | None = None
        self._ahead = min(FIRST, self._most)
        self._row = 0
        self.run_id: int | None = None
        """The ledger's number of the run; None until it has begun."""

    @property
    def used_up(self) -> bool:
        """Whether there is nothing more to take."""
        return self._source.ended and not self._ready

    def met(self, *, known: bool) -> None:
        """Tell whether the ledger knew the input that was last worked on."""
        if not self._ahead and known:
            self._ahead = min(FIRST, self._most)

    async def next(self) -> PendingLookup:
        """The next call, or `StopAsyncIteration`."""
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        async with self._lock:  # one looks ahead for all
            while not self._ready:
                await self._look()
            return self._ready.popleft()

    async def _look(self) -> None:
        out: list[Outcome[object]] = []
        found: list[tuple[int, Input, CallKey]] = []
        for given in await self._taken():
            self._row += 1
            try:
                found.append((self._row, given, self._caller.sketch(given)))
            except ConfigurationError as error:
                out.append(Outcome(input=given, state="invalid", error=error))
                self._note(InputRow(self._row, None, "invalid", str(error)))
        waiting = await self._unknown(found, out)
        self._ready += waiting
        await self._hand_over(out)

    async def _taken(self) -> list[Input]:
        if not self._source.plain:
            return [(await self._source.next())[1]]
        found = self._source.many(max(self._ahead, 1))
        if not found:
            raise StopAsyncIteration
        return found

    async def _unknown(
        self, found: list[tuple[int, Input, CallKey]], out: list[Outcome[object]]
    ) -> list[PendingLookup]:
        """Those that have no final answer in the ledger; of the others, the outcome."""
        known = await self._store.find([sketch.key for _, _, sketch in found]) if found else {}
        lookups = [known.get(sketch.key) for _, _, sketch in found]
        final = iter(
            await self._lookup.finished(
                [
                    (sketch.row, given, lookup)
                    for (_, given, sketch), lookup in zip(found, lookups, strict=True)
                    if lookup is not None
                ]
            )
        )
        waiting: list[PendingLookup] = []
        for (row, given, sketch), lookup in zip(found, lookups, strict=True):
            outcome = None if lookup is None else next(final)
            if lookup is not None:
                self._note(InputRow(row, lookup.id))
            if outcome is not None:
                out.append(outcome)
                continue
            call = sketch.call or self._caller.call(given)
            if lookup is None:
                self._new(row, given, call)
            waiting.append(PendingLookup(given, call, lookup))
        few = 2 * len(waiting) > len(found)
        self._ahead = self._ahead // 2 if few else min(2 * self._ahead, self._most)
        return waiting

    def _note(self, row: InputRow) -> None:
        if self.run_id is not None:
            self._store.post_inputs(self.run_id, [row])

    def _new(self, row: int, given: Input, call: PreparedCall) -> None:
        if self.run_id is not None:
            page = 1 if call.listing else 0
            spec = LookupSpec(call.key, call.row.id, msgspec.json.encode(given), page=page)
            self._store.post_new_input(self.run_id, row, spec)


POLLS = 20
"""Times that a queued lookup is asked for before the run hands it over as still queued."""


class RunExecutor(Generic[T]):
    """A run at work. See `Run`, which hands out what is done here."""

    def __init__(
        self,
        store: StoreAddress,
        method: Method[T] | CallPreparer,
        inputs: Iterable[Input] | AsyncIterable[Input],
        *,
        concurrency: int = 4,
        doubts: DoubtPolicy = "hold",
        max_credits: int | None = None,
        on_daily_limit: OnDailyLimit = "wait",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
        account: str = "",
        check_balances: bool = True,
    ) -> None:
        if isinstance(inputs, str | bytes):
            raise ConfigurationError("inputs must be a list or stream of inputs, not one text")
        self._caller = method if isinstance(method, CallPreparer) else CallPreparer(method, account)
        self._store = open_store(store)
        self._max_credits = max_credits
        engine = self._caller.engine
        self.admission = AdmissionController(
            engine,
            self._store,
            funds=self._caller.funds if check_balances else None,
            max_credits=max_credits,
            on_daily_limit=on_daily_limit,
        )
        """What this run may still spend, as far as it was told."""
        self._lookup = LookupExecutor(
            self._store,
            engine,
            self.admission,
            doubts=doubts,
            queued_for=queued_for,
            recheck=recheck,
            recheck_after=recheck_after,
        )
        self._total = len(inputs) if isinstance(inputs, Sized) else None
        self._tally = OutcomeCounter()
        self._clock = engine.clock
        self._began = self._clock.now()
        self._waiting: list[tuple[float, int, PendingLookup]] = []
        self._order = itertools.count()
        self._flying: dict[bytes, anyio.Event] = {}
        self._parked = ""
        self._stop: LixError | None = None
        self._opened = False
        self._crew: WorkerGroup[PendingLookup, Outcome[T]] = WorkerGroup(
            self._work,
            self._take,
            concurrency,
            before=self._open,
            after=self._close,
            left=self._tally.add,
        )
        hand_over = cast("Callable[[list[Outcome[object]]], Awaitable[None]]", self._crew.hand_over)
        self._inputs = InputReader(inputs, self._caller, self._lookup, self._store, hand_over)

    async def next(self) -> Outcome[T]:
        """The next outcome, or what stops the run."""
        try:
            received = self._crew.received
            outcome = received.popleft() if received else await self._crew.next()
        except Exception:  # also StopAsyncIteration: it has ended, one way or another
            await self._close()
            self._raise()
            raise
        self._tally.add(outcome)
        return outcome

    def drop(self) -> None:
        """Whoever took the outcomes has gone away."""
        self._crew.drop()

    async def _close(self) -> None:
        if self._lookup.run_id is not None and self._store.is_open:
            run, self._lookup.run_id = self._lookup.run_id, None
            with contextlib.suppress(BulkError):  # the ledger has failed: nothing more to note
                await self._store.end_run(run)
        if self._opened:  # a store that was open before belongs to the caller
            self._opened = False
            await self._store.close()

    def _raise(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None:
            raise stop from None

    def park(self, reason: str = "parked") -> None:
        """Take no further input: calls in flight end, are kept and handed over, then it ends."""
        self._parked = reason
        self._crew.stop()

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop within `grace` seconds. What is still in flight then is held in doubt.

        Raises the `BulkError` that tells of paid answers which the ledger could not keep.
        """
        try:
            await self._crew.aclose(grace)
        finally:  # also where its block was cancelled
            await self._close()
        if isinstance(self._stop, BulkError) and self._stop.unsaved:
            self._raise()

    def progress(self) -> Progress:
        """The run as it stands; costs nothing to ask."""
        waiting = sum(job.polls > 0 for _, _, job in self._waiting)
        return self._tally.progress(
            total=self._total,
            waiting=waiting,
            in_flight=self._crew.in_flight,
            parked=self._reason(),
        )

    def _reason(self) -> str:
        closed = self.admission.closed_for > 0
        return self._parked or ("daily limit" if closed else "")

    def report(self) -> Report:
        """Counts, credits, reasons of failures, and a histogram of latencies."""
        return Report(
            progress=self.progress(),
            reasons=dict(self._tally.reasons.most_common()),
            latencies=dict(sorted(self._tally.latencies.items())),
            seconds=self._clock.now() - self._began,
        )

    async def _open(self) -> None:
        if not self._store.is_open:
            await self._store.open()
            self._opened = True
        name = f"{self._caller.engine.provider.name} {self._caller.name}"
        run = await self._store.begin_run(name, self._caller.name, "{}", self._max_credits)
        self._lookup.run_id = self._inputs.run_id = run
        if parked := await self._store.parked():
            self.park(parked)

    async def _take(self) -> tuple[int, PendingLookup]:
        """What to work on next: a queued lookup that is due, a new input, or one to wait for."""
        while True:
            now = self._clock.now()
            if self._waiting and self._waiting[0][0] <= now:
                _, number, job = heapq.heappop(self._waiting)
                return number, job
            if self._waiting and self._inputs.used_up:
                await self._clock.sleep(self._waiting[0][0] - now)  # it counts as queued meanwhile
                continue
            try:
                return next(self._order), await self._inputs.next()
            except StopAsyncIteration:
                if not self._waiting:
                    raise

    async def _work(self, job: PendingLookup) -> Outcome[T] | None:
        while (other := self._flying.get(job.call.key)) is not None:
            await other.wait()
        self._flying[job.call.key] = done = anyio.Event()
        spent = 0
        try:
            while self._stop is None and await self._open_again():
                try:
                    outcome = await self._lookup.run(
                        job.call, job.given, lookup=job.lookup, tries=job.tries
                    )
                except CallsParked as parked:
                    spent += parked.spent
                    self._told(parked)
                    job = job._replace(lookup=None)
                    continue
                if isinstance(outcome, Postponed):
                    return self._postponed(outcome, job)
                outcome.credits, spent = outcome.credits + spent, 0
                self._inputs.met(known=outcome.cached)
                return cast("Outcome[T]", outcome)
        except BulkError as error:
            self._end(error)
        finally:
            self._tally.credits += spent
            del self._flying[job.call.key]
            done.set()
        return None

    async def _open_again(self) -> bool:
        """Wait while the daily limit is reached; False when the run is stopped meanwhile."""
        while (pause := self.admission.closed_for) > 0:
            if self._crew.stopping:
                return False
            with self._crew.idle():
                await self._clock.sleep(pause)
        return not self._parked or not self.admission.parked

    def _postponed(self, later: Postponed, job: PendingLookup) -> Outcome[T] | None:
        """The outcome of a lookup that waited often enough; None where the run comes back to it."""
        outcome = later.outcome
        if later.reason == "queued" and job.polls >= POLLS and not outcome.body:
            return cast("Outcome[T]", outcome)
        self._tally.spent(outcome)
        job = job._replace(
            lookup=None,
            polls=job.polls + (later.reason == "queued" and not outcome.body),
            tries=job.tries + (later.reason == "failed"),
        )
        due = self._clock.now() + later.pause
        heapq.heappush(self._waiting, (due, next(self._order), job))
        return None

    def _told(self, parked: CallsParked) -> None:
        if parked.error is not None:
            self.admission.refused(parked.error)
        if self.admission.parked:
            self.park(self.admission.parked)
        if self.admission.stop is not None:
            self._end(self.admission.stop)

    def _end(self, error: LixError) -> None:
        unsaved = error.unsaved if isinstance(error, BulkError) else ()
        if isinstance(self._stop, BulkError) and unsaved:
            if self._stop is not error:
                self._stop.unsaved += unsaved
        elif self._stop is None or unsaved:  # nothing is worse than to lose what was paid for
            self._stop = error
        self.park(type(error).__name__)
