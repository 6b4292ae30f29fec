"""Rows of those who are forgotten, erased in the transaction that is open.

What was paid stays: the attempts of an erased lookup are kept as amounts, under its number below 0.
"""

from __future__ import annotations

import itertools
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from ..core.installed_providers import all_endpoints
from ..linkedin.subject_ids import STRONG, WEAK, AliasKey, Identifier
from .aliases import load_aliases, load_subjects
from .database import Database, chunks
from .erasure import ErasedIds
from .records import PACKED, REDACTED, unpacked
from .resolution import ids_anywhere, texts_of
from .rule import CODES, MEANINGS
from .schema import BODY, CODEC, WHOSE
from .suppression import OF_LOOKUP, SuppressedId, SuppressionList, is_strong, with_kind

LEVEL = 6
USABLE = MEANINGS.index("usable")
FRAGMENT = 48
"""Bytes of a body by which it is looked for in files."""


@dataclass(slots=True)
class Erased:
    """What was erased."""

    subjects: set[int] = field(default_factory=set[int])
    aliases: set[AliasKey] = field(default_factory=set[AliasKey])
    ids: set[Identifier] = field(default_factory=set[Identifier])
    kinds: defaultdict[SuppressedId, set[str]] = field(
        default_factory=lambda: defaultdict[SuppressedId, set[str]](set)
    )
    """By slug, and by key of a lookup, the kinds of strong ids that are known of its person."""
    slugs: set[AliasKey] = field(default_factory=set[AliasKey])
    """Slugs that last led to them, whoever had them before."""
    shared: set[Identifier] = field(default_factory=set[Identifier])
    """Slugs that stay in answers about others who have had them."""
    keys: set[bytes] = field(default_factory=set[bytes])
    """Keys of their lookups, also of those in flight, which are still to be erased."""
    own: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """Answers that are certainly about them, by lookup and attempt."""
    fragments: set[bytes] = field(default_factory=set[bytes])
    lookups: int = 0
    answers: int = 0
    redacted: int = 0
    """Answers of others from which they were cut out."""

    @property
    def who(self) -> ErasedIds:
        """Those who are forgotten."""
        return ErasedIds(self.aliases, self.ids, self.kinds)

    @property
    def gone(self) -> ErasedIds:
        """Those of their ids that must not be found any more."""
        left = {one.alias for one in self.shared}
        return ErasedIds(self.aliases - left, self.ids - self.shared)


def erase_subjects(
    db: Database,
    suppression: SuppressionList,
    ids: Iterable[SuppressedId],
    now: int,
    erased: Erased,
) -> None:
    """Suppress ids with all others that are known of their subjects, and erase their rows.

    Lookups in flight are left to whoever works on them.

    Args:
        db: The database.
        suppression: The suppression list.
        ids: Their ids, and keys of their lookups.
        now: Epoch milliseconds.
        erased: What was erased so far.
    """
    suppress(db, suppression, ids, now, erased)
    erase_lookups(db, [*_of_keys(db, erased.keys)], now, erased)
    mentions: set[int] = set()
    for some in chunks(sorted(digest for _, digest in erased.aliases)):
        rows = db.execute("SELECT answer FROM mention WHERE id IN (?*)", (some,))
        mentions.update(answer for (answer,) in cast("list[tuple[int]]", rows))
    for subjects in chunks(sorted(erased.subjects)):
        rows = db.execute("SELECT id FROM answer WHERE subject IN (?*)", (subjects,))
        mentions.update(answer for (answer,) in cast("list[tuple[int]]", rows))
    redact(db, sorted(mentions), now, erased)
    forget_aliases(db, erased)


def suppress(
    db: Database,
    suppression: SuppressionList,
    ids: Iterable[SuppressedId],
    now: int,
    erased: Erased,
) -> None:
    """Suppress ids, with all others that are known of their subjects and the keys of lookups.

    A slug that is another one's by now leads to no subject: see `find_subjects`.
    """
    given = set(ids)
    erased.keys.update(value for kind, value in given if kind == OF_LOOKUP)
    erased.aliases.update(one for one in given if one[0] != OF_LOOKUP)
    erased.subjects.update(find_subjects(db, suppression, erased.aliases))
    known_subjects = load_subjects(db, erased.subjects)
    for some in chunks(sorted(erased.subjects)):
        rows = db.execute("SELECT subject, kind, id FROM alias WHERE subject IN (?*)", (some,))
        theirs = [
            (subject, (kind, bytes(value)))
            for subject, kind, value in cast("list[tuple[int, str, bytes]]", rows)
        ]
        erased.aliases.update(one for _, one in theirs)
        rows = db.execute("SELECT subject, key FROM lookup WHERE subject IN (?*)", (some,))
        keys = [
            (subject, (OF_LOOKUP, bytes(key)))
            for subject, key in cast("list[tuple[int, bytes]]", rows)
        ]
        erased.keys.update(key for _, (_, key) in keys)
        for subject, one in (*theirs, *keys):
            if not is_strong(one):
                erased.kinds[one].update(known_subjects[subject].strong)
    known = load_aliases(db, erased.aliases)
    texts = texts_of(db, ((*key, one.seen, one.answer) for key, one in known.items()))
    erased.ids.update(Identifier(kind, text) for (kind, _), text in texts.items())  # type: ignore[arg-type]  # kinds of the table are kinds of ids
    listed = erased.aliases | {(OF_LOOKUP, key) for key in erased.keys}
    if suppression.active:
        _load_kinds(db, suppression, listed, erased)
    kinds = {with_kind(one, kind) for one, kinds in erased.kinds.items() for kind in kinds}
    moments = dict.fromkeys(listed | kinds, now)
    moments.update((key, one.seen) for key, one in known.items() if key[0] in WEAK)
    suppression.add(db, moments)


