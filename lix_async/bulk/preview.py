"""The cost of a run, before it is started."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterable, Collection, Iterable, Sequence
from contextlib import closing
from typing import TypeVar

import msgspec

from ..concurrency.worker_pool import InputStream
from ..core.bridge import ReadableStruct
from ..core.endpoint import CreditKind, Price
from ..core.errors import ConfigurationError
from ..core.freshness import Age, Freshness
from ..core.html_table import html_fields
from ..engine.call_key import Input
from ..engine.lookup import FINAL
from ..engine.options import UNSET, Unset, chosen_freshness
from ..ledger.connection import LedgerNotFoundError
from ..ledger.history import utc
from ..ledger.ledger import StoreAddress, open_store
from ..ledger.records import StoredLookup
from ..ledger.store import Store
from .admission import AdmissionController
from .prepared_call import CallKey, CallPreparer, ClientMethod
from .row_input import AnyRow, On

T = TypeVar("T")
_LOG = logging.getLogger("lix_async.bulk")
AHEAD = 256
"""Inputs looked up in the ledger at once."""


class Preview(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do, and what it would cost at most."""

    inputs: int
    """The number of inputs."""
    distinct: int
    """Different lookups among them."""
    invalid: int
    """Inputs that cannot be sent."""
    answered: int
    """Lookups that are answered from the ledger for free."""
    in_doubt: int
    """Lookups in doubt; a run leaves them alone unless `doubts="retry"`."""
    queued: int = 0
    """Lookups that the provider is still preparing; they are among the calls."""
    calls: int
    """Calls that would be made; of listings only the first pages."""
    listings: int
    """Calls that are first pages of listings; the number of further pages is unknown."""
    credits: dict[CreditKind, int]
    """Credits by kind at most; lookups that turn out to be free cost less."""
    unpriced: int
    """Calls without a published price."""
    balances: dict[CreditKind, int] | None
    """Credits of the account by kind, if the provider reports them."""
    requests_left: int | None
    """Requests left of the daily allowance, if the provider reports it."""
    refreshes_at: float | None
    """When the daily allowance refreshes (epoch seconds)."""
    seconds: float | None
    """Seconds that the calls take at the client's rate; None without a rate, unless they wait.

    Where they are more than are left of the day's allowance, the rest begins when it is renewed;
    queued lookups are not over before they are due.
    """

    @property
    def shortfall(self) -> dict[CreditKind, int]:
        """Missing credits by kind, as far as the balances are known."""
        missing: dict[CreditKind, int] = {
            kind: self.credits.get(kind, 0) - balance
            for kind, balance in (self.balances or {}).items()
        }
        return {kind: amount for kind, amount in missing.items() if amount > 0}

    def _repr_html_(self) -> str:
        return html_fields("Preview", self)

    @property
    def exceeds_today(self) -> bool:
        """Whether the calls are more than are left of the daily allowance: the run takes days."""
        return self.requests_left is not None and self.calls > self.requests_left


