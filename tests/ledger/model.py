"""A model checker for the ledger: every state that processes and errors can bring about.

The transitions are not a copy of the rule. A step of a process calls `transaction.apply` or
`transaction.release` on tables in memory, so what is checked is the code that both stores run.
The model adds what surrounds it: processes that announce, send, receive and judge, the provider
that charges, and the events that break them. `check` visits every reachable state breadth first,
so the first violation that it finds has a shortest path.

What holds in every state (`Violation` names the invariant):

* I1: while an attempt may have been charged, none is announced unless somebody decided it.
* I2: nothing is announced while a charged answer that is wanted is stored.
* I3: no answer is dropped, and a lookup that is done or kept has the answer it says.
* I4: the provider never charges more than the cap, and a run's totals are those of its attempts.
* I5: nothing but its owner changes an attempt of a living owner that was not declared dead.
* I6: in the end a stored usable answer is the one that stands; without errors exactly what the
  cap allows was bought.
* I7: every run ends: no state without a way on, no circle of steps that are not errors.
* I9: what was bought completely can be read until a newer version is complete, and no page that was
  taken of a newer one is dropped.

Processes are equal, and so are keys: states that differ by their order are one state.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from msgspec.structs import replace

from lix_async.ledger import transaction
from lix_async.ledger.records import (
    Again,
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
from lix_async.ledger.rule import Judgement, LookupState, StoredAnswer
from lix_async.ledger.transaction import Attempt, Loaded, Writes

DEAD = 90
"""The owner of rows whose process is gone: numbers of living processes are small."""
GONE = 91
"""An owner that was declared dead: no row has it any more."""
DUE = 10
PRICE = 1
CHARGED = {"usable", "unusable", "lost, charged", "gateway, charged", "unknown, charged"}
FREE = {"transient", "refused", "queued"}
OPEN, MAYBE = -1, -2
"""Money of an attempt: reserved, or ended without knowing."""


@dataclass(frozen=True)
class Config:
    """What a configuration has, and how often each error may happen in it."""

    name: str
    processes: int = 2
    keys: int = 2
    pages: int = 0
    """Pages of each key, a listing; 0 for single answers."""
    retry: bool = False
    """The policy: buy what is in doubt again, or hold it."""
    cap: int | None = None
    gateway_hold: bool = False
    may: str = ""
    """What may happen, once or as often as it says: crash, stall, loss, cancel, repeat, expiry,
    person, forget, reading, repair; transient, unusable, refused, queued, gateway, unknown answers; decisions of
    the policy."""

    @cached_property
    def budgets(self) -> dict[str, int]:
        """How often what may happen."""
        words = [one.split() for one in self.may.split(", ") if one]
        return {word[-1]: int(word[0]) if word[1:] else 1 for word in words}


ERRORS = ("crash", "stall", "loss", "cancel", "repeat", "expiry", "person", "forget", "reading", "gateway", "unknown")  # fmt: skip
"""Budgets of errors and of people; the other budgets are answers of a healthy provider."""


class Purchase(NamedTuple):
    """An attempt as the ledger has it, and what the model knows about it."""

    page: int
    fate: str = ""
    """What the provider did; empty before the request left."""
    mark: str = "open"
    """`open`: may be charged. `decided`: the same, and somebody decided to go on. `free`: known
    not to be charged. `paid`: known to be charged, without an answer. `stored`: charged, its
    answer is stored and wanted. `past`: not wanted."""
    money: int = OPEN
    """`OPEN`, `MAYBE`, or credits."""


class Key(NamedTuple):
    """A lookup, without its owner; all of its stored answers, and its attempts."""

    row: LookupState
    stored: tuple[StoredAnswer, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    gone: bool = False
    """Whether its subject was forgotten: the ledger has its attempts only, as amounts."""

    def loaded(self) -> LookupState:
        """The row as a store loads it: without what was judged of older versions and pages."""
        row = self.row
        answers = tuple(
            a
            for a in self.stored
            if a.meaning is None
            or (a.n > row.base and (a.page >= row.page or a.n >= row.n or a.n == row.cur))
        )
        return replace(row, answers=answers)


class Process(NamedTuple):
    """A process and its one request. `mine`: its owner was not declared dead since it began."""

    at: str = "idle"
    key: int = -1
    n: int = 0
    page: int = 0
    mine: bool = True
    expired: bool = False


Row = tuple[int, int]
"""The number of a `Key`, and its owner."""


class State(NamedTuple):
    """Everything. `echo`: an event of a person whose acknowledgement was lost."""

    processes: tuple[Process, ...]
    rows: tuple[Row, ...]
    left: tuple[int, ...]
    """What is left of each budget."""
    stopped: bool = False
    """The run ended because its budget did."""
    echo: tuple[str, int, int] | None = None


class Violation(Exception):
    """An invariant does not hold."""


class Tables:
    """The tables of one lookup, in memory."""

    def __init__(self, key: Key, owner: int, sender: int, free: int) -> None:
        self.lookup = StoredLookup(1, b"", "", b"", replace(key.loaded(), owner=owner))
        self.gone = key.gone
        self.found = {
            (1, n): Attempt(
                *(1, n, 1, PRICE, "", 0, sender),
                ended=None if one.money == OPEN else 0,
                charged=one.money if one.money >= 0 else None,
            )
            for n, one in enumerate(key.purchases, 1)
        }
        # The other keys of the run: what they leave of its cap.
        self.totals = RunTotals(cap=100 + free, held=100)
        self.writes = Writes()

    def load(
        self,
        ids: Sequence[int],
        *,
        unanswered: Container[int] = (),
        attempts: Sequence[tuple[int, int]] = (),
        runs: Sequence[int] = (),
    ) -> Loaded:
        lookup = self.lookup
        if self.gone:  # its attempts have another number
            return Loaded({}, {}, {1: self.totals} if runs else {})
        if 1 in unanswered:
            lookup.state = replace(lookup.state, answers=())
        found = {key: self.found[key] for key in attempts if key in self.found}
        totals = {1: self.totals} if found or runs else {}
        return Loaded({1: lookup} if ids else {}, found, totals)

    def write(self, writes: Writes) -> None:
        self.writes = writes
        self.found |= {(one.lookup, one.n): one for one in writes.new_attempts}
        self.found |= writes.attempts


class Step(NamedTuple):
    """A way on. `error`: not a step that has to happen."""

    label: str
    error: bool
    state: State


class Found(NamedTuple):
    """What `check` found."""

    violation: str
    path: tuple[str, ...]
    states: int
    seconds: float


class Model:
    """The states of one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.names = tuple(config.budgets)
        self._keys: list[Key] = []
        self._numbers: dict[Key, int] = {}
        self._applied: dict[tuple[object, ...], tuple[int, int, EventResult | None]] = {}

    def start(self) -> State:
        config = self.config
        row = LookupState(page=1 if config.pages else 0)
        processes = (Process(), *[Process("dead")] * (config.processes - 1))
        rows = ((self.number(Key(row)), 0),) * config.keys
        return State(processes, rows, tuple(config.budgets.values()))

    def number(self, key: Key) -> int:
        """The number of a key's state; its owner is kept beside it."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._keys)
            self._keys.append(key)
        return found

    # The ledger

    def apply(
        self, row: Row, actor: int, event: LedgerEvent | None, *, free: int = 1
    ) -> tuple[Row, EventResult | None]:
        """An event (None: the release of a dead owner) applied by the code that is checked."""
        memo = (row, actor, event, free)
        known = self._applied.get(memo)
        if known is None:
            known = self._applied[memo] = self._apply(row, actor, event, free)
        return (known[0], known[1]), known[2]

    def _apply(
        self, row: Row, actor: int, event: LedgerEvent | None, free: int
    ) -> tuple[int, int, EventResult | None]:
        key, owner = self._keys[row[0]], row[1]
        # Only its own process says of an attempt that it never left.
        sender = event.owner if isinstance(event, NotLeft) else GONE
        tables = Tables(key, owner, sender, free)
        result = None
        if event is None:
            transaction.release(tables, [1], actor, 0)
        else:
            (result,) = transaction.apply(tables, [event], actor)
        if key.gone:
            writes = tables.writes
            if (result is not None and result.applied) or writes.attempts or writes.lookups:
                raise Violation("I8: an event changed what was forgotten")
            return row[0], owner, result
        after = tables.lookup.state
        purchases = list(key.purchases)
        for (_, n), attempt in sorted(tables.found.items()):
            money = OPEN if attempt.ended is None else MAYBE
            money = money if attempt.charged is None else attempt.charged
            if n > len(purchases):
                assert isinstance(event, Send)
                if key.row.status == "refused":
                    assert event.expired
                    purchases = _anew(purchases)
                self._may_announce(key.row.status, purchases, event)
                if key.row.status == "done":
                    purchases = [one._replace(mark="past") for one in purchases]
                purchases.append(Purchase(after.page))
            purchases[n - 1] = purchases[n - 1]._replace(money=money)
        purchases = self._marked(key, purchases, after, event, result)
        self._check_owner(key.row, owner, actor, after, event)
        self._check_totals(tables, key, purchases)
        stored = self._stored_answers(key, tables.writes)
        done = Key(replace(after, owner=0, answers=()), stored, tuple(purchases))
        if not (isinstance(event, Receive) and event.n <= after.base):
            known = [a for a in after.answers if a.n > after.base or a.meaning is None]
            if not set(known) <= set(stored):
                raise Violation("I3: the row and the answers that are stored differ")
        self._check_row(done, after.owner)
        self._check_older(key, done)
        return self.number(done), after.owner, result

    def _stored_answers(self, key: Key, writes: Writes) -> tuple[StoredAnswer, ...]:
        stored = {(a.n, a.page): a for a in key.stored}
        for event in writes.answers:
            stored.setdefault((event.n, event.page), StoredAnswer(event.n, event.page, None))
        for (_, n), (meaning, _) in writes.meanings.items():
            stored |= {at: a._replace(meaning=meaning) for at, a in stored.items() if a.n == n}
        return tuple(stored[at] for at in sorted(stored))

    def _marked(
        self,
        key: Key,
        purchases: list[Purchase],
        after: LookupState,
        event: LedgerEvent | None,
        result: EventResult | None,
    ) -> list[Purchase]:
        """What the event says about the attempts, whatever the rule made of it."""
        applied = result is not None and result.applied
        if isinstance(event, Receive):
            if not any((a.n, a.page) == (event.n, event.page) for a in after.answers):
                raise Violation("I3: an answer was dropped")
            purchases[event.n - 1] = _stored(purchases[event.n - 1])
        elif isinstance(event, NotLeft):
            purchases[event.n - 1] = purchases[event.n - 1]._replace(mark="free")
            if purchases[event.n - 1].money != 0:
                raise Violation("I4: a request that never left is counted")
        elif isinstance(event, Reconcile) and applied:
            purchases[event.n - 1] = _reconciled(purchases[event.n - 1], event.charged)
        elif isinstance(event, Decide) and event.again and applied:
            purchases[: event.n] = map(_decided, purchases[: event.n])
        elif isinstance(event, Again) and applied:
            purchases[: event.n] = _anew(purchases[: event.n])
        elif isinstance(event, Judge) and applied and not event.judgement.hold:
            one = purchases[event.n - 1]
            if one.fate.startswith("gateway"):  # reads are repeated after a gateway's error
                purchases[event.n - 1] = _decided(one)
        if after.page > key.row.page:
            purchases = [
                one._replace(mark="past") if one.page < after.page and one.mark != "free" else one
                for one in purchases
            ]
        return purchases

    def _may_announce(self, status: str, purchases: Sequence[Purchase], event: Send) -> None:
        for one in purchases:
            if status == "done":
                assert event.expired
            elif one.mark in ("open", "paid"):
                raise Violation("I1: announced while another attempt may be charged")
            elif one.mark == "stored":
                raise Violation("I2: announced while a charged answer is stored")

    def _check_owner(
        self,
        before: LookupState,
        owner: int,
        actor: int,
        after: LookupState,
        event: LedgerEvent | None,
    ) -> None:
        acts_for = getattr(event, "owner", actor)
        if before.status in ("sent", "received") and 0 < owner < DEAD and acts_for != owner:
            same = (before.status, owner, before.n, before.cur)
            if same != (after.status, after.owner, after.n, after.cur):
                raise Violation("I5: the attempt of a living owner was changed by another")

    def _check_totals(self, tables: Tables, key: Key, after: Sequence[Purchase]) -> None:
        def sums(purchases: Sequence[Purchase]) -> tuple[int, int, int]:
            money = [one.money for one in purchases]
            return money.count(OPEN), sum(x for x in money if x > 0), money.count(MAYBE)

        was, now, totals = sums(key.purchases), sums(after), tables.totals
        if not tables.writes.runs:
            if was != now:
                raise Violation("I4: money changed, and the totals of the run did not")
            return
        change = (totals.held - 100, totals.spent, totals.maybe)
        if change != tuple(b - a for a, b in zip(was, now, strict=True)):
            raise Violation("I4: the totals of the run are not those of its attempts")

    def _check_row(self, key: Key, owner: int) -> None:
        row, purchases = key.row, key.purchases
        if bool(owner) and row.status not in ("sent", "received"):
            raise Violation("I3: a row that is not in flight has an owner")
        if row.status == "received" and purchases[row.cur - 1].mark == "past":
            raise Violation("I3: an answer of an older version or page was taken")
        if row.status in ("done", "kept"):
            if not 0 < row.cur <= len(purchases):
                raise Violation("I3: it ended without an answer")
            one, fate = purchases[row.cur - 1], purchases[row.cur - 1].fate
            waits = any(a.n == row.cur and a.meaning is None for a in key.stored)
            if (
                row.status == "kept"
                and one.money == PRICE
                and (one.mark in ("paid", "decided") or waits)
            ):
                return  # charged, as the balances show; its answer may still come
            if fate != {"done": "usable", "kept": "unusable"}[row.status]:
                raise Violation(f"I3: {row.status} by an answer that is {fate or 'not there'}")
            if purchases[row.cur - 1].mark == "open":
                raise Violation("I3: it ended with an answer that is not stored")

    def _check_older(self, before: Key, after: Key) -> None:
        row, purchases = after.row, after.purchases
        stood = before.row.status == "done" or before.row.refresh is not None
        if stood and row.status != "done" and row.refresh is None:
            raise Violation("I9: an older version is hidden before the newer one is complete")
        if row.refresh is not None:
            pages = {one.page for one in purchases[: row.refresh] if one.fate == "usable"}
            if not pages or (row.page and pages != set(range(1, self.config.pages + 1))):
                raise Violation("I9: the older version that stands is not complete")
        if row.status == "done" and any(
            one.fate == "usable" and 0 < one.page < row.page and self._is_taken(one)
            for one in purchases[row.cur :]
        ):
            raise Violation("I9: a page that was taken of a newer version is dropped")

    def _is_taken(self, one: Purchase) -> bool:
        return one.mark == "past" and one.money == PRICE

    # Steps

    def steps(self, state: State) -> Iterator[Step]:
        """Every way on from a state."""
        for i, process in enumerate(state.processes):
            if process.at == "dead":
                yield Step("start", False, _with_process(state, i, Process()))
                continue
            yield from self._errors(state, i, process)
            yield from self._work(state, i, process)
        if any(process.at != "dead" for process in state.processes):
            yield from self._maintenance(state)
        yield from self._people(state)

    def _budget(self, state: State, name: str) -> State | None:
        """The state with one use of a budget less; None where it is used up or not given."""
        if name not in self.names:
            return None
        i = self.names.index(name)
        if not state.left[i]:
            return None
        left = state.left
        return state._replace(left=(*left[:i], left[i] - 1, *left[i + 1 :]))

    def _errors(self, state: State, i: int, process: Process) -> Iterator[Step]:
        me = i + 1
        if (less := self._budget(state, "crash")) is not None:
            rows = tuple((k, DEAD if owner == me else owner) for k, owner in state.rows)
            crashed = _with_process(less, i, Process("dead"))
            yield Step("crash", True, crashed._replace(rows=rows))
        if process.at == "idle":
            return
        if process.mine and (less := self._budget(state, "stall")) is not None:
            # Declared dead though it lives. It goes on with what it believes.
            rows = tuple(self.apply(r, me, None)[0] if r[1] == me else r for r in state.rows)
            stalled = _with_process(less, i, process._replace(mine=False))
            yield Step("stall", True, stalled._replace(rows=rows))
        if process.at in ("sending", "flying", "judging") and (
            less := self._budget(state, "cancel")
        ):
            event = (NotLeft if process.at == "sending" else Lose)(
                1, self._owner(i, process), process.n, 0
            )
            yield from self._ended(less, i, process, event, "cancel")

    def _owner(self, i: int, process: Process) -> int:
        return i + 1 if process.mine else GONE

    def _ended(
        self, state: State, i: int, process: Process, event: LedgerEvent, label: str
    ) -> Iterator[Step]:
        """An event that ends the attempt of a process; its acknowledgement may be lost."""
        row, _ = self.apply(state.rows[process.key], i + 1, event)
        state = _with_row(state, process.key, row)
        error = label in ("cancel",)
        yield Step(label, error, _with_process(state, i, Process()))
        if (less := self._budget(state, "repeat")) is not None:
            at = f"repeat {label}"
            yield Step(
                f"{label}, unacknowledged",
                True,
                _with_process(less, i, process._replace(at=at, n=process.n)),
            )

    def _work(self, state: State, i: int, process: Process) -> Iterator[Step]:
        k = process.key
        owner = self._owner(i, process)
        if process.at == "idle":
            yield from self._picks(state, i)
        elif process.at == "picked":
            yield from self._announce(state, i, process)
        elif process.at == "announced":  # committed, and its acknowledgement was lost
            if process.mine:
                after = _with_process(state, i, process._replace(at="sending"))
            else:  # declared dead meanwhile: the request does not leave
                row, _ = self.apply(state.rows[k], i + 1, NotLeft(1, owner, process.n, 0))
                after = _with_process(_with_row(state, k, row), i, Process())
            yield Step("confirmed", False, after)
        elif process.at == "sending":
            for fate, error, less in self._fates(state):
                rows = _with_row(
                    less, k, (self._leaves(less.rows[k][0], process.n, fate), less.rows[k][1])
                )
                yield Step(
                    f"leaves: {fate}", error, _with_process(rows, i, process._replace(at="flying"))
                )
        elif process.at == "flying":
            fate = self._keys[state.rows[k][0]].purchases[process.n - 1].fate
            if fate.startswith("lost"):
                yield from self._ended(state, i, process, Lose(1, owner, process.n, 0), "lose")
                return
            received = Receive(1, owner, process.n, process.page, 200, b"", 0)
            row, _ = self.apply(state.rows[k], i + 1, received)
            stored = _with_row(state, k, row)
            yield Step("receive", False, _with_process(stored, i, process._replace(at="judging")))
            repeats = self._budget(stored, "repeat")
            if repeats is not None:
                yield Step("receive, unacknowledged", True, repeats)
        elif process.at == "judging":
            yield from self._ended(
                state, i, process, self._judge(state.rows[k], owner, process.n), "judge"
            )
        else:
            left = self._keys[state.rows[k][0]].purchases[process.n - 1].fate
            event: LedgerEvent = (Lose if left else NotLeft)(1, owner, process.n, 0)
            if process.at == "repeat judge":
                event = self._judge(state.rows[k], owner, process.n)
            row, _ = self.apply(state.rows[k], i + 1, event)
            yield Step(process.at, False, _with_process(_with_row(state, k, row), i, Process()))

    def _picks(self, state: State, i: int) -> Iterator[Step]:
        for k, (number, owner) in enumerate(state.rows):
            row, stored = self._keys[number][:2]
            wanted = row.status in ("pending", "queued") and owner == 0 and not state.stopped
            if wanted and not any(a.meaning is None and a.n > row.base for a in stored):
                yield Step("pick", False, _with_process(state, i, Process("picked", k, row.n)))
            elif row.status in ("in_doubt", "kept", "refused") and not state.stopped:
                process = Process("picked", k, row.n)
                yield Step("pick what ended", True, _with_process(state, i, process))
            old = row.status in ("done", "refused")
            if old and (less := self._budget(state, "expiry")) is not None:
                process = Process("picked", k, row.n, expired=True)
                yield Step("pick what is too old", True, _with_process(less, i, process))

    def _announce(self, state: State, i: int, process: Process) -> Iterator[Step]:
        k = process.key
        early = Send(1, process.n, PRICE, DUE - 1, "", 1, process.expired)
        before = self._keys[state.rows[k][0]].row
        if before.status == "queued" and before.due == DUE:
            _, result = self.apply(state.rows[k], i + 1, early)
            if result is not None and result.applied:
                raise Violation("I3: a queued lookup was announced before it was due")
        event = Send(1, process.n, PRICE, DUE, "", 1, process.expired)
        row, result = self.apply(state.rows[k], i + 1, event, free=self._free(state))
        assert result is not None
        if result.over_budget:
            if self._certain(state) + PRICE > (self.config.cap or 0):
                stopped = state._replace(stopped=True)
                yield Step("over budget", False, _with_process(stopped, i, Process()))
            return  # else it waits for what is in flight
        if not result.applied:
            yield Step("taken", False, _with_process(state, i, Process()))
            return
        n, page = result.state.n, result.state.page
        announced = _with_row(state, k, row)
        after = Process("sending", k, n, page)
        yield Step("send", False, _with_process(announced, i, after))
        if (less := self._budget(announced, "repeat")) is not None:
            again = after._replace(at="announced")
            yield Step("send, unacknowledged", True, _with_process(less, i, again))

    def _free(self, state: State) -> int:
        """1 where the cap allows one more attempt; 0 or less where it does not."""
        if self.config.cap is None:
            return 1
        money = [one.money for r in state.rows for one in self._keys[r[0]].purchases]
        return min(self.config.cap - sum(PRICE if x < 0 else x for x in money), 1)

    def _certain(self, state: State) -> int:
        """Credits that nothing in flight gives back: spent, or lost for good."""
        credits = 0
        for number, _ in state.rows:
            key = self._keys[number]
            unjudged = {a.n for a in key.stored if a.meaning is None}
            for n, one in enumerate(key.purchases, 1):
                if one.money > 0 or (one.money == MAYBE and n not in unjudged):
                    credits += PRICE
        return credits

    def _fates(self, state: State) -> Iterator[tuple[str, bool, State]]:
        yield "usable", False, state
        for name in ("transient", "unusable", "refused", "queued"):
            if (less := self._budget(state, name)) is not None:
                yield name, False, less
        for name, said in (("loss", "lost"), ("gateway", "gateway"), ("unknown", "unknown")):
            if (less := self._budget(state, name)) is not None:
                yield f"{said}, charged", True, less
                yield f"{said}, free", True, less

    def _leaves(self, number: int, n: int, fate: str) -> int:
        key = self._keys[number]
        one = key.purchases[n - 1]._replace(fate=fate)
        return self.number(
            key._replace(purchases=(*key.purchases[: n - 1], one, *key.purchases[n:]))
        )

    def _judge(self, row: Row, owner: int, n: int) -> Judge:
        return Judge(1, owner, n, self._judgement(self._keys[row[0]].purchases[n - 1]), 0)

    def _judgement(self, one: Purchase) -> Judgement:
        fate = one.fate.partition(",")[0]
        if fate == "usable":
            following = one.page + 1 if 0 < one.page < self.config.pages else None
            return Judgement("usable", PRICE, next_page=following)
        if fate == "unusable":
            return Judgement("unusable", PRICE)
        if fate == "gateway":
            return Judgement("transient", None, due=DUE, hold=self.config.gateway_hold)
        if fate == "unknown":
            return Judgement("unknown", None)
        assert fate in FREE
        due = None if fate == "refused" else DUE
        return Judgement(fate, 0, due=due)  # type: ignore[arg-type]  # one of these meanings

    def _maintenance(self, state: State) -> Iterator[Step]:
        """What the timekeeper of any living process does."""
        for k, row in enumerate(state.rows):
            key = self._keys[row[0]]
            if row[1] == DEAD:
                yield Step("release", False, _with_row(state, k, self.apply(row, DEAD, None)[0]))
            unjudged = {a.n for a in key.stored if a.meaning is None}
            if key.row.status == "received":
                unjudged.add(key.row.cur)
            for n in sorted(unjudged):
                if not (key.row.status == "received" and key.row.cur == n and row[1]):
                    after, result = self.apply(row, GONE, self._judge(row, GONE, n))
                    assert result is not None
                    if not result.applied:
                        raise Violation("I7: an answer waits, and it cannot be judged")
                    yield Step("judge what was left", False, _with_row(state, k, after))
            less = self._budget(state, "decision") if self.config.retry else None
            if key.row.status == "in_doubt" and less is not None:
                after, _ = self.apply(row, GONE, Decide(1, key.row.n, True, 0))
                yield Step("decide", False, _with_row(less, k, after))

    def _people(self, state: State) -> Iterator[Step]:
        for k, row in enumerate(state.rows):
            key = self._keys[row[0]]
            n = key.row.n
            if key.gone:
                continue
            if not row[1] and (less := self._budget(state, "forget")) is not None:
                yield Step("forget", True, _with_row(less, k, (self._forgotten(key), 0)))
            events: list[tuple[str, LedgerEvent]] = []
            if key.row.status == "in_doubt":
                events = [("again", Decide(1, n, True, 0)), ("let be", Decide(1, n, False, 0))]
            elif key.row.status in ("kept", "refused"):
                events = [("anew", Again(1, n, 0))]
            for label, event in events:
                if (less := self._budget(state, "person")) is None:
                    continue
                after, _ = self.apply(row, GONE, event)
                then = _with_row(less, k, after)
                yield Step(label, True, then)
                if (less := self._budget(then, "repeat")) is not None and state.echo is None:
                    yield Step(f"{label}, unacknowledged", True, less._replace(echo=(label, k, n)))
            if (less := self._budget(state, "reading")) is not None:
                yield from self._reconciled(less, k, row)
            repairable = key.row.status == "kept" and key.row.cur in {a.n for a in key.stored}
            if repairable and (less := self._budget(state, "repair")) is not None:
                yield Step("repair", True, _with_row(less, k, self._repaired(row)))
        if state.echo is not None:
            label, k, n = state.echo
            event = Again(1, n, 0) if label == "anew" else Decide(1, n, label == "again", 0)
            after, _ = self.apply(state.rows[k], GONE, event)
            yield Step(f"{label}, repeated", False, _with_row(state, k, after)._replace(echo=None))

    def _forgotten(self, key: Key) -> int:
        """The lookup is erased: what was open or in doubt may have been charged."""
        left = [
            one._replace(mark="past", money=MAYBE if one.money == OPEN else one.money)
            for one in key.purchases
        ]
        row = LookupState("refused", n=key.row.n, page=key.row.page)
        return self.number(Key(row, (), tuple(left), gone=True))

    def _reconciled(self, state: State, k: int, row: Row) -> Iterator[Step]:
        """The balances show what an attempt has cost that ended without knowing."""
        for n, one in enumerate(self._keys[row[0]].purchases, 1):
            if one.money == MAYBE and one.fate:
                charged = PRICE if one.fate in CHARGED else 0
                after, _ = self.apply(row, GONE, Reconcile(1, n, charged, 0))
                yield Step("reading", True, _with_row(state, k, after))

    def _repaired(self, row: Row) -> Row:
        """The kept answer can be read by a new version of the package."""
        key = self._keys[row[0]]
        n = key.row.cur
        one = key.purchases[n - 1]._replace(fate="usable")
        able = key._replace(purchases=(*key.purchases[: n - 1], one, *key.purchases[n:]))
        event = JudgeAgain(1, n, self._judgement(one), 0)
        after, result = self.apply((self.number(able), row[1]), GONE, event)
        if result is None or not result.applied:
            raise Violation("I6: a kept answer that can be read was not taken")
        return after

    # Checks of whole states

    def charged(self, state: State) -> int:
        """Credits that the provider has charged."""
        return sum(
            one.fate in CHARGED or one.fate == "usable"
            for number, _ in state.rows
            for one in self._keys[number].purchases
        )

    def check_state(self, state: State) -> None:
        if self.config.cap is not None and self.charged(state) > self.config.cap:
            raise Violation(f"I4: {self.charged(state)} charged of a cap of {self.config.cap}")

    def is_final(self, state: State) -> bool:
        if state.echo is not None or all(one.at == "dead" for one in state.processes):
            return False
        if any(one.at not in ("idle", "dead") for one in state.processes):
            return False
        for number, owner in state.rows:
            row, stored = self._keys[number][:2]
            if owner or any(a.meaning is None for a in stored):
                return False
            if row.status in ("sent", "received"):
                return False
            if row.status in ("pending", "queued") and not state.stopped:
                return False
            if row.status == "in_doubt" and self.config.retry and self._budget(state, "decision"):
                return False
        return True

    def check_final(self, state: State) -> None:
        for number, _ in state.rows:
            row, answers, purchases, _ = self._keys[number]
            for answer in answers:
                fate, money = purchases[answer.n - 1].fate, purchases[answer.n - 1].money
                if (fate in ("usable", "unusable") and money != PRICE) or (fate in FREE and money):
                    raise Violation("I4: an answer was not accounted for")
            stored = [
                (one.fate, n)
                for n, one in enumerate(purchases, 1)
                if one.mark == "stored" and one.page == row.page
            ]
            fates = {fate for fate, _ in stored}
            if "usable" in fates and row.status != "done":
                raise Violation(f"I6: a usable answer is stored, and the lookup ends {row.status}")
            if "unusable" in fates and row.status not in ("done", "kept"):
                raise Violation(f"I6: a charged answer is stored, and the lookup ends {row.status}")
            stands = row.status == "done" and not row.page
            newer = any(fate == "usable" and n > row.base for fate, n in stored)
            if stands and newer and row.cur <= row.base:
                raise Violation("I6: an older version stands, and a newer one was bought")
            if row.status == "done" and row.page and row.refresh is None:
                pages = {one.page for one in purchases if one.fate == "usable"}
                if pages != set(range(1, self.config.pages + 1)):
                    raise Violation("I6: a listing is done without all of its pages")
        untouched = all(
            name not in ERRORS or left == self.config.budgets[name]
            for name, left in zip(self.names, state.left, strict=True)
        )
        if untouched and not {"refused", "unusable"} & set(self.names):
            all_of_it = len(state.rows) * max(self.config.pages, 1)
            want = all_of_it if self.config.cap is None else min(self.config.cap, all_of_it)
            if self.charged(state) != want:
                raise Violation(f"I6: {self.charged(state)} bought where {want} is right")


def _reconciled(one: Purchase, charged: int) -> Purchase:
    if one.mark == "open":
        return one._replace(mark="paid" if charged else "free")
    return one


def _stored(one: Purchase) -> Purchase:
    if one.mark in ("open", "decided", "paid"):
        if one.fate in FREE:
            return one._replace(mark="free")
        if one.fate in ("usable", "unusable"):
            return one._replace(mark="stored")
    return one


def _anew(purchases: Sequence[Purchase]) -> list[Purchase]:
    """It is wanted anew: what came up to the last charged answer is past."""
    known = list(enumerate(purchases, 1))
    past = max((n for n, one in known if one.mark == "stored"), default=0)
    return [
        one._replace(mark="past") if n <= past and one.mark != "free" else _decided(one)
        for n, one in known
    ]


def _decided(one: Purchase) -> Purchase:
    return one._replace(mark="decided") if one.mark in ("open", "paid") else one


def _with_process(state: State, i: int, process: Process) -> State:
    processes = state.processes
    return state._replace(processes=(*processes[:i], process, *processes[i + 1 :]))


def _with_row(state: State, k: int, row: Row) -> State:
    rows = state.rows
    return state._replace(rows=(*rows[:k], row, *rows[k + 1 :]))


def ordered(state: State) -> State:
    """The same state with its keys and processes in one order: they are interchangeable."""
    rows, processes, echo = state.rows, state.processes, state.echo
    if len(rows) > 1:
        order = sorted(range(len(rows)), key=rows.__getitem__)
        if order != list(range(len(rows))):
            place = {old: new for new, old in enumerate(order)} | {-1: -1}
            rows = tuple(rows[old] for old in order)
            processes = tuple(one._replace(key=place[one.key]) for one in processes)
            if echo is not None:
                echo = (echo[0], place[echo[1]], echo[2])
    order = sorted(range(len(processes)), key=processes.__getitem__)
    if order != list(range(len(processes))):
        owner = {old + 1: new + 1 for new, old in enumerate(order)}
        processes = tuple(processes[old] for old in order)
        rows = tuple((number, owner.get(who, who)) for number, who in rows)
    return state._replace(rows=rows, processes=processes, echo=echo)


def check(config: Config, limit: int = 3_000_000) -> Found:
    """Visit every state of a configuration, or as many as lead to the first violation."""
    began = time.perf_counter()
    model = Model(config)
    first = ordered(model.start())
    numbers = {first: 0}
    parents: list[tuple[int, str]] = [(-1, "")]
    queue = deque([first])
    ways: list[list[int]] = []

    def found(what: str, at: int) -> Found:
        path: list[str] = []
        while at > 0:
            at, label = parents[at]
            path.insert(0, label)
        return Found(what, tuple(path), len(numbers), time.perf_counter() - began)

    at = -1
    while queue:
        at += 1
        state = queue.popleft()
        on: list[int] = []
        try:
            model.check_state(state)
            final = model.is_final(state)
            if final:
                model.check_final(state)
            for label, error, step in model.steps(state):
                following = ordered(step)
                number = numbers.get(following)
                if number is None:
                    number = numbers[following] = len(parents)
                    parents.append((at, label))
                    queue.append(following)
                if not error and number != at:
                    on.append(number)
                elif not error:
                    raise Violation(f"I7: {label} leads nowhere")
            if not on and not final:
                raise Violation("I7: there is no way on")
        except Violation as violation:
            return found(str(violation), at)
        ways.append(on)
        if len(numbers) > limit:
            return found("too many states: not exhaustive", at)
    circle = in_circle(ways)
    if circle is not None:
        return found("I7: a circle: a run need not end", circle)
    return Found("", (), len(numbers), time.perf_counter() - began)


def in_circle(ways: Sequence[Sequence[int]]) -> int | None:
    """A state from which steps lead back to it, or None: depth first, with colours."""
    colours = bytearray(len(ways))
    for root in range(len(ways)):
        if colours[root]:
            continue
        stack = [(root, iter(ways[root]))]
        colours[root] = 1
        while stack:
            node, following = stack[-1]
            for one in following:
                if colours[one] == 1:
                    return one
                if not colours[one]:
                    colours[one] = 1
                    stack.append((one, iter(ways[one])))
                    break
            else:
                colours[node] = 2
                stack.pop()
    return None
