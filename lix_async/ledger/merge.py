"""Everything that one ledger holds, taken into another one.

Merging twice changes nothing, and the order of merges makes no difference; see `lookup_copies`.
Which ids belong together is learned again from the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
from msgspec.structs import replace

from ..core.bridge import ReadableStruct
from .database import Columns, Database, chunks
from .forgetting import erase_suppressed
from .lookup_copies import (
    STATE,
    LookupCopy,
    as_bytes,
    combined,
    copies,
    credits_of,
    insert_parts,
    owner_numbers,
    state_of,
    taken_over,
    write_copy,
)
from .migration import OLD
from .store import Store
from .tables import SqlTables

BATCH = 200
"""Lookups of one transaction."""
INPUTS = 2000
"""Inputs of one transaction."""


class MergeReport(ReadableStruct, msgspec.Struct, frozen=True):
    """What a merge has taken in."""

    lookups: int = 0
    """Lookups that are new."""
    answers: int = 0
    """Answers that are new."""
    credits: int = 0
    """Credits of attempts that are new."""
    busy: int = 0
    """Lookups that were in flight in this ledger, and were left for the next merge."""


# One ledger into another


async def merge(target: Store, source: Store) -> MergeReport:
    """Take in everything that another ledger holds.

    It goes on where it was interrupted: what was taken in is known again.

    Args:
        target: The ledger that grows, open.
        source: The other one, open; nothing in it changes.
    """
    await _merge_suppression(target, source)
    forgets = await target.statement(_has_amounts) or await source.statement(
        _has_amounts, writes=False
    )
    before = await target.statement(_amounts, writes=False) if forgets else Counter[Amount]()
    if source.has_old_keys and not target.has_old_keys:
        await target.statement(lambda tables: tables.set_about("key_rule", OLD))
        target.has_old_keys = True
    await _merge_table(target, source, "old_key", "old, key", "(old) DO NOTHING")
    await _merge_exports(target, source)
    runs = await _merge_runs(target, source)
    totals: Counter[str] = Counter()
    last = 0
    while True:

        def read(tables: SqlTables, after: int = last) -> list[LookupCopy]:
            rows = tables.database.execute(
                "SELECT id FROM lookup WHERE id > ? ORDER BY id LIMIT ?", (after, BATCH)
            )
            return copies(tables, [cast("int", row[0]) for row in rows], runs)

        batch = await source.statement(read, writes=False)
        if not batch:
            break
        last = batch[-1].id

        def write(tables: SqlTables, batch: Sequence[LookupCopy] = batch) -> Counter[str]:
            return _take(tables, batch)

        totals.update(await target.statement(write))
    for run, own in runs.items():
        await _merge_inputs(target, source, run, own)
    if totals["lookups"] or totals["answers"]:  # the next run learns whose ids they show
        await target.statement(lambda tables: tables.forget_learned())
        target.has_unlearned = True
    await erase_suppressed(target)
    if forgets:
        await _merge_amounts(target, source, before, runs)
    await target.statement(_recount_runs)
    return MergeReport(
        lookups=totals["lookups"],
        answers=totals["answers"],
        credits=totals["credits"],
        busy=totals["busy"],
    )


async def _merge_suppression(target: Store, source: Store) -> None:
    """Take over who was forgotten there, with the secret of that list."""

    def read(tables: SqlTables) -> tuple[list[str], list[Columns]]:
        rows = tables.database.execute("SELECT kind, mac, at FROM suppressed")
        return tables.suppression.secrets(tables.database), rows

    secrets, rows = await source.statement(read, writes=False)

    def write(tables: SqlTables) -> None:
        tables.suppression.adopt(tables.database, secrets)
        tables.suppression.insert(tables.database, rows)

    if secrets:
        await target.statement(write)


Amount = tuple[int, bytes, str, int]
"""What an attempt of an erased lookup is known by: its moment, owner, kind of credit and price. Of
equal ones there are as many as in the ledger that has most of them."""


def _has_amounts(tables: SqlTables) -> bool:
    """Whether lookups have been erased, or may be by a merge."""
    found = "SELECT 1 FROM attempt WHERE lookup < 0 UNION ALL SELECT 1 FROM suppressed LIMIT 1"
    return bool(tables.database.execute(found))


AMOUNT = "SELECT a.sent, o.token, a.kind, a.price"
OF_OWNER = "FROM attempt a LEFT JOIN owner o ON o.no = a.owner"


def _amounts(tables: SqlTables) -> Counter[Amount]:
    """All attempts, by what amounts are known by."""
    rows = tables.database.execute(f"{AMOUNT}, count(*) {OF_OWNER} GROUP BY 1, 2, 3, 4")
    return Counter({_amount(row): cast("int", row[4]) for row in rows})


def _amount(row: Columns) -> Amount:
    sent, token, kind, price = cast("tuple[int, bytes | None, str, int]", row[:4])
    return sent, bytes(token or b""), kind, price


async def _merge_amounts(
    target: Store, source: Store, before: Counter[Amount], runs: Mapping[int, int]
) -> None:
    """Make the attempts of erased lookups as many as in the ledger that has most of them."""
    columns = "a.run, a.ended, a.family, a.http, a.charged, a.decided, a.lookup, a.n"
    select = (
        f"{AMOUNT}, {columns} {OF_OWNER} WHERE a.lookup < 0 "
        "ORDER BY coalesce(a.charged, -1) DESC, a.lookup, a.n"
    )
    theirs = await source.statement(_amounts, writes=False)
    erased = await source.statement(lambda tables: tables.database.execute(select), writes=False)

    def work(tables: SqlTables) -> None:
        database, now = tables.database, _amounts(tables)
        missing = (before | theirs) - now
        extra = now - (before | theirs)
        for row in reversed(database.execute(select)):
            if extra[_amount(row)] > 0:
                extra[_amount(row)] -= 1
                database.change("DELETE FROM attempt WHERE lookup = ? AND n = ?", row[-2:])
        owners = owner_numbers(database, {_amount(row)[1] for row in erased})
        rows = database.execute("SELECT coalesce(min(lookup), 0) FROM attempt")
        number = min(cast("int", rows[0][0]), -TAKEN_OVER)
        new: list[tuple[object, ...]] = []
        for row in erased:
            sent, token, kind, price = amount = _amount(row)
            if missing[amount] > 0:
                missing[amount] -= 1
                number -= 1
                run = runs.get(cast("int", row[4]))
                new.append((number, 1, run, owners.get(token, 0), price, kind, sent, *row[5:10]))
        database.insert(
            "attempt",
            "lookup, n, run, owner, price, kind, sent, ended, family, http, charged, decided",
            new,
        )

    await target.statement(work)


TAKEN_OVER = 1 << 40
"""Amounts of other ledgers have numbers below this one's negative: no lookup has had them."""


