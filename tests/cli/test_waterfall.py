"""`lix waterfall`: several providers for each link of a file."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from lix_async.cli.commands.waterfall import WaterfallClients
from lix_async.cli.options import ConnectionOptions
from lix_async.cli.runtime.activity import ActivityMonitor
from lix_async.core.errors import TransportError
from lix_async.sandbox import running
from lix_async.waterfall import Target

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, rows_of

OTHERS = ("LOOKC_API_KEY", "CONNECTSAFELY_API_KEY", "LETRICS_API_KEY", "MEETALFRED_API_KEY")


@pytest.fixture(autouse=True)
def _no_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)


def links(sandbox: ObservedSandbox, count: int) -> Path:
    """A file with the links of people of the sandbox."""
    found = [f"https://www.linkedin.com/in/{sandbox.world.person(n).slug}" for n in range(count)]
    path = Path("people.txt")
    path.write_text("\n".join(found))
    return path


def table(sandbox: ObservedSandbox, count: int) -> Path:
    """A table with the links of people, one of them twice, and a row without a link."""
    found = [f"https://www.linkedin.com/in/{sandbox.world.person(n).slug}" for n in range(count)]
    rows = [f"person {n};{link}" for n, link in enumerate(found)]
    path = Path("people.csv")
    path.write_text("\n".join(["Name;Profile", *rows, "nowhere;n/a", f"again;{found[0]}/", ""]))
    return path


def csv_rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text().splitlines(), delimiter=";"))


def test_the_rows_of_the_file_come_back_with_the_origin_of_each_wanted_field(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    file = str(table(sandbox, 2))
    done = lix("waterfall", file, "--want", "headline", "--out", "out.csv")
    assert done.code == 0, done.err
    assert "3 filled, 1 invalid in out.csv, 2 credits, lix.person: asked 2" in done.err
    rows = csv_rows("out.csv")
    assert [row["Name"] for row in rows] == ["person 0", "person 1", "nowhere", "again"]
    assert [row["lix_status"] for row in rows] == ["filled", "filled", "invalid", "filled"]
    assert "line 4" in rows[2]["lix_reason"]
    for row in (rows[0], rows[1], rows[3]):
        assert row["lix_headline"]
        assert (row["lix_headline_from"], row["lix_headline_credits"]) == ("Lix", "1")
        assert row["lix_headline_at"] == row["lix_bought_at"] != ""
        assert row["lix_full_name"]
    assert rows[0]["lix_headline"] == rows[3]["lix_headline"]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "other.csv"])
def test_nothing_is_paid_for_twice(lix: Lix, sandbox: ObservedSandbox, name: str) -> None:
    file = str(table(sandbox, 3))
    assert lix("waterfall", file, "--want", "headline", "--out", name).code == 0
    before, asked = Path(name).read_bytes(), len(sandbox.requests)
    done = lix("waterfall", file, "--want", "headline", "--out", name)
    assert done.code == 0, done.err
    assert "0 credits" in done.err
    assert "4 from the ledger" in done.err
    assert (Path(name).read_bytes(), len(sandbox.requests)) == (before, asked)
    assert lix("waterfall", file, "--want", "headline", "--out", "another.jsonl").code == 0
    assert len(sandbox.requests) == asked
    rows = rows_of(Path("another.jsonl"))
    assert [row["lix_status"] for row in rows] == ["filled"] * 3 + ["invalid", "filled"]
    result = rows[0]["lix_result"]
    assert isinstance(result, dict)
    assert result["headline_from"] == "Lix"


def test_a_dry_run_shows_the_cost_and_sends_nothing(lix: Lix, sandbox: ObservedSandbox) -> None:
    file = str(table(sandbox, 3))
    before = sorted(os.listdir())
    done = lix("waterfall", file, "--dry-run", "--want", "headline,email")
    assert done.code == 0, done.err
    assert "3 distinct in 5 rows, 1 without a usable link" in done.out
    assert "3 standard credits, 3 email credits at most" in done.out
    assert (len(sandbox.requests), sorted(os.listdir())) == (0, before)
    assert lix("waterfall", file, "--want", "headline,email", "--out", "o.csv").code == 0
    asked = len(sandbox.requests)
    done = lix("waterfall", file, "--dry-run", "--want", "headline,email")
    assert "3, at no cost" in done.out
    assert len(sandbox.requests) == asked


def test_a_provider_that_is_added_is_asked_about_what_is_missing(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(table(sandbox, 8))
    arguments = ("waterfall", file, "--want", "company_url", "--out", "out.csv")
    assert lix(*arguments).code == 0
    before = {row["Name"]: row["lix_status"] for row in csv_rows("out.csv")}
    missing = {name for name, status in before.items() if status == "partial"} - {"again"}
    assert 0 < len(missing) < 8
    asked = len(sandbox.requests)
    monkeypatch.setenv("CONNECTSAFELY_API_KEY", "sandbox-key")
    monkeypatch.setenv("CONNECTSAFELY_BASE_URL", os.environ["LIX_BASE_URL"] + "/linkedin")
    done = lix(*arguments)
    assert done.code == 0, done.err
    new = [fact.endpoint for fact in sandbox.requests[asked:]]
    assert new == ["connectsafely.profile"] * len(missing)
    rows = {row["Name"]: row for row in csv_rows("out.csv")}
    assert {row["lix_status"] for row in rows.values()} == {"filled", "invalid"}
    for name, status in before.items():
        origin = "ConnectSafely" if status == "partial" else "Lix" if status == "filled" else ""
        assert rows[name]["lix_company_url_from"] == origin


def test_a_budget_ends_the_run_and_the_same_command_continues(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    file = str(links(sandbox, 5))
    arguments = ("waterfall", file, "--want", "headline", "--out", "out.jsonl")
    done = lix(*arguments, "--budget", "2")
    assert done.code == 4
    assert "the budget is spent: 3 rows are not filled" in done.err
    statuses = [row["lix_status"] for row in rows_of(Path("out.jsonl"))]
    assert sorted(map(str, statuses)) == ["filled"] * 2 + ["pending"] * 3
    done = lix(*arguments, "--budget", "500", "--order", "price")
    assert done.code == 0, done.err
    assert [row["lix_status"] for row in rows_of(Path("out.jsonl"))] == ["filled"] * 5
    assert len(sandbox.requests) == 5


@pytest.mark.parametrize("name", ["out.xlsx", "out.parquet"])
def test_workbooks_and_parquet(lix: Lix, sandbox: ObservedSandbox, name: str) -> None:
    file = str(table(sandbox, 2))
    done = lix("waterfall", file, "--want", "headline", "--out", name, "--limit", "1")
    assert done.code == 0, done.err
    assert "2 filled, 1 not asked, 1 invalid" in done.err or "1 not asked" in done.err
    assert lix("enrich", name, "--dry-run").code == 0, "it is a table again"


def test_a_large_run_needs_a_yes(lix: Lix, sandbox: ObservedSandbox) -> None:
    file = str(table(sandbox, 3))
    done = lix("waterfall", file, "--want", "headline", "--confirm-above", "2")
    assert (done.code, len(sandbox.requests)) == (2, 0)
    assert "this costs more than 2 credits" in done.err
    done = lix("waterfall", file, "--want", "headline", "--confirm-above", "2", "--yes")
    assert done.code == 0, done.err


def test_an_output_of_another_command_is_not_replaced(lix: Lix, sandbox: ObservedSandbox) -> None:
    file = str(table(sandbox, 2))
    assert lix("enrich", file, "--out", "out.csv").code == 0
    before = Path("out.csv").read_bytes()
    done = lix("waterfall", file, "--want", "headline", "--out", "out.csv")
    assert (done.code, "has other columns" in done.err) == (2, True), done.err
    assert Path("out.csv").read_bytes() == before


def test_one_row_for_each_link(lix: Lix, sandbox: ObservedSandbox) -> None:
    file = str(table(sandbox, 2))
    arguments = ("waterfall", file, "--want", "headline,full_name", "--distinct")
    done = lix(*arguments, "--out", "out.jsonl")
    assert done.code == 0, done.err
    rows = rows_of(Path("out.jsonl"))
    assert [row["status"] for row in rows] == ["filled"] * 2
    assert rows[0]["sources"]["headline"]["endpoint"] == "person.get"  # type: ignore[index]
    done = lix("waterfall", file, "--want", "headline,full_name", "--out", "out.jsonl")
    assert "continued with --distinct" in done.err
    assert "2 skipped (already in the output)" in done.err
    assert lix(*arguments, "--out", "out.csv").code == 0
    (first, *_) = csv.DictReader(Path("out.csv").read_text().splitlines())
    assert '"person.get"' in first["sources"]
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--want", "shoe_size"), 2, "unknown field in --want: shoe_size"),
        (("--want", "emial"), 2, "did you mean email?"),
        (("--limit", "0"), 2, "--limit must be at least 1"),
        (("--out", "o.xlsx", "--distinct"), 2, "--distinct cannot write xlsx"),
        (("--providers", "other"), 2, "unknown provider in --providers: other"),
        (("--providers", "lookc"), 3, "no API key: set LOOKC_API_KEY"),
        (("--budget", "-1"), 2, "budget must not be negative"),
        (("--order", "random"), 2, "random"),
    ],
)
def test_invalid_options_are_reported_in_one_line(
    lix: Lix, sandbox: ObservedSandbox, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = lix("waterfall", str(links(sandbox, 1)), *arguments)
    assert (done.code, said in done.err) == (code, True), done.err
    assert not sandbox.requests


def test_a_provider_without_lookups_is_reported(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEETALFRED_API_KEY", "key")
    done = lix("waterfall", str(links(sandbox, 1)), "--want", "headline")
    assert done.code == 0
    assert "meetalfred was not asked: Meet Alfred has no lookup" in done.err


def test_a_missing_key_is_reported_with_the_variables(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(links(sandbox, 1))
    monkeypatch.delenv("LIX_BASE_URL")
    done = lix("waterfall", file)
    assert done.code == 3
    assert "LIX_API_KEY" in done.err
    assert "CONNECTSAFELY_API_KEY" in done.err


@pytest.mark.anyio
async def test_a_stopped_run_sends_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONNECTSAFELY_API_KEY", "key")
    monitor, connection = ActivityMonitor(), ConnectionOptions()
    clients = WaterfallClients(connection, "connectsafely")
    async with clients.open(connection, monitor):
        [step] = clients.steps(monitor)
        monitor.stop()
        with pytest.raises(TransportError, match="the run was stopped"):
            await step.ask(Target.of("https://www.linkedin.com/in/ada"))
    assert monitor.requests == 0


def test_e_mail_addresses_and_a_table(lix: Lix, sandbox: ObservedSandbox) -> None:
    Path("mail.txt").write_text(f"{sandbox.world.person(0).email}\n")
    done = lix("waterfall", "mail.txt", "--want", "full_name", "--format", "table")
    assert done.code == 0, done.err
    assert "full_name" in done.out
    assert "filled" in done.out


# The run in the ledger


def run_entry(lix: Lix, ledger: str) -> dict[str, object]:
    """The only run of a ledger."""
    (entry,) = lix("ledger", "list", "--store", ledger, "--format", "jsonl", rate="").rows
    return entry


def test_the_ledger_has_the_run_with_its_inputs_and_its_money(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    file = str(table(sandbox, 3))
    arguments = ("waterfall", file, "--want", "headline", "--out", "out.csv")
    assert lix(*arguments, "--max-credits", "2").code == 4
    entry = run_entry(lix, f"{file}.ledger")
    assert str(entry["name"]).startswith(str(Path(file).resolve()))
    assert (entry["method"], entry["credits"], entry["maybe"]) == ("waterfall", 2, 0)
    assert lix(*arguments).code == 0
    assert lix(*arguments).code == 0
    entry = run_entry(lix, f"{file}.ledger")
    assert (entry["inputs"], entry["credits"]) == (4, 3), "the one that is there twice, too"
    assert entry["ended"] is not None


def test_one_row_for_each_link_is_a_run_too(lix: Lix, sandbox: ObservedSandbox) -> None:
    file = str(table(sandbox, 3))
    arguments = ("waterfall", file, "--want", "headline", "--distinct", "--out", "o.jsonl")
    assert lix(*arguments).code == 0
    entry = run_entry(lix, f"{file}.ledger")
    assert (entry["inputs"], entry["credits"]) == (3, 3)


@pytest.mark.parametrize(
    "budget", [("--max-credits", "3"), ("--budget", "9", "--max-credits", "3")]
)
def test_a_budget_is_exact_whatever_the_concurrency(
    lix: Lix, sandbox: ObservedSandbox, budget: tuple[str, ...]
) -> None:
    file = str(table(sandbox, 12))
    done = lix(
        *("waterfall", file, "--want", "headline,email", "--out", "out.csv", "--concurrency", "16"),
        *budget,
    )
    assert done.code == 4
    assert sum(sandbox.ledger.totals().values()) == 3
    assert run_entry(lix, f"{file}.ledger")["credits"] == 3


def test_a_dry_run_needs_no_key(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(table(sandbox, 3))
    done = lix("waterfall", file, "--dry-run", "--want", "company", "--providers", "lix,lookc")
    assert done.code == 0, done.err
    assert "lookc is counted although LOOKC_API_KEY is not set, which a run needs" in done.err
    assert "Lix, LookC" in done.out
    monkeypatch.setenv("LIX_BASE_URL", "https://api.example.com")
    done = lix("waterfall", file, "--dry-run", "--want", "headline")
    assert done.code == 0, done.err
    assert "LIX_API_KEY is not set" in done.err
    assert "CONNECTSAFELY_API_KEY is not set" in done.err
    assert not sandbox.requests


def test_what_is_in_doubt_is_looked_up_again_where_that_is_asked_for(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path("in.csv")
    file.write_text("link\nhttps://www.linkedin.com/in/ada\nhttps://www.linkedin.com/in/bob\n")
    arguments = ("waterfall", str(file), "--want", "headline", "--out", "o.jsonl")
    with running(ObservedSandbox(faults={"person.get": ["reset_after"]})) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        done = lix(*arguments, "--concurrency", "1")
        assert (done.code, "1 in doubt, 1 filled" in done.err) == (0, True), done.err
        assert "1 row has a lookup in doubt" in done.err
        assert "lix run doubts in.csv.ledger" in done.err
        assert "0 credits" in lix(*arguments).err
        assert "1, not looked up again" in lix(*arguments, "--dry-run").out
        assert "In doubt" not in lix(*arguments, "--dry-run", "--doubts", "retry").out
        done = lix(*arguments, "--doubts", "retry")
        assert (done.code, "1 credit" in done.err) == (0, True), done.err
    assert [row["lix_status"] for row in rows_of(Path("o.jsonl"))] == ["filled", "filled"]


def test_an_output_is_continued_with_its_file_and_its_ledger_only(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    file, other = table(sandbox, 2), Path("other.csv")
    other.write_text(file.read_text())
    arguments = ("--want", "headline", "--out", "out.csv")
    assert lix("waterfall", str(file), *arguments).code == 0
    before = Path("out.csv").read_bytes()
    done = lix("waterfall", str(other), *arguments, "--store", f"{file}.ledger")
    assert (done.code, f"has the rows of {file.resolve()}" in done.err) == (2, True), done.err
    done = lix("waterfall", str(file), *arguments, "--store", "new.ledger")
    assert (done.code, "was written with another ledger" in done.err) == (2, True), done.err
    assert Path("out.csv").read_bytes() == before


def test_counting_stops_at_the_threshold(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were counted are asked about first; of more, only some are kept meanwhile."""
    monkeypatch.setattr("lix_async.cli.commands.waterfall_joined._MOST_COUNTED", 2)
    file = str(table(sandbox, 6))
    done = lix("waterfall", file, "--want", "headline", "--confirm-above", "6", "--out", "o.csv")
    assert done.code == 0, done.err
    assert [row["lix_status"] for row in csv_rows("o.csv")].count("filled") == 7
    assert len(sandbox.requests) == 6
