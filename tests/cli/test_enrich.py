"""`lix enrich`: one row for each distinct link, and a second run looks up the rest only."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from lix_async.sandbox import running

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, rows_of

L = "https://www.linkedin.com/in"
TABLE = f"""company,profile,mail
A,{L}/ada-example,x@example.com
B,https://uk.linkedin.com/in/Ada-Example/?trk=1,
C,{L}/missing-person,y@example.com
D,,
E,{L}/bob-example,
"""


@pytest.fixture(autouse=True)
def _table(lix: Lix) -> None:
    Path("in.csv").write_text(TABLE)


def lookups(sandbox: ObservedSandbox) -> int:
    """The number of lookups, without requests for the balances."""
    return sum(not (one.endpoint or "").startswith("account.") for one in sandbox.requests)


def statuses(rows: list[dict[str, object]]) -> dict[object, object]:
    return {row["input"]: row["status"] for row in rows}


EXPECTED = {
    f"{L}/ada-example": "found",
    f"{L}/missing-person": "not_found",
    f"{L}/bob-example": "found",
}


def test_one_row_for_each_distinct_link_including_refused_ones(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    found = lix("enrich", "--distinct", "in.csv")
    assert found.code == 0
    assert statuses(found.rows) == EXPECTED
    ada = next(row for row in found.rows if row["input"] == f"{L}/ada-example")
    assert ada["result"]["link"] == f"{L}/ada-example"  # type: ignore[index]
    assert lookups(sandbox) == 3
    assert "2 found" in found.err
    assert "1 without a usable link" in found.err


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_second_run_looks_up_only_links_without_a_row(
    lix: Lix, sandbox: ObservedSandbox, form: str
) -> None:
    out = f"out.{form}"
    assert lix("enrich", "--distinct", "in.csv", "--out", out).code == 0
    before = Path(out).read_bytes()
    assert Path(out).stat().st_mode & 0o777 == 0o600
    assert lix("enrich", "--distinct", "in.csv", "--out", out).code == 0
    assert (Path(out).read_bytes(), lookups(sandbox)) == (before, 3)
    Path("in.csv").write_text(f"{TABLE}F,{L}/carl-example,\n")
    with Path(out).open("ab") as file:
        file.write(b'{"input":"torn' if form == "jsonl" else b'https://x,person,"torn')
    found = lix("enrich", "--distinct", "in.csv", "--out", out)
    assert (found.code, lookups(sandbox)) == (0, 4)
    assert "3 skipped (already in the output)" in found.err
    after = Path(out).read_bytes()
    assert after.startswith(before)
    rows = (
        list(csv.DictReader(io.StringIO(after.decode()))) if form == "csv" else rows_of(Path(out))
    )
    assert statuses(rows) == {**EXPECTED, f"{L}/carl-example": "found"}  # type: ignore[arg-type]


def test_the_email_of_profiles_and_companies(lix: Lix) -> None:
    found = lix("enrich", "--distinct", "in.csv", "--as", "email")
    assert {row["kind"] for row in found.rows} == {"email"}
    assert lix("enrich", "--distinct", "in.csv", "--as", "org").code == 2
    Path("orgs.txt").write_text("https://www.linkedin.com/company/acme\n")
    (org,) = lix("enrich", "--distinct", "orgs.txt").rows
    assert (org["kind"], org["result"]["liOrganisation"]["name"]) == ("org", "Acme")  # type: ignore[index]


def test_people_by_e_mail_address_and_a_given_column(lix: Lix) -> None:
    found = lix("enrich", "--distinct", "in.csv", "--column", "mail")
    assert statuses(found.rows) == {"x@example.com": "found", "y@example.com": "found"}
    assert lix("enrich", "--distinct", "in.csv", "--column", "web").code == 2


def test_people_and_companies_share_a_table(lix: Lix) -> None:
    Path("mixed.txt").write_text(f"{L}/ada\nhttps://www.linkedin.com/company/acme\n")
    rows = list(
        csv.DictReader(lix("enrich", "--distinct", "mixed.txt", "--format", "csv").out.splitlines())
    )
    assert {row["kind"] for row in rows} == {"person", "org"}
    names = {row["result.name"] or row["result.liOrganisation.name"] for row in rows}
    assert "Acme" in names


def test_input_from_stdin_and_from_a_search(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://www.linkedin.com/search/results/people/?keywords=total:5"
    search = lix("search", "people", url)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(search.out.encode())))
    found = lix("enrich", "--distinct", "-")
    linked = {row["link"] for row in search.rows if row.get("link")}
    assert set(statuses(found.rows)) == linked
    assert lix("enrich", "--distinct", "-", "--api-key-stdin").code == 2


def use_sandbox(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LIX_BASE_URL", url)


def test_out_of_credits_parks_the_run(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = ObservedSandbox(credits={"standard": 4})
    Path("in.txt").write_text("".join(f"{L}/person-{n}\n" for n in range(40)))
    with running(sandbox) as url:
        use_sandbox(monkeypatch, url)
        found = lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl")
        assert found.code == 4
        assert len(sandbox.requests) <= 4 + 16, "no lookups after a 402"
        assert "run the same command to continue" in found.err
        assert "4 found in out.jsonl, 4 credits" in found.err
        assert len(rows_of(Path("out.jsonl"))) == 4
        sandbox.ledger.balances["standard"] = 100
        assert lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl").code == 0
    rows = rows_of(Path("out.jsonl"))
    assert (len(rows), len(statuses(rows)), len(sandbox.ledger)) == (40, 40, 40)
    assert not sandbox.ledger.repeats()


def test_a_link_without_an_answer_has_no_row_and_is_looked_up_again(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("in.txt").write_text(f"{L}/only-one\n")
    with running(ObservedSandbox(faults={"person.get": ["unavailable;retry-after=500"]})) as url:
        use_sandbox(monkeypatch, url)
        found = lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl")
        assert (found.code, Path("out.jsonl").exists()) == (6, False)
        assert "1 link got no answer" in found.err
        assert lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl").code == 0
    assert len(rows_of(Path("out.jsonl"))) == 1


def test_an_outage_is_waited_for(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lix_async.engine.circuit_breaker.FIRST_PAUSE", 0.01)
    Path("in.txt").write_text("".join(f"{L}/person-{n}\n" for n in range(20)))
    sandbox = ObservedSandbox(faults={"person.get": ["unavailable"] * 12})
    with running(sandbox) as url:
        use_sandbox(monkeypatch, url)
        found = lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl")
    assert found.code == 0, found.err
    assert len(rows_of(Path("out.jsonl"))) == 20


def test_an_answer_that_is_not_json_is_in_doubt(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in.txt").write_text(f"{L}/odd-one\n{L}/even-one\n")
    with running(ObservedSandbox(faults={"person.get": ["html200", "empty200"]})) as url:
        use_sandbox(monkeypatch, url)
        rows = lix("enrich", "--distinct", "in.txt").rows
        # An answer that is not JSON may be looked up again, if requested.
        assert [row["status"] for row in rows] == ["in_doubt", "in_doubt"]
        assert all(row["error"] for row in rows)
        again = lix("enrich", "--distinct", "in.txt", "--doubts", "retry").rows
    assert [row["status"] for row in again] == ["found", "found"]


def test_a_charged_answer_that_cannot_be_read_is_not_bought_again_unasked(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("in.txt").write_text(f"{L}/odd-one\n")
    with running(ObservedSandbox(faults={"person.get": ["broken_json"]})) as url:
        use_sandbox(monkeypatch, url)
        first = lix("enrich", "--distinct", "in.txt")
        assert "1 unreadable, 1 credit" in first.err
        (row,) = first.rows
        assert (row["status"], row["result"]) == ("unreadable", None)
        second = lix("enrich", "--distinct", "in.txt", "--doubts", "retry")
        assert (second.rows, "0 credits" in second.err) == ([row], True)
        assert lix("run", "export", "in.txt.ledger", rate="").rows == [row]
        assert lix("run", "again", "in.txt.ledger", "--input", f"{L}/odd-one", rate="").code == 0
        third = lix("enrich", "--distinct", "in.txt")
    assert ([one["status"] for one in third.rows], "1 credit" in third.err) == (["found"], True)


def test_another_file_as_output_and_other_columns_are_rejected(lix: Lix) -> None:
    assert lix("enrich", "--distinct", "in.csv", "--out", "in.csv").code == 2
    assert Path("in.csv").read_text() == TABLE
    lix("enrich", "--distinct", "in.csv", "--out", "out.csv")
    other = lix("enrich", "--distinct", "in.csv", "--out", "out.csv", "--columns", "input,status")
    assert (other.code, "other columns" in other.err) == (2, True)


def test_a_second_run_keeps_the_columns_of_the_first(lix: Lix) -> None:
    lix("enrich", "--distinct", "in.csv", "--out", "out.csv", "--columns", "result.name")
    Path("in.csv").write_text(f"link\n{L}/new-one\n")
    assert lix("enrich", "--distinct", "in.csv", "--out", "out.csv").code == 0
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0] == "input,status,result.name"
    assert {len(next(csv.reader([line]))) for line in lines} == {3}


def test_rows_are_complete_json_and_a_table_is_printed(lix: Lix) -> None:
    for line in lix("enrich", "--distinct", "in.csv").out.splitlines():
        names = ["input", "kind", "status", "error", "bought_at", "result"]
        assert list(json.loads(line)) == names
    assert "not_found" in lix("enrich", "--distinct", "in.csv", "--format", "table").out


def test_the_next_run_reads_large_cells_of_the_output(lix: Lix) -> None:
    Path("in.txt").write_text(f"{L}/ada\n{L}/bob\n")
    Path("o.csv").write_text(
        f'input,kind,status,error,other\n{L}/ada,person,found,,"{"x" * 200_000}"\n'
    )
    found = lix("enrich", "--distinct", "in.txt", "--out", "o.csv")
    assert (found.code, "1 skipped (already in the output)" in found.err) == (0, True), found.err


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_unclosed_quote_in_a_csv_is_reported_with_its_line(
    lix: Lix, sandbox: ObservedSandbox, more: tuple[str]
) -> None:
    Path("in.csv").write_text(f'link,notes\n{L}/a,"open\n{L}/b,x\n')
    found = lix("enrich", "--distinct", "in.csv", *more)
    assert (found.code, "in.csv, line 2: a quote" in found.err) == (2, True), found.err
    assert not sandbox.requests
