"""A model checker for identity: whom lookups are about, and what is bought under another id.

Every step is a transaction of a real SQLite ledger, which is set back to the state that the step
begins in: what is checked is the rule, its tables, and the order within a transaction. `check`
visits every reachable state breadth first. What holds (`Found.violation` names it):

* J1: no answer about one person is given for another. A slug is its newest answer's.
* J2: nothing is bought while it is known, or in flight, under another id of the same subject.
* J3: a request is turned away only for a lookup of the same subject that asks the same.
* J4: the tables agree: no id and no lookup leads to a subject that was merged, the strong ids of
  one that is not ambiguous are those that answers connect, and everything that `lix ledger verify` looks at is right.
* J5: whatever is not known can be bought.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, cast

from lix_async.ledger.connection import EventsJob, Job
from lix_async.ledger.identity import BELIEVED_FOR, FoundIds
from lix_async.ledger.maintenance import _disagreements
from lix_async.ledger.records import (
    CallQuery,
    EventResult,
    Judge,
    LookupSpec,
    Lose,
    Receive,
    Send,
    StoredLookup,
)
from lix_async.ledger.rule import Judgement
from lix_async.ledger.sqlite import SqliteLedgerConnection
from lix_async.ledger.tables import SqlTables
from lix_async.linkedin.subject_ids import WEAK, AliasKey

from .steps import NOW, USABLE, ask

TABLES = ("lookup", "attempt", "answer", "alias", "subject", "mention", "sqlite_sequence")
ID_KINDS = ("slug", "profile", "sales", "recruiter")


def id_of(name: str) -> AliasKey:
    """The id that a name such as `sales a` stands for."""
    kind, _, whose = name.partition(" ")
    return kind, whose.encode()


class Form(NamedTuple):
    """A way to ask about a person."""

    asks: str
    """The id, such as `sales a` of the person `a`; the slug is of who has it at the time."""
    shows: str
    """The kinds of ids in its answers."""
    variant: bytes = b""

    @property
    def asked(self) -> AliasKey:
        return id_of(self.asks)


FULL = "slug profile sales"


@dataclass(frozen=True)
class Config:
    """The forms of a configuration, and how often what else may happen in it."""

    name: str
    forms: tuple[Form, ...]
    may: str = ""
    """loss, refusal, move (the slug is `b`'s from then on), half-year, late-move (both), mixed (an
    answer shows ids of both), expiry, together (events of two lookups in one transaction)."""

    @property
    def budgets(self) -> dict[str, int]:
        words = [one.split() for one in self.may.split(", ") if one]
        return {word[-1]: int(word[0]) if word[1:] else 1 for word in words}


class Shown(NamedTuple):
    """A usable answer: by which form, about whom, with which ids, and when."""

    form: int
    person: str
    ids: frozenset[AliasKey]
    at: int
    mixed: bool = False
    """Whether it is wrong, and shows ids of both people: only other answers can tell."""


class Flight(NamedTuple):
    """A request that has left."""

    form: int
    n: int
    holder: str
    """Who had the slug then."""
    known: bool
    """Whether it was known then whom it asks about; else its answer shows that."""


class State(NamedTuple):
    """Everything, with the rows of the tables."""

    rows: tuple[tuple[tuple[object, ...], ...], ...]
    flights: frozenset[Flight] = frozenset()
    holder: str = "a"
    now: int = NOW
    shown: tuple[Shown, ...] = ()
    left: tuple[int, ...] = ()


class Found(NamedTuple):
    """What `check` found."""

    violation: str
    path: tuple[str, ...]
    states: int


class Violation(Exception):
    """An invariant does not hold."""


@dataclass
class Knowledge:
    """What answers prove, worked out from all of them at once and without the package's rule."""

    shown: Sequence[Shown]
    now: int
    groups: list[set[AliasKey]] = field(default_factory=list[set[AliasKey]])

    def __post_init__(self) -> None:
        for one in self.shown:
            strong = {key for key in one.ids if key[0] not in WEAK}
            touched = [group for group in self.groups if group & strong]
            self.groups = [group for group in self.groups if group not in touched]
            if strong:
                self.groups.append(strong.union(*touched))

    def group_of(self, key: AliasKey, *, believed: bool = True) -> set[AliasKey] | None:
        """The strong ids of whom an id is of; None where that is not known, or in conflict."""
        if key[0] in WEAK:
            newest = self.newest(key)
            if newest is None or (believed and self.now - newest.at > BELIEVED_FOR):
                return None
            key = next((one for one in newest.ids if one[0] not in WEAK), key)
        group = next((group for group in self.groups if key in group), None)
        if group is None or len({kind for kind, _ in group}) < len(group):
            return None
        return group

    def newest(self, key: AliasKey) -> Shown | None:
        return max((one for one in self.shown if key in one.ids), key=lambda x: x.at, default=None)


