"""A worker process of its own: `python worker.py LEDGER URL FIRST LAST CONCURRENCY`.

Prints each outcome as it is handed over, so that the test can kill it in the middle. `LIX_LINKS`
names a file with the inputs, one on each line, and `LIX_RATE` is the number of requests a second.
"""

from __future__ import annotations

import os
import random
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterable

import anyio

from lix_async import AsyncLix, RateLimit, bulk
from lix_async.ledger.ledger import open_store
from lix_async.ledger.postgres import PostgresLedgerConnection, PostgresStore
from lix_async.ledger.store import Store

PostgresLedgerConnection.grace, Store.beat_every = 3.0, 0.5  # a dead one is noticed sooner


def link(number: int) -> str:
    return f"https://www.linkedin.com/in/someone-{number}"


def forms(first: int, last: int) -> list[str]:
    """Four forms of each link: two of its slug, and two of the encoded id; shuffled."""
    found: list[str] = []
    for number in range(min(first, last + 1), max(last, first + 1)):
        slug = f"someone-{number}"
        encoded = "ACoAAS" + urlsafe_b64encode(slug.encode()).decode().rstrip("=")
        found += [
            link(number),
            f"de.linkedin.com/in/Someone-{number}/en?trk=x",
            f"https://www.linkedin.com/sales/lead/{encoded},NAME_SEARCH,abcd",
            f"https://www.linkedin.com/talent/profile/{encoded}",
        ]
    random.Random(first).shuffle(found)
    return found


async def main(ledger: str, url: str, first: int, last: int, concurrency: int) -> None:
    dsn, _, schema = ledger.partition("#")
    store = PostgresStore(dsn, schema=schema) if schema else open_store(ledger)
    rate = os.environ.get("LIX_RATE")
    limit = RateLimit(int(rate), per=1.0) if rate else None
    async with AsyncLix("demo", base_url=url, rate_limit=limit) as lix:
        step = 1 if first < last else -1
        links: Iterable[str] = (link(number) for number in range(first, last, step))
        if os.environ.get("LIX_FORMS"):
            links = forms(first, last)
        if given := os.environ.get("LIX_LINKS"):
            links = (await anyio.Path(given).read_text()).splitlines()
        async for outcome in bulk.Run(store, lix.people.get, links, concurrency=concurrency):
            paid = " bought" if outcome.credits else ""
            sys.stdout.write(f"{outcome.state} {outcome.input}{paid}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
