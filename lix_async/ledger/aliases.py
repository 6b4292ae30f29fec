"""The tables of identity: learning from answers, and finding what was bought under another id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from ..linkedin.subject_ids import WEAK, AliasKey
from .database import CHUNK, Database, chunks
from .identity import BELIEVED_FOR, Alias, FoundIds, Identities, KnownSubject, subject_of_all
from .records import CallQuery, StoredLookup
from .rule import CODES, STATUSES, Status

ALIASES = "SELECT kind, id, subject, seen, answer FROM alias WHERE kind = ? AND id IN (?*)"


SLUG_AGE = "slug_age"
"""The setting of how long a slug is believed, in milliseconds."""


def slug_age(db: Database) -> int:
    """Milliseconds after an answer showed a slug in which the slug is believed."""
    rows = db.execute("SELECT value FROM about WHERE name = ?", (SLUG_AGE,))
    return int(cast("str", rows[0][0])) if rows else BELIEVED_FOR


class LearnedAnswer(NamedTuple):
    """A usable answer, with the ids in it."""

    lookup: int
    n: int
    found: tuple[FoundIds, ...]


def learn(
    db: Database, answers: Sequence[LearnedAnswer]
) -> tuple[dict[tuple[int, int], int | None], dict[int, int]]:
    """Learn from answers.

    Ids that another transaction stores at the same time are learned again, beside what it stored:
    inserting them waits for its end.

    Returns:
        The subjects of the answers by lookup and attempt, None where one does not show whom it is
        about; and the subjects that turned out to be another one, with that one.
    """
    stored = _stored(db, [(one.lookup, one.n) for one in answers])
    mentions: set[tuple[bytes, int, int]] = set()
    groups: list[tuple[tuple[int, int], FoundIds, int, int]] = []
    for one in answers:
        answer, at = stored[one.lookup, one.n]
        for found in one.found:
            groups.append(((one.lookup, one.n), found, at, answer))
            if found.row:
                mentions.update((digest, answer, found.row) for _, digest in found.aliases)
    db.insert("mention", "id, answer, row", sorted(mentions), "(id, answer, row) DO NOTHING")
    subjects: dict[tuple[int, int], int | None] = {}
    merged: dict[int, int] = {}
    while groups:
        identities = _load(db, groups)
        learned = [identities.learn(found.aliases, at, answer) for _, found, at, answer in groups]
        numbers, lost = _store(db, identities)
        for (place, found, _, _), subject in zip(groups, learned, strict=True):
            if found.row == 0:
                subjects[place] = None if subject is None else numbers(subject)
        merged = {one: numbers(other) for one, other in merged.items()}
        merged.update({one: numbers(one) for one in identities.merged if one > 0})
        groups = [group for group in groups if not lost.isdisjoint(group[1].aliases)]
    return {place: one and merged.get(one, one) for place, one in subjects.items()}, merged


def load_aliases(db: Database, keys: Iterable[AliasKey], lock: str = "") -> dict[AliasKey, Alias]:
    """What is known of ids."""
    found: dict[AliasKey, Alias] = {}
    # Ordered: two transactions that lock the same rows must lock them in one order.
    statement = f"{ALIASES} ORDER BY id{lock}" if lock else ALIASES
    queries = [
        (statement, (kind, some))
        for kind, of_kind in groupby(sorted(set(keys)), itemgetter(0))
        for some in chunks([digest for _, digest in of_kind])
    ]
    for rows in db.select(queries) if queries else ():
        for kind, digest, subject, seen, answer in cast(
            "list[tuple[str, bytes, int, int, int | None]]", rows
        ):
            found[kind, bytes(digest)] = Alias(subject, seen, answer)
    return found


class Sibling(NamedTuple):
    """A lookup that asks the same about the same subject, and that another one need not repeat."""

    id: int
    status: int
    changed: int


def find_siblings(
    db: Database, queries: Sequence[CallQuery], now: int, *, lock: bool = False
) -> list[tuple[int | None, list[Sibling]]]:
    """The subject that each call asks about, as far as it is known, and its lookups.

    Args:
        db: The database.
        queries: The calls.
        now: Epoch milliseconds.
        lock: Lock the subjects: a lookup of one that is announced meanwhile is waited for.
    """
    aliases = load_aliases(db, (query.asked for query in queries if query.asked is not None))
    oldest = now - slug_age(db) if any(kind in WEAK for kind, _ in aliases) else 0
    subjects: list[int | None] = []
    for query in queries:
        alias = None if query.asked is None else aliases.get(query.asked)
        if alias is not None and query.asked is not None:
            believed = query.asked[0] not in WEAK or alias.seen >= oldest
            alias = alias if believed else None
        subjects.append(None if alias is None else alias.subject)
    wanted = sorted({subject for subject in subjects if subject is not None})
    clear: set[int] = set()
    of_subject: dict[tuple[int, str, bytes], list[Sibling]] = {}
    for some in chunks(wanted):
        # Read after the subjects are locked, else they may be older than those.
        order = f" ORDER BY id{db.for_update}" if lock else ""
        rows = db.execute(
            f"SELECT id FROM subject WHERE id IN (?*) AND ambiguous = 0{order}", (some,)
        )
        clear.update(cast("int", row[0]) for row in rows)
        rows = db.execute(
            "SELECT subject, endpoint, variant, id, status, changed FROM lookup "
            "WHERE subject IN (?*) AND status IN (1, 2, 3, 4, 5, 7)",
            (some,),
        )
        for subject, endpoint, variant, *one in cast(
            "list[tuple[int, str, bytes, int, int, int]]", rows
        ):
            of_subject.setdefault((subject, endpoint, bytes(variant)), []).append(Sibling(*one))
    return [
        (None, [])
        if subject not in clear
        else (subject, of_subject.get((subject, query.endpoint, query.variant), []))
        for query, subject in zip(queries, subjects, strict=True)
    ]


_BEST: tuple[Status, ...] = ("done", "received", "sent", "queued", "in_doubt")
_RANKS = {CODES[status]: rank for rank, status in enumerate(_BEST)}


def choose(siblings: Iterable[Sibling]) -> Sibling | None:
    """The lookup to use in place of one that was never answered."""
    return min(siblings, key=lambda x: (_RANKS.get(x.status, 9), -x.changed), default=None)


def bought_elsewhere(
    lookup: StoredLookup | None, siblings: Sequence[Sibling], newer_than: int | None = None
) -> int:
    """The lookup that makes a request of this one needless; 0 where there is none.

    One that has an answer is asked for again because that is too old: then a newer one counts.

    Args:
        lookup: The lookup; None for a new one.
        siblings: The lookups of its subject.
        newer_than: When what was bought under another id was bought, where that is too old.
    """
    if not siblings:  # as a rule
        return 0
    others = [one for one in siblings if lookup is None or one.id != lookup.id]
    in_flight = [one for one in others if STATUSES[one.status] in ("sent", "received")]
    moments = [] if newer_than is None else [newer_than]
    if lookup is not None and lookup.state.status == "done":
        moments.append(lookup.changed)
    if not in_flight and moments:
        done, after = CODES["done"], max(moments)
        others = [one for one in others if one.status == done and one.changed > after]
    other = choose(in_flight or others)
    return 0 if other is None else other.id


class AskedLookup(NamedTuple):
    """A lookup that has an answer, and the slug that is asked for."""

    id: int
    subject: int
    changed: int
    """Epoch milliseconds."""
    asked: AliasKey


def moved(db: Database, lookups: Sequence[AskedLookup]) -> set[int]:
    """The lookups whose slug is another subject's by now.

    It is where both have different strong ids of a kind, or where an answer showed it with the
    other one when it was not believed any more.
    """
    aliases = load_aliases(db, (one.asked for one in lookups))
    differ = [
        (one, alias)
        for one in lookups
        if (alias := aliases.get(one.asked)) is not None and alias.subject != one.subject
    ]
    if not differ:
        return set()
    subjects = load_subjects(
        db, {one.subject for one, _ in differ} | {alias.subject for _, alias in differ}
    )
    found: set[int] = set()
    age = slug_age(db)
    for lookup, alias in differ:
        old = subjects[lookup.subject].strong
        new = subjects[alias.subject].strong
        clash = any(new.get(kind, digest) != digest for kind, digest in old.items())
        if clash or alias.seen - lookup.changed > age:
            found.add(lookup.id)
    return found


def load_subjects(db: Database, subjects: Iterable[int]) -> dict[int, KnownSubject]:
    """Subjects with their strong ids."""
    found: dict[int, KnownSubject] = {}
    for some in chunks(sorted(subjects)):
        rows = db.execute("SELECT id, ambiguous FROM subject WHERE id IN (?*)", (some,))
        for subject, conflict in cast("list[tuple[int, int]]", rows):
            found[subject] = KnownSubject({}, conflict)
        rows = db.execute("SELECT subject, kind, id FROM alias WHERE subject IN (?*)", (some,))
        for subject, kind, digest in cast("list[tuple[int, str, bytes]]", rows):
            if kind not in WEAK:
                found[subject].strong[kind] = bytes(digest)
    return found


def _stored(
    db: Database, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Id and time of answers, by lookup and attempt."""
    return {
        (lookup, n): (answer, at)
        for some in chunks(keys)
        for lookup, n, answer, at in cast(
            "list[tuple[int, int, int, int]]",
            db.execute("SELECT lookup, n, id, at FROM answer WHERE (lookup, n) IN (?**)", (some,)),
        )
    }


