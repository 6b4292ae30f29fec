"""The machinery of a durable run: it knows nothing of who takes its outcomes."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sized
from typing import Generic, TypeVar, cast

import anyio

from ..core.errors import BulkError, ConfigurationError, LixError
from .address import Where, opened
from .attempt import QUEUED_FOR
from .calls import Caller, Input, Method
from .governor import Governor, OnDailyLimit, Parked
from .inputs import Inputs, Job
from .lookup import BUSY_FOR, RECHECK_AFTER, Lookup
from .outcome import Outcome, Progress, Report, Tally
from .pool import GRACE, Crew
from .store import Doubts

T = TypeVar("T")
POLLS = 20
"""Times that a queued lookup is asked for before the run hands it over as still queued."""


class Running(Generic[T]):
    """A run at work. See `Run`, which hands out what is done here."""

    def __init__(
        self,
        store: Where,
        method: Method[T] | Caller,
        inputs: Iterable[Input] | AsyncIterable[Input],
        *,
        concurrency: int = 4,
        doubts: Doubts = "hold",
        max_credits: int | None = None,
        on_daily_limit: OnDailyLimit = "wait",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
        account: str = "",
        watch_funds: bool = True,
    ) -> None:
        if isinstance(inputs, str | bytes):
            raise ConfigurationError("inputs must be a list or stream of inputs, not one text")
        self._caller = method if isinstance(method, Caller) else Caller(method, account)
        self._store = opened(store)
        engine = self._caller.engine
        self.governor = Governor(
            engine,
            self._store,
            funds=self._caller.funds if watch_funds else None,
            max_credits=max_credits,
            on_daily_limit=on_daily_limit,
        )
        """What this run may still spend, as far as it was told."""
        self._lookup = Lookup(
            self._store,
            engine,
            self.governor,
            doubts=doubts,
            queued_for=queued_for,
            recheck=recheck,
            recheck_after=recheck_after,
        )
        self._total = len(inputs) if isinstance(inputs, Sized) else None
        self._tally = Tally()
        self._clock = engine.clock
        self._began = self._clock.now()
        self._waiting: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._flying: dict[bytes, anyio.Event] = {}
        self._parked = ""
        self._stop: LixError | None = None
        self._opened = False
        self._crew: Crew[Job, Outcome[T]] = Crew(
            self._work,
            self._take,
            concurrency,
            before=self._open,
            after=self._close,
            left=self._tally.add,
        )
        hand_over = cast("Callable[[list[Outcome[object]]], Awaitable[None]]", self._crew.hand_over)
        self._inputs = Inputs(inputs, self._caller, self._lookup, self._store, hand_over)

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
        if self._opened:  # a store that was open before is somebody else's
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
        closed = self.governor.closed_until > self._clock.wall()
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
        await self._store.open(name if self._caller.name else "", self._clock.wall())
        self._opened = True
        if parked := await self._store.parked():
            self.park(parked)

    async def _take(self) -> tuple[int, Job]:
        """What to work on next: a queued lookup that is due, a new input, or one to wait for."""
        while True:
            now = self._clock.wall()
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

    async def _work(self, job: Job) -> Outcome[T] | None:
        while (other := self._flying.get(job.call.key)) is not None:
            await other.wait()
        self._flying[job.call.key] = done = anyio.Event()
        spent = 0
        try:
            while self._stop is None and await self._open_again():
                try:
                    outcome = await self._lookup.run(job.call, job.given)
                except Parked as parked:
                    spent += parked.spent
                    self._told(parked)
                    continue
                outcome.credits, spent = outcome.credits + spent, 0
                self._inputs.met(known=outcome.cached)
                return self._settled(outcome, job)
        except BulkError as error:
            self._end(error)
        finally:
            self._tally.credits += spent
            del self._flying[job.call.key]
            done.set()
        return None

    async def _open_again(self) -> bool:
        """Wait while the daily limit is reached; False when the run is stopped meanwhile."""
        while (pause := self.governor.closed_until - self._clock.wall()) > 0:
            if self._crew.stopping:
                return False
            with self._crew.idle():
                await self._clock.sleep(pause)
        return not self._parked or not self.governor.parked

    def _settled(self, outcome: Outcome[object], job: Job) -> Outcome[T] | None:
        """The outcome, unless there is reason to come back for it later."""
        due, polls = outcome.due, job.polls
        if outcome.state == "busy":
            due = self._clock.wall() + BUSY_FOR
        elif outcome.state == "queued" and (polls < POLLS or outcome.body):
            polls += not outcome.body
        else:
            return cast("Outcome[T]", outcome)
        self._tally.spent(outcome)
        heapq.heappush(self._waiting, (due, next(self._order), job._replace(polls=polls)))
        return None

    def _told(self, parked: Parked) -> None:
        if parked.error is not None:
            self.governor.refused(parked.error)
        if self.governor.parked:
            self.park(self.governor.parked)
        if self.governor.stop is not None:
            self._end(self.governor.stop)

    def _end(self, error: LixError) -> None:
        unsaved = error.unsaved if isinstance(error, BulkError) else ()
        if isinstance(self._stop, BulkError) and unsaved:
            if self._stop is not error:
                self._stop.unsaved += unsaved
        elif self._stop is None or unsaved:  # nothing is worse than to lose what was paid for
            self._stop = error
        self.park(type(error).__name__)
