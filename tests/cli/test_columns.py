"""`--columns`: names of fields, and early errors for unknown ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lix_async.cli.errors import CommandError
from lix_async.cli.ledger.export import ExportSchema
from lix_async.cli.output.columns import check_columns
from lix_async.cli.output.rows import CsvEncoder, JsonlEncoder
from lix_async.cli.output.schema import LookupSchema, RowSchema
from lix_async.providers.lix.models import JobPosting, Organisation, Person

from .conftest import Lix
from .ledgers import L, filled
from .sandbox_helpers import FULL, ObservedSandbox

BOTH = LookupSchema({"person": Person, "org": Organisation})


def test_the_example_of_the_help_works(lix: Lix) -> None:
    Path("in.txt").write_text(f"{L}/ada\n{L}/bob\n")
    wanted = "name,link,experience.0.title"
    for form in ("csv", "jsonl"):
        found = lix("enrich", "--distinct", "in.txt", "--columns", wanted, "--out", f"out.{form}")
        assert found.code == 0, found.err
    with Path("out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["input", "status", *wanted.split(",")]
    assert all(row["name"] and row["link"] for row in rows)
    (first, *_) = (json.loads(line) for line in Path("out.jsonl").read_text().splitlines())
    assert first["name"] in {row["name"] for row in rows}
    assert "experience.0.title" in first
    shown = lix("enrich", "--distinct", "in.txt", "--columns", "input,name", "--format", "table")
    assert str(rows[0]["name"]) in shown.out
    assert lix("enrich", "--distinct", "in.txt", "--columns", wanted, "--out", "out.csv").code == 0


def test_columns_of_parquet(lix: Lix) -> None:
    duckdb = pytest.importorskip("duckdb")
    Path("in.txt").write_text(f"{L}/ada\n")
    assert (
        lix("enrich", "--distinct", "in.txt", "--columns", "name", "--out", "o.parquet").code == 0
    )
    ((status, name),) = duckdb.sql("SELECT status, name FROM 'o.parquet'").fetchall()
    assert (status, bool(name)) == ("found", True)


def test_columns_of_an_export_in_each_format(lix: Lix) -> None:
    filled(Path("l.db"))
    wanted = ("run", "export", "l.db", "--status", "found", "--columns")
    row, _ = lix(*wanted, "status,name,result.link,result.profileLanguage,other", rate="").rows
    assert list(row.values()) == [
        "found", "Ada", f"{L}/ada", "fr",
        {"input": f"{L}/ada", "kind": "person", "bought_at": "2023-11-14T22:13:20Z"},
    ]  # fmt: skip
    said = lix(*wanted, "name,other.result.profileLanguage", "--format", "csv", rate="").out
    assert said.splitlines() == ["name,other.result.profileLanguage", "Ada,fr", "Hal,"]


@pytest.mark.parametrize(
    "command",
    [
        ("enrich", "--distinct", "in.txt", "--out", "o.csv"),
        ("run", "export", "l.db", "--out", "o.csv"),
        ("search", "people", FULL, "--out", "o.csv"),
        ("leads", "https://www.linkedin.com/sales/search/people?query=(a)", "--out", "o.csv"),
        ("person", f"{L}/ada", "--out", "o.csv"),
        ("call", "person.get", "--profile-link", f"{L}/ada", "--out", "o.csv"),
        ("waterfall", "in.txt", "--out", "o.csv"),
    ],
)
def test_an_unknown_column_is_reported_before_anything_is_sent_or_written(
    lix: Lix, sandbox: ObservedSandbox, command: tuple[str, ...]
) -> None:
    Path("in.txt").write_text(f"{L}/ada\n")
    filled(Path("l.db"))
    rate = "" if command[0] == "run" else "none"
    found = lix(*command, "--columns", "link,descriptio", rate=rate)
    assert found.code == 2
    assert "unknown column 'descriptio'" in found.err or "unknown column 'link'" in found.err
    assert "available columns" in found.err or "did you mean" in found.err
    assert (len(sandbox.requests), Path("o.csv").exists()) == (0, False)


@pytest.mark.parametrize(
    "column",
    [
        "input",
        "result",
        "other",
        "name",
        "result.name",
        "result.brandNew",
        "input.email",
        "other.result.brandNew",
        "experience",
        "experience.3.organisation.name",
        "profile.name",
        "liOrganisation.liEmployeeCount",
    ],
)
def test_valid_columns_of_lookups(column: str) -> None:
    check_columns([column], BOTH)
    check_columns([column], ExportSchema())


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("nme", "did you mean name"),
        ("name.first", "did you mean name"),
        ("experience.first.title", "experience.0.title"),
        ("statu", "did you mean status"),
        ("status.x", "did you mean status"),
        ("liEmployeeCount", "liOrganisation.liEmployeeCount"),
        ("zzzz", "available columns: input, kind"),
    ],
)
def test_an_unknown_column_has_a_hint(column: str, hint: str) -> None:
    with pytest.raises(CommandError, match="unknown column") as raised:
        check_columns(["name", column], BOTH)
    assert hint in raised.value.hint
    assert "result.NAME" in raised.value.hint


def test_rows_without_a_struct_accept_any_column() -> None:
    check_columns(["whatever"], RowSchema(JobPosting))
    check_columns(["whatever"], RowSchema(None))
    check_columns(None, RowSchema(Person))
    check_columns(["other.brandNew"], RowSchema(Person))
    with pytest.raises(CommandError) as raised:
        check_columns(["result.name"], RowSchema(Person))
    assert "other.NAME" in raised.value.hint


def test_a_new_field_is_found_by_its_full_path() -> None:
    row = b'{"name":"A","brandNew":{"x":1},"other":7}'
    columns = ("name", "other.brandNew.x", "other")
    (line,) = JsonlEncoder(RowSchema(Person), columns).encode([row], first=True).splitlines()
    assert json.loads(line) == {"name": "A", "other.brandNew.x": 1, "other": {"other": 7}}
    table = CsvEncoder(RowSchema(Person), columns).encode([row], first=True).decode().splitlines()
    assert table[1] == 'A,1,"{""other"":7}"'
    (line,) = JsonlEncoder(RowSchema(Person), ("name", "brandNew", "other")).encode(
        [b'{"name":"A","other":{"b":1}}', ], first=True
    ).splitlines()  # fmt: skip
    assert json.loads(line)["other"] == {"other.b": 1}


def test_a_record_on_the_terminal_has_the_requested_columns(lix: Lix) -> None:
    shown = lix("person", f"{L}/ada", "--columns", "link,name", "--format", "table").out
    assert shown.index("link") < shown.index("name")
    assert "headline" not in shown
