"""The tables of identity: learning from answers, and finding what was bought under another id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from ..linkedin.subject_ids import WEAK, AliasKey
from .database import CHUNK, Database, chunks
from .identity import Alias, FoundIds, Identities, KnownSubject, subject_of_all

ALIASES = "SELECT kind, id, subject, seen, answer FROM alias WHERE kind = ? AND id IN (?*)"


class LearnedAnswer(NamedTuple):
    """A usable answer, with the ids in it."""

    lookup: int
    n: int
    found: tuple[FoundIds, ...]


def learn(db: Database, answers: Sequence[LearnedAnswer]) -> tuple[dict[int, int], dict[int, int]]:
    """Learn from answers.

    Ids that another transaction stores at the same time are learned again, beside what it stored:
    inserting them waits for its end.

    Returns:
        The subjects of the lookups, as far as the answers tell them, and the subjects that turned
        out to be another one, with that one.
    """
    stored = _stored(db, [(one.lookup, one.n) for one in answers])
    mentions: set[tuple[bytes, int, int]] = set()
    groups: list[tuple[int, FoundIds, int, int]] = []
    for one in answers:
        answer, at = stored[one.lookup, one.n]
        for found in one.found:
            groups.append((one.lookup, found, at, answer))
            if found.row:
                mentions.update((digest, answer, found.row) for _, digest in found.aliases)
    db.insert("mention", "id, answer, row", sorted(mentions), "(id, answer, row) DO NOTHING")
    subjects: dict[int, int] = {}
    merged: dict[int, int] = {}
    while groups:
        identities = _load(db, groups)
        learned = [identities.learn(found.aliases, at, answer) for _, found, at, answer in groups]
        numbers, lost = _store(db, identities)
        for (lookup, found, _, _), subject in zip(groups, learned, strict=True):
            if found.row == 0 and subject is not None:
                subjects[lookup] = numbers(subject)
        merged = {one: numbers(other) for one, other in merged.items()}
        merged.update({one: numbers(one) for one in identities.merged if one > 0})
        groups = [group for group in groups if not lost.isdisjoint(group[1].aliases)]
    return {lookup: merged.get(one, one) for lookup, one in subjects.items()}, merged


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


def _load(db: Database, groups: Sequence[tuple[int, FoundIds, int, int]]) -> Identities:
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
    return Identities(aliases, load_subjects(db, open_to))


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