class Model:
    """The steps of one configuration."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.names = tuple(config.budgets)
        self.path = folder / "ledger.db"
        self.ledger = SqliteLedgerConnection(self.path)
        self.ledger.connect().connection.execute("PRAGMA synchronous = OFF")
        specs = [
            LookupSpec(bytes([place]) * 16, "person.get", b"[]", form.variant)
            for place, form in enumerate(config.forms)
        ]
        ask(self.ledger, lambda tables: tables.add(specs, NOW), writes=True)
        self.queries = [
            CallQuery(spec.key, spec.endpoint, form.asked, form.variant)
            for spec, form in zip(specs, config.forms, strict=True)
        ]
        self.other = sqlite3.connect(self.path)
        self.other.execute("PRAGMA synchronous = OFF")

    def close(self) -> None:
        self.other.close()
        self.ledger.close()

    def start(self) -> State:
        return State(self.rows(), left=tuple(self.config.budgets.values()))

    def rows(self) -> tuple[tuple[tuple[object, ...], ...], ...]:
        return tuple(
            tuple(self.other.execute(f"SELECT * FROM {table} ORDER BY 1, 2")) for table in TABLES
        )

    def set_back(self, state: State) -> None:
        """Make the tables what they are in a state."""
        with self.other:
            for table, rows in zip(TABLES, state.rows, strict=True):
                self.other.execute(f"DELETE FROM {table}")
                if rows:
                    values = ", ".join("?" * len(rows[0]))
                    self.other.executemany(f"INSERT INTO {table} VALUES ({values})", rows)

    # What is asked of the ledger

    def found(self, state: State) -> list[StoredLookup | None]:
        """What each form is given."""

        def work(tables: SqlTables) -> list[StoredLookup | None]:
            found = tables.find_calls(self.queries, state.now)
            ended = tables.ended_calls(self.queries, state.now)
            assert [one and one.lookup for one in ended] == [
                one.id if one is not None and one.has_ended else None for one in found
            ]
            return found

        return ask(self.ledger, work)

    def send(self, state: State, place: int, *, expired: bool = False) -> Send:
        n = cast("int", state.rows[0][place][8])
        query = self.queries[place]
        return Send(
            *(place + 1, n, 1, state.now),
            expired=expired,
            asked=query.asked,
            variant=query.variant,
        )

    def answered(
        self, state: State, flight: Flight, *, mixed: bool = False
    ) -> tuple[Shown, tuple[Receive, Judge]]:
        """An answer of the provider, and its events."""
        place, n, holder, _ = flight
        form = self.config.forms[place]
        kind, _, person = form.asks.partition(" ")
        person = holder if kind == "slug" else person
        ids = {id_of(f"{one} {person}") for one in form.shows.split() if one != "slug"}
        if "slug" in form.shows.split() and state.holder == person:
            ids.add(id_of("slug x"))
        if mixed:
            ids.discard(id_of(f"recruiter {person}"))
            ids.add(id_of(f"recruiter {'b' if person == 'a' else 'a'}"))
        shown = Shown(place, person, frozenset(ids), state.now, mixed)
        found = (FoundIds(tuple(sorted(ids))),)
        judge = Judge(place + 1, self.ledger.owner, n, USABLE, state.now, found=found)
        receive = Receive(place + 1, self.ledger.owner, n, 0, 200, b"{}", state.now)
        return shown, (receive, judge)

    # Steps

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Every way on from a state."""
        forms = range(len(self.config.forms))
        for place in forms:
            yield from self.sends(state, [place])
            if (less := self.less(state, "expiry")) is not None:
                yield from self.sends(less, [place], expired=True)
        if (less := self.less(state, "together")) is not None:
            for place in forms:
                for other in forms:
                    if place != other:
                        yield from self.sends(less, [place, other])
        for flight in sorted(state.flights):
            yield from self.ends(state, flight)
        if state.holder == "a" and (less := self.less(state, "move")) is not None:
            yield "the slug moves", less._replace(holder="b")
        later = state.now + BELIEVED_FOR + 1
        if (less := self.less(state, "half-year")) is not None:
            yield "half a year", less._replace(now=later)
        if not state.flights and (less := self.less(state, "late-move")) is not None:
            yield "the slug moves, half a year later", less._replace(holder="b", now=later)

    def less(self, state: State, name: str) -> State | None:
        """The state with one use of a budget less; None where there is none left."""
        if name not in self.names or not state.left[i := self.names.index(name)]:
            return None
        return state._replace(left=(*state.left[:i], state.left[i] - 1, *state.left[i + 1 :]))

    def sends(
        self, state: State, places: Sequence[int], *, expired: bool = False
    ) -> Iterator[tuple[str, State]]:
        """Announce requests, all in one transaction."""
        self.set_back(state)
        events = [self.send(state, place, expired=expired) for place in places]
        (results,) = self.ledger.run([EventsJob(events)])
        flights = state.flights
        for place, one in zip(places, cast("list[EventResult]", results), strict=True):
            self.check_send(state._replace(flights=flights), place, one, expired=expired)
            if one.applied:
                flights = flights | {self.flight(state, place, one)}
        if flights != state.flights:
            names = " and ".join(self.config.forms[place].asks for place in places)
            yield f"send {names}", state._replace(rows=self.rows(), flights=flights)

    def ends(self, state: State, flight: Flight) -> Iterator[tuple[str, State]]:
        """What may become of a request."""
        place, n, *_ = flight
        name = self.config.forms[place].asks
        after = state._replace(flights=state.flights - {flight}, now=state.now + 1)
        yield f"answer {name}", self.run(state, after, flight)
        if (less := self.less(after, "mixed")) is not None:
            yield f"mixed answer {name}", self.run(state, less, flight, mixed=True)
        if (less := self.less(after, "together")) is not None:
            for other in range(len(self.config.forms)):
                # Asked for in the same group, and before the answer: judged first all the same.
                then = self.run(state, less, flight, also=other)
                if then.flights != less.flights:
                    yield f"answer {name}, send another", then
        if (less := self.less(after, "loss")) is not None:
            self.set_back(state)
            lose = Lose(place + 1, self.ledger.owner, n, state.now)
            self.ledger.run([EventsJob([lose])])
            yield f"lose {name}", less._replace(rows=self.rows())
        if (less := self.less(after, "refusal")) is not None:
            self.set_back(state)
            receive, _ = self.answered(state, flight)[1]
            judge = Judge(*(place + 1, self.ledger.owner, n, Judgement("refused", 0), state.now))
            self.ledger.run([EventsJob([receive, judge])])
            yield f"refuse {name}", less._replace(rows=self.rows())

    def run(
        self,
        before: State,
        after: State,
        flight: Flight,
        *,
        mixed: bool = False,
        also: int | None = None,
    ) -> State:
        """Store and judge an answer; perhaps another request is announced together with it."""
        self.set_back(before)
        shown, events = self.answered(before, flight, mixed=mixed)
        jobs: list[Job] = [EventsJob(events)]
        if also is not None:
            jobs.insert(0, EventsJob([self.send(before, also)]))
        results = self.ledger.run(jobs)
        after = after._replace(shown=(*before.shown, shown))
        if also is not None:
            (one,) = cast("list[EventResult]", results[0])
            self.check_send(after._replace(rows=self.rows()), also, one)
            if one.applied:
                flights = after.flights | {self.flight(after, also, one)}
                after = after._replace(flights=flights)
        return after._replace(rows=self.rows())

    # Checks

    def status(self, state: State, place: int) -> int:
        return cast("int", state.rows[0][place][6])

    def changed(self, state: State, place: int) -> int:
        return cast("int", state.rows[0][place][16])

    def same(self, state: State, place: int) -> dict[int, bool]:
        """The other forms that are known to be of the same person and ask the same.

        By form, whether it is so by the id alone; else it is so by an answer to that form.
        """
        forms, known = self.config.forms, Knowledge(state.shown, state.now)
        group = known.group_of(forms[place].asked)
        if group is None:
            return {}
        found: dict[int, bool] = {}
        for other, form in enumerate(forms):
            if other == place or form.variant != forms[place].variant:
                continue
            answers = [one for one in state.shown if one.form == other]
            if known.group_of(form.asked) == group:
                found[other] = True
            elif answers and answers[-1].ids & group:
                found[other] = False
        return found

    def check_send(
        self, state: State, place: int, result: EventResult, *, expired: bool = False
    ) -> None:
        """Whether a request was rightly announced, or rightly turned away."""
        same, name = self.same(state, place), self.config.forms[place].asks
        if result.elsewhere:
            other = result.elsewhere - 1
            if other not in same:
                raise Violation(f"J3: {name} was turned away for somebody else's lookup")
            if self.status(state, other) != 4 and not _in_flight(state, other):
                raise Violation(f"J3: {name} was turned away for what is not known")
            old = self.status(state, place) == 4 and not _in_flight(state, other)
            if old and self.changed(state, other) <= self.changed(state, place):
                raise Violation(f"J3: {name} was turned away for an older answer")
            return
        if not result.applied:
            return
        for other, by_id in same.items():
            answers = [one for one in state.shown if one.form == other]
            about = not answers or bool(answers[-1].ids & self.group(state, place))
            if by_id and any(one.form == other and one.known for one in state.flights):
                raise Violation(f"J2: {name} is in flight under another id")
            if self.status(state, other) == 4 and about and not (expired and answers):
                raise Violation(f"J2: {name} is known under another id")

    def group(self, state: State, place: int) -> set[AliasKey]:
        known = Knowledge(state.shown, state.now)
        return known.group_of(self.config.forms[place].asked) or set()

    def flight(self, state: State, place: int, sent: EventResult) -> Flight:
        """A request that was announced in a state."""
        return Flight(place, sent.state.n, state.holder, bool(self.group(state, place)))

    def check_state(self, state: State) -> None:
        self.set_back(state)
        known = Knowledge(state.shown, state.now)
        for place, one in enumerate(self.found(state)):
            form = self.config.forms[place]
            if one is not None and one.state.status == "done" and not one.moved:
                self.check_given(state, known, place, one)
            elif not state.flights and (one is None or one.state.status == "pending"):
                (results,) = self.ledger.run([EventsJob([self.send(state, place)])])
                if not cast("list[EventResult]", results)[0].applied:
                    raise Violation(f"J5: {form.asks} is not known, and cannot be bought")
                self.set_back(state)
        self.check_tables(known)

    def check_given(self, state: State, known: Knowledge, place: int, one: StoredLookup) -> None:
        """Whether the answer that a form is given is about whom it asks for."""
        form, other = self.config.forms[place], one.id - 1
        answer = [shown for shown in state.shown if shown.form == other][-1]
        _, _, person = form.asks.partition(" ")
        if form.asked[0] in WEAK:
            newest = known.newest(form.asked)
            person = answer.person if newest is None else newest.person
        if answer.person != person and not any(shown.mixed for shown in state.shown):
            raise Violation(f"J1: {form.asks} is given an answer about {answer.person}")
        if self.config.forms[other].variant != form.variant:
            raise Violation(f"J1: {form.asks} is given an answer to something else")
        if other != place and known.group_of(form.asked) is None:
            raise Violation(f"J1: {form.asks} is given another's answer, and is ambiguous or old")

    def check_tables(self, known: Knowledge) -> None:
        if wrong := wrong_identities(self.other, known):
            raise Violation(f"J4: {wrong}")
        found = ask(self.ledger, lambda tables: list(_disagreements(tables.database)))
        if found:
            raise Violation(f"J4: {found[0]}")


