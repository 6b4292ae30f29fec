"""Ledgers of earlier versions made into ledgers of this one, in one transaction.

Version 3 lacked some tables and columns, which the schema adds; nothing in it changes. Version 4
noted in place of the subject of an older answer what was known of its ids (mentions of row 0).

Version 2 kept one row for each lookup, with its last answer; of a listing it kept the rows of the
pages. What it knew is written as attempts and answers:

* an answer becomes the usable answer of the last attempt that ended, a listing's pages (as rows,
  codec 2) one answer each; it stands, also where a better one was being asked for;
* a refusal becomes an answer in the words that its provider would use: the body was not kept;
* what was sent by a dead owner is in doubt, as before;
* attempts that may have been charged stay open, at the price of one credit, which is what version
  2 counted.

The keys stay until somebody asks for the same with the client and the account that version 2 had,
which the ledger does not know: `bulk` then gives the lookup its key of today. `about` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from ..linkedin.subject_ids import WEAK
from .database import Database, chunks
from .rule import CODES, Status
from .schema import VERSION

OLD = "2"
OLD_TABLES = ("call", "page")


BATCH = 500
"""Lookups that are copied, then deleted: what is deleted leaves space for the next ones, so a file
does not grow, and no page is written twice."""
_WEAK = ", ".join(f"'{kind}'" for kind in sorted(WEAK))
ROWS = 2
"""The codec of a page's rows, from a ledger of version 2."""
_STATUS: dict[int, Status] = {
    0: "pending",
    1: "in_doubt",
    2: "queued",
    3: "done",
    4: "refused",
    5: "in_doubt",
}
"""Statuses by the code that version 2 gave them; the second one was sent by an owner that died."""


class _Error(msgspec.Struct):
    """An error as version 2 kept it."""

    type: str
    message: str = ""
    status: int = 0
    kind: str = ""


def migrate(database: Database, version: str) -> None:
    """Make the rows of an earlier version those of this one.

    Args:
        database: The connection, inside a transaction, with the tables of both versions.
        version: The version that the ledger has.
    """
    if version == OLD:
        _copy_calls(database)
    else:
        database.change(OF_OLDER)
    database.change("UPDATE about SET value = ? WHERE name = 'version'", (VERSION,))


OF_OLDER = f"""
UPDATE answer SET subject = (
    SELECT min(b.subject) FROM mention m JOIN alias b ON b.id = m.id
    WHERE m.answer = answer.id AND m.row = 0 AND b.kind NOT IN ({_WEAK})
) WHERE id IN (SELECT answer FROM mention WHERE row = 0)
"""
Call = tuple[int, bytes, int, int, int, int, float, float, bytes | None, bytes | None]
MOMENT = "CAST(c.changed * 1000 AS BIGINT)"
PLAIN = (
    "(c.status IN (0, 3) AND c.attempts = CASE c.status WHEN 0 THEN 0 ELSE 1 END AND c.lost = 0 "
    "AND c.credits <= c.attempts AND c.error IS NULL AND (c.body IS NULL) = (c.status = 0) AND "
    "(c.body IS NULL OR substr(c.body, 1, 1) <> ?) "
    "AND NOT EXISTS (SELECT 1 FROM page p WHERE p.key = c.key))"
)
"""Lookups that were never sent, or answered at once: nearly all, which need no look at each."""


def _copy_calls(database: Database) -> None:
    """Copy every lookup of the tables of version 2 into those of today, and drop them."""
    last = 0
    while True:
        # PostgreSQL still meets what is deleted where a range has no beginning.
        rows = database.execute("SELECT min(id) FROM call WHERE id > ?", (last,))
        if (first := cast("int | None", rows[0][0])) is None:
            break
        last = first + BATCH - 1
        database.change(
            "INSERT INTO lookup (key, endpoint, written_as, variant, status, n, cur, changed) "
            "SELECT c.key, c.endpoint, c.given, ?, CASE c.status WHEN 3 THEN 4 ELSE 0 END, "
            f"c.attempts, c.attempts, {MOMENT} FROM call c WHERE c.id BETWEEN ? AND ? "
            "ORDER BY c.id",
            (b"", first, last),
        )
        same, shift = _same_lookup(database, first, last)
        found = f"FROM call c JOIN lookup l ON {same} WHERE c.id BETWEEN ? AND ?"
        database.change(
            "INSERT INTO attempt (lookup, n, owner, price, kind, sent, ended, charged) SELECT "
            f"l.id, 1, 0, 1, '', {MOMENT}, {MOMENT}, c.credits {found} AND {PLAIN} "
            "AND c.status = 3 ORDER BY c.id",
            (*shift, first, last, b"["),
        )
        database.change(
            "INSERT INTO answer (lookup, n, page, at, http, meaning, body) SELECT l.id, 1, 0, "
            f"{MOMENT}, 200, 0, c.body {found} AND {PLAIN} AND c.status = 3 ORDER BY c.id",
            (*shift, first, last, b"["),
        )
        others = database.execute(
            "SELECT l.id, c.key, c.status, c.attempts, c.credits, c.lost, c.due, c.changed, "
            f"c.error, c.body {found} AND NOT {PLAIN} ORDER BY c.id",
            (*shift, first, last, b"["),
        )
        _copy_others(database, cast("list[Call]", others))
        database.change(
            f"INSERT INTO listing (lookup, position) SELECT l.id, c.point {found} "
            "AND c.point IS NOT NULL",
            (*shift, first, last),
        )
        database.change("DELETE FROM call WHERE id BETWEEN ? AND ?", (first, last))
    database.change("DELETE FROM about WHERE name = 'run'")
    database.change("INSERT INTO about (name, value) VALUES ('key_rule', ?)", (OLD,))
    database.execute("DROP TABLE page")
    database.execute("DROP TABLE call")


