"""Ledgers of version 2 made into ledgers of version 3, in one transaction.

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
from typing import Protocol, cast

import msgspec

from .database import Columns
from .rule import Status
from .schema import VERSION
from .tables import CODES

OLD = "2"
OLD_TABLES = ("call", "page")


class Statements(Protocol):
    """A connection inside a transaction."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Columns]:
        """Run a statement; its rows."""
        ...

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement; how many rows it changed."""
        ...


BATCH = 500
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
ANSWER = (
    "INSERT INTO answer (lookup, n, page, at, http, meaning, codec, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class _Error(msgspec.Struct):
    """An error as version 2 kept it."""

    type: str
    message: str = ""
    status: int = 0
    kind: str = ""


def migrate(database: Statements) -> int:
    """Copy every lookup of the tables of version 2 into those of version 3, and drop them.

    Args:
        database: The connection, inside a transaction, with the tables of both versions.

    Returns:
        How many lookups there were.
    """
    count = 0
    pages = _pages(database)
    for row in _calls(database):
        count += 1
        _copy(database, row, pages.get(row[1], 0))
    database.change(
        "INSERT INTO listing (lookup, position) SELECT l.id, c.point FROM call c "
        "JOIN lookup l ON l.key = c.key WHERE c.point IS NOT NULL"
    )
    database.change("DELETE FROM about WHERE name IN ('version', 'run')")
    database.change(
        "INSERT INTO about (name, value) VALUES ('version', ?), ('key_rule', ?)", (VERSION, OLD)
    )
    database.change("DROP TABLE page")
    database.change("DROP TABLE call")
    return count


Call = tuple[int, bytes, str, bytes, int, int, int, int, float, float, bytes | None, bytes | None]


def _calls(database: Statements) -> Iterator[Call]:
    last = 0
    while True:
        rows = database.execute(
            "SELECT id, key, endpoint, given, status, attempts, credits, lost, due, changed, "
            "error, body FROM call WHERE id > ? ORDER BY id LIMIT ?",
            (last, BATCH),
        )
        for row in cast("list[Call]", rows):
            last = row[0]
            yield (last, bytes(row[1]), *row[2:])
        if not rows:
            return


def _pages(database: Statements) -> dict[bytes, int]:
    rows = database.execute("SELECT key, max(number) FROM page GROUP BY key")
    return {bytes(key): number for key, number in cast("list[tuple[bytes, int]]", rows)}


def _copy(database: Statements, call: Call, pages: int) -> None:
    _, key, endpoint, given, code, attempts, credits, lost, due, changed, error, body = call
    status = _STATUS[code]
    # The last attempt may have been charged.
    doubt = status == "in_doubt"
    found = None if error is None else msgspec.json.decode(bytes(error), type=_Error)
    if body is not None:  # whatever the status: a better answer was hoped for
        status = "done"
    refusal = found if status == "refused" and found is not None and found.status else None
    answers = max(pages, int(status == "done" or refusal is not None or credits > 0))
    n = max(attempts, lost + answers + doubt)
    # The attempts: those that were decided about, those that ended, the one in doubt.
    last = n - doubt
    # A listing that has ended is kept as the array of its rows.
    listing = bool(pages) or (body or b"")[:1] == b"["
    page = 0
    if listing:
        page = pages if pages and status == "done" else pages + 1
    at = int(changed * 1000)
    due_ms = int(due * 1000) if status == "queued" else None
    rows = database.execute(
        "INSERT INTO lookup (key, endpoint, written_as, variant, status, n, cur, due, pause, page, "
        "changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            key,
            endpoint,
            bytes(given),
            b"",
            CODES[status],
            n,
            last,
            due_ms,
            0 if due_ms is None else max(due_ms - at, 0),
            page,
            at,
        ),
    )
    lookup = cast("int", rows[0][0])
    for attempt in range(1, n + 1):
        charged: int | None = credits if attempt == last else 0
        if attempt <= lost or attempt > last:
            charged = None
        note = found.message if found is not None and attempt == n else None
        database.change(
            "INSERT INTO attempt (lookup, n, owner, price, kind, sent, ended, charged, decided, "
            "note) VALUES (?, ?, 0, ?, '', ?, ?, ?, ?, ?)",
            (lookup, attempt, 1, at, at, charged, int(attempt <= lost), note),
        )
    if pages:
        database.change(
            "INSERT INTO answer (lookup, n, page, at, http, meaning, codec, body) "
            "SELECT ?, number + ?, number, ?, 200, 0, ?, items FROM page WHERE key = ?",
            (lookup, lost, at, ROWS, key),
        )
    elif body is not None:
        values = (lookup, last, page, at, 200, 0, ROWS if listing else 0, bytes(body))
        database.change(ANSWER, values)
    if refusal is not None:
        said = {
            "success": False,
            "code": refusal.kind,
            "message": refusal.message,
            "error": {"type": refusal.kind, "message": refusal.message},
        }
        values = (lookup, last, page, at, refusal.status, 2, 0, msgspec.json.encode(said))
        database.change(ANSWER, values)
