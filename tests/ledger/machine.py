"""Random histories of one SQLite ledger that three connections share.

The machine uses real connections and real files, and does to them what happens: processes are
killed, sleep until they are declared dead, or give up; lock files are removed, directories are
changed, the wall clock jumps; a commit takes place and its acknowledgement is lost. A provider
that counts its charges, and marks of what is known about every attempt, say what must hold. Answers
to two of the lookups show ids of people, in conflict now and then: what they prove together says
which requests are needless, whose the ids in the tables are, and which answers are versions of one
person.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Container, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lix_async.core.errors import BulkError
from lix_async.ledger.aliases import load_aliases
from lix_async.ledger.connection import Announced, AnnounceJob, EventsJob, Job, StatementJob
from lix_async.ledger.erased_rows import Erased, erase_subjects
from lix_async.ledger.forgetting import _purge, _purge_aliases
from lix_async.ledger.history import changes_of
from lix_async.ledger.identity import FoundIds
from lix_async.ledger.maintenance import _disagreements
from lix_async.ledger.records import (
    Again,
    AnswerRow,
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
    StoredBody,
    StoredLookup,
    StoredVersion,
)
from lix_async.ledger.rule import Judgement
from lix_async.ledger.sqlite import SqliteDatabase, SqliteLedgerConnection
from lix_async.ledger.suppression import OF_LOOKUP, SuppressedId
from lix_async.ledger.tables import SqlTables
from lix_async.linkedin.subject_ids import WEAK, AliasKey
from lix_async.providers.lix.endpoints.profiles import PERSON

from .identity_model import Knowledge, Shown, id_of, wrong_identities
from .model import CHARGED, FREE, Purchase, _anew, _decided, _reconciled, _stored

T = TypeVar("T")
SLOTS = 3
DAY = 86_400_000
PAGES = 2
KEYS = {b"a" * 16: (0, 1), b"b" * 16: (0, 3), b"c" * 16: (1, 1), b"d" * 16: (1, 2)}
"""The lookups: the first page (0 for a single answer) and the price."""
ASKED = {b"a" * 16: id_of("sales a"), b"b" * 16: id_of("profile a")}
"""The ids that lookups ask about."""
SHOWN = (
    ("sales a", "profile a", "slug x"),
    ("sales a", "recruiter a"),
    ("profile a", "recruiter a"),
    ("profile a", "slug x"),
    ("sales b", "profile b", "slug x"),
    ("sales a", "profile b"),
    ("slug x",),
    (),
)
"""What their answers show."""
PLACES = ("Bath", "Bath", "Leeds")
"""What they say besides, one after the other."""
FATES = ("usable", "usable", "usable", "unusable", "refused", "transient", "queued", "lost, charged", "lost, free", "gateway, charged", "unknown, free")  # fmt: skip
slots = st.integers(0, SLOTS - 1)
keys = st.sampled_from(sorted(KEYS))
chosen = st.integers(0, 9)


class UnconfirmedError(BulkError):
    """A commit whose acknowledgement did not come."""


class Connection(SqliteLedgerConnection):
    """A connection whose clocks and commits the machine controls."""

    def __init__(self, path: Path, machine: LedgerMachine) -> None:
        super().__init__(path)
        self._machine = machine
        self._monotonic = lambda: machine.monotonic
        self.failing: Literal["", "before", "after"] = ""
        """Where the next commits fail."""

    def wall(self) -> int:
        return self._machine.wall

    def connect(self) -> SqliteDatabase:
        new = self._database is None
        database = super().connect()
        if new:  # what is at stake is the order of commits, not the disk
            database.connection.execute("PRAGMA synchronous = OFF")
        return database

    def commit(self) -> None:
        failing, self.failing = self.failing, ""
        if failing == "before":
            raise UnconfirmedError("no acknowledgement")
        super().commit()
        if failing:
            raise UnconfirmedError("no acknowledgement")

    def repeat(self, jobs: Sequence[Job]) -> list[object]:
        """The same transaction once more, as a connection to a server does by itself."""
        return self._transaction(jobs)

    def kill(self) -> None:
        """End it as the system ends a process: the lock file stays, and is not locked."""
        if self._database is not None:
            self._database.connection.close()
            self._database = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


@dataclass
class Flight:
    """A request of one opening of the ledger."""

    slot: int
    key: bytes
    lookup: int
    owner: int
    n: int
    page: int
    at: Literal["announced", "left", "received"] = "announced"


def release_dead(connection: Connection) -> Job:
    def work(tables: SqlTables) -> object:
        return connection.release_dead(tables)

    return StatementJob(work)


def beat(connection: Connection) -> Job:
    def work(tables: SqlTables) -> object:
        tables.beat(connection.owner)
        return None

    return StatementJob(work)


class LedgerMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        self._directory = Path.cwd()
        self.monotonic, self.wall = 1000.0, 1_700_000_000_000
        self.connections: dict[int, Connection] = {}
        self.flights: list[Flight] = []
        self.purchases: dict[bytes, list[Purchase]] = {key: [] for key in KEYS}
        self.bodies: set[tuple[bytes, int]] = set()
        self.charged = 0
        self.cap: int | None = None
        self.run_id = 0
        self.names: list[bytes] = []
        self.shows: dict[tuple[bytes, int], tuple[str, ...]] = {}
        """What answers show, by lookup and attempt."""
        self.learned: dict[tuple[bytes, int], Shown] = {}
        """Those of them that have been judged."""
        self.forgotten: set[AliasKey] = set()
        """The ids of a person who was forgotten."""
        self.past: list[Shown] = []
        """What purged answers have shown."""

    @initialize(
        cap=st.sampled_from([None, None, 5, 12]),
        names=st.sets(keys, min_size=1) | st.just({*ASKED}),
    )
    def begin(self, cap: int | None, names: set[bytes]) -> None:
        """A run. Where all that happens concerns few lookups, more happens to each."""
        self.cap = cap
        self.names = sorted(names)
        specs = [LookupSpec(key, "person.get", b"[]", page=page) for key, (page, _) in KEYS.items()]

        def work(tables: SqlTables) -> int:
            tables.add(specs, self.wall)
            return tables.begin_run("run", "person.get", "{}", cap, self.wall)

        self.run_id = self.ask(0, work)

    def teardown(self) -> None:
        try:
            if self.run_id:
                self.finish()
        finally:
            os.chdir(self._directory)
            for connection in self.connections.values():
                connection.close()
            self._temporary.cleanup()

    # The ledger

    def connection(self, slot: int) -> Connection:
        if slot not in self.connections:
            before = Path.cwd()
            os.chdir(self.folder)
            self.connections[slot] = Connection(Path("ledger.db"), self)
            os.chdir(before)
        return self.connections[slot]

    def jobs(self, slot: int, jobs: Sequence[Job]) -> list[object]:
        connection = self.connection(slot)
        connection.connect()  # an opening that fails is no commit of a group
        try:
            return connection.run(jobs)
        except UnconfirmedError:
            if self.sleeps_meanwhile:
                self.declare_dead(slot)
            return connection.repeat(jobs)

    sleeps_meanwhile = False

    def ask(self, slot: int, work: Callable[[SqlTables], T], *, writes: bool = True) -> T:
        (value,) = self.jobs(slot, [StatementJob(work, writes)])
        return cast("T", value)

    def apply(self, slot: int, *events: LedgerEvent) -> list[EventResult]:
        (results,) = self.jobs(slot, [EventsJob(events)])
        return cast("list[EventResult]", results)

    def lookup(self, slot: int, key: bytes) -> StoredLookup:
        """A lookup as it is now: not as it was before a commit had to be repeated."""
        connection = self.connection(slot)
        failing, connection.failing = connection.failing, ""
        found = self.ask(slot, lambda tables: tables.find([key]), writes=False)[key]
        connection.failing = failing
        return found

    def mark(self, key: bytes, n: int, one: Purchase) -> None:
        self.purchases[key][n - 1] = one

    # Requests

    @rule(slot=slots, which=chosen, old=st.booleans(), late=chosen)
    def announce(self, slot: int, which: int, old: bool, late: int) -> None:
        """Announce a request; now and then from a state that is no more."""
        self.send(slot, self.names[which % len(self.names)], old=old, behind=late == 0)

    announce_another = announce

    @precondition(lambda self: self.slow())
    @rule(slot=slots, which=chosen)
    def overtake(self, slot: int, which: int) -> None:
        """Give up a request that is slow, and send another one: both may be answered."""
        slow = self.slow()
        flight = slow[which % len(slow)]
        slot = (slot + 1) % SLOTS if slot == flight.slot else slot
        self.declare_dead(flight.slot)
        self.decide(slot, flight.key, True)
        self.send(slot, flight.key)

    def slow(self) -> list[Flight]:
        return [flight for flight in self.flights if flight.at == "left"]

    def send(self, slot: int, key: bytes, *, old: bool = False, behind: bool = False) -> None:
        lookup = self.lookup(slot, key)
        n = max(lookup.state.n - behind, 0)
        known = len(self.purchases[key])
        price = KEYS[key][1]
        event = Send(
            *(lookup.id, n, price, self.wall, "standard", self.run_id),
            expired=old,
            asked=ASKED.get(key),
        )
        (result,) = self.apply(slot, event)
        if result.elsewhere:
            other = self.ask(slot, lambda tables: tables.by_id([result.elsewhere]), writes=False)
            assert self.is_same(key, other[result.elsewhere].key), "turned away for another person"
        if not result.applied:
            # Announced in a commit that was not acknowledged, and taken back as its owner is dead.
            for _ in range(self.lookup(slot, key).state.n - known):
                self.purchases[key].append(Purchase(lookup.state.page, mark="free"))
            return
        assert n == known
        assert old or key not in ASKED or not self.is_known_elsewhere(slot, key)
        assert lookup.state.status != "queued" or (lookup.state.due or 0) <= self.wall
        if lookup.state.status == "done":
            assert old
            self.purchases[key] = [one._replace(mark="past") for one in self.purchases[key]]
        elif lookup.state.status == "refused":
            assert old
            self.purchases[key] = _anew(self.purchases[key])
        for one in self.purchases[key]:
            assert one.mark not in ("open", "paid", "stored"), f"paid twice: {self.purchases[key]}"
        assert self.cap is None or self.charged + self.reserved() + price <= self.cap
        self.purchases[key].append(Purchase(result.state.page))
        state = result.state
        self.flights.append(Flight(slot, key, lookup.id, result.owner, state.n, state.page))

    def is_same(self, key: bytes, other: bytes) -> bool:
        """Whether answers prove that two lookups are about one person, who is not in conflict."""
        known = Knowledge([*self.learned.values()], 0)
        group = known.group_of(ASKED[key])
        answers = [
            shown
            for (of, _), shown in sorted(self.learned.items())
            if of == other and any(kind not in WEAK for kind, _ in shown.ids)
        ]
        shown = bool(answers and group is not None and answers[-1].ids & group)
        return group is not None and (shown or known.group_of(ASKED[other]) == group)

    def is_known_elsewhere(self, slot: int, key: bytes) -> bool:
        """Whether the answer that another lookup has is about the same person."""
        group = Knowledge([*self.learned.values()], 0).group_of(ASKED[key])
        for other in ASKED.keys() - {key}:
            if not self.ask(slot, _found(other), writes=False):
                continue  # forgotten
            state = self.lookup(slot, other).state
            shown = self.learned.get((other, state.cur))
            if state.status == "done" and shown and group is not None and shown.ids & group:
                return True
        return False

    def reserved(self) -> int:
        """Credits of requests in flight: each may still be charged."""
        return sum(KEYS[one.key][1] for one in self.flights if one.at == "announced")

    @precondition(lambda self: self.flights)
    @rule(
        which=chosen,
        fate=st.sampled_from(FATES),
        shows=st.sampled_from(SHOWN),
        together=st.booleans(),
        gives_up=chosen,
    )
    def go_on(
        self, which: int, fate: str, shows: tuple[str, ...], together: bool, gives_up: int
    ) -> None:
        """The next step of a request."""
        flight = self.flights[which % len(self.flights)]
        one = self.purchases[flight.key][flight.n - 1]
        if flight.at == "announced":
            if gives_up == 0:
                self.never_leaves(flight)
                return
            flight.at = "left"
            if fate == "usable" and flight.key in ASKED:
                theirs = self.forgotten & {*map(id_of, shows)}
                self.shows[flight.key, flight.n] = () if theirs else shows
            self.mark(flight.key, flight.n, one._replace(fate=fate))
            if fate in ("usable", "unusable") or fate.endswith("charged"):
                self.charged += KEYS[flight.key][1]
        elif flight.at == "left" and (one.fate.startswith("lost") or gives_up == 0):
            self.flights.remove(flight)
            self.apply(flight.slot, Lose(flight.lookup, flight.owner, flight.n, self.wall))
        elif flight.at == "left":
            body = b'{"location": "%s"}' % PLACES[flight.n % len(PLACES)].encode()
            receive = Receive(
                flight.lookup, flight.owner, flight.n, flight.page, 200, body, self.wall
            )
            self.mark(flight.key, flight.n, _stored(one))
            self.bodies.add((flight.key, flight.n))
            if together:
                self.flights.remove(flight)
                self.judge(flight.slot, flight.key, flight.lookup, flight.owner, flight.n, receive)
            else:
                flight.at = "received"
                self.apply(flight.slot, receive)
        elif gives_up == 0:
            self.flights.remove(flight)
            self.apply(flight.slot, Lose(flight.lookup, flight.owner, flight.n, self.wall))
        else:
            self.flights.remove(flight)
            self.judge(flight.slot, flight.key, flight.lookup, flight.owner, flight.n)

    go_on_with_one = go_on_with_another = go_on

    @precondition(lambda self: not ASKED.keys().isdisjoint(self.names))
    @rule(slot=slots, which=chosen, shows=st.sampled_from(SHOWN), old=st.booleans())
    def look_up_somebody(self, slot: int, which: int, shows: tuple[str, ...], old: bool) -> None:
        """A whole lookup about a person, if it is not known."""
        keys = sorted(ASKED.keys() & set(self.names))
        flights = len(self.flights)
        self.send(slot, keys[which % len(keys)], old=old)
        for _ in range(2 if len(self.flights) > flights else 0):
            self.go_on(flights, "usable", shows, together=True, gives_up=1)

    look_up_another = look_up_somebody

    def never_leaves(self, flight: Flight) -> None:
        self.flights.remove(flight)
        one = self.purchases[flight.key][flight.n - 1]
        self.mark(flight.key, flight.n, one._replace(mark="free"))
        event = NotLeft(flight.lookup, flight.owner, flight.n, self.wall)
        (result,) = self.apply(flight.slot, event)
        assert (result.state.status, result.state.n) != ("sent", flight.n)

    def judge(
        self, slot: int, key: bytes, lookup: int, owner: int, n: int, *before: LedgerEvent
    ) -> EventResult:
        one = self.purchases[key][n - 1]
        ids = tuple(map(id_of, sorted(self.shows.get((key, n), ()))))
        judge = Judge(
            *(lookup, owner, n, self.judgement(key, one), self.wall),
            position=b"1",
            pause=9,
            found=(FoundIds(ids),) if (key, n) in self.shows else (),
        )
        page = self.lookup(slot, key).state.page
        *_, result = self.apply(slot, *before, judge)
        if one.fate.startswith("gateway") and result.applied:  # the policy repeats reads
            self.mark(key, n, _decided(one))
        self.pass_page(key, page, result.state.page)
        return result

    def pass_page(self, key: bytes, before: int, after: int) -> None:
        if after > before:
            self.purchases[key] = [
                one._replace(mark="past") if one.page < after and one.mark != "free" else one
                for one in self.purchases[key]
            ]

    def judgement(self, key: bytes, one: Purchase) -> Judgement:
        price, fate = KEYS[key][1], one.fate.partition(",")[0]
        if fate == "usable":
            following = one.page + 1 if 0 < one.page < PAGES else None
            return Judgement("usable", price, next_page=following)
        if fate == "unusable":
            return Judgement("unusable", price)
        if fate == "gateway":
            return Judgement("transient", None)
        if fate == "unknown":
            return Judgement("unknown", None)
        due = self.wall + 60_000 if fate == "queued" else None
        return Judgement(fate, 0, due=due)  # type: ignore[arg-type]  # one of these meanings

    @rule(slot=slots)
    def judge_what_was_left(self, slot: int) -> None:
        self.judge_left(slot)

    def judge_left(self, slot: int) -> bool:
        """Judge every answer that waits for it; whether there was one."""
        any_left = False
        for key in self.names:
            lookup = self.lookup(slot, key)
            for answer in self.ask(slot, _unjudged(lookup.id)):
                self.judge(slot, key, lookup.id, 0, answer.n)
                any_left = True
        return any_left

    # People

    @rule(slot=slots, which=chosen, what=chosen)
    def a_person_decides(self, slot: int, which: int, what: int) -> None:
        key = self.names[which % len(self.names)]
        if what < 8:
            self.decide(slot, key, what > 2)
        elif what == 8:
            self.buy_anew(slot, key)
        else:
            self.read_with_a_newer_version(slot, key)

    def decide(self, slot: int, key: bytes, again: bool) -> None:
        lookup = self.lookup(slot, key)
        (result,) = self.apply(slot, Decide(lookup.id, lookup.state.n, again, self.wall))
        # It may have come to be in doubt while the commit was repeated.
        assert result.applied or lookup.state.status != "in_doubt"
        if result.applied and again:
            self.purchases[key] = [_decided(one) for one in self.purchases[key]]

    @rule(slot=slots, which=chosen)
    def the_balances_are_read(self, slot: int, which: int) -> None:
        """They show what each attempt has cost that ended without knowing."""
        key = self.names[which % len(self.names)]
        lookup = self.lookup(slot, key)
        for n, one in enumerate(self.purchases[key], 1):
            if one.fate:
                charged = KEYS[key][1] if one.fate in {"usable", *CHARGED} else 0
                (result,) = self.apply(slot, Reconcile(lookup.id, n, charged, self.wall))
                if result.applied:
                    self.mark(key, n, _reconciled(one, charged))

    def buy_anew(self, slot: int, key: bytes) -> None:
        lookup = self.lookup(slot, key)
        (result,) = self.apply(slot, Again(lookup.id, lookup.state.n, self.wall))
        if result.applied:
            self.purchases[key] = _anew(self.purchases[key])

    def read_with_a_newer_version(self, slot: int, key: bytes) -> None:
        lookup = self.lookup(slot, key)
        n = lookup.state.cur
        if lookup.state.status != "kept" or (key, n) not in self.bodies:
            return  # or kept because the balances show that it was charged
        one = self.purchases[key][n - 1]._replace(fate="usable")
        self.mark(key, n, one)
        event = JudgeAgain(lookup.id, n, self.judgement(key, one), self.wall, position=b"1")
        (result,) = self.apply(slot, event)
        assert result.applied
        self.pass_page(key, lookup.state.page, result.state.page)

    @precondition(lambda self: len(self.names) > 1)
    @rule(slot=slots, which=st.integers(0, 39))
    def forget(self, slot: int, which: int) -> None:
        """Forget somebody: what was paid stays, and facts that come later change nothing."""
        if which >= len(self.names):  # not often: the history goes on without it
            return
        key = self.names[which]
        lookup = self.lookup(slot, key)
        if any(flight.key == key for flight in self.flights) or lookup.state.owner:
            return
        self.names.remove(key)
        self.bodies = {body for body in self.bodies if body[0] != key}
        ids: list[SuppressedId] = [(OF_LOOKUP, key)]
        wall, owner, n = self.wall, self.connection(slot).owner, lookup.state.n

        def work(tables: SqlTables) -> None:
            erase_subjects(tables.database, tables.suppression, ids, wall, Erased())

        self.ask(slot, work)
        assert self.ask(slot, lambda tables: tables.find([key]), writes=False) == {}
        results = self.apply(
            slot,
            Send(lookup.id, n, 1, wall, "standard", self.run_id),
            Receive(lookup.id, owner, n, 0, 200, b"{}", wall),
            NotLeft(lookup.id, owner, n, wall),
            Lose(lookup.id, owner, n, wall),
            Decide(lookup.id, n, True, wall),
        )
        assert not any(result.applied for result in results)
        spec = LookupSpec(key, "person.get", b"[]")
        for one in range(SLOTS):
            announced = AnnounceJob(spec, Send(0, 0, 1, wall, "standard", self.run_id))
            (found,) = self.jobs(one, [announced])
            result, made = cast("Announced", found)
            assert (result.applied, result.suppressed, made) == (False, True, None)

    @precondition(lambda self: self.learned and not self.forgotten and self.is_quiet(ASKED))
    @rule(slot=slots, which=chosen)
    def forget_a_person(self, slot: int, which: int) -> None:
        """Forget whoever has an id: all answers about them go, and none about anybody else."""
        known = Knowledge([*self.learned.values()], 0)
        strong = sorted(one for group in known.groups for one in group)
        ids = [one for one in strong if known.group_of(one) is not None]
        if which >= len(ids):  # not often: the history goes on without them
            return
        before = self.stored(slot)
        given, wall, erased = ids[which], self.wall, Erased()
        group = known.group_of(given) or set()

        def work(tables: SqlTables) -> list[bytes]:
            db = tables.database
            erased.subjects.update(one.subject for one in load_aliases(db, [given]).values())
            erase_subjects(db, tables.suppression, [given], wall, erased)
            return [key for key in KEYS if key not in tables.find([*KEYS])]

        if not self.connection(slot).failing:
            gone = self.ask(slot, work)
            self.forgotten = group | erased.aliases
            left = self.stored(slot)
            kinds = {kind for kind, _ in group}
            for place in before:
                shown = self.learned.get(place)
                ids = [] if shown is None else [one for one in shown.ids if one[0] not in WEAK]
                about = known.group_of(ids[0]) if ids else None
                if about == group:
                    assert place not in left, "an answer about them is still there"
                elif about is not None and kinds & {kind for kind, _ in about}:
                    assert place in left, "an answer about somebody else is gone"
            self.bodies &= left
            self.learned = {place: one for place, one in self.learned.items() if place in left}
            lookups = {key for key in ASKED if key in self.names and erased.keys & {key}}
            left_names = [key for key in self.names if key not in lookups and key not in gone]
            self.names = left_names or sorted(KEYS.keys() - ASKED.keys())
            found = self.ask(slot, lambda tables: tables.suppressed(sorted(group)))
            assert found == group, "they may be asked for again"

    @precondition(lambda self: not self.forgotten and self.is_quiet(KEYS))
    @rule(slot=slots, which=chosen)
    def purge(self, slot: int, which: int) -> None:
        """Purge what is old: the newest answer of a lookup says whether the lookup goes."""
        known = Knowledge([*self.learned.values()], 0)
        clear = all(len(dict(group)) == len(group) for group in known.groups)
        if not clear or which > 3:
            return
        before, now = self.wall + (0, 0, -DAY, 1)[which], self.wall
        rows = self.ask(slot, _ages, writes=False)
        seen = self.ask(slot, _seen, writes=False)

        def work(tables: SqlTables) -> None:
            _purge(tables.database, 0, before, now)
            _purge_aliases(tables.database, before)

        self.ask(slot, work)
        left = self.stored(slot)
        newest = {
            key: max(one.at for one in rows if one.key == key) for key in {x.key for x in rows}
        }
        gone = [key for key in self.names if key in newest and newest[key] < before]
        for one in rows:
            old = one.at < before and (one.key in gone or not one.stands)
            assert ((one.key, one.n) in left) is not (old and one.key in self.names), (
                "purged wrongly"
            )
        there = self.ask(slot, lambda tables: tables.find([*KEYS]), writes=False)
        self.bodies &= left
        self.keep_learned(left, {ident for ident, at in seen if at >= before})
        again = [key for key in self.names if key not in there]
        self.purchases.update((key, []) for key in again)
        specs = [LookupSpec(key, "person.get", b"[]", page=KEYS[key][0]) for key in again]
        self.ask(slot, lambda tables: tables.add(specs, now))

    def keep_learned(self, left: set[tuple[bytes, int]], young: set[AliasKey]) -> None:
        """What stays known after a purge: of people about whom nothing is left, what is young."""
        kept = {place: one for place, one in self.learned.items() if place in left}
        groups = Knowledge([*self.learned.values()], 0).groups
        held = [group for group in groups if any(group & one.ids for one in kept.values())]
        for place, one in self.learned.items():
            if place not in left:
                ids: Set[AliasKey] = one.ids
                if not any(group & ids for group in held):
                    ids = young & ids.union(*(group for group in groups if group & ids))
                kept[b"purged", len(self.past)] = one._replace(ids=frozenset(ids))
                self.past.append(one)
        self.learned = kept

    def is_quiet(self, keys: Container[bytes]) -> bool:
        """Whether of some lookups none is in flight, and no answer waits to be judged."""
        failing = any(one.failing for one in self.connections.values())
        if failing or not self.run_id or any(flight.key in keys for flight in self.flights):
            return False
        return not any(key in keys for key in self.ask(0, _open, writes=False))

    def stored(self, slot: int) -> set[tuple[bytes, int]]:
        """The answers that are there."""
        return {(one.key, one.n) for one in self.ask(slot, _ages, writes=False)}

    @rule(slot=slots, days=st.integers(0, 2))
    def somebody_reads_what_changed(self, slot: int, days: int) -> None:
        """Compare versions, changes and histories with a plain look at all answers."""
        since = self.wall - days * DAY

        def read(tables: SqlTables) -> tuple[list[StoredVersion], dict[int, StoredBody]]:
            found = tables.versions(0, since, [PERSON.id], None, 1000)
            return found, tables.version_bodies([i for x in found for i in (x.id, *x.before)])

        found, bodies = self.ask(slot, read, writes=False)
        versions = self.ask(slot, _versions, writes=False)
        self.check_whose(versions)
        changes = [
            (one.before, one.after, round(one.at_before.timestamp() * 1000))
            for version in found
            for one in changes_of(version, bodies, PERSON)
        ]
        assert changes == [
            (PLACES[before.n % 3], PLACES[one.n % 3], before.at)
            for one in versions
            if one.at >= since
            and (before := _before(one, versions)) is not None
            and PLACES[before.n % 3] != PLACES[one.n % 3]
        ]
        for subject in {one.subject for one in versions} - {None}:
            about = self.ask(slot, lambda tables, one=subject: tables.named_by_lookups([], [one]))  # type: ignore[misc]  # bound at once
            theirs = self.ask(slot, lambda tables, about=about: tables.usable(about, 0, 1000))  # type: ignore[misc]  # bound at once
            assert {(key, row.n) for key, _, row in theirs if not row.page} == {
                (one.key, one.n) for one in versions if one.subject == subject
            }

    def check_whose(self, versions: list[StoredAnswer]) -> None:
        """Answers are about one subject where their strong ids are connected, and only there."""
        known = Knowledge([*self.learned.values()], 0)
        whose: dict[frozenset[AliasKey], int | None] = {}
        for one in versions:
            shown = self.learned.get((one.key, one.n))
            strong = [ident for ident in shown.ids if ident[0] not in WEAK] if shown else []
            group = known.group_of(strong[0]) if strong else None
            if group is not None:
                assert whose.setdefault(frozenset(group), one.subject) == one.subject != None  # noqa: E711
        assert len(set(whose.values())) == len(whose), "two people are one"

    # Errors

    @rule(slot=slots, orderly=st.booleans())
    def end(self, slot: int, orderly: bool) -> None:
        if slot in self.connections:
            connection = self.connections.pop(slot)
            connection.close() if orderly else connection.kill()
            self.flights = [flight for flight in self.flights if flight.slot != slot]

    @rule(slot=slots)
    def release(self, slot: int) -> None:
        self.jobs(slot, [release_dead(self.connection(slot))])

    @rule(slot=slots)
    def stall(self, slot: int) -> None:
        """A connection is declared dead although it lives."""
        if slot in self.connections:
            self.declare_dead(slot)

    def declare_dead(self, slot: int) -> None:
        other = self.connection((slot + 1) % SLOTS)
        connected = [one for i, one in self.connections.items() if i != slot]
        for one in connected:
            one.failing = ""
        other.run([release_dead(other)])
        self.monotonic += other.grace + 1
        for one in connected:
            one.run([beat(one)])
        other.run([release_dead(other)])

    @rule(slot=slots, where=st.sampled_from(["before", "after"]), sleeps=st.booleans())
    def let_the_next_commit_fail(
        self, slot: int, where: Literal["before", "after"], sleeps: bool
    ) -> None:
        self.connection(slot).connect()
        self.connection(slot).failing = where
        self.sleeps_meanwhile = sleeps

    @rule(what=st.sampled_from(["locks", "directory", "clock"]), days=st.sampled_from([-1, 1]))
    def change_the_surroundings(self, what: str, days: int) -> None:
        if what == "locks":
            for path in self.folder.glob("*-owner-*"):
                path.unlink()
        elif what == "directory":
            os.chdir(self.folder if days > 0 else self.folder.parent)
        else:
            self.wall += days * DAY

    # What must hold

    @invariant()
    def the_cap_holds(self) -> None:
        assert self.cap is None or self.charged <= self.cap

    @invariant()
    def the_ledger_agrees(self) -> None:
        if self.run_id:
            database = sqlite3.connect(self.folder / "ledger.db")
            try:
                self.check(database)
            finally:
                database.close()

    def check(self, database: sqlite3.Connection) -> None:
        """Compare the tables with what is known of every attempt."""
        names = sorted(KEYS)
        stands: dict[tuple[bytes, int], tuple[int, int]] = {}
        dead = {no for (no,) in database.execute("SELECT no FROM owner WHERE dead = 1")}
        attempts = (
            "SELECT l.key, a.price, a.ended, a.charged, a.n FROM attempt a "
            "LEFT JOIN lookup l ON l.id = a.lookup"
        )
        found = database.execute(
            f"SELECT key, status, cur, owner, n FROM lookup WHERE key IN ({', '.join('?' * 4)})",
            names,
        )
        for key, status, cur, owner, n in cast("list[tuple[bytes, int, int, int, int]]", found):
            one = self.purchases[key][cur - 1] if cur else Purchase(0)
            assert n == len(self.purchases[key])
            assert not owner or status in (1, 2)
            assert owner not in dead, "of a dead owner, and not released"
            stands[key, owner] = (status, n if status == 1 else cur)
            if status in (4, 5):
                paid = status == 5 and one.mark in ("paid", "decided", "past")
                assert paid or one.fate == {4: "usable", 5: "unusable"}[status]
                assert paid or one.mark in ("stored", "past")
        # A row is its living owner's while that one's request is under way, and not longer.
        for one in self.flights:
            if one.owner not in dead:
                status = 2 if one.at == "received" else 1
                assert stands.pop((one.key, one.owner), None) == (status, one.n), "taken away"
        working = {connection.owner for connection in self.connections.values()}
        assert not [owner for _, owner in stands if owner in working - {0}], "not given back"
        self.check_identities(database)
        held = spent = maybe = 0
        for _, price, ended, charged, _ in cast(
            "list[tuple[bytes, int, int | None, int | None, int]]", database.execute(attempts)
        ):
            held += price if ended is None else 0
            maybe += price if ended is not None and charged is None else 0
            spent += charged or 0
        ((cap, *totals),) = database.execute("SELECT cap, held, spent, maybe FROM run")
        assert cap is None or totals == [held, spent, maybe], (totals, held, spent, maybe)
        assert held + spent + maybe >= self.charged

    def check_identities(self, database: sqlite3.Connection) -> None:
        """Compare whose the ids in the tables are with what the answers prove."""
        judged = database.execute(
            "SELECT l.key, a.n, a.at FROM answer a JOIN lookup l ON l.id = a.lookup "
            "WHERE a.meaning = 0 AND a.page = 0"
        )
        for key, n, at in cast("list[tuple[bytes, int, int]]", judged.fetchall()):
            if (key, n) in self.shows:
                ids = frozenset(map(id_of, self.shows[key, n]))
                self.learned.setdefault((key, n), Shown(0, "", ids, at))
        assert not wrong_identities(database, Knowledge([*self.learned.values()], 0))

    def finish(self) -> None:
        """Let everything end: nothing that was paid for may be missing then."""
        self.somebody_reads_what_changed(0, 2)
        for connection in self.connections.values():
            connection.failing = ""
        while self.flights:
            self.go_on(0, "usable", (), together=False, gives_up=1)
        for slot in list(self.connections):
            self.connections.pop(slot).kill()
        self.release(0)
        self.declare_dead(1)
        self.connections.pop(1, None)
        assert any(not self.judge_left(0) for _ in range(20)), "it is judged for ever"
        stored = {
            (key, n)
            for key, n in cast(
                "list[tuple[bytes, int]]",
                self.connection(0)
                .connect()
                .execute(
                    "SELECT l.key, a.n FROM answer a JOIN lookup l ON l.id = a.lookup "
                    "WHERE a.meaning IS NOT NULL"
                ),
            )
        }
        assert stored == self.bodies
        found = self.ask(0, lambda tables: list(_disagreements(tables.database)))
        assert not found, found
        for key, purchases in self.purchases.items():
            if not self.ask(0, _found(key), writes=False):
                continue  # forgotten
            lookup = self.lookup(0, key)
            state = lookup.state
            wanted = {
                one.fate for one in purchases if one.mark == "stored" and one.page == state.page
            }
            assert state.status not in ("sent", "received")
            assert "usable" not in wanted or state.status == "done"
            assert "unusable" not in wanted or state.status in ("done", "kept")
            free = {one.fate for one in purchases if one.mark == "free"}
            assert all(not fate or fate in FREE or fate.endswith("free") for fate in free)
            current = self.ask(0, _current(lookup.id)).get(lookup.id, [])
            if state.status == "done" or state.refresh is not None:  # complete, perhaps older
                pages = [0] if not state.page else list(range(1, PAGES + 1))
                assert [answer.page for answer in current] == pages
                assert {answer.meaning for answer in current} == {"usable"}
            elif state.page:
                # The answer that ended a listing early comes after its pages.
                read = [answer.page for answer in current if answer.meaning == "usable"]
                assert read == list(range(1, state.page))


class StoredAnswer(NamedTuple):
    """A usable answer, as a plain look at the tables finds it."""

    id: int
    key: bytes
    n: int
    at: int
    subject: int | None


def _versions(tables: SqlTables) -> list[StoredAnswer]:
    rows = tables.database.execute(
        "SELECT a.id, l.key, a.n, a.at, coalesce(a.subject, l.subject) FROM answer a "
        "JOIN lookup l ON l.id = a.lookup WHERE a.meaning = 0 AND a.page = 0 ORDER BY a.id"
    )
    return [StoredAnswer(*row) for row in rows]  # type: ignore[arg-type]  # its columns


def _before(one: StoredAnswer, versions: list[StoredAnswer]) -> StoredAnswer | None:
    """The version before one: of its lookup by number, of others by time."""
    same = [x for x in versions if x.subject == one.subject and x.id != one.id]
    own = max(
        (x for x in same if x.key == one.key and x.n < one.n), key=lambda x: x.n, default=None
    )
    others = [x for x in same if x.key != one.key and (x.at, x.id) < (one.at, one.id)]
    other = max(others, key=lambda x: (x.at, x.id), default=None) if one.subject else None
    return max((x for x in (own, other) if x), key=lambda x: x.at, default=None)


class Age(NamedTuple):
    """An answer, with its moment."""

    key: bytes
    n: int
    at: int
    stands: bool


def _ages(tables: SqlTables) -> list[Age]:
    rows = tables.database.execute(
        "SELECT l.key, a.n, a.at, CASE WHEN l.page = 0 THEN a.n = coalesce(l.refresh, l.cur) "
        "ELSE l.refresh IS NOT NULL OR l.cur <= l.base END OR a.n > l.base "
        "FROM answer a JOIN lookup l ON l.id = a.lookup"
    )
    return [Age(*row) for row in rows]  # type: ignore[arg-type]  # its columns


def _seen(tables: SqlTables) -> list[tuple[AliasKey, int]]:
    rows = tables.database.execute("SELECT kind, id, seen FROM alias")
    return [((kind, bytes(ident)), seen) for kind, ident, seen in rows]  # type: ignore[arg-type, misc]  # its columns


def _open(tables: SqlTables) -> list[bytes]:
    rows = tables.database.execute(
        "SELECT key FROM lookup WHERE owner <> 0 UNION ALL "
        "SELECT l.key FROM answer a JOIN lookup l ON l.id = a.lookup WHERE a.meaning IS NULL"
    )
    return [bytes(key) for (key,) in rows]  # type: ignore[call-overload]  # a key


def _unjudged(lookup: int) -> Callable[[SqlTables], list[AnswerRow]]:
    return lambda tables: tables.unjudged(lookup)


def _found(key: bytes) -> Callable[[SqlTables], dict[bytes, StoredLookup]]:
    return lambda tables: tables.find([key])


def _current(lookup: int) -> Callable[[SqlTables], dict[int, list[AnswerRow]]]:
    return lambda tables: tables.current([lookup])
