"""Answers that a ledger could not store are kept beside it, and taken in when it is opened again."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from lix_async import bulk
from lix_async.bulk import Entry, SqliteStore
from lix_async.core.errors import BulkError
from lix_async.ledger.records import Receive
from lix_async.ledger.rescue import RescuedAnswer, rescue, rescue_files
from lix_async.ledger.sqlite import SqliteDatabase
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
PEOPLE = [f"https://www.linkedin.com/in/someone-{number}" for number in range(4)]
SEARCH = ["https://www.linkedin.com/search/results/people/?keywords=rare&page=12"]
"""The last three pages of it."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of the user."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "lix_async"


@pytest.fixture
async def vendor() -> AsyncIterator[tuple[Sandbox, Any]]:
    sandbox = Sandbox(people=50, organisations=5, rate=None)
    async with memory_client(sandbox) as lix:
        yield sandbox, lix


async def run(store: SqliteStore, method: Any, inputs: list[str]) -> list[bulk.Outcome[Any]]:
    return [one async for one in bulk.Run(store, method, inputs, concurrency=8)]


async def broken_run(path: Path, method: Any, inputs: list[str], harm: Callable[[], None]) -> None:
    """A run whose ledger comes to harm at the moment when the first answer is there."""
    store, apply = SqliteStore(path), SqliteStore.apply
    harmed = False

    async def apply_later(*events: Any) -> Any:
        nonlocal harmed
        if isinstance(events[0], Receive) and not harmed:
            harmed = True
            harm()
        return await apply(store, *events)

    store.apply = apply_later  # type: ignore[method-assign, assignment]  # of this store alone
    with pytest.raises(BulkError, match="unsaved") as caught:
        await run(store, method, inputs)
    assert caught.value.unsaved