def _load(db: Database, groups: Sequence[tuple[object, FoundIds, int, int]]) -> Identities:
    aliases = load_aliases(
        db, (key for _, found, _, _ in groups for key in found.aliases), db.for_update
    )
    open_to = {
        aliases[key].subject
        for _, found, _, _ in groups
        if subject_of_all(found.aliases, aliases) is None
        for key in found.aliases
        if key in aliases
    }
    return Identities(aliases, load_subjects(db, open_to), cache(lambda: slug_age(db)))


def _store(db: Database, learned: Identities) -> tuple[Callable[[int], int], set[AliasKey]]:
    """Store what was learned.

    Returns:
        The number of a subject by the one that it had while it was learned, and the ids that
        another transaction stored first.
    """
    new = [-n for n in range(1, learned.created + 1) if -n not in learned.merged]
    stored = dict(zip(new, _new_subjects(db, len(new)), strict=True))

    def number(subject: int) -> int:
        subject = learned.resolved(subject)
        return stored.get(subject, subject)

    for younger in learned.merged:
        if younger > 0:
            older = number(younger)
            db.change("UPDATE alias SET subject = ? WHERE subject = ?", (older, younger))
            db.change("UPDATE lookup SET subject = ? WHERE subject = ?", (older, younger))
            db.change("UPDATE answer SET subject = ? WHERE subject = ?", (older, younger))
            db.change("UPDATE subject SET merged_into = ? WHERE id = ?", (older, younger))
    rows = [
        (number(one.subject), one.seen, one.answer, *key)
        for key, one in sorted(learned.changed.items())
    ]
    lost = {key for key in learned.changed if key not in learned.loaded}
    for some in chunks([row[3:] + row[:3] for row in rows if row[3:] in lost]):
        for kind, digest, _ in cast(
            "list[tuple[str, bytes, int]]",
            db.insert_new("alias", "kind, id, subject, seen, answer", some, "kind, id"),
        ):
            lost.discard((kind, bytes(digest)))
    changed = [row for row in rows if row[3:] in learned.loaded]
    db.update("alias", "subject, seen, answer", "kind, id", changed)
    conflicts = {number(one): number(conflict) for one, conflict in learned.conflicts.items()}
    db.update("subject", "ambiguous", "id", [(one, other) for other, one in conflicts.items()])
    for before, after in learned.joined.items():
        values = (number(after), before)
        db.change("UPDATE subject SET ambiguous = ? WHERE ambiguous = ?", values)
    return number, lost


def _new_subjects(db: Database, count: int) -> list[int]:
    found: list[int] = []
    while count:
        size = min(1 << (count.bit_length() - 1), CHUNK)  # few lengths are few statements
        values = ", ".join(["(0)"] * size)
        rows = db.execute(f"INSERT INTO subject (ambiguous) VALUES {values} RETURNING id")
        found += [cast("int", row[0]) for row in rows]
        count -= size
    return sorted(found)
