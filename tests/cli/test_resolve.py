"""`lix resolve` and `lix ledger conflicts`: what a ledger knows of ids, without any request."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, Process

LEDGER = "l.db"
STORE = ("--store", LEDGER)


def bought(lix: Lix, sandbox: ObservedSandbox) -> tuple[str, str]:
    """The name link and the Sales Navigator link of a person who was bought under the first."""
    person = sandbox.world.person(1)
    Path("in.txt").write_text(f"{person.link}\n")
    assert lix("enrich", "--distinct", "in.txt", *STORE).code == 0
    return person.link, person.sales_link


def test_what_is_known_of_links(lix: Lix, sandbox: ObservedSandbox) -> None:
    name, sales = bought(lix, sandbox)
    found = lix("resolve", sales, "https://www.linkedin.com/in/unknown-person", *STORE, rate="")
    assert found.code == 0, found.err
    known, _, unknown = found.out.partition("https://www.linkedin.com/in/unknown-person: slug ")
    assert known.startswith(f"{sales}: profile ")
    assert name.rsplit("/", 1)[-1] in known
    assert "person.get: done" in known
    assert "unknown: no answer in the ledger shows it" in unknown
    wrong = lix("resolve", "no link at all?", name, *STORE, rate="")
    assert wrong.code == 2
    assert "no id of a person or an organisation" in wrong.out
    assert f"{name}: slug" in wrong.out  # the others are shown all the same
    assert len(sandbox.ledger) == 1


def test_an_old_slug_is_shown_and_not_used(lix: Lix, sandbox: ObservedSandbox) -> None:
    name, _ = bought(lix, sandbox)
    with closing(sqlite3.connect(LEDGER)) as database, database:
        database.execute("UPDATE alias SET seen = seen - 181 * 86400000 WHERE kind = 'slug'")
    found = lix("resolve", name, *STORE, rate="")
    assert "last shown too long ago: not used" in found.out


def test_conflicts_are_listed(
    lix: Lix, sandbox: ObservedSandbox, start: Callable[..., Process]
) -> None:
    _, sales = bought(lix, sandbox)
    # A process of its own: no other command has been imported in it.
    assert start("ledger", "conflicts", *STORE).end().out == "no conflicts\n"
    with closing(sqlite3.connect(LEDGER)) as database, database:
        database.execute("UPDATE subject SET ambiguous = 1")
    found = lix("ledger", "conflicts", *STORE, rate="").out
    assert found.startswith("conflict 1\n  subject ")
    assert "in conflict with another one: not used" in found
    # An id in conflict leads to nothing: the lookup under the other link is bought.
    Path("other.txt").write_text(f"{sales}\n")
    assert lix("enrich", "other.txt", *STORE).code == 0
    assert len(sandbox.ledger) == 2


def test_the_summary_says_what_was_bought_under_another_id(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    _, sales = bought(lix, sandbox)
    Path("other.txt").write_text(f"{sales}\n")
    found = lix("enrich", "other.txt", *STORE)
    assert "1 from the ledger" in found.err
    assert "(1 under another id)" in found.err
    assert len(sandbox.ledger) == 1
