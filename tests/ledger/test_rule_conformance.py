"""Both stores do what the rule says, in every cell of (lookup, stored answers, event).

A cell is written into the tables, its event runs as a transaction of its own kind of job, and
what is then in the tables is compared with what the pure functions of the rule say: the row, the
money of its attempts, the totals of its run, and the decisions about its answers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from msgspec.structs import replace

from lix_async.ledger import rule
from lix_async.ledger.connection import EventsJob, LedgerConnection
from lix_async.ledger.records import (
    Again,
    Decide,
    EventResult,
    Judge,
    JudgeAgain,
    LedgerEvent,
    LookupSpec,
    Lose,
    NotLeft,
    Receive,
    Reconcile,
    Send,
)
from lix_async.ledger.rule import (
    MEANINGS,
    STATUSES,
    Change,
    Judgement,
    LookupState,
    Meaning,
    Status,
    StoredAnswer,
)
from lix_async.ledger.tables import SqlTables
from lix_async.ledger.transaction import Attempt, Writes, release

from .conftest import OpenLedger
from .steps import NOW, ask

PRICE, CAP = 3, 1_000_000
OTHER = 1_000_003
"""An owner that is not this connection's."""
OWNERS = ("mine", "other", "none")
STORED = ("none", "unjudged", "usable", "unusable")
"""What is stored as the answer of an attempt."""
JUDGEMENTS = {
    "usable": Judgement("usable", PRICE),
    "more pages": Judgement("usable", PRICE, next_page=3),
    "unusable": Judgement("unusable", PRICE),
    "refused": Judgement("refused", 0),
    "queued": Judgement("queued", 0, due=NOW + 50),
    "transient": Judgement("transient", 0, due=NOW + 50),
    "not counted": Judgement("transient", 0, counts=False),
    "gateway": Judgement("transient", None, due=NOW + 50),
    "gateway held": Judgement("transient", None, hold=True),
    "unknown": Judgement("unknown", None),
}


@dataclass
class Cell:
    """A lookup, an event, and what the rule makes of them."""

    state: LookupState
    event: str
    judgement: str
    n: int
    """The attempt that the event is about."""
    attempts: dict[int, Attempt] = field(default_factory=dict[int, Attempt])
    lookup: int = 0


def states(mine: int, page: int) -> Iterator[LookupState]:
    """Lookups after two attempts, whatever their owner and answers."""
    owners = {"mine": mine, "other": OTHER, "none": 0}
    for status, owner, older, newer in itertools.product(STATUSES, OWNERS, STORED, STORED):
        refresh = 1 if (older, newer) == ("usable", "none") else None
        found = (newer,) if refresh else (older, newer)  # of an older version: not loaded
        answers = [
            StoredAnswer(n, page, None if what == "unjudged" else cast("Meaning", what))
            for n, what in enumerate(found, 3 - len(found))
            if what != "none"
        ]
        yield LookupState(
            *(status, owners[owner], 2, refresh or 0, 2),
            tries=1,
            due=NOW + 10 if status in ("queued", "pending") else None,
            page=page,
            refresh=refresh,
            answers=tuple(answers),
        )


def apply_rule(cell: Cell, mine: int, owner: int) -> Change | None:
    """What the functions of the rule say."""
    row, n, judgement = cell.state, cell.n, JUDGEMENTS[cell.judgement]
    match cell.event:
        case "send" | "send early" | "send expired":
            now = NOW if cell.event == "send early" else NOW + 20
            change = rule.send(row, now=now, expired=cell.event == "send expired")
            stale = n != row.n
            return None if change is None or stale else Change(replace(change.row, owner=mine))
        case "receive":
            return rule.receive(row, owner, n, row.page)
        case "judge":
            return rule.judge(row, owner, n, judgement)
        case "judge again":
            return rule.judge_again(row, n, judgement)
        case "lose":
            return rule.lose(row, owner, n)
        case "not left":
            return rule.not_left(row, owner, n)
        case "decide again" | "let be":
            return rule.decide(row, n, again=cell.event == "decide again")
        case "reconcile charged" | "reconcile free":
            return rule.reconcile(row, n, PRICE if cell.event == "reconcile charged" else 0)
        case "release":
            return rule.release(row, owner)
        case _:
            return rule.again(row, n)


