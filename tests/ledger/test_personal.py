"""The personal ledger: its place on each system, and who may read it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from lix_async.ledger import Ledger
from lix_async.ledger.personal import personal_path

pytestmark = pytest.mark.anyio

HOME = Path("/home/ann")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, HOME / ".local/share/lix_async/ledger.db"),
        ("linux", {"XDG_DATA_HOME": ""}, HOME / ".local/share/lix_async/ledger.db"),
        ("linux", {"XDG_DATA_HOME": "relative"}, HOME / ".local/share/lix_async/ledger.db"),
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/lix_async/ledger.db")),
        ("darwin", {}, HOME / "Library/Application Support/lix_async/ledger.db"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, Path("/data/lix_async/ledger.db")),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/lix_async/ledger.db")),
        ("win32", {"XDG_DATA_HOME": "/data"}, HOME / "AppData/Local/lix_async/ledger.db"),
    ],
)
def test_the_path_follows_the_rules_of_the_platform(
    platform: str, environment: dict[str, str], expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(HOME))
    monkeypatch.setenv("USERPROFILE", str(HOME))
    monkeypatch.setattr(sys, "platform", platform)

    assert personal_path() == expected


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")
async def test_only_its_owner_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "deep" / "data"))

    async with Ledger(personal_path()):
        pass

    assert stat.S_IMODE(personal_path().parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(personal_path().stat().st_mode) == 0o600
