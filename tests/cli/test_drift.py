"""`lix drift` over files that `lix` itself wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lix_async.cli import main

if TYPE_CHECKING:
    import pytest


def test_drift_reads_what_lix_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of lookups say what they are; rows of walks are items of their listing."""
    monkeypatch.chdir(tmp_path)
    person = {"name": "Ada", "brandNewField": 1}
    kept = {"input": "x", "kind": "person", "status": "found", "error": None, "result": person}
    gone = {"input": "y", "kind": "person", "status": "not_found", "error": "no", "result": None}
    Path("kept.jsonl").write_text(f"{json.dumps(kept)}\n{json.dumps(gone)}\n")
    Path("items.jsonl").write_text(f"{json.dumps(person)}\n")
    for arguments, name in (
        (["kept.jsonl"], "person.get"),
        (["items.jsonl", "--endpoint", "search.people"], "search.people"),
    ):
        assert main(["drift", *arguments]) == 0
        told = capsys.readouterr().out
        assert ["new", name, "brandNewField"] in [line.split() for line in told.splitlines()]
        assert "1 answers: 1 fields are new" in told
        assert " name" not in told
