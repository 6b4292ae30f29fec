"""`lix enrich --as website`: the companies of websites and domains."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import psycopg
import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.cli.errors import CommandError
from lix_async.cli.input.table import TableTargets, open_table
from lix_async.cli.input.targets import parse_target, parse_website

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, rows_of

TABLE = """name,website
A,acme.com
B,https://acme.com/about?x=1
C,ACME.COM
D,missing-x.com
E,https://www.linkedin.com/company/acme
F,x@acme.com
G,
H,example.com
I,not a site
"""
STATUSES = [
    *("found", "found", "found", "not_found", "invalid", "invalid", "invalid", "found", "invalid")
]
REASONS = {
    3: "no organisation has this website",
    4: "line 6: a company's link, where a website is needed",
    5: "line 7: an e-mail address, where a website is needed",
    6: "line 8: no website",
    8: "line 10: not a website: 'not a site'",
}


@pytest.fixture(autouse=True)
def _table(lix: Lix) -> None:
    Path("in.csv").write_text(TABLE)


def read_csv(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def enrich(lix: Lix, file: str, *arguments: str) -> tuple[int, str, str]:
    found = lix("enrich", file, "--as", "website", *arguments)
    return found.code, found.out, found.err


# A website


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("acme.com", "acme.com"),
        (" ACME.com. ", "acme.com"),
        ("https://www.acme.com/about?a=b#c", "www.acme.com"),
        ("//acme.co.uk:8080", "acme.co.uk"),
        ("acme.com/go?to=http://other.com", "acme.com"),
        ("http://münchen.de/", "xn--mnchen-3ya.de"),
        ("linkedin.com", "linkedin.com"),
    ],
)
def test_a_website_is_its_host(text: str, host: str) -> None:
    target = parse_website(text)
    assert target is not None
    assert (target.kind, target.key) == ("website", host)
    assert target.sent == target.text == text.strip().rstrip(".")


@pytest.mark.parametrize(
    "text",
    [
        *("", "acme", "e.g", "1.5", "10.0.0.1", "localhost", "a b.com", "see acme.com", "-a.com"),
        *("x@acme.com", "mailto:x@acme.com", "ftp://acme.com", "https://", "a_b.com", "a..com"),
        *("acme.com, other.com", "http://a.com,http://b.com", "https://u:p@acme.com"),
        *("linkedin.com/in/ada", "https://de.linkedin.com/company/x", "https://lnkd.in/abc"),
        *("linkedin.com:443/in/ada", "//linkedin.com/in/ada", "https://linkedin.com/feed/"),
        "https://www.google.com/url?q=https://www.linkedin.com/in/ada",
    ],
)
def test_other_texts_are_none(text: str) -> None:
    assert parse_website(text) is None


@pytest.mark.parametrize("text", ["acme.com", "https://www.acme.com/about"])
def test_a_website_is_never_guessed(text: str) -> None:
    assert parse_target(text) is None


# The column


def column_of(rows: Sequence[str], column: str | None = None) -> TableTargets:
    Path("t.csv").write_text("\n".join([*rows, ""]))
    return TableTargets(open_table("t.csv", websites=True), column, frozenset({"website"}))


def test_the_column_with_the_most_websites_is_taken() -> None:
    few = column_of(["a,website,b", "x.com,y.com,", "x.com,,z.com"])
    assert (few.column, few.also_has) == ("a", ("website", "b"))
    for heading in ("website", "Domain", "Company URL", "Homepage"):
        assert column_of([f"logo,{heading}", "x.com,y.com"]).column == heading
    assert column_of(["logo,website", "x.com,y.com"], "logo").column == "logo"
    with pytest.raises(CommandError, match="has no websites in column 'name'"):
        column_of(["name,website", "x,y.com"], "name")
    with pytest.raises(CommandError, match="has no websites") as caught:
        column_of(["link", "https://www.linkedin.com/in/ada"])
    assert "links of people" in caught.value.hint


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (["x.com,1", "y.com,2"], ["column 1", "column 2"]),
        (["x.com"], ["column 1"]),
        (["company.name,company.website", "X,x.com"], ["company.name", "company.website"]),
        (["org.li,org.domain", "X,x.com"], ["org.li", "org.domain"]),
        (["a,b.com", "x.com"], ["a", "b.com"]),
    ],
)
def test_a_first_row_with_a_website_above_others_is_no_heading(
    rows: list[str], names: list[str]
) -> None:
    assert column_of(rows).table.names == names


def test_other_columns_with_websites_are_named(lix: Lix) -> None:
    Path("t.csv").write_text("logo,home page\nhttps://cdn.x.com/1.png,acme.com\n")
    code, _, said = enrich(lix, "t.csv", "--out", "o.csv")
    assert code == 0, said
    assert "websites are taken from column 'home page'; there are others in 'logo'" in said


# The lookups


def test_every_row_comes_back_with_the_first_match(lix: Lix, sandbox: ObservedSandbox) -> None:
    code, _, said = enrich(lix, "in.csv", "--out", "out.csv")
    assert code == 0, said
    assert "4 found, 4 invalid, 1 not found in out.csv, 3 credits" in said
    rows = read_csv("out.csv")
    assert [row["lix_status"] for row in rows] == STATUSES
    assert {n: row["lix_reason"] for n, row in enumerate(rows) if row["lix_reason"]} == REASONS
    assert [row["lix_matches"] for row in rows] == ["1", "1", "1", "0", "", "", "", "5", ""]
    assert rows[0]["lix_name"] == rows[1]["lix_name"] == rows[2]["lix_name"] == "Acme"
    assert rows[0]["lix_link"] == "https://www.linkedin.com/company/acme"
    assert rows[0]["lix_bought_at"]
    assert rows[3]["lix_bought_at"]
    asked = [one for one in sandbox.requests if one.endpoint == "organisation.by_website"]
    assert len(asked) == len(sandbox.ledger) == 3
    before = Path("out.csv").read_bytes()
    code, _, said = enrich(lix, "in.csv", "--out", "out.csv")
    assert (code, Path("out.csv").read_bytes(), len(sandbox.ledger)) == (0, before, 3)
    assert "5 from the ledger" in said
    done = lix("run", "export", "in.csv.ledger", "--joined", "in.csv", "--out", "j.csv", rate="")
    assert (done.code, Path("j.csv").read_bytes()) == (0, before), done.err
    with Path("in.csv").open("a") as file:
        file.write("J,other.com\n")
    assert enrich(lix, "in.csv", "--out", "out.csv")[0] == 0
    assert ([row["lix_status"] for row in read_csv("out.csv")], len(sandbox.ledger)) == (
        [*STATUSES, "found"],
        4,
    )


def test_json_lines_have_the_whole_answer(lix: Lix) -> None:
    records = [{"org": {"site": row["website"]}} for row in read_csv("in.csv")]
    Path("in.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    assert enrich(lix, "in.jsonl", "--out", "out.jsonl")[0] == 0
    rows = rows_of(Path("out.jsonl"))
    assert [row["lix_status"] for row in rows] == STATUSES
    results = [row["lix_result"] for row in rows]
    assert [result and len(result["organisations"]) for result in results] == [  # type: ignore[index]
        *(1, 1, 1, 0, None, None, None, 5, None)
    ]


def test_workbooks_and_links_behind_their_texts(lix: Lix) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Company", "Website"], ["A", "Acme's site"], ["B", "missing-y.com"], ["C", None]):
        sheet.append(row)
    sheet["B2"].hyperlink = "https://acme.com/home"
    book.save("in.xlsx")
    code, _, said = enrich(lix, "in.xlsx", "--out", "out.xlsx")
    assert code == 0, said
    found = openpyxl.load_workbook("out.xlsx").active
    assert found is not None
    heading, *rows = found.iter_rows(values_only=True)
    status, name = heading.index("lix_status"), heading.index("lix_name")
    assert [row[status] for row in rows] == ["found", "not_found", "invalid"]
    assert [row[name] for row in rows] == ["Acme", None, None]


def test_further_matches_with_all_columns(lix: Lix, sandbox: ObservedSandbox) -> None:
    Path("in.txt").write_text("domain\nexample.com\n")
    assert enrich(lix, "in.txt", "--out", "all.csv", "--columns", "all")[0] == 0
    (row,) = read_csv("all.csv")
    assert len(json.loads(row["lix_organisations"])) == 5
    chosen = "name,matches,organisations.1.name,organisations.4.linkedinUrl"
    assert enrich(lix, "in.txt", "--out", "some.csv", "--columns", chosen)[0] == 0
    (some,) = read_csv("some.csv")
    names = [one["profile"]["name"] for one in json.loads(row["lix_organisations"])]
    assert (some["lix_name"], some["lix_organisations.1.name"]) == (names[0], names[1])
    assert some["lix_organisations.4.linkedinUrl"].startswith("https://www.linkedin.com/company/")
    assert enrich(lix, "in.txt", "--out", "x.csv", "--columns", "nam")[0] == 2
    assert len(sandbox.ledger) == 1


def test_distinct_rows_and_exports_by_status(lix: Lix, sandbox: ObservedSandbox) -> None:
    code, _, said = enrich(lix, "in.csv", "--distinct", "--out", "d.jsonl")
    assert (code, "4 without a usable website" in said) == (0, True), said
    rows = rows_of(Path("d.jsonl"))
    assert [(row["input"], row["kind"], row["status"]) for row in rows] == [
        ("acme.com", "website", "found"),
        ("missing-x.com", "website", "not_found"),
        ("example.com", "website", "found"),
    ]
    code, _, said = enrich(lix, "in.csv", "--distinct", "--out", "d.jsonl")
    assert (code, "3 skipped" in said, len(sandbox.ledger)) == (0, True, 3)
    for status, count in (("found", 2), ("not_found", 1)):
        out = f"{status}.jsonl"
        export = ("run", "export", "in.csv.ledger", "--status", status, "--out", out)
        done = lix(*export, rate="")
        assert done.code == 0, done.err
        assert [row["status"] for row in rows_of(Path(out))] == [status] * count


def test_a_dry_run_shows_org_credits(lix: Lix, sandbox: ObservedSandbox) -> None:
    code, out, said = enrich(lix, "in.csv", "--dry-run")
    assert code == 0, said
    assert "3 distinct in 9 rows, 4 without a usable website" in out
    assert "3 org credits at most" in out
    assert not sandbox.ledger
    assert enrich(lix, "in.csv", "--out", "o.csv", "--limit", "1")[0] == 0
    assert [row["lix_status"] for row in read_csv("o.csv")][2:4] == ["found", "not_asked"]
    assert "1, at no cost" in enrich(lix, "in.csv", "--dry-run")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as", "person"), "--as website stands alone"),
        (("--handles",), "--handles is for links"),
        (("--column", "name"), "has no websites in column 'name'"),
    ],
)
def test_what_does_not_go_with_websites(
    lix: Lix, sandbox: ObservedSandbox, arguments: tuple[str, ...], message: str
) -> None:
    code, _, said = enrich(lix, "in.csv", *arguments)
    assert (code, message in said) == (2, True), said
    assert not sandbox.requests


def test_links_and_websites_are_in_different_outputs(lix: Lix, sandbox: ObservedSandbox) -> None:
    assert enrich(lix, "in.csv", "--out", "o.csv")[0] == 0
    before = Path("o.csv").read_bytes()
    other = lix("enrich", "in.csv", "--out", "o.csv", "--as", "org")
    assert (other.code, "websites: links are another column" in other.err) == (2, True), other.err
    assert (Path("o.csv").read_bytes(), len(sandbox.ledger)) == (before, 3)
    assert lix("enrich", "in.csv", "--out", "p.csv", "--as", "org").code == 0
    code, _, said = enrich(lix, "in.csv", "--out", "p.csv")
    assert (code, "links: websites are another column" in said) == (2, True), said


def test_the_columns_are_listed(lix: Lix) -> None:
    rows = lix("columns", "website", "--basic", rate="").rows
    org = lix("columns", "org", "--basic", rate="").rows
    assert [row["column"] for row in rows] == [*(row["column"] for row in org), "matches"]
    assert "(organisations.0.name)" in str(rows[0]["description"])
    assert all(row["description"] for row in rows)


# A queue


def test_websites_are_queued(lix: Lix, request: pytest.FixtureRequest) -> None:
    dsn: str = request.getfixturevalue("postgres_dsn")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lix_async CASCADE")
    command = ("enrich", "in.csv", "--as", "website", "--store", dsn, "--yes")
    done = lix(*command, rate="")
    assert (done.code, "3 websites queued in 1 chunk" in done.err) == (0, True), done.err
