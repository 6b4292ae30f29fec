"""Many workers' jobs as few statements, so that a ledger on a server keeps up with them.

Jobs of one kind become one statement. New keys are inserted first, in order, and rows that
another transaction has locked are passed over, so two workers do not wait in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import msgspec

from ...core.errors import BulkError
from .base import (
    COLUMNS,
    Entry,
    EntryColumns,
    LedgerUnreachableError,
    entry_from_row,
    ledger_error,
)
from .postgres_connection import PostgresLedgerConnection

# %b: arrays as binary; as text, each element would be escaped by a regular expression.
INSERT = """
INSERT INTO {0}.call (key, endpoint, given, status, changed, owner)
SELECT key, endpoint, given, 0, %(now)s, %(owner)s
FROM unnest(%(keys)b::bytea[], %(endpoints)b::text[], %(givens)b::bytea[])
    AS new (key, endpoint, given)
ORDER BY key ON CONFLICT (key) DO NOTHING RETURNING key
"""
CLAIM = """
UPDATE {0}.call SET owner = %(owner)s FROM (
    SELECT id FROM {0}.call WHERE key = ANY(%(keys)b::bytea[]) AND owner IS NULL
        AND (status = 0 OR (status = 2 AND due <= %(now)s))
    ORDER BY key FOR UPDATE SKIP LOCKED
) AS free WHERE call.id = free.id RETURNING call.key
"""
SELECT_ENTRY = f"SELECT {COLUMNS}, owner FROM {{0}}.call WHERE key = ANY(%(keys)b::bytea[])"
DOUBT = "UPDATE {0}.call SET status = 5, owner = NULL WHERE key = %(key)s"
SENT = """
UPDATE {0}.call SET status = 1, attempts = attempts + 1, lost = lost + (status = 5)::int,
    changed = %(now)s, owner = %(owner)s
FROM (
    SELECT id FROM {0}.call WHERE (key = ANY(%(held)b::bytea[]) AND owner = %(owner)s)
        OR (key = ANY(%(free)b::bytea[]) AND owner IS NULL AND status IN (0, 2, 5))
    ORDER BY key FOR UPDATE SKIP LOCKED
) AS mine WHERE call.id = mine.id RETURNING call.key
"""
# An answer is saved whichever worker has claimed the key by now.
KEEP = """
UPDATE {0}.call SET status = 3, body = answer.body, credits = call.credits + answer.credits,
    changed = answer.now, error = NULL, due = 0, owner = NULL
FROM unnest(%(keys)b::bytea[], %(bodies)b::bytea[], %(credits)b::int[], %(nows)b::float8[])
    AS answer (key, body, credits, now)
