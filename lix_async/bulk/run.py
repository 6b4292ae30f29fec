"""A durable run: many lookups, for days, surviving everything, each paid once."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sized
from types import TracebackType
from typing import Generic, Literal, TypeVar, cast

import anyio

from ..core.errors import (
    BudgetError,
    BulkError,
    ConfigurationError,
    DailyLimitError,
    LixError,
    RefusalError,
)
from .address import opened
from .calls import Call, Caller, Input, Method
from .lookup import BUSY_FOR, QUEUED_FOR, Lookup, Parked
from .outcome import Outcome, Progress, Report, Tally
from .pool import GRACE, Pool, Source
from .store import Doubts, Store

T = TypeVar("T")
DAY = 86_400.0
POLLS = 20
"""Times that a queued lookup is asked for before the run hands it over as still queued."""


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
    * `max_credits`: stop with `BudgetError` before this run spends more.
    * `on_daily_limit`: `"wait"` until the allowance refreshes, or `"stop"`.
    * `account`: a name that keeps ledgers of several accounts apart.

    Iterating raises what stops the whole run, after everything in flight was kept:
    `QuotaExceededError` (402), `AuthenticationError`, `ViewerError`, `BudgetError`, `BulkError`.
    """

    def __init__(
        self,
        store: Store | str,
        method: Method[T],
        inputs: Iterable[Input] | AsyncIterable[Input],
        *,
        concurrency: int = 4,
        doubts: Doubts = "hold",
        max_credits: int | None = None,
        on_daily_limit: Literal["wait", "stop"] = "wait",
        queued_for: float = QUEUED_FOR,
        account: str = "",
    ) -> None:
        if isinstance(inputs, str | bytes):
            raise ConfigurationError("inputs must be a list or stream of inputs, not one text")
        self._caller = Caller(method, account)
        self._store = opened(store) if isinstance(store, str) else store
        self._lookup = Lookup(
            self._store, self._caller.engine, doubts=doubts, queued_for=queued_for
        )
        self._source: Source[Input] = Source(inputs)
        self._total = len(inputs) if isinstance(inputs, Sized) else None
        self._max_credits = max_credits
        self._on_daily_limit = on_daily_limit
        self._tally = Tally()
        self._clock = self._caller.engine.clock
        self._began = self._clock.now()
        self._waiting: list[tuple[float, int, int, Input]] = []
        self._order = itertools.count()
        self._flying: dict[bytes, anyio.Event] = {}
        self._parked = ""
        self._stop: LixError | None = None
        self._closed_until = 0.0
        self._reserved = 0
        self._pool: Pool[tuple[int, Input], Outcome[T]] = Pool(
            self._work, self._take, concurrency, around=self._open
        )

    def __aiter__(self) -> AsyncIterator[Outcome[T]]:
        return self

    async def __anext__(self) -> Outcome[T]:
        try:
            return await self._pool.__anext__()
        except Exception:  # also StopAsyncIteration: it has ended, one way or another
            await self._store.close()
            self._raise()
            raise

    def _raise(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None:
            raise stop from None

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
        self._parked = reason
        self._pool.stop()

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop within `grace` seconds. What is still in flight then is held in doubt.

        Raises the `BulkError` that tells of paid answers which the ledger could not keep.
        """
        await self._pool.aclose(grace)
        await self._store.close()
        if isinstance(self._stop, BulkError) and self._stop.unsaved:
            self._raise()

    def progress(self) -> Progress:
        """The run as it stands; costs nothing to ask."""
        return self._tally.progress(
            total=self._total, in_flight=self._pool.in_flight, parked=self._reason()
        )

    def _reason(self) -> str:
        closed = self._closed_until > self._clock.wall()
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
        name = f"{self._caller.engine.provider.name} {self._caller.name}"
        await self._store.open(name, self._clock.wall())

    async def _take(self) -> tuple[int, tuple[int, Input]]:
        """What to work on next: a queued lookup that is due, a new input, or one to wait for."""
        while True:
            now = self._clock.wall()
            if self._waiting and (self._waiting[0][0] <= now or self._source.ended):
                due, number, polls, given = heapq.heappop(self._waiting)
                if due > now:
                    await self._clock.sleep(due - now)
                return number, (polls, given)
            try:
                number, given = await self._source.next()
                return number, (0, given)
            except StopAsyncIteration:
                if not self._waiting:
                    raise

    async def _work(self, job: tuple[int, Input]) -> Outcome[T] | None:
        outcome = await self._outcome(*job)
        if outcome is not None:
            self._tally.add(outcome)
        return outcome

    async def _outcome(self, polls: int, given: Input) -> Outcome[T] | None:
        try:
            call = self._caller.call(given)
        except ConfigurationError as error:
            return Outcome(input=given, state="invalid", error=error)
        while (other := self._flying.get(call.key)) is not None:
            await other.wait()
        self._flying[call.key] = done = anyio.Event()
        try:
            while self._stop is None and await self._open_again():
                outcome = await self._once(call, given)
                if outcome is not None:
                    return self._settled(outcome, polls, given)
        except (BudgetError, BulkError) as error:
            self._end(error)
        finally:
            del self._flying[call.key]
            done.set()
        return None

    async def _open_again(self) -> bool:
        """Wait while the daily limit is reached; False when the run is stopped meanwhile."""
        while (pause := self._closed_until - self._clock.wall()) > 0:
            if self._pool.stopping:
                return False
            with self._pool.idle():
                await self._clock.sleep(pause)
        return True

    async def _once(self, call: Call, given: Input) -> Outcome[object] | None:
        price = call.row.credits.amount
        self._budget(price)
        try:
            return await self._lookup.run(call, given)
        except Parked as parked:
            self._park_or_end(parked.error)
            return None
        finally:
            self._reserved -= price

    def _settled(self, outcome: Outcome[object], polls: int, given: Input) -> Outcome[T] | None:
        """The outcome, unless there is reason to come back for it later."""
        due = outcome.due
        if outcome.state == "busy":
            due = self._clock.wall() + BUSY_FOR
        elif outcome.state == "queued" and polls < POLLS:
            polls += 1
        else:
            return cast("Outcome[T]", outcome)
        heapq.heappush(self._waiting, (due, next(self._order), polls, given))
        return None

    def _budget(self, price: int) -> None:
        spent = self._tally.credits + self._reserved
        if self._max_credits is not None and price and spent + price > self._max_credits:
            raise BudgetError(
                f"max_credits of this run is {self._max_credits}: {spent} are spent or in flight",
                kind="max_credits",
            )
        self._reserved += price

    def _park_or_end(self, error: RefusalError) -> None:
        if not isinstance(error, DailyLimitError) or self._on_daily_limit == "stop":
            self._end(error)
            return
        now = self._clock.wall()
        self._closed_until = max(error.refreshes_at or (now // DAY + 1) * DAY, now + 1.0)

    def _end(self, error: LixError) -> None:
        unsaved = error.unsaved if isinstance(error, BulkError) else ()
        if isinstance(self._stop, BulkError) and unsaved:
            self._stop.unsaved += unsaved
        elif self._stop is None or unsaved:  # nothing is worse than to lose what was paid for
            self._stop = error
        self.park(type(error).__name__)
