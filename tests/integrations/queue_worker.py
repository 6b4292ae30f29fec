"""A queue's worker in a process of its own: `python queue_worker.py ENGINE DSN SCHEMA URL TASKS`."""

from __future__ import annotations

import asyncio
import importlib
import sys

from lix_async import AsyncLix
from lix_async.ledger.postgres import PostgresLedgerConnection, PostgresStore

PostgresLedgerConnection.grace = 2.0  # a test does not wait for the usual time
PostgresStore.beat_every = 0.5


async def main(engine: str, dsn: str, schema: str, url: str, tasks: str) -> None:
    adapter = importlib.import_module(f"lix_async.integrations.{engine}")
    async with AsyncLix("demo", base_url=url, rate_limit=None) as lix:
        await adapter.worker(dsn, lix, schema=schema, heartbeat=2.0, concurrency=int(tasks))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6]))
