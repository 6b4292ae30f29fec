"""What answers prove about ids: no person is taken for another, in whatever order they come.

The rules are compared with what was generated, and the tables of both databases with the rules.
`LIX_PAIRS` says how many pairs of answers are generated (`nox -s campaign`: a million).
"""

from __future__ import annotations

import itertools
import os
import random
from collections import defaultdict
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lix_async.core.subject_ids import IdGroup
from lix_async.ledger.aliases import LearnedAnswer, learn, load_aliases, load_subjects
from lix_async.ledger.connection import Announced, AnnounceJob, EventsJob, Job
from lix_async.ledger.identity import (
    BELIEVED_FOR,
    Alias,
    FoundIds,
    Identities,
    KnownSubject,
    find_ids,
)
from lix_async.ledger.records import Judge, LookupSpec, Receive, Send
from lix_async.ledger.rule import STATUSES, Judgement
from lix_async.ledger.tables import SqlTables
from lix_async.ledger.transaction import apply
from lix_async.linkedin.subject_ids import WEAK, AliasKey, alias_key

from . import steps
from .conftest import OpenLedger

PAIRS = int(os.environ.get("LIX_PAIRS", "20000"))
STRONG = ("profile", "sales", "recruiter", "member", "lix")
Answer = tuple[frozenset[AliasKey], int]
"""The ids that stand in it, and when it came."""


def key(kind: str, name: object) -> AliasKey:
    return kind, str(name).encode()


class Known:
    """Answers learned one by one, without a database."""

    def __init__(self) -> None:
        self.aliases: dict[AliasKey, Alias] = {}
        self.subjects: dict[int, KnownSubject] = {}
        self.numbers = itertools.count(1)

    def learn(self, ids: frozenset[AliasKey], at: int, answer: int = 0) -> int | None:
        learned = Identities(self.aliases, self.subjects)
        subject = learned.learn(sorted(ids), at, answer)
        new = {
            -n: next(self.numbers)
            for n in range(1, learned.created + 1)
            if -n not in learned.merged
        }

        def number(one: int) -> int:
            return new.get(learned.resolved(one), learned.resolved(one))

        self.subjects = {number(one): known for one, known in self.subjects.items()}
        for alias in self.aliases.values():
            alias.subject = number(alias.subject)
        for known in self.subjects.values():
            known.conflict = number(known.conflict)
            known.conflict = learned.joined.get(known.conflict, known.conflict)
        return None if subject is None else number(subject)

    def found(self, one: AliasKey, now: int) -> int | None:
        """The subject that is found by an id."""
        alias = self.aliases.get(one)
        if alias is None or self.subjects[alias.subject].conflict:
            return None
        if one[0] in WEAK and now - alias.seen > BELIEVED_FOR:
            return None
        return alias.subject


def answers_of(chance: random.Random, person: int, slugs: list[int], at: int) -> Answer:
    """An answer about a person: some of the ids, always at least one."""
    ids = [key(kind, person) for kind in STRONG if chance.random() < 0.4]
    if chance.random() < 0.8 or not ids:
        ids.append(key("slug", slugs[person]))
    return frozenset(ids), at


def test_of_pairs_of_answers_none_makes_two_people_one() -> None:
    chance = random.Random(1)
    for _ in range(PAIRS):
        people = chance.choice([(0, 0), (0, 1)])
        # Often the second one has taken over the slug, at any time.
        taken = chance.random() < 0.5
        slugs = [0, 0 if taken else 1]
        known, at = Known(), chance.choice([0, 1, BELIEVED_FOR, 2 * BELIEVED_FOR])
        one = answers_of(chance, people[0], slugs, 0)
        if chance.random() < 0.2:  # it contradicts itself
            one = one[0] | {key(chance.choice(STRONG), people[0] + 7)}, 0
        other = answers_of(chance, people[1], slugs, at)
        known.learn(*one)
        known.learn(*other)
        if people[0] == people[1]:
            continue
        mine = {known.found(x, at) for x in one[0] if x[0] not in WEAK} - {None}
        theirs = {known.found(x, at) for x in other[0] if x[0] not in WEAK} - {None}
        assert not mine & theirs, (one, other)