async def preview(
    store: StoreAddress,
    method: ClientMethod[T] | CallPreparer,
    inputs: Iterable[AnyRow] | AsyncIterable[AnyRow],
    *,
    on: On[AnyRow] | None = None,
    max_age: Age | Unset | None = UNSET,
    refused_age: Age | Unset | None = UNSET,
    account: str = "",
    check_balances: bool = True,
) -> Preview:
    """The cost of `Run(store, method, inputs)`. Buys nothing and does not change the ledger.

    All inputs are read; they need not fit into memory. A warning is logged where the calls are
    more than are left of the daily allowance.

    Args:
        store: The ledger of the run. It need not exist, and may be in use.
        method: A method of a client, such as `lix.people.get`.
        inputs: First arguments of the method, or mappings of keyword arguments.
        on: The part of each input that the method takes, where inputs are rows; see `Run`.
        max_age: The greatest age of an answer that is not bought again, as of the run.
        refused_age: The same for refusals.
        account: A name that separates the ledger entries of several accounts.
        check_balances: Whether to request the balances and the daily allowance, as the run would.

    Raises:
        ConfigurationError: If an argument is not valid.
        BulkError: If the ledger cannot be read.

    Credits: the price of the balance request is not published; the allowance is free.
    """
    if isinstance(inputs, str | bytes):
        raise ConfigurationError("inputs must be a list or stream of inputs, not a single text")
    caller = method if isinstance(method, CallPreparer) else CallPreparer(method, account, on)
    engine = caller.engine
    fresh = chosen_freshness(engine.options, max_age, refused_age, engine.clock.wall())
    count = await _count(store, caller, inputs, fresh)
    admission = AdmissionController(
        caller.engine,
        open_store(store),
        balance_endpoints=caller.balance_endpoints if check_balances else None,
    )
    await admission.read()
    rate = getattr(caller.engine.limiter, "rate", None)
    wall = engine.clock.wall()
    found = Preview(
        inputs=count.inputs,
        distinct=count.distinct,
        invalid=count.invalid,
        answered=count.answered,
        in_doubt=count.in_doubt,
        queued=count.queued,
        calls=count.calls,
        listings=count.listings,
        credits=dict(count.credits),
        unpriced=count.unpriced,
        balances=None if admission.balances is None else dict(admission.balances),
        requests_left=admission.requests_left,
        refreshes_at=admission.refreshes_at,
        seconds=seconds_needed(
            count.calls,
            None if rate is None else rate.interval,
            requests_left=admission.requests_left,
            renewed_in=None if admission.refreshes_at is None else admission.refreshes_at - wall,
            queued_for=max(count.due / 1000 - wall, 0.0) if count.queued else 0.0,
        ),
    )
    if found.exceeds_today:
        _LOG.warning(
            "%d calls, but %d requests are left of today's allowance: the run takes more than a "
            "day",
            found.calls,
            found.requests_left,
        )
    return found


def seconds_needed(
    calls: int,
    interval: float | None,
    *,
    requests_left: int | None = None,
    renewed_in: float | None = None,
    queued_for: float = 0.0,
) -> float | None:
    """Seconds that calls take at least; None where nothing is known of it.

    Args:
        calls: The number of calls.
        interval: Seconds between two calls; None without a rate.
        requests_left: Requests left of the daily allowance, if that is known. How many a renewed
            allowance has, no provider reports.
        renewed_in: Seconds until it is renewed, if that is known.
        queued_for: Seconds until the last of the queued lookups is asked for again.
    """
    seconds = calls * (interval or 0.0)
    waits = queued_for > 0
    if requests_left is not None and renewed_in is not None and calls > requests_left:
        seconds = max(seconds, renewed_in + (calls - requests_left) * (interval or 0.0))
        waits = True
    seconds = max(seconds, queued_for + (interval or 0.0) if queued_for else 0.0)
    return seconds if interval is not None or waits else None


async def credits_up_to(
    limit: int,
    store: StoreAddress,
    caller: CallPreparer,
    inputs: Iterable[object] | AsyncIterable[object],
    *,
    max_age: Age | Unset | None = UNSET,
    refused_age: Age | Unset | None = UNSET,
    retry_doubts: bool = False,
) -> int:
    """The credits that a run costs at most, as `preview` counts them, without asking the provider.

    Counting stops once there are more than `limit`.

    Args:
        limit: What is enough to know.
        store: The ledger of the run. It need not exist, and may be in use.
        caller: What makes calls of inputs.
        inputs: The inputs.
        max_age: The greatest age of an answer that is not bought again, as of the run.
        refused_age: The same for refusals.
        retry_doubts: Whether the run looks up again what is in doubt.
    """
    fresh = chosen_freshness(
        caller.engine.options, max_age, refused_age, caller.engine.clock.wall()
    )
    count = await _count(store, caller, inputs, fresh, limit, retry_doubts=retry_doubts)
    return count.credits.total()


