"""A run that is stopped while an answer is in flight prints its summary."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lix_async.bulk import Run
from lix_async.cli.errors import CommandError

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import ObservedSandbox, rows_of

Cut = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch, sandbox: ObservedSandbox) -> Cut:
    """Send SIGTERM to this process after so many requests, the last of them unanswered."""
    monkeypatch.setattr("lix_async.cli.runtime.session.DRAIN_PERIOD", 0.2)
    monkeypatch.setattr(Run.aclose, "__defaults__", (0.2,))  # the answer never comes

    @contextmanager
    def after(requests: int) -> Iterator[None]:
        def work() -> None:
            sandbox.wait_for(requests)
            os.kill(os.getpid(), signal.SIGTERM)

        sandbox.withhold_after(requests - 1)
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            sandbox.answering.set()
            thread.join()

    return after


def test_counts_and_doubts_are_printed(lix: Lix, cut: Cut) -> None:
    Path("in.txt").write_text("".join(f"{L}/person-{n}\n" for n in range(9)))
    with cut(3):  # balances and allowance are requested first
        found = lix("enrich", "--distinct", "in.txt", "--out", "o.jsonl", "--concurrency", "1")
    assert found.code == 143, found.err
    assert "nothing new" in found.err
    assert "0 credits" in found.err
    assert "1 lookup in doubt: no answer received, may have been charged" in found.err
    assert "lix run doubts in.txt.ledger" in found.err
    assert "run the same command to continue" in found.err
    (row,) = lix("run", "status", "in.txt.ledger", rate="").rows
    assert row["in_doubt"] == 1
    again = lix("enrich", "--distinct", "in.txt", "--out", "o.jsonl")
    assert (again.code, len(rows_of(Path("o.jsonl")))) == (0, 9)


def test_quiet_prints_no_summary(lix: Lix, cut: Cut) -> None:
    Path("in.txt").write_text(f"{L}/person-1\n")
    with cut(3):
        found = lix("enrich", "--distinct", "in.txt", "--quiet")
    assert (found.code, "doubt" in found.err) == (143, False)


def test_a_ledger_that_cannot_be_read_is_not_counted(
    lix: Lix, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("in.txt").write_text(f"{L}/person-1\n")

    def gone(address: str) -> None:
        raise CommandError(f"{address} is gone")

    monkeypatch.setattr("lix_async.cli.commands.enrich_run.opened_read_only", gone)
    with cut(3):
        found = lix("enrich", "--distinct", "in.txt")
    assert (found.code, "0 credits" in found.err, "in doubt" in found.err) == (143, True, False)
