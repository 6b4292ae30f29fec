"""`lix waterfall`: several providers for each link of a file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lix_async.cli.commands.waterfall import WaterfallClients
from lix_async.cli.options import ConnectionOptions
from lix_async.cli.runtime.activity import ActivityMonitor
from lix_async.core.errors import TransportError
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


def test_rows_with_their_sources(lix: Lix, sandbox: ObservedSandbox) -> None:
    done = lix("waterfall", str(links(sandbox, 3)), "--want", "headline,full_name")
    assert done.code == 0, done.err
    assert [row["status"] for row in done.rows] == ["filled"] * 3
    for row in done.rows:
        assert row["headline"]
        assert row["full_name"]
        assert row["credits"] == 1
        assert row["sources"]["headline"]["endpoint"] == "person.get"  # type: ignore[index]
    assert "3 filled, 3 credits, lix.person: asked 3" in done.err


def test_a_budget_ends_the_run_and_the_same_command_continues(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    file = str(links(sandbox, 5))
    arguments = ("waterfall", file, "--want", "headline", "--out", "out.jsonl")
    done = lix(*arguments, "--budget", "2")
    assert done.code == 4
    assert "the budget is spent: 3 links got no answer for now" in done.err
    assert len(rows_of(Path("out.jsonl"))) == 2
    done = lix(*arguments, "--budget", "500", "--order", "price")
    assert done.code == 0, done.err
    assert "2 skipped (already in the output)" in done.err
    rows = rows_of(Path("out.jsonl"))
    assert len({str(row["input"]) for row in rows}) == len(rows) == 5
    assert len(sandbox.requests) == 5


def test_a_csv_has_the_fields_as_columns(lix: Lix, sandbox: ObservedSandbox) -> None:
    arguments = ("waterfall", str(links(sandbox, 2)), "--want", "headline", "--out", "out.csv")
    for _ in range(2):
        assert lix(*arguments).code == 0
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert len(rows) == 2
    assert rows[0]["status"] == "filled"
    assert rows[0]["headline"]
    assert '"person.get"' in rows[0]["sources"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--want", "shoe_size"), 2, "unknown field in --want: shoe_size"),
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
