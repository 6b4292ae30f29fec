"""What is no ledger of ours is left exactly as it is, by a look and by a run."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from .conftest import Lix
from .ledgers import L, filled
from .sandbox_helpers import Watched

COMMANDS = [
    ("run", "status", "theirs"),
    ("run", "park", "theirs"),
    ("run", "doubts", "theirs", "--drop"),
    ("enrich", "in.txt", "--store", "theirs", "--rate", "none"),
]
TABLES = {
    "text": None,
    "other": "CREATE TABLE mine (x)",
    "about": "CREATE TABLE about (x)",
    "like": "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "view": "CREATE TABLE call (x); CREATE TABLE page (x); CREATE TABLE about (who)",
}


def theirs(kind: str, mode: int) -> Path:
    """A file of somebody else's."""
    path, script = Path("theirs"), TABLES[kind]
    if script is None:
        path.write_text("notes of mine\n" * 1000)
    else:
        with contextlib.closing(sqlite3.connect(path)) as line:
            line.executescript(script)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[1])
@pytest.mark.parametrize("kind", TABLES)
def test_a_file_of_somebody_else_is_left_as_it_is(
    lix: Lix, sandbox: Watched, kind: str, command: tuple[str, ...]
) -> None:
    Path("in.txt").write_text(f"{L}/ada\n")
    path = theirs(kind, 0o664)
    before, names = path.read_bytes(), sorted(os.listdir())
    found = lix(*command, rate="")
    assert found.code != 0
    assert "theirs is not a lix_async ledger: pass a file" in found.err
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o664, before)
    assert (sorted(os.listdir()), len(sandbox.requests)) == (names, 0)


def test_an_empty_file_is_nobodys_until_a_run_takes_it(lix: Lix) -> None:
    Path("in.txt").write_text(f"{L}/ada\n")
    path = Path("empty")
    path.touch(0o644)
    path.chmod(0o644)
    assert lix("run", "status", "empty", rate="").code == 2
    assert path.stat().st_mode & 0o777 == 0o644
    assert lix("enrich", "in.txt", "--store", "empty").code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_ledger_of_ours_is_made_private_again(lix: Lix) -> None:
    path = filled(Path("l.db"))
    path.chmod(0o644)
    assert lix("run", "status", "l.db", rate="").code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_its_companions_too(lix: Lix) -> None:
    path = filled(Path("l.db"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as beside:
        path.chmod(0o644)
        beside.execute("DELETE FROM about WHERE name = 'nothing'")
        for name in ("l.db-wal", "l.db-shm"):
            Path(name).chmod(0o644)
        assert lix("run", "status", "l.db", rate="").code == 0
        for name in ("l.db", "l.db-wal", "l.db-shm"):
            assert Path(name).stat().st_mode & 0o777 == 0o600


def test_a_link_and_a_file_that_may_not_be_written_are_told(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(Path("l.db"))
    Path("link").symlink_to("l.db")
    found = lix("run", "status", "link", rate="")
    assert (found.code, "is not a file" in found.err) == (2, True)
    monkeypatch.setattr("os.access", lambda *_: False)
    found = lix("run", "status", "l.db", rate="")
    assert (found.code, "l.db cannot be opened: Permission denied" in found.err) == (2, True)