def _take(tables: SqlTables, batch: Sequence[LookupCopy]) -> Counter[str]:
    """Take in some lookups of another ledger, in one transaction."""
    database, count = tables.database, Counter[str]()
    names = _names(database, [one.key for one in batch])
    wanted = sorted({names.get(one.key, one.key) for one in batch})
    rows = database.execute(
        f"SELECT id, key FROM lookup WHERE key IN (?*) ORDER BY id{database.for_update}", (wanted,)
    )
    ids = {bytes(key): ident for ident, key in cast("list[tuple[int, bytes]]", rows)}
    known = {one.key: one for one in copies(tables, sorted(ids.values()))}
    tokens = {a.token for one in (*batch, *known.values()) for a in one.attempts.values()}
    owners = owner_numbers(database, tokens)
    new: dict[bytes, LookupCopy] = {}
    for one in batch:
        copy = taken_over(replace(one, key=names.get(one.key, one.key)))
        mine = known.get(copy.key)
        if mine is None:
            new[copy.key] = combined(new[copy.key], copy) if copy.key in new else copy
            continue
        if mine.busy or mine.status == "sent":
            count["busy"] += 1
            continue
        both = combined(mine, copy)
        if both is not mine:
            count["answers"] += len(both.answers) - len(mine.answers)
            count["credits"] += credits_of(both) - credits_of(mine)
            write_copy(database, mine, both, owners)
            (known[copy.key],) = copies(tables, [mine.id])
    columns = f"key, endpoint, written_as, variant, {STATE}"
    values = [
        (one.key, one.endpoint, one.written_as, one.variant, *state_of(one)) for one in new.values()
    ]
    inserted = database.insert_new("lookup", columns, values, "key") if values else []
    made = [(ident, new[bytes(key)]) for key, ident in cast("list[tuple[bytes, int]]", inserted)]
    insert_parts(database, made, owners)
    count["lookups"] += len(made)
    count["answers"] += sum(len(one.answers) for _, one in made)
    count["credits"] += sum(credits_of(one) for _, one in made)
    return count