def event_of(cell: Cell, owner: int, run: int) -> LedgerEvent:
    """The event of a cell as the store takes it."""
    lookup, n, judgement = cell.lookup, cell.n, JUDGEMENTS[cell.judgement]
    now = NOW if cell.event == "send early" else NOW + 20
    events: dict[str, LedgerEvent] = {
        "send": Send(lookup, n, PRICE, now, "standard", run),
        "send early": Send(lookup, n, PRICE, now, "standard", run),
        "send expired": Send(lookup, n, PRICE, now, "standard", run, expired=True),
        "receive": Receive(lookup, owner, n, cell.state.page, 200, b"{}", now),
        "judge": Judge(lookup, owner, n, judgement, now),
        "judge again": JudgeAgain(lookup, n, judgement, now),
        "lose": Lose(lookup, owner, n, now),
        "not left": NotLeft(lookup, owner, n, now),
        "decide again": Decide(lookup, n, True, now),
        "let be": Decide(lookup, n, False, now),
        "reconcile charged": Reconcile(lookup, n, PRICE, now),
        "reconcile free": Reconcile(lookup, n, 0, now),
        "again": Again(lookup, n, now),
    }
    return events[cell.event]


def write(ledger: LedgerConnection, cells: Sequence[Cell], owner: int, run: int) -> None:
    """Put the cells into the tables as they are."""

    def work(tables: SqlTables) -> None:
        specs = [
            LookupSpec(number.to_bytes(16, "big"), "person.get", b"[]", page=cell.state.page)
            for number, cell in enumerate(cells)
        ]
        writes = Writes()
        for lookup, cell in zip(tables.add(specs, NOW), cells, strict=True):
            cell.lookup = lookup.id
            lookup.state = cell.state
            writes.lookups[lookup.id] = lookup
            open_attempt = cell.state.status in ("sent", "received")
            for n in (1, 2):
                ended = None if n == 2 and open_attempt else NOW
                sender = cell.state.owner or owner
                attempt = Attempt(lookup.id, n, run, PRICE, "standard", NOW, sender, ended)
                cell.attempts[n] = attempt
                writes.new_attempts.append(replace_attempt(attempt))
            for n, page, decision in cell.state.answers:
                writes.answers.append(Receive(lookup.id, owner, n, page, 200, b"{}", NOW))
                if decision is not None:
                    writes.meanings[lookup.id, n] = decision, None
        tables.write(writes)

    ask(ledger, work, writes=True)


def replace_attempt(attempt: Attempt) -> Attempt:
    """A copy: tables must not share the objects that are compared with them."""
    a = attempt
    return Attempt(a.lookup, a.n, a.run, a.price, a.kind, a.sent, a.owner, a.ended)


def expected_totals(
    cells: Sequence[Cell], changes: Sequence[Change | None]
) -> tuple[int, int, int]:
    """By how much the events change held, spent and maybe of the run."""
    held = spent = maybe = 0
    for cell, change in zip(cells, changes, strict=True):
        if change is None:
            continue
        if cell.event.startswith("send"):
            held += PRICE
        for n, charged, _ in change.settlements:
            if cell.attempts[n].ended is None:
                held -= PRICE
            else:
                maybe -= PRICE  # none of them was charged for certain
            spent += charged or 0
            maybe += PRICE if charged is None else 0
    return held, spent, maybe


def is_left_alone(cell: Cell, owner: int) -> bool:
    """An attempt of another owner: only its own process says that it never left."""
    return cell.event == "not left" and cell.attempts[cell.n].owner != owner


def compare(
    tables: SqlTables, cells: Sequence[Cell], changes: Sequence[Change | None], now: int
) -> list[str]:
    """What differs between the tables and the rule."""
    keys = [(cell.lookup, n) for cell in cells for n in (1, 2, 3)]
    loaded = tables.load([cell.lookup for cell in cells], attempts=keys)
    differences: list[str] = []
    for cell, change in zip(cells, changes, strict=True):
        want = cell.state if change is None else change.row
        row = loaded.lookups[cell.lookup].state
        if replace(row, answers=()) != replace(want, answers=()):
            differences.append(f"{cell}: row {row}, and the rule says {want}")
        answers = {(a.n, a.page): a.meaning for a in want.answers}
        newer = {at: v for at, v in answers.items() if at[0] > want.base or v is None}
        if {(a.n, a.page): a.meaning for a in row.answers} != newer:
            differences.append(f"{cell}: answers {row.answers}, and the rule says {newer}")
        attempts: dict[int, tuple[int | None, int | None, bool]] = {
            n: (a.ended, None, False) for n, a in cell.attempts.items()
        }
        if change is not None and cell.event.startswith("send"):
            attempts[3] = None, None, False
        for n, charged, decided in change.settlements if change is not None else ():
            before = attempts[n][0]
            attempts[n] = now if before is None else before, charged, decided
        kept = {
            n: (a.ended, a.charged, a.decided)
            for n in (1, 2, 3)
            if (a := loaded.attempts.get((cell.lookup, n))) is not None
        }
        if kept != attempts:
            differences.append(f"{cell}: attempts {kept}, and the rule says {attempts}")
    return differences


