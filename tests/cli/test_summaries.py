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
