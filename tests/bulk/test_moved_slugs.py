"""Slugs that change hands while answers about them are bought again, and what is handed out then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from lix_async import AsyncLix, bulk
from lix_async.integrations.chunk_worker import Chunk, ChunkWorker
from lix_async.ledger import Ledger
from lix_async.ledger.records import InputRow

from .conftest import Open
from .test_changes import DAY, listed, lix, person, times
from .test_run import drained

pytestmark = pytest.mark.anyio
SLUG = "https://www.linkedin.com/in/x"


def sales(name: str) -> str:
    return f"https://www.linkedin.com/sales/lead/ACwAAexample{name},NAME_SEARCH,undefined"


def somebody(name: str, location: str, link: str = SLUG) -> dict[str, Any]:
    return person(name=name, location=location, link=link, salesNavLink=sales(name))


async def ask(
    ledger: Open, client: AsyncLix, link: str, age: timedelta | None = None, **options: Any
) -> bulk.Outcome[Any]:
    times(client, DAY)
    run = bulk.Run(
        ledger(), client.people.get, [link], max_age=age, check_balances=False, **options
    )
    (outcome,) = await drained(run)
    return outcome


async def test_a_slug_that_is_asked_for_again_says_nothing_of_who_had_it(ledger: Open) -> None:
    """It is bought under its own key, also where its owner was bought under another id."""
    client = lix(somebody("Bob", "Rome"), somebody("Ada", "Bath"), somebody("Bob", "Oslo", "bob"))
    await ask(ledger, client, sales("Bob"))
    known = await ask(ledger, client, SLUG)
    assert (known.value.name, known.via, known.credits) == ("Bob", sales("Bob"), 0)
    newer = await ask(ledger, client, SLUG, timedelta(0), name="run")
    assert (newer.value.name, newer.via, newer.credits, newer.changes) == ("Ada", "", 1, [])
    again = await ask(ledger, client, sales("Bob"))
    assert (again.value.name, again.cached) == ("Bob", True)
    async with ledger() as store:
        run = await store.statement(lambda tables: tables.run_named("run"))
        assert run is not None
        (row,) = await store.statement(lambda tables: tables.input_answers(run, 0, 9))
        assert row.body == newer.body


async def test_what_changed_is_compared_within_one_person(ledger: Open) -> None:
    client = lix(
        somebody("Ada", "Bath"), somebody("Bob", "Rome"), somebody("Ada", "Leeds", f"{SLUG}2")
    )
    assert (await ask(ledger, client, SLUG)).value.name == "Ada"
    bob = await ask(ledger, client, SLUG, timedelta(0))
    assert (bob.value.name, bob.changes) == ("Bob", [])
    ada = await ask(ledger, client, sales("Ada"))
    assert (ada.value.location, ada.credits) == ("Leeds", 1)
    async with Ledger(ledger()) as opened:
        changes = await listed(opened.changes())
        assert [(one.name, one.kind, one.before, one.after) for one in changes] == [
            ("Ada", "location_changed", "Bath", "Leeds"),
            ("Ada", "slug_moved", "x", "x2"),
        ]
        for link, places in ((sales("Ada"), ["Bath", "Leeds"]), (SLUG, ["Rome"])):
            versions = await listed(opened.history(link))
            assert sorted(one.value.location for one in versions) == places
            subject = [one async for one in opened.changes(subject=link)]
            assert subject == (changes if len(places) == 2 else [])
        assert (await opened.forget([sales("Ada")])).answers == 2
        assert [one.value.name for one in await listed(opened.history(SLUG))] == ["Bob"]
        assert await opened.verify() == []


async def test_a_merge_learns_anew_whom_a_lookup_is_about(ledger: Open, tmp_path: Any) -> None:
    here, there = lix(somebody("Ada", "Bath")), lix(somebody("Bob", "Rome"))
    await ask(ledger, here, SLUG)
    times(there, 9 * DAY)
    await ask(lambda: bulk.SqliteStore(tmp_path / "other.db"), there, SLUG)
    async with Ledger(ledger()) as opened:
        await opened.merge(tmp_path / "other.db")
        assert (await opened.resolve(SLUG)).subject is not None
        for name, places in (("Ada", ["Bath"]), ("Bob", ["Rome"])):
            versions = await listed(opened.history(sales(name)))
            assert [one.value.location for one in versions] == places
        assert await listed(opened.changes()) == []
    ada = await ask(ledger, lix(somebody("Ada", "Leeds", f"{SLUG}2")), sales("Ada"))
    assert (ada.value.name, ada.credits) == ("Ada", 1)
    bob = await ask(ledger, lix(), sales("Bob"))
    assert (bob.value.name, bob.via) == ("Bob", SLUG)


@pytest.mark.parametrize("doubts", ["hold", "retry"])
async def test_a_slug_in_doubt_is_not_sent_again_unasked(ledger: Open, doubts: Any) -> None:
    client = lix(
        somebody("Ada", "Bath"), somebody("Bob", "Rome"), b"cut off", somebody("Bob", "Oslo")
    )
    await ask(ledger, client, SLUG)
    await ask(ledger, client, sales("Bob"))  # who has the slug by now
    lost = await ask(ledger, client, SLUG, timedelta(0))
    assert (lost.value.location, lost.refresh, lost.stale) == ("Rome", "in_doubt", True)
    assert (await ask(ledger, client, SLUG)).value.location == "Rome"
    found = await ask(ledger, client, SLUG, timedelta(0), doubts=doubts)
    wanted = ("Rome", "in_doubt") if doubts == "hold" else ("Oslo", "")
    assert (found.value.location, found.refresh) == wanted


async def test_an_id_whose_answer_was_purged_is_forgotten_too(ledger: Open) -> None:
    """The ledger has only a code of it then, and an input that names it, of who had it next."""
    other = {"name": "Bob", "salesNavLink": sales("Bob")}
    client = lix(somebody("Ada", "Bath"), somebody("Ada", "Bath", f"{SLUG}2"), other)
    clock = client.clock
    async with ledger() as store:
        store._clock = clock
        opened = Ledger(store)
        await ask(lambda: store, client, sales("Ada"))
        times(client, 181 * DAY)
        await ask(lambda: store, client, sales("Ada"), timedelta(0))
        assert (await ask(lambda: store, client, SLUG)).value.name == "Bob"
        assert (await opened.purge(timedelta(days=90))).answers == 1
        forgotten = await opened.forget([sales("Ada")])
        assert (forgotten.lookups, forgotten.remainder.found) == (1, [])
        (entry,) = [one async for one in store.entries()]  # of somebody else
        assert b"Bob" in (entry.body or b"")
        assert (await ask(lambda: store, client, SLUG)).state == "suppressed"


async def test_who_has_the_slug_next_is_not_forgotten(ledger: Open) -> None:
    bob = somebody("Bob", "Oslo")
    client = lix(somebody("Ada", "Bath"), bob, bob, somebody("Ada", "Rome"))
    await ask(ledger, client, SLUG)
    async with ledger() as store:
        await Ledger(store).forget([sales("Ada")])
    assert (await ask(ledger, client, SLUG)).state == "suppressed"  # as far as is known
    assert (await ask(ledger, client, sales("Bob"))).value.name == "Bob"
    assert (await ask(ledger, client, SLUG)).via == sales("Bob")
    bought = await ask(ledger, client, SLUG, timedelta(0))
    assert (bought.state, bought.credits, bought.value.name) == ("done", 1, "Bob")
    # It leads to her again, and Bob stays.
    lost = await ask(ledger, client, SLUG, timedelta(0))
    assert (lost.state, lost.body) == ("suppressed", b"")
    assert (await ask(ledger, client, sales("Bob"))).value.name == "Bob"
    async with ledger() as store:
        assert await Ledger(store).verify() == []


async def test_what_another_one_has_too_is_no_remainder(ledger: Open) -> None:
    """The middle of an answer may be a link that stands in the input of somebody else."""
    profile = {"liId": "ACoAAEXAMPLE000001"}
    answer = {**profile, "salesNavLink": sales("Bob"), "link": SLUG}
    client = lix(answer, somebody("Ada", "Rome"), profile)
    async with ledger() as store:
        await ask(lambda: store, client, SLUG)
        await ask(lambda: store, client, SLUG, timedelta(0))
        await ask(lambda: store, client, sales("Bob"))
        forgotten = await Ledger(store).forget([sales("Ada")])
        assert (forgotten.lookups, forgotten.answers, forgotten.remainder.found) == (0, 1, [])


async def test_cached_calls_ask_by_the_id_that_is_given(ledger: Open) -> None:
    client = lix(somebody("Bob", "Rome"), somebody("Ada", "Bath"))
    answers = client.engine.transport
    async with AsyncLix("key", http_client=answers, rate_limit=None, cache=ledger()) as cached:
        assert (await cached.people.get(sales("Bob"))).name == "Bob"
        assert (await cached.people.get(SLUG)).name == "Bob"
        newer = cached.with_options(max_age=timedelta(-1))
        assert (await newer.people.get(SLUG)).name == "Ada"
        assert (await cached.people.get(sales("Bob"))).name == "Bob"
        assert (await cached.people.get(sales("Ada"))).name == "Ada"
        assert cached.cache.stats.bought == 2


async def test_workers_ask_by_the_id_that_is_given(ledger: Open) -> None:
    client = lix(somebody("Bob", "Rome"), somebody("Ada", "Bath"))
    await ask(ledger, client, sales("Bob"))
    times(client, DAY)
    async with ledger() as store:
        store._clock = client.clock
        run = await store.begin_run("queue", "people.get", "", None)
        given = msgspec.json.encode(SLUG)
        await store.add_inputs(run, [InputRow(1, None, given=given)])
        async with client.with_options(max_age=timedelta(hours=1)) as view:
            worker = ChunkWorker(store, view, 1, "hold")
            worker._admission._balance_endpoints = None  # they would take the next answer
            chunk = Chunk("people.get", schema=store.schema, run=run, first=1, last=1)
            await worker.run(chunk)
        (row,) = await store.statement(lambda tables: tables.input_answers(run, 0, 9))
        assert row.body is not None
        assert msgspec.json.decode(row.body)["name"] == "Ada"
        assert (await store.counts()).credits == 2
    assert (await ask(ledger, lix(), sales("Bob"))).value.name == "Bob"