def find_subjects(
    db: Database, suppression: SuppressionList, aliases: Iterable[AliasKey]
) -> set[int]:
    """The subjects that ids of those who are forgotten lead to.

    A strong id never changes hands. A slug leads to its subject only where that has a suppressed
    id, or none that shows it to be another one.
    """
    found = load_aliases(db, aliases)
    subjects = {one.subject for key, one in found.items() if is_strong(key)}
    weak = [
        (key, one.subject)
        for key, one in found.items()
        if not is_strong(key) and one.subject not in subjects
    ]
    known = load_subjects(db, {subject for _, subject in weak})
    groups = [{key, *known[subject].strong.items()} for key, subject in weak]
    people = suppression.find_people(db, groups) if suppression.active else ()
    subjects.update(subject for (_, subject), theirs in zip(weak, people, strict=False) if theirs)
    return subjects


def forget_older_slugs(db: Database, suppression: SuppressionList, slugs: set[AliasKey]) -> None:
    """Delete what is known of suppressed slugs from before they were those of the forgotten."""
    moments = suppression.moments(db, slugs)
    for (kind, digest), one in load_aliases(db, moments).items():
        if one.seen <= moments[kind, digest]:
            db.change("DELETE FROM alias WHERE kind = ? AND id = ?", (kind, digest))


def _load_kinds(
    db: Database, suppression: SuppressionList, ids: Iterable[SuppressedId], erased: Erased
) -> None:
    """Read of which kinds strong ids were known of the people of suppressed slugs and lookups."""
    wanted = {
        with_kind(one, kind): (one, kind)
        for one in itertools.filterfalse(is_strong, ids)
        for kind in STRONG
    }
    for found in suppression.find(db, wanted):
        one, kind = wanted[found]
        erased.kinds[one].add(kind)


def _of_keys(db: Database, keys: set[bytes]) -> Iterable[int]:
    """The lookups of keys without an owner, locked."""
    for some in chunks(sorted(keys)):
        rows = db.execute(
            f"SELECT id FROM lookup WHERE key IN (?*) AND owner = 0 ORDER BY id{db.for_update}",
            (some,),
        )
        yield from (ident for (ident,) in cast("list[tuple[int]]", rows))


def in_flight(db: Database, keys: set[bytes]) -> int:
    """How many lookups of keys somebody works on."""
    count = 0
    for some in chunks(sorted(keys)):
        rows = db.execute("SELECT 1 FROM lookup WHERE key IN (?*) AND owner <> 0", (some,))
        count += len(rows)
    return count


def erase_lookups(db: Database, ids: Iterable[int], now: int, erased: Erased) -> None:
    """Erase lookups without an owner, with their answers and what their inputs say.

    Answers about others, who had the slug before or after them, stay: the newest one stands then.
    """
    aliases = erased.aliases
    for some in chunks(sorted(set(ids))):
        separate_bodies(db, "a.lookup IN (?*)", (some,))
        rows = db.execute("SELECT id, key, written_as FROM lookup WHERE id IN (?*)", (some,))
        lookups = {
            ident: (bytes(key), bytes(given))
            for ident, key, given in cast("list[tuple[int, bytes, bytes]]", rows)
        }
        stay = _about_others(db, lookups, erased)
        left = set(stay.values())
        texts = [given for _, given in lookups.values()]
        rows = db.execute(
            "SELECT a.id, a.lookup, a.codec, a.body, a.meaning, "
            "CASE WHEN a.n = coalesce(l.refresh, l.cur) THEN 1 ELSE 0 END FROM answer a "
            "JOIN lookup l ON l.id = a.lookup WHERE a.lookup IN (?*)",
            (some,),
        )
        answers = cast("list[tuple[int, int, int, bytes | None, int | None, int]]", rows)
        stand = {lookup for ident, lookup, *_, stands in answers if stands and ident in stay}
        gone = [
            (ident, codec, body)
            for ident, lookup, codec, body, meaning, _ in answers
            if ident not in stay and (lookup not in stand or meaning == USABLE)
        ]
        for _, codec, body in gone:
            if body is not None:
                texts.append(unpacked(body, codec))
                erased.fragments.add(_fragment(bytes(body)))
        for text in texts:
            erased.ids.update(one for one in ids_anywhere(text) if one.alias in aliases)
        deleted = [ident for ident in lookups if ident not in left]
        erased.keys.update(lookups[ident][0] for ident in deleted)
        erased.lookups += len(deleted)
        erased.answers += len(gone)
        for ident in left:
            given = ids_anywhere(lookups[ident][1])
            erased.shared.update(one for one in given if one.alias in aliases and one.kind in WEAK)
        for ident, *_ in gone if left else ():
            _delete_answer(db, ident)
        _let_the_newest_stand(db, sorted(left - stand))
        delete_lookups(db, deleted, now)
        db.change(
            "UPDATE input SET lookup = NULL, given = NULL, ref = NULL, note = '', "
            "state = 'suppressed' WHERE lookup IN (?*)",
            ([ident for ident in lookups if ident not in stand],),
        )


