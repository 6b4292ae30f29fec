"""Events applied to locked rows: the part of a store that does not depend on its database.

A batch of events becomes one transaction: load every lookup that it names, apply the rule to each
event in order, write what changed. A database implements `Tables`, which locks what it loads.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from . import rule
from .aliases import LearnedAnswer, Sibling, bought_elsewhere
from .records import (
    Again,
    CallQuery,
    Decide,
    EventResult,
    Judge,
    JudgeAgain,
    LedgerEvent,
    Lose,
    NotLeft,
    Receive,
    Reconcile,
    RunTotals,
    Send,
    StoredLookup,
)
from .rule import CODES, Change, LookupState, Meaning, Settlement


class Attempt(msgspec.Struct, gc=False):
    """An attempt and its money."""

    lookup: int
    n: int
    run: int | None
    price: int
    kind: str
    sent: int
    owner: int
    ended: int | None = None
    family: str | None = None
    http: int | None = None
    charged: int | None = None
    decided: bool = False
    note: str | None = None


@dataclass(slots=True)
class Writes:
    """What a transaction has to write."""

    lookups: dict[int, StoredLookup] = field(default_factory=dict[int, StoredLookup])
    new_attempts: list[Attempt] = field(default_factory=list[Attempt])
    attempts: dict[tuple[int, int], Attempt] = field(default_factory=dict[tuple[int, int], Attempt])
    answers: list[Receive] = field(default_factory=list[Receive])
    meanings: dict[tuple[int, int], tuple[Meaning, bytes | None]] = field(
        default_factory=dict[tuple[int, int], tuple[Meaning, bytes | None]]
    )
    """The meaning of an answer, and of a listing's page its new rows."""
    learned: list[LearnedAnswer] = field(default_factory=list[LearnedAnswer])
    """Answers that tell which ids belong together."""
    runs: dict[int, RunTotals] = field(default_factory=dict[int, RunTotals])


class Loaded(NamedTuple):
    """What a transaction has locked and loaded."""

    lookups: dict[int, StoredLookup]
    attempts: dict[tuple[int, int], Attempt]
    runs: dict[int, RunTotals]
    """The totals of runs that have a cap."""


class Tables(Protocol):
    """The tables of one database, inside a transaction."""

    def load(
        self,
        ids: Sequence[int],
        *,
        unanswered: Container[int] = (),
        attempts: Sequence[tuple[int, int]] = (),
        runs: Sequence[int] = (),
    ) -> Loaded:
        """Lock and load lookups with their stored answers, attempts, and totals of runs."""
        ...

    def siblings(
        self, queries: Sequence[CallQuery], now: int
    ) -> list[tuple[int | None, list[Sibling]]]:
        """The subjects of calls that are to be announced, locked, and the lookups of those."""
        ...

    def blocked(self, queries: Sequence[CallQuery]) -> list[bool]:
        """Of calls, whether what they ask about was forgotten."""
        ...

    def write(self, writes: Writes) -> None:
        """Write everything that changed."""
        ...


def apply(tables: Tables, events: Sequence[LedgerEvent], owner: int) -> list[EventResult]:
    """Apply events in their order, in the transaction that is open.

    Args:
        tables: The database.
        events: What happened.
        owner: The owner that announces requests; 0 announces none.

    Returns:
        A result for each event.
    """
    attempts: set[tuple[int, int]] = set()
    answered: set[int] = set()
    runs: set[int] = set()
    for event in events:
        if isinstance(event, Send):
            if event.run is not None:
                runs.add(event.run)
            if event.n:  # one that was never sent has no answers
                answered.add(event.lookup)
        else:
            answered.add(event.lookup)
            if not isinstance(event, (Receive, Again)):
                attempts.add((event.lookup, event.n))
    ids = {event.lookup for event in events}
    batch = _Batch(
        tables.load(
            sorted(ids),
            unanswered=ids - answered,
            attempts=sorted(attempts),
            runs=sorted(runs),
        ),
        owner,
    )
    batch.find_siblings(tables, [e for e in events if isinstance(e, Send) and e.asked is not None])
    results = [batch.apply(event) for event in events]
    tables.write(batch.writes)
    return results


def release(tables: Tables, ids: Iterable[int], dead: int, now: int) -> int:
    """Take rows from a dead owner; how many are in doubt now."""
    loaded = tables.load(sorted(ids))
    sent = [(one.id, one.state.n) for one in loaded.lookups.values() if one.state.status == "sent"]
    money = tables.load((), attempts=sent)
    batch = _Batch(Loaded(loaded.lookups, money.attempts, money.runs), 0)
    for lookup in loaded.lookups.values():
        batch.change(lookup, rule.release(lookup.state, dead), now)
    tables.write(batch.writes)
    return sum(one.state.status == "in_doubt" for one in batch.writes.lookups.values())


