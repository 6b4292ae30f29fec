"""Memory and time of `Ledger.changes` over many versions of answers.

A ledger is filled with versions of people who change their place each time (10^4, with `--long`
10^6), and all of them are compared. Memory must not grow with the number of versions.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import anyio
import msgspec
from _harness import count, report
from _sample_data import person

from lix_async.ledger import Ledger
from lix_async.ledger.sqlite import SqliteStore

LONG = "--long" in sys.argv[1:]
VERSIONS = 10
"""Of each person."""
BASE = msgspec.json.decode(person(1), type=dict[str, object])


async def make(path: str, people: int) -> None:
    """A ledger with versions of so many people."""
    async with SqliteStore(path):
        pass
    with closing(sqlite3.connect(path)) as database, database:
        for number in range(1, people + 1):
            database.execute(
                "INSERT INTO lookup (id, key, endpoint, written_as, variant, status, n, cur, "
                "changed) VALUES (?, ?, 'person.get', ?, x'', 4, ?, ?, 0)",
                (number, number.to_bytes(16), b'"ada"', VERSIONS, VERSIONS),
            )
        for n in range(1, VERSIONS + 1):
            body = msgspec.json.encode({**BASE, "location": f"Town {n}"})
            database.executemany(
                "INSERT INTO answer (lookup, n, page, at, http, meaning, body) "
                "VALUES (?, ?, 0, ?, 200, 0, ?)",
                ((number, n, n, body) for number in range(1, people + 1)),
            )


def resident() -> int:
    """KiB of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


async def read(path: str) -> tuple[int, int]:
    """The number of changes, and KiB by which memory grows after the first of them."""
    warm = grown = found = 0
    async with Ledger(path) as ledger:
        async for _ in ledger.changes():
            found += 1
            if found == 1000:
                warm = resident()
            elif found % 1000 == 0:
                grown = max(grown, resident() - warm)
    return found, grown


def main() -> None:
    versions = 10**6 if LONG else count(20_000, 5_000)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/ledger.db"
        anyio.run(make, path, versions // VERSIONS)
        began = time.process_time()
        found, grown = anyio.run(read, path)
        seconds = time.process_time() - began
    assert found == versions // VERSIONS * (VERSIONS - 1)
    report(f"changes over {versions:,} versions, µs each", 1e6 * seconds / versions, "µs", 400)
    report(f"memory growth over {versions:,} versions", grown / 1024, "MiB", 8)


if __name__ == "__main__":
    main()
