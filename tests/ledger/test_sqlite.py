"""What a file has to do with it: it may be deleted, replaced or emptied, and has lock files."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from lix_async.core.errors import BulkError
from lix_async.filesystem import try_lock
from lix_async.ledger.connection import LedgerGoneError
from lix_async.ledger.owners import lock_path
from lix_async.ledger.records import Lose
from lix_async.ledger.sqlite import SCHEMA, SqliteLedgerConnection, SqliteStore, expand
from lix_async.ledger.tables import ATTEMPTS

from .steps import NOW, announce, apply, ask, found, receive

OpenSqlite = Callable[..., SqliteLedgerConnection]


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


def empty(path: Path) -> None:
    os.truncate(path, 0)
    os.truncate(path.with_name(f"{path.name}-wal"), 0)


def delete_wal(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def empty_wal(path: Path) -> None:
    os.truncate(path.with_name(f"{path.name}-wal"), 0)


def cut_wal(path: Path) -> None:
    wal = path.with_name(f"{path.name}-wal")
    os.truncate(wal, wal.stat().st_size - 1)


@pytest.mark.parametrize("change", [delete, replace, empty, delete_wal, empty_wal, cut_wal])
def test_no_request_leaves_once_the_file_is_gone(
    open_sqlite: OpenSqlite, change: Callable[[Path], None]
) -> None:
    ledger = open_sqlite()
    (sent,) = announce(ledger, "ada")
    change(ledger.path)
    for _ in range(2):
        with pytest.raises(
            LedgerGoneError, match=r"ledger\.db.*(deleted|replaced|emptied|cut off)"
        ):
            announce(ledger, "bob")
        with pytest.raises(LedgerGoneError):
            apply(ledger, receive(sent))


def test_what_another_connection_wrote_is_read_again(open_sqlite: OpenSqlite) -> None:
    """An answer that somebody else stored meanwhile: the attempt has not ended without one."""
    ledger, other = open_sqlite(), open_sqlite()
    ada, bob = announce(ledger, "ada", "bob")
    apply(other, receive(ada))
    results = apply(ledger, *(Lose(one.lookup.id, one.result.owner, 1, NOW) for one in (ada, bob)))
    assert [one.state.status for one in results] == ["received", "in_doubt"]


@pytest.mark.parametrize("others", [False, True])
def test_a_log_that_a_backup_truncated_is_none_that_was_cut(
    open_sqlite: OpenSqlite, others: bool
) -> None:
    ledger = open_sqlite()
    announce(ledger, "ada")
    with contextlib.closing(sqlite3.connect(ledger.path)) as backup:
        assert backup.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        if others:  # and another process has gone on
            announce(open_sqlite(), "eve")
        assert Path(f"{ledger.path}-wal").stat().st_size == 0 or others
        announce(ledger, "bob")
    assert ask(ledger, lambda tables: tables.counts()).of("sent") == 2 + others


def test_a_log_that_grows_while_it_is_checked_is_none_that_was_cut(
    open_sqlite: OpenSqlite,
) -> None:
    ledger, other = open_sqlite(), open_sqlite()
    announce(ledger, "ada")
    with (
        contextlib.closing(sqlite3.connect(ledger.path)) as backup,
        contextlib.closing(sqlite3.connect(ledger.path)) as reader,
    ):
        assert backup.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        written: list[int] = []

        def write(code: int, name: str | None, *_: object) -> int:
            if name == "page_size" and not written:
                written.append(1)
                # What is written behind a reader is not copied out of the log.
                reader.execute("BEGIN").execute("SELECT * FROM about").fetchall()
                announce(other, "eve")
            return sqlite3.SQLITE_OK

        ledger._db.connection.set_authorizer(write)
        announce(ledger, "bob")
        ledger._db.connection.set_authorizer(None)
        assert written
    assert ask(ledger, lambda tables: tables.counts()).of("sent") == 3


def test_a_log_that_cannot_be_checked_is_an_error(open_sqlite: OpenSqlite) -> None:
    ledger = open_sqlite()
    announce(ledger, "ada")
    ledger._db.connection.set_authorizer(
        lambda code, name, *_: sqlite3.SQLITE_DENY if name == "page_size" else sqlite3.SQLITE_OK
    )
    ledger._log_size += 1
    with pytest.raises(sqlite3.DatabaseError):
        announce(ledger, "bob")
    ledger._db.connection.set_authorizer(None)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_ledger_whose_log_was_cut_is_none_any_more(
    open_sqlite: OpenSqlite, checkpoint: bool
) -> None:
    ledger = open_sqlite()
    announce(ledger, "ada")
    if checkpoint:  # the file itself has the tables
        with contextlib.closing(sqlite3.connect(ledger.path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        announce(ledger, "eve")
    empty_wal(ledger.path)
    with pytest.raises(LedgerGoneError):
        announce(ledger, "bob")
    ledger._log_size = 0  # another process has written behind the gap meanwhile
    with pytest.raises(LedgerGoneError):
        announce(ledger, "bob")
    ledger.close()
    for _ in range(2):
        with pytest.raises(BulkError, match="was cut off"):
            ask(open_sqlite(), lambda tables: tables.counts())
    ledger.path.with_name("ledger.db.lock").unlink()
    counts = ask(open_sqlite(), lambda tables: tables.counts())
    assert counts.of("sent") + counts.of("in_doubt") == checkpoint


@pytest.mark.parametrize("rest", [None, b""])
def test_an_empty_file_beside_the_rest_of_a_ledger_is_not_a_new_one(
    open_sqlite: OpenSqlite, rest: bytes | None
) -> None:
    ledger = open_sqlite()
    announce(ledger, "ada")
    wal = Path(f"{ledger.path}-wal").read_bytes()
    ledger.close()
    ledger.path.unlink()
    if rest is not None:
        ledger.path.write_bytes(rest)
    Path(f"{ledger.path}-wal").write_bytes(wal)
    with pytest.raises(BulkError, match="was a ledger"):
        ask(open_sqlite(), lambda tables: tables.counts())
    for name in ("ledger.db", "ledger.db-wal", "ledger.db.lock"):
        ledger.path.with_name(name).unlink(missing_ok=True)
    assert ask(open_sqlite(), lambda tables: tables.counts()).of("sent") == 0


def test_another_working_directory_is_the_same_ledger(
    open_sqlite: OpenSqlite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = SqliteLedgerConnection(Path("ledger.db"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    announce(ledger, "ada")
    ledger.close()
    assert found(open_sqlite(), "ada").state.status == "in_doubt"
    assert not list(elsewhere.iterdir())


def test_files_are_private(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    announce(open_sqlite(), "ada")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_killed_process_is_dead_by_its_lock(open_sqlite: OpenSqlite) -> None:
    ledger = open_sqlite()
    ask(ledger, lambda _: None)
    program = f"""
        import os, signal
        from pathlib import Path
        from lix_async.ledger.connection import AnnounceJob
        from lix_async.ledger.records import LookupSpec, Send
        from lix_async.ledger.sqlite import SqliteLedgerConnection
        ledger = SqliteLedgerConnection(Path({str(ledger.path)!r}))
        spec = LookupSpec(b".............ada", "person.get", b'["ada"]')
        ledger.run([AnnounceJob(spec, Send(0, 0, 1, 1))])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert found(ledger, "ada").state.status == "sent"
    assert ask(ledger, ledger.release_dead, writes=True) == 1
    assert found(ledger, "ada").state.status == "in_doubt"