def _about_others(
    db: Database, lookups: Mapping[int, tuple[bytes, bytes]], erased: Erased
) -> dict[int, int]:
    """The answers of lookups that are about others than those who are forgotten, with the lookup.

    In a lookup of theirs it is one about a subject that has a strong id of a kind of which they
    have another.
    """
    rows = db.execute(
        f"SELECT a.id, a.lookup, {WHOSE}, a.n FROM answer a JOIN lookup l ON l.id = a.lookup "
        f"WHERE a.lookup IN (?*) AND a.page = 0 AND a.meaning = 0 AND {WHOSE} IS NOT NULL",
        (sorted(lookups),),
    )
    answers = [
        (answer, lookup, subject)
        for answer, lookup, subject, n in cast("list[tuple[int, int, int, int]]", rows)
        if (lookup, n) not in erased.own and subject not in erased.subjects
    ]
    subjects = load_subjects(db, {subject for *_, subject in answers})
    stay: dict[int, int] = {}
    for answer, lookup, subject in answers:
        key, strong = lookups[lookup][0], subjects[subject].strong
        kinds = erased.kinds.get((OF_LOOKUP, key), set[str]())
        if key not in erased.keys or not kinds.isdisjoint(strong):
            stay[answer] = lookup
    return stay


def _let_the_newest_stand(db: Database, lookups: Sequence[int]) -> None:
    """Let lookups that have only older answers left be what they were by the newest of those."""
    rows = db.execute(
        f"SELECT a.lookup, a.n, a.at, {WHOSE} FROM answer a JOIN lookup l ON l.id = a.lookup "
        "WHERE a.lookup IN (?*) ORDER BY a.lookup, a.n",
        (lookups,),
    )
    newest = {row[0]: row for row in cast("list[tuple[int, int, int, int]]", rows)}
    for lookup, n, at, subject in newest.values():
        db.change(
            "UPDATE answer SET subject = CASE WHEN subject = ? THEN NULL ELSE "
            "coalesce(subject, (SELECT l.subject FROM lookup l WHERE l.id = answer.lookup)) END "
            "WHERE lookup = ?",
            (subject, lookup),
        )
        db.change(
            f"UPDATE lookup SET status = {CODES['done']}, base = ?, cur = ?, tries = 0, "
            "due = NULL, pause = 0, refresh = NULL, changed = ?, subject = ? WHERE id = ?",
            (n - 1, n, at, subject, lookup),
        )


def delete_lookups(db: Database, ids: Sequence[int], now: int) -> None:
    """Delete lookups and their answers; their attempts stay, as amounts."""
    rows = db.execute(
        "SELECT run, sum(price) FROM attempt WHERE lookup IN (?*) AND ended IS NULL "
        "AND run IS NOT NULL GROUP BY run ORDER BY run",
        (ids,),
    )
    for run, price in cast("list[tuple[int, int]]", rows):
        db.change(
            "UPDATE run SET held = held - ?, maybe = maybe + ? WHERE id = ? AND cap IS NOT NULL",
            (int(price), int(price), run),
        )
    db.change(
        "UPDATE attempt SET lookup = -lookup, note = NULL, ended = coalesce(ended, ?) "
        "WHERE lookup IN (?*)",
        (now, ids),
    )
    of = "IN (SELECT id FROM answer WHERE lookup IN (?*))"
    db.change(f"UPDATE alias SET answer = NULL WHERE answer {of}", (ids,))
    db.change(f"DELETE FROM mention WHERE answer {of}", (ids,))
    keys = "IN (SELECT key FROM lookup WHERE id IN (?*))"
    db.change(f"DELETE FROM old_key WHERE key {keys} OR old {keys}", (ids, ids))
    for table in ("answer", "listing"):
        db.change(f"DELETE FROM {table} WHERE lookup IN (?*)", (ids,))
    db.change("DELETE FROM lookup WHERE id IN (?*)", (ids,))