class _Batch:
    def __init__(self, loaded: Loaded, owner: int) -> None:
        self._lookups, self._attempts, runs = loaded
        self._owner = owner
        self.writes = Writes(runs=runs)
        self._siblings: dict[int, tuple[int | None, list[Sibling]]] = {}
        """By lookup that is to be announced: its subject, and the lookups of that."""
        self._suppressed: set[int] = set()
        """Lookups whose subject was forgotten."""

    def find_siblings(self, tables: Tables, sends: Sequence[Send]) -> None:
        """Read under which other ids the subjects of announced lookups were asked for."""
        known = [send for send in sends if send.lookup in self._lookups]
        if not known:
            return
        queries = [
            CallQuery(b"", self._lookups[send.lookup].endpoint, send.asked, send.variant)
            for send in known
        ]
        blocked = tables.blocked(queries)
        self._suppressed = {s.lookup for s, one in zip(known, blocked, strict=True) if one}
        found = tables.siblings(queries, max(send.now for send in known))
        self._siblings = dict(zip([send.lookup for send in known], found, strict=True))

    def apply(self, event: LedgerEvent) -> EventResult:
        lookup = self._lookups.get(event.lookup)
        if lookup is None:  # forgotten meanwhile
            return EventResult(False, LookupState())
        if isinstance(event, Send):
            return self._send(lookup, event)
        if isinstance(event, Receive):
            return self._receive(lookup, event)
        state = lookup.state
        if isinstance(event, Judge):
            change = rule.judge(state, event.owner, event.n, event.judgement)
            return self._judged(lookup, change, event)
        if isinstance(event, JudgeAgain):
            return self._judged(lookup, rule.judge_again(state, event.n, event.judgement), event)
        attempt = self._attempts.get((lookup.id, event.n))
        if isinstance(event, Lose):
            change = rule.lose(state, event.owner, event.n)
            if change is not None and attempt is not None:
                attempt.note = event.note
        elif isinstance(event, NotLeft):
            # Another owner's request may have left.
            mine = attempt is not None and attempt.owner == event.owner
            change = rule.not_left(state, event.owner, event.n) if mine else None
        elif isinstance(event, Reconcile):
            change = None
            if attempt is not None and attempt.ended is not None and attempt.charged is None:
                change = rule.reconcile(state, event.n, event.charged)
        elif isinstance(event, Decide):
            change = rule.decide(state, event.n, again=event.again)
        else:
            change = rule.again(state, event.n)
        return self.change(lookup, change, event.now)

    def _send(self, lookup: StoredLookup, event: Send) -> EventResult:
        if lookup.state.n != event.n or not self._owner:
            return EventResult(False, lookup.state)
        if lookup.id in self._suppressed:
            return EventResult(False, lookup.state, suppressed=True)
        change = rule.send(lookup.state, now=event.now, expired=event.expired)
        if change is None:
            return EventResult(False, lookup.state)
        subject, siblings = self._siblings.get(lookup.id, (None, []))
        other = bought_elsewhere(lookup, siblings, event.newer_than)
        if other:
            return EventResult(False, lookup.state, elsewhere=other)
        totals = None if event.run is None else self.writes.runs.get(event.run)
        if totals is not None and totals.cap is not None:
            if totals.held + totals.spent + totals.maybe + event.price > totals.cap:
                return EventResult(False, lookup.state, over_budget=True)
            totals.held += event.price
        attempt = Attempt(
            lookup.id, change.row.n, event.run, event.price, event.kind, event.now, self._owner
        )
        self.writes.new_attempts.append(attempt)
        self._attempts[lookup.id, attempt.n] = attempt
        change = Change(replace(change.row, owner=self._owner))
        if lookup.subject is None:
            lookup.subject = subject
        # A lookup of the same subject that is announced later in this transaction must find it.
        for theirs, others in self._siblings.values():
            if subject is not None and theirs == subject:
                others.append(Sibling(lookup.id, CODES["sent"], event.now))
        self.change(lookup, change, event.now)
        return EventResult(True, lookup.state, self._owner)

    def _receive(self, lookup: StoredLookup, event: Receive) -> EventResult:
        before = lookup.state
        stored = any(a.n == event.n and a.page == event.page for a in before.answers)
        change = rule.receive(before, event.owner, event.n, event.page)
        if not stored:
            self.writes.answers.append(event)
        return self.change(lookup, change, event.now)

    def _judged(
        self, lookup: StoredLookup, change: Change | None, event: Judge | JudgeAgain
    ) -> EventResult:
        if change is None:
            return EventResult(False, lookup.state)
        self.writes.meanings[lookup.id, event.n] = event.judgement.meaning, event.rows
        if isinstance(event, Judge):
            attempt = self._attempts.get((lookup.id, event.n))
            if attempt is not None:
                attempt.family, attempt.note = event.family, event.note
            if (lookup.state.status, lookup.state.cur) == ("received", event.n):
                lookup.pause = event.pause
        if event.found and event.judgement.meaning == "usable":
            self.writes.learned.append(LearnedAnswer(lookup.id, event.n, event.found))
        if event.position is not None and change.row.page != lookup.state.page:
            lookup.position = event.position
        return self.change(lookup, change, event.now)

    def change(self, lookup: StoredLookup, change: Change | None, now: int) -> EventResult:
        """Take a change over into what is written."""
        if change is None:
            return EventResult(False, lookup.state)
        lookup.state, lookup.changed = change.row, now
        self.writes.lookups[lookup.id] = lookup
        for settlement in change.settlements:
            self._charge(lookup.id, settlement, now)
        return EventResult(True, lookup.state)

    def _charge(self, lookup: int, settlement: Settlement, now: int) -> None:
        attempt = self._attempts.get((lookup, settlement.n))
        if attempt is None:
            return
        if settlement.charged is None and attempt.charged is not None:
            settlement = settlement._replace(charged=attempt.charged)  # known from the balances
        totals = None if attempt.run is None else self.writes.runs.get(attempt.run)
        if totals is not None:
            if attempt.ended is None:
                totals.held -= attempt.price
            elif attempt.charged is None:
                totals.maybe -= attempt.price
            else:
                totals.spent -= attempt.charged
            if settlement.charged is None:
                totals.maybe += attempt.price
            else:
                totals.spent += settlement.charged
        attempt.ended = now if attempt.ended is None else attempt.ended
        attempt.charged = settlement.charged
        attempt.decided = attempt.decided or settlement.decided
        self.writes.attempts[lookup, settlement.n] = attempt