IDS = st.one_of(
    st.tuples(st.sampled_from(STRONG[:3]), st.sampled_from([b"0", b"1", b"2"])),
    st.tuples(st.just("slug"), st.sampled_from([b"a", b"b"])),
)
TIMES = st.integers(0, 4).map(lambda n: n * BELIEVED_FOR // 2)
ANSWERS = st.lists(st.tuples(st.frozensets(IDS, min_size=1, max_size=4), TIMES), max_size=8)


@given(ANSWERS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_what_strong_ids_prove_does_not_depend_on_the_order(
    answers: list[Answer], chance: random.Random
) -> None:
    def proved(order: list[Answer]) -> set[frozenset[AliasKey]]:
        known = Known()
        for one in order:
            known.learn(*one)
        groups: defaultdict[int, set[AliasKey]] = defaultdict(set)
        for one in known.aliases:
            if one[0] not in WEAK and (subject := known.found(one, 0)) is not None:
                groups[subject].add(one)
        return {frozenset(group) for group in groups.values()}

    shuffled = list(answers)
    chance.shuffle(shuffled)
    assert proved(answers) == proved(shuffled)


@given(ANSWERS)
@settings(max_examples=300, deadline=None)
def test_no_subject_has_two_strong_ids_of_a_kind_and_a_slug_is_of_its_newest_answer(
    answers: list[Answer],
) -> None:
    known = Known()
    for number, (ids, at) in enumerate(answers):
        known.learn(ids, at, number)
    held: defaultdict[tuple[int, str], set[AliasKey]] = defaultdict(set)
    for one, alias in known.aliases.items():
        if one[0] not in WEAK:
            held[alias.subject, one[0]].add(one)
    assert all(len(ids) == 1 for ids in held.values())
    for one, alias in known.aliases.items():
        if one[0] in WEAK:
            shown = [
                at
                for ids, at in answers
                if one in ids
                and len({k for k, _ in ids if k not in WEAK})
                == len([k for k, _ in ids if k not in WEAK])
                > 0
            ]
            assert not shown or alias.seen >= max(shown)


def learned_by(tables: SqlTables, owner: int, answers: list[Answer]) -> None:
    """Lookups that are bought and judged, one after the other."""
    for number, (ids, at) in enumerate(answers, 1):
        name = number.to_bytes(16, "big")
        (lookup,) = tables.add([LookupSpec(name, "person.get", b'"x"')], at)
        events = [
            Send(lookup.id, 0, 1, at),
            Receive(lookup.id, owner, 1, 0, 200, b"{}", at),
            Judge(
                lookup.id,
                owner,
                1,
                Judgement("usable", 1),
                at,
                found=(FoundIds(tuple(sorted(ids))),),
            ),
        ]
        apply(tables, events, owner)


@pytest.mark.parametrize("seed", range(6))
def test_the_tables_know_what_the_rules_say(open_ledger: OpenLedger, seed: int) -> None:
    chance = random.Random(seed)
    ids = [key(kind, n) for kind in STRONG[:3] for n in range(4)]
    slugs = [key("slug", n) for n in range(3)]
    answers = [
        (
            frozenset(chance.sample(ids, chance.randrange(3)) + chance.sample(slugs, 1)),
            chance.randrange(5) * BELIEVED_FOR // 2,
        )
        for _ in range(12)
    ]
    known = Known()
    subjects = [known.learn(*one) for one in answers]
    connection = open_ledger()
    database = connection.connect()
    connection.begin(writes=True)
    tables = connection.tables(database)
    learned_by(tables, connection.owner, answers)
    stored = load_aliases(database, [*ids, *slugs])
    groups = {(one, alias.subject) for one, alias in known.aliases.items()}
    same = {(a[0], b[0]): a[1] == b[1] for a in groups for b in groups}
    assert {(a, b): stored[a].subject == stored[b].subject for a in stored for b in stored} == same
    assert {k: alias.seen for k, alias in stored.items()} == {
        k: alias.seen for k, alias in known.aliases.items()
    }
    rows = load_subjects(database, {alias.subject for alias in stored.values()})
    for one, alias in known.aliases.items():
        conflict = rows[stored[one].subject].conflict
        assert bool(conflict) == bool(known.subjects[alias.subject].conflict)
    lookups = tables.by_id(range(1, len(answers) + 1))
    assert [lookups[n + 1].subject is None for n in range(len(answers))] == [
        one is None for one in subjects
    ]
    connection.commit()


def test_ids_of_pages_are_mentions_and_merge_subjects(open_ledger: OpenLedger) -> None:
    connection = open_ledger()
    database = connection.connect()
    connection.begin(writes=True)
    tables = connection.tables(database)
    a, b, c = key("profile", 1), key("sales", 1), key("recruiter", 1)
    learned_by(tables, connection.owner, [(frozenset({a}), 1), (frozenset({b}), 2)])
    before = load_aliases(database, [a, b])
    assert before[a].subject != before[b].subject
    learn(database, [LearnedAnswer(1, 1, (FoundIds((a, b), 1), FoundIds((c,), 2)))])
    after = load_aliases(database, [a, b, c])
    assert after[a].subject == after[b].subject == before[a].subject != after[c].subject
    (merged,) = database.execute("SELECT id, merged_into FROM subject WHERE merged_into > 0")
    assert merged == (before[b].subject, before[a].subject)
    assert tables.by_id([2])[2].subject == before[a].subject
    rows = database.execute("SELECT id, answer, row FROM mention ORDER BY row, id")
    assert [(bytes(ident), answer, row) for ident, answer, row in rows] == [  # type: ignore[call-overload]  # bytes or a view of them
        (b"1", 1, 1),
        (b"1", 1, 2),
    ]
    connection.commit()


@pytest.mark.parametrize(
    "body",
    [
        b'{"link": "%s", "skills": ["x"], "rows": [{"link": "%s"}]}',
        b'{"link": "%s", "share": NaN, "rows": [{"link": "%s"}]}',
        b'\xef\xbb\xbf{"link": "%s", "name": "\xff", "rows": [{"link": "%s"}]}',
        b'{"link": "x", "rows": [], "link": "%s", "rows": [{"link": "%s", "age": 1e400}]}',
    ],
)
def test_ids_are_found_in_whatever_can_be_read(body: bytes) -> None:
    groups = (IdGroup(own=True, links=("link",)), IdGroup(at=("rows[]",), links=("link",)))
    links = (b"https://linkedin.com/in/ada", b"https://linkedin.com/in/grace")
    ada, grace = (alias_key("slug", name) for name in ("ada", "grace"))
    assert find_ids(groups, body % links) == (FoundIds((ada,)), FoundIds((grace,), 1))
    assert find_ids(groups, b'[{"link": "%s"}]' % links[1]) == (FoundIds((grace,), 1),)
    assert find_ids(groups, b"not JSON") == ()


STATUSES_OF_ANOTHER = ("none", "pending", "sent", "received", "queued", "done", "kept", "refused", "in_doubt")  # fmt: skip


class Announcement(NamedTuple):
    """What is known when a request is announced."""

    other: str
    """The status of the lookup of the same subject; "none" where there is no other one."""
    knows: str
    """How the id that is asked about leads to the subject."""
    asks: str
    """The same, or something else."""
    own: str
    """Nothing, or an answer that is too old, older or newer than the other one's."""

    @property
    def is_turned_away(self) -> bool:
        """What the design says."""
        known = self.knows in ("strong", "slug")
        in_flight = self.other in ("sent", "received")
        if not known or self.asks != "same":
            return False
        if self.own == "nothing":
            return in_flight or self.other in ("done", "kept", "queued", "in_doubt")
        return in_flight or (self.other == "done" and self.own == "older")


ANNOUNCEMENTS = [
    Announcement(*one)
    for one in itertools.product(
        STATUSES_OF_ANOTHER,
        ("strong", "slug", "unknown", "ambiguous", "old slug"),
        ("same", "something else"),
        ("nothing", "older", "newer"),
    )
]


def prepare(tables: SqlTables, place: int, one: Announcement) -> Send:
    """Rows in which a request is announced."""
    database, now = tables.database, 4 * BELIEVED_FOR
    names = [bytes([place // 256, place % 256, part]).rjust(16, b".") for part in (0, 1)]
    variant = b"" if one.asks == "same" else b"v"
    mine, other = tables.add(
        [
            LookupSpec(names[0], "person.get", b"1"),
            LookupSpec(names[1], "person.get", b"2", variant),
        ],
        now,
    )
    subject = database.execute(
        "INSERT INTO subject (ambiguous) VALUES (?) RETURNING id", (int(one.knows == "ambiguous"),)
    )[0][0]
    kind = "slug" if "slug" in one.knows else "sales"
    seen = now - BELIEVED_FOR - (one.knows == "old slug")
    ids = [] if one.knows == "unknown" else [(kind, names[0], subject, seen, None)]
    database.insert("alias", "kind, id, subject, seen, answer", ids)
    if one.other != "none":
        rows = [(STATUSES.index(one.other), subject, 1, now - 10, other.id)]
        database.update("lookup", "status, subject, n, changed", "id", rows)
    if one.own != "nothing":
        age = {"older": 20, "newer": 5}[one.own]
        rows = [(STATUSES.index("done"), subject, 1, 1, now - age, mine.id)]
        database.update("lookup", "status, subject, n, cur, changed", "id", rows)
    own = one.own != "nothing"
    return Send(mine.id, int(own), 1, now, expired=own, asked=(kind, names[0]))


def test_requests_are_turned_away_as_the_design_says(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()

    def work(tables: SqlTables) -> list[Send]:
        return [prepare(tables, place, one) for place, one in enumerate(ANNOUNCEMENTS)]

    results = steps.apply(ledger, *steps.ask(ledger, work, writes=True))
    for one, result in zip(ANNOUNCEMENTS, results, strict=True):
        assert bool(result.elsewhere) == one.is_turned_away, one
        assert result.applied is not one.is_turned_away, one


@pytest.mark.parametrize("first", ["new", "known"])
@pytest.mark.parametrize("cap", [None, 0])
def test_two_ids_of_one_person_in_one_transaction(
    open_ledger: OpenLedger, first: str, cap: int | None
) -> None:
    """One of them was asked for before and failed, the other one never."""
    ledger = open_ledger()
    slug, strong = (alias_key(kind, name) for kind, name in (("slug", "ada"), ("sales", "ACwAA1")))

    def work(tables: SqlTables) -> tuple[int, int]:
        (known,) = tables.add([steps.spec("known")], steps.NOW)
        database = tables.database
        subject = database.execute("INSERT INTO subject (ambiguous) VALUES (0) RETURNING id")[0][0]
        rows = [(*alias, subject, steps.NOW, None) for alias in (slug, strong)]
        database.insert("alias", "kind, id, subject, seen, answer", rows)
        database.update("lookup", "subject", "id", [(subject, known.id)])
        return known.id, tables.begin_run("", "people.get", "", cap, steps.NOW)

    known, run = steps.ask(ledger, work, writes=True)
    again = msgspec.structs.replace(steps.send(known, run=run), asked=slug)
    new = msgspec.structs.replace(steps.send(run=run), asked=strong)
    jobs: list[Job] = [EventsJob([again]), AnnounceJob(steps.spec("new"), new)]
    values = ledger.run(jobs if first == "known" else jobs[::-1])
    results = [one.result if isinstance(one, Announced) else one[0] for one in values]
    assert sum(one.applied for one in results) == (cap is None), results
    for name in ("known", "new"):
        row = steps.found(ledger, name).state
        assert (row.status == "sent") is (row.n == 1) is bool(row.owner)
    sent = [steps.found(ledger, name).state.status for name in ("known", "new")]
    assert sent.count("sent") == (cap is None)
    assert sent.count("pending") == (1 if cap is None else 2)