def wrong_identities(database: sqlite3.Connection, known: Knowledge) -> str:
    """What in the tables is not as the answers prove; empty where all is."""
    for table in ("alias", "lookup"):
        query = f"SELECT 1 FROM {table} x JOIN subject s ON s.id = x.subject"
        if database.execute(f"{query} WHERE s.merged_into IS NOT NULL").fetchall():
            return f"{table} leads to a subject that was merged"
    ids: dict[int, set[AliasKey]] = {}
    for subject, kind, ident in database.execute(
        "SELECT a.subject, a.kind, a.id FROM alias a JOIN subject s ON s.id = a.subject "
        "WHERE s.ambiguous = 0"
    ):
        if kind not in WEAK:
            ids.setdefault(subject, set()).add((kind, ident))
    clear = [group for group in known.groups if len(dict(group)) == len(group)]
    wrong = any(group not in clear for group in ids.values())
    return "the ids of a subject are not those that answers connect" if wrong else ""


def _in_flight(state: State, place: int) -> bool:
    return any(flight.form == place for flight in state.flights)


def check(config: Config, folder: Path, limit: int = 200_000) -> Found:
    """Visit every state of a configuration, or as many as lead to the first violation."""
    with closing(Model(config, folder)) as model:
        first = model.start()
        parents: dict[State, tuple[State | None, str]] = {first: (None, "")}
        queue = deque([first])
        state = first
        try:
            while queue and len(parents) < limit:
                state = queue.popleft()
                model.check_state(state)
                for label, following in model.steps(state):
                    if following not in parents:
                        parents[following] = state, label
                        queue.append(following)
        except Violation as violation:
            path: list[str] = []
            at: State | None = state
            while at is not None:
                at, label = parents[at]
                path.insert(0, label)
            return Found(str(violation), tuple(path[1:]), len(parents))
        return Found("too many states" if queue else "", (), len(parents))
