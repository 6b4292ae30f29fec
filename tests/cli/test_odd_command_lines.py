"""Command lines and files that are odd: each is refused by name, before anything is paid for."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from lix_async.sandbox import running

from .conftest import Lix
from .sandbox_helpers import TIMEOUT, ObservedSandbox, environment

L = "https://www.linkedin.com/in"
ADA = f"{L}/ada-example"
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=engineer%20total:23"
FOLDER, NO_NAME = ". is a folder", "the name of the file is empty"


@pytest.fixture(autouse=True)
def _table(lix: Lix) -> None:
    Path("in.csv").write_text(f"name,link\nA,{ADA}\nB,{L}/bob-example\nC,{L}/cyd-example\n")
    Path("full.csv").write_text("mine\n")


def statuses(path: str) -> list[str]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [row["lix_status"] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("enrich", "."), FOLDER),
        (("enrich", ".", "--out", "o.csv"), FOLDER),
        (("enrich", ""), NO_NAME),
        (("enrich", "in.csv", "--out", "."), FOLDER),
        (("waterfall", "."), FOLDER),
        (("waterfall", ""), NO_NAME),
        (("search", "people", SEARCH, "--out", "."), FOLDER),
        (("search", "people", SEARCH, "--enrich", "--out", "."), FOLDER),
        (("call", "search.people", "--url", SEARCH, "--out", "."), FOLDER),
        (("call", "person.get", "--profile-link", ADA, "--out", "."), FOLDER),
        (("call", "person.get", "--profile-link", ADA, "--out", "p.xlsx"), "cannot write .xlsx"),
        (("call", "person.get", "--profile-link", ADA, "--out", "full.csv"), "File exists"),
        (("call", "person.get", "--profile-link", ADA, "--out", "no/p.csv"), "cannot create"),
        (("person", ADA, "--out", "full.csv"), "File exists"),
        (("person", ADA, "--out", "p.parquet"), "cannot write Parquet"),
        (("enrich", "in.csv", "more.csv"), "unexpected argument 'more.csv'"),
        (("enrich", "in.csv", "--confirm-above", "-1"), "--confirm-above must not be negative"),
        (("enrich", "in.csv", "--max-credits", "-1"), "--max-credits must not be negative"),
        (("waterfall", "in.csv", "--want", ""), "--want is empty"),
        (("search", "people", SEARCH, "--enrich", "--out", "o.csv", "--columns", "nmae"), "'nmae'"),
        (
            ("search", "people", SEARCH, "--enrich", "--out", "o.csv", "--as", "org"),
            "no links for --as org",
        ),
    ],
)
def test_it_is_refused_by_name_and_costs_nothing(
    lix: Lix, sandbox: ObservedSandbox, arguments: Sequence[str], message: str
) -> None:
    before = sorted(os.listdir())
    found = lix(*arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert "hint: " in found.err
    assert (len(sandbox.ledger), sorted(os.listdir())) == (0, before)


def test_an_answer_is_written_where_it_can_be(lix: Lix) -> None:
    assert lix("call", "person.get", "--profile-link", ADA, "--out", "p.jsonl").code == 0
    assert Path("p.jsonl").read_text().startswith('{"')


def test_filled_tables_are_not_continued_with_one_row_for_each_link(lix: Lix) -> None:
    assert lix("enrich", "in.csv", "--out", "o.csv").code == 0
    before = Path("o.csv").read_bytes()
    found = lix("enrich", "in.csv", "--out", "o.csv", "--distinct")
    assert (found.code, "it was written without --distinct" in found.err) == (2, True)
    assert Path("o.csv").read_bytes() == before


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
def test_a_smaller_limit_keeps_what_is_known(
    lix: Lix, sandbox: ObservedSandbox, command: str
) -> None:
    assert lix(command, "in.csv", "--out", "o.csv", "--limit", "2").code == 0
    known, bought = statuses("o.csv"), len(sandbox.ledger)
    assert (known.count("not_asked"), known[2]) == (1, "not_asked")
    assert lix(command, "in.csv", "--out", "o.csv", "--limit", "1").code == 0
    assert (statuses("o.csv"), len(sandbox.ledger)) == (known, bought)


def test_the_limit_holds_for_rows_that_an_earlier_run_has_fetched(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    command = ("search", "people", SEARCH, "--enrich", "--out", "o.csv")
    assert lix(*command, "--confirm-above", "5").code == 2, "a page of rows is kept"
    before = len(sandbox.ledger)
    assert lix(*command, "--limit", "2").code == 0
    assert len(sandbox.ledger) <= before + 2
    assert statuses("o.csv").count("not_asked") > 1


def test_a_closed_stdin_is_empty(plain: tuple[ObservedSandbox, str], tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m lix_async enrich - --out o.csv <&-"
    found = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        cwd=tmp_path,
        env=environment(plain[1]),
    )
    assert (found.returncode, found.stderr) == (0, "stdin has no rows: nothing to look up\n")


def test_a_pipe_as_a_file_has_its_ledger_beside_the_output(lix: Lix) -> None:
    reading, writing = os.pipe()
    os.write(writing, Path("in.csv").read_bytes())
    os.close(writing)
    found = lix("enrich", f"/dev/fd/{reading}", "--out", "o.csv")
    os.close(reading)
    assert found.code == 0, found.err
    assert statuses("o.csv") == ["found"] * 3


@pytest.mark.parametrize("command", [("enrich",), ("enrich", "--distinct"), ("waterfall",)])
def test_a_named_pipe_is_read_once(lix: Lix, command: tuple[str, ...]) -> None:
    os.mkfifo("pipe.csv")
    writer = threading.Thread(
        target=lambda: Path("pipe.csv").write_bytes(Path("in.csv").read_bytes()), daemon=True
    )
    writer.start()
    name, *options = command
    found = lix(name, "pipe.csv", *options, "--out", "o.csv")
    writer.join(TIMEOUT)
    assert found.code == 0, found.err
    assert len(Path("o.csv").read_text().splitlines()) >= 4


def test_errors_in_cells_of_a_workbook_come_back(lix: Lix) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    calamine = pytest.importorskip("python_calamine")
    book = xlsxwriter.Workbook("in.xlsx")
    sheet = book.add_worksheet()
    for place, name in enumerate(["Sum", "Profile", "Rate"], start=1):
        sheet.write_string(0, place, name)
    sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    sheet.write_string(1, 2, ADA)
    sheet.write_formula(1, 3, '=VLOOKUP("t=""e""",A1:A2,1)', None, "#N/A")
    sheet.write_formula(2, 1, "=1+1", None, 2)
    sheet.write_formula(3, 3, "=1+x", None, "#NAME?")
    book.close()
    assert lix("enrich", "in.xlsx", "--out", "o.xlsx").code == 0
    rows = calamine.load_workbook("o.xlsx").get_sheet_by_index(0).to_python()
    assert [row[:4] for row in rows[1:]] == [
        ["#DIV/0!", ADA, "#N/A", "found"],
        [2, "", "", "invalid"],
        ["", "", "#NAME?", "invalid"],
    ]


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
def test_an_empty_pipe_is_an_output_with_its_heading(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    found = lix(command, "-", "--out", "o.csv")
    assert (found.code, "nothing to look up" in found.err) == (0, True), found.err
    (heading,) = Path("o.csv").read_text().splitlines()
    assert "lix_status" in heading.split(",")


def test_a_waterfall_without_credits_says_so(lix: Lix) -> None:
    with running(ObservedSandbox(credits={"standard": 1, "email": 1})) as url:
        found = lix("waterfall", "in.csv", "--out", "o.csv", "--base-url", url)
    assert found.code == 4, found.err
    assert "not filled" in found.err
    assert "`lix account` shows the remaining credits" in found.err
    assert len(statuses("o.csv")) == 3


def test_each_of_several_kinds_takes_the_columns_that_it_has(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    command = ("enrich", "in.csv", "--as", "person", "--as", "email", "--out", "o.csv")
    assert lix(*command, "--columns", "name,email,alternatives").code == 0
    with Path("o.csv").open(newline="", encoding="utf-8") as file:
        added = [name for name in next(csv.reader(file)) if name.startswith("lix_")]
    meta = ["status", "reason", "bought_at"]
    assert added == [
        *(f"lix_person_{name}" for name in (*meta, "name", "email")),
        *(f"lix_email_{name}" for name in (*meta, "email", "alternatives")),
    ]
    bought = len(sandbox.ledger)
    only = lix(*command[:-1], "p.csv", "--columns", "headline")
    assert only.code == 0, only.err
    wrong = lix(*command[:-1], "q.csv", "--columns", "name,nmae")
    assert (wrong.code, "unknown column 'nmae'" in wrong.err) == (2, True)
    assert len(sandbox.ledger) == bought


def test_a_text_that_is_too_long_for_a_workbook_is_named(lix: Lix) -> None:
    calamine = pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    Path("in.csv").write_text(f"note,link\n{'x' * 40_000},{ADA}\nshort,{ADA}\n")
    found = lix("enrich", "in.csv", "--out", "o.xlsx")
    assert (found.code, "1 text cut off at 32,767 characters" in found.err) == (0, True), found.err
    rows = calamine.load_workbook("o.xlsx").get_sheet_by_index(0).to_python()
    assert [len(row[0]) for row in rows] == [4, 32_767, 5]


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
@pytest.mark.parametrize(
    ("word", "near"), [("--helpp", "--help"), ("--ou", "--out"), ("-x.csv", "")]
)
def test_a_mistyped_option_is_no_file(lix: Lix, command: str, word: str, near: str) -> None:
    found = lix(command, word, rate="")
    assert (found.code, f"Unknown option: {word}" in found.err) == (2, True)
    assert (f"did you mean {near}?" in found.err) == bool(near)


def test_one_row_of_a_listing_is_in_the_singular(lix: Lix) -> None:
    found = lix("facets", "REGION", "lon")
    assert (found.code, "1 facet, 1 page, 0 credits" in found.err) == (0, True), found.err
    url = SEARCH.replace("total:23", "total:1")
    found = lix("search", "people", url, "--out", "o.csv")
    assert "1 person in o.csv, 1 page, 1 credit" in found.err


@pytest.mark.parametrize(
    ("type_", "hint"),
    [
        ("TITEL", "did you mean title?"),
        ("industy", "did you mean industry?"),
        ("x", "types: title"),
    ],
)
def test_an_unknown_type_of_facets_is_named(lix: Lix, type_: str, hint: str) -> None:
    assert f"hint: {hint}" in lix("facets", type_, "cto").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("enrich",), "FILE is missing"),
        (("person",), "LINK is missing"),
        (("enrich", "in.csv", "--out"), "--out needs a value"),
    ],
)
def test_a_missing_argument_is_named(lix: Lix, arguments: tuple[str, ...], message: str) -> None:
    found = lix(*arguments, rate="")
    assert (found.code, f"error: {message}\nhint: lix {arguments[0]} --help" in found.err) == (
        2,
        True,
    )
