"""Rows of those who are forgotten, erased in the transaction that is open.

What was paid stays: the attempts of an erased lookup are kept as amounts, under its number below 0.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from ..core.installed_providers import all_endpoints
from ..linkedin.subject_ids import AliasKey, Identifier
from .aliases import load_aliases
from .database import Database, chunks
from .erasure import ErasedIds
from .records import PACKED, REDACTED, unpacked
from .resolution import ids_anywhere, texts_of
from .schema import BODY, CODEC
from .suppression import OF_LOOKUP, SuppressedId, SuppressionList

LEVEL = 6
FRAGMENT = 48
"""Bytes of a body by which it is looked for in files."""


@dataclass(slots=True)
class Erased:
    """What was erased."""

    subjects: set[int] = field(default_factory=set[int])
    aliases: set[AliasKey] = field(default_factory=set[AliasKey])
    ids: set[Identifier] = field(default_factory=set[Identifier])
    keys: set[bytes] = field(default_factory=set[bytes])
    """Keys of their lookups, also of those in flight, which are still to be erased."""
    fragments: set[bytes] = field(default_factory=set[bytes])
    lookups: int = 0
    answers: int = 0
    redacted: int = 0
    """Answers of others from which they were cut out."""

    @property
    def who(self) -> ErasedIds:
        """Those who are forgotten."""
        return ErasedIds(self.aliases, self.ids)


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
    """Suppress ids, with all others that are known of their subjects and the keys of lookups."""
    given = set(ids)
    erased.keys.update(value for kind, value in given if kind == OF_LOOKUP)
    erased.aliases.update(one for one in given if one[0] != OF_LOOKUP)
    erased.subjects.update(one.subject for one in load_aliases(db, erased.aliases).values())
    for some in chunks(sorted(erased.subjects)):
        rows = db.execute("SELECT kind, id FROM alias WHERE subject IN (?*)", (some,))
        erased.aliases.update(
            (kind, bytes(digest)) for kind, digest in cast("list[tuple[str, bytes]]", rows)
        )
        rows = db.execute("SELECT key FROM lookup WHERE subject IN (?*)", (some,))
        erased.keys.update(bytes(key) for (key,) in cast("list[tuple[bytes]]", rows))
    known = load_aliases(db, erased.aliases)
    texts = texts_of(db, ((*key, one.seen, one.answer) for key, one in known.items()))
    erased.ids.update(Identifier(kind, text) for (kind, _), text in texts.items())  # type: ignore[arg-type]  # kinds of the table are kinds of ids
    suppression.add(db, erased.aliases | {(OF_LOOKUP, key) for key in erased.keys}, now)


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
    """Erase lookups without an owner, with their answers and what their inputs say."""
    aliases = erased.aliases
    for some in chunks(sorted(set(ids))):
        rows = db.execute("SELECT key, written_as FROM lookup WHERE id IN (?*)", (some,))
        keys = [bytes(key) for key, _ in cast("list[tuple[bytes, bytes]]", rows)]
        texts = [bytes(given) for _, given in cast("list[tuple[bytes, bytes]]", rows)]
        rows = db.execute("SELECT codec, body FROM answer WHERE lookup IN (?*)", (some,))
        for codec, body in cast("list[tuple[int, bytes | None]]", rows):
            if body is not None:
                texts.append(unpacked(body, codec))
                erased.fragments.add(_fragment(bytes(body)))
        for text in texts:
            erased.ids.update(one for one in ids_anywhere(text) if one.alias in aliases)
        erased.keys.update(keys)
        erased.lookups += len(keys)
        erased.answers += len(rows)
        delete_lookups(db, some, now)
        db.change(
            "UPDATE input SET lookup = NULL, given = NULL, ref = NULL, note = '', "
            "state = 'suppressed' WHERE lookup IN (?*)",
            (some,),
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
    "p.position FROM answer a JOIN lookup l ON l.id = a.lookup "
    "LEFT JOIN listing p ON p.lookup = l.id WHERE a.id IN (?*) ORDER BY l.id"
)
# fmt: off
RedactableColumns = tuple[
    int, int, int, int, int, bytes | None, bytes | None, str, int, int, bytes | None
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
        for ident, lookup, n, page, codec, body, stored, name, base, owner, position in rows:
            if body is None:
                continue
            raw, endpoint = unpacked(body, codec), endpoints.get(name)
            groups = () if endpoint is None else endpoint.ids
            left = who.cut_out(raw, groups, page=page > 0)
            items = None if stored is None else who.cut_out(bytes(stored), groups)
            if left is None:
                erased.fragments.add(_fragment(bytes(body)))
                if n <= base:  # an older version: the lookup is another one's since
                    _delete_answer(db, ident)
                    erased.answers += 1
                elif not owner:
                    lookups.add(lookup)
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
    erase_lookups(db, lookups, now, erased)


def _delete_answer(db: Database, answer: int) -> None:
    db.change("UPDATE alias SET answer = NULL WHERE answer = ?", (answer,))
    db.change("DELETE FROM mention WHERE answer = ?", (answer,))
    db.change("DELETE FROM answer WHERE id = ?", (answer,))


def forget_aliases(db: Database, erased: Erased) -> None:
    """Delete what is known of the ids and the subjects of those who are forgotten."""
    for kind, digest in sorted(erased.aliases):
        db.change("DELETE FROM alias WHERE kind = ? AND id = ?", (kind, digest))
        db.change("DELETE FROM mention WHERE id = ?", (digest,))
    for some in chunks(sorted(erased.subjects)):
        db.change("UPDATE lookup SET subject = NULL WHERE subject IN (?*)", (some,))
        db.change("DELETE FROM subject WHERE id IN (?*) OR merged_into IN (?*)", (some, some))


def _fragment(body: bytes) -> bytes:
    middle = max(len(body) // 2 - FRAGMENT // 2, 0)
    return body[middle : middle + FRAGMENT]
