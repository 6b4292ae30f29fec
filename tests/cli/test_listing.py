"""`lix search`, `lix leads` and `lix accounts`: rows, files, resuming, limits."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lix_async.sandbox import Faults, running

from .conftest import Lix
from .sandbox_helpers import FULL, ObservedSandbox, rows_of

SEARCH = "https://www.linkedin.com/search/results"
SALES = "https://www.linkedin.com/sales/search"


def distinct(rows: list[dict[str, object]]) -> int:
    """The number of different rows; hidden members have neither link nor name."""
    return len({json.dumps(row) for row in rows})


def test_rows_on_stdout_are_as_received(lix: Lix, sandbox: ObservedSandbox) -> None:
    found = lix("search", "people", FULL)
    assert (found.code, len(found.rows)) == (0, 137)
    first, last = found.err.splitlines()
    assert first == "137 people found: 14 pages, 14 credits in all"
    assert last.startswith("137 people, 14 pages, 14 credits, ")
    assert found.rows[0].keys() >= {"description", "location", "name", "link"}
    assert len(sandbox.ledger) == 14


@pytest.mark.parametrize(
    ("command", "url", "what"),
    [
        (["search", "jobs"], "https://www.linkedin.com/jobs/search/?keywords=total:23", "23 jobs"),
        (["search", "posts"], f"{SEARCH}/content/?keywords=total:23", "23 posts"),
        (["search", "orgs"], f"{SEARCH}/companies/?keywords=total:23", "23 organisations"),
        (["leads"], f"{SALES}/people?query=(keywords:total:60)", "60 leads"),
        (["accounts"], f"{SALES}/company?query=(keywords:total:30)", "30 accounts"),
        (["leads"], f"{SALES}/people?query=(keywords:total:30)&x={'y' * 3000}", "30 leads"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_every_kind_of_search(lix: Lix, command: list[str], url: str, what: str, form: str) -> None:
    found = lix(*command, url, "--out", f"rows.{form}")
    assert (found.code, found.err.splitlines()[-1].partition(" in ")[0]) == (0, what)
    text = Path(f"rows.{form}").read_text()
    rows = list(csv.reader(text.splitlines())) if form == "csv" else text.splitlines()
    assert len(rows) == int(what.split(maxsplit=1)[0]) + (form == "csv")
    assert not Path(f"rows.{form}.checkpoint").exists()


def test_older_envelopes_are_read(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    for envelope in ("seed", "response"):
        with running(ObservedSandbox(envelope=envelope)) as url:
            monkeypatch.setenv("LIX_BASE_URL", url)
            found = lix("search", "people", FULL, "--limit", "15")
        assert len(found.rows) == 15
        assert "as this version reads them" not in found.err


def test_a_file_is_private_and_not_overwritten_without_the_option(lix: Lix) -> None:
    assert lix("search", "people", FULL, "-n", "5", "-o", "a.jsonl").code == 0
    assert Path("a.jsonl").stat().st_mode & 0o777 == 0o600
    assert Path("a.jsonl.checkpoint").stat().st_mode & 0o777 == 0o600
    before = Path("a.jsonl").read_bytes()
    refused = lix("search", "people", FULL, "-o", "a.jsonl")
    assert (refused.code, "--resume" in refused.err) == (2, True)
    assert Path("a.jsonl").read_bytes() == before
    Path("b.jsonl").write_text("mine\n")
    assert lix("search", "people", FULL, "-o", "b.jsonl").code == 2
    assert lix("search", "people", FULL, "-o", "b.jsonl", "--resume").code == 2
    assert Path("b.jsonl").read_text() == "mine\n"
    assert lix("search", "people", FULL, "-n", "5", "-o", "b.jsonl", "--overwrite").code == 0
    assert len(rows_of(Path("b.jsonl"))) == 5


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_higher_limit_continues_the_listing(
    lix: Lix, sandbox: ObservedSandbox, form: str
) -> None:
    out = f"a.{form}"
    for limit, total in ((7, 7), (7, 7), (33, 33), (137, 137)):
        found = lix("search", "people", FULL, "--out", out, "--resume", "--limit", str(limit))
        assert (found.code, f"\n{total} people in {out}" in f"\n{found.err}") == (0, True)
    text = Path(out).read_text()
    lines = text.splitlines()[form == "csv" :]
    assert len(lines) == 137
    assert len(sandbox.ledger) == 14, "no page is paid for twice"
    assert not Path(f"{out}.checkpoint").exists()
    assert lix("search", "people", FULL, "--out", out, "--resume").code == 2


def test_resuming_with_another_search_is_rejected(lix: Lix) -> None:
    lix("search", "people", FULL, "-n", "5", "-o", "a.jsonl")
    other = lix("search", "people", FULL.replace("137", "99"), "-o", "a.jsonl", "--resume")
    assert (other.code, "another search" in other.err) == (2, True)
    assert lix("search", "people", FULL, "-o", "a.jsonl", "--resume").code == 0
    assert len(rows_of(Path("a.jsonl"))) == 137


def test_resuming_needs_a_file(lix: Lix) -> None:
    assert lix("search", "people", FULL, "--resume").code == 2
    assert lix("search", "people", FULL, "--limit", "0").code == 2
    assert lix("search", "people", FULL, "-o", "-", "-n", "3").out.count("\n") == 3


def test_columns_of_a_csv_and_of_json_lines(lix: Lix) -> None:
    wanted = "name,experience.0.organisation.name"
    table = lix("search", "people", FULL, "-n", "3", "--format", "csv", "--columns", wanted)
    assert table.out.splitlines()[0] == wanted
    assert len(table.out.splitlines()) == 4
    rows = lix("search", "people", FULL, "-n", "3", "--columns", wanted).rows
    assert list(rows[0]) == wanted.split(",")


def test_a_table_on_the_terminal(lix: Lix) -> None:
    found = lix("search", "people", FULL, "-n", "3", "--format", "table")
    assert found.out.split()[:3] == ["name", "title", "link"]
    assert lix("search", "people", FULL, "--format", "table", "-o", "a").code == 2


def test_duplicates_are_dropped_and_counted(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(ObservedSandbox(faults=["ok", "overlap", "overlap"])) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        # With a viewer the order is always the same, so the repeated rows are not hidden members.
        found = lix("search", "people", FULL, "--viewer", "example-viewer-1")
    assert distinct(found.rows) == len(found.rows) == 137
    assert "2 duplicates dropped" in found.err


def test_out_of_credits_in_the_middle(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = ObservedSandbox(faults=["ok", "ok", "quota"])
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        found = lix("search", "people", FULL, "--out", "a.jsonl")
        assert found.code == 4
        assert found.err.splitlines()[1].startswith("error: search.people:")
        assert "20 people are in a.jsonl" in found.err
        assert found.err.splitlines()[-1].endswith("--resume")
        assert lix("search", "people", FULL, "--out", "a.jsonl", "--resume").code == 0
    assert distinct(rows_of(Path("a.jsonl"))) == 137
    assert len(sandbox.ledger) == 14


def test_no_files_are_left_without_rows(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIX_API_KEY", "wrong")
    assert lix("search", "people", FULL, "--out", "a.jsonl").code == 3
    assert not list(Path().iterdir())


def test_an_empty_search_is_a_result(lix: Lix) -> None:
    nothing = FULL.replace("total:137", "nothing-matches")
    found = lix("search", "people", nothing, "--out", "a.csv")
    assert (found.code, found.err.partition(",")[0]) == (0, "0 people in a.csv")


def test_quiet_prints_errors_only(lix: Lix) -> None:
    assert lix("search", "people", FULL, "-n", "3", "-q").err == ""
    assert lix("search", "people", "https://example.com", "-q").err.startswith("error:")


def test_a_budget_stops_the_listing(lix: Lix, sandbox: ObservedSandbox) -> None:
    found = lix("search", "people", FULL, "--out", "a.jsonl", "--max-credits", "3")
    assert (found.code, len(rows_of(Path("a.jsonl"))), len(sandbox.ledger)) == (4, 30, 3)
    assert "--max-credits" in found.err


@pytest.mark.parametrize("seed", range(2))
def test_faults_lose_no_row_and_repeat_none(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rates = {"unavailable": 0.1, "reset": 0.1, "reset_after": 0.1, "truncated": 0.1}
    with running(ObservedSandbox(faults=Faults(seed, rates))) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        for _ in range(10):
            code = lix("search", "people", FULL, "--out", "a.jsonl", "--resume").code
            if code == 0:
                break
    rows = rows_of(Path("a.jsonl"))
    assert distinct(rows) == len(rows) == 137


def test_rows_without_a_struct_keep_every_field(lix: Lix) -> None:
    url = "https://www.linkedin.com/search/results/content/?keywords=total:3"
    plain = lix("search", "posts", url).rows
    table = lix("search", "posts", url, "--format", "csv", "--columns", "all").out
    heads = next(csv.reader(table.splitlines()))
    assert {key for row in plain for key in row} <= {head.split(".")[0] for head in heads}
    assert all(json.loads(row["numReactions"]) for row in csv.DictReader(table.splitlines()))
