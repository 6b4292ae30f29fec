"""A durable run: many lookups, for days, surviving everything, each paid once."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable
from types import TracebackType
from typing import Generic, TypeVar

from .address import Where
from .attempt import QUEUED_FOR
from .calls import Caller, Input, Method
from .governor import OnDailyLimit
from .lookup import RECHECK_AFTER
from .outcome import Outcome, Progress, Report
from .pool import GRACE
from .running import Running
from .store import Doubts

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
        self._running: Running[T] = Running(
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
            watch_funds=watch_funds,
        )
        self.governor = self._running.governor
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
