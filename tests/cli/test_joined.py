"""`lix enrich` into the user's own table: the same rows back, with what was found beside them."""

from __future__ import annotations

import csv
import io
import json
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lix_async.cli.output.joined_row import answer_text
from lix_async.sandbox import running

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, Process, environment, rows_of

L = "https://www.linkedin.com/in"
TABLE = f"""company,profile,mail,note
A,{L}/ada-example,x@example.com,=1+1
B,https://uk.linkedin.com/in/Ada-Example/?trk=1,,
C,{L}/missing-person,y@example.com,"two
lines"
D,,,
E,{L}/bob-example,,x
"""
STATUSES = ["found", "found", "not_found", "invalid", "found"]


@pytest.fixture(autouse=True)
def _table(lix: Lix) -> None:
    Path("in.csv").write_text(TABLE)


def read_csv(path: str = "out.csv", delimiter: str = ",") -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def own(rows: list[dict[str, Any]], *names: str) -> list[list[Any]]:
    return [[row[name] for name in names] for row in rows]


INPUT = list(csv.DictReader(io.StringIO(TABLE)))
NAMES = ("company", "profile", "mail", "note")


def test_every_row_comes_back_in_its_order(lix: Lix, sandbox: ObservedSandbox) -> None:
    found = lix("enrich", "in.csv", "--out", "out.csv")
    assert found.code == 0, found.err
    rows = read_csv()
    assert own(rows, *NAMES) == own(INPUT, *NAMES)
    assert column(rows, "lix_status") == STATUSES
    assert column(rows, "lix_reason")[3] == "line 6: no link"
    assert rows[0]["lix_name"] == rows[1]["lix_name"] != ""
    assert rows[0]["lix_bought_at"].startswith("20")
    heading = Path("out.csv").read_text().splitlines()[0].split(",")
    added = ["lix_status", "lix_reason", "lix_bought_at", "lix_name"]
    assert heading[:8] == [*NAMES, *added]
    assert Path("out.csv").stat().st_mode & 0o777 == 0o600
    assert len(sandbox.ledger) == 2
    assert "3 found" in found.err
    before = Path("out.csv").read_bytes()
    again = lix("enrich", "in.csv", "--out", "out.csv")
    assert (again.code, Path("out.csv").read_bytes()) == (0, before)
    assert "4 from the ledger" in again.err
    assert len(sandbox.ledger) == 2


