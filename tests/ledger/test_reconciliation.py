"""The arithmetic that settles what is in doubt, and readings in both stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.ledger import Ledger
from lix_async.ledger.reconciliation import (
    Reading,
    Spending,
    account_of,
    add_readings,
    decide,
    holds_nothing,
    unexplained,
)
from lix_async.ledger.records import Judge, LookupSpec, Lose, Receive, Send
from lix_async.ledger.rule import Judgement
from lix_async.ledger.sqlite import SqliteStore
from lix_async.ledger.store import Store

pytestmark = pytest.mark.anyio
ACCOUNT = account_of("", "")
prices = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(prices, st.data())
def test_a_decision_is_never_wrong(doubts: list[int], data: st.DataObject) -> None:
    """Whatever was charged: where something is decided, it is what happened."""
    charged = data.draw(st.lists(st.booleans(), min_size=len(doubts), max_size=len(doubts)))
    difference = sum(price for price, paid in zip(doubts, charged, strict=True) if paid)
    decision, reason = decide(difference, sum(doubts), unpriced=False)
    if decision == "charged":
        assert all(charged)
    elif decision == "not_charged":
        assert not any(charged)
    else:
        assert any(charged) and not all(charged) and reason


@given(prices, st.integers(-50, 50), st.booleans())
def test_nothing_is_decided_where_the_numbers_do_not_fit(
    doubts: list[int], difference: int, unpriced: bool
) -> None:
    maybe = sum(doubts)
    decision, reason = decide(difference, maybe, unpriced=unpriced)
    assert (decision is None) == bool(reason)
    if difference not in (0, maybe) or (unpriced and difference):
        assert decision is None


@given(st.integers(-50, 50), st.integers(0, 9), st.integers(0, 9))
def test_doubts_and_calls_in_flight_explain_no_more_than_they_cost(
    difference: int, maybe: int, in_flight: int
) -> None:
    left = unexplained(difference, Spending(0, maybe, in_flight, 0))
    assert 0 <= difference - left <= maybe + in_flight or left == difference < 0
    assert (left == 0) == (0 <= difference <= maybe + in_flight)


@pytest.mark.parametrize(
    ("body", "nothing"),
    [
        (b"", True),
        (b" \n", True),
        (b"null", True),
        (b"{}", True),
        (b"[]", True),
        (b'{"name": null, "experience": [], "more": {"a": ""}}', True),
        (b'{"name": "Ada"}', False),
        (b'{"count": 0}', False),
        (b"<html>", False),
    ],
)
def test_what_holds_nothing(body: bytes, nothing: bool) -> None:
    assert holds_nothing(body) is nothing


def test_an_account_is_written_alike() -> None:
    assert account_of("", "") == "{}"
    assert account_of("a", "http://x") == '{"account":"a","origin":"http://x"}'


@dataclass
class Accounting:
    """Calls and readings of one account, one after the other."""

    store: Store
    at: int = 1_700_000_000_000
    balances: dict[str, int] = field(default_factory=lambda: {"standard": 100, "org": 50})
    made: int = 0

    async def read(self, account: str = ACCOUNT, **left: int) -> None:
        self.at += 10
        found = [
            Reading(account, kind, self.at, self.at + 1, balance)
            for kind, balance in (left or self.balances).items()
        ]
        await self.store.statement(lambda tables: add_readings(tables.database, found))
        self.at += 10

    async def call(
        self,
        fate: str = "answer",
        *,
        price: int = 1,
        kind: str = "standard",
        takes: int = 5,
        run: int | None = None,
    ) -> bytes:
        """A call; its key. `fate`: an answer, or lost and charged or not."""
        self.made += 1
        key = self.made.to_bytes(16, "big")
        spec = LookupSpec(key, "person.get", b'"x"')
        result, lookup = await self.store.announce(spec, Send(0, 0, price, self.at, kind, run))
        self.at += takes
        if fate != "lost":
            self.balances[kind] = self.balances.get(kind, 0) - price
        if fate == "answer":
            await self.store.apply(
                Receive(lookup.id, result.owner, 1, 0, 200, b'{"name": "Ada"}', self.at),
                Judge(lookup.id, result.owner, 1, Judgement("usable", price), self.at),
            )
        elif fate != "in flight":
            await self.store.apply(Lose(lookup.id, result.owner, 1, self.at))
        return key

    async def status(self, key: bytes) -> str:
        entry = await self.store.get(key)
        assert entry is not None
        return entry.status


@pytest.fixture
async def accounting(tmp_path: Path) -> object:
    async with SqliteStore(tmp_path / "ledger.db") as store:
        yield Accounting(store)


@pytest.mark.parametrize(
    ("fates", "decision", "status"),
    [
        (["lost", "lost"], "not_charged", "pending"),
        (["lost and charged", "lost and charged"], "charged", "kept"),
        (["lost", "lost and charged"], None, "in_doubt"),
    ],
)
async def test_two_readings_decide(
    accounting: Accounting, fates: list[str], decision: str | None, status: str
) -> None:
    await accounting.call("answer")  # before the first reading
    await accounting.read()
    keys = [await accounting.call(fate, price=2) for fate in fates]
    await accounting.call("answer", price=3)
    await accounting.call("answer", kind="org")
    await accounting.read()
    await accounting.call("answer")
    ledger = Ledger(accounting.store)
    (found,) = await ledger.reconcile()
    assert (found.decision, found.doubts, found.maybe, found.charged) == (decision, 2, 4, 3)
    assert found.difference == 2 * fates.count("lost and charged")
    assert bool(found.reason) == (decision is None)
    assert [await accounting.status(key) for key in keys] == [status] * 2
    counts = await accounting.store.counts()
    assert counts.maybe == (4 if decision is None else 0)
    again = await ledger.reconcile()
    assert again == ([found] if decision is None else [])
    empty = [entry.key async for entry in ledger.empty_answers()]
    assert empty == (keys if decision == "charged" else [])


async def test_kinds_of_credits_are_decided_apart(accounting: Accounting) -> None:
    await accounting.read()
    one = await accounting.call("lost", kind="standard")
    other = await accounting.call("lost and charged", kind="org")
    free = await accounting.call("lost", kind="free", price=0)
    await accounting.read()
    found = await Ledger(accounting.store).reconcile()
    assert {each.kind: each.decision for each in found} == {
        "standard": "not_charged",
        "org": "charged",
    }
    assert [await accounting.status(key) for key in (one, other, free)] == [
        "pending",
        "kept",
        "in_doubt",
    ]


async def test_without_a_reading_on_both_sides_nothing_is_decided(accounting: Accounting) -> None:
    key = await accounting.call("lost")
    ledger = Ledger(accounting.store)
    (found,) = await ledger.reconcile()
    assert found.since is found.until is found.spent is found.difference is None
    await accounting.read()
    (found,) = await ledger.reconcile()
    assert found.until is not None and found.decision is None
    assert await accounting.status(key) == "in_doubt"
    later = await accounting.call("lost")
    found = (await ledger.reconcile())[1]
    assert "after" in found.reason
    assert await accounting.status(later) == "in_doubt"


async def test_a_balance_that_rises_decides_nothing(accounting: Accounting) -> None:
    await accounting.read()
    key = await accounting.call("lost")
    accounting.balances["standard"] += 10
    await accounting.read()
    (found,) = await Ledger(accounting.store).reconcile()
    assert found.decision is found.spent is None and "rose" in found.reason
    assert await accounting.status(key) == "in_doubt"


@pytest.mark.parametrize("more", [-1, 2, 40])
async def test_other_users_of_the_account_make_it_impossible(
    accounting: Accounting, more: int
) -> None:
    await accounting.read()
    key = await accounting.call("lost")
    await accounting.call("answer", price=3)
    accounting.balances["standard"] -= more
    await accounting.read()
    (found,) = await Ledger(accounting.store).reconcile()
    assert found.decision is None and found.difference == more and found.reason
    assert await accounting.status(key) == "in_doubt"


async def test_a_call_without_a_published_price_may_be_the_difference(
    accounting: Accounting,
) -> None:
    await accounting.read()
    key = await accounting.call("lost and charged")
    await accounting.call("answer", kind="unknown", price=0)
    await accounting.read()
    (found,) = await Ledger(accounting.store).reconcile()
    assert found.decision is None and "price" in found.reason
    assert await accounting.status(key) == "in_doubt"


async def test_a_reading_with_calls_in_flight_does_not_count(accounting: Accounting) -> None:
    await accounting.read()
    key = await accounting.call("lost")
    began = accounting.at
    await accounting.read()
    accounting.at = began
    await accounting.call("answer", takes=60)  # in flight while the balances were read
    await accounting.read()
    (found,) = await Ledger(accounting.store).reconcile()
    assert found.decision == "not_charged" and found.charged == 1
    assert await accounting.status(key) == "pending"


async def test_accounts_are_kept_apart(accounting: Accounting) -> None:
    other = account_of("other", "")
    run = await accounting.store.begin_run("", "lix people.get", other, None)
    await accounting.read()
    await accounting.read(other, standard=7)
    mine = await accounting.call("lost")
    theirs = await accounting.call("lost and charged", run=run)
    accounting.balances["standard"] += 1  # it was the other one's
    await accounting.read()
    await accounting.read(other, standard=6)
    decisions = {one.decision for one in await Ledger(accounting.store).reconcile()}
    assert decisions == {"charged", "not_charged"}
    assert [await accounting.status(key) for key in (mine, theirs)] == ["pending", "kept"]


async def test_a_late_answer_of_what_was_charged_is_taken(accounting: Accounting) -> None:
    await accounting.read()
    key = await accounting.call("lost and charged")
    await accounting.read()
    await Ledger(accounting.store).reconcile()
    lookup = (await accounting.store.find([key]))[key]
    await accounting.store.apply(
        Receive(lookup.id, 1, 1, 0, 200, b'{"name": "Ada"}', accounting.at),
        Judge(lookup.id, 0, 1, Judgement("usable", 1), accounting.at),
    )
    assert await accounting.status(key) == "done"
    assert (await accounting.store.counts()).credits == 1