EVENTS = (
    *(("send", ""), ("send early", ""), ("send expired", ""), ("receive", "")),
    *(("judge", judgement) for judgement in JUDGEMENTS),
    *(("judge again", "usable"), ("judge again", "unusable"), ("lose", ""), ("not left", "")),
    *(
        ("decide again", ""),
        ("let be", ""),
        ("reconcile charged", ""),
        ("reconcile free", ""),
        ("again", ""),
        ("release", ""),
    ),
)


OF_PAGES = (
    "send expired",
    "receive",
    "judge again",
    "again",
    "not left",
    "let be",
    "reconcile free",
)
"""Events that do something else to a listing, besides `judge`."""
PAGE_JUDGEMENTS = ("usable", "more pages", "refused", "transient", "unusable")


@pytest.mark.parametrize("event", EVENTS, ids=" ".join)
def test_every_cell_is_what_the_rule_says(open_ledger: OpenLedger, event: tuple[str, str]) -> None:
    check_cells(open_ledger(), event, page=0)


@pytest.mark.parametrize(
    "event",
    [e for e in EVENTS if e[0] in OF_PAGES or e[1] in PAGE_JUDGEMENTS],
    ids=" ".join,
)
def test_every_cell_of_a_listing_is_what_the_rule_says(
    open_ledger: OpenLedger, event: tuple[str, str]
) -> None:
    check_cells(open_ledger(), event, page=2)


def check_cells(ledger: LedgerConnection, event: tuple[str, str], page: int) -> None:
    """Compare every lookup with an event."""
    run = ask(ledger, lambda t: t.begin_run("run", "person.get", "{}", CAP, NOW), writes=True)
    mine = ledger.owner
    name, judgement = event
    owners = (0, mine) if name == "judge" else (mine,)
    for acting, about in itertools.product(owners, (2, 1)):
        cells = [Cell(state, name, judgement or "usable", about) for state in states(mine, page)]
        write_new(ledger, cells, mine, run)
        check_group(ledger, cells, acting, run)


def check_group(ledger: LedgerConnection, cells: Sequence[Cell], acting: int, run: int) -> None:
    """Run the event of cells that are in the tables, and compare."""
    mine, name = ledger.owner, cells[0].event
    before = totals_of(ledger, run)
    changes = [
        None if is_left_alone(cell, acting) else apply_rule(cell, mine, acting) for cell in cells
    ]
    now = NOW if name == "send early" else NOW + 20
    if name == "release":
        ids = [cell.lookup for cell in cells]
        doubts = ask(ledger, lambda tables: release(tables, ids, mine, now), writes=True)
        taken = [change.row.status for change in changes if change is not None]
        assert doubts == taken.count("in_doubt") > 0
    else:
        (results,) = ledger.run([EventsJob([event_of(cell, acting, run) for cell in cells])])
        applied = [one.applied for one in cast("list[EventResult]", results)]
        assert applied == [change is not None for change in changes]
    differences = ask(ledger, lambda tables: compare(tables, cells, changes, now), writes=True)
    assert not differences, "\n".join(differences[:5])
    after = totals_of(ledger, run)
    changed = tuple(b - a for a, b in zip(before, after, strict=True))
    assert changed == expected_totals(cells, changes)


def write_new(ledger: LedgerConnection, cells: Sequence[Cell], mine: int, run: int) -> None:
    """Write the cells into empty tables."""

    def clear(tables: SqlTables) -> None:
        for table in ("lookup", "attempt", "answer"):
            tables.database.change(f"DELETE FROM {table}")

    ask(ledger, clear, writes=True)
    write(ledger, cells, mine, run)


def totals_of(ledger: LedgerConnection, run: int) -> tuple[int, int, int]:
    totals = ask(ledger, lambda tables: tables.load((), runs=[run]).runs[run], writes=True)
    return totals.held, totals.spent, totals.maybe


def test_the_cells_cover_every_status_and_decision() -> None:
    every = list(states(1, 0))
    assert {state.status for state in every} == set(STATUSES)
    assert {a.meaning for state in every for a in state.answers} < {*MEANINGS, None}
    statuses: set[Status] = set(STATUSES)
    for event, judgement in EVENTS:
        if (event, judgement) == ("judge again", "unusable"):
            continue  # nothing is changed by reading it once more
        cells = [Cell(state, event, judgement or "usable", 2) for state in every]
        assert any(apply_rule(cell, 1, 1) for cell in cells), event
    assert len(every) == len(statuses) * len(OWNERS) * len(STORED) ** 2