def test_rows_that_are_added_to_the_input_are_added_to_the_output(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    lix("enrich", "in.csv", "--out", "out.csv")
    Path("in.csv").write_text(
        TABLE.replace("A,", f"Z,{L}/zoe-example,,\nA,", 1) + f"F,{L}/carl-example,,\n"
    )
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    rows = read_csv()
    assert column(rows, "company") == list("ZABCDEF")
    assert column(rows, "lix_status") == ["found", *STATUSES, "found"]
    assert rows[1]["lix_link"] == f"{L}/ada-example"
    assert len(sandbox.ledger) == 4


@pytest.mark.parametrize(
    ("start", "delimiter", "end"), [("", ";", "\r\n"), ("sep=;\n", ";", "\n"), ("", "\t", "\n")]
)
def test_the_dialect_of_the_input(lix: Lix, start: str, delimiter: str, end: str) -> None:
    text = f"name{delimiter}link{end}a,b{delimiter}{L}/ada{end}"
    Path("in.csv").write_text(start + text, newline="")
    assert lix("enrich", "in.csv", "--out", "out.csv", "--bom").code == 0
    data = Path("out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfname" + delimiter.encode())
    assert data.endswith(end.encode())
    (row,) = read_csv(delimiter=delimiter)
    assert (row["name"], row["lix_status"]) == ("a,b", "found")


def test_duplicate_and_blank_headings_and_longer_rows(lix: Lix) -> None:
    one = f"{L}/ada,a,b,c\n"
    Path("in.csv").write_text(f"URL,Name,,Name\n{one * 60}{L}/bob,a,b,c,d,e\n")
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    with Path("out.csv").open(newline="") as file:
        records = list(csv.reader(file))
    heading, first, last = records[0], records[1], records[-1]
    assert heading[:5] == ["URL", "Name", "", "Name", "lix_status"]
    assert (first[:5], last[:5]) == (
        [f"{L}/ada", "a", "b", "c", "found"],
        [f"{L}/bob", "a", "b", "c", "found"],
    )
    assert last[-2:] == ["d", "e"]
    assert lix("enrich", "in.csv", "--out", "out.jsonl").code == 0
    assert list(rows_of(Path("out.jsonl"))[-1])[:6] == [
        "URL", "Name", "column 3", "Name (column 4)", "column 5", "column 6",
    ]  # fmt: skip


def test_blank_lines_come_back(lix: Lix) -> None:
    for name, text in {
        "two.csv": "name,link\nA,{0}\n\nB,{0}\n\n",
        "one.csv": "link\n{0}\n\n{0}\n",
    }.items():
        Path(name).write_text(text.format(f"{L}/ada-example"))
        assert lix("enrich", name, "--out", f"out-{name}", "--columns", "name").code == 0
        rows = read_csv(f"out-{name}")
        assert column(rows, "lix_status") == ["found", "invalid", "found"]
        assert (rows[1]["link"], rows[1]["lix_reason"]) == ("", "line 3: no link")


def test_answers_are_escaped_and_own_cells_are_not(lix: Lix) -> None:
    lix("enrich", "in.csv", "--out", "out.csv")
    assert read_csv()[0]["note"] == "=1+1"
    assert answer_text("=1+1") == "'=1+1"
    assert answer_text(-5) == "-5"


def test_json_lines_keep_their_keys(lix: Lix) -> None:
    records = [{"url": f"{L}/ada", "n": 1.5, "deep": {"x": [1]}}, {"url": None}, {"url": f"{L}/b"}]
    text = "".join(json.dumps(one) + "\n" for one in records)
    Path("in.jsonl").write_text(text + "{broken\n")
    assert lix("enrich", "in.jsonl", "--out", "out.jsonl").code == 0
    rows = rows_of(Path("out.jsonl"))
    assert column(rows, "lix_status") == ["found", "invalid", "found", "invalid"]
    assert list(rows[0]) == [
        "url", "n", "deep", "lix_status", "lix_reason", "lix_bought_at", "lix_result",
    ]  # fmt: skip
    assert rows[0]["deep"] == {"x": [1]}
    assert rows[0]["lix_result"]["experience"]  # type: ignore[index]
    assert str(rows[3]["lix_reason"]).startswith("line 4")
    assert lix("enrich", "in.jsonl", "--out", "out.csv").code == 0
    assert read_csv()[0]["deep"] == '{"x":[1]}'
    assert lix("enrich", "in.jsonl", "--out", "o.jsonl", "--columns", "name,link").code == 0
    assert list(rows_of(Path("o.jsonl"))[0]["lix_result"]) == ["name", "link"]  # type: ignore[call-overload]


def test_a_workbook_comes_back_as_values(lix: Lix) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    calamine = pytest.importorskip("python_calamine")
    book = xlsxwriter.Workbook("in.xlsx")
    sheet = book.add_worksheet("People")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for place, name in enumerate(["Name", "Profile", "Since", "Count", "Code"]):
        sheet.write_string(0, place, name)
    for row, link in enumerate([f"{L}/ada", "", f"{L}/missing-one", f"{L}/ada"], start=1):
        sheet.write_string(row, 0, "=SUM(1)")
        sheet.write_string(row, 1, link)
        sheet.write_datetime(row, 2, datetime(2026, 1, row), day)
        sheet.write_number(row, 3, row + 0.5)
        sheet.write_string(row, 4, "007")
    book.close()
    for _ in range(2):
        found = lix("enrich", "in.xlsx", "--out", "out.xlsx")
        assert found.code == 0, found.err
    rows = calamine.CalamineWorkbook.from_path("out.xlsx").get_sheet_by_index(0).to_python()
    assert rows[0][:6] == ["Name", "Profile", "Since", "Count", "Code", "lix_status"]
    assert [row[5] for row in rows[1:]] == ["found", "invalid", "not_found", "found"]
    assert rows[1][0] == "=SUM(1)"
    assert (rows[1][2].year, rows[1][3], rows[1][4]) == (2026, 1.5, "007")
    assert rows[2][6].startswith("line 3")
    assert Path("out.xlsx").stat().st_mode & 0o777 == 0o600
    openpyxl = pytest.importorskip("openpyxl")
    cells = openpyxl.load_workbook("out.xlsx").active
    assert {cell.data_type for row in cells.iter_rows() for cell in row} <= {
        "s",
        "n",
        "d",
        "inlineStr",
    }
    assert not any(cell.hyperlink for row in cells.iter_rows() for cell in row)


def test_parquet_keeps_the_types_of_its_columns(lix: Lix) -> None:
    duckdb = pytest.importorskip("duckdb")
    duckdb.sql(
        f"COPY (SELECT '{L}/p-' || i AS url, DATE '2026-01-01' + i::INT AS day, i::DECIMAL(9,2) "
        "AS money FROM range(3) t(i)) TO 'in.parquet'"
    )
    for _ in range(2):
        found = lix("enrich", "in.parquet", "--out", "out.parquet", "--columns", "basic")
        assert found.code == 0, found.err
    kinds = {row[0]: row[1] for row in duckdb.sql("DESCRIBE FROM 'out.parquet'").fetchall()}
    assert (kinds["day"], kinds["money"], kinds["lix_status"]) == (
        "DATE", "DECIMAL(9,2)", "VARCHAR",
    )  # fmt: skip
    rows = duckdb.sql("SELECT url, lix_status, lix_link FROM 'out.parquet'").fetchall()
    assert rows == [(f"{L}/p-{n}", "found", f"{L}/p-{n}") for n in range(3)]


def test_a_list_of_links_is_a_table_of_one_column(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{L}/ada\n{L}/bob\n{L}/ada\n"
    Path("in.txt").write_text(text)
    assert lix("enrich", "in.txt", "--out", "out.csv").code == 0
    rows = read_csv()
    assert column(rows, next(iter(rows[0]))) == text.split()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    found = lix("enrich", "-")
    assert [row["lix_status"] for row in found.rows] == ["found"] * 3


def test_rows_on_stdout_are_in_order(lix: Lix) -> None:
    found = lix("enrich", "in.csv", "--format", "csv", "--columns", "name")
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert own(rows, *NAMES) == own(INPUT, *NAMES)
    assert column(rows, "lix_status") == STATUSES
    assert [row["lix_status"] for row in lix("enrich", "in.csv").rows] == STATUSES
    shown = lix("enrich", "in.csv", "--format", "table").out
    assert "not_found" in shown


# Columns


def test_a_prefix_and_a_clash(lix: Lix, sandbox: ObservedSandbox) -> None:
    clash = lix("enrich", "in.csv", "--out", "o.csv", "--prefix", "")
    assert (clash.code, "already has a column 'company'" in clash.err) == (2, True)
    found = lix("enrich", "in.csv", "--out", "o.csv", "--prefix", "", "--columns", "name,title")
    assert found.code == 0
    assert read_csv("o.csv")[0]["status"] == "found"
    asked = len(sandbox.requests)
    Path("in.csv").write_text(f"NAME,link\nx,{L}/new-one\n")
    for out in ("out.csv", "out.jsonl"):
        found = lix("enrich", "in.csv", "--out", out, "--prefix", "", "--columns", "name")
        if out == "out.csv":
            assert (found.code, "already has a column 'name'" in found.err) == (2, True)
            assert (len(sandbox.requests), Path(out).exists()) == (asked, False)
        else:
            assert found.code == 0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_several_kinds_in_one_run(lix: Lix, sandbox: ObservedSandbox, form: str) -> None:
    out = f"out.{form}"
    found = lix("enrich", "in.csv", "--out", out, "--as", "person", "--as", "email")
    assert found.code == 0, found.err
    rows: list[dict[str, Any]] = read_csv(out) if form == "csv" else rows_of(Path(out))
    assert column(rows, "lix_person_status") == STATUSES
    assert len(rows) == len(column(rows, "lix_email_status")) == 5
    if form == "csv":
        assert rows[0]["lix_person_name"]
        assert "lix_email_email" in rows[0]
    asked = len(sandbox.requests)
    assert lix("enrich", "in.csv", "--out", out, "--as", "email").code == 0
    assert lix("enrich", "in.csv", "--out", "other.csv", "--as", "email").code == 0
    assert len(sandbox.requests) == asked
    again: list[dict[str, Any]] = read_csv(out) if form == "csv" else rows_of(Path(out))
    assert again == rows


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_second_kind_adds_its_columns(lix: Lix, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("duckdb")
    out = f"out.{form}"
    assert lix("enrich", "in.csv", "--out", out).code == 0
    found = lix("enrich", "in.csv", "--out", out, "--as", "email")
    assert found.code == 0, found.err
    if form == "parquet":
        relation = pytest.importorskip("duckdb").sql(f"SELECT * FROM '{out}'")
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    else:
        rows = read_csv(out) if form == "csv" else rows_of(Path(out))
    assert column(rows, "lix_status") == STATUSES
    assert column(rows, "lix_email_status")[3] == "invalid"
    assert column(rows, "lix_email_status")[0] in ("found", "not_found")
    assert column(rows, "company") == list("ABCDE")


def test_kinds_from_two_columns_have_their_own_reasons(lix: Lix) -> None:
    company = "https://www.linkedin.com/company/example-org"
    Path("in.csv").write_text(
        f"n,profile,firm\n1,{L}/ada-example,{company}\n2,,{company}\n3,{L}/bob-example,\n"
    )
    assert lix("enrich", "in.csv", "--as", "person", "--out", "out.csv").code == 0
    arguments = ("--as", "org", "--column", "firm", "--out", "out.csv")
    assert lix("enrich", "in.csv", *arguments).code == 0
    rows = read_csv()
    assert column(rows, "lix_status") == ["found", "invalid", "found"]
    assert column(rows, "lix_reason") == ["", "line 3: no link", ""]
    assert column(rows, "lix_org_status") == ["found", "found", "invalid"]
    assert column(rows, "lix_org_reason") == ["", "", "line 4: no link"]


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
def test_a_table_has_the_whole_links(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    link = f"{L}/{'long-name-' * 5}example"
    Path("in.csv").write_text(f"n,company,profile\n1,Example,{link}\n")
    want = ("--want", "headline") if command == "waterfall" else ()
    shown = lix(command, "in.csv", "--format", "table", *want).out
    head, *lines = [line for line in shown.splitlines() if line.strip("─ ")]
    place = head.index("profile")
    assert "".join(line[place:].split(maxsplit=1)[0] for line in lines) == link, shown


def test_lists_of_columns(lix: Lix) -> None:
    found = lix("enrich", "in.csv", "--out", "a.csv", "--columns", "name,experience.1.title,other")
    assert found.code == 0, found.err
    (first, *_) = read_csv("a.csv")
    assert list(first)[4:] == [
        "lix_status", "lix_reason", "lix_bought_at", "lix_name", "lix_experience.1.title",
        "lix_other",
    ]  # fmt: skip
    assert lix("enrich", "in.csv", "--out", "a.csv").code == 0
    assert read_csv("a.csv")[0] == first, "the columns of the first run"
    assert lix("enrich", "in.csv", "--out", "b.csv", "--columns", "all").code == 0
    assert "lix_skills" in read_csv("b.csv")[0]
    wrong = lix("enrich", "in.csv", "--out", "c.csv", "--columns", "nme")
    assert (wrong.code, "did you mean name" in wrong.err) == (2, True)


@pytest.mark.parametrize("kind", ["person", "org", "email"])
def test_the_columns_of_a_kind_are_described(lix: Lix, kind: str) -> None:
    rows = lix("columns", kind, rate="").rows
    assert all(row["description"] for row in rows)
    basic = lix("columns", kind, "--basic", rate="").rows
    assert [row["column"] for row in rows if row["basic"]] == [row["column"] for row in basic]
    assert 5 <= len(basic) <= 18
    assert "description" in lix("columns", kind, "--format", "table", rate="").out


# Parts of a file


def test_a_limit(lix: Lix, sandbox: ObservedSandbox) -> None:
    lines = ["ada", "bob", "ada", "carl", "dora", "bob"]
    Path("in.csv").write_text("link\n" + "".join(f"{L}/{name}\n" for name in lines) + "nothing\n")
    assert lix("enrich", "in.csv", "--out", "out.csv", "--limit", "2").code == 0
    assert column(read_csv(), "lix_status") == [
        "found", "found", "found", "not_asked", "not_asked", "found", "invalid",
    ]  # fmt: skip
    assert len(sandbox.ledger) == 2
    assert lix("enrich", "in.csv", "--out", "out.csv", "--limit", "3").code == 0
    assert column(read_csv(), "lix_status").count("not_asked") == 1
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    assert column(read_csv(), "lix_status") == ["found"] * 6 + ["invalid"]
    assert len(sandbox.ledger) == 4
    assert lix("enrich", "in.csv", "--out", "out.csv", "--limit", "0").code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_out_of_credits_leaves_every_row(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    for name in {"xlsx": ["xlsxwriter", "python_calamine"], "parquet": ["duckdb"]}.get(form, []):
        pytest.importorskip(name)
    Path("in.csv").write_text("link\n" + "".join(f"{L}/person-{n}\n" for n in range(30)))
    sandbox = ObservedSandbox(credits={"standard": 4})
    out = f"out.{form}"
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        found = lix("enrich", "in.csv", "--out", out)
        assert found.code == 4, found.err
        assert "4 found, 26 pending" in found.err or "26 pending, 4 found" in found.err
        assert "run the same command to continue" in found.err
        sandbox.ledger.balances["standard"] = 100
        done = lix("enrich", "in.csv", "--out", out)
        assert done.code == 0, done.err
        assert "30 found" in done.err
    assert len(sandbox.ledger) == 30
    if form == "csv":
        rows = read_csv()
        assert column(rows, "link") == [f"{L}/person-{n}" for n in range(30)]
        assert {row["lix_status"] for row in rows} == {"found"}


def test_a_lookup_without_an_answer_is_pending(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in.txt").write_text(f"{L}/only-one\n")
    with running(ObservedSandbox(faults={"person.get": ["unavailable;retry-after=500"]})) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        found = lix("enrich", "in.txt", "--out", "out.jsonl")
        assert (found.code, "1 row got no answer" in found.err) == (6, True)
        assert [row["lix_status"] for row in rows_of(Path("out.jsonl"))] == ["pending"]
        assert lix("enrich", "in.txt", "--out", "out.jsonl").code == 0
    assert [row["lix_status"] for row in rows_of(Path("out.jsonl"))] == ["found"]


def test_doubts_stand_in_their_rows(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in.txt").write_text(f"{L}/ada\n{L}/bob\n")
    with running(ObservedSandbox(faults={"person.get": ["reset_after"]})) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        command = ("enrich", "in.txt", "--out", "out.csv", "--concurrency", "1")
        assert "1 in doubt" in lix(*command).err
        assert column(read_csv(), "lix_status") == ["in_doubt", "found"]
        assert lix(*command, "--doubts", "retry").code == 0
    assert column(read_csv(), "lix_status") == ["found", "found"]


# Existing files


def test_a_file_of_somebody_else_is_left_alone(lix: Lix, sandbox: ObservedSandbox) -> None:
    for name, text in {"o.csv": "a,b\n1,2\n", "o.jsonl": '{"a":1}\n', "p.jsonl": "text\n"}.items():
        Path(name).write_text(text)
        found = lix("enrich", "in.csv", "--out", name)
        assert (found.code, Path(name).read_text()) == (2, text), found.err
    Path("other.csv").write_text(f"link\n{L}/ada\n")
    assert lix("enrich", "other.csv", "--out", "out.csv").code == 0
    before = Path("out.csv").read_bytes()
    found = lix("enrich", "in.csv", "--out", "out.csv")
    assert (found.code, "columns of another file" in found.err) == (2, True)
    assert Path("out.csv").read_bytes() == before


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_output_of_an_earlier_version_is_continued(lix: Lix, form: str) -> None:
    out = f"out.{form}"
    assert lix("enrich", "in.csv", "--out", out, "--distinct").code == 0
    before = Path(out).read_bytes()
    Path("in.csv").write_text(TABLE + f"F,{L}/carl-example,,\n")
    found = lix("enrich", "in.csv", "--out", out)
    assert (found.code, "--distinct" in found.err) == (0, True)
    after = Path(out).read_bytes()
    assert after.startswith(before)
    assert len(after) > len(before)


def test_an_empty_output_file_is_used(lix: Lix) -> None:
    Path("out.csv").touch()
    assert lix("enrich", "in.csv", "--out", "out.csv").code == 0
    assert len(read_csv()) == 5


# Stopping


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_a_stopped_run_is_continued(
    start: Callable[..., Process],
    sandbox: ObservedSandbox,
    tmp_path: Path,
    form: str,
    number: int,
) -> None:
    lines = [f"{L}/p-{n % 25}" for n in range(40)]
    (tmp_path / "in.csv").write_text(
        "n,link\n" + "".join(f"{n},{x}\n" for n, x in enumerate(lines))
    )
    out = tmp_path / f"out.{form}"

    def rows() -> list[dict[str, Any]]:
        return read_csv(str(out)) if form == "csv" else rows_of(out)

    process = start("enrich", "in.csv", "--out", out.name, "--rate", "20/s")
    sandbox.wait_for(8)
    process.popen.send_signal(number)
    stopped = process.end()
    assert stopped.code == (130 if number == signal.SIGINT else -signal.SIGKILL)
    if number == signal.SIGINT:
        assert [str(row["n"]) for row in rows()] == [str(n) for n in range(40)]
        assert {row["lix_status"] for row in rows()} == {"found", "pending"}
    else:
        assert {row["lix_status"] for row in rows()} <= {"found"}
    with out.open("ab") as file:  # as a killed process may leave it
        file.write(b'"torn' if form == "csv" else b'{"torn')
    process = start("enrich", "in.csv", "--out", out.name, "--rate", "20/s")
    sandbox.wait_for(8)
    process.popen.send_signal(signal.SIGKILL)
    process.end()
    numbers = [str(row["n"]) for row in rows()]
    assert len(set(numbers)) == len(numbers), "no row stands there twice"
    done = start("enrich", "in.csv", "--out", out.name, "--rate", "none", "--doubts", "retry").end()
    assert done.code == 0, done.err
    assert [str(row["n"]) for row in rows()] == [str(n) for n in range(40)]
    assert {row["lix_status"] for row in rows()} == {"found"}
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} <= {
        path.name for path in tmp_path.iterdir() if path.name.startswith(".out")
    }
    # Those in flight at a kill may be bought twice, as --doubts retry says.
    assert len(sandbox.ledger) <= 25 + 2 * 16


def test_rows_are_in_the_file_as_they_come(
    start: Callable[..., Process], sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("link\n" + "".join(f"{L}/p-{n}\n" for n in range(30)))
    process = start("enrich", "in.csv", "--out", "out.csv", "--rate", "20/s")
    sandbox.wait_for(12)
    rows = read_csv(str(tmp_path / "out.csv"))
    assert 0 < len(rows) < 30
    assert {row["lix_status"] for row in rows} == {"found"}
    assert process.end().code == 0
    assert column(read_csv(str(tmp_path / "out.csv")), "link") == [f"{L}/p-{n}" for n in range(30)]


def test_a_full_disk_is_a_plain_error(start: Callable[..., Process], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("link\n" + "".join(f"{L}/p-{n}\n" for n in range(200)))
    limited = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
        "from lix_async.cli import main\nsys.exit(main())\n"
    )
    env = environment(str(start("--version").env["LIX_BASE_URL"]))
    # The measuring of coverage cannot write its file either, and says so.
    env = {name: value for name, value in env.items() if name[:9] != "COVERAGE_"}
    process = Process(
        "enrich", "in.csv", "--out", "out.jsonl", "--rate", "none", "--store", "none",
        "--yes", env=env, cwd=tmp_path, program=("-c", limited), fresh=True,
    )  # fmt: skip
    found = process.end()
    assert found.code in (1, 0), found.err
    assert "Traceback" not in found.err
    for line in (tmp_path / "out.jsonl").read_text().splitlines()[:-1]:
        json.loads(line)


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_an_empty_pipe_is_an_empty_output_with_its_heading(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    for name in {"xlsx": ["xlsxwriter"], "parquet": ["duckdb"]}.get(form, []):
        pytest.importorskip(name)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    out = Path(f"out.{form}")
    found = lix("enrich", "-", "--out", str(out))
    assert found.code == 0, found.err
    assert out.exists()
    assert len(sandbox.requests) == 0
    if form == "csv":
        assert out.read_text().startswith("link,lix_status,lix_reason,lix_bought_at,lix_name")
    if form == "jsonl":
        assert out.read_bytes() == b""


def test_an_unknown_ending_is_refused_by_name(lix: Lix, sandbox: ObservedSandbox) -> None:
    found = lix("enrich", "in.csv", "--out", "out.txt")
    assert (found.code, ".txt" in found.err, Path("out.txt").exists()) == (2, True, False)
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize(
    ("library", "output", "extra"),
    [("duckdb", "out.parquet", "parquet"), ("xlsxwriter", "out.xlsx", "excel")],
)
@pytest.mark.parametrize("command", [("enrich",), ("waterfall", "--want", "email")])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_format_whose_library_is_missing_is_refused_before_anything_is_paid(
    lix: Lix,
    sandbox: ObservedSandbox,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    output: str,
    extra: str,
    command: tuple[str, ...],
    more: tuple[str, ...],
) -> None:
    monkeypatch.setattr(
        "lix_async.cli.options.find_spec", lambda name: None if name == library else object()
    )
    Path("in.csv").write_text("link\nhttps://www.linkedin.com/in/ada-example\n")
    found = lix(command[0], "in.csv", *command[1:], "--out", output, *more)
    assert found.code == 2
    assert found.err.splitlines()[1] == f"hint: pip install 'lix_async[{extra}]'"
    assert library in found.err
    assert not sandbox.ledger
    assert not Path(output).exists()


def test_one_argument_too_many_is_named(lix: Lix) -> None:
    found = lix("ledger", "list", "people.ledger", rate="")
    assert found.code == 2
    assert found.err.startswith("error: unexpected argument 'people.ledger'\n")
