"""The basic columns of each type of row, with short names, in every output."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path

import msgspec
import pytest

from lix_async.cli.output.answer_columns import AnswerColumns, described_columns
from lix_async.cli.output.basic_columns import BASIC, basic_names, paths_of
from lix_async.cli.output.column_reader import column_reader, property_of, steps_of
from lix_async.cli.output.schema import all_columns
from lix_async.core.models import OpenObject
from lix_async.providers.lix.models import JobPosting, LiOrganisation, Person, Post

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import FULL

SALES = "https://www.linkedin.com/sales/search/people?query=(keywords:total%3A3)"
SEARCHES: list[tuple[list[str], str, type]] = [
    (["search", "people"], FULL, Person),
    (
        ["search", "jobs"],
        "https://www.linkedin.com/jobs/search/?keywords=total:3",
        JobPosting,
    ),
    (
        ["search", "posts"],
        "https://www.linkedin.com/search/results/content/?keywords=total:3",
        Post,
    ),
    (
        ["search", "orgs"],
        "https://www.linkedin.com/search/results/companies/?keywords=total:3",
        LiOrganisation,
    ),
    (["leads"], SALES, Person),
    (["accounts"], SALES.replace("people", "company"), LiOrganisation),
]
OLD_NAMES = ("lix_name", "lix_headline", "lix_experience.0.title", "lix_numOfConnections")


def heading(path: str) -> list[str]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


@pytest.mark.parametrize("kind", BASIC)
def test_each_short_name_stands_for_something(kind: str) -> None:
    module, _, name = kind.partition(".")
    struct: type = getattr(
        importlib.import_module(f"lix_async.providers.lix.models.{module}"), name
    )
    assert basic_names(struct) == tuple(BASIC[kind])
    for short in basic_names(struct):
        for path in paths_of(struct, short):
            if issubclass(struct, OpenObject):
                assert property_of(struct, path.partition(".")[0]), path
            else:
                assert steps_of(struct, path), path
    described = list(described_columns(struct))
    assert all(text for _, text, _ in described)
    assert [name for name, _, is_basic in described if is_basic] == list(BASIC[kind])


@pytest.mark.parametrize(("command", "url", "struct"), SEARCHES)
def test_searches_have_basic_columns(lix: Lix, command: list[str], url: str, struct: type) -> None:
    assert lix(*command, url, "-n", "3", "--out", "a.csv").code == 0
    assert tuple(heading("a.csv")) == basic_names(struct)
    found = lix(*command, url, "-n", "3", "--columns", "basic", "--out", "b.csv")
    assert (found.code, heading("b.csv")) == (0, heading("a.csv"))
    assert lix(*command, url, "-n", "3", "--columns", "all", "--out", "all.csv").code == 0
    names = heading("all.csv")
    assert tuple(names[: len(basic_names(struct))]) == basic_names(struct)
    assert (len(names) > len(basic_names(struct)), names[-1]) == (True, "other")
    (short, *_) = basic_names(struct)
    assert lix(*command, url, "-n", "3", "--columns", f"{short},link", "--out", "c.csv").code == 0
    assert heading("c.csv") == [short, "link"]
    with Path("a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row[short] for row in rows)
    assert any(row["link"] for row in rows)  # members may be hidden
    shown = lix(*command, url, "-n", "3", "--columns", "basic", "--format", "table").out
    assert shown.split()[0] == short


def test_the_names_are_those_of_every_format(lix: Lix) -> None:
    duckdb, calamine = pytest.importorskip("duckdb"), pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    Path("in.csv").write_text(f"link\n{L}/ada-example\n")
    for form in ("csv", "xlsx", "parquet"):
        for chosen in ("basic", "all"):
            out = ("--columns", chosen, "--out", f"{chosen}.{form}")
            assert lix("enrich", "in.csv", *out).code == 0
    expected = [f"lix_{name}" for name in basic_names(Person)]
    for chosen in ("basic", "all"):
        names = heading(f"{chosen}.csv")
        assert names[4 : 4 + len(expected)] == expected
        assert duckdb.sql(f"SELECT * FROM '{chosen}.parquet'").columns == names
        book = calamine.load_workbook(f"{chosen}.xlsx")
        assert book.get_sheet_by_index(0).to_python()[0] == names
    assert lix("enrich", "in.csv", "--format", "table").out.split()[:4] == [
        *("link", "lix_status", "lix_name", "lix_title"),
    ]


def test_lists_have_short_names_and_paths(lix: Lix) -> None:
    Path("in.csv").write_text(f"link\n{L}/ada-example\n")
    names = "title,experience.0.title,headline,description,company"
    assert lix("enrich", "in.csv", "--columns", names, "--out", "o.csv").code == 0
    assert heading("o.csv")[4:] == [f"lix_{name}" for name in names.split(",")]
    (row,) = csv.DictReader(Path("o.csv").read_text().splitlines())
    assert row["lix_title"] == row["lix_experience.0.title"]
    assert lix("person", f"{L}/ada-example", "--columns", "title", "--out", "p.csv").code == 0
    assert Path("p.csv").read_text().splitlines() == ["title", row["lix_title"]]
    assert lix("person", f"{L}/ada-example", "--columns", "basic", "--out", "q.csv").code == 0
    assert tuple(heading("q.csv")) == basic_names(Person)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_of_lookups_have_short_names_where_they_are_asked_for(lix: Lix, form: str) -> None:
    Path("in.csv").write_text(f"link\n{L}/ada-example\n")
    names = ("--columns", "title,experience.0.title,company")
    out = f"o.{form}"
    assert lix("enrich", "--distinct", "in.csv", *names, "--store", "l.db", "--out", out).code == 0
    exported = lix("run", "export", "l.db", *names, "--format", form, rate="")
    for text in (Path(out).read_text(), exported.out):
        if form == "csv":
            (row,) = csv.DictReader(text.splitlines())
        else:
            row = json.loads(text)
        assert row["title"] == row["experience.0.title"] != ""
        assert row["company"]


def test_an_output_with_paths_as_names_is_continued(lix: Lix) -> None:
    Path("in.csv").write_text(f"link\n{L}/ada-example\n")
    names = ",".join(name.removeprefix("lix_") for name in OLD_NAMES)
    assert lix("enrich", "in.csv", "--columns", names, "--out", "o.csv").code == 0
    Path("in.csv").write_text(f"link\n{L}/ada-example\n{L}/bob-example\n")
    assert lix("enrich", "in.csv", "--out", "o.csv").code == 0
    assert tuple(heading("o.csv")[4:]) == OLD_NAMES
    assert len(Path("o.csv").read_text().splitlines()) == 3
    assert lix("enrich", "in.csv", "--columns", "basic", "--out", "o.csv").code == 0
    assert heading("o.csv")[4:] == [f"lix_{name}" for name in basic_names(Person)]


def test_a_listing_with_paths_as_names_is_continued(lix: Lix) -> None:
    old = "name,description,experience.0.organisation.name"
    start = ("search", "people", FULL, "--out", "o.csv")
    assert lix(*start, "-n", "7", "--columns", old).code == 0
    refused = lix(*start, "-n", "9", "--columns", "basic", "--resume")
    assert (refused.code, "other columns" in refused.err) == (2, True)
    assert "leave out --columns" in refused.err
    assert lix(*start, "-n", "9", "--resume").code == 0
    with Path("o.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (len(rows), ",".join(rows[0])) == (9, old)
    assert all(row["name"] for row in rows)


def test_the_first_value_that_is_given() -> None:
    names = ("company", "company_link", "headline")
    nowhere = "https://www.linkedin.com/sales/company/"
    organisation = {"name": "C", "salesNavLink": nowhere}
    row = {"description": "D", "headline": "", "experience": [{"organisation": organisation}]}
    for more in ({}, {"unknown": {"x": 1}}, {"numOfConnections": "7"}):
        body = msgspec.json.encode(row | more)
        assert column_reader(Person, names)(body) == ["C", None, "D"]
        columns = AnswerColumns({"person": Person}, "all")
        read = dict(zip(columns.names, columns.read("person", body), strict=True))
        assert [read[name] for name in names] == ["C", None, "D"]
        assert read["other"] == ({"unknown.x": 1} if "unknown" in more else None)
        assert read["connections"] == (7 if "numOfConnections" in more else None)
        organisation["salesNavLink"] = nowhere + "1"
        body = msgspec.json.encode(row | more)
        assert column_reader(Person, names)(body) == ["C", nowhere + "1", "D"]
        organisation["salesNavLink"] = nowhere


def test_a_row_as_it_was_sent_is_read_as_its_type_reads_it() -> None:
    """Both ways of reading all columns give the same values."""
    names = all_columns(Person)
    read = column_reader(Person, names)
    row = {
        "name": "A",
        "skills": [{"name": "Go", "numOfEndorsement": 5, "fresh": [1]}],
        "birthDate": {"year": 1980, "century": 20},
        "premium": None,
        "languages": None,
        "a.b": {"c": 1},
    }
    plain = dict(zip(names, read(msgspec.json.encode(row)), strict=True))
    repaired = msgspec.json.encode(row | {"numSharedConnections": "3"})
    slow = dict(zip(names, read(repaired), strict=True))
    assert plain.pop("numSharedConnections") is None
    assert slow.pop("numSharedConnections") == 3
    assert plain == slow
    assert plain["languages"] is plain["experience"] is None
    assert plain["other"] == {"birthDate.century": 20, "a.b.c": 1}
    assert json.loads(msgspec.json.encode(plain["skills"])) == row["skills"]
