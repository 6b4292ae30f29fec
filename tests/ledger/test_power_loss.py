"""The power fails while requests are in flight: what was not synchronised is lost.

SQLite runs on a file system that notes what each file held when it was last synchronised. At every
request, and at every outcome that is handed out, a copy is made of what would be left without
power. It must know of the request, or have the answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lix_async import bulk
from lix_async.bulk import SqliteStore
from lix_async.sandbox import Sandbox
from lix_async.sandbox.protocol.requests import IncomingRequest
from lix_async.sandbox.protocol.responses import SandboxResponse
from lix_async.testing import memory_client

apsw = pytest.importorskip("apsw")
pytestmark = pytest.mark.anyio
PEOPLE = [f"https://www.linkedin.com/in/someone-{number}" for number in range(12)]


class Disk(apsw.VFS):
    """A file system that knows what a loss of power would leave."""

    def __init__(self) -> None:
        self.left: dict[str, bytes] = {}
        super().__init__("lix-disk", "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802  # SQLite's name
        return DiskFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802  # SQLite's name
        super().xDelete(filename, syncdir)
        # SQLite makes its folder durable with the first commit of a new log.
        self.left.pop(filename, None)

    def after_power_loss(self, folder: Path) -> SqliteStore:
        """The ledger as it would be found, in a new folder."""
        folder.mkdir()
        for name, content in list(self.left.items()):
            (folder / Path(name).name).write_bytes(content)
        return SqliteStore(folder / "ledger.db")


class DiskFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        super().xSync(flags)
        self.disk.left[self.path] = Path(self.path).read_bytes()


class Rows(list[Any]):
    """The rows of a statement, as a cursor of `sqlite3` has them."""

    def __init__(self, rows: list[Any], count: int) -> None:
        super().__init__(rows)
        self.rowcount = count

    def fetchall(self) -> list[Any]:
        return self

    def fetchone(self) -> Any:
        return self[0] if self else None


class Connection:
    """What the ledger uses of a `sqlite3.Connection`."""

    synchronous = ""

    def __init__(self, address: str, **options: Any) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
        self._connection = apsw.Connection(address, flags, vfs="lix-disk")
        self._connection.set_busy_timeout(int(options.get("timeout", 5.0) * 1000))

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, statement: str, values: Sequence[object] = ()) -> Rows:
        if self.synchronous and statement.startswith("PRAGMA synchronous"):
            statement = f"PRAGMA synchronous = {self.synchronous}"
        before = self._connection.total_changes()
        rows = list(self._connection.execute(statement, tuple(values)))
        return Rows(rows, self._connection.total_changes() - before)

    def executescript(self, script: str) -> None:
        self.execute(script)

    def close(self) -> None:
        self._connection.close()


class Vendor(Sandbox):
    """A sandbox that calls a function with each person that is asked for, before it answers."""

    on_request: Callable[[str], None]

    def handle(self, request: IncomingRequest) -> SandboxResponse:
        if given := dict(request.query).get("profile_link"):
            self.on_request(given)
        return super().handle(request)


async def forgotten(tmp_path: Path) -> tuple[list[str], list[str]]:
    """The requests and the answers of a run that a loss of power would have made forgotten."""
    disk = Disk()
    vendor = Vendor(people=50, organisations=5, rate=None, daily_allowance=10**6)
    requests: list[tuple[str, SqliteStore]] = []
    answers: list[tuple[str, SqliteStore]] = []

    def note(given: str, noted: list[tuple[str, SqliteStore]]) -> None:
        number = len(requests) + len(answers)
        noted.append((given, disk.after_power_loss(tmp_path / f"copy-{number}")))

    vendor.on_request = lambda given: note(given, requests)
    keys: dict[str, bytes] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", Connection)
        async with memory_client(vendor) as lix:
            async for outcome in bulk.Run(
                tmp_path / "ledger.db", lix.people.get, PEOPLE, concurrency=4
            ):
                given = str(outcome.input)
                note(given, answers)
                keys[given] = bytes.fromhex(outcome.key)
    assert len(requests) == len(answers) == len(PEOPLE)
    found: list[list[str]] = []
    for noted, known in ((requests, lambda e: e.status != "pending"), (answers, lambda e: e.body)):
        found.append([])
        for given, store in noted:
            async with store:
                entry = await store.get(keys[given])
            if entry is None or not known(entry):
                found[-1].append(given)
    return found[0], found[1]


async def test_neither_requests_nor_answers_are_forgotten(tmp_path: Path) -> None:
    assert await forgotten(tmp_path) == ([], [])


async def test_without_synchronous_commits_both_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "synchronous", "NORMAL")
    requests, answers = await forgotten(tmp_path)
    assert requests
    assert answers