def _names(database: Database, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """The keys of today of those that lookups here had under version 2."""
    rows = database.execute("SELECT old, key FROM old_key WHERE old IN (?*)", (list(keys),))
    return {bytes(old): bytes(key) for old, key in cast("list[tuple[bytes, bytes]]", rows)}


async def _merge_table(
    target: Store, source: Store, table: str, columns: str, conflict: str
) -> None:
    rows = await source.statement(
        lambda tables: tables.database.execute(f"SELECT {columns} FROM {table}"), writes=False
    )
    await target.statement(lambda tables: tables.database.insert(table, columns, rows, conflict))


async def _merge_exports(target: Store, source: Store) -> None:
    select = "SELECT at, place, what FROM export"
    theirs = await source.statement(lambda tables: tables.database.execute(select), writes=False)

    def work(tables: SqlTables) -> None:
        new = Counter(theirs) - Counter(tables.database.execute(select))
        tables.database.insert("export", "at, place, what", sorted(new.elements()))

    await target.statement(work)


RUN = "id, name, method, options, cap, began, ended"
RunColumns = tuple[int, str, str, str, int | None, int, int | None]


async def _merge_runs(target: Store, source: Store) -> dict[int, int]:
    """The runs of the other ledger: for its number of each, the number here."""
    select = f"SELECT {RUN} FROM run ORDER BY id"
    rows = await source.statement(lambda tables: tables.database.execute(select), writes=False)
    theirs = cast("list[RunColumns]", rows)

    def work(tables: SqlTables) -> dict[int, int]:
        own = cast("list[RunColumns]", tables.database.execute(select))
        known = dict(_named(own))
        numbers: dict[int, int] = {}
        for name, run in _named(theirs):
            ident, *values = run
            mine = known.get(name)
            if mine is None:
                made = tables.database.execute(
                    "INSERT INTO run (name, method, options, cap, began, ended) "
                    "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
                    values,
                )
                numbers[ident] = cast("int", made[0][0])
                continue
            numbers[ident] = mine[0]
            caps = [cap for cap in (mine[4], run[4]) if cap is not None]
            both = mine[6] is not None and run[6] is not None
            tables.database.change(
                "UPDATE run SET cap = ?, began = ?, ended = ? WHERE id = ?",
                (
                    *(min(caps, default=None), min(mine[5], run[5])),
                    *(max(mine[6] or 0, run[6] or 0) if both else None, mine[0]),
                ),
            )
        return numbers

    return await target.statement(work)


def _named(runs: Sequence[RunColumns]) -> list[tuple[tuple[object, ...], RunColumns]]:
    """What runs are known by in every ledger: their name, else all that is fixed, and a number."""
    places: Counter[tuple[object, ...]] = Counter()
    named: list[tuple[tuple[object, ...], RunColumns]] = []
    for run in runs:
        fixed: tuple[object, ...] = (run[1],) if run[1] else ("", *run[2:4], run[5])
        named.append(((*fixed, places[fixed]), run))
        places[fixed] += 1
    return named


CopiedInput = tuple[int, bytes | None, bytes | None, str, str, bytes | None]


async def _merge_inputs(target: Store, source: Store, run: int, own: int) -> None:
    first = 0
    while True:

        def read(tables: SqlTables, after: int = first) -> list[CopiedInput]:
            return _inputs(tables.database, run, after, None)

        batch = await source.statement(read, writes=False)
        if not batch:
            return

        def write(tables: SqlTables, batch: Sequence[CopiedInput] = batch) -> None:
            database = tables.database
            names = _names(database, [row[1] for row in batch if row[1] is not None])
            theirs = [
                (row[0], None if row[1] is None else names.get(row[1], row[1]), *row[2:])
                for row in batch
            ]
            mine = {row[0]: row for row in _inputs(database, own, batch[0][0] - 1, batch[-1][0])}
            new = [
                row
                for row in theirs
                if row[0] not in mine or _written(row) > _written(mine[row[0]])
            ]
            ids: dict[bytes, int] = {}
            for some in chunks(sorted({row[1] for row in new if row[1] is not None})):
                rows = database.execute("SELECT key, id FROM lookup WHERE key IN (?*)", (some,))
                ids.update((bytes(k), ident) for k, ident in cast("list[tuple[bytes, int]]", rows))
            database.insert(
                "input",
                "run, row, lookup, given, state, note, ref",
                [(own, row[0], ids.get(row[1] or b""), *row[2:]) for row in new],
                "(run, row) DO UPDATE SET lookup = excluded.lookup, given = excluded.given, "
                "state = excluded.state, note = excluded.note, ref = excluded.ref",
            )

        await target.statement(write)
        first = batch[-1][0]


def _written(row: CopiedInput) -> tuple[bytes, ...]:
    """Orders inputs that two ledgers have under one number."""
    return tuple(part.encode() if isinstance(part, str) else part or b"" for part in row[1:])


def _inputs(database: Database, run: int, after: int, last: int | None) -> list[CopiedInput]:
    rows = database.execute(
        "SELECT i.row, l.key, coalesce(i.given, l.written_as), i.state, i.note, i.ref FROM input i "
        "LEFT JOIN lookup l ON l.id = i.lookup WHERE i.run = ? AND i.row > ? "
        "AND i.row <= coalesce(?, i.row) ORDER BY i.row LIMIT ?",
        (run, after, last, INPUTS),
    )
    return [
        (row, as_bytes(key), as_bytes(given), state, note, as_bytes(ref))
        for row, key, given, state, note, ref in cast("list[CopiedInput]", rows)
    ]


def _recount_runs(tables: SqlTables) -> None:
    """The money of the runs that have a cap is the sum over their attempts."""
    database = tables.database
    rows = database.execute(f"SELECT id FROM run WHERE cap IS NOT NULL{database.for_update}")
    for (run,) in rows:
        totals = database.execute(RUN_TOTALS, (run,))[0]
        values = [(*(int(cast("int", total)) for total in totals), run)]
        database.update("run", "held, spent, maybe", "id", values)


RUN_TOTALS = """
SELECT coalesce(sum(CASE WHEN ended IS NULL THEN price ELSE 0 END), 0),
    coalesce(sum(charged), 0),
    coalesce(sum(CASE WHEN ended IS NOT NULL AND charged IS NULL THEN price ELSE 0 END), 0)
FROM attempt WHERE run = ?
"""
"""What the attempts of a run hold, have cost and may have cost."""
