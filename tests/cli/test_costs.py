"""What a command costs: the estimate, the question on a terminal, --yes, and the price after it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lix_async.bulk.preview import seconds_needed
from lix_async.cli.costs import credits_text
from lix_async.sandbox import running

from .conftest import Lix
from .sandbox_helpers import FULL, TIMEOUT, ObservedSandbox, Process, environment, rows_of
from .test_enrich_ledger import links

Start = Callable[..., Process]
ADA = "https://www.linkedin.com/in/ada-example"
REFUSED = "without a terminal this needs --yes or --max-credits"


def on_terminal(
    url: str, folder: Path, answer: bytes, *arguments: str, stdin: bytes | None = None
) -> tuple[int, str]:
    """Run `lix` on a terminal, answer its question, and return the code and what it shows.

    With `stdin`, that is a pipe, and the question is answered at the controlling terminal.
    """
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lix_async", *arguments]
    if stdin is not None:  # a session of its own, whose terminal this is
        command = [sys.executable, "-c", CONTROLLED, os.ttyname(theirs), *command[1:]]
    process = subprocess.Popen(
        command,
        stdin=theirs if stdin is None else subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**environment(url), "TERM": "dumb", "XDG_DATA_HOME": str(folder / "data")},
        cwd=folder,
        start_new_session=True,
    )
    os.close(theirs)
    if stdin is not None:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
    shown = b""
    while b"[y/N]" not in shown:
        try:
            part = os.read(ours, 1000)
        except OSError:
            break
        shown += part
        if not part:
            break
    if b"[y/N]" in shown:
        os.write(ours, answer)
    while True:
        try:
            part = os.read(ours, 1000)
        except OSError:
            break
        if not part:
            break
        shown += part
    code = process.wait(TIMEOUT)
    os.close(ours)
    return code, shown.decode()


CONTROLLED = """
import os, runpy, sys
os.close(os.open(sys.argv[1], os.O_RDWR))  # the first terminal that a session opens controls it
del sys.argv[1:4]
runpy.run_module("lix_async", run_name="__main__", alter_sys=True)
"""


def test_more_than_a_hundred_credits_need_a_yes(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(101)
    refused = lix("enrich", "in.txt", "--out", "out.csv")
    assert (refused.code, REFUSED in refused.err, "--yes" in refused.err) == (2, True, True)
    assert (len(sandbox.ledger), Path("out.csv").exists()) == (0, False)
    assert lix("enrich", "in.txt", "--out", "out.csv", "--max-credits", "3").code == 4
    assert len(sandbox.ledger) == 3
    assert lix("enrich", "in.txt", "--out", "out.csv").code == 0, "98 are left to be bought"
    assert len(sandbox.ledger) == 101
    links(102, "more.txt")
    assert lix("enrich", "more.txt", "--out", "more.csv", "--confirm-above", "0", "--yes").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("enrich", "in.txt"),
        ("enrich", "in.txt", "--distinct"),
        ("enrich", "in.txt", "--refresh", "1"),
        ("person", ADA),
        ("call", "person.get", "--profile-link", ADA),
        ("search", "people", FULL),
    ],
    ids=" ".join,
)
def test_the_threshold_holds_for_every_command(
    lix: Lix, sandbox: ObservedSandbox, arguments: Sequence[str]
) -> None:
    links(1)
    refused = lix(*arguments, "--confirm-above", "0")
    assert (refused.code, REFUSED in refused.err) == (2, True), refused.err
    assert len(sandbox.ledger) == 0
    assert lix(*arguments, "--confirm-above", "0", "--max-credits", "20").code == 0


def test_what_the_ledger_has_needs_no_yes(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(12)
    assert lix("enrich", "in.txt", "--out", "a.csv", "--yes").code == 0
    again = lix("enrich", "in.txt", "--out", "b.csv", "--confirm-above", "0")
    assert (again.code, len(sandbox.ledger)) == (0, 12), again.err


def test_a_search_asks_after_its_first_page_and_goes_on_later(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    arguments = ("search", "people", FULL, "--confirm-above", "10")
    refused = lix(*arguments, "--out", "a.jsonl")
    assert refused.code == 2
    assert "137 people found: 14 pages, 14 credits in all" in refused.err
    assert "this costs 14 credits in all, 1 of them so far" in refused.err
    assert (len(sandbox.ledger), len(rows_of(Path("a.jsonl")))) == (1, 10)
    done = lix(*arguments, "--out", "a.jsonl", "--resume", "--yes")
    assert (done.code, len(sandbox.ledger), len(rows_of(Path("a.jsonl")))) == (0, 14, 137)
    assert "137 people in a.jsonl, 14 pages, 13 credits, 1 spent before" in done.err
    limited = lix(*arguments, "--limit", "95")
    assert (limited.code, "95 of them are fetched (--limit): 10 pages" in limited.err) == (0, True)


def test_a_terminal_is_asked(
    plain: tuple[ObservedSandbox, str], sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("".join(f"{ADA}-{n}\n" for n in range(5)))
    arguments = ("enrich", "in.txt", "--out", "a.csv", "--rate", "none", "--confirm-above", "4")
    code, shown = on_terminal(plain[1], tmp_path, b"n\n", *arguments)
    assert (code, "not confirmed" in shown, len(sandbox.ledger)) == (1, True, 0), shown
    assert "this costs more than 4 credits (--dry-run says how many). Continue? [y/N]" in shown
    code, shown = on_terminal(plain[1], tmp_path, b"y\n", *arguments)
    assert (code, len(sandbox.ledger)) == (0, 5), shown
    code, shown = on_terminal(plain[1], tmp_path, b"", *arguments)
    assert (code, "[y/N]" in shown) == (0, False), "all of it is known"


def test_a_terminal_is_asked_although_the_links_come_through_a_pipe(
    plain: tuple[ObservedSandbox, str], sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    given = "".join(f"{ADA}-{n}\n" for n in range(5)).encode()
    arguments = ("enrich", "-", "--out", "a.csv", "--rate", "none", "--confirm-above", "4")
    code, shown = on_terminal(plain[1], tmp_path, b"y\n", *arguments, stdin=given)
    assert (code, "[y/N]" in shown, len(sandbox.ledger)) == (0, True, 5), shown


def test_a_dry_run_of_a_search_fetches_nothing(lix: Lix, sandbox: ObservedSandbox) -> None:
    estimate = lix("search", "people", FULL, "--dry-run", rate="1/3s")
    for part in ("1,000 at most", "100 standard credits at most", "50,000", "at 1 per 3 s"):
        assert part in estimate.out
    assert len(sandbox.ledger) == 0
    assert "5 standard credits" in lix("search", "people", FULL, "--dry-run", "-n", "50").out
    assert lix("search", "people", FULL, "--out", "a.jsonl", "-n", "20").code == 0
    rest = lix("search", "people", FULL, "--out", "a.jsonl", "--resume", "--dry-run")
    assert ("117 at most" in rest.out, "12 standard credits" in rest.out) == (True, True)
    assert len(sandbox.ledger) == 2


def test_a_dry_run_counts_what_is_asked_again(lix: Lix, sandbox: ObservedSandbox) -> None:
    links = [f"https://www.linkedin.com/in/someone-{n}-example" for n in range(12)]
    Path("in.txt").write_text("\n".join(links))
    command = ("enrich", "in.txt", "--as", "email", "--out", "o.jsonl")
    assert lix(*command).code == 0
    answers = [row["lix_result"] for row in rows_of(Path("o.jsonl"))]
    probable = sum(answer is not None and answer["status"] == "PROBABLE" for answer in answers)
    assert probable
    for recheck, calls in ((0, 0), (1, 1), (6, 6)):
        found = lix(*command, "--recheck", str(recheck), "--dry-run")
        assert re.search(rf"To look up +{probable * calls}\b", found.out + found.err), found.out


def test_each_lookup_prints_its_price(lix: Lix) -> None:
    assert lix("person", ADA).err == "1 credit\n"
    assert lix("person", ADA, "--quiet").err == ""
    assert lix("call", "person.get", "--profile-link", ADA).err == "1 credit\n"
    assert lix("call", "account.balances").err == "the price is not published\n"
    with_ledger = ("person", ADA, "--store", "a.db")
    assert lix(*with_ledger).err == "1 credit\n"
    assert lix(*with_ledger).err.startswith("from the ledger")


def test_a_lost_answer_is_in_the_price(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(ObservedSandbox(faults=["html200"])) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        lost = lix("person", ADA)
    assert lost.err.splitlines()[0].endswith(f"({credits_text(0, 1)})")


@pytest.mark.parametrize(
    ("calls", "interval", "more", "seconds"),
    [
        (10, 3.0, {}, 30.0),
        (10, None, {}, None),
        (10, 3.0, {"requests_left": 10, "renewed_in": 900.0}, 30.0),
        (10, 3.0, {"requests_left": 4, "renewed_in": 900.0}, 918.0),
        (10, None, {"requests_left": 4, "renewed_in": 900.0}, 900.0),
        (10, 3.0, {"requests_left": 4}, 30.0),
        (1, 3.0, {"queued_for": 60.0}, 63.0),
    ],
)
def test_time_counts_the_allowance_and_the_queue(
    calls: int, interval: float | None, more: dict[str, float], seconds: float | None
) -> None:
    assert seconds_needed(calls, interval, **more) == seconds  # type: ignore[arg-type]  # a table
