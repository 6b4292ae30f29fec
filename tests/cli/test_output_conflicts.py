"""An output never replaces the ledger, its companion files, or the input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lix_async.cli.errors import CommandError
from lix_async.cli.ledger.address import check_output_conflicts

from .conftest import Lix
from .ledgers import L, filled
from .sandbox_helpers import ObservedSandbox


def alias(kind: str) -> str:
    """Another name for the ledger, or a name of its own files."""
    if kind == "hard":
        os.link("l.db", "hard")
    elif kind == "soft":
        Path("soft").symlink_to("l.db")
    elif kind == "folder":
        Path("folder").symlink_to(".")
        return "folder/l.db"
    return {"same": "l.db", "dots": "./x/../l.db"}.get(kind, kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("same", "dots", "hard", "soft", "folder", "l.db-wal", "l.db-shm", "l.db.lock"),
        *("l.db.lock7", "l.db-owner-0a1b", "l.db.v2-2026-01-31", "l.db.v2-2026-01-31-2"),
    ],
)
def test_an_export_over_its_own_ledger_is_rejected(lix: Lix, kind: str) -> None:
    filled(Path("l.db"))
    Path("x").mkdir()
    before = Path("l.db").read_bytes()
    found = lix("run", "export", "l.db", "--out", alias(kind), "--overwrite", rate="")
    assert (found.code, "is a file of the ledger" in found.err) == (2, True), found.err
    assert Path("l.db").read_bytes() == before
    assert len(lix("run", "export", "l.db", "-q", rate="").rows) == 9


def test_similar_names_are_accepted(lix: Lix) -> None:
    filled(Path("l.db"))
    for name in ("l.db.csv", "l.db-wal.jsonl", "l.db.locks", "l.db-owner.csv", "l.db.v2.csv"):
        assert lix("run", "export", "l.db", "--out", name, rate="").code == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--store", "x.db", "--out", "x.db"), "is a file of the ledger"),
        (("--store", "x.db", "--out", "x.db.lock"), "is a file of the ledger"),
        (("--out", "in.txt.ledger"), "is a file of the ledger"),
        (("--out", "in.txt.ledger-wal"), "is a file of the ledger"),
        (("--out", "in.txt"), "is the input file"),
    ],
)
def test_enrich_over_its_own_files_is_rejected_before_anything_is_sent(
    lix: Lix, sandbox: ObservedSandbox, more: tuple[str, ...], message: str
) -> None:
    Path("in.txt").write_text(f"{L}/ada\n")
    found = lix("enrich", "--distinct", "in.txt", "--format", "jsonl", *more)
    assert (found.code, message in found.err) == (2, True), found.err
    assert (len(sandbox.requests), os.listdir()) == (0, ["in.txt"])


def test_other_files_are_accepted(tmp_path: Path) -> None:
    check_output_conflicts(None, str(tmp_path / "x"))
    check_output_conflicts(tmp_path / "x", "postgresql://db/x", str(tmp_path / "y"))
    check_output_conflicts(tmp_path / "x", str(tmp_path / "none" / "x"))
    with pytest.raises(CommandError, match="is a file of the ledger"):
        check_output_conflicts(tmp_path / "none" / "x-wal", str(tmp_path / "none" / "x"))
