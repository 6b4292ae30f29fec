"""`--max-age` and `--refresh` of `lix enrich`, and `lix ledger changes`."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
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
        shown = lix("enrich", "--distinct", "in.txt", *STORE, *options, "--dry-run")
        found = lix(
            "enrich", "--distinct", "in.txt", *STORE, *options, "--out", f"{bought}{age}.jsonl"
        )
        assert found.code == 0, found.err
        assert len(sandbox.ledger) == bought
        if bought == 8:
            assert "4 standard credits at most" in shown.out


def test_changes_as_rows(lix: Lix, sandbox: ObservedSandbox) -> None:
    Path("in.txt").write_text("".join(f"{sandbox.world.person(n).sales_link}\n" for n in range(40)))
    assert lix("enrich", "--distinct", "in.txt", *STORE).code == 0
    a_year_passes()
    sandbox.advance(days=365)
    assert lix("enrich", "--distinct", "in.txt", *STORE, "--max-age", "30d").code == 0
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
    assert lix("enrich", "--distinct", "in.txt", *STORE).code == 0
    assert lix("ledger", "changes", *STORE, rate="").out == ""
    header = lix("ledger", "changes", *STORE, "--format", "csv", rate="").out
    assert header.startswith("kind,subject,name,field,before,after,at_before,at_after")


def test_many_changes_are_written_as_they_are_read(lix: Lix) -> None:
    links(1)
    assert lix("enrich", "--distinct", "in.txt", *STORE).code == 0
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
    assert lix("enrich", "--distinct", "in.txt", *STORE).code == 0
    a_year_passes()
    assert (
        lix("enrich", "--distinct", "in.txt", *STORE, "--refresh", "2", "--out", "o.jsonl").code
        == 0
    )
    assert len(sandbox.ledger) == 8
    assert len(rows_of(Path("o.jsonl"))) == 6


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv"])
def test_what_is_bought_again_takes_the_place_of_its_row(
    lix: Lix, sandbox: ObservedSandbox, name: str
) -> None:
    out = ("--out", name)

    def rows() -> list[dict[str, object]]:
        text = Path(name).read_text()
        if name.endswith(".csv"):
            return list(csv.DictReader(io.StringIO(text)))
        return [json.loads(line) for line in text.splitlines()]

    links(6)
    assert lix("enrich", "--distinct", "in.txt", *STORE, *out).code == 0
    a_year_passes()
    text = Path(name).read_text()
    for moment in set(re.findall(r"[0-9-]{10}T[0-9:]{8}Z", text)):
        earlier = datetime.fromisoformat(moment) - timedelta(days=365)
        text = text.replace(moment, earlier.strftime("%Y-%m-%dT%H:%M:%SZ"))
    Path(name).write_text(text)
    before = rows()
    sandbox.advance(days=365)
    found = lix("enrich", "--distinct", "in.txt", *STORE, *out, "--refresh", "2")
    assert "2 found" in found.err
    assert "4 skipped" in found.err
    assert len(sandbox.ledger) == 8
    changed = [old != new for old, new in zip(before, rows(), strict=True)]
    assert sum(changed) == 2
    assert [row["input"] for row in rows()] == [row["input"] for row in before]
    # Another file's run buys the others; this one gets them for nothing.
    assert (
        lix(
            "enrich", "--distinct", "in.txt", *STORE, "--out", "else.jsonl", "--max-age", "90d"
        ).code
        == 0
    )
    assert len(sandbox.ledger) == 12
    newer = lix("enrich", "--distinct", "in.txt", *STORE, *out, "--max-age", "90d")
    assert (newer.code, len(sandbox.ledger)) == (0, 12), newer.err
    assert all(old != new for old, new in zip(before, rows(), strict=True))
    assert (
        "6 skipped" in lix("enrich", "--distinct", "in.txt", *STORE, *out, "--max-age", "90d").err
    )


def test_a_file_that_was_left_with_older_rows_is_put_right(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    links(3)
    out = ("--out", "o.jsonl")
    assert lix("enrich", "--distinct", "in.txt", *STORE, *out).code == 0
    lines = Path("o.jsonl").read_bytes().splitlines(keepends=True)
    newer = lines[1].replace(b'"error":null', b'"error":"newer"')
    Path("o.jsonl").write_bytes(b"".join([*lines, newer]))
    assert lix("enrich", "--distinct", "in.txt", *STORE, *out).code == 0
    assert Path("o.jsonl").read_bytes() == b"".join([lines[0], newer, lines[2]])


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
    found = lix("enrich", "--distinct", "in.txt", *options)
    assert (found.code, message in found.err) == (2, True), found.err
