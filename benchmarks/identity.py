"""The cost of finding people under other ids than those under which they were bought.

Two ledgers have the same people: in one of them they were bought under their encoded ids, in the
other under their names, and each answer shows both. Runs over a sample of encoded ids read both
ledgers alternately: one finds them by their keys, the other one through their aliases. The number
of people is an argument (`identity.py 100000`); by default a million, with `--quick` 20,000.
Then the cost of learning: runs that buy with answers that show ids, and with some that do not.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
from pathlib import Path

import anyio
import msgspec
from _harness import Memory, count, race, report, table
from _sample_data import KEY

from lix_async import AsyncLix, bulk
from lix_async.bulk.prepared_call import CallPreparer
from lix_async.ledger.identity import FoundIds
from lix_async.ledger.records import Judge, LookupSpec, Receive, Send
from lix_async.ledger.rule import Judgement
from lix_async.ledger.sqlite import SqliteLedgerConnection, SqliteStore
from lix_async.ledger.transaction import apply
from lix_async.linkedin.subject_ids import alias_key

SAMPLE = count(20_000, 4_000)
BATCH = 8192


def name(number: int) -> str:
    return f"https://www.linkedin.com/in/example-person-{number}"


def encoded(number: int) -> str:
    return f"https://www.linkedin.com/in/ACoAAEXAMPLE{number:010}"


def body(number: int) -> bytes:
    lead = f"https://linkedin.com/sales/lead/ACoAAEXAMPLE{number:010},NAME_SEARCH,none"
    return msgspec.json.encode(
        {"name": f"Example Person {number}", "link": name(number), "salesNavLink": lead}
    )


def client(*bodies: bytes) -> AsyncLix:
    return AsyncLix(KEY, rate_limit=None, http_client=Memory(*bodies or (b"",)))


def fill(path: Path, people: int, *, by_name: bool) -> None:
    """Buy everybody, without a run."""
    caller = CallPreparer(client().people.get)
    connection = SqliteLedgerConnection(path)
    database = connection.connect()
    for first in range(0, people, BATCH):
        connection.begin(writes=True)
        tables = connection.tables(database)
        numbers = range(first, min(first + BATCH, people))
        links = [name(n) if by_name else encoded(n) for n in numbers]
        keys = [caller.call_key(link) for link in links]
        specs = [
            LookupSpec(one.key, one.row.id, msgspec.json.encode(link), one.variant)
            for one, link in zip(keys, links, strict=True)
        ]
        events: list[Send | Receive | Judge] = []
        for number, lookup in zip(numbers, tables.add(specs, 1), strict=True):
            ids = (
                alias_key("slug", f"example-person-{number}"),
                alias_key("profile", f"ACoAAEXAMPLE{number:010}"),
            )
            events += [
                Send(lookup.id, 0, 1, 1),
                Receive(lookup.id, connection.owner, 1, 0, 200, body(number), 1),
                Judge(
                    *(lookup.id, connection.owner, 1, Judgement("usable", 1), 1),
                    found=(FoundIds(ids),),
                ),
            ]
        apply(tables, events, connection.owner)
        connection.commit()
    connection.close()


async def known(path: Path, numbers: list[int], *, via: bool) -> None:
    """A run over people that the ledger has."""
    run = bulk.Run(
        SqliteStore(path), client().people.get, map(encoded, numbers), check_balances=False
    )
    async for outcome in run:
        assert outcome.cached
        assert bool(outcome.via) == via


async def bought(folder: Path, numbers: itertools.count[int], items: int, *, ids: bool) -> None:
    """A run over new people."""
    bodies = [body(n) if ids else b'{"name":"Example Person"}' for n in range(items)]
    lix = client(*bodies)
    path = folder / f"new-{next(numbers)}.db"
    run = bulk.Run(path, lix.people.get, map(name, range(items)), concurrency=100)
    async for outcome in run:
        assert outcome.ok


async def main() -> None:
    given = [int(text) for text in sys.argv[1:] if text.isdecimal()]
    people = given[0] if given else count(10**6, 20_000)
    items = count(5_000, 2_000)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        own, other = folder / "own.db", folder / "other.db"
        fill(own, people, by_name=False)
        fill(other, people, by_name=True)
        chance = random.Random(1)
        sample = chance.sample(range(people), min(SAMPLE, people))
        by_key, by_alias = "found by their keys", "found through aliases"
        times = await race(
            {
                by_key: lambda: known(own, sample, via=False),
                by_alias: lambda: known(other, sample, via=True),
            },
            units=len(sample),
            rounds=count(7, 3),
        )
        table(f"Known people, of {people:,}", ["", "CPU µs", "least", "most"], times.rows())
        ratio = times.ratio(by_alias, by_key)
        report(f"aliases against keys at {people:,} people", ratio.median, "×", 1.3)
        new = itertools.count()
        with_ids, without = "answers that show ids", "answers without ids"
        times = await race(
            {
                with_ids: lambda: bought(folder, new, items, ids=True),
                without: lambda: bought(folder, new, items, ids=False),
            },
            units=items,
            rounds=count(5, 2),
        )
        table("New people", ["", "CPU µs", "least", "most"], times.rows())
        report("learning, against answers without ids", times.ratio(with_ids, without).median, "×")


if __name__ == "__main__":
    anyio.run(main)