WHERE call.key = answer.key AND call.status <> 3
"""


class ClaimJob(msgspec.Struct, frozen=True):
    """Read the entry of a key, and claim it if it is to be called."""

    key: bytes
    endpoint: str
    given: bytes
    now: float


class MarkSentJob(msgspec.Struct, frozen=True):
    """Record that a request is about to be sent."""

    key: bytes
    held: bool
    now: float


class SaveAnswerJob(msgspec.Struct, frozen=True):
    """Save an answer."""

    key: bytes
    body: bytes
    credits: int
    now: float


class StatementJob(msgspec.Struct, frozen=True):
    """Any other statement. `frees`: the key whose claim ends with it."""

    work: Callable[[PostgresLedgerConnection], object]
    frees: bytes = b""


BatchJob = ClaimJob | MarkSentJob | SaveAnswerJob | StatementJob


def _frees(job: BatchJob) -> bytes:
    if isinstance(job, SaveAnswerJob):
        return job.key
    return job.frees if isinstance(job, StatementJob) else b""


class PostgresBatch:
    """Runs the waiting jobs of the ledger's thread in one transaction."""

    def __init__(self, connection: PostgresLedgerConnection) -> None:
        self._connection = connection
        self._held: set[bytes] = set()

    def run(self, jobs: Sequence[BatchJob]) -> list[object]:
        try:
            values, self._held = self._connection.transact(lambda: self._all(jobs))
        except Exception as error:
            if len(jobs) == 1 or isinstance(
                error, LedgerUnreachableError
            ):  # they are not tried again:
                self._held.difference_update(map(_frees, jobs))  # those attempts are over
            raise
        return values

    def error_for(self, error: Exception) -> BulkError:
        return ledger_error(error, self._connection.error_message(error))

    def close(self) -> None:
        self._connection.close()

    def _all(self, jobs: Sequence[BatchJob]) -> tuple[list[object], set[bytes]]:
        values: list[object] = [None] * len(jobs)
        held = set(self._held)  # the new set counts from the commit on
        takes = {i: job for i, job in enumerate(jobs) if isinstance(job, ClaimJob)}
        sends = {i: job for i, job in enumerate(jobs) if isinstance(job, MarkSentJob)}
        keeps = [job for job in jobs if isinstance(job, SaveAnswerJob)]
        if takes:
            self._take(takes, values, held)
        if sends:
            self._send(sends, values, held)
        if keeps:
            self._connection.changed(
                KEEP,
                keys=[job.key for job in keeps],
                bodies=[job.body for job in keeps],
                credits=[job.credits for job in keeps],
                nows=[job.now for job in keeps],
            )
            held.difference_update(job.key for job in keeps)
        for i, job in enumerate(jobs):
            if isinstance(job, StatementJob):
                values[i] = job.work(self._connection)
                held.discard(job.frees)
        return values, held

    def _take(self, jobs: dict[int, ClaimJob], values: list[object], held: set[bytes]) -> None:
        now = max(job.now for job in jobs.values())
        first: dict[bytes, ClaimJob] = {}
        for job in jobs.values():
            first.setdefault(job.key, job)
        inserted = self._connection.rows(
            INSERT,
            now=now,
            owner=self._connection.owner,
            keys=list(first),
            endpoints=[job.endpoint for job in first.values()],
            givens=[job.given for job in first.values()],
        )
        new = {row[0] for row in inserted}
        found = self._known([key for key in first if key not in new], now, held)
        for i, job in jobs.items():
            if job.key in new:
                entry = Entry(
                    key=job.key,
                    endpoint=job.endpoint,
                    given=job.given,
                    status="pending",
                    changed=now,
                    held=True,
                )
            else:
                entry = found[job.key]
            if entry.held and job.key in held:  # twice in this batch
                entry = msgspec.structs.replace(entry, status="busy", held=False)
            elif entry.held:
                held.add(job.key)
            values[i] = entry

    def _known(self, keys: list[bytes], now: float, held: set[bytes]) -> dict[bytes, Entry]:
        found: dict[bytes, Entry] = {}
        living: set[object] = {None, self._connection.owner}
        while keys:
            me = self._connection.owner
            mine = {row[0] for row in self._connection.rows(CLAIM, keys=keys, owner=me, now=now)}
            again: list[bytes] = []
            released: set[object] = set()
            for *row, owner in self._connection.rows(SELECT_ENTRY, keys=keys):
                found[cast("bytes", row[0])] = entry = entry_from_row(cast("EntryColumns", row))
                if owner not in living and owner not in released:
                    gone = self._connection.release_dead_owner(cast("int", owner)) is not None
                    (released if gone else living).add(owner)
                if owner in released:
                    again.append(entry.key)
                elif owner == me and entry.key not in held and entry.status == "sent":
                    self._connection.changed(DOUBT, key=entry.key)  # an attempt that was given up
                    entry.status = "in_doubt"
                elif entry.key in mine or (
                    # Ours without our notice: the claim was committed as the connection broke.
                    owner == me and entry.key not in held
                ):
                    entry.held = True
                elif owner is not None or entry.status == "pending":
                    entry.status = "busy"
            keys = again
        return found

    def _send(self, jobs: dict[int, MarkSentJob], values: list[object], held: set[bytes]) -> None:
        ours = {job.key for job in jobs.values() if job.held}
        sent = self._connection.rows(
            SENT,
            now=max(job.now for job in jobs.values()),
            owner=self._connection.owner,
            held=list(ours),
            free=[job.key for job in jobs.values() if not job.held],
        )
        left = {cast("bytes", row[0]) for row in sent}
        for i, job in jobs.items():
            values[i] = job.key in left and job.held == (job.key in ours)
            left.discard(job.key)
            if values[i]:
                held.add(job.key)
