"""The ledger compared with the account: readings of balances settle what is in doubt.

Between two readings the account has lost as many credits as its calls have cost. Where the ledger
knows what all of them have cost but for those in doubt, the difference tells: 0, and none of them
was charged; their sum, and all of them were. Any other difference tells nothing about a single one,
and neither does a balance that rose. A reading counts only where no call was in flight meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, cast

import msgspec

from ..core.bridge import ReadableStruct
from .database import Database
from .records import Reconcile
from .store import Entry, Store
from .tables import SqlTables

ACCOUNT = "coalesce(nullif(r.options, ''), '{}')"
"""The account of an attempt: that of the run that paid. `account_of` writes it."""
OF_ACCOUNT = f"FROM attempt a LEFT JOIN run r ON r.id = a.run WHERE {ACCOUNT} = ?"


class Reading(NamedTuple):
    """What an account had left of a kind of credit."""

    account: str
    kind: str
    began: int
    """Epoch milliseconds at which it was asked for."""
    ended: int
    """When the answer was there: later than `began`."""
    balance: int


class Spending(NamedTuple):
    """The calls between two readings in the ledger, in credits of one kind."""

    charged: int
    maybe: int
    """Of attempts that ended without knowing."""
    in_flight: int
    """Of attempts that were in flight during one of the two readings."""
    unpriced: int
    """How many calls without a published price were made."""


class Doubt(NamedTuple):
    """An attempt that ended without knowing whether it was charged."""

    lookup: int
    n: int
    price: int
    kind: str
    sent: int
    ended: int
    account: str


class Reconciliation(ReadableStruct, msgspec.Struct, frozen=True):
    """What two readings of the balances say about the attempts in doubt between them."""

    kind: str
    """The kind of credit."""
    since: float | None
    """When the balances were read first (epoch seconds); None where they were not."""
    until: float | None
    """When the balances were read again (epoch seconds); None where they were not."""
    doubts: int
    """The number of attempts that were in doubt."""
    maybe: int
    """What they may have cost."""
    spent: int | None
    """By how much the balance fell; None where that is not known."""
    charged: int
    """The credits that the ledger has as charged."""
    decision: Literal["charged", "not_charged"] | None
    """`charged` (all of them: kept, not bought again unasked), `not_charged` (none of them: pending
    again), or None: all stay in doubt."""
    reason: str
    """Why they stay in doubt; empty where they do not."""

    @property
    def difference(self) -> int | None:
        """Credits that the account has lost and the ledger does not account for."""
        return None if self.spent is None else self.spent - self.charged


def account_of(name: str, origin: str) -> str:
    """How the ledger writes an account: its name, and the origin where it is another provider's."""
    parts = {key: value for key, value in (("account", name), ("origin", origin)) if value}
    return msgspec.json.encode(parts, order="sorted").decode()


def decide(
    difference: int, maybe: int, *, unpriced: bool
) -> tuple[Literal["charged", "not_charged"] | None, str]:
    """What a difference says about attempts that cost `maybe` in all, and why it says nothing.

    Args:
        difference: Credits that the account has lost and the ledger does not account for.
        maybe: What the attempts in doubt cost in all, more than 0.
        unpriced: Whether calls were made whose price is not published.
    """
    if difference == 0:
        return "not_charged", ""
    if unpriced:
        return None, "calls without a published price were made meanwhile"
    if difference == maybe:
        return "charged", ""
    if difference < 0:
        return None, "the account has lost less than the ledger accounts for"
    if difference > maybe:
        return None, "the account has lost more than the calls in doubt cost"
    return None, "some of the calls in doubt were charged; which ones is not known"


def unexplained(difference: int, spending: Spending) -> int:
    """Credits of a difference that neither doubts nor calls in flight can explain."""
    return difference - min(max(difference, 0), spending.maybe + spending.in_flight)


# The tables


def add_readings(database: Database, found: Sequence[Reading]) -> None:
    """Keep readings."""
    database.insert("reading", "account, kind, began, ended, balance", found)


def readings(database: Database) -> dict[tuple[str, str], list[Reading]]:
    """All readings by account and kind, oldest first."""
    rows = database.execute(
        "SELECT account, kind, began, ended, balance FROM reading ORDER BY ended, id"
    )
    found: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
    for row in cast("list[tuple[str, str, int, int, int]]", rows):
        found[row[0], row[1]].append(Reading(*row))
    return found


def doubts(database: Database) -> list[Doubt]:
    """The attempts that ended without knowing, and have a price."""
    rows = database.execute(
        f"SELECT a.lookup, a.n, a.price, a.kind, a.sent, a.ended, {ACCOUNT} FROM attempt a "
        "LEFT JOIN run r ON r.id = a.run "
        "WHERE a.charged IS NULL AND a.ended IS NOT NULL AND a.price > 0 ORDER BY a.lookup, a.n"
    )
    return [Doubt(*cast("tuple[int, int, int, str, int, int, str]", row)) for row in rows]


