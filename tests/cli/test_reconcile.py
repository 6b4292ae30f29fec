"""`lix run reconcile` and `lix run empty`, over a sandbox's account."""

from __future__ import annotations

from pathlib import Path

import pytest

from lix_async.bulk import Progress, Report
from lix_async.cli.commands.enrich_run import print_summary
from lix_async.sandbox import Sandbox, running

from .conftest import Lix

LINKS = "".join(f"https://www.linkedin.com/in/person-{n}\n" for n in range(6))
STORE = "in.txt.ledger"


def in_doubt(lix: Lix, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Look up the links of a file."""
    monkeypatch.setenv("LIX_BASE_URL", url)
    Path("in.txt").write_text(LINKS)
    found = lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl", "--concurrency", "1")
    assert f"lix run reconcile {STORE}" in found.err
    assert "warning" not in found.err


@pytest.mark.parametrize(
    ("plan", "decision", "text"),
    [
        (["reset", "reset"], "not_charged", "none was charged: pending again"),
        (["reset_after", "reset_after"], "charged", "all were charged"),
        (["reset", "reset_after"], None, "account and ledger differ by 1: still in doubt"),
    ],
)
def test_the_balances_decide(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, plan: list[str], decision: str | None, text: str
) -> None:
    sandbox = Sandbox(people=30, rate=None, faults={"person.get": plan})
    with running(sandbox) as url:
        in_doubt(lix, monkeypatch, url)
        before = len(sandbox.ledger)
        table = lix("run", "reconcile", STORE, "--format", "table")
        assert table.code == 0 and text in " ".join((table.out + table.err).split())
        again = lix("run", "reconcile", STORE)
        assert len(sandbox.ledger) == before
    if decision is None:
        (row,) = again.rows
        assert (row["doubts"], row["maybe"], row["difference"], row["decision"]) == (2, 2, 1, None)
    else:
        assert "no lookups are in doubt" in again.err
    empty = lix("run", "empty", STORE, rate="")
    assert len(empty.rows) == (2 if decision == "charged" else 0)
    assert ("2 answers hold nothing, 2 credits" in empty.err) == (decision == "charged")


def test_without_a_key_the_readings_of_the_runs_are_used(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(people=30, rate=None, faults={"person.get": ["reset"]})
    with running(sandbox) as url:
        in_doubt(lix, monkeypatch, url)
        before = len(sandbox.requests)
        monkeypatch.delenv("LIX_BASE_URL")
        monkeypatch.delenv("LIX_API_KEY", raising=False)
        found = lix("run", "reconcile", STORE, rate="")
        assert len(sandbox.requests) == before
    assert [row["decision"] for row in found.rows] == ["not_charged"]


def test_a_ledger_that_is_not_there(lix: Lix) -> None:
    assert lix("run", "reconcile", "nothing.db", rate="").code == 2
    assert not Path("nothing.db").exists()


@pytest.mark.parametrize(
    ("unexplained", "text"), [(3, "lost 3 more credits"), (-1, "lost 1 fewer credit"), (0, "")]
)
def test_a_difference_is_a_warning(
    capsys: pytest.CaptureFixture[str], unexplained: int, text: str
) -> None:
    counts = dict.fromkeys(Progress.__struct_fields__, 0)
    progress = Progress(**(counts | {"parked": ""}))  # type: ignore[arg-type]  # counts
    print_summary(
        Report(progress=progress, reasons={}, latencies={}, seconds=1.0, unexplained=unexplained),
        "l.db",
    )
    err = " ".join(capsys.readouterr().err.split())
    assert text in err and ("warning" in err) == bool(text)
