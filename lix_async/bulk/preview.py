"""What a run would cost, before its first credit is spent."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterable, Iterable, Sequence
from contextlib import closing
from typing import TypeVar

import msgspec

from ..concurrency.worker_pool import InputStream
from ..core.endpoint import CreditKind, Price
from ..core.errors import ConfigurationError
from ..ledger.address import StoreAddress, open_store
from ..ledger.connection import LedgerNotFoundError
from ..ledger.store import Store
from .admission import AdmissionController
from .lookup import FINAL
from .prepared_call import CallPreparer, Input, Method

T = TypeVar("T")
AHEAD = 256
"""Inputs looked up in the ledger at once."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do, and what it would cost."""

    inputs: int
    """Inputs in all."""
    distinct: int
    """Different lookups among them, however they are spelled."""
    invalid: int
    """Inputs that cannot be sent."""
    answered: int
    """Lookups that the ledger has answers for: free."""
    in_doubt: int
    """Lookups whose end nobody knows: held, unless the run is told to buy them again."""
    calls: int
    """Calls that would be made; of a listing the first pages only."""
    listings: int
    """Those of the calls that are first pages: how many follow, nobody knows before."""
    credits: dict[CreditKind, int]
    """Credits by kind at most: answers that the provider does not charge for cost less."""
    unpriced: int
    """Calls without a published price."""
    balances: dict[CreditKind, int] | None
    """Credits that the account has, where the provider tells."""
    requests_left: int | None
    """Requests that the day's allowance has left, where the provider tells."""
    refreshes_at: float | None
    """When the allowance is full again (epoch seconds)."""
    seconds: float | None
    """How long the calls take at the client's rate; None without a rate."""

    @property
    def shortfall(self) -> dict[CreditKind, int]:
        """Credits by kind that the account has too few, as far as its balances are known."""
        lacks: dict[CreditKind, int] = {}
        for kind, have in (self.balances or {}).items():
            if (lack := self.credits.get(kind, 0) - have) > 0:
                lacks[kind] = lack
        return lacks


async def preview(
    store: StoreAddress,
    method: Method[T] | CallPreparer,
    inputs: Iterable[Input] | AsyncIterable[Input],
    *,
    account: str = "",
    check_balances: bool = True,
) -> Preview:
    """What `Run(store, method, inputs)` would cost. Buys nothing, and changes no ledger.

    All inputs are read (they need not fit into memory). `store` need not be there yet, and may
    be at work. `watch_funds`: ask the provider for balances and allowance, as the run would
    (two requests; the allowance is free, the price of the balances is not published). Raises
    `BulkError` for a ledger that cannot be read.
    """
    if isinstance(inputs, str | bytes):
        raise ConfigurationError("inputs must be a list or stream of inputs, not one text")
    caller = method if isinstance(method, CallPreparer) else CallPreparer(method, account)
    ledger = open_store(store)
    try:
        await ledger.open_read_only()
    except LedgerNotFoundError:
        count = await _counted(None, caller, inputs)
    else:
        try:
            count = await _counted(ledger, caller, inputs)
        finally:
            await ledger.close()
    governor = AdmissionController(
        caller.engine, ledger, funds=caller.funds if check_balances else None
    )
    await governor.read()
    rate = getattr(caller.engine.limiter, "rate", None)
    return Preview(
        inputs=count.inputs,
        distinct=count.distinct,
        invalid=count.invalid,
        answered=count.known,
        in_doubt=count.in_doubt,
        calls=count.calls,
        listings=count.walks,
        credits=dict(count.credits),
        unpriced=count.unpriced,
        balances=None if governor.balances is None else dict(governor.balances),
        requests_left=governor.requests_left,
        refreshes_at=governor.refreshes_at,
        seconds=None if rate is None else count.calls * rate.interval,
    )


class _PreviewCounter:
    def __init__(self) -> None:
        self.inputs = self.distinct = self.invalid = self.known = self.in_doubt = 0
        self.calls = self.walks = self.unpriced = 0
        self.credits: Counter[CreditKind] = Counter()

    def call(self, price: Price, *, walk: bool) -> None:
        self.calls += 1
        self.walks += walk
        self.unpriced += price.kind == "unknown"
        if price.amount:
            self.credits[price.kind] += price.amount


async def _counted(
    store: Store | None, caller: CallPreparer, inputs: Iterable[Input] | AsyncIterable[Input]
) -> _PreviewCounter:
    count = _PreviewCounter()
    doubts: set[bytes] = set()
    if store is not None:
        doubts = {entry.key async for entry in store.entries("in_doubt")}
    source: InputStream[Input] = InputStream(inputs)
    # A temporary file of SQLite's own: the keys of ten million inputs would fill the memory.
    with closing(sqlite3.connect("")) as seen:
        seen.execute("CREATE TABLE key (key BLOB PRIMARY KEY) WITHOUT ROWID")
        while batch := await _batch(source):
            await _add(count, batch, caller, store, doubts, seen)
    return count


async def _batch(source: InputStream[Input]) -> list[Input]:
    batch: list[Input] = []
    while len(batch) < AHEAD:
        try:
            batch.append((await source.next())[1])
        except StopAsyncIteration:
            break
    return batch


async def _add(
    count: _PreviewCounter,
    batch: Sequence[Input],
    caller: CallPreparer,
    store: Store | None,
    doubts: set[bytes],
    seen: sqlite3.Connection,
) -> None:
    new: dict[bytes, tuple[Price, bool]] = {}
    for given in batch:
        count.inputs += 1
        try:
            call = caller.call(given)
        except ConfigurationError:
            count.invalid += 1
            continue
        if seen.execute("INSERT OR IGNORE INTO key VALUES (?)", (call.key,)).rowcount:
            count.distinct += 1
            new[call.key] = call.row.credits, call.listing
    known = {} if store is None else await store.find(list(new))
    for key, (price, walk) in new.items():
        if key in known and known[key].state.status in FINAL:
            count.known += 1
        elif key in doubts:
            count.in_doubt += 1
        else:
            count.call(price, walk=walk)
