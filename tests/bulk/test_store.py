"""What every ledger promises, on both kinds of ledger and both loops."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from lix_async.bulk import SqliteStore
from lix_async.bulk.store import Counts, Entry, Failed, Store
from lix_async.core.errors import BulkError, NotFoundError

from .conftest import Open

pytestmark = pytest.mark.anyio
KEY, OTHER = b"k" * 16, b"o" * 16


@asynccontextmanager
async def looking(ledger: Open) -> AsyncIterator[Store]:
    store = ledger()
    await store.look()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened(ledger: Open, name: str = "run") -> AsyncIterator[Store]:
    store = ledger()
    await store.open(name, 1.0)
    try:
        yield store
    finally:
        await store.close()


async def taken(store: Store, key: bytes = KEY, now: float = 2.0) -> Entry:
    return await store.take(key, "thing.get", b'"given"', now)


async def test_a_new_key_is_owed_and_held_by_who_took_it(ledger: Open) -> None:
    async with opened(ledger) as store:
        first = await taken(store)
        assert (first.status, first.held, first.given) == ("owed", True, b'"given"')
        again = await taken(store)
        assert (again.status, again.held) == ("busy", False)


async def test_one_of_many_who_ask_at_once_gets_it(ledger: Open) -> None:
    found: list[Entry] = []

    async def ask() -> None:
        found.append(await taken(store))

    async with opened(ledger) as store, anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert sorted(entry.status for entry in found) == ["busy"] * 19 + ["owed"]


async def test_an_answer_is_there_for_ever(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        assert await store.sent(KEY, True, 3.0)
        await store.done(KEY, b'{"a":1}', 2, 4.0)
    async with opened(ledger) as store:
        entry = await taken(store)
        assert (entry.status, entry.body, entry.credits, entry.attempts) == (
            "done",
            b'{"a":1}',
            2,
            1,
        )
        assert await store.counts() == Counts(done=1, credits=2)
        assert not entry.held


async def test_a_released_key_can_be_taken_again(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.release(KEY)
        assert (await taken(store)).held


async def test_a_queued_key_is_left_alone_until_it_is_due(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        await store.settle(KEY, "queued", Failed("QueuedError", "soon", 202, "queued"), 50.0, 4.0)
        assert await store.soonest() == 50.0
        early, late = await taken(store, now=49.0), await taken(store, now=50.0)
        assert (early.status, early.held, early.due) == ("queued", False, 50.0)
        assert (late.status, late.held) == ("queued", True)


async def test_a_refusal_is_kept_with_its_facts(ledger: Open) -> None:
    error = NotFoundError("nobody", status=404, kind="not_found")
    async with opened(ledger) as store:
        await taken(store)
        await store.settle(KEY, "refused", Failed.of(error), 0.0, 3.0)
        entry = await taken(store)
        assert entry.status == "refused"
        assert entry.error is not None
        again = entry.error.error("thing.get")
        assert isinstance(again, NotFoundError)
        assert (again.status, again.kind) == (404, "not_found")


async def test_one_in_doubt_is_bought_again_by_one_only(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        await store.settle(KEY, "in_doubt", None, 0.0, 4.0)
        assert [(await taken(store)).held for _ in range(2)] == [False, False]
        assert await store.sent(KEY, False, 5.0)
        assert not await store.sent(KEY, False, 5.0)
        assert await store.sent(KEY, True, 6.0)  # its next attempt
        assert (await taken(store)).status == "busy"


async def test_a_walk_is_kept_page_by_page(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        for number, items in enumerate((b"[1,2]", b"[]", b"[3]")):
            await store.sent(KEY, True, 3.0)
            await store.page(KEY, items, b"point %d" % number, 1, 4.0)
    async with opened(ledger) as store:
        entry = await taken(store)
        assert (entry.status, entry.held, entry.point) == ("owed", True, b"point 2")
        assert await store.walked(KEY, 5.0) == b"[1,2,3]"
        done = await taken(store)
        assert (done.status, done.body, done.credits) == ("done", b"[1,2,3]", 3)


async def test_entries_come_in_the_order_of_the_inputs(ledger: Open) -> None:
    keys = [bytes([number]) * 16 for number in range(250, 0, -1)]
    async with opened(ledger) as store:
        for key in keys:
            await taken(store, key)
        await store.settle(keys[7], "refused", None, 0.0, 3.0)
        assert [entry.key async for entry in store.entries()] == keys
        assert [entry.key async for entry in store.entries("refused")] == [keys[7]]


async def test_bodies_come_back_byte_for_byte(ledger: Open) -> None:
    body = bytes(range(256)) * 100
    async with opened(ledger) as store:
        await taken(store)
        await store.done(KEY, body, 0, 3.0)
        assert (await taken(store)).body == body


async def test_a_closed_store_says_so(ledger: Open) -> None:
    store = ledger()
    with pytest.raises(BulkError, match="not open"):
        await taken(store)
    async with opened(ledger) as store:
        pass
    with pytest.raises(BulkError, match="not open"):
        await taken(store)


async def test_close_leaves_what_was_sent_in_doubt_and_the_rest_owed(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        await taken(store, OTHER)
    async with opened(ledger) as store:
        assert (await taken(store)).status == "in_doubt"
        assert (await taken(store, OTHER)).held


async def doubtful(store: Store, key: bytes = KEY) -> None:
    await taken(store, key)
    await store.sent(key, True, 3.0)
    await store.settle(key, "in_doubt", None, 0.0, 4.0)


async def test_who_looks_disturbs_nobody_who_works(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.sent(KEY, True, 3.0)
        async with looking(ledger) as beside:
            assert await beside.counts() == Counts(sent=1)
            found = await beside.find(KEY)
            assert found is not None
            assert (found.status, found.held, found.attempts) == ("sent", False, 1)
            assert await beside.find(OTHER) is None
            assert not await beside.decide(KEY, "owed", 4.0)  # somebody is at it
            with pytest.raises(BulkError, match="open already"):
                await beside.look()
        await store.done(KEY, b"{}", 1, 5.0)
        assert (await taken(store)).body == b"{}"


async def test_looking_finds_what_is_final(ledger: Open) -> None:
    async with opened(ledger) as store:
        for key in (KEY, OTHER, b"n" * 16):
            await taken(store, key)
        await store.done(KEY, b"{}", 1, 3.0)
        await store.settle(OTHER, "refused", Failed("NotFoundError", "nobody", 404), 0.0, 3.0)
    async with looking(ledger) as store:
        found = await store.find(KEY)
        assert found is not None
        assert (found.status, found.body, found.credits) == ("done", b"{}", 1)
        many = await store.known([bytes([number]) * 16 for number in range(200)] + [b"x" * 16])
        assert {key: entry.status for key, entry in many.items()} == {KEY: "done", OTHER: "refused"}
        assert many[KEY].body == b"{}"
        assert many[OTHER].error == Failed("NotFoundError", "nobody", 404)
        assert await store.known([]) == {}
        assert len([entry async for entry in store.entries()]) == 3
        assert await store.soonest() is None


async def test_parking_is_seen_by_those_at_work_and_outlives_them(ledger: Open) -> None:
    async with opened(ledger) as store:
        assert await store.parked() == ""
        async with looking(ledger) as beside:
            for reason in ("enough", "for today"):
                await beside.park(reason)
                assert await store.parked() == reason
    async with opened(ledger) as store:
        assert await store.parked() == "for today"
        await store.park("")
        await store.park("")
        assert await store.parked() == ""


async def test_a_doubt_is_decided_once_and_seen_by_those_at_work(ledger: Open) -> None:
    async with opened(ledger) as store:
        await doubtful(store, KEY)
        await doubtful(store, OTHER)
        async with looking(ledger) as beside:
            assert await beside.decide(KEY, "owed", 5.0)
            assert await beside.decide(OTHER, "refused", 5.0)
            assert not await beside.decide(OTHER, "owed", 6.0)
            assert not await beside.decide(b"x" * 16, "owed", 6.0)
        again, over = await taken(store, KEY), await taken(store, OTHER)
        assert (again.status, again.held) == ("owed", True)
        assert (over.status, over.held, over.changed) == ("refused", False, 5.0)


async def test_a_doubt_that_was_settled_meanwhile_is_not_bought_again(ledger: Open) -> None:
    async with opened(ledger) as store:
        await doubtful(store)
        assert (await taken(store)).status == "in_doubt"  # and is about to be bought again
        async with looking(ledger) as beside:
            assert await beside.decide(KEY, "refused", 5.0)
        assert not await store.sent(KEY, False, 6.0)
        assert (await taken(store)).status == "refused"


async def test_there_is_nothing_to_look_at_before_a_run(ledger: Open) -> None:
    store = ledger()
    with pytest.raises(BulkError):
        await store.look()
    with pytest.raises(BulkError):  # and looking has made nothing
        await store.look()


async def test_entries_of_one_endpoint(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store, KEY)
        await store.take(OTHER, "other.get", b"1", 2.0)
        found = [entry.key async for entry in store.entries(endpoint="other.get")]
        assert found == [OTHER]
        assert [entry async for entry in store.entries("done", endpoint="other.get")] == []


async def test_mixed_work_shares_the_ledger_of_any_run(ledger: Open) -> None:
    for name in ("", "run", "", "run"):
        async with opened(ledger, name) as store:
            assert await store.counts() == Counts()


async def test_a_done_key_can_be_asked_for_again_and_keeps_its_answer_meanwhile(
    ledger: Open,
) -> None:
    async with opened(ledger) as store:
        await taken(store)
        assert not await store.again(KEY, 50.0, 3.0)
        await store.done(KEY, b"{}", 1, 3.0)
        assert await store.again(KEY, 50.0, 4.0)
        early, late = await taken(store, now=49.0), await taken(store, now=50.0)
        assert (early.status, early.held, late.held) == ("queued", False, True)
        assert late.body == b"{}"


async def test_a_key_that_another_worker_holds_is_busy_until_settled(ledger: Open) -> None:
    async with opened(ledger) as one, opened(ledger) as other:
        assert (await taken(one)).held
        assert (await taken(other)).status == "busy"
        assert not await other.sent(KEY, False, 2.0)
        assert not await other.sent(KEY, True, 2.0)
        assert await one.sent(KEY, True, 2.0)
        assert (await taken(other, now=1e12)).status == "busy"  # no clock ends it
        await one.done(KEY, b"{}", 1, 3.0)
        assert (await taken(other)).status == "done"


async def test_what_another_worker_let_go_of_can_be_taken(ledger: Open) -> None:
    doubt = b"d" * 16
    async with opened(ledger) as other:
        async with opened(ledger) as one:
            for key in (KEY, OTHER, doubt):
                await taken(one, key)
            await one.release(KEY)
            await one.sent(doubt, True, 3.0)
            assert (await taken(other, KEY)).held
            assert (await taken(one, KEY)).status == "busy"
            assert (await taken(other, OTHER)).status == "busy"
        assert (await taken(other, OTHER)).held
        assert (await taken(other, doubt)).status == "in_doubt"


async def test_one_in_doubt_is_bought_again_by_one_of_two_workers(ledger: Open) -> None:
    async with opened(ledger) as one, opened(ledger) as other:
        await doubtful(one)
        assert [(await taken(store)).status for store in (one, other)] == ["in_doubt"] * 2
        assert [await store.sent(KEY, False, 5.0) for store in (other, one)] == [True, False]


async def test_workers_that_race_for_the_same_keys_share_them(ledger: Open) -> None:
    keys = [bytes([number]) * 16 for number in range(200)]
    got: list[bytes] = []

    async def one(store: Store, key: bytes) -> None:
        if (await taken(store, key)).held:
            got.append(key)
            assert await store.sent(key, True, 2.0)
            await store.done(key, b"{}", 1, 3.0)

    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(ledger)) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for number, store in enumerate(stores):
                for key in keys if number else reversed(keys):
                    tasks.start_soon(one, store, key)
        assert sorted(got) == sorted(keys)
        assert await stores[0].counts() == Counts(done=200, credits=200)


async def test_an_answer_is_charged_once_and_nothing_undoes_it(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.done(KEY, b"{}", 2, 2.0)
        await store.done(KEY, b"{}", 2, 2.0)
        await store.settle(KEY, "in_doubt", None, 0.0, 3.0)  # by one who was cancelled meanwhile
        assert await store.counts() == Counts(done=1, credits=2)


class TestFile:
    """What only a file can get wrong."""

    async def test_looking_makes_no_file(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "none.db")
        with pytest.raises(BulkError, match="No such file"):
            await store.look()
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("content", [b"", b"no database " * 100])
    async def test_another_file_is_no_ledger(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "x.db"
        path.write_bytes(content)
        with pytest.raises(BulkError, match=r"no ledger|not a database"):
            await SqliteStore(path).look()
        assert path.read_bytes() == content

    async def test_another_version_or_run_is_refused(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "x.db")
        async with opened(lambda: store):
            pass
        with pytest.raises(BulkError, match="another run"):
            await store.open("other", 1.0)
        with sqlite3.connect(store.path) as line:
            line.execute("UPDATE about SET value = '99' WHERE name = 'version'")
        line.close()
        for begin in (store.look(), store.open("run", 1.0)):
            with pytest.raises(BulkError, match="version 99"):
                await begin
