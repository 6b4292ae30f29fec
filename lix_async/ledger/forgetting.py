"""People and organisations forgotten, and answers deleted by their age.

First their ids are suppressed, which is durable before anything is erased: from then on nothing is
bought about them. Then all rows and texts of theirs are erased, whoever's answer they are in. At
last the database gives up what was deleted, and is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import NamedTuple, TypeVar, cast

import msgspec

from ..core.bridge import ReadableStruct
from ..core.errors import BulkError
from ..core.installed_providers import all_endpoints
from ..linkedin.subject_ids import WEAK, AliasKey, Identifier
from .aliases import load_aliases, load_subjects
from .database import Columns, Database, chunks
from .erased_rows import (
    Erased,
    delete_lookups,
    erase_subjects,
    forget_aliases,
    forget_older_slugs,
    in_flight,
    redact,
    separate_bodies,
    suppress,
)
from .erasure import ErasedIds, needles
from .records import Export, unpacked
from .resolution import identify, ids_anywhere
from .schema import BODY, CODEC
from .store import Store
from .suppression import OF_LOOKUP, SuppressedId
from .tables import SqlTables

T = TypeVar("T")
BATCH = 500
"""Rows of one transaction."""
WAIT = 60.0
"""Seconds that lookups in flight are waited for."""
POLL = 0.1


class Remainder(msgspec.Struct, frozen=True, kw_only=True):
    """What a database still has on the disk of what was erased, as far as that is known."""

    found: list[str] = []
    """Where an id or an answer was found; empty after a search that found none."""
    held_by: list[int] = []
    """Processes that keep the write-ahead log from being emptied: close them, and repeat."""
    copies: list[str] = []
    """Other files that may have it: copies of earlier versions, ledgers that were taken in."""
    note: str = ""
    """What the database itself cannot erase, for people."""


class Forgotten(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, and what the user has to erase."""

    ids: int
    """Ids that are suppressed: those given, and all others that were known of them."""
    lookups: int
    """Lookups of them that were erased."""
    answers: int
    """Answers about them that were erased, older versions included."""
    redacted: int
    """Answers about others from which they were cut out."""
    inputs: int
    """Inputs of runs, other than those of the lookups, that named them."""
    remainder: Remainder
    """What is still in the file, or was there for a while."""
    exports: list[Export]
    """What was exported when and where, which cannot be erased from here."""