def rescued(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.rescue-*"))


@pytest.mark.parametrize("inputs", [PEOPLE, SEARCH], ids=["calls", "listing"])
@pytest.mark.parametrize("back", ["same", "older", "new"])
async def test_what_a_deleted_ledger_could_not_store_is_not_bought_again(
    tmp_path: Path, vendor: tuple[Sandbox, Any], inputs: list[str], back: str
) -> None:
    """Another file is in its place when it is opened again: itself, an older copy, or none."""
    sandbox, lix = vendor
    method = lix.search.people if inputs is SEARCH else lix.people.get
    path, moved = tmp_path / "l.db", tmp_path / "moved"
    moved.mkdir()
    async with SqliteStore(path):
        pass
    shutil.copy(path, moved / "older")

    def harm() -> None:
        for one in tmp_path.glob("l.db*"):
            one.rename(moved / one.name)

    await broken_run(path, method, inputs, harm)
    [file] = rescued(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    if back == "same":
        for one in moved.glob("l.db*"):
            one.rename(tmp_path / one.name)
    elif back == "older":
        shutil.copy(moved / "older", path)
    paid = len(sandbox.ledger)
    outcomes = await run(SqliteStore(path), method, inputs)
    assert {one.state for one in outcomes} == {"done"}
    assert sandbox.ledger.repeats() == {}
    assert len(sandbox.ledger) >= paid
    assert rescued(tmp_path) == []
    async with SqliteStore(path) as store:
        assert (await store.counts()).credits == len(sandbox.ledger)
    assert {one.cached for one in await run(SqliteStore(path), method, inputs)} == {True}
    assert sandbox.ledger.repeats() == {}


async def test_where_its_folder_is_gone_they_are_in_the_data_folder(
    tmp_path: Path, vendor: tuple[Sandbox, Any], home: Path
) -> None:
    sandbox, lix = vendor
    folder = tmp_path / "folder"
    folder.mkdir()
    await broken_run(folder / "l.db", lix.people.get, PEOPLE, lambda: shutil.rmtree(folder))
    assert len(rescued(home)) == 1
    folder.mkdir()
    other = await run(SqliteStore(tmp_path / "l.db"), lix.people.get, [])  # of the same name
    assert (other, len(rescued(home))) == ([], 1)
    assert len(await run(SqliteStore(folder / "l.db"), lix.people.get, PEOPLE)) == 4
    assert (len(sandbox.ledger), sandbox.ledger.repeats(), rescued(home)) == (4, {}, [])


async def test_a_ledger_that_was_moved_takes_what_is_beside_it(
    tmp_path: Path, vendor: tuple[Sandbox, Any]
) -> None:
    sandbox, lix = vendor
    folder, moved = tmp_path / "folder", tmp_path / "moved"
    folder.mkdir()
    moved.mkdir()

    def harm() -> None:
        for one in folder.glob("l.db*"):
            one.rename(moved / one.name)

    await broken_run(folder / "l.db", lix.people.get, PEOPLE, harm)
    [file] = rescued(folder)
    file.rename(moved / file.name)
    assert len(await run(SqliteStore(moved / "l.db"), lix.people.get, PEOPLE)) == 4
    assert (len(sandbox.ledger), sandbox.ledger.repeats(), rescued(moved)) == (4, {}, [])


async def test_a_full_disk(
    tmp_path: Path, vendor: tuple[Sandbox, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, lix = vendor
    path = tmp_path / "l.db"
    insert = SqliteDatabase.insert

    def full(self: SqliteDatabase, table: str, *arguments: Any) -> int:
        if table == "answer":
            raise sqlite3.OperationalError("database or disk is full")
        return insert(self, table, *arguments)

    await broken_run(
        path, lix.people.get, PEOPLE, lambda: monkeypatch.setattr(SqliteDatabase, "insert", full)
    )
    monkeypatch.undo()
    assert len(rescued(tmp_path)) == 1
    outcomes = await run(SqliteStore(path), lix.people.get, PEOPLE)
    assert [one.state for one in outcomes] == ["done"] * 4
    assert (len(sandbox.ledger), sandbox.ledger.repeats(), rescued(tmp_path)) == (4, {}, [])


async def test_what_is_known_or_was_bought_again_is_not_stored_twice(
    tmp_path: Path, vendor: tuple[Sandbox, Any]
) -> None:
    _, lix = vendor
    path, kept = tmp_path / "l.db", tmp_path / "kept"
    moved = tmp_path / "moved"
    moved.mkdir()

    def harm() -> None:
        for one in tmp_path.glob("l.db*"):
            one.rename(moved / one.name)

    await broken_run(path, lix.people.get, PEOPLE, harm)
    [file] = rescued(tmp_path)
    shutil.copy(file, kept)
    await run(SqliteStore(path), lix.people.get, PEOPLE)
    shutil.copy(kept, file)
    async with SqliteStore(path) as store:
        before = [entry async for entry in store.entries()]
    assert rescued(tmp_path) == []  # the same answers
    file.write_bytes(kept.read_bytes().replace(b'"sent":1', b'"sent":2') + b'{"torn')
    async with SqliteStore(path) as store:
        after: list[Entry] = [entry async for entry in store.entries()]
    assert (after, rescued(tmp_path)) == (before, [file])  # of another purchase: it stays


async def test_what_belongs_to_a_process_that_runs_is_left_to_it(tmp_path: Path) -> None:
    answer = RescuedAnswer(
        ledger=str(tmp_path / "l.db"),
        key=bytes(16),
        endpoint="person.get",
        written_as=b'"x"',
        variant=b"",
        n=1,
        page=0,
        price=1,
        kind="standard",
        sent=1,
        at=2,
        http=200,
        body=b"{}",
    )
    store = SqliteStore(tmp_path / "l.db")
    async with store:
        assert store._connection is not None
        rescue(store.path, store._connection.token, [answer])
        assert rescue_files(store.path) == []
    assert [one.answers for one in rescue_files(store.path)] == [[answer]]
