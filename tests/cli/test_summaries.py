"""Summaries say where each answer came from, and their numbers agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lix_async.cli.commands import enrich_inputs

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import ObservedSandbox

STORE = ("--store", "all.db")


def write(name: str, *people: int) -> None:
    """A file of people."""
    Path(name).write_text("link\n" + "".join(f"{L}/example-{n}\n" for n in people))


@pytest.mark.parametrize("chunk", [2, 16])
@pytest.mark.parametrize("concurrency", ["1", "4"])
def test_a_duplicate_that_was_bought_in_this_run_is_not_from_the_ledger(
    lix: Lix,
    sandbox: ObservedSandbox,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    concurrency: str,
) -> None:
    monkeypatch.setattr(enrich_inputs, "FIRST", chunk)
    monkeypatch.setattr(enrich_inputs, "MOST", chunk)
    more = (*STORE, "--concurrency", concurrency)
    write("first.csv", 1, 2, 3)
    done = lix("enrich", "first.csv", "--out", "first-out.csv", *more)
    assert "3 found in first-out.csv, 3 credits\n" in done.err
    write("second.csv", 1, 4, 4, 5, 5, 1, 4, 6, 2)
    done = lix("enrich", "second.csv", "--out", "second-out.csv", *more)
    assert re.search(
        r"9 found in second-out.csv, 3 credits, 3 looked up, 3 from the ledger, "
        r"bought on \S+, 3 duplicates\n",
        done.err,
    ), done.err
    again = lix("enrich", "second.csv", "--out", "second-out.csv", *more)
    assert "9 found in second-out.csv, 0 credits, 9 from the ledger\n" in again.err
    both = lix(
        "enrich", "second.csv", "--as", "person", "--as", "email", "--out", "both.csv", *more
    )
    assert "9 found; email: " in both.err, both.err
    numbers = re.search(r"(\d+) looked up, (\d+) from the ledger, .*, (\d+) duplicates", both.err)
    assert numbers is not None, both.err
    assert [int(n) for n in numbers.groups()] == [5, 9, 4], both.err


def test_one_row_for_each_link_has_duplicates_under_other_ids_only(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    write("in.csv", 1, 2, 2)
    done = lix("enrich", "in.csv", "--distinct", "--out", "out.csv", *STORE)
    assert "2 found in out.csv, 2 credits\n" in done.err, done.err
    done = lix("enrich", "in.csv", "--distinct", "--out", "other.csv", *STORE)
    assert "2 found in other.csv, 0 credits, 2 from the ledger, bought on" in done.err


@pytest.mark.parametrize("concurrency", ["1", "4"])
def test_the_waterfall_counts_duplicates_and_their_fields_once(
    lix: Lix, sandbox: ObservedSandbox, concurrency: str
) -> None:
    arguments = ("--want", "headline", "--concurrency", concurrency, *STORE)
    write("first.csv", 1, 2, 3)
    done = lix("waterfall", "first.csv", "--out", "first-out.csv", *arguments)
    fields = re.search(
        r"3 filled in first-out.csv, 3 credits, lix.person: asked 3, (\d+) fields\n", done.err
    )
    assert fields is not None, done.err
    write("second.csv", 1, 4, 4, 5, 5, 1, 4, 6, 2)
    done = lix("waterfall", "second.csv", "--out", "second-out.csv", *arguments)
    found = re.search(
        r"9 filled in second-out.csv, 3 credits, lix.person: asked 3, (\d+) fields, "
        r"3 looked up, 3 from the ledger, 3 duplicates\n",
        done.err,
    )
    assert found is not None, done.err
    assert int(found[1]) < 30
    again = lix("waterfall", "second.csv", "--out", "second-out.csv", *arguments)
    assert "9 filled in second-out.csv, 0 credits, 9 from the ledger\n" in again.err
    distinct = lix("waterfall", "second.csv", "--distinct", "--out", "d.csv", *arguments)
    assert "5 filled in d.csv, 0 credits\n" in distinct.err


def test_people_without_an_address_are_counted_once_too(lix: Lix, sandbox: ObservedSandbox) -> None:
    arguments = ("--want", "email", *STORE)
    write("in.csv", *range(1, 13), *range(1, 13))
    done = lix("waterfall", "in.csv", "--out", "out.csv", *arguments)
    assert "12 looked up, 12 duplicates\n" in done.err, done.err
    done = lix("waterfall", "in.csv", "--out", "other.csv", *arguments)
    assert "0 credits, 24 from the ledger\n" in done.err, done.err


@pytest.mark.parametrize("kind", ["enrich", "waterfall", "distinct"])
def test_a_person_under_another_id_is_a_duplicate(
    lix: Lix, sandbox: ObservedSandbox, kind: str
) -> None:
    person = sandbox.world.person(3)
    sales = person.sales_link
    Path("in.csv").write_text(f"link\nhttps://www.linkedin.com/in/{person.slug}\n{sales}\n")
    more = {"enrich": (), "waterfall": ("--want", "headline"), "distinct": ("--distinct",)}[kind]
    command = "waterfall" if kind == "waterfall" else "enrich"
    arguments = (command, "in.csv", *more, "--concurrency", "1", *STORE)
    done = lix(*arguments, "--out", "out.csv")
    assert ", 1 credit, " in done.err
    assert "1 looked up, 1 duplicate\n" in done.err, done.err
    assert "2 from the ledger" in lix(*arguments, "--out", "other.csv").err