class Purged(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted because of its age."""

    lookups: int
    """Lookups that were deleted."""
    answers: int
    """Answers that were deleted, older versions included."""
    remainder: Remainder
    """What is still in the file, or was there for a while."""


async def forget(
    store: Store, given: Sequence[str], *, full: bool = False, wait: float = WAIT
) -> Forgotten:
    """Erase people and organisations from an open ledger, and never look them up again.

    Args:
        store: The ledger.
        given: Their links or ids; all other ids that are known of them count as well.
        full: In PostgreSQL, rewrite the tables; no other process can use them meanwhile.
        wait: Seconds that lookups of theirs which are in flight are waited for.

    Raises:
        ConfigurationError: A text has no id.
        BulkError: Lookups are in flight for longer, or the secret of the list is missing. They are
            suppressed by then: repeat it.
    """
    identifiers = {identify(text) for text in given}
    erased, inputs = Erased(ids=set(identifiers)), 0
    common_kinds: set[str] = set()
    await store.learn_ids()
    exports = await store.statement(lambda tables: tables.exports(), writes=False)

    def begin(tables: SqlTables) -> None:
        # Whoever writes at this moment has announced what it announces, and no other process does.
        db = tables.database
        db.execute(f"SELECT no FROM owner WHERE dead = 0 ORDER BY no{db.for_update}")
        given = [one.alias for one in identifiers]
        erased.subjects.update(one.subject for one in load_aliases(db, given).values())
        strong = [{*one.strong} for one in load_subjects(db, erased.subjects).values()]
        common_kinds.update(set[str].intersection(*strong) if strong else ())
        suppress(db, tables.suppression, given, store.now, erased)

    await store.statement(begin)
    named = await _named_lookups(store, erased.who)

    def erase(tables: SqlTables) -> None:
        ids: list[SuppressedId] = [*erased.aliases, *((OF_LOOKUP, key) for key in named)]
        for key in named:
            erased.kinds[OF_LOOKUP, key].update(common_kinds)
        erase_subjects(tables.database, tables.suppression, ids, store.now, erased)

    await store.statement(erase)
    if await _read_unread(store, erased):
        named |= await _named_lookups(store, erased.who)
        await store.statement(erase)
    deadline = store.clock.now() + wait
    while await store.statement(lambda tables: in_flight(tables.database, erased.keys)):
        if store.clock.now() > deadline:
            raise BulkError(
                "a lookup of theirs is in flight in another process: they are suppressed, and "
                "nothing is bought about them; repeat the command to erase the rest"
            )
        await store.clock.sleep(POLL)
        await store.release_dead()
        await store.statement(erase)
    inputs = await _erase_texts(store, erased)
    await store.statement(lambda tables: forget_aliases(tables.database, erased))
    remainder = await _remainder(store, erased, full=full)
    return Forgotten(
        ids=len(erased.aliases),
        lookups=erased.lookups,
        answers=erased.answers,
        redacted=erased.redacted,
        inputs=inputs,
        remainder=remainder,
        exports=exports,
    )


async def erase_suppressed(store: Store) -> None:
    """Erase whoever is suppressed, where another ledger's rows and list have been taken in."""

    def work(tables: SqlTables) -> Erased:
        erased, db = Erased(), tables.database
        rows = db.execute("SELECT kind, id FROM alias")
        ids = [(kind, bytes(digest)) for kind, digest in cast("list[tuple[str, bytes]]", rows)]
        rows = db.execute("SELECT key FROM lookup")
        keys = [(OF_LOOKUP, bytes(key)) for (key,) in cast("list[tuple[bytes]]", rows)]
        found = tables.suppressed([*ids, *keys])
        if found:
            erase_subjects(db, tables.suppression, found, store.now, erased)
            forget_older_slugs(db, tables.suppression, {x for x in found if x[0] in WEAK})
        return erased

    def is_active(tables: SqlTables) -> bool:
        tables.suppression.read(tables.database)
        return tables.suppression.active

    if not await store.statement(is_active):
        return
    await store.learn_ids()
    erased = await store.statement(work)
    if erased.aliases or erased.keys:
        await _read_unread(store, erased)
        await _erase_texts(store, erased)
        await store.release_deleted(full=False)


async def purge(store: Store, before: int, *, full: bool = False) -> Purged:
    """Delete answers from before a moment, and lookups that have none since; their amounts stay.

    Args:
        store: The ledger.
        before: Epoch milliseconds.
        full: In PostgreSQL, rewrite the tables.
    """
    lookups = answers = last = 0
    while True:

        def work(tables: SqlTables, after: int = last) -> tuple[int, int, int]:
            return _purge(tables.database, after, before, store.now)

        last, gone, old = await store.statement(work)
        if not last:
            break
        lookups, answers = lookups + gone, answers + old
    await store.statement(lambda tables: _purge_aliases(tables.database, before))
    return Purged(
        lookups=lookups, answers=answers, remainder=await _remainder(store, Erased(), full=full)
    )


def _purge(db: Database, after: int, before: int, now: int) -> tuple[int, int, int]:
    """Purge some lookups; the last one that was read, and how many lookups and answers went."""
    rows = db.execute(
        "SELECT l.id, l.owner, l.changed, (SELECT max(a.at) FROM answer a WHERE a.lookup = l.id) "
        f"FROM lookup l WHERE l.id > ? ORDER BY l.id LIMIT ?{db.for_update}",
        (after, BATCH),
    )
    found = cast("list[tuple[int, int, int, int | None]]", rows)
    # Of a listing, the pages stay together: they are one answer.
    old = [
        ident
        for ident, owner, changed, at in found
        if not owner and (changed if at is None else at) < before
    ]
    newer = [ident for ident, *_ in found if ident not in set(old)]
    answers = 0
    for some in chunks(newer):
        stale = (
            "SELECT a.id FROM answer a JOIN lookup l ON l.id = a.lookup "
            "WHERE a.lookup IN (?*) AND a.at < ? AND a.n <= l.base AND a.meaning IS NOT NULL "
            # What stands may be older than the base, where nothing newer was bought.
            "AND CASE WHEN l.page = 0 THEN a.n <> coalesce(l.refresh, l.cur) "
            "ELSE l.refresh IS NULL AND l.cur > l.base END"
        )
        separate_bodies(db, f"a.same_as IN ({stale})", (some, before))
        db.change(f"UPDATE alias SET answer = NULL WHERE answer IN ({stale})", (some, before))
        db.change(f"DELETE FROM mention WHERE answer IN ({stale})", (some, before))
        answers += db.change(f"DELETE FROM answer WHERE id IN ({stale})", (some, before))
    for some in chunks(old):
        rows = db.execute("SELECT count(*) FROM answer WHERE lookup IN (?*)", (some,))
        answers += cast("int", rows[0][0])
        db.change("DELETE FROM input WHERE lookup IN (?*)", (some,))
        delete_lookups(db, some, now)
    return (found[-1][0] if found else 0), len(old), answers


def _purge_aliases(db: Database, before: int) -> None:
    """Purge the ids of those about whom nothing is left."""
    db.change(
        "DELETE FROM alias WHERE seen < ? AND NOT EXISTS "
        "(SELECT 1 FROM lookup WHERE lookup.subject = alias.subject) AND NOT EXISTS "
        "(SELECT 1 FROM answer WHERE answer.subject = alias.subject)",
        (before,),
    )


class _Scanned(NamedTuple):
    """A table whose texts may name somebody."""

    select: str
    """Its key, its texts, and what else is needed, after a key, in its order."""
    keys: int


LOOKUPS = _Scanned(
    "SELECT id, written_as, endpoint, key FROM lookup WHERE id > ? ORDER BY id LIMIT ?", 1
)
ANSWERS = _Scanned(
    f"SELECT a.id, {CODEC}, {BODY}, a.rows FROM answer a WHERE a.id > ? ORDER BY a.id LIMIT ?", 1
)
INPUTS = _Scanned(
    "SELECT run, row, given, ref, note FROM input WHERE (run, row) > (?, ?) "
    "ORDER BY run, row LIMIT ?",
    2,
)
NOTES = _Scanned(
    "SELECT lookup, n, note FROM attempt WHERE (lookup, n) > (?, ?) AND note IS NOT NULL "
    "ORDER BY lookup, n LIMIT ?",
    2,
)
FIRST = -(1 << 62)


async def _named_lookups(store: Store, who: ErasedIds) -> set[bytes]:
    """The keys of lookups whose input names somebody, whoever their answer is about."""
    endpoints = all_endpoints()

    def named(row: Columns) -> bytes | None:
        _, written_as, name, key = cast("tuple[int, bytes, str, bytes]", row)
        endpoint = endpoints.get(name)
        subject = None if endpoint is None else endpoint.subject
        return bytes(key) if who.are_given(bytes(written_as), subject) else None

    return set(await _matching(store, LOOKUPS, named))


async def _read_unread(store: Store, erased: Erased) -> bool:
    """Find out how ids are written that are known by their code only: their answers were purged.

    Returns:
        Whether some were found.
    """
    before = len(erased.ids)
    for table in (LOOKUPS, INPUTS, ANSWERS):
        unread = erased.aliases - {one.alias for one in erased.ids}
        if not unread:
            break

        def ids(
            row: Columns, table: _Scanned = table, unread: Set[AliasKey] = unread
        ) -> set[Identifier] | None:
            texts = [one for one in row[table.keys :] if isinstance(one, bytes)]
            if table is ANSWERS and texts:
                texts[0] = unpacked(texts[0], cast("int", row[1]))
            found = {one for text in texts for one in ids_anywhere(text) if one.alias in unread}
            return found or None

        erased.ids.update(*await _matching(store, table, ids))
    return len(erased.ids) > before


async def _matching(store: Store, table: _Scanned, match: Callable[[Columns], T | None]) -> list[T]:
    """What a function finds in the rows of a table, read in small transactions."""
    found: list[T] = []
    after: Columns = (FIRST,) * table.keys
    while True:

        def read(tables: SqlTables, after: Columns = after) -> list[Columns]:
            return tables.database.execute(table.select, (*after, BATCH))

        rows = await store.statement(read, writes=False)
        if not rows:
            return found
        found += [one for one in map(match, rows) if one is not None]
        after = rows[-1][: table.keys]


SMALL = (("run", "id", "name, options"), ("export", "id", "place, what"))
"""Tables of few rows: their key, and their texts."""


async def _erase_texts(store: Store, erased: Erased) -> int:
    """Erase those who are forgotten from the texts of all tables.

    Returns:
        How many inputs named them.
    """
    who = erased.who

    def answer(row: Columns) -> int | None:
        ident, codec, body, rows = cast("tuple[int, int, bytes | None, bytes | None]", row)
        texts = (b"" if body is None else unpacked(body, codec), bytes(rows or b""))
        return ident if any(map(who.may_be_in, texts)) else None

    answers = await _matching(store, ANSWERS, answer)
    for some in chunks(answers):
        await store.statement(
            lambda tables, some=some: redact(tables.database, some, store.now, erased)  # type: ignore[misc]  # bound at once
        )

    def given(row: Columns) -> tuple[object, ...] | None:
        run, place, text, ref, note = cast("tuple[int, int, bytes | None, bytes | None, str]", row)
        if text is not None and who.are_given(bytes(text), None):
            return None, None, "suppressed", "", run, place
        if who.are_in(bytes(ref or b"")) or who.are_in(note):
            return text, None, "", "", run, place
        return None

    inputs = await _matching(store, INPUTS, given)

    def note(row: Columns) -> tuple[object, ...] | None:
        lookup, n, text = cast("tuple[int, int, str]", row)
        return (None, lookup, n) if who.are_in(text) else None

    notes = await _matching(store, NOTES, note)

    def write(tables: SqlTables) -> None:
        db = tables.database
        for text, ref, state, about, run, row in inputs:
            if state:
                db.change("UPDATE input SET lookup = NULL WHERE run = ? AND row = ?", (run, row))
                values = (text, ref, state, about, run, row)
                db.update("input", "given, ref, state, note", "run, row", [values])
            else:
                db.update("input", "ref, note", "run, row", [(ref, about, run, row)])
        db.update("attempt", "note", "lookup, n", notes)
        for table, key, columns in SMALL:
            for ident, *texts in db.execute(f"SELECT {key}, {columns} FROM {table}"):
                left = [who.without(str(text)) for text in texts]
                if left != texts:
                    db.update(table, columns, key, [(*left, ident)])

    await store.statement(write)
    return sum(bool(row[2]) for row in inputs)


async def _remainder(store: Store, erased: Erased, *, full: bool) -> Remainder:
    """Make the database give up what was deleted, and search it."""
    copies = await store.copies()
    held_by, note = await store.release_deleted(full=full)
    found = await _search(store, erased)
    if found and not held_by:
        await store.vacuum(full=full)  # left by a version that did not overwrite what it deleted
        held_by, note = await store.release_deleted(full=full)
        found = await _search(store, erased)
    return Remainder(found=found, held_by=held_by, copies=copies, note=note)


async def _search(store: Store, erased: Erased) -> list[str]:
    """Where the tables and files still have an id or an answer of those who are forgotten."""
    who = erased.gone
    found: set[str] = set()

    def row_of(name: str) -> Callable[[Columns], str | None]:
        def match(row: Columns) -> str | None:
            values = list(row)
            if name == "answer" and values[2] is not None:
                values[2] = unpacked(cast("bytes", values[2]), cast("int", values[1]))
            texts = [value for value in values if isinstance(value, str | bytes)]
            return name if any(map(who.are_in, texts)) else None

        return match

    tables = {"lookup": LOOKUPS, "answer": ANSWERS, "input": INPUTS, "attempt": NOTES}
    for name, table in tables.items() if who.ids else ():
        found.update(await _matching(store, table, row_of(name)))
    hits = await store.search_files(needles(who.ids), sorted(erased.fragments))
    for place, pattern in hits:
        if pattern in erased.fragments and await _is_of_others(store, pattern):
            continue
        found.add(place)
    return sorted(found)


async def _is_of_others(store: Store, fragment: bytes) -> bool:
    """Whether something that stays has a fragment too: some answers say little but a link."""

    def match(row: Columns) -> bool | None:
        values = [one.encode() if isinstance(one, str) else one for one in row]
        return any(isinstance(one, bytes) and fragment in one for one in values) or None

    for table in (ANSWERS, LOOKUPS, INPUTS):
        if await _matching(store, table, match):
            return True
    return False
