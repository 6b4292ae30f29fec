"""Rows whose answers the ledger has from other runs: found and priced in one pass of the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from lix_async.cli.commands import enrich_inputs
from lix_async.cli.commands.waterfall_rows import FoundAnswers, KnownAnswers
from lix_async.cli.input.csv_table import CsvTable
from lix_async.cli.input.table_row import TableRow
from lix_async.cli.output.joined_row import JoinedAnswer
from lix_async.ledger.tables import SqlTables
from lix_async.waterfall import Profile, Target

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import ObservedSandbox

STORE = ("--store", "all.db")


def write(name: str, people: range) -> Path:
    """A file of people, with a row without a link and one link twice."""
    links = [f"{L}/example-{n}" for n in people]
    rows = [*links[:2], "", *links[2:], links[0]]
    path = Path(name)
    path.write_text("n,link\n" + "".join(f"{n},{link}\n" for n, link in enumerate(rows)))
    return path


def statuses(path: str) -> list[str]:
    with Path(path).open(newline="") as file:
        return [row["lix_status"] for row in csv.DictReader(file)]


def without_number(path: str) -> list[list[str]]:
    with Path(path).open(newline="") as file:
        return [row[1:] for row in csv.reader(file)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read to their end, once for each time."""
    found: list[str] = []
    rows = CsvTable.rows

    def counted(self: CsvTable) -> Iterator[TableRow]:
        yield from rows(self)
        found.append(self.path)

    monkeypatch.setattr(CsvTable, "rows", counted)
    return found


def test_the_price_of_known_answers_takes_no_pass_of_its_own(
    lix: Lix, sandbox: ObservedSandbox, reads: list[str]
) -> None:
    write("one.csv", range(1, 6))
    write("two.csv", range(1, 6)).write_text(Path("one.csv").read_text() + ",\n")
    assert lix("enrich", "one.csv", "--out", "one-out.csv", *STORE).code == 0
    asked = len(sandbox.requests)
    reads.clear()
    found = lix("enrich", "two.csv", "--out", "two-out.csv", *STORE)
    assert (found.code, "6 from the ledger, bought on" in found.err) == (0, True), found.err
    assert len(sandbox.requests) == asked
    priced = len(reads)
    reads.clear()
    assert lix("enrich", "two.csv", "--out", "three-out.csv", "--yes", *STORE).code == 0
    assert priced == len(reads), "the price takes no pass of its own"
    first = without_number("one-out.csv")
    assert without_number("two-out.csv")[: len(first)] == first


@pytest.mark.parametrize("limit", [None, 7])
def test_inputs_that_were_counted_are_asked_once(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    monkeypatch.setattr(enrich_inputs, "FIRST", 2)
    monkeypatch.setattr(enrich_inputs, "MOST_HELD", 3)
    monkeypatch.setattr(enrich_inputs, "MOST", 4)
    write("some.csv", range(3, 5))
    assert lix("enrich", "some.csv", "--out", "some-out.csv", *STORE).code == 0
    before = len(sandbox.ledger)
    write("in.csv", range(1, 13))
    arguments = ["enrich", "in.csv", "--out", "out.csv", *STORE]
    if limit is not None:
        arguments += ["--limit", str(limit)]
    new = (limit or 12) - 2
    refused = lix(*arguments, "--confirm-above", str(new - 1))
    assert "this costs more than" in refused.err
    assert len(sandbox.ledger) == before
    done = lix(*arguments, "--confirm-above", str(new))
    assert (done.code, len(sandbox.ledger) - before) == (0, new), done.err
    expected = ["found"] * 2 + ["invalid"] + ["found"] * 11
    if limit is not None:
        expected = [*expected[: limit + 1], *["not_asked"] * (12 - limit), "found"]
    assert statuses("out.csv") == expected


def test_a_run_that_was_not_confirmed_has_not_bought_the_rows_of_an_output(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    write("in.csv", range(1, 6))
    for command in ("enrich", "waterfall"):
        out = f"{command}.csv"
        want = ("--want", "headline") if command == "waterfall" else ()
        assert lix(command, "in.csv", "--out", out, *want, *STORE).code == 0
        other = (command, "in.csv", *want, "--store", "other.db")
        assert "needs --yes" in lix(*other, "--out", "new.csv", "--confirm-above", "0").err
        refused = lix(*other, "--out", out, "--yes")
        assert (refused.code, "would be paid for again" in refused.err) == (2, True), refused.err


@pytest.mark.parametrize("forgotten", [False, True])
def test_the_waterfall_finds_a_known_row_once(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch, *, forgotten: bool
) -> None:
    write("in.csv", range(1, 6))
    arguments = ("waterfall", "in.csv", "--want", "headline", *STORE)
    assert lix(*arguments, "--out", "out.csv").code == 0
    asked, searched = len(sandbox.requests), list[str]()
    result = KnownAnswers.result

    async def noted(self: KnownAnswers, target: Target) -> Profile:
        searched.append(target.text)
        return await result(self, target)

    monkeypatch.setattr(KnownAnswers, "result", noted)
    if forgotten:  # somebody else, while the command works
        numbers = iter(range(9))
        monkeypatch.setattr(SqlTables, "count_suppressed", lambda tables: next(numbers))
    found = lix(*arguments, "--out", "again.csv")
    assert (found.code, "6 from the ledger" in found.err) == (0, True), found.err
    assert len(searched) == (12 if forgotten else 6)
    assert len(sandbox.requests) == asked
    assert Path("again.csv").read_bytes() == Path("out.csv").read_bytes()


def test_answers_are_kept_for_the_first_rows_without_a_gap() -> None:
    answers = FoundAnswers()
    assert list(answers.read()) == []
    answer = JoinedAnswer("filled", "", "2026-01-01T00:00:00Z", ["a", None, 3])
    for position, one in ((1, answer), (2, None), (2, answer), (4, answer), (3, answer)):
        answers.add(position, one)
    assert list(answers.read()) == [answer, None, answer]