def separate_bodies(db: Database, which: str, values: Sequence[object]) -> None:
    """Give answers, named `a`, bodies of their own where they have those of earlier versions."""
    db.change(
        f"UPDATE answer AS a SET codec = {CODEC}, body = {BODY}, same_as = NULL "
        f"WHERE a.same_as IS NOT NULL AND {which}",
        values,
    )


REDACTABLE = (
    "SELECT a.id, a.lookup, a.n, a.page, a.codec, a.body, a.rows, l.endpoint, l.base, l.owner, "
    f"p.position, {WHOSE} FROM answer a JOIN lookup l ON l.id = a.lookup "
    "LEFT JOIN listing p ON p.lookup = l.id WHERE a.id IN (?*) ORDER BY l.id"
)
# fmt: off
RedactableColumns = tuple[
    int, int, int, int, int, bytes | None, bytes | None, str, int, int, bytes | None, int | None
]
# fmt: on


def redact(db: Database, answers: Sequence[int], now: int, erased: Erased) -> None:
    """Cut those who are forgotten out of answers; one that is about them is erased."""
    endpoints = all_endpoints()
    lookups: set[int] = set()
    for some in chunks(answers):
        separate_bodies(db, "a.lookup IN (SELECT lookup FROM answer WHERE id IN (?*))", (some,))
        rows = cast("list[RedactableColumns]", db.execute(REDACTABLE, (some,)))
        for row in rows:
            if (body := row[5]) is not None:  # what they are called, to find it in texts
                found = ids_anywhere(unpacked(body, row[4]))
                erased.ids.update(one for one in found if one.alias in erased.aliases)
        who = erased.who
        subjects = load_subjects(db, {row[-1] for row in rows if row[-1] is not None})
        for ident, lookup, n, page, codec, body, stored, name, base, owner, position, of in rows:
            if body is None:
                continue
            raw, endpoint = unpacked(body, codec), endpoints.get(name)
            groups = () if endpoint is None else endpoint.ids
            own = frozenset(subjects[of].strong.items() if of in subjects else ())
            left = who.cut_out(raw, groups, page=page > 0, own=own)
            if of in erased.subjects and not page:
                left = None
            items = None if stored is None else who.cut_out(bytes(stored), groups)
            if left is None:
                erased.fragments.add(_fragment(bytes(body)))
                if n <= base:  # an older version: the lookup is another one's since
                    _delete_answer(db, ident)
                    erased.answers += 1
                elif not owner:
                    lookups.add(lookup)
                    erased.own.add((lookup, n))
                continue
            if position is not None and who.are_in(bytes(position)):
                text = who.cut_out(bytes(position), ()) or b"{}"
                db.change("UPDATE listing SET position = ? WHERE lookup = ?", (text, lookup))
            if left == raw and items == stored:
                continue
            text = zlib.compress(left, LEVEL) if codec & PACKED else left
            db.change(
                "UPDATE answer SET body = ?, rows = ?, codec = ? WHERE id = ?",
                (text, items, codec | REDACTED, ident),
            )
            erased.redacted += 1
        erased.shared.update(who.shared)
    erase_lookups(db, lookups, now, erased)


def _delete_answer(db: Database, answer: int) -> None:
    db.change("UPDATE alias SET answer = NULL WHERE answer = ?", (answer,))
    db.change("DELETE FROM mention WHERE answer = ?", (answer,))
    db.change("DELETE FROM answer WHERE id = ?", (answer,))


def forget_aliases(db: Database, erased: Erased) -> None:
    """Delete what is known of the ids and the subjects of those who are forgotten."""
    shared = {one.alias for one in erased.shared}
    for kind, digest in sorted(erased.aliases):
        if (kind, digest) not in shared:
            db.change("DELETE FROM mention WHERE id = ?", (digest,))
    for kind, digest in sorted(filter(is_strong, erased.aliases)) + sorted(erased.slugs):
        db.change("DELETE FROM alias WHERE kind = ? AND id = ?", (kind, digest))
    for some in chunks(sorted(erased.subjects)):
        db.change("DELETE FROM alias WHERE subject IN (?*)", (some,))
        db.change("UPDATE lookup SET subject = NULL WHERE subject IN (?*)", (some,))
        db.change("DELETE FROM subject WHERE id IN (?*) OR merged_into IN (?*)", (some, some))


def _fragment(body: bytes) -> bytes:
    middle = max(len(body) // 2 - FRAGMENT // 2, 0)
    return body[middle : middle + FRAGMENT]
