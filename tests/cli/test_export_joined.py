"""`lix run export --joined FILE`: the rows of a file from its ledger, without a call."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import ObservedSandbox, rows_of

LEDGER = "in.csv.ledger"


@pytest.fixture(autouse=True)
def _file(lix: Lix) -> None:
    Path("in.csv").write_text(
        f"n,link\n1,{L}/ada-example\n2,\n3,{L}/missing-one\n4,{L}/ada-example/\n5,{L}/bob-example\n"
    )


def export(lix: Lix, *arguments: str, file: str = "in.csv") -> tuple[int, str]:
    done = lix("run", "export", LEDGER, "--joined", file, *arguments, rate="")
    return done.code, done.err


def statuses(path: str) -> list[str]:
    with Path(path).open(newline="") as file:
        return [row["lix_status"] for row in csv.DictReader(file)]


def test_the_rows_are_those_that_enrich_writes(lix: Lix, sandbox: ObservedSandbox) -> None:
    for name in ("out.csv", "out.jsonl"):
        assert lix("enrich", "in.csv", "--out", name).code == 0
        asked = len(sandbox.requests)
        code, said = export(lix, "--out", f"again-{name}")
        assert (code, "5 rows in again-" in said) == (0, True), said
        assert Path(f"again-{name}").read_bytes() == Path(name).read_bytes()
        assert len(sandbox.requests) == asked
    done = lix("run", "export", LEDGER, "--joined", "in.csv", "--format", "csv", "-q", rate="")
    assert done.out == Path("out.csv").read_text()


@pytest.mark.parametrize("wanted", ["headline", "email,phone"])
def test_the_rows_are_those_that_the_waterfall_writes(
    lix: Lix, sandbox: ObservedSandbox, wanted: str
) -> None:
    for name in ("out.csv", "out.jsonl"):
        assert lix("waterfall", "in.csv", "--want", wanted, "--out", name).code == 0
        asked = len(sandbox.requests)
        code, said = export(lix, "--out", f"again-{name}")
        assert (code, "5 rows in again-" in said) == (0, True), said
        assert Path(f"again-{name}").read_bytes() == Path(name).read_bytes()
        assert len(sandbox.requests) == asked
    assert lix("waterfall", "in.csv", "--want", wanted, "--out", "again-out.csv").code == 0


def test_the_latest_run_of_a_file_is_written(lix: Lix) -> None:
    arguments = ("--want", "headline", "--limit", "1", "--providers", "lix")
    assert lix("waterfall", "in.csv", *arguments, "--out", "w.csv").code == 0
    assert export(lix, "--out", "one.csv")[0] == 0
    assert statuses("one.csv") == ["filled", "invalid", "not_asked", "filled", "not_asked"]
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    assert export(lix, "--out", "two.csv")[0] == 0
    assert Path("two.csv").read_bytes() == Path("out.csv").read_bytes()
    assert lix("waterfall", "in.csv", *arguments, "--out", "w.csv").code == 0
    with Path("in.csv").open("a") as file:
        file.write(f"6,{L}/eve-example\n")
    assert "`lix waterfall` looks up what is new in it" in export(lix)[1]


def test_a_workbook_and_chosen_columns(lix: Lix) -> None:
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    code, said = export(lix, "--out", "out.xlsx", "--columns", "name", "--prefix", "found_")
    assert code == 0, said
    done = lix("enrich", "out.xlsx", "--dry-run")
    assert "2 distinct" in done.out or "3 distinct" in done.out, "it is a table again"


def test_rows_without_an_answer_are_not_asked(lix: Lix) -> None:
    assert lix("enrich", "in.csv", "--out", "out.csv", "--limit", "1").code == 0
    assert export(lix, "--out", "again.csv")[0] == 0
    assert statuses("again.csv") == ["found", "invalid", "not_asked", "found", "not_asked"]


def test_several_kinds_have_their_own_columns(lix: Lix) -> None:
    arguments = ("--as", "person", "--as", "email", "--out", "out.jsonl")
    assert lix("enrich", "in.csv", *arguments).code == 0
    assert export(lix, "--out", "again.jsonl")[0] == 0
    assert rows_of(Path("again.jsonl")) == rows_of(Path("out.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--status", "found"), "--status cannot be combined with --joined"),
        (("--format", "xlsx"), "xlsx needs an output file"),
        (("--out", "out.csv"), "out.csv already exists"),
        (("--out", "in.csv", "--overwrite"), "in.csv"),
        (("--column", "other"), "other"),
    ],
)
def test_what_cannot_be_written_is_refused(lix: Lix, arguments: tuple[str, ...], said: str) -> None:
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    before = Path("out.csv").read_bytes(), Path("in.csv").read_bytes()
    code, error = export(lix, *arguments)
    assert (code, said in error) == (2, True), error
    assert (Path("out.csv").read_bytes(), Path("in.csv").read_bytes()) == before


def test_a_file_of_no_run_or_of_another_kind_is_refused(lix: Lix) -> None:
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    Path("other.csv").write_text(Path("in.csv").read_text())
    assert "the ledger has no run of other.csv" in export(lix, file="other.csv")[1]
    with Path("in.csv").open("a") as file:
        file.write(f"6,{L}/eve-example\n")
    assert "in.csv is not as it was when it was looked up" in export(lix)[1]
    done = lix("run", "export", LEDGER, "--out", "all.xlsx", rate="")
    assert (done.code, "lookups cannot be written as xlsx" in done.err) == (2, True)
