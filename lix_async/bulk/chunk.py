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

from ..core.errors import ConfigurationError, RefusalError
from .calls import Caller, Input, Method
from .lookup import BUSY_FOR, QUEUED_FOR, Lookup, Parked
from .outcome import Outcome
from .pool import Pool, Source
from .store import Doubts, Store

T = TypeVar("T")


async def chunk(
    store: Store,
    method: Method[T],
    inputs: Iterable[Input],
    *,
    concurrency: int = 4,
    doubts: Doubts = "hold",
    queued_for: float = QUEUED_FOR,
    account: str = "",
) -> list[Outcome[T]]:
    """The outcomes of some inputs, in their order; nothing is bought that the ledger knows.

    `store` must be open (`async with PostgresStore(dsn) as store`); a shared one lets any number
    of processes do chunks at once. An input that another worker is at is waited for. The other
    arguments are those of `Run`.

    Raises what makes further calls pointless, after those in flight were kept: `DailyLimitError`
    (see its `refreshes_at`), `QuotaExceededError`, `AuthenticationError`, `ViewerError`,
    `BulkError` (see its `unsaved`). Running the chunk again goes on where it stopped.
    """
    caller = Caller(method, account)
    lookup = Lookup(store, caller.engine, doubts=doubts, queued_for=queued_for)
    refused: list[RefusalError] = []

    async def work(given: Input) -> Outcome[T] | None:
        try:
            call = caller.call(given)
        except ConfigurationError as error:
            return Outcome(input=given, state="invalid", error=error)
        while not refused:
            try:
                outcome = await lookup.run(call, given)
            except Parked as parked:
                refused.append(parked.error)
                break
            if outcome.state != "busy":
                return cast("Outcome[T]", outcome)
            await caller.engine.clock.sleep(BUSY_FOR)
        pool.stop()
        return None

    pool: Pool[Input, Outcome[T]] = Pool(work, Source(inputs).next, concurrency, ordered=True)
    try:
        outcomes = [outcome async for outcome in pool]
    finally:
        await pool.aclose()
    if refused:
        raise refused[0] from None
    return outcomes
