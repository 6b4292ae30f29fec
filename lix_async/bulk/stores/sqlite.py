"""The embedded ledger: one SQLite file, shared by the processes of one machine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeVar, cast

import msgspec

from ..core.errors import BulkError
from ..engine.clock import RealClock
from .session import Job, Session, about
from .store import (
    CODES,
    COLUMNS,
    STATUSES,
    Counts,
    Entry,
    Failed,
    Row,
    Status,
    counted,
    joined,
    read,
)
from .thread import Writer

T = TypeVar("T")
BATCH = 200
"""Entries read at once while exporting."""
FIND = f"SELECT {COLUMNS} FROM call WHERE key = ?"
LOOK = f"SELECT {COLUMNS}, owner FROM call WHERE key = ?"
INSERT = """
INSERT INTO call (key, endpoint, given, status, changed, owner) VALUES (?, ?, ?, 0, ?, ?)
ON CONFLICT (key) DO NOTHING
"""
DOUBT = "UPDATE call SET status = 5, owner = NULL WHERE key = ?"
CLAIM = "UPDATE call SET owner = ? WHERE key = ?"
SENT = """
UPDATE call SET status = 1, attempts = attempts + 1, lost = lost + (status = 5), changed = ?,
    owner = ?
WHERE key = ? AND owner
"""
# An answer is a fact, whoever holds the key by now.
KEEP = """
UPDATE call SET status = 3, body = ?, credits = credits + ?, changed = ?, error = NULL, due = 0,
    owner = NULL
