"""What the commands say they have cost, beside what the sandbox has charged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from lix_async.cli.input.table import open_table

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, Result

SEARCH = "https://www.linkedin.com/search/results/people/?keywords=engineer%20total:23"
ENRICHED = ("search", "people", SEARCH, "--enrich")
LEADS = ("leads", "--filter", "title=CTO", "--limit", "30")
RECORD = ("call", "person.get", "--profile-link")
LISTING = ("call", "search.people", "--url", SEARCH)
FORMS = ("csv", "xlsx", "parquet", "jsonl", "table")


def said(done: Result) -> int:
    """The credits that a command says it has spent, in all its notes."""
    lines = [line for line in done.err.splitlines() if " in all" not in line]
    found = re.findall(r"(?:^|, )([\d,]+) credits?\b", "\n".join(lines), re.MULTILINE)
    return sum(int(number.replace(",", "")) for number in found)


def charged(sandbox: ObservedSandbox) -> int:
    return sum(charge.amount for charge in sandbox.ledger.charges)


def rows_in(path: str) -> int:
    if path.endswith(".parquet"):
        return len(duckdb.execute("SELECT * FROM read_parquet(?)", [path]).fetchall())
    return sum(1 for _ in open_table(path).rows())


def check(
    lix: Lix, sandbox: ObservedSandbox, command: Sequence[str], form: str, expected: int
) -> None:
    """Run a command, and compare what it says and writes with what the sandbox has charged."""
    out = () if form == "table" else ("--out", f"out.{form}")
    begun = dict(sandbox.ledger.balances)
    done = lix(*command, *(out or ("--format", "table")))
    assert done.code == 0, done.err
    assert said(done) == charged(sandbox) > 0, done.err
    left = sandbox.ledger.balances
    assert charged(sandbox) == sum(begun.values()) - sum(left.values())
    if form == "table":
        assert done.out.strip()
    else:
        assert rows_in(f"out.{form}") == expected


@pytest.mark.parametrize("form", FORMS)
def test_a_search_that_is_enriched(lix: Lix, sandbox: ObservedSandbox, form: str) -> None:
    if form == "table":
        refused = lix(*ENRICHED, "--format", "table")
        assert (refused.code, charged(sandbox)) == (2, 0)
        assert "--enrich needs an output file" in refused.err
        return
    check(lix, sandbox, ENRICHED, form, 23)
    assert charged(sandbox) == 24  # two of them have no public link


@pytest.mark.parametrize("form", FORMS)
def test_leads_by_filters(lix: Lix, sandbox: ObservedSandbox, form: str) -> None:
    check(lix, sandbox, LEADS, form, 30)
    assert charged(sandbox) == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_listing_of_an_endpoint(lix: Lix, sandbox: ObservedSandbox, form: str) -> None:
    check(lix, sandbox, LISTING, form, 23)
    assert charged(sandbox) == 3


@pytest.mark.parametrize("form", FORMS)
def test_a_record_of_an_endpoint(lix: Lix, sandbox: ObservedSandbox, form: str) -> None:
    command = (*RECORD, f"https://www.linkedin.com/in/{sandbox.world.person(3).slug}")
    if form in ("xlsx", "parquet"):
        refused = lix(*command, "--out", f"out.{form}")
        assert (refused.code, "`lix enrich` can" in refused.err) == (2, True)
        assert (charged(sandbox), Path(f"out.{form}").exists()) == (0, False)
        return
    check(lix, sandbox, command, form, 1)
    assert charged(sandbox) == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["enrich", "waterfall"])
def test_a_file(lix: Lix, sandbox: ObservedSandbox, kind: str, form: str) -> None:
    links = [f"https://www.linkedin.com/in/{sandbox.world.person(n).slug}" for n in range(6)]
    Path("in.csv").write_text("\n".join(["link", *links, "n/a", *links, ""]))
    more = ("--want", "email,headline") if kind == "waterfall" else ("--as", "person")
    check(lix, sandbox, (kind, "in.csv", *more), form, 13)
    before = charged(sandbox)
    again = lix(kind, "in.csv", *more, "--out", "again.csv")
    assert (said(again), charged(sandbox)) == (0, before), again.err
    assert "12 from the ledger" in again.err
