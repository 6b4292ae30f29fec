"""What every ledger promises, on both kinds of ledger and both loops."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3 as database
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from lix_async import filesystem
from lix_async.bulk import SqliteStore
from lix_async.bulk.stores import postgres_batch as batch
from lix_async.bulk.stores import sqlite
from lix_async.bulk.stores import sqlite as session
from lix_async.bulk.stores.base import Entry, LedgerCounts, Store, StoredError
from lix_async.bulk.stores.postgres import PostgresStore
from lix_async.core.errors import BulkError, NotFoundError

from .conftest import Open

pytestmark = pytest.mark.anyio
KEY, OTHER = b"k" * 16, b"o" * 16
FILL = """
INSERT INTO {0} (key, endpoint, given, status, changed, credits, body, owner)
{2} SELECT {1}, 'thing.get', {4}, CASE WHEN {3} THEN 1 ELSE 3 END, 1.0, 1,
    {4}, CASE WHEN {3} THEN 99 END
"""
"""All done but some, which a dead worker has sent."""


@asynccontextmanager
async def looking(ledger: Open) -> AsyncIterator[Store]:
    store = ledger()
    await store.open_read_only()
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
    return await store.claim(key, "thing.get", b'"given"', now)


async def test_a_new_key_is_pending_and_claimed(ledger: Open) -> None:
    async with opened(ledger) as store:
        first = await taken(store)
        assert (first.status, first.held, first.given) == ("pending", True, b'"given"')
        again = await taken(store)
        assert (again.status, again.held) == ("busy", False)


async def test_one_of_many_who_ask_at_once_gets_it(ledger: Open) -> None:
    found: list[Entry] = []

    async def ask() -> None:
        found.append(await taken(store))

    async with opened(ledger) as store, anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert sorted(entry.status for entry in found) == ["busy"] * 19 + ["pending"]


async def test_an_answer_is_there_for_ever(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        assert await store.mark_sent(KEY, True, 3.0)
        await store.done(KEY, b'{"a":1}', 2, 4.0)
    async with opened(ledger) as store:
        entry = await taken(store)
        assert (entry.status, entry.body, entry.credits, entry.attempts) == (
            "done",
            b'{"a":1}',
            2,
            1,
        )
        assert await store.counts() == LedgerCounts(done=1, credits=2)
        assert not entry.held


async def test_a_released_key_can_be_taken_again(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.release(KEY)
        assert (await taken(store)).held


async def test_a_queued_key_is_left_alone_until_it_is_due(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.mark_sent(KEY, True, 3.0)
        await store.set_outcome(
            KEY, "queued", StoredError("QueuedError", "soon", 202, "queued"), 50.0, 4.0
        )
        assert await store.next_due() == 50.0
        early, late = await taken(store, now=49.0), await taken(store, now=50.0)
        assert (early.status, early.held, early.due) == ("queued", False, 50.0)
        assert (late.status, late.held) == ("queued", True)


async def test_a_refusal_is_kept_with_its_facts(ledger: Open) -> None:
    error = NotFoundError("not found", status=404, kind="not_found")
    async with opened(ledger) as store:
        await taken(store)
        await store.set_outcome(KEY, "refused", StoredError.of(error), 0.0, 3.0)
        entry = await taken(store)
        assert entry.status == "refused"
        assert entry.error is not None
        again = entry.error.error("thing.get")
        assert isinstance(again, NotFoundError)
        assert (again.status, again.kind) == (404, "not_found")


async def test_one_in_doubt_is_bought_again_by_one_only(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.mark_sent(KEY, True, 3.0)
        await store.set_outcome(KEY, "in_doubt", None, 0.0, 4.0)
        assert [(await taken(store)).held for _ in range(2)] == [False, False]
        assert await store.mark_sent(KEY, False, 5.0)
        assert not await store.mark_sent(KEY, False, 5.0)
        assert await store.mark_sent(KEY, True, 6.0)  # its next attempt
        assert (await taken(store)).status == "busy"


async def test_a_listing_is_saved_page_by_page(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        for number, items in enumerate((b"[1,2]", b"[]", b"[3]")):
            await store.mark_sent(KEY, True, 3.0)
            await store.add_page(KEY, items, b"point %d" % number, 1, 4.0)
    async with opened(ledger) as store:
        entry = await taken(store)
        assert (entry.status, entry.held, entry.point) == ("pending", True, b"point 2")
        assert await store.finish_listing(KEY, 5.0) == b"[1,2,3]"
        done = await taken(store)
        assert (done.status, done.body, done.credits) == ("done", b"[1,2,3]", 3)


async def test_entries_come_in_the_order_of_the_inputs(ledger: Open) -> None:
    keys = [bytes([number]) * 16 for number in range(250, 0, -1)]
    async with opened(ledger) as store:
        for key in keys:
            await taken(store, key)
        await store.set_outcome(keys[7], "refused", None, 0.0, 3.0)
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


async def test_close_leaves_sent_keys_in_doubt_and_the_rest_pending(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.mark_sent(KEY, True, 3.0)
        await taken(store, OTHER)
    async with opened(ledger) as store:
        assert (await taken(store)).status == "in_doubt"
        assert (await taken(store, OTHER)).held


async def doubtful(store: Store, key: bytes = KEY) -> None:
    await taken(store, key)
    await store.mark_sent(key, True, 3.0)
    await store.set_outcome(key, "in_doubt", None, 0.0, 4.0)


async def test_a_read_only_connection_does_not_disturb_workers(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.mark_sent(KEY, True, 3.0)
        async with looking(ledger) as beside:
            assert await beside.counts() == LedgerCounts(sent=1)
            found = await beside.get(KEY)
            assert found is not None
            assert (found.status, found.held, found.attempts) == ("sent", False, 1)
            assert await beside.get(OTHER) is None
            assert not await beside.resolve(KEY, "pending", 4.0)  # somebody is at it
            with pytest.raises(BulkError, match="open already"):
                await beside.open_read_only()
        await store.done(KEY, b"{}", 1, 5.0)
        assert (await taken(store)).body == b"{}"


async def test_looking_finds_what_is_final(ledger: Open) -> None:
    async with opened(ledger) as store:
        for key in (KEY, OTHER, b"n" * 16):
            await taken(store, key)
        await store.done(KEY, b"{}", 1, 3.0)
        await store.set_outcome(
            OTHER, "refused", StoredError("NotFoundError", "not found", 404), 0.0, 3.0
        )
    async with looking(ledger) as store:
        found = await store.get(KEY)
        assert found is not None
        assert (found.status, found.body, found.credits) == ("done", b"{}", 1)
        many = await store.final_entries(
            [bytes([number]) * 16 for number in range(200)] + [b"x" * 16]
        )
        assert {key: entry.status for key, entry in many.items()} == {KEY: "done", OTHER: "refused"}
        assert many[KEY].body == b"{}"
        assert many[OTHER].error == StoredError("NotFoundError", "not found", 404)
        assert await store.final_entries([]) == {}
        assert len([entry async for entry in store.entries()]) == 3
        assert await store.next_due() is None


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
            assert await beside.resolve(KEY, "pending", 5.0)
            assert await beside.resolve(OTHER, "refused", 5.0)
            assert not await beside.resolve(OTHER, "pending", 6.0)
            assert not await beside.resolve(b"x" * 16, "pending", 6.0)
        again, over = await taken(store, KEY), await taken(store, OTHER)
        assert (again.status, again.held) == ("pending", True)
        assert (over.status, over.held, over.changed) == ("refused", False, 5.0)


async def test_a_doubt_that_was_settled_meanwhile_is_not_bought_again(ledger: Open) -> None:
    async with opened(ledger) as store:
        await doubtful(store)
        assert (await taken(store)).status == "in_doubt"  # and is about to be bought again
        async with looking(ledger) as beside:
            assert await beside.resolve(KEY, "refused", 5.0)
        assert not await store.mark_sent(KEY, False, 6.0)
        assert (await taken(store)).status == "refused"


async def test_there_is_nothing_to_look_at_before_a_run(ledger: Open) -> None:
    store = ledger()
    with pytest.raises(BulkError):
        await store.open_read_only()
    with pytest.raises(BulkError):  # and looking has made nothing
        await store.open_read_only()


async def test_entries_of_one_endpoint(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store, KEY)
        await store.claim(OTHER, "other.get", b"1", 2.0)
        found = [entry.key async for entry in store.entries(endpoint="other.get")]
        assert found == [OTHER]
        assert [entry async for entry in store.entries("done", endpoint="other.get")] == []


async def test_mixed_work_shares_the_ledger_of_any_run(ledger: Open) -> None:
    for name in ("", "run", "", "run"):
        async with opened(ledger, name) as store:
            assert await store.counts() == LedgerCounts()


async def test_a_done_key_can_be_asked_for_again_and_keeps_its_answer_meanwhile(
    ledger: Open,
) -> None:
    async with opened(ledger) as store:
        await taken(store)
        assert not await store.schedule_recheck(KEY, 50.0, 3.0)
        await store.done(KEY, b"{}", 1, 3.0)
        assert await store.schedule_recheck(KEY, 50.0, 4.0)
        early, late = await taken(store, now=49.0), await taken(store, now=50.0)
        assert (early.status, early.held, late.held) == ("queued", False, True)
        assert late.body == b"{}"


async def test_a_key_that_another_worker_holds_is_busy_until_settled(ledger: Open) -> None:
    async with opened(ledger) as one, opened(ledger) as other:
        assert (await taken(one)).held
        assert (await taken(other)).status == "busy"
        assert not await other.mark_sent(KEY, False, 2.0)
        assert not await other.mark_sent(KEY, True, 2.0)
        assert await one.mark_sent(KEY, True, 2.0)
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
            await one.mark_sent(doubt, True, 3.0)
            assert (await taken(other, KEY)).held
            assert (await taken(one, KEY)).status == "busy"
            assert (await taken(other, OTHER)).status == "busy"
        assert (await taken(other, OTHER)).held
        assert (await taken(other, doubt)).status == "in_doubt"


async def test_one_in_doubt_is_bought_again_by_one_of_two_workers(ledger: Open) -> None:
    async with opened(ledger) as one, opened(ledger) as other:
        await doubtful(one)
        assert [(await taken(store)).status for store in (one, other)] == ["in_doubt"] * 2
        assert [await store.mark_sent(KEY, False, 5.0) for store in (other, one)] == [True, False]


async def test_workers_that_race_for_the_same_keys_share_them(ledger: Open) -> None:
    keys = [bytes([number]) * 16 for number in range(200)]
    got: list[bytes] = []

    async def one(store: Store, key: bytes) -> None:
        if (await taken(store, key)).held:
            got.append(key)
            assert await store.mark_sent(key, True, 2.0)
            await store.done(key, b"{}", 1, 3.0)

    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(ledger)) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for number, store in enumerate(stores):
                for key in keys if number else reversed(keys):
                    tasks.start_soon(one, store, key)
        assert sorted(got) == sorted(keys)
        assert await stores[0].counts() == LedgerCounts(done=200, credits=200)


async def test_an_answer_is_charged_once_and_nothing_undoes_it(ledger: Open) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.done(KEY, b"{}", 2, 2.0)
        await store.done(KEY, b"{}", 2, 2.0)
        await store.set_outcome(
            KEY, "in_doubt", None, 0.0, 3.0
        )  # by one who was cancelled meanwhile
        assert await store.counts() == LedgerCounts(done=1, credits=2)


async def test_an_attempt_whose_answer_was_not_kept_is_in_doubt_at_once(
    ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(ledger) as store:
        await taken(store)
        await store.mark_sent(KEY, True, 3.0)
        with monkeypatch.context() as patch, pytest.raises(BulkError):
            for home in (sqlite, batch):
                patch.setattr(home, "KEEP", "UPDATE nothing")
            await store.done(KEY, b"{}", 1, 4.0)
        assert (await taken(store)).status == "in_doubt"  # no worker waits for it
        assert await store.mark_sent(KEY, False, 5.0)


async def test_a_page_is_kept_once_when_the_commit_is_repeated(ledger: Open) -> None:
    async with opened(ledger) as store, opened(ledger) as other:
        await taken(store)
        await store.mark_sent(KEY, True, 2.0)
        for _ in range(2):
            await store.add_page(KEY, b"[1]", b"point", 1, 3.0)
        for whose in (store, other):
            with pytest.raises(BulkError, match="another worker"):
                await whose.add_page(KEY, b"[1]", b"elsewhere", 1, 3.0)
        await other.release(KEY)  # what it does not hold
        await other.set_outcome(KEY, "refused", None, 0.0, 3.0)
        assert (await taken(other)).status == "busy"
        assert [await store.finish_listing(KEY, 4.0) for _ in range(2)] == [b"[1]", b"[1]"]
        assert await store.counts() == LedgerCounts(done=1, credits=1)


async def filled(store: Store, count: int) -> None:
    if isinstance(store, SqliteStore):
        many = FILL.format(
            "call", "randomblob(16)", "WITH RECURSIVE n(i) AS "
            f"(VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count})", "i % 2000 = 0", "x'7b7d'",
        )  # fmt: skip
        await store._change(f"{many} FROM n")
    elif isinstance(store, PostgresStore):
        table, one = "{0}.call", "decode(md5(i::text), 'hex')"
        many = FILL.format(table, one, "", "i %% 2000 = 0", r"'\x7b7d'::bytea")
        await store._do(lambda line: line.changed(f"{many} FROM generate_series(1, {count}) n(i)"))


async def test_what_the_dead_had_sent_is_in_doubt_among_many_answers(ledger: Open) -> None:
    async with opened(ledger) as store:
        await filled(store, 100_000)
    store = ledger()
    assert await store.open("run", 2.0) == 50
    assert await store.counts() == LedgerCounts(done=99_950, in_doubt=50, credits=100_000)
    doubts = [entry.key async for entry in store.entries("in_doubt")]
    assert len(doubts) == 50
    assert await store.next_due() is None
    assert await store.final_entries(doubts) == {}
    await store.close()


async def test_who_looks_after_a_kill_sees_doubts_and_decides_them(ledger: Open) -> None:
    async with opened(ledger) as store:
        await filled(store, 2_000)
    async with looking(ledger) as beside:
        assert await beside.counts() == LedgerCounts(done=1_999, in_doubt=1, credits=2_000)
        (entry,) = [entry async for entry in beside.entries("in_doubt")]
        assert await beside.resolve(entry.key, "pending", 3.0)
        assert await beside.counts() == LedgerCounts(done=1_999, pending=1, credits=2_000, lost=1)


class TestFile:
    """What only a file can get wrong."""

    async def test_looking_makes_no_file(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "none.db")
        with pytest.raises(BulkError, match="No such file"):
            await store.open_read_only()
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("content", [b"", b"no database " * 100])
    async def test_another_file_is_no_ledger(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "x.db"
        path.write_bytes(content)
        with pytest.raises(BulkError, match=r"not a lix_async ledger|not a database"):
            await SqliteStore(path).open_read_only()
        assert path.read_bytes() == content

    async def test_many_may_make_it_at_once(self, tmp_path: Path) -> None:
        async def one(path: Path) -> None:
            async with opened(lambda: SqliteStore(path)) as store:
                await taken(store, os.urandom(16))

        for number in range(5):
            async with anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(one, tmp_path / f"{number}.db")
        async with looking(lambda: SqliteStore(tmp_path / "4.db")) as store:
            assert await store.counts() == LedgerCounts(pending=6)

    async def test_its_companion_files_are_private(self, tmp_path: Path) -> None:
        make = lambda: SqliteStore(tmp_path / "x.db")  # noqa: E731  # one line says it
        async with opened(make) as one, opened(make):
            await taken(one)
            names = sorted(os.listdir(tmp_path))
            assert names == ["x.db", "x.db-shm", "x.db-wal", "x.db.lock", "x.db.lock2"]
            assert {os.stat(tmp_path / name).st_mode & 0o777 for name in names} == {0o600}

    async def test_one_at_work_takes_over_from_one_that_dies(self, tmp_path: Path) -> None:
        make = lambda: SqliteStore(tmp_path / "x.db")  # noqa: E731  # one line says it
        async with opened(make) as other, opened(make) as one:
            await taken(one)
            await taken(one, OTHER)
            await one.mark_sent(OTHER, True, 3.0)
            assert (await taken(other)).status == "busy"
            filesystem._release_in_child()  # as the system does for the dead
            assert (await taken(other)).held
            assert (await taken(other, OTHER)).status == "in_doubt"
            assert not await one.mark_sent(KEY, True, 4.0)
            await one.done(OTHER, b"{}", 1, 4.0)  # an answer is a fact
            assert (await taken(other, OTHER)).status == "done"

    async def test_a_damaged_file_is_reported_and_not_changed(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "x.db")
        async with opened(lambda: store):
            for number in range(200):
                await store.claim(bytes([number]) * 16, "thing.get", b"1" * 500, 2.0)
        with store.path.open("r+b") as damaged:
            damaged.seek(4096)
            damaged.write(b"\xff" * 100_000)
        before = store.path.read_bytes()
        with pytest.raises(BulkError, match="damaged: restore a copy"):
            async with opened(lambda: store):
                assert [entry async for entry in store.entries()] == []
        assert store.path.read_bytes() == before

    async def test_a_ledger_that_is_locked_for_too_long_is_reported(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session, "LOCKED_FOR", 0.05)
        path = tmp_path / "x.db"
        with contextlib.closing(database.connect(path)) as line:
            line.execute("CREATE TABLE other (x)")
            line.execute("BEGIN EXCLUSIVE")
            with pytest.raises(BulkError, match="locked"):
                await SqliteStore(path).open("run", 1.0)

    async def test_a_pipe_is_no_ledger(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(BulkError, match="not a file"):
            await SqliteStore(tmp_path / "pipe").open("run", 1.0)

    async def test_a_disk_without_locks_is_reported(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(*_: object) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(filesystem, "lock_descriptor", none)
        with pytest.raises(BulkError, match="cannot be locked: No locks"):
            await SqliteStore(tmp_path / "x.db").open("run", 1.0)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_fork_does_not_keep_its_parent_alive(self, tmp_path: Path) -> None:
        forks = (
            "import os, sys; from pathlib import Path; from lix_async.filesystem import try_lock\n"
            "lock = try_lock(Path(sys.argv[1]))\n"
            "if os.fork(): os._exit(lock is not None)\n"
            "print('forked', flush=True); sys.stdin.read()"
        )
        path = tmp_path / "x.db"
        with subprocess.Popen(
            [sys.executable, "-c", forks, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"forked\n"
            assert parent.wait() == 1
            lock = filesystem.try_lock(path)  # while the child lives
            assert lock is not None
            lock.close()

    async def test_another_version_or_run_is_refused(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "x.db")
        async with opened(lambda: store):
            pass
        with pytest.raises(BulkError, match="another run"):
            await store.open("other", 1.0)
        with database.connect(store.path) as line:
            line.execute("UPDATE about SET value = '99' WHERE name = 'version'")
        line.close()
        for begin in (store.open_read_only(), store.open("run", 1.0)):
            with pytest.raises(BulkError, match="version 99"):
                await begin
