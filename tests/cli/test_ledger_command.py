"""`lix ledger …`: what a ledger holds, whether it agrees, packing, migrating, merging."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from .conftest import Lix
from .test_enrich_ledger import links


def filled(lix: Lix, count: int = 4) -> None:
    links(count)
    assert lix("enrich", "--distinct", "in.txt", "--store", "l.db", "--out", "a.jsonl").code == 0


def ledger(lix: Lix, *arguments: str) -> tuple[int, str, str]:
    found = lix("ledger", *arguments, "--store", "l.db", rate="")
    return found.code, found.out, found.err


def test_size_and_list(lix: Lix) -> None:
    filled(lix)
    code, out, _ = ledger(lix, "size", "--format", "jsonl")
    size = json.loads(out)
    assert (code, size["lookups"], size["credits"]) == (0, 4, 4)
    assert {kind: one["rows"] for kind, one in size["kinds"].items()}["answers"] == 4
    assert size["bytes"] >= size["kinds"]["answers"]["bytes"] > 0
    code, out, _ = ledger(lix, "list", "--format", "jsonl")
    (run,) = map(json.loads, out.splitlines())
    assert (code, run["inputs"], run["credits"], run["maybe"]) == (0, 4, 4, 0)
    assert run["name"].startswith(str(Path("in.txt").resolve()))
    for command in ("size", "list"):
        assert "in.txt" in ledger(lix, command, "--format", "table")[1] or command == "size"


def test_packing_loses_nothing(lix: Lix) -> None:
    filled(lix)
    with closing(sqlite3.connect("l.db")) as connection:
        long = "x" * 5000
        connection.execute(
            "UPDATE answer SET body = CAST(json_set(CAST(body AS TEXT), '$.description', ?) AS BLOB)",
            (long,),
        )
        connection.commit()
    before = lix("run", "export", "l.db", rate="").out
    code, _, err = ledger(lix, "compact")
    assert (code, "4 answers packed" in err) == (0, True)
    assert lix("run", "export", "l.db", rate="").out == before
    assert "0 answers packed" in ledger(lix, "compact")[2]
    assert ledger(lix, "verify")[0] == 0
    assert lix("enrich", "--distinct", "in.txt", "--store", "l.db", "--out", "b.jsonl").code == 0
    assert long in Path("b.jsonl").read_text()


def test_slugs_are_believed_for_as_long_as_is_said(lix: Lix) -> None:
    filled(lix)
    assert ledger(lix, "slug-age", "90d")[0] == 0
    with closing(sqlite3.connect("l.db")) as connection:
        ((age,),) = connection.execute("SELECT value FROM about WHERE name = 'slug_age'")
    assert age == str(90 * 86_400_000)
    code, _, err = ledger(lix, "slug-age", "soon")
    assert (code, "expected a duration" in err) == (2, True)


def test_what_does_not_agree_is_named(lix: Lix) -> None:
    filled(lix)
    code, out, err = ledger(lix, "verify")
    assert (code, out) == (0, "")
    assert "everything agrees" in err
    with closing(sqlite3.connect("l.db")) as connection:
        connection.execute("DELETE FROM answer WHERE lookup = 2")
        connection.execute("DELETE FROM attempt WHERE lookup = 3")
        connection.execute("UPDATE run SET cap = 9")
        connection.execute("UPDATE answer SET codec = 1 WHERE lookup = 4")
        connection.commit()
    code, out, err = ledger(lix, "verify")
    assert code == 1
    assert "lookup 2: it is done, without a usable answer" in out
    assert "lookup 3: its attempts are not numbered" in out
    assert "lookup 3: an answer has no attempt" in out
    assert "run 1: its totals are" in out
    assert "lookup 4: an answer cannot be unpacked" in out
    assert f"l.db: {len(out.splitlines())} problems" in err


def test_migrating_says_where_the_copy_is(lix: Lix) -> None:
    filled(lix)
    assert "is of version" in ledger(lix, "migrate")[2]
    with closing(sqlite3.connect("l.db")) as connection:
        connection.execute("DROP INDEX answer_subject")
        connection.execute("ALTER TABLE answer DROP COLUMN subject")
        connection.execute("UPDATE about SET value = '3' WHERE name = 'version'")
        connection.commit()
    code, _, err = ledger(lix, "migrate")
    (copy,) = Path().glob("l.db.v3-*")
    assert (code, f"as it was before: {copy.absolute()}" in err) == (0, True)
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT value FROM about WHERE name = 'version'").fetchone()
    assert found == ("3",)


def test_another_ledger_is_taken_in(lix: Lix) -> None:
    filled(lix)
    links(6, "other.txt")
    assert lix("enrich", "other.txt", "--store", "other.db", "--out", "o.jsonl").code == 0
    code, _, err = ledger(lix, "merge", "other.db")
    assert (code, "2 lookups, 6 answers and 6 credits taken into l.db" in err) == (0, True)
    assert "0 lookups, 0 answers and 0 credits" in ledger(lix, "merge", "other.db")[2]
    assert ledger(lix, "verify")[0] == 0
    assert ledger(lix, "merge", "missing.db")[0] == 2
    assert "into itself" in ledger(lix, "merge", "l.db")[2]


def test_forgetting_asks_or_needs_a_yes(lix: Lix) -> None:
    filled(lix)
    (link, *_) = Path("in.txt").read_text().split()
    code, _, err = ledger(lix, "forget", link)
    assert (code, "--yes" in err) == (2, True)
    assert json.loads(ledger(lix, "size", "--format", "jsonl")[1])["lookups"] == 4
    assert ledger(lix, "forget", "--yes")[0] == 2
    assert ledger(lix, "forget", "https://example.com/", "--yes")[0] == 2
    assert lix("run", "export", "l.db", "--out", "all.jsonl", rate="").code == 0
    code, out, err = ledger(lix, "forget", link, "--yes")
    assert code == 0, err
    assert str(Path("all.jsonl").resolve()) in out
    assert "1 lookup and 1 answer erased" in err
    assert "0 hits" in err
    name = link.rstrip("/").rsplit("/", 1)[-1].encode()
    assert [one for one in Path().glob("l.db*") if name in one.read_bytes()] == []
    assert ledger(lix, "verify")[0] == 0
    found = lix("enrich", "--distinct", "in.txt", "--store", "l.db", "--out", "b.jsonl")
    assert found.code == 0
    rows = [json.loads(line) for line in Path("b.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows if row["input"] == link] == ["suppressed"]
    assert json.loads(ledger(lix, "size", "--format", "jsonl")[1])["credits"] == 4


def test_purging_by_age(lix: Lix) -> None:
    filled(lix)
    code, _, err = ledger(lix, "purge", "--older-than", "2y")
    assert (code, "0 answers and 0 lookups deleted" in err) == (0, True)
    with closing(sqlite3.connect("l.db")) as connection:
        connection.execute("UPDATE answer SET at = 1 WHERE lookup = 2")
        connection.commit()
    assert "1 answer and 1 lookup deleted" in ledger(lix, "purge", "--older-than", "2y")[2]
    assert ledger(lix, "verify")[0] == 0
    size = json.loads(ledger(lix, "size", "--format", "jsonl")[1])
    assert (size["lookups"], size["credits"]) == (3, 4)
    assert ledger(lix, "purge", "--older-than", "old")[0] == 2
