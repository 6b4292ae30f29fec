"""`--max-age` and `--refresh` of `lix enrich`, and `lix ledger changes`."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, rows_of
from .test_enrich_ledger import links

LEDGER = "ledger.db"
STORE = ("--store", LEDGER)
YEAR = 365 * 86_400_000


def a_year_passes() -> None:
    """What is in the ledger was bought a year earlier."""
    with closing(sqlite3.connect(LEDGER)) as database, database:
        database.execute("UPDATE answer SET at = at - ?", (YEAR,))


def test_answers_that_are_too_old_are_bought_again(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(4)
    for age, bought in (("90d", 4), ("90d", 4), (None, 4), ("2y", 4), ("90d", 8)):
        if bought == 8 or age is None:
            a_year_passes()
        options = () if age is None else ("--max-age", age)
        shown = lix("enrich", "in.txt", *STORE, *options, "--dry-run")
        found = lix("enrich", "in.txt", *STORE, *options, "--out", f"{bought}{age}.jsonl")
        assert found.code == 0, found.err
        assert len(sandbox.ledger) == bought
        if bought == 8:
            assert "4 standard credits at most" in shown.out


def test_changes_as_rows(lix: Lix, sandbox: ObservedSandbox) -> None:
    Path("in.txt").write_text("".join(f"{sandbox.world.person(n).sales_link}\n" for n in range(40)))
    assert lix("enrich", "in.txt", *STORE).code == 0
    a_year_passes()
    sandbox.advance(days=365)
    assert lix("enrich", "in.txt", *STORE, "--max-age", "30d").code == 0
    result = lix("ledger", "changes", *STORE, "--since", "30d", rate="")
    assert result.code == 0, result.err
    out = result.out
    rows = [json.loads(line) for line in out.splitlines()]
    kinds = {row["kind"] for row in rows}
    assert {"job_started", "job_ended", "title_changed"} <= kinds
    assert list(rows[0]) == [
        *("kind", "subject", "name", "field", "before", "after"),
        *("at_before", "at_after", "organisation", "key"),
    ]
    assert rows[0]["at_before"].endswith("Z")
    text = lix("ledger", "changes", *STORE, "--format", "csv", rate="").out
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)
    one = rows[0]["subject"]
    found = lix("ledger", "changes", one, *STORE, rate="").out.splitlines()
    assert [json.loads(line)["subject"] for line in found] == [one] * len(found) != []
    table = lix("ledger", "changes", *STORE, "--format", "table", rate="").out
    assert "at_after" in table


def test_no_changes_are_no_rows(lix: Lix) -> None:
    links(2)
    assert lix("enrich", "in.txt", *STORE).code == 0
    assert lix("ledger", "changes", *STORE, rate="").out == ""
    header = lix("ledger", "changes", *STORE, "--format", "csv", rate="").out
    assert header.startswith("kind,subject,name,field,before,after,at_before,at_after")


def test_many_changes_are_written_as_they_are_read(lix: Lix) -> None:
    links(1)
    assert lix("enrich", "in.txt", *STORE).code == 0
    with closing(sqlite3.connect(LEDGER)) as database, database:
        database.executemany(
            "INSERT INTO answer (lookup, n, page, at, http, meaning, body) "
            "VALUES (1, ?, 0, ?, 200, 0, ?)",
            ((n, n, json.dumps({"name": f"Name {n}"}).encode()) for n in range(2, 252)),
        )
    found = lix("ledger", "changes", *STORE, "--format", "csv", rate="").out
    rows = list(csv.DictReader(io.StringIO(found)))
    assert len([row for row in rows if row["kind"] == "name_changed"]) == 250


def test_credits_for_refreshing(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(6)
    assert lix("enrich", "in.txt", *STORE).code == 0
    a_year_passes()
    assert lix("enrich", "in.txt", *STORE, "--refresh", "2", "--out", "o.jsonl").code == 0
    assert len(sandbox.ledger) == 8
    assert len(rows_of(Path("o.jsonl"))) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--max-age", "soon"), "invalid --max-age 'soon': expected a duration"),
        (("--refused-age", "1 day"), "invalid --refused-age '1 day': expected a duration"),
        (("--refresh", "-1"), "--refresh must not be negative"),
        (
            ("--store", "postgresql://db/lix", "--max-age", "1d"),
            "--max-age can be used with a ledger in a file",
        ),
    ],
)
def test_wrong_options(lix: Lix, options: tuple[str, ...], message: str) -> None:
    links(1)
    found = lix("enrich", "in.txt", *options)
    assert (found.code, message in found.err) == (2, True), found.err
