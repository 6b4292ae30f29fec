"""The time that a ledger of version 2 takes to open: rows as they are usual, answered once each.

10^5 rows, with `--long` 10^6. The copy that stays beside the file is a part of the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
from _harness import report
from _sample_data import person

from lix_async import bulk

ROWS = 1_000_000 if "--long" in sys.argv[1:] else 100_000
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE call (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, endpoint TEXT NOT NULL, given BLOB NOT NULL,
    status INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    credits INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0, changed REAL NOT NULL, owner INTEGER,
    error BLOB, body BLOB, point BLOB
);
CREATE TABLE page (
    key BLOB NOT NULL, number INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
INSERT INTO about VALUES ('version', '2');
"""


def rows() -> Iterator[tuple[object, ...]]:
    body = person(1)
    for number in range(ROWS):
        key = hashlib.blake2b(b"%d" % number, digest_size=16).digest()
        given = b'"https://www.linkedin.com/in/someone-%d"' % number
        yield key, "person.get", given, 3, 1, 1, 1_700_000_000.0 + number, body


async def opened(path: Path) -> tuple[float, float]:
    """Seconds that passed, and those of the processor."""
    began, busy = time.perf_counter(), time.process_time()
    async with bulk.SqliteStore(path) as store:
        seconds = time.perf_counter() - began, time.process_time() - busy
        assert (await store.counts()).done == ROWS
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(SCHEMA)
            connection.executemany(
                "INSERT INTO call (key, endpoint, given, status, attempts, credits, changed, body) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows(),
            )
            connection.commit()
        size = path.stat().st_size / 1e6
        seconds, busy = anyio.run(opened, path)
    report(f"migration of {ROWS:,} lookups ({size:,.0f} MB)", seconds, "s")
    report(f"CPU time of the migration of {ROWS:,} lookups", busy, "s")
    report("migration of 10^6 lookups at this pace", seconds * 1e6 / ROWS, "s", 60)


if __name__ == "__main__":
    main()
