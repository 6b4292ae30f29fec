"""A durable run: many lookups, each paid for once, that can be stopped and continued."""

from __future__ import annotations

import contextlib
import contextvars
import heapq
import itertools
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sized
from operator import itemgetter
from pathlib import PurePath
from types import TracebackType
from typing import Generic, NamedTuple, TypedDict, TypeVar, cast

import anyio
import msgspec
from msgspec.structs import replace

from ..concurrency.background import BackgroundTask
from ..concurrency.event_loop import WaitableEvent, new_event, raisable
from ..concurrency.worker_pool import GRACE, CallScope, InputStream, WorkerGroup
from ..core.errors import (
    BulkError,
    ConfigurationError,
    LixError,
    OutageError,
    RateLimitError,
    combined,
)
from ..core.freshness import Age, Freshness
from ..core.plurals import counted
from ..core.validation import check_type, guarded_repr
from ..engine.call_key import Input, PreparedCall, is_member_urn
from ..engine.doubts import DoubtPolicy
from ..engine.events import (
    Event,
    OutcomeReady,
    RunEnded,
    RunParked,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from ..engine.lookup import (
    QUEUED_FOR,
    RECHECK_AFTER,
    CallsParked,
    LookupExecutor,
    Postponed,
    input_row,
)
from ..engine.options import UNSET, Unset, chosen_freshness
from ..engine.outcome import Outcome
from ..ledger.history import evidence_of
from ..ledger.ledger import StoreAddress, open_store
from ..ledger.reconciliation import Reconciliation, reconcile
from ..ledger.records import InputRow, StoredBody, StoredLookup
from ..ledger.refresh import Evidence, plan
from ..ledger.store import Store
from .admission import OUTAGE_PATIENCE, AdmissionController, OnDailyLimit
from .prepared_call import CallKey, CallPreparer, ClientMethod
from .progress import OutcomeCounter, Progress, Report
from .row_input import AnyRow, On

T = TypeVar("T")


class RunOptions(TypedDict, total=False):
    """The keyword arguments of `Run` that are not about its inputs, to pass them on."""

    name: str | None
    concurrency: int
    doubts: DoubtPolicy
    max_credits: int | None
    on_daily_limit: OnDailyLimit
    outage_patience: float | None
    queued_for: float
    recheck: int
    recheck_after: float
    max_age: Age | Unset | None
    refused_age: Age | Unset | None
    refresh: int
    account: str
    check_balances: bool


class Run(Generic[T]):
    """Many lookups, each paid for once: `async for outcome in Run("x.db", lix.people.get, links)`.

    Each distinct input is looked up once, and each answer is saved in the ledger before it is
    handed out. However a run was stopped, a new `Run` with the same ledger and inputs continues:
    answers that were bought come from the ledger and cost nothing. A run over a ledger that is
    parked (`lix run park`, `Store.park`) ends; see `progress().parked`.

    Args:
        store: A path (SQLite, created if necessary), a `postgresql://` address (may be shared by
            any number of runs on any number of machines), or a `Store`.
        method: A method of a client, such as `lix.people.get`. A listing method makes each input a
            whole listing, which is saved page by page.
        inputs: First arguments of the method, or mappings of keyword arguments, from any iterable
            or async iterable. They are taken as needed and need not fit into memory. What it raises
            is raised after their outcomes; a cancellation of another task that it waited for
            becomes a `RuntimeError`, since it would be taken for one of the caller.
        on: Where inputs are rows (mappings, structs, named tuples, rows of a database), the part
            that the method takes: the name of the column with its first argument, a mapping of its
            keyword arguments to names of columns, or a function of the row. The ledger keeps that
            part alone; `Outcome.input` is the row. None, NaN and "" are no argument, and a row
            without any is `invalid`.
        rows: The numbers of the inputs in the run, ascending, where they are not 1, 2, 3 and so on:
            those of the rest of a file, say.
        name: The run of the ledger to join, with its `max_credits` and what it has spent; other
            processes may be working on it. A name that is new, or None, begins one.
        concurrency: Calls in flight at most; the client's limiter sets the rate.
        doubts: What to do with lookups in doubt, which were interrupted and may have been charged:
            `"hold"` (leave them alone), `"retry"`, or a function that decides for each entry.
        max_credits: Stop with `BudgetError` before this run spends more; lookups in doubt count as
            charged.
        on_daily_limit: `"wait"` until the daily allowance refreshes, or `"stop"`.
        outage_patience: While the provider cannot be reached or answers with failures only, no
            input fails: the run waits and tries one now and then (see `progress().parked`). After
            so many seconds it ends with `OutageError`; None to wait as long as it takes.
        queued_for: Seconds until a lookup that the provider has queued is requested again. Where it
            has named a request id (LookC), the status is requested, and sooner.
        recheck: How often at most an answer that may become better is requested again, such as an
            e-mail address that is only `PROBABLE` (the vendor advises 5 to 10 times). The better
            answer, or the last one, is handed out.
        recheck_after: Seconds between two such requests.
        max_age: The greatest age of an answer when the run is made, as a `timedelta` or in seconds.
            An older one is bought again and kept as a further version. Where that fails, the older
            one is handed out, with `Outcome.stale`. None: nothing is bought again. Default: the
            client's.
        refused_age: The same for refusals, such as not found.
        refresh: Spend at most so many credits on buying answers again, whatever their age, where
            most has probably changed: by their age, their versions, those of similar lookups, and
            how long a person's jobs last. All inputs are read first, and known ones wait for that.
        account: A name that separates the ledger entries of several accounts.
        check_balances: Whether to read balances and daily allowance before the first charged call
            and every quarter of an hour, if the provider reports them. Then the run stops with
            `QuotaExceededError` before a call that the balance cannot pay.

    Raises:
        ConfigurationError: If an argument is not valid.
        QuotaExceededError: While iterating, if the credits are used up (402).
        AuthenticationError: While iterating, if the key is rejected.
        ViewerError: While iterating, if the viewer id is rejected.
        BudgetError: While iterating, if the next call would exceed `max_credits`.
        OutageError: While iterating, after `outage_patience`.
        BulkError: While iterating, if the ledger cannot be used; see its `unsaved`. All of these
            are raised after the calls in flight were saved.

    Credits: those of the method, for each input that the ledger does not have.

    Example:
        ```python
        async with bulk.Run("people.db", lix.people.get, links) as run:
            async for outcome in run:
                print(outcome.input, outcome.state, outcome.value)
        ```
    """

    def __init__(
        self,
        store: StoreAddress,
        method: ClientMethod[T] | CallPreparer,
        inputs: Iterable[AnyRow] | AsyncIterable[AnyRow],
        *,
        on: On[AnyRow] | None = None,
        rows: Iterable[int] | None = None,
        name: str | None = None,
        concurrency: int = 4,
        doubts: DoubtPolicy = "hold",
        max_credits: int | None = None,
        on_daily_limit: OnDailyLimit = "wait",
        outage_patience: float | None = OUTAGE_PATIENCE,
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
        max_age: Age | Unset | None = UNSET,
        refused_age: Age | Unset | None = UNSET,
        refresh: int = 0,
        account: str = "",
        check_balances: bool = True,
    ) -> None:
        if isinstance(inputs, str | bytes):
            raise ConfigurationError("inputs must be a list or stream of inputs, not a single text")
        caller = method if isinstance(method, CallPreparer) else CallPreparer(method, account, on)
        try:
            ledger = open_store(store)
        except ConfigurationError:
            del store  # a traceback may show local variables
            raise
        check_type("name", name, str | None)
        check_type("refresh", refresh, int)
        if refresh < 0:
            raise ConfigurationError(f"refresh must be at least 0, not {refresh!r}")
        self.admission = AdmissionController(
            caller.engine,
            ledger,
            balance_endpoints=caller.balance_endpoints if check_balances else None,
            max_credits=max_credits,
            on_daily_limit=on_daily_limit,
            outage_patience=outage_patience,
            account=caller.account,
        )
        """The balances, the daily allowance and the budget of this run."""
        lookup = LookupExecutor(
            ledger,
            caller.engine,
            self.admission,
            doubts=doubts,
            queued_for=queued_for,
            recheck=recheck,
            recheck_after=recheck_after,
            fresh=chosen_freshness(
                caller.engine.options, max_age, refused_age, caller.engine.clock.wall()
            ),
        )
        self._running: RunExecutor[T] = RunExecutor(
            *(caller, lookup, self.admission, inputs, concurrency, name or "", max_credits),
            rows=rows,
            refresh=refresh,
        )

    @guarded_repr
    def __repr__(self) -> str:
        return self._running.description()

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
        """Send nothing more, and take no further input.

        Requests on their way are answered, and those outcomes are handed out; then the run ends.
        Lookups that only wait, for a permit say, are left as if they had not been taken.
        """
        self._running.park(reason)

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop within `grace` seconds. Calls that are still in flight then are in doubt.

        Raises:
            BulkError: If the ledger could not save answers that were paid; see its `unsaved`.
        """
        await self._running.aclose(grace)

    def progress(self) -> Progress:
        """The state of the run. Sends nothing."""
        return self._running.progress()

    def report(self) -> Report:
        """Counts, credits, reasons of failures, and a histogram of latencies."""
        return self._running.report()

    async def reconcile(self) -> list[Reconciliation]:
        """Read the balances now, and settle the lookups in doubt where arithmetic allows.

        Lookups that were not charged are pending again; those that were are kept, and not bought
        again unasked. Where the balances allow more than one possibility, all stay in doubt. See
        `Ledger.reconcile`. May be called when the run has ended.

        Returns:
            What was found between two readings, for each pair that has lookups in doubt.

        Credits: none for lookups; what reading the balances costs is not published.
        """
        return await self._running.reconcile()


FIRST = 16


MOST = 256
"""Inputs looked up in the ledger at once: the more, the more of them it knew."""


class PendingLookup(msgspec.Struct, frozen=True):
    """A lookup that is to be made."""

    input: object
    """The input as it was passed: for `on`, the whole row."""
    given: Input
    """What the method takes of it."""
    call: PreparedCall
    lookup: StoredLookup | None = None
    """What the ledger held of it when its input was read."""
    read: bool = False
    """Whether the ledger was read, and nothing about this lookup can have changed since."""
    row: int | None = None
    """The row of its input, where the ledger is still to note it."""
    queued: bool = False
    """Whether the provider prepares it."""
    polls: int = 0
    """How often the provider said that it is queued."""
    tries: int = 0
    """Transient failures in this run."""
    waited: bool = False
    """Whether the pause that was decided for it is over."""
    failed: Outcome[object] | None = None
    """Its last outcome, until it is known whether everything fails."""
    outages: int = 0
    """How many outages there had been by then."""
    spent: int = 0
    """Credits of its earlier attempts in this run."""
    refresh: bool = False
    """Whether it is bought again although an answer is known."""


class _Taken(NamedTuple):
    """An input that can be sent."""

    row: int
    input: object
    given: Input
    key: CallKey


class InputReader:
    """Takes inputs as they are needed, and hands out at once what needs no call.

    A continued run first meets inputs that the ledger has: there many are read from the ledger at
    once and handed out together. Of new inputs as many are taken as workers wait for one.
    """

    def __init__(
        self,
        inputs: Iterable[object] | AsyncIterable[object],
        caller: CallPreparer,
        lookup: LookupExecutor,
        store: Store,
        deliver: Callable[[list[Outcome[object]]], Awaitable[None]],
        on_ready: Callable[[str, Outcome[object]], None],
        rows: Iterable[int] | None,
        refresh: int,
    ) -> None:
        self._source: InputStream[object] = InputStream(inputs)
        # One at a time from a stream: the next input may be long in coming.
        self._most = 1 if isinstance(inputs, AsyncIterable) else MOST
        self._caller = caller
        self._lookup = lookup
        self._store = store
        self._deliver = deliver
        self._on_ready = on_ready
        self._ready: deque[PendingLookup] = deque()
        self._refresh = refresh
        self._held: list[tuple[_Taken, int, Evidence]] = []
        """Known inputs, until all are known and it is planned which of them to buy again."""
        self._ahead = min(FIRST, self._most)
        self._rows = iter(itertools.count(1) if rows is None else rows)
        self.wanted = 0
        """How many workers wait for an input."""
        self.run_id: int | None = None
        """The ledger's number of the run; None until it has begun."""
        self.raise_failure = self._source.raise_failure

    @property
    def is_sync(self) -> bool:
        """Whether inputs are there without waiting."""
        return self._source.is_sync

    def take_ready(self) -> PendingLookup | None:
        """The next call, if it is there already."""
        return self._ready.popleft() if self._ready else None

    @property
    def ready(self) -> int:
        """How many calls are there already."""
        return len(self._ready)

    @property
    def has_next(self) -> bool:
        """Whether there is an input, or may be one, without waiting."""
        unread = self.is_sync and not self._source.ended
        return bool(self._ready or self._held) or unread

    @property
    def used_up(self) -> bool:
        """Whether there is nothing more to take."""
        return self._source.ended and not self._ready and not self._held

    def met(self, *, known: bool) -> None:
        """Tell whether the ledger knew the input that was last worked on."""
        if not self._ahead and known:
            self._ahead = min(FIRST, self._most)

    async def next(self) -> PendingLookup:
        """The next call, or `StopAsyncIteration`. One caller reads for all."""
        while not self._ready:
            try:
                await self._read_ahead()
            except StopAsyncIteration:
                if not self._held:
                    raise
                await self._plan()
        return self._ready.popleft()

    async def _read_ahead(self) -> None:
        out: list[Outcome[object]] = []
        found: list[_Taken] = []
        for one in await self._taken():
            row = next(self._rows)
            try:
                given = self._caller.input_of(one)
                member = None
                if is_member_urn(given):
                    member = await self._caller.member_call(self._store, given)
                key = self._caller.call_key(given) if member is None else CallKey.of(member)
                found.append(_Taken(row, one, given, key))
            except ConfigurationError as error:
                if error.family != "input":
                    raise
                out.append(Outcome(input=one, state="invalid", error=error))
                self._on_ready("", out[-1])
                self._note([InputRow(row, None, "invalid", str(error))])
        waiting = await self._unknown(found, out)
        self._ready += waiting
        await self._deliver(out)

    async def _taken(self) -> list[object]:
        if not self._source.is_sync:
            return [(await self._source.next())[1]]
        found = self._source.take_many(max(self._ahead, min(self.wanted, self._most), 1))
        if not found:
            raise StopAsyncIteration
        return found

    async def _unknown(
        self, found: list[_Taken], out: list[Outcome[object]]
    ) -> list[PendingLookup]:
        """Those that have no final answer in the ledger; of the others, the outcome."""
        await self._caller.rekey(self._store, [(one.given, one.key) for one in found])
        lookups = await self._find(found)
        final = iter(await self._finished(found, lookups))
        waiting: list[PendingLookup] = []
        known_rows: list[InputRow] = []
        versions = await self._versions([one for one in lookups if one is not None])
        for one, lookup in zip(found, lookups, strict=True):
            row, _, given, call_key = one
            outcome = None if lookup is None else next(final)
            if lookup is not None and lookup.suppressed:
                known_rows.append(InputRow(row, None, "suppressed"))
            elif lookup is not None:
                known_rows.append(input_row(row, lookup, call_key.key, given))
            if lookup is not None and outcome is not None and lookup.id in versions:
                evidence = evidence_of(
                    self._lookup.engine.provider,
                    call_key.row,
                    versions[lookup.id],
                    self._lookup.now,
                )
                self._held.append((one, lookup.id, evidence))
                continue
            if outcome is not None:
                out.append(outcome)
                self._on_ready(call_key.row.id, outcome)
                continue
            new = row if lookup is None else None
            waiting.append(self._pending(one, lookup, read=True, row=new))
        self._note(known_rows)
        few = 2 * len(waiting) > len(found)
        self._ahead = self._ahead // 2 if few else min(2 * self._ahead, self._most)
        return waiting

    async def _find(self, taken: list[_Taken]) -> list[StoredLookup | None]:
        queries = [one.key.query for one in taken]
        return await self._store.find_calls(queries, self._lookup.now) if queries else []

    async def _finished(
        self, taken: list[_Taken], lookups: list[StoredLookup | None]
    ) -> list[Outcome[object] | None]:
        """For each lookup that the ledger has, its outcome if it is final."""
        return await self._lookup.finished(
            [
                (one.key.key, one.key.row, one.input, lookup)
                for one, lookup in zip(taken, lookups, strict=True)
                if lookup is not None
            ]
        )

    def _pending(
        self,
        one: _Taken,
        lookup: StoredLookup | None = None,
        *,
        read: bool = False,
        row: int | None = None,
        refresh: bool = False,
    ) -> PendingLookup:
        call = one.key.call or self._caller.call(one.given, one.key)
        return PendingLookup(
            one.input, one.given, call, lookup, read=read, row=row, refresh=refresh
        )

    async def _versions(self, lookups: list[StoredLookup]) -> dict[int, list[StoredBody]]:
        """The versions of the lookups that a plan may buy again."""
        single = [one for one in lookups if one.state.status == "done" and not one.state.page]
        ids = [one.id for one in single] if self._refresh else []
        if not ids:
            return {}
        return await self._store.statement(lambda tables: tables.all_versions(ids), writes=False)

    async def _plan(self) -> None:
        """Decide which of the known inputs are bought again, and hand out the others."""
        held, self._held = self._held, []
        first = list({lookup: evidence for *_, lookup, evidence in reversed(held)}.items())
        chosen = [first[place][0] for place in plan([one for _, one in first], self._refresh)]
        places = {lookup: place for place, lookup in enumerate(chosen)}
        again: list[tuple[int, PendingLookup]] = []
        others: list[_Taken] = []
        for one, lookup, _ in held:
            if (place := places.get(lookup)) is None:
                others.append(one)
            else:
                again.append((place, self._pending(one, refresh=True)))
        self._ready += (job for _, job in sorted(again, key=itemgetter(0)))
        for start in range(0, len(others), MOST):
            await self._deliver_known(others[start : start + MOST])

    async def _deliver_known(self, taken: list[_Taken]) -> None:
        lookups = await self._find(taken)
        known = [one for one, lookup in zip(taken, lookups, strict=True) if lookup is not None]
        out: list[Outcome[object]] = []
        for one, outcome in zip(known, await self._finished(taken, lookups), strict=True):
            if outcome is None:  # another process is buying it
                self._ready.append(self._pending(one))
            else:
                out.append(outcome)
                self._on_ready(one.key.row.id, outcome)
        await self._deliver(out)

    def _note(self, rows: list[InputRow]) -> None:
        if rows and self.run_id is not None:
            self._store.post_inputs(self.run_id, rows)


POLLS = 20
"""Times that a queued lookup is asked for before the run hands it over as still queued."""
LONGEST_SUSPICION = 60.0
"""Seconds after which a failed lookup is handed over although nothing was answered since."""


class RunExecutor(Generic[T]):
    """Carries out a `Run`, which is the public side of it."""

    def __init__(
        self,
        caller: CallPreparer,
        lookup: LookupExecutor,
        admission: AdmissionController,
        inputs: Iterable[object] | AsyncIterable[object],
        concurrency: int,
        name: str,
        max_credits: int | None,
        rows: Iterable[int] | None,
        refresh: int,
    ) -> None:
        self._caller, self._lookup = caller, lookup
        self._store, self.admission = lookup.store, admission
        self._name, self._max_credits = name, max_credits
        self._refresh_credits = refresh
        self._total = len(inputs) if isinstance(inputs, Sized) else None
        self._counts = OutcomeCounter()
        self._clock = caller.engine.clock
        self._began = self._clock.now()
        self._began_at = int(self._clock.wall() * 1000)
        self._waiting: list[tuple[float, int, PendingLookup]] = []
        self._order = itertools.count()
        self._failed: deque[tuple[float, PendingLookup]] = deque()
        self._ending: Exception | None = None
        self._flying: dict[bytes, anyio.Event | None] = {}
        """By key, the event that a call has ended, once another call waits for it."""
        self._parked = self._waits_for = ""
        self._queued_until: float | None = None
        """Until when nothing is taken, since only queued lookups are left."""
        self._endpoint = ""
        """That of the last lookup."""
        self._stop: LixError | None = None
        self._begun = self._opened = False
        self._context = contextvars.Context()
        """What the tasks of the run inherit from the one in which its first event is emitted."""
        self._reads_at_end = True
        """Whether the balances are read once more at its end."""
        self._withdraw: Callable[[], None] | None = None
        self._pause: anyio.CancelScope | None = None
        """The wait for a lookup that is due later, while there is nothing else to take."""
        self._taking = False
        """Whether a worker waits for inputs, or for what else comes next."""
        self._takers: deque[WaitableEvent] = deque()
        """By worker that waits for that one, in their order, the event that it may look again."""
        self._reading: BackgroundTask | None = None
        self._changed: anyio.Event
        self._read_job: PendingLookup | None = None
        self._read_error: BaseException | None = None
        self._workers: WorkerGroup[PendingLookup, Outcome[T]] = WorkerGroup(
            self._work,
            self._take,
            concurrency,
            take_ready=self._take_ready,
            before=self._open,
            after=self._close,
            on_undelivered=self._counts.add,
        )
        deliver = cast("Callable[[list[Outcome[object]]], Awaitable[None]]", self._workers.deliver)
        self._inputs = InputReader(
            *(inputs, self._caller, self._lookup, self._store, deliver, self._report_outcome),
            rows=rows,
            refresh=refresh,
        )

    async def next(self) -> Outcome[T]:
        """The next outcome, or what stops the run."""
        if not self._begun:
            # A loop that was left with `break`: the client's block waits for what is in flight.
            self._begun, self._withdraw = True, self._caller.client.before_close(self.aclose)
        try:
            if self._ending is not None:
                raise self._ending
            outcome = await self._workers.next()
        except Exception as error:  # also StopAsyncIteration: it has ended, one way or another
            self._ending = error
            if not self._failed:
                await self._close()
                self._ending = StopAsyncIteration()
                self._raise()
                self._inputs.raise_failure()
                raise
            outcome = self._given_up(self._failed.popleft()[1])
        self._counts.add(outcome)
        return outcome

    def drop(self) -> None:
        """Whoever took the outcomes has gone away."""
        self._workers.drop()

    async def _close(self, seconds: float | None = None) -> None:
        """End the run. The last reading of the balances may take so many seconds."""
        withdraw, self._withdraw = self._withdraw, None
        if withdraw is not None:
            withdraw()
        try:
            if self._lookup.run_id is not None and self._store.is_open:
                self._report_end()
                run, self._lookup.run_id = self._lookup.run_id, None
                with contextlib.suppress(BulkError):  # the ledger has failed: nothing more to note
                    await self._store.end_run(run)
                    left = seconds if self._reads_at_end else 0.0
                    if left is None:
                        await self._read_at_end()
                    elif left > 0:
                        with self._clock.timeout(left):
                            await self._read_at_end()
        finally:  # also where it is cancelled
            if self._opened:  # a store that was open before belongs to the caller
                self._opened = False
                await self._store.close()

    async def _read_at_end(self) -> None:
        """Read the balances in the context of the run's tasks: the call belongs to the run."""
        if not self.admission.has_unread_costs:
            return
        errors: list[Exception] = []

        async def read() -> None:
            try:
                await self.admission.read_balances()
            except Exception as error:  # noqa: BLE001  # raised below
                errors.append(error)

        task = self._context.run(BackgroundTask, read)
        try:
            await task.wait()
        finally:
            await task.cancel()
        if errors:
            raise errors[0]

    def _raise(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None:
            raise stop from stop.__cause__

    def park(self, reason: str = "parked") -> None:
        """Send nothing more. Requests on their way are answered and handed out; the run ends."""
        self._report_pause(reason)
        self._parked = reason
        self._reads_at_end = False  # that would wait for a permit
        self._workers.release()

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop within `grace` seconds. Calls that are still in flight then are in doubt.

        Raises:
            BulkError: If the ledger could not save answers that were paid; see its `unsaved`.
        """
        try:
            await self._workers.aclose(grace)
        finally:  # also where its block was cancelled
            if self._reading is not None:
                await self._reading.cancel()
            await self._close(grace)
        if isinstance(self._stop, BulkError) and self._stop.unsaved:
            self._raise()

    def progress(self) -> Progress:
        """The state of the run. Sends nothing."""
        waiting = sum(job.polls > 0 for _, _, job in self._waiting)
        return self._counts.progress(
            total=self._total,
            waiting=waiting,
            in_flight=self._workers.in_flight,
            parked=self._reason(),
        )

    def description(self) -> str:
        """The ledger, the call and the counts, as the run is shown in a log."""
        progress = self.progress()
        ledger = getattr(self._store, "path", None)
        place = repr(self._store) if ledger is None else PurePath(ledger).name
        done = f"{progress.done:,} done"
        if progress.total is not None:
            done = f"{progress.done:,} of {progress.total:,} done"
        doubts = f", {progress.in_doubt:,} in doubt" if progress.in_doubt else ""
        credits = counted(progress.credits, "credit")
        return f"<Run {place} {self._endpoint or self._caller.name}: {done}{doubts}, {credits}>"

    def _reason(self) -> str:
        return self._parked or self.admission.waits_for

    def report(self) -> Report:
        """Counts, credits, reasons of failures, and a histogram of latencies."""
        return Report(
            progress=self.progress(),
            reasons=dict(self._counts.reasons.most_common()),
            latencies=dict(sorted(self._counts.latencies.items())),
            seconds=self._clock.now() - self._began,
            unexplained=self.admission.unexplained.total(),
        )

    async def reconcile(self) -> list[Reconciliation]:
        """Read the balances, and settle what is in doubt where they leave one possibility only."""
        opened = not self._store.is_open
        if opened:
            await self._store.open()
        try:
            await self.admission.read_balances()
            return await reconcile(self._store)
        finally:
            if opened:
                await self._store.close()

    async def _open(self) -> None:
        if not self._store.is_open:
            await self._store.open()
            self._opened = True
        method = self._caller.method
        run = await self._store.begin_run(
            self._name, method, self._caller.account, self._max_credits
        )
        self._lookup.run_id = self._inputs.run_id = run
        self._emit(RunStarted, name=self._name, method=method)
        self._context = contextvars.copy_context()
        if parked := await self._store.parked():
            self.park(parked)

    def _take_ready(self) -> tuple[int, PendingLookup] | None:
        """What to work on next, where it is there already and none waits to come before it."""
        job = None if self._waiting or self._failed else self._inputs.take_ready()
        return None if job is None else (next(self._order), job)

    async def _take(self) -> tuple[int, PendingLookup]:
        """What to work on next: a queued lookup that is due, a new input, or one to wait for."""
        self._inputs.wanted += 1
        try:
            while self._taking:  # one worker waits for all
                await self._wait_to_take()
                if (found := self._take_ready()) is not None:
                    return found
            self._taking = True
            try:
                return await self._taken()
            finally:
                self._taking = False
                self._wake_takers(self._inputs.ready + 1)
        finally:
            self._inputs.wanted -= 1

    async def _wait_to_take(self) -> None:
        place = new_event()
        self._takers.append(place)
        try:
            await place.wait()
        except BaseException:
            if place.is_set():  # another one takes it
                self._wake_takers(1)
            else:
                self._takers.remove(place)
            raise

    def _wake_takers(self, count: int) -> None:
        """Let some of those that wait for an input look again: all at once, for what is there."""
        while self._takers and count > 0:
            self._takers.popleft().set()
            count -= 1

    async def _taken(self) -> tuple[int, PendingLookup]:
        breaker = self.admission.breaker
        while True:
            now = self._clock.now()
            if self._failed and (not breaker.suspects or self._failed[0][0] <= now):
                return next(self._order), self._failed.popleft()[1]
            # Where everything fails, other lookups show it at less cost than repeating one does.
            fresh = breaker.suspects and self._inputs.has_next
            if self._waiting and self._waiting[0][0] <= now and not fresh:
                _, number, job = heapq.heappop(self._waiting)
                return number, job
            if self._waiting and self._inputs.used_up:
                await self._wait_for_due()
                continue
            try:
                dues = [heap[0][0] - now for heap in (self._waiting, self._failed) if heap]
                found = await self._next_input(min(dues, default=None))
            except StopAsyncIteration:
                if self._waiting:
                    continue
                if (
                    self._workers.in_flight
                ):  # those that are may have to be repeated, by their worker
                    raise
                if self._failed:  # there is nothing left that would tell
                    return next(self._order), self._failed.popleft()[1]
                raise
            if found is not None:
                return next(self._order), found

    async def _wait_for_due(self) -> None:
        """Sleep until the earliest waiting lookup is due, or until `_look_again`."""
        due, _, job = self._waiting[0]
        if self._failed:
            due = min(due, self._failed[0][0])
        self._queued_until = due if job.queued else None
        self._report_queued(self._workers.in_flight)
        try:
            with anyio.CancelScope() as self._pause:
                await self._caller.engine.sleep(due - self._clock.now())
        finally:
            self._pause = self._queued_until = None
        if self._waits_for == "queued":
            self._report_pause("")

    async def _next_input(self, seconds: float | None) -> PendingLookup | None:
        """The next input; None where a queued lookup is due before it comes.

        A stream that is waited for is read in a task of its own: cancelling a generator while it
        waits would end it.
        """
        if self._inputs.is_sync:
            return await self._inputs.next()
        self._changed = anyio.Event()
        if self._reading is None:
            self._reading = BackgroundTask(self._read)
        if not self._has_read:
            if seconds is None:
                await self._changed.wait()
            else:
                with self._clock.timeout(max(seconds, 0.0)):
                    await self._changed.wait()
        if not self._has_read:
            return None
        self._reading = None
        error, self._read_error = self._read_error, None
        if error is not None:
            raise error
        job, self._read_job = self._read_job, None
        return job

    @property
    def _has_read(self) -> bool:
        return self._read_job is not None or self._read_error is not None

    async def _read(self) -> None:
        try:
            self._read_job = await self._inputs.next()
        except BaseException as error:  # noqa: BLE001  # raised by whoever takes the input
            self._read_error = raisable(error)
        self._changed.set()

    async def _work(self, job: PendingLookup, scope: CallScope) -> Outcome[T] | None:
        key, self._endpoint = job.call.key, job.call.row.id
        while key in self._flying:
            other = self._flying[key] = self._flying[key] or anyio.Event()
            await other.wait()
            job = replace(job, lookup=None, read=False)
        if job.failed is not None:
            if self.admission.breaker.outages == job.outages:
                return self._given_up(job)
            job = replace(job, failed=None, tries=0)
        self._flying[key] = None
        spent = 0
        try:
            while self._stop is None and await self._open_again(scope):
                fresh = self._reserve_refresh(job)
                try:
                    outcome = await self._lookup.run(
                        job.call,
                        job.given,
                        lookup=job.lookup,
                        read=job.read,
                        row=job.row,
                        tries=job.tries,
                        waited=job.waited,
                        scope=scope,
                        fresh=fresh,
                    )
                except CallsParked as parked:
                    self._refund_refresh(job, fresh, parked.spent)
                    spent, scope.uncounted = spent + parked.spent, 0
                    self._on_parked(parked)
                    job = replace(job, lookup=None, read=False)
                    continue
                scope.uncounted = 0  # the outcome has them
                found = outcome.outcome if isinstance(outcome, Postponed) else outcome
                found.input = job.input
                self._refund_refresh(job, fresh, found.credits + found.maybe)
                if isinstance(outcome, Postponed):
                    given_up = self._postponed(outcome, job)
                    if given_up is not None:
                        outcome = cast("Outcome[object]", given_up)
                        outcome = await self._lookup.or_older(outcome, job.call, fresh)
                    return cast("Outcome[T] | None", given_up and outcome)
                if self._hold_back(outcome, job):
                    return None
                outcome.credits, spent = outcome.credits + spent, 0
                self._inputs.met(known=outcome.cached)
                return self._with_credits(outcome, job)
        except BulkError as error:
            for unsaved in error.unsaved:
                cast("Outcome[object]", unsaved).input = job.input
            self._end(error)
        finally:
            self._counts.credits += spent + scope.uncounted  # also where it was given up
            if (done := self._flying.pop(key)) is not None:
                done.set()
            self._call_ended()
        return None

    def _reserve_refresh(self, job: PendingLookup) -> Freshness | None:
        """What is new enough for a call, where that is only what this run buys."""
        if not job.refresh or self._refresh_credits < job.call.row.credits.amount:
            return None
        self._refresh_credits -= job.call.row.credits.amount
        return Freshness(answers_since=self._began_at)

    def _refund_refresh(self, job: PendingLookup, fresh: Freshness | None, spent: int) -> None:
        if fresh is not None:
            self._refresh_credits += job.call.row.credits.amount - spent

    async def _open_again(self, scope: CallScope) -> bool:
        """Wait for a new day or the next try in an outage; False when the run is stopped."""
        while (pause := self.admission.closed_for) > 0:
            self._report_pause(self.admission.wait_reason, self.admission.closed_until)
            with self._workers.idle(scope):
                await self._caller.engine.sleep(pause)
        if not self._parked and not self.admission.waits_for:
            self._report_pause("")
        return not self._parked or not self.admission.parked

    def _postponed(self, later: Postponed, job: PendingLookup) -> Outcome[T] | None:
        """The outcome of a lookup that waited often enough; None where the run comes back to it."""
        outcome = later.outcome
        if later.reason == "queued" and job.polls >= POLLS and not outcome.body:
            return self._with_credits(outcome, job)
        self._counts.spent(outcome)
        job = replace(
            job,
            spent=job.spent + outcome.credits,
            lookup=None,
            read=False,
            queued=later.reason == "queued",
            polls=job.polls + (later.reason == "queued" and not outcome.body),
            tries=job.tries + (later.reason == "failed"),
            waited=later.reason != "busy",
        )
        self._report_wait(job.call.row.id, later)
        due = self._clock.now() + later.pause
        heapq.heappush(self._waiting, (due, next(self._order), job))
        self._look_again()
        return None

    def _hold_back(self, outcome: Outcome[object], job: PendingLookup) -> bool:
        """Keep a failed lookup while it may be the first of an outage."""
        breaker = self.admission.breaker
        if "failed" not in (outcome.state, outcome.refresh) or not breaker.suspects:
            return False
        self._counts.spent(outcome)
        job = replace(job, lookup=None, read=False, failed=outcome, outages=breaker.outages)
        self._failed.append((self._clock.now() + LONGEST_SUSPICION, job))
        self._look_again()
        return True

    def _call_ended(self) -> None:
        """A call has ended, which may be what those that were held back wait for."""
        if self._failed and not self.admission.breaker.suspects:
            self._look_again()
        self._report_queued(self._workers.in_flight - 1)

    def _given_up(self, job: PendingLookup) -> Outcome[T]:
        outcome = cast("Outcome[object]", job.failed)
        self._counts.credits -= outcome.credits  # they count where it is handed out
        return self._with_credits(outcome, job)

    def _with_credits(self, outcome: Outcome[object], job: PendingLookup) -> Outcome[T]:
        """An outcome to hand out, with what its earlier attempts have cost."""
        outcome.credits += job.spent
        self._counts.credits -= job.spent
        self._report_outcome(job.call.row.id, outcome)
        return cast("Outcome[T]", outcome)

    def _look_again(self) -> None:
        """What is taken next may have changed: whoever waits for it looks again."""
        if self._reading is not None:
            self._changed.set()
        if self._pause is not None:
            self._queued_until = None
            self._pause.cancel()

    def _on_parked(self, parked: CallsParked) -> None:
        if parked.error is not None:
            self.admission.refused(parked.error)
        if self.admission.parked:
            self.park(self.admission.parked)
        if self.admission.stop is not None:
            self._end(self.admission.stop)

    def _end(self, error: LixError) -> None:
        self._stop = combined(self._stop, error)
        outage = isinstance(error, OutageError)
        kind = type(error).__name__
        self._report_pause(self.admission.wait_reason if outage else kind)
        self._parked = self.admission.waits_for if outage else kind
        self._workers.stop()

    # Events

    def _emit(self, kind: Callable[..., Event], **fields: object) -> None:
        events, run = self._caller.engine.events, self._lookup.run_id
        if run is not None:
            events.emit(kind(endpoint=self._endpoint, at=self._clock.wall(), run=run, **fields))

    def _report_outcome(self, endpoint: str, outcome: Outcome[object]) -> None:
        self._endpoint = endpoint or self._endpoint
        if self._caller.engine.events.active:  # there are many
            state, credits = outcome.state, outcome.credits
            self._emit(OutcomeReady, state=state, credits=credits, cached=outcome.cached)

    def _report_queued(self, in_flight: int) -> None:
        """Emit that the run waits for queued lookups alone, once the last call has ended."""
        if self._queued_until is not None and not in_flight and not self._waits_for:
            until = self._clock.wall() + self._queued_until - self._clock.now()
            self._report_pause("queued", until)

    def _report_pause(self, reason: str, until: float | None = None) -> None:
        """Emit that the run waits, and why; without a reason, that it goes on. Once for each."""
        if self._parked or reason == self._waits_for:
            return
        self._waits_for = reason
        if reason:
            self._emit(RunParked, reason=reason, until=until)
        else:
            self._emit(RunResumed)

    def _report_wait(self, endpoint: str, later: Postponed) -> None:
        """Emit that a lookup waits after a 429, where no limiter says that all of them do."""
        engine = self._caller.engine
        if isinstance(later.outcome.error, RateLimitError) and engine.limiter is None:
            at = self._clock.wall()
            engine.events.emit(
                WaitStarted(endpoint=endpoint, at=at, reason="held", seconds=later.pause)
            )

    def _report_end(self) -> None:
        counts = self.progress()
        self._emit(
            RunEnded,
            inputs=counts.seen,
            done=counts.done,
            failed=counts.failed,
            in_doubt=counts.in_doubt,
            credits=counts.credits,
        )
