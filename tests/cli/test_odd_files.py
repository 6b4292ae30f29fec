"""Files as other programs write them, through `lix enrich` and back."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path

import pytest

from lix_async.cli.errors import CommandError
from lix_async.cli.output import workbook
from lix_async.cli.output.joined_file import JoinedOutput

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, rows_of

L = "https://www.linkedin.com/in"


def read_csv(path: str = "out.csv") -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_a_table_that_is_too_wide_for_a_sheet_is_refused(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    names = [f"c{number}" for number in range(workbook.MOST_COLUMNS - 6)]
    Path("in.csv").write_text(f"link,{','.join(names)}\n{L}/ada-example,x\n")
    found = lix("enrich", "in.csv", "--out", "out.xlsx", "--columns", "name,title,company")
    assert (found.code, len(sandbox.ledger)) == (2, 0)
    assert "out.xlsx would have 16,385 columns, and a sheet has 16,384 at most" in found.err
    assert "hint: write .csv instead" in found.err
    assert not Path("out.xlsx").exists()
    assert lix("enrich", "in.csv", "--out", "out.xlsx", "--columns", "name,title").code == 0
    assert len(sandbox.ledger) == 1


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
def test_a_table_that_is_too_long_for_a_sheet_is_refused(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    row = f"{L}/ada-example\n"
    Path("in.csv").write_text("link\n" + row * 4)
    found = lix(command, "in.csv", "--out", "out.xlsx")
    assert (found.code, len(sandbox.ledger)) == (2, 0)
    assert "out.xlsx would have more than the 4 rows of a sheet" in found.err
    Path("in.csv").write_text("link\n" + row * 3)
    assert lix(command, "in.csv", "--out", "out.xlsx").code == 0


RECORDS = [{"n": n, "link": f"{L}/{name}-example"} for n, name in enumerate(("ada", "bob"))]


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "indented"])
def test_the_list_in_a_json_document_of_one_line(lix: Lix, indent: int | None) -> None:
    document = {"data": RECORDS, "meta": {"next": None, "total": 2}}
    Path("in.json").write_text(json.dumps(document, indent=indent))
    assert lix("enrich", "in.json", "--out", "out.jsonl", "--columns", "name").code == 0
    rows = rows_of(Path("out.jsonl"))
    assert [{name: row[name] for name in ("n", "link")} for row in rows] == RECORDS
    assert [row["lix_status"] for row in rows] == ["found", "found"]


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "indented"])
def test_an_object_with_a_link_is_a_record_whatever_lists_it_has(
    lix: Lix, sandbox: ObservedSandbox, indent: int | None
) -> None:
    record = {"id": 7, "person": RECORDS[0], "experience": [{"url": f"{L}/not-this-one"}]}
    Path("in.txt").write_text(json.dumps(record, indent=indent))
    assert lix("enrich", "in.txt", "--out", "out.jsonl", "--columns", "name").code == 0
    (row,) = rows_of(Path("out.jsonl"))
    assert (row["id"], row["experience"]) == (7, record["experience"])
    assert len(sandbox.ledger) == 1


def people(*notes: str) -> str:
    return "".join(f"P{n},{L}/p-{n}-example,{note}\n" for n, note in enumerate(notes))


@pytest.mark.parametrize(
    ("text", "statuses", "lines"),
    [
        (people("x", '"open', '"fine"', "y"), "fif", "lines 3 to 4"),
        (people("x", '"open', "y", "z", '"fine"', "y"), "fif", "lines 3 to 6"),
        (people("x") + f'"P,{L}/p-9-example,y\n' + people("x", '"open too', "z"), "fif", "3 to 5"),
        # Texts of several lines, with quotes that are not doubled, or with an address or a link:
        (people('"one\ntwo" three "four"', "y"), "ff", ""),
        (people('"Yours,\nBob, bob@example.com"', "y"), "ff", ""),
        (people(f'"see\nP9,{L}/p-9-example,note"', "y"), "ff", ""),
    ],
)
def test_rows_behind_a_quote_that_is_not_closed_are_not_lost_unseen(
    lix: Lix, text: str, statuses: str, lines: str
) -> None:
    Path("in.csv").write_text(f"name,link,note\n{text}")
    found = lix("enrich", "in.csv", "--out", "out.csv", "--columns", "name")
    assert found.code == 0, found.err
    rows = read_csv()
    assert "".join(row["lix_status"][0] for row in rows) == statuses
    reasons = [row["lix_reason"] for row in rows if row["lix_reason"]]
    assert len(reasons) == statuses.count("i")
    for reason in reasons:
        assert reason.startswith("line 3: a quote is not closed: lines 3 to ")
        assert reason.endswith(f"{lines} are one row")


def test_a_workbook_is_read_whatever_its_name(lix: Lix) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    for name in ("in.xls", "in.ods", "in.csv"):
        book = xlsxwriter.Workbook(name)
        book.add_worksheet().write_column(0, 0, ["link", f"{L}/ada-example"])
        book.close()
        assert lix("enrich", name, "--out", "out.csv", "--columns", "name").code == 0
        assert [row["lix_status"] for row in read_csv()] == ["found"]
        Path("out.csv").unlink()


def test_durations_and_bytes_are_texts_that_other_programs_read(lix: Lix) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook("in.xlsx")
    sheet, hours = book.add_worksheet(), book.add_format({"num_format": "[h]:mm"})
    for column, cell in enumerate((f"{L}/ada-example", 1.25, 0.5, 100 / 86_400)):
        sheet.write_string(0, column, ("link", "long", "half", "seconds")[column])
        if column:
            sheet.write_number(1, column, cell, hours)
        else:
            sheet.write_string(1, 0, cell)
    book.close()
    assert lix("enrich", "in.xlsx", "--out", "out.csv", "--columns", "name").code == 0
    (row,) = read_csv()
    assert (row["long"], row["half"], row["seconds"]) == ("30:00:00", "12:00:00", "0:01:40")
    table = pyarrow.table({"link": [f"{L}/ada-example"], "raw": [b"\x00\xff"]})
    importlib.import_module("pyarrow.parquet").write_table(table, "in.parquet")
    for name in ("raw.csv", "raw.jsonl"):
        assert lix("enrich", "in.parquet", "--out", name, "--columns", "name").code == 0
        assert "AP8=" in Path(name).read_text()


def test_an_address_that_a_formula_computes_is_not_taken_by_its_first_part(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")

    def write(formulas: dict[int, str]) -> None:
        book = xlsxwriter.Workbook("in.xlsx")
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["slug", "link"])
        sheet.write_column(1, 0, ["ada-example", "bob-example"])
        for row, formula in formulas.items():
            sheet.write_formula(row, 1, formula, None, "open")
        book.close()

    computed = f'=HYPERLINK("{L}/bob-"&"example","open")'
    write({1: f'=HYPERLINK("{L}/ada-example","open")', 2: computed})
    assert lix("enrich", "in.xlsx", "--out", "out.csv", "--columns", "name").code == 0
    found, other = read_csv()
    assert (found["lix_name"], other["lix_status"]) == ("Ada Example", "invalid")
    assert other["lix_reason"].startswith("line 3: a formula makes the address of its link: ")
    assert len(sandbox.ledger) == 1
    write({1: f'=HYPERLINK("{L}/"&A2,"open")', 2: f'=HYPERLINK("{L}/"&A3,"open")'})
    refused = lix("enrich", "in.xlsx", "--out", "all.csv")
    assert refused.code == 2
    assert "hint: formulas make the addresses of its links: " in refused.err
    handles = ("--column", "slug", "--handles", "--columns", "name", "--out", "all.csv")
    assert lix("enrich", "in.xlsx", *handles).code == 0
    assert [row["lix_name"] for row in read_csv("all.csv")] == ["Ada Example", "Bob Example"]


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_headings_of_other_encodings_are_text(lix: Lix, encoding: str, form: str) -> None:
    head, names = {"cp1251": ("имя,ссылка", "Анна я"), "shift_jis": ("名前,リンク", "山田 一ソ")}[
        encoding
    ]
    data = f"{head}\n{names},{L}/ada-example\n{names},{L}/bob-example\n".encode(encoding)
    Path("in.csv").write_bytes(data)
    found = lix("enrich", "in.csv", "--out", f"out.{form}", "--columns", "name")
    assert (found.code, "2 found" in found.err) == (0, True), found.err
    if form == "csv":
        first, *_ = Path("out.csv").read_text("utf-8").split(",")
        assert first == head.encode(encoding).decode("cp1252", "replace").split(",")[0]


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
def test_no_output_is_named_that_could_not_be_written(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    async def fail(output: JoinedOutput, batches: object) -> None:
        raise CommandError(f"cannot write {output.path}: disk full", hint="free some space")

    monkeypatch.setattr(JoinedOutput, "write_all", fail)
    Path("in.csv").write_text(f"link\n{L}/ada-example\n")
    found = lix(command, "in.csv", "--out", "out.csv")
    summary, error = found.err.partition("error: ")[::2]
    assert (found.code, "credit" in summary, "out.csv" in summary) == (2, True, False), found.err
    assert error.startswith("cannot write out.csv")