def test_a_living_process_is_not_dead_and_a_missing_lock_proves_nothing(
    open_sqlite: OpenSqlite,
) -> None:
    one, other = open_sqlite(), open_sqlite()
    announce(one, "ada")
    assert ask(other, other.release_dead, writes=True) == 0
    lock_path(one.path, one.token).unlink()
    assert ask(other, other.release_dead, writes=True) == 0
    assert found(other, "ada").state.status == "sent"


def test_lock_files_end_with_their_owners(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    ledger = open_sqlite()
    announce(ledger, "ada")
    assert len(list(tmp_path.glob("ledger.db-owner-*"))) == 1
    ledger.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.db", "ledger.db.lock"]


def test_a_file_of_something_else_is_left_alone(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"name,link\nAda,https://example.com\n" * 40)
    before = path.read_bytes()
    with pytest.raises(BulkError, match="is not a lix_async ledger"):
        announce(open_sqlite(), "ada")
    assert path.read_bytes() == before


def test_a_ledger_that_an_older_version_uses_is_not_migrated(
    open_sqlite: OpenSqlite, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
            "CREATE TABLE call (id INTEGER PRIMARY KEY, key BLOB);"
            "INSERT INTO about VALUES ('version', '2')"
        )
    before = path.read_bytes()
    lock = try_lock(tmp_path / "ledger.db.lock2")
    assert lock is not None
    with lock, pytest.raises(BulkError, match="in use by an older version"):
        announce(open_sqlite(), "ada")
    assert path.read_bytes() == before


def test_a_ledger_that_was_cut_to_nothing_is_refused(open_sqlite: OpenSqlite) -> None:
    ledger = open_sqlite()
    announce(ledger, "ada")
    ledger.close()
    os.truncate(ledger.path, 0)
    with pytest.raises(BulkError, match="is empty and was a ledger"):
        announce(open_sqlite(), "ada")


def test_an_older_ledger_is_named(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.executescript(
        "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
        "CREATE TABLE call (id INTEGER PRIMARY KEY, key BLOB);"
        "INSERT INTO about VALUES ('version', '1')"
    )
    connection.close()
    with pytest.raises(BulkError, match="is a ledger of version 1, written by an older lix_async"):
        announce(open_sqlite(), "ada")


def test_lists_are_written_in_few_lengths() -> None:
    assert expand("x IN (?*) AND y = ?", ([1, 2, 3], 4)) == (
        "x IN (?, ?, ?, ?) AND y = ?",
        [1, 2, 3, 3, 4],
    )
    assert expand("(a, b) IN (?**)", ([(1, 2)],)) == (
        "(a, b) IN (SELECT * FROM (VALUES (?, ?)))",
        [1, 2],
    )
    assert expand("x IN (?*)", ([],)) == ("x IN ()", [])


@pytest.mark.parametrize(
    "statement", [ATTEMPTS, "SELECT id FROM answer WHERE (lookup, n) IN (?**) ORDER BY page"]
)
def test_pairs_are_looked_up_in_an_index(statement: str) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        text, values = expand(statement, ([(1, 2), (3, 4)],))
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    assert any("(lookup=? AND n=?)" in step for step in plan), plan
    assert not [step for step in plan if step in ("SCAN a", "SCAN answer")]


def freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file system be one that is only read."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    real = os.access
    monkeypatch.setattr(
        os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY), raising=False
    )
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and real(path, mode))
    monkeypatch.setattr(Path, "chmod", refuse)


@pytest.mark.anyio
async def test_a_ledger_on_a_read_only_file_system_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    async with SqliteStore(path) as store:
        await store.begin_run("names", "get", "", None)
    path.chmod(0o444)
    freeze(monkeypatch)
    before = sorted(os.listdir(tmp_path))
    store = SqliteStore(path)
    await store.open_read_only()
    names = await store.statement(
        lambda tables: tables.database.execute("SELECT name FROM run"), writes=False
    )
    assert names == [("names",)]
    await store.add_export("rows.csv", "lix run export")
    with pytest.raises(BulkError, match="attempt to write a readonly database"):
        await store.begin_run("others", "get", "", None)
    await store.close()
    assert sorted(os.listdir(tmp_path)) == before

    with pytest.raises(BulkError, match="cannot be opened: Read-only file system"):
        await SqliteStore(path).open()
    path.with_name("ledger.db-wal").write_bytes(b"frames")
    with pytest.raises(BulkError, match=r"and ledger.db-wal has what was saved last: copy both"):
        await SqliteStore(path).open_read_only()