def _same_lookup(database: Database, first: int, last: int) -> tuple[str, tuple[int, ...]]:
    """The condition under which a lookup `l` is that of an old call `c`, with its values.

    They were inserted in the order of their old numbers. Where neither these nor the new ones have
    a gap, the number tells, which takes a fraction of the time of looking for the key.
    """
    ends = "SELECT count(*), min(id), max(id) FROM call WHERE id BETWEEN ? AND ?"
    ((count, low, high),) = cast(
        "list[tuple[int, int, int]]", database.execute(ends, (first, last))
    )
    found = database.execute(
        "SELECT c.id, l.id FROM call c JOIN lookup l ON l.key = c.key WHERE c.id IN (?*) "
        "ORDER BY c.id",
        (sorted({low, high}),),
    )
    (_, begin), *_, (_, end) = cast("list[tuple[int, int]]", [*found, found[-1]])
    if count == high - low + 1 == end - begin + 1:
        return "l.id = c.id + ?", (begin - low,)
    return "l.key = c.key", ()


def _copy_others(database: Database, rows: Sequence[Call]) -> None:
    """Copy the lookups of which each is a case of its own."""
    pages: dict[bytes, int] = {}
    for keys in chunks([row[1] for row in rows]):
        found = database.execute(
            "SELECT key, max(number) FROM page WHERE key IN (?*) GROUP BY key", (keys,)
        )
        pages.update((bytes(key), n) for key, n in cast("list[tuple[bytes, int]]", found))
    calls = [(row[0], _OldCall(row, pages.get(bytes(row[1]), 0))) for row in rows]
    database.update("lookup", LOOKUP, "id", [(*call.lookup, ident) for ident, call in calls])
    attempts = [(ident, *one) for ident, call in calls for one in call.attempts()]
    database.insert("attempt", ATTEMPT, attempts)
    answers = [(ident, *one) for ident, call in calls for one in call.answers(database)]
    database.insert("answer", ANSWER, answers)


LOOKUP = "status, n, cur, due, pause, page"
ATTEMPT = "lookup, n, owner, price, kind, sent, ended, charged, decided, note"
ANSWER = "lookup, n, page, at, http, meaning, codec, body"


class _OldCall:
    """A row of version 2, as rows of this one."""

    def __init__(self, row: Call, pages: int) -> None:
        _, key, code, attempts, credits, lost, due, changed, error, body = row
        self._key, self._body, self._pages = bytes(key), body, pages
        self._credits, self._lost = credits, lost
        status = _STATUS[code]
        # The last attempt may have been charged.
        doubt = status == "in_doubt"
        found = None if error is None else msgspec.json.decode(bytes(error), type=_Error)
        self._note = None if found is None else found.message
        if body is not None:  # whatever the status: a better answer was hoped for
            status = "done"
        refused = status == "refused" and found is not None and found.status
        self._refusal = found if refused else None
        answers = max(self._pages, int(status == "done" or bool(refused) or credits > 0))
        self._n = max(attempts, lost + answers + doubt)
        # The attempts: those that were decided about, those that ended, the one in doubt.
        self._last = self._n - doubt
        # A listing that has ended is kept as the array of its rows.
        self._listing = bool(self._pages) or (body or b"")[:1] == b"["
        self._page = 0
        if self._listing:
            self._page = self._pages + (not self._pages or status != "done")
        self._at = int(changed * 1000)
        wait = int(due * 1000) if status == "queued" else None
        pause = 0 if wait is None else max(wait - self._at, 0)
        self.lookup = (CODES[status], self._n, self._last, wait, pause, self._page)

    def attempts(self) -> Iterator[tuple[object, ...]]:
        for n in range(1, self._n + 1):
            charged: int | None = self._credits if n == self._last else 0
            if n <= self._lost or n > self._last:
                charged = None
            note = self._note if n == self._n else None
            yield n, 0, 1, "", self._at, self._at, charged, int(n <= self._lost), note

    def answers(self, database: Database) -> Iterator[tuple[object, ...]]:
        if self._pages:
            pages = database.execute("SELECT number, items FROM page WHERE key = ?", (self._key,))
            for number, items in cast("list[tuple[int, bytes]]", pages):
                yield number + self._lost, number, self._at, 200, 0, ROWS, items
        elif self._body is not None:
            codec = ROWS if self._listing else 0
            yield self._last, self._page, self._at, 200, 0, codec, self._body
        if self._refusal is not None:
            kind, text = self._refusal.kind, self._refusal.message
            said = {
                "success": False,
                "code": kind,
                "message": text,
                "error": {"type": kind, "message": text},
            }
            body = msgspec.json.encode(said)
            yield self._last, self._page, self._at, self._refusal.status, 2, 0, body
