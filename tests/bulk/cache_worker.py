"""Equal calls in a process of its own: `python cache_worker.py LEDGER URL CALLS BACKEND`.

Says that it is ready, waits for a line, makes the calls at the same time, and prints how many got
the answer and what the cache did.
"""

from __future__ import annotations

import sys

import anyio
import anyio.to_thread

from lix_async import AsyncLix
from lix_async.ledger.ledger import open_store
from lix_async.ledger.postgres import PostgresLedgerConnection, PostgresStore
from lix_async.ledger.store import Store

PostgresLedgerConnection.grace, Store.beat_every = 3.0, 0.5  # a dead one is noticed sooner
LINK = "https://www.linkedin.com/in/someone-1"


async def main(ledger: str, url: str, calls: int) -> None:
    dsn, _, schema = ledger.partition("#")
    store = PostgresStore(dsn, schema=schema) if schema else open_store(ledger)
    names: list[str | None] = []
    async with AsyncLix("demo", base_url=url, rate_limit=None, cache=store) as lix:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await anyio.to_thread.run_sync(sys.stdin.readline)

        async def one() -> None:
            names.append((await lix.people.get(LINK)).name)

        async with anyio.create_task_group() as tasks:
            for _ in range(calls):
                tasks.start_soon(one)
        stats = lix.cache.stats
        shared = stats.hits + stats.shared
        sys.stdout.write(f"{len(names)} {len(set(names))} {stats.bought} {shared}\n")


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), backend=sys.argv[4])
