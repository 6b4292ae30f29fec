"""The size of a ledger, whether what it holds agrees, and packing it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import cast

import msgspec

from ..core.bridge import ReadableStruct
from .database import Database
from .merge import RUN_TOTALS
from .records import PACKED, unpacked
from .schema import BODY
from .store import Store
from .tables import SqlTables

KINDS = {
    "answers": ("answer", "listing"),
    "attempts": ("attempt",),
    "inputs": ("input", "run"),
    "lookups": ("lookup",),
    "identities": ("alias", "subject", "mention"),
}
"""The tables by what people call their rows; the first one has the rows."""
BATCH = 500
PACKED_FROM = 512
"""Bytes of the shortest body that is packed."""
LEVEL = 6
PACKABLE = """
SELECT a.id, a.codec, a.body, p.id, p.codec, p.body FROM answer a
LEFT JOIN answer p ON p.id = (SELECT b.id FROM answer b WHERE b.lookup = a.lookup
    AND b.page = a.page AND b.n < a.n AND b.meaning = 0 AND b.same_as IS NULL
    ORDER BY b.n DESC LIMIT 1)
WHERE a.id > ? ORDER BY a.id LIMIT ?
"""
"""Bodies, each with the version before it."""
PackableColumns = tuple[int, int, bytes | None, int | None, int, bytes]
MOST = 100
"""Rows that are named for one problem at most."""


class KindSize(msgspec.Struct, frozen=True):
    """How much of a ledger one kind of rows is."""

    rows: int
    """The number of rows."""
    bytes: int | None
    """On the disk, indexes included; None where the database cannot tell."""


class LedgerSize(ReadableStruct, msgspec.Struct, frozen=True):
    """How much a ledger holds."""

    bytes: int
    """On the disk."""
    free: int
    """Bytes that new rows will use before it grows."""
    kinds: dict[str, KindSize]
    """The sizes of the parts, by what they hold."""


class Compaction(ReadableStruct, msgspec.Struct, frozen=True):
    """What packing a ledger has saved."""

    before: int
    """Bytes on the disk before."""
    after: int
    """Bytes on the disk afterwards."""
    packed: int
    """Bodies that were packed now, or that are stored once with the equal version before them."""


async def measure(store: Store) -> LedgerSize:
    """The size of an open ledger."""
    total, free, tables_bytes = await store.disk_usage()

    def count(tables: SqlTables) -> dict[str, KindSize]:
        return {
            kind: KindSize(
                cast("int", tables.database.execute(f"SELECT count(*) FROM {names[0]}")[0][0]),
                sum(tables_bytes.get(name, 0) for name in names) if tables_bytes else None,
            )
            for kind, names in KINDS.items()
        }

    return LedgerSize(total, free, await store.statement(count, writes=False))


async def compact(store: Store, *, full: bool = False) -> Compaction:
    """Pack the bodies of an open ledger without loss, and give the space back.

    Args:
        store: The ledger.
        full: In PostgreSQL, rewrite the tables: no other process can use them meanwhile.
    """
    before, _, _ = await store.disk_usage()
    last = packed = 0
    while True:

        def pack(tables: SqlTables, after: int = last) -> tuple[int, int]:
            rows = cast("list[PackableColumns]", tables.database.execute(PACKABLE, (after, BATCH)))
            changed: list[tuple[bytes | None, int, int | None, int]] = []
            shared: dict[int, int] = {}
            for ident, codec, body, earlier, old_codec, old_body in rows:
                if body is None:
                    continue
                if earlier is not None and _is_equal(codec, body, old_codec, old_body):
                    shared[ident] = shared.get(earlier, earlier)
                    changed.append((None, 0, shared[ident], ident))
                elif not codec & PACKED and len(body) >= PACKED_FROM:
                    short = zlib.compress(body, LEVEL)
                    if len(short) < len(body):
                        changed.append((short, codec | PACKED, None, ident))
            tables.database.update("answer", "body, codec, same_as", "id", changed)
            return (rows[-1][0] if rows else 0), len(changed)

        last, count = await store.statement(pack)
        if not last:
            break
        packed += count
    await store.vacuum(full=full)
    after, _, _ = await store.disk_usage()
    return Compaction(before, after, packed)


def _is_equal(codec: int, body: bytes, old_codec: int, old_body: bytes) -> bool:
    """Whether a body is the one before it, packed or not."""
    same_kind = (codec ^ old_codec) in (0, PACKED)
    return same_kind and unpacked(body, codec) == unpacked(old_body, old_codec)


async def verify(store: Store) -> list[str]:
    """What does not agree in an open ledger; empty where all does."""
    problems = await store.damages()
    problems += await store.statement(
        lambda tables: list(_disagreements(tables.database)), writes=False
    )
    last = 0
    while True:

        def unpack(tables: SqlTables, after: int = last) -> tuple[int, list[str]]:
            rows = tables.database.execute(
                "SELECT id, lookup, codec, body FROM answer WHERE id > ? AND body IS NOT NULL "
                "ORDER BY id LIMIT ?",
                (after, BATCH),
            )
            found: list[str] = []
            for _, lookup, codec, body in cast("list[tuple[int, int, int, bytes]]", rows):
                try:
                    unpacked(body, codec)
                except zlib.error as error:
                    found.append(f"lookup {lookup}: an answer cannot be unpacked: {error}")
            return (cast("int", rows[-1][0]) if rows else 0), found

        last, found = await store.statement(unpack, writes=False)
        if not last:
            return problems
        problems += found


def _disagreements(database: Database) -> Iterator[str]:
    for problem, query in CHECKS.items():
        rows = database.execute(f"{query} ORDER BY 1 LIMIT ?", (MOST + 1,))
        for (ident,) in rows[:MOST]:
            yield f"{problem.format(ident)}"
        if len(rows) > MOST:
            yield f"{problem.format('…')}: and more"
    rows = database.execute("SELECT id, held, spent, maybe FROM run WHERE cap IS NOT NULL")
    for run, *totals in cast("list[tuple[int, int, int, int]]", rows):
        sums = [int(cast("int", total)) for total in database.execute(RUN_TOTALS, (run,))[0]]
        if totals != sums:
            yield f"run {run}: its totals are {totals}, those of its attempts {sums}"


STANDS = "SELECT 1 FROM answer a WHERE a.lookup = l.id AND a.meaning"
CHECKS = {
    "lookup {}: its attempts are not numbered from 1 to the last": (
        "SELECT l.id FROM lookup l LEFT JOIN attempt a ON a.lookup = l.id GROUP BY l.id, l.n "
        "HAVING count(a.n) <> l.n OR coalesce(max(a.n), 0) <> l.n"
    ),
    "lookup {}: it refers to an attempt that it does not have": (
        "SELECT l.id FROM lookup l WHERE l.base > l.n OR l.cur > l.n OR l.base < 0 OR l.cur < 0"
    ),
    "lookup {}: it is done, without a usable answer": (
        f"SELECT l.id FROM lookup l WHERE l.status = 4 AND NOT EXISTS ({STANDS} = 0 "
        "AND (a.n = l.cur OR (l.page > 0 AND a.n < l.cur)))"
    ),
    "lookup {}: its older answer is missing": (
        f"SELECT l.id FROM lookup l WHERE l.refresh IS NOT NULL AND NOT EXISTS ({STANDS} = 0 "
        "AND a.n = l.refresh)"
    ),
    "lookup {}: it is unreadable, without an answer": (
        f"SELECT l.id FROM lookup l WHERE l.status = 5 AND NOT EXISTS ({STANDS} = 1 "
        "AND a.n <= l.cur) AND NOT EXISTS (SELECT 1 FROM attempt t WHERE t.lookup = l.id "
        # Charged, as the balances show.
        "AND t.n = l.cur AND t.charged > 0 AND coalesce(t.family, '') <> 'unusable')"
    ),
    "lookup {}: it was answered, without an answer": (
        "SELECT l.id FROM lookup l WHERE l.status = 2 AND NOT EXISTS "
        "(SELECT 1 FROM answer a WHERE a.lookup = l.id AND a.n = l.cur)"
    ),
    "lookup {}: it is refused, without a refusal or a decision": (
        "SELECT l.id FROM lookup l WHERE l.status = 6 AND NOT EXISTS (SELECT 1 FROM answer a "
        "WHERE a.lookup = l.id AND a.meaning = 2) AND NOT EXISTS (SELECT 1 FROM attempt t "
        "WHERE t.lookup = l.id AND (t.decided = 1 OR t.owner = 0))"
    ),
    "lookup {}: it is in doubt, and its last attempt is settled": (
        "SELECT l.id FROM lookup l JOIN attempt t ON t.lookup = l.id AND t.n = l.n "
        "WHERE l.status = 7 AND t.charged IS NOT NULL"
    ),
    "lookup {}: it is in flight, without an owner or an open attempt": (
        "SELECT l.id FROM lookup l JOIN attempt t ON t.lookup = l.id AND t.n = l.n "
        "WHERE l.status = 1 AND (l.owner = 0 OR t.ended IS NOT NULL)"
    ),
    "lookup {}: it has an owner, and is not in flight": (
        "SELECT l.id FROM lookup l WHERE l.owner <> 0 AND l.status NOT IN (1, 2)"
    ),
    "lookup {}: what its usable answer has cost is not known": (
        "SELECT DISTINCT a.lookup FROM answer a JOIN attempt t ON t.lookup = a.lookup "
        "AND t.n = a.n WHERE a.meaning = 0 AND t.charged IS NULL"
    ),
    "lookup {}: the body of an answer is missing": (
        f"SELECT DISTINCT a.lookup FROM answer a WHERE {BODY} IS NULL"
    ),
    "lookup {}: an answer has no attempt": (
        "SELECT DISTINCT a.lookup FROM answer a LEFT JOIN attempt t ON t.lookup = a.lookup "
        "AND t.n = a.n WHERE t.n IS NULL"
    ),
    "lookup {}: it is missing, and has attempts": (
        "SELECT DISTINCT t.lookup FROM attempt t LEFT JOIN lookup l ON l.id = t.lookup "
        "WHERE l.id IS NULL AND t.lookup > 0"  # below 0: of lookups that were forgotten
    ),
    "lookup {}: it is missing, and an input leads to it": (
        "SELECT DISTINCT i.lookup FROM input i LEFT JOIN lookup l ON l.id = i.lookup "
        "WHERE l.id IS NULL AND i.lookup IS NOT NULL"
    ),
    "answer {}: it is about a subject that is missing": (
        "SELECT a.id FROM answer a LEFT JOIN subject s ON s.id = a.subject "
        "WHERE a.subject IS NOT NULL AND (s.id IS NULL OR s.merged_into IS NOT NULL)"
    ),
    "subject {}: it is missing, and an id leads to it": (
        "SELECT DISTINCT x.subject FROM alias x LEFT JOIN subject s ON s.id = x.subject "
        "WHERE s.id IS NULL"
    ),
}
"""Each problem, with a query for the rows that have it."""
