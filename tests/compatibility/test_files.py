"""Files that the command wrote are read, and a half written one is finished as if nothing was."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from lix_async.sandbox import Sandbox

from .conftest import Lix
from .written import WRITTEN, L, requested

EXPECTED = WRITTEN / "cli" / "expected"
PEOPLE = f"{L}/search/results/people/?keywords=engineer%20total%3A8"
LEADS = f"{L}/sales/search/people?query=(keywords%3Atotal%3A8)"
QUICK = ("--rate", "none")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored files, which the command works in."""
    for name in ("search", "enrich", "waterfall"):
        shutil.copytree(WRITTEN / "cli" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of an output, without our own words about lookups that are in doubt."""
    with path.open(newline="") as file:
        rows: list[dict[str, Any]] = (
            list(csv.DictReader(file))
            if path.suffix == ".csv"
            else [json.loads(line) for line in file]
        )
    for row in rows:
        if row.get("status") == "in_doubt":
            row["error"] = None
    return rows


def columns_of(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return next(csv.reader(file))


def timeless(path: Path) -> bytes:
    """A file without its moments."""
    return re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"", path.read_bytes())


def paid(sandbox: Sandbox) -> list[str]:
    """What was asked for, in short."""
    return [
        str(one.get("profile_link") or one.get("linkedin_url") or one.get("email")).split("/")[-1]
        for endpoint in ("person.get", "organisation.by_linkedin")
        for one in requested(sandbox, endpoint)
    ]


@pytest.mark.parametrize(
    ("file", "command", "endpoint"),
    [
        ("people.jsonl", ("search", "people", PEOPLE), "search.people"),
        ("people.csv", ("search", "people", PEOPLE), "search.people"),
        ("leads.csv", ("leads", LEADS), "sales.search_people"),
    ],
)
@pytest.mark.parametrize("torn", [False, True])
def test_a_listing_goes_on_into_its_file(
    torn: bool,
    file: str,
    command: tuple[str, ...],
    endpoint: str,
    folder: Path,
    lix: Lix,
    sandbox: Sandbox,
) -> None:
    path = folder / "search" / file
    if torn:  # the power went while the last rows were written
        stored = json.loads(path.with_name(f"{file}.checkpoint").read_bytes())["size"]
        path.write_bytes(path.read_bytes()[: stored + (path.stat().st_size - stored) // 2])
    lix(*command, "--out", str(path), "--resume", *QUICK)
    assert path.read_bytes() == (EXPECTED / "search" / file).read_bytes()
    assert [one["url"][-7:] for one in requested(sandbox, endpoint)] == ["&page=3"]
    assert not path.with_name(f"{file}.checkpoint").exists()


def test_a_limit_is_raised_without_asking_for_what_is_paid(
    folder: Path, lix: Lix, sandbox: Sandbox
) -> None:
    path = folder / "search" / "people.csv"
    lix("search", "people", PEOPLE, "--out", str(path), "--resume", "--limit", "6", *QUICK)
    assert sandbox.requests == []
    assert (EXPECTED / "search" / "people.csv").read_bytes().startswith(path.read_bytes())
    assert len(rows_of(path)) == 6


@pytest.mark.parametrize("file", ["people.jsonl", "people.csv"])
def test_enrich_goes_on_and_holds_what_is_in_doubt(
    file: str, folder: Path, lix: Lix, sandbox: Sandbox
) -> None:
    expected = EXPECTED / "enrich" / file
    path = folder / "enrich" / file
    stored = path.read_bytes()
    command = ("enrich", str(folder / "enrich" / "people.txt"), "--out", str(path), *QUICK)
    for _ in range(2):
        lix(*command, "--concurrency", "1")
        assert rows_of(path) == rows_of(expected)
        assert path.read_bytes().startswith(stored)
        assert paid(sandbox) == ["acme"]
    lix(*command, "--doubts", "retry", "--concurrency", "1")
    assert paid(sandbox) == ["doubt-one", "flying-one", "acme"]
    rows = rows_of(path)
    assert sorted(row["status"] for row in rows) == ["found"] * 5 + ["not_found"]
    assert len({row["input"] for row in rows}) == 6
    assert path.read_bytes().startswith(stored)
    if file == "people.csv":
        assert columns_of(path) == columns_of(expected)


@pytest.mark.parametrize("file", ["people.jsonl", "people.csv"])
def test_enrich_repairs_a_torn_end(file: str, folder: Path, lix: Lix, sandbox: Sandbox) -> None:
    path = folder / "enrich" / file
    path.write_bytes(path.read_bytes()[:-20])
    source = str(folder / "enrich" / "people.txt")
    lix("enrich", source, "--out", str(path), "--concurrency", "1", *QUICK)
    by_input = {row["input"]: row for row in rows_of(path)}
    assert by_input == {row["input"]: row for row in rows_of(EXPECTED / "enrich" / file)}
    assert len(rows_of(path)) == 6
    assert paid(sandbox) == ["acme"]


@pytest.mark.parametrize("file", ["rows.jsonl", "rows.csv", "names.csv"])
def test_a_ledger_is_exported_as_it_was(
    file: str, folder: Path, lix: Lix, sandbox: Sandbox
) -> None:
    chosen = ("--columns", "input,status,name") if file == "names.csv" else ()
    lix("run", "export", "enrich/people.txt.ledger", "--out", file, *chosen)
    rows = rows_of(folder / file)
    for row in rows:  # which is new
        row.pop("bought_at", None)
    assert rows == rows_of(EXPECTED / "enrich" / file)
    if file != "rows.jsonl":
        columns = [name for name in columns_of(folder / file) if name != "bought_at"]
        assert columns == list(columns_of(EXPECTED / "enrich" / file))
    assert sandbox.requests == []


@pytest.mark.parametrize("file", ["people.jsonl", "people.csv"])
@pytest.mark.parametrize("torn", [False, True])
def test_waterfall_asks_only_for_whom_there_is_no_row(
    torn: bool, file: str, folder: Path, lix: Lix, sandbox: Sandbox
) -> None:
    path = folder / "waterfall" / file
    stored = path.read_bytes()
    if torn:
        with path.open("ab") as end:
            end.write(b'{"input":"https://www.link' if file == "people.jsonl" else b"https://www.l")
    source = str(folder / "waterfall" / "people.txt")
    command = ("waterfall", source, "--want", "headline", "--out", str(path), *QUICK)
    for _ in range(2):
        lix(*command, "--concurrency", "1")
        assert path.read_bytes().startswith(stored)
        assert timeless(path) == timeless(EXPECTED / "waterfall" / file)
        assert sorted(paid(sandbox)) == ["person-14", "person-63", "person-77"]
    assert sandbox.ledger.repeats() == {}


@pytest.mark.parametrize(
    ("file", "more", "answers"),
    [
        ("enrich/people.jsonl", (), 2),
        ("expected/enrich/rows.jsonl", (), 2),
        ("search/people.jsonl", ("--endpoint", "search.people"), 6),
        ("drift/answers.jsonl", (), 1),
    ],
)
def test_drift_reads_stored_outputs(
    file: str, more: tuple[str, ...], answers: int, lix: Lix
) -> None:
    output = lix("drift", str(WRITTEN / "cli" / file), *more)
    assert f"{answers} answer" in output
    new = [words[1:] for line in output.splitlines() if (words := line.split())[:1] == ["new"]]
    assert new == ([["person.get", "brandNewField"]] if "drift" in file else [])
