"""The CPU time of a call that the ledger answers, compared with the least that it could take.

A hit is a call of `lix.people.get` on a client with a cache in SQLite that has the answer. Beside
it run, alternating, what no hit can do without: one select by key on an open connection, and
msgspec decoding the same bytes; and the same call without a cache on a transport in memory. Then,
a call that another one's request answers.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path

import anyio
import msgspec
from _harness import Memory, count, race, report, table
from _sample_data import KEY, LINK, person

from lix_async import AsyncLix
from lix_async.core.decoding import decoder_for
from lix_async.providers.lix.endpoints.profiles import PERSON

TOGETHER = 200


async def main() -> None:
    body = person(1)
    calls = count(3000, 1000)
    read = decoder_for(PERSON.result).read
    bare = msgspec.json.Decoder()
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "cache.db"
    with folder, contextlib.closing(sqlite3.connect(Path(folder.name) / "plain.db")) as plain:
        plain.execute("CREATE TABLE answer (key BLOB PRIMARY KEY, body BLOB)")
        plain.execute("INSERT INTO answer VALUES (?, ?)", (b"k" * 16, body))
        plain.commit()
        select = "SELECT body FROM answer WHERE key = ?"

        async def selecting() -> None:
            for _ in range(calls):
                plain.execute(select, (b"k" * 16,)).fetchone()

        async def decoding() -> None:
            for _ in range(calls):
                bare.decode(body)

        async def reading() -> None:
            for _ in range(calls):
                read(body)

        async def calling(lix: AsyncLix) -> None:
            for _ in range(calls):
                await lix.people.get(LINK)

        transport = Memory(body)
        uncached = AsyncLix(KEY, rate_limit=None, http_client=transport)
        cached = AsyncLix(KEY, rate_limit=None, http_client=transport, cache=path)

        numbers = iter(range(10**9))

        async def sharing() -> None:
            for _ in range(calls // TOGETHER):
                link = f"{LINK}-{next(numbers)}"
                async with anyio.create_task_group() as group:
                    for _ in range(TOGETHER):
                        group.start_soon(cached.people.get, link)

        async with cached:
            found = await race(
                {
                    "select alone": selecting,
                    "msgspec alone": decoding,
                    "decoding into the model": reading,
                    "hit": lambda: calling(cached),
                    "call in memory, no cache": lambda: calling(uncached),
                    f"one of {TOGETHER} equal calls": sharing,
                },
                units=calls,
                rounds=count(15, 5),
            )
    table(
        "A call that is answered from the ledger (CPU µs)",
        ["", "median", "least", "most"],
        found.rows(),
    )
    report("a cache hit", found.of("hit").median * 1e6, "µs", 60)


if __name__ == "__main__":
    anyio.run(main)