def spending(database: Database, since: Reading, until: Reading) -> Spending:
    """The calls between two readings of a kind of credit, from the ledger."""
    kind = since.kind
    inside = f"a.sent >= {since.ended:d} AND a.ended IS NOT NULL AND a.ended <= {until.began:d}"
    (row,) = database.execute(
        f"SELECT sum(CASE WHEN {inside} AND a.kind = ? THEN a.charged END), "
        f"sum(CASE WHEN {inside} AND a.kind = ? AND a.charged IS NULL THEN a.price END), "
        f"sum(CASE WHEN NOT ({inside}) AND a.kind = ? THEN a.price END), "
        f"sum(CASE WHEN a.kind = 'unknown' THEN 1 END) {OF_ACCOUNT} "
        "AND a.sent < ? AND (a.ended IS NULL OR a.ended > ?)",
        (kind, kind, kind, since.account, until.ended, since.began),
    )
    return Spending(*(int(cast("int", value or 0)) for value in row))


def is_quiet(database: Database, reading: Reading) -> bool:
    """Whether no call of the account was in flight during a reading."""
    return not database.execute(
        f"SELECT 1 {OF_ACCOUNT} AND a.sent < ? AND (a.ended IS NULL OR a.ended > ?) LIMIT 1",
        (reading.account, reading.ended, reading.began),
    )


# Reconciling


async def reconcile(store: Store) -> list[Reconciliation]:
    """Reconcile what is in doubt, where the balances that were read leave one possibility only.

    Nothing is asked of a provider and nothing is bought.

    Args:
        store: The ledger, open.

    Returns:
        One entry for each pair of readings, or missing reading, with attempts in doubt.
    """
    found, open_doubts = await store.statement(
        lambda tables: (readings(tables.database), doubts(tables.database)), writes=False
    )
    groups: defaultdict[_Window, list[Doubt]] = defaultdict(list)
    quiet: dict[Reading, bool] = {}
    for doubt in open_doubts:
        of_kind = found.get((doubt.account, doubt.kind), [])
        before = [one for one in reversed(of_kind) if one.ended <= doubt.sent]
        after = [one for one in of_kind if one.began >= doubt.ended]
        window = _Window(
            doubt.account,
            doubt.kind,
            await _first_quiet(store, before, quiet),
            await _first_quiet(store, after, quiet),
        )
        groups[window].append(doubt)
    return [
        await _reconciled(store, window, found.get((window.account, window.kind), []), group)
        for window, group in groups.items()
    ]


class _Window(NamedTuple):
    account: str
    kind: str
    since: Reading | None
    until: Reading | None


async def _first_quiet(
    store: Store, candidates: Sequence[Reading], known: dict[Reading, bool]
) -> Reading | None:
    for one in candidates:
        if one not in known:

            def work(tables: SqlTables, reading: Reading = one) -> bool:
                return is_quiet(tables.database, reading)

            known[one] = await store.statement(work, writes=False)
        if known[one]:
            return one
    return None


async def _reconciled(
    store: Store, window: _Window, of_kind: Sequence[Reading], group: Sequence[Doubt]
) -> Reconciliation:
    _, kind, since, until = window
    maybe, charged, spent, decision = sum(one.price for one in group), 0, None, None
    if since is None or until is None:
        side = "before" if since is None else "after"
        reason = f"the balances were not read {side} these calls, with no other call in flight"
    else:
        known = await store.statement(
            lambda tables: spending(tables.database, since, until), writes=False
        )
        charged = known.charged
        left = [one.balance for one in of_kind if since.ended <= one.ended <= until.ended]
        if any(later > earlier for earlier, later in pairwise(left)):
            reason = "the balance rose meanwhile"
        else:
            spent = left[0] - left[-1]
            decision, reason = decide(spent - charged, maybe, unpriced=known.unpriced > 0)
    if decision is not None:
        for one in group:
            price = one.price if decision == "charged" else 0
            await store.apply(Reconcile(one.lookup, one.n, price, store.now))
    return Reconciliation(
        kind=kind,
        since=since and since.ended / 1000,
        until=until and until.ended / 1000,
        doubts=len(group),
        maybe=maybe,
        spent=spent,
        charged=charged,
        decision=decision,
        reason=reason,
    )


# What was paid for nothing


async def empty_answers(store: Store) -> AsyncIterator[Entry]:
    """The lookups that were charged and whose answer holds nothing.

    Those are answers without a body, answers of which every value is null or empty, and calls that
    were charged without an answer.
    """
    async for entry in store.entries("done", "kept"):
        bodies = [page.body for page in entry.pages] or [entry.body or b""]
        if entry.credits and all(map(holds_nothing, bodies)):
            yield entry


def holds_nothing(body: bytes) -> bool:
    """Whether a body is blank, or JSON of which every value is null or empty."""
    if not body.strip():
        return True
    try:
        return _is_empty(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return False


def _is_empty(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_empty, cast("dict[str, object]", value).values()))
    if isinstance(value, list):
        return all(map(_is_empty, cast("list[object]", value)))
    return value is None or value == ""
