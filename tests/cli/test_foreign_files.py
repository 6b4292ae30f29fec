"""Files that are not ledgers are not changed, by `lix run` or by `lix enrich`."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from .conftest import Lix
from .ledgers import L, filled
from .sandbox_helpers import ObservedSandbox

COMMANDS = [
    ("run", "status", "theirs"),
    ("run", "park", "theirs"),
    ("run", "doubts", "theirs", "--drop"),
    ("enrich", "--distinct", "in.txt", "--store", "theirs", "--rate", "none"),
]
TABLES = {
    "text": None,
    "other": "CREATE TABLE mine (x)",
    "about": "CREATE TABLE about (x)",
    "like": "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "view": "CREATE TABLE call (x); CREATE TABLE page (x); CREATE TABLE about (who)",
}


def theirs(kind: str, mode: int) -> Path:
    """A file of another program."""
    path, script = Path("theirs"), TABLES[kind]
    if script is None:
        path.write_text("my notes\n" * 1000)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[1])
@pytest.mark.parametrize("kind", TABLES)
def test_a_file_of_another_program_is_not_changed(
    lix: Lix, sandbox: ObservedSandbox, kind: str, command: tuple[str, ...]
) -> None:
    Path("in.txt").write_text(f"{L}/ada\n")
    path = theirs(kind, 0o664)
    before, names = path.read_bytes(), sorted(os.listdir())
    found = lix(*command, rate="")
    assert found.code != 0
    assert "theirs is not a lix_async ledger: pass a file" in found.err
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o664, before)
    assert (sorted(os.listdir()), len(sandbox.requests)) == (names, 0)


def test_an_empty_file_becomes_a_ledger_with_the_first_run(lix: Lix) -> None:
    Path("in.txt").write_text(f"{L}/ada\n")
    path = Path("empty")
    path.touch(0o644)
    path.chmod(0o644)
    assert lix("run", "status", "empty", rate="").code == 2
    assert path.stat().st_mode & 0o777 == 0o644
    assert lix("enrich", "--distinct", "in.txt", "--store", "empty").code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_ledger_is_made_private_again(lix: Lix) -> None:
    path = filled(Path("l.db"))
    path.chmod(0o644)
    assert lix("run", "status", "l.db", rate="").code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_its_companion_files_are_made_private_again(lix: Lix) -> None:
    path = filled(Path("l.db"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        path.chmod(0o644)
        connection.execute("DELETE FROM about WHERE name = 'nothing'")
        for name in ("l.db-wal", "l.db-shm"):
            Path(name).chmod(0o644)
        assert lix("run", "status", "l.db", rate="").code == 0
        for name in ("l.db", "l.db-wal", "l.db-shm"):
            assert Path(name).stat().st_mode & 0o777 == 0o600


def test_a_link_and_a_read_only_file_are_rejected(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(Path("l.db"))
    Path("link").symlink_to("l.db")
    found = lix("run", "status", "link", rate="")
    assert (found.code, "is not a file" in found.err) == (2, True)
    monkeypatch.setattr("os.access", lambda *_: False)
    found = lix("run", "status", "l.db", rate="")
    assert (found.code, "l.db cannot be opened: Permission denied" in found.err) == (2, True)