async def _count(
    store: StoreAddress,
    caller: CallPreparer,
    inputs: Iterable[object] | AsyncIterable[object],
    fresh: Freshness,
    limit: int | None = None,
    *,
    retry_doubts: bool = False,
) -> _PreviewCounter:
    ledger = open_store(store)
    try:
        await ledger.open_read_only()
    except LedgerNotFoundError:
        return await _counted(None, caller, inputs, fresh, limit)
    try:
        held: set[bytes] = set()
        if not retry_doubts:
            held = {entry.key async for entry in ledger.entries("in_doubt")}
        return await _counted(ledger, caller, inputs, fresh, limit, held)
    finally:
        await ledger.close()


class _PreviewCounter:
    def __init__(self) -> None:
        self.inputs = self.distinct = self.invalid = self.answered = self.in_doubt = 0
        self.calls = self.listings = self.unpriced = self.queued = self.due = 0
        self.credits: Counter[CreditKind] = Counter()

    def call(self, price: Price, *, listing: bool, lookup: StoredLookup | None) -> None:
        self.calls += 1
        self.listings += listing
        self.unpriced += price.kind == "unknown"
        if price.amount:
            self.credits[price.kind] += price.amount
        if lookup is not None and lookup.state.status == "queued":
            self.queued += 1
            self.due = max(self.due, lookup.state.due or 0)


async def _counted(
    store: Store | None,
    caller: CallPreparer,
    inputs: Iterable[object] | AsyncIterable[object],
    fresh: Freshness,
    limit: int | None,
    doubts: Collection[bytes] = (),
) -> _PreviewCounter:
    count = _PreviewCounter()
    source: InputStream[object] = InputStream(inputs)
    # A temporary file of SQLite's own: the keys of ten million inputs would fill the memory.
    with closing(sqlite3.connect("")) as seen:
        seen.execute("CREATE TABLE key (key BLOB PRIMARY KEY) WITHOUT ROWID")
        while batch := await _batch(source):
            await _add(count, batch, caller, store, fresh, doubts, seen)
            if limit is not None and count.credits.total() > limit:
                break
    return count


async def _batch(source: InputStream[object]) -> list[object]:
    batch: list[object]
    if source.is_sync:
        batch = source.take_many(AHEAD)
        if len(batch) < AHEAD:
            source.raise_failure()
        return batch
    batch = []
    while len(batch) < AHEAD:
        try:
            batch.append((await source.next())[1])
        except StopAsyncIteration:
            source.raise_failure()
            break
    return batch


async def _add(
    count: _PreviewCounter,
    batch: Sequence[object],
    caller: CallPreparer,
    store: Store | None,
    fresh: Freshness,
    doubts: Collection[bytes],
    seen: sqlite3.Connection,
) -> None:
    new: dict[bytes, tuple[Price, bool]] = {}
    found: list[tuple[Input, CallKey]] = []
    for row in batch:
        count.inputs += 1
        try:
            given = caller.input_of(row)
            one = caller.call_key(given)
        except ConfigurationError:
            count.invalid += 1
            continue
        if seen.execute("INSERT OR IGNORE INTO key VALUES (?)", (one.key,)).rowcount:
            count.distinct += 1
            new[one.key] = one.row.credits, one.row.is_listing
            found.append((given, one))
    if store is not None:
        await caller.rekey(store, found)
    known: dict[bytes, StoredLookup | None] = {}
    if store is not None and found:
        queries = [one.query for _, one in found]
        lookups = await store.find_calls(queries, store.now, answers=False)
        known = dict(zip((one.key for _, one in found), lookups, strict=True))
    times: dict[int, int] = {}
    if store is not None and fresh != Freshness():
        ids = [lookup.id for lookup in known.values() if lookup is not None]
        times = await store.statement(lambda tables: tables.answer_times(ids), writes=False)
    for key, (price, listing) in new.items():
        lookup = known.get(key)
        at = None if lookup is None else times.get(lookup.id)
        if lookup is None or lookup.moved or lookup.state.status not in FINAL:
            answered = False
        else:
            answered = at is None or not fresh.is_expired(lookup.state.status, utc(at))
        if answered:
            count.answered += 1
        elif key in doubts:
            count.in_doubt += 1
        else:
            count.call(price, listing=listing, lookup=lookup)
