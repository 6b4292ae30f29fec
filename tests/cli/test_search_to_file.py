"""From a search to a file: in a pipe, with `--enrich`, from filters, and where nothing is found."""

from __future__ import annotations

import csv
import json
import subprocess
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from preloaded import run, start

from lix_async.cli import console
from lix_async.cli.runtime.progress import ProgressLine
from lix_async.linkedin import parse_account_search, parse_lead_search
from lix_async.linkedin.filters import Value
from lix_async.sandbox import running

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import TIMEOUT, ObservedSandbox, Result, environment, rows_of

SEARCH = "https://www.linkedin.com/search/results/people/?keywords=engineer%20total:23"
NONE = "https://www.linkedin.com/search/results/people/?keywords=total:0"


def cells(path: str) -> list[list[object]]:
    """The rows of a workbook."""
    calamine = pytest.importorskip("python_calamine")
    found: list[list[object]] = calamine.load_workbook(path).get_sheet_by_index(0).to_python()
    return found


def test_a_search_is_piped_into_enrich(
    plain: tuple[ObservedSandbox, str], sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    pytest.importorskip("xlsxwriter")
    command = ["-m", "lix_async"]
    env = environment(plain[1], XDG_DATA_HOME=str(tmp_path))
    search = start(
        [*command, "search", "people", SEARCH, "--rate", "none"],
        stdout=subprocess.PIPE,
        env=env,
        cwd=tmp_path,
    )
    enrich = run(
        [*command, "enrich", "-", "--out", "people.xlsx", "--rate", "none"],
        stdin=search.stdout,
        timeout=TIMEOUT,
        env=env,
        cwd=tmp_path,
    )
    assert search.stdout is not None
    search.stdout.close()
    assert (search.wait(TIMEOUT), enrich.returncode) == (0, 0), enrich.stderr
    heading, *rows = cells(str(tmp_path / "people.xlsx"))
    assert len(rows) == 23
    assert {"name", "link", "lix_status", "lix_name"} <= set(heading)
    status = heading.index("lix_status")
    assert {row[status] for row in rows} <= {"found", "invalid"}
    assert len(sandbox.ledger) == 3 + sum(row[status] == "found" for row in rows)


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_a_search_is_enriched_in_one_command(lix: Lix, sandbox: ObservedSandbox, form: str) -> None:
    out = f"people.{form}"
    done = lix("search", "people", SEARCH, "--enrich", "--out", out)
    assert done.code == 0, done.err
    assert "23 people found: 3 pages, 26 credits in all at most" in done.err
    left = [path.name for path in Path().iterdir() if ".ledger" not in path.name]
    assert sorted(left) == ["data", out] if Path("data").exists() else [out]
    if form == "csv":
        with Path(out).open() as file:
            assert len(list(csv.DictReader(file))) == 23
    elif form == "jsonl":
        assert all({"lix_status", "lix_result"} <= row.keys() for row in rows_of(Path(out)))
    bought = len(sandbox.ledger)
    assert lix("search", "people", SEARCH, "--enrich", "--out", out).code == 2, "it exists"
    assert len(sandbox.ledger) == bought


def test_max_credits_covers_the_search_and_the_lookups(lix: Lix, sandbox: ObservedSandbox) -> None:
    command = ("search", "people", SEARCH, "--enrich", "--out", "people.csv", "--max-credits")
    for limit in ("2", "1"):  # in the search, and in its last page
        assert lix(*command, limit).code == 4
    assert len(sandbox.ledger) == 3
    stopped = lix(*command, "5")
    assert (stopped.code, "5 of --max-credits 5 are left" in stopped.err) == (4, True)
    assert len(sandbox.ledger) == 8
    assert lix(*command, "100").code == 0
    with Path("people.csv").open() as file:
        statuses = [row["lix_status"] for row in csv.DictReader(file)]
    assert len(statuses) == 23
    assert len(sandbox.ledger) == 3 + statuses.count("found")


def test_a_search_is_not_enriched_before_somebody_agrees(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    command = ("search", "people", SEARCH, "--enrich", "--out", "a.csv", "--confirm-above", "20")
    assert lix(*command).code == 2
    assert (len(sandbox.ledger), Path("a.csv").exists()) == (1, False)
    assert lix(*command, "--yes").code == 0
    estimate = lix(*command[:-3], "b.csv", "--as", "email", "--limit", "20", "--dry-run")
    assert "2 standard credits, 20 email credits at most" in estimate.out
    assert lix("search", "people", SEARCH, "--enrich").code == 2, "--out is missing"
    assert lix("search", "people", SEARCH, "--as", "email", "--out", "c.csv").code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
@pytest.mark.parametrize("more", [(), ("--enrich",)], ids=["search", "enrich"])
def test_nothing_found_is_an_empty_file_with_its_heading(
    lix: Lix, form: str, more: tuple[str, ...]
) -> None:
    out = Path(f"none.{form}")
    done = lix("search", "people", NONE, "--out", str(out), *more)
    assert (done.code, done.err.startswith("0 people")) == (0, True), done.err
    if form == "csv":
        assert out.read_text().startswith("name,")
        assert len(out.read_text().splitlines()) == 1
    elif form == "jsonl":
        assert out.read_bytes() == b""
    elif form == "xlsx":
        (heading,) = cells(str(out))
        assert heading[0] == "name"
    else:
        duckdb = pytest.importorskip("duckdb")
        found = duckdb.read_parquet(str(out))
        assert (len(found), "name" in found.columns) == (0, True)
    assert lix("search", "people", NONE, "--format", "csv").out.startswith("name,")


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_a_listing_in_a_whole_file_is_resumed(
    lix: Lix, sandbox: ObservedSandbox, form: str
) -> None:
    out = f"people.{form}"
    assert lix("search", "people", SEARCH, "--out", out, "--limit", "12").code == 0
    first = Path(out).read_bytes()
    assert lix("search", "people", SEARCH, "--out", out).code == 2
    assert Path(out).read_bytes() == first
    assert lix("search", "people", SEARCH, "--out", out, "--resume").code == 0
    assert len(sandbox.ledger) == 3
    assert {path.name for path in Path().iterdir()} <= {out, "data"}
    if form == "xlsx":
        assert len(cells(out)) == 24
    assert lix("search", "people", SEARCH, "--out", out, "--resume").code == 2


def test_facets_have_ids_and_names(lix: Lix, sandbox: ObservedSandbox) -> None:
    found = lix("facets", "TITLE", "engineer")
    assert found.code == 0
    assert all(row.keys() >= {"id", "displayValue"} for row in found.rows)
    assert lix("facets", "title", "engineer").rows == found.rows
    table = lix("facets", "TITLE", "engineer", "--format", "csv").out.splitlines()
    assert table[0] == "id,displayValue"
    assert len(table) == 1 + len(found.rows)
    assert len(sandbox.ledger) == 0


def test_facets_that_find_nothing_have_a_hint(lix: Lix) -> None:
    found = lix("facets", "title", "TITEL")
    assert (found.code, "check the spelling" in found.err) == (0, True)
    assert "check the spelling" not in lix("facets", "title", "engineer").err


@pytest.mark.parametrize("command", ["leads", "accounts"])
def test_filters_become_a_search(lix: Lix, command: str) -> None:
    (place, *_) = lix("facets", "location", "a").rows
    name = str(place["displayValue"])
    done = lix(
        *(command, "--filter", f'location="{name}"', "--filter", "keywords=total:30, of course"),
        *("--filter", "industry=id:4", "--out", "rows.csv"),
    )
    assert done.code == 0, done.err
    assert f"location {name}: {name} (id {place['id']})" in done.err
    (url,) = (line[8:] for line in done.err.splitlines() if line.startswith("search: "))
    search = (parse_lead_search if command == "leads" else parse_account_search)(url)
    assert search.keywords == "total:30, of course"
    assert [(one.type, one.values) for one in search.filters] == [
        ("REGION", (Value(name, str(place["id"])),)),
        ("INDUSTRY", (Value("", "4"),)),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a URL or filters"),
        (
            (
                "https://www.linkedin.com/sales/search/people?query=(keywords:a)",
                "--filter",
                "title=a",
            ),
            "not both",
        ),
        (("--filter", "titel=CTO"), "did you mean title"),
        (("--filter", "title="), "has no value"),
        (("--filter", "title"), "has no value"),
    ],
)
def test_filters_that_cannot_be_used(
    lix: Lix, sandbox: ObservedSandbox, arguments: tuple[str, ...], message: str
) -> None:
    refused = lix("leads", *arguments)
    assert (refused.code, message in refused.err, len(sandbox.requests)) == (2, True, 0)
    assert "unknown filter 'title'" in lix("accounts", "--filter", "title=CTO").err


def test_a_value_that_is_not_found_buys_nothing(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = ObservedSandbox()
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        refused = lix("leads", "--filter", "title=nothing-matches")
    assert (refused.code, len(sandbox.ledger)) == (5, 0)
    assert "no title found for 'nothing-matches'" in refused.err


def test_what_was_chosen_does_not_follow_the_progress_line(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def note(text: str) -> None:
        seen.append(text.split(maxsplit=1)[0])

    monkeypatch.setattr(ProgressLine, "start", lambda _: seen.append("start"))
    monkeypatch.setattr(ProgressLine, "stop", lambda _: seen.append("stop"))
    monkeypatch.setattr(console, "print_note", note)
    arguments = ("--filter", "title=Engineer", "--filter", "keywords=total:5")
    assert lix("leads", *arguments, "--out", "leads.csv").code == 0
    at = seen.index("title")
    assert seen[at - 1 : at + 5] == ["stop", "title", "start", "stop", "search:", "start"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_rows_of_another_search_do_not_take_the_place_of_those_in_a_file(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, sandbox: ObservedSandbox, form: str
) -> None:
    if form in ("xlsx", "parquet"):
        pytest.importorskip({"xlsx": "xlsxwriter", "parquet": "duckdb"}[form])
    out = Path(f"out.{form}")

    def enrich(rows: list[dict[str, object]]) -> Result:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(text.encode())))
        return lix("enrich", "-", "--out", str(out))

    first = [{"name": name, "link": f"{L}/{name}-example", "n": 1} for name in ("ada", "bob")]
    assert enrich(first).code == 0
    before, asked = out.read_bytes(), len(sandbox.ledger)
    other: list[dict[str, object]] = [{"name": "cy", "link": f"{L}/cy-example", "n": 2}]
    for rows in (other, other + first[:1], first[:1]):
        found = enrich(rows)
        lost = "2 rows that are" if rows == other else "1 row that is"
        assert (found.code, lost in found.err) == (2, True), found.err
        assert "another name" in found.err
    assert (out.read_bytes(), len(sandbox.ledger)) == (before, asked)
    assert enrich(first).code == 0  # the same rows
    assert len(sandbox.ledger) == asked
    assert enrich(other + first).code == 0  # more rows, in another order
    assert len(sandbox.ledger) == asked + 1
    assert enrich(first).code == 2
