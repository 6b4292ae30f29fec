"""A handful of lookups as one task of somebody else's engine: Temporal, Celery, Ray, Taskiq.

The engine hands out chunks and takes back those of a dead worker; the ledger sees to it that a
chunk which runs twice is paid once. Inside the engine's task, with a store that is open:

    outcomes = await bulk.chunk(store, lix.people.get, links)

Three things to mind. Let the engine repeat a chunk that raises (after a while: the error says
why), and one with `queued` outcomes. Keep chunks short, or let the engine's lease be renewed
while one runs: a chunk handed out too early costs nothing, but waits for the first. And one
client per process, so that all its chunks share one limiter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from ..concurrency.worker_pool import InputStream, WorkerPool
from ..core.errors import BulkError, ConfigurationError, DailyLimitError
from ..ledger.store import Store
from .admission import AdmissionController, CallsParked
from .lookup import QUEUED_FOR, DoubtPolicy, LookupExecutor, Postponed
from .outcome import Outcome
from .prepared_call import CallPreparer, Input, Method

T = TypeVar("T")


class LedgerParkedError(BulkError):
    """Somebody has parked the ledger: nothing is asked for until it is resumed."""


async def chunk(
    store: Store,
    method: Method[T],
    inputs: Iterable[Input],
    *,
    concurrency: int = 4,
    doubts: DoubtPolicy = "hold",
    queued_for: float = QUEUED_FOR,
    account: str = "",
    governor: AdmissionController | None = None,
) -> list[Outcome[T]]:
    """The outcomes of some inputs, in their order; nothing is bought that the ledger knows.

    `store` must be open (`async with PostgresStore(dsn) as store`); a shared one lets any number
    of processes do chunks at once. An input that another worker is at is waited for. `governor`:
    one for all chunks of a process, which then share its budget. The other arguments are those
    of `Run`.

    Raises what makes further calls pointless, after those in flight were kept: `DailyLimitError`
    (see its `refreshes_at`), `QuotaExceededError`, `AuthenticationError`, `ViewerError`,
    `BulkError` (see its `unsaved`), `LedgerParkedError` (somebody has parked the ledger). Running
    the chunk again goes on where it stopped.
    """
    caller = CallPreparer(method, account)
    governor = governor or AdmissionController(caller.engine, store, on_daily_limit="stop")
    lookup = LookupExecutor(store, caller.engine, governor, doubts=doubts, queued_for=queued_for)

    async def work(given: Input) -> Outcome[T] | None:
        try:
            call = caller.call(given)
        except ConfigurationError as error:
            return Outcome(input=given, state="invalid", error=error)
        tries = 0
        while True:
            try:
                outcome = await lookup.run(call, given, tries=tries)
            except CallsParked as parked:
                if parked.error is not None:
                    governor.refused(parked.error)
                break
            if not isinstance(outcome, Postponed):
                return cast("Outcome[T]", outcome)
            if outcome.reason == "queued":
                return cast("Outcome[T]", outcome.outcome)
            tries += outcome.reason == "failed"
            await caller.engine.clock.sleep(outcome.pause)
        pool.stop()
        return None

    pool: WorkerPool[Input, Outcome[T]] = WorkerPool(
        work, InputStream(inputs).next, concurrency, ordered=True
    )
    try:
        outcomes = [outcome async for outcome in pool]
    finally:
        await pool.aclose()
    if governor.stop is not None:
        raise governor.stop from None
    if governor.closed_for > 0:
        limit = DailyLimitError("the day's allowance is used up", kind="daily_limit")
        limit.refreshes_at = caller.engine.clock.wall() + governor.closed_for
        raise limit
    if governor.parked:
        raise LedgerParkedError(f"the ledger is parked: {governor.parked}")
    return outcomes
