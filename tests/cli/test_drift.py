"""`lix drift` with files that `lix` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lix_async.cli import main

if TYPE_CHECKING:
    import pytest


def test_drift_reads_rows_of_lookups_and_listings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of lookups have their kind; rows of listings are compared with the item struct."""
    monkeypatch.chdir(tmp_path)
    person = {"name": "Ada", "brandNewField": 1}
    found = {"input": "x", "kind": "person", "status": "found", "error": None, "result": person}
    not_found = {
        "input": "y",
        "kind": "person",
        "status": "not_found",
        "error": "no",
        "result": None,
    }
    Path("rows.jsonl").write_text(f"{json.dumps(found)}\n{json.dumps(not_found)}\n")
    Path("items.jsonl").write_text(f"{json.dumps(person)}\n")
    for arguments, name in (
        (["rows.jsonl"], "person.get"),
        (["items.jsonl", "--endpoint", "search.people"], "search.people"),
    ):
        assert main(["drift", *arguments]) == 0
        report = capsys.readouterr().out
        assert ["new", name, "brandNewField"] in [line.split() for line in report.splitlines()]
        assert "1 answer: 1 new field," in report
        assert " name" not in report
