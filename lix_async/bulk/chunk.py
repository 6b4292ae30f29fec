"""Some lookups as one job of a job queue, such as Temporal, Celery, Ray or Taskiq.

The queue hands out chunks and takes back those of a dead worker; the ledger makes sure that a
chunk which runs twice is paid for once. In a job, with an open store:

    outcomes = await bulk.chunk(store, lix.people.get, links)

Configure the queue to retry a chunk that raises (after the time that the error states), and one
with `queued` outcomes. Keep chunks short, or have the lease of the job renewed while one runs: a
chunk that is handed out twice costs nothing, but the second worker waits for the first. Use one
client for each process, so that all its chunks share a limiter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from ..concurrency.worker_pool import CallScope, InputStream, WorkerPool
from ..core.errors import BulkError, ConfigurationError, DailyLimitError, LixError, OutageError
from ..core.freshness import Age
from ..engine.call_key import Input
from ..engine.doubts import DoubtPolicy
from ..engine.lookup import QUEUED_FOR, CallsParked, LookupExecutor, Postponed
from ..engine.options import UNSET, Unset, chosen_freshness
from ..engine.outcome import Outcome
from ..ledger.store import Store
from .admission import AdmissionController
from .prepared_call import CallKey, CallPreparer, ClientMethod

T = TypeVar("T")


class LedgerParkedError(BulkError):
    """The ledger is parked: no calls are made until it is resumed."""


async def chunk(
    store: Store,
    method: ClientMethod[T] | CallPreparer,
    inputs: Iterable[Input],
    *,
    concurrency: int = 4,
    doubts: DoubtPolicy = "hold",
    queued_for: float = QUEUED_FOR,
    max_credits: int | None = None,
    max_age: Age | Unset | None = UNSET,
    refused_age: Age | Unset | None = UNSET,
    account: str = "",
    admission: AdmissionController | None = None,
) -> list[Outcome[T]]:
    """Look up some inputs with a ledger; nothing is bought that the ledger has.

    An input that another worker is looking up is waited for. Running the chunk again continues
    where it stopped.

    Args:
        store: An open store (`async with PostgresStore(dsn) as store`). Any number of processes may
            share one.
        method: A method of a client, such as `lix.people.get`.
        inputs: First arguments of the method, or mappings of keyword arguments. What the iterable
            raises is raised after the answers to those before it are saved; a `CancelledError`
            becomes a `RuntimeError`.
        concurrency: Calls in flight at most; the client's limiter sets the rate.
        doubts: What to do with lookups in doubt; see `Run`.
        queued_for: Seconds until a lookup that the provider has queued is requested again.
        max_credits: Stop with `BudgetError` before this chunk spends more.
        max_age: The greatest age of an answer that is not bought again; see `Run`.
        refused_age: The same for refusals.
        account: A name that separates the ledger entries of several accounts.
        admission: One controller for all chunks of a process, which then share its budget.

    Returns:
        The outcomes in the order of the inputs.

    Raises:
        DailyLimitError: If the daily allowance is used up; see its `refreshes_at`.
        QuotaExceededError: If the credits are used up (402), or the budget of `admission` is.
        AuthenticationError: If the key is rejected.
        ViewerError: If the viewer id is rejected.
        OutageError: If the provider cannot be reached or answers with failures only; run the chunk
            again after the `retry_after` of the error.
        LedgerParkedError: If the ledger is parked.
        BulkError: If the ledger cannot be used; its `unsaved` has all answers that were paid and
            that it could not save.

    Credits: those of the method, for each input that the ledger does not have.
    """
    caller = method if isinstance(method, CallPreparer) else CallPreparer(method, account)
    if admission is None:
        admission = AdmissionController(
            *(caller.engine, store),
            max_credits=max_credits,
            on_daily_limit="stop",
            account=caller.account,
        )
    elif max_credits is not None:
        raise ConfigurationError("max_credits cannot be set beside admission: that one has it")
    lookup = LookupExecutor(
        *(store, caller.engine, admission),
        doubts=doubts,
        queued_for=queued_for,
        fresh=chosen_freshness(
            caller.engine.options, max_age, refused_age, caller.engine.clock.wall()
        ),
    )

    stopped: list[LixError] = []

    async def work(given: Input, scope: CallScope) -> Outcome[T] | None:
        try:
            call = await caller.member_call(store, given) or caller.call(given)
        except ConfigurationError as error:
            if error.family != "input":
                raise
            return Outcome(input=given, state="invalid", error=error)
        await caller.rekey(store, [(given, CallKey.of(call))])
        tries, waited = 0, False
        while True:
            try:
                outcome = await lookup.run(call, given, tries=tries, waited=waited, scope=scope)
            except CallsParked as parked:
                if parked.error is not None:
                    stopped.append(parked.error)
                    admission.refused(parked.error)
                break
            if not isinstance(outcome, Postponed):
                return cast("Outcome[T]", outcome)
            if outcome.reason == "queued":
                return cast("Outcome[T]", await lookup.or_older(outcome.outcome, call))
            tries += outcome.reason == "failed"
            waited = outcome.reason != "busy"
            await caller.engine.sleep(outcome.pause)
        pool.stop()
        return None

    pool: WorkerPool[Input, Outcome[T]] = WorkerPool(
        work, InputStream(inputs), concurrency, ordered=True
    )
    try:
        outcomes = [outcome async for outcome in pool]
    finally:
        await pool.aclose()
    if admission.stop is not None:
        raise admission.stop from None
    if admission.breaker.failure is not None:
        outage = OutageError(admission.waits_for)
        outage.retry_after = admission.closed_for
        raise outage from admission.breaker.failure
    if admission.closed_for > 0:
        limit = DailyLimitError("the daily allowance is used up", kind="daily_limit")
        limit.refreshes_at = caller.engine.clock.wall() + admission.closed_for
        raise limit
    if stopped:  # the limit has passed meanwhile, and some inputs were left out
        raise stopped[0] from None
    if admission.parked:
        raise LedgerParkedError(f"the ledger is parked: {admission.parked}")
    return outcomes