WHERE key = ? AND status <> 3
"""
# A key that somebody else has taken over (our lock was gone) is theirs to settle.
SETTLE = """
UPDATE call SET status = ?, error = ?, due = ?, changed = ?, owner = NULL
WHERE key = ? AND status <> 3 AND (owner = ? OR owner IS NULL)
"""
RELEASE = "UPDATE call SET owner = NULL WHERE key = ? AND owner = ?"
PAGE = "INSERT INTO page SELECT ?, coalesce(max(number), 0) + 1, ? FROM page WHERE key = ?"
PAGED = """
UPDATE call SET status = 0, point = ?1, credits = credits + ?2, changed = ?3, owner = ?5
WHERE key = ?4 AND status IN (1, 5) AND (owner = ?5 OR owner IS NULL)
"""
AT = "SELECT 1 FROM call WHERE key = ? AND point = ?"
WALKED = """
UPDATE call SET status = 3, body = ?, point = NULL, changed = ?, owner = NULL WHERE key = ?
"""


class SqliteStore:
    """A ledger in a file, shared by runs and workers on this machine.

    The file and its companions are readable by their owner only (0600). It must lie on a disk of
    this machine: locks over a network cannot be trusted. Each worker has a file `….lock` beside
    it, which stays; it tells the living from the dead.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._writer: Writer[Job] | None = None

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    async def open(self, name: str, now: float) -> int:
        def begin(line: Session) -> int:
            if name and (found := about(line.database, "run") or name) != name:
                raise BulkError(
                    f"{self.path} belongs to another run ({found}, not {name}): "
                    "give this one a file of its own"
                )
            if name:
                line.database.execute("INSERT OR IGNORE INTO about VALUES ('run', ?)", (name,))
            return line.bury_all()

        return await self._begin(Session(self.path), begin)

    async def look(self) -> None:
        await self._begin(Session(self.path, looks=True), Session.bury_all)

    async def _begin(self, session: Session, first: Callable[[Session], T]) -> T:
        if self._writer is not None:
            raise BulkError(f"{self.path} is open already")
        self._writer = Writer(session)
        try:
            return await self._do(first)
        except BaseException:
            await self.close()
            raise

    async def __aenter__(self) -> SqliteStore:
        await self.open("", RealClock().wall())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _do(
        self, work: Callable[[Session], T], *, writes: bool = True, frees: bytes = b""
    ) -> T:
        if self._writer is None:
            raise BulkError(f"{self.path} is not open")
        return cast("T", await self._writer.do(Job(work, writes, frees)))

    async def _rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        def work(line: Session) -> list[tuple[object, ...]]:
            return line.database.execute(statement, values).fetchall()

        return await self._do(work, writes=False)

    async def find(self, key: bytes) -> Entry | None:
        rows = await self._rows(FIND, key)
        return read(cast("Row", rows[0])) if rows else None

    async def known(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        marks = ", ".join("?" * len(keys))
        final = f"SELECT {COLUMNS} FROM call WHERE key IN ({marks}) AND status IN (3, 4)"
        entries = [read(cast("Row", row)) for row in await self._rows(final, *keys)]
        return {entry.key: entry for entry in entries}

    async def parked(self) -> str:
        return await self._do(lambda line: about(line.database, "parked") or "", writes=False)

    async def park(self, reason: str) -> None:
        def work(line: Session) -> None:
            line.database.execute("DELETE FROM about WHERE name = 'parked'")
            if reason:
                line.database.execute("INSERT INTO about VALUES ('parked', ?)", (reason,))

        await self._do(work)

    async def decide(self, key: bytes, status: Literal["owed", "refused"], now: float) -> bool:
        change = (
            "UPDATE call SET status = ?, lost = lost + 1, changed = ? WHERE key = ? AND status = 5"
        )
        return await self._change(change, CODES[status], now, key) == 1

    async def take(self, key: bytes, endpoint: str, given: bytes, now: float) -> Entry:
        def work(line: Session) -> Entry:
            values = (key, endpoint, given, now, line.owner)
            if line.database.execute(INSERT, values).rowcount == 1:
                line.held.add(key)
                return Entry(
                    key=key, endpoint=endpoint, given=given, status="owed", changed=now, held=True
                )
            row = line.database.execute(LOOK, (key,)).fetchone()
            if row[-1] not in {None, line.owner} and line.bury(row[-1]) is not None:
                row = line.database.execute(LOOK, (key,)).fetchone()
            *columns, owner = row
            entry = read(cast("Row", columns))
            if key in line.held or owner not in {None, line.owner}:
                entry.status = "busy"
            elif owner is not None and entry.status == "sent":  # by an attempt that was given up
                line.database.execute(DOUBT, (key,))
                entry.status = "in_doubt"
            elif entry.status == "owed" or (entry.status == "queued" and entry.due <= now):
                line.database.execute(CLAIM, (line.owner, key))
                line.held.add(key)
                entry.held = True
            return entry

        return await self._do(work)

    async def sent(self, key: bytes, held: bool, now: float) -> bool:
        change = f"{SENT} = ?2" if held else f"{SENT} IS NULL AND status IN (0, 2, 5)"

        def work(line: Session) -> bool:
            changed = line.database.execute(change, (now, line.owner, key)).rowcount == 1
            if changed:
                line.held.add(key)
            return changed

        return await self._do(work)

    async def done(self, key: bytes, body: bytes, credits: int, now: float) -> None:
        values = (body, credits, now, key)
        await self._do(lambda line: line.database.execute(KEEP, values), frees=key)

    async def page(self, key: bytes, items: bytes, point: bytes, credits: int, now: float) -> None:
        def work(line: Session) -> None:
            if line.database.execute(PAGED, (point, credits, now, key, line.owner)).rowcount:
                line.database.execute(PAGE, (key, items, key))
            elif line.database.execute(AT, (key, point)).fetchone() is None:  # not a repetition
                raise BulkError("another worker has gone on with this walk")

        await self._do(work)

    async def walked(self, key: bytes, now: float) -> bytes:
        def work(line: Session) -> bytes:
            done = line.database.execute(f"{FIND} AND status = 3", (key,)).fetchone()
            if done is not None:  # a repetition: the error came after the commit
                return read(done).body or b""
            pages = "SELECT items FROM page WHERE key = ? ORDER BY number"
            body = joined([items for (items,) in line.database.execute(pages, (key,))])
            line.database.execute(WALKED, (body, now, key))
            line.database.execute("DELETE FROM page WHERE key = ?", (key,))
            return body

        return await self._do(work, frees=key)

    async def again(self, key: bytes, due: float, now: float) -> bool:
        change = "UPDATE call SET status = 2, due = ?, changed = ? WHERE key = ? AND status = 3"
        return await self._change(change, due, now, key) == 1

    async def settle(
        self, key: bytes, status: Status, error: Failed | None, due: float, now: float
    ) -> None:
        kept = None if error is None else msgspec.json.encode(error)
        await self._free(key, SETTLE, CODES[status], kept, due, now, key)

    async def release(self, key: bytes) -> None:
        await self._free(key, RELEASE, key)

    async def _free(self, key: bytes, change: str, *values: object) -> None:
        await self._do(lambda line: line.database.execute(change, (*values, line.owner)), frees=key)

    async def _change(self, change: str, *values: object) -> int:
        return await self._do(lambda line: line.database.execute(change, values).rowcount)

    async def counts(self) -> Counts:
        found = await self._rows(
            "SELECT status, count(*), sum(credits), sum(lost) FROM call GROUP BY status"
        )
        return counted(cast("list[tuple[int, int, int, int]]", found))

    async def soonest(self) -> float | None:
        found = await self._rows("SELECT min(due) FROM call WHERE status = 2")
        return cast("float | None", found[0][0])

    async def entries(self, *statuses: Status, endpoint: str | None = None) -> AsyncIterator[Entry]:
        wanted = [CODES[status] for status in statuses or STATUSES]
        # As numbers, not as values: else the indexes of those in doubt or queued are of no use.
        among = f"= {wanted[0]}" if len(wanted) == 1 else f"IN ({', '.join(map(str, wanted))})"
        some = (
            f"SELECT id, {COLUMNS} FROM call WHERE id > ? AND status {among} "
            "AND endpoint = coalesce(?, endpoint) ORDER BY id LIMIT ?"
        )
        last = 0
        while rows := await self._rows(some, last, endpoint, BATCH):
            last = cast("int", rows[-1][0])
            for row in rows:
                yield read(cast("Row", row[1:]))

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.stop()
