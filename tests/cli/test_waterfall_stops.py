"""`lix waterfall` that is killed or stopped, and run again."""

from __future__ import annotations

import csv
import io
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from .sandbox_helpers import QUICK, ObservedSandbox, Process, rows_of

ROWS, PEOPLE = 24, 20
KILLED_AT = """
import os, signal, sys
from lix_async.cli import main
from lix_async.cli.output import {module}

def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

{module}.{name} = die
raise SystemExit(main())
"""


@pytest.fixture
def file(sandbox: ObservedSandbox, tmp_path: Path) -> Path:
    """A table in which some people are there twice."""
    slugs = [sandbox.world.person(n).slug for n in range(PEOPLE)]
    rows = [f"{n},https://www.linkedin.com/in/{slugs[n % PEOPLE]}" for n in range(ROWS)]
    path = tmp_path / "in.csv"
    path.write_text("\n".join(["n,link", *rows, ""]))
    return path


def rows_so_far(out: Path) -> list[dict[str, object]]:
    """The rows of an output, complete or not: each at most once, none of them torn."""
    if not out.exists():
        return []
    rows: list[dict[str, object]]
    if out.suffix == ".jsonl":
        rows = rows_of(out)
    else:
        rows = [{**row} for row in csv.DictReader(io.StringIO(out.read_text()))]
        assert all(None not in row.values() for row in rows)
    numbers = [row["n"] for row in rows]
    assert len(set(numbers)) == len(numbers)
    return rows


def check_complete(out: Path, sandbox: ObservedSandbox, *, doubts: int = 0) -> None:
    rows = rows_so_far(out)
    assert [row["n"] for row in rows] == [str(n) for n in range(ROWS)]
    assert {row["lix_status"] for row in rows} == {"filled"}
    assert PEOPLE <= len(sandbox.ledger) <= PEOPLE + doubts, "nothing is paid for twice"


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_what_was_stopped_is_continued(
    start: Callable[..., Process],
    sandbox: ObservedSandbox,
    file: Path,
    name: str,
    number: signal.Signals,
) -> None:
    out = file.with_name(name)
    command = ("waterfall", file.name, "--want", "headline", "--out", name)
    doubts = 0
    for requests in (3, 8):
        process = start(*command, "--rate", "20/s")
        sandbox.wait_for(requests)
        process.popen.send_signal(number)
        stopped = process.end()
        rows = rows_so_far(out)
        if number == signal.SIGKILL:
            doubts += 4  # those in flight
            assert stopped.code == -number
            assert {row["lix_status"] for row in rows} <= {"filled"}
        else:
            assert stopped.code == 128 + number
            assert [row["n"] for row in rows] == [str(n) for n in range(ROWS)]
            assert {row["lix_status"] for row in rows} == {"filled", "pending"}
    done = start(*command, "--rate", "none", "--doubts", "retry").end()
    assert done.code == 0, done.err
    check_complete(out, sandbox, doubts=doubts)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.xlsx"])
@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("joined_file", "JoinedOutput.write_all"),
        ("files", "StagedOutput.place"),
        ("joined_file", "JoinedOutput.close"),
    ],
)
def test_a_kill_while_the_rows_are_put_in_order_costs_nothing(
    sandbox: ObservedSandbox,
    start: Callable[..., Process],
    file: Path,
    name: str,
    module: str,
    function: str,
) -> None:
    out = file.with_name(name)
    command = ("waterfall", file.name, "--want", "headline", "--out", name, "--rate", "none")
    killed = start(*command, program=("-c", KILLED_AT.format(module=module, name=function))).end()
    assert killed.code == -signal.SIGKILL, killed.err
    assert len(sandbox.ledger) == PEOPLE
    if out.suffix != ".xlsx":
        assert len(rows_so_far(out)) >= PEOPLE
    done = start(*command).end()
    assert (done.code, "0 credits" in done.err) == (0, True), done.err
    assert len(sandbox.ledger) == PEOPLE
    if out.suffix != ".xlsx":
        check_complete(out, sandbox)


def test_rows_are_in_the_file_as_they_come_when_a_run_is_continued(
    start: Callable[..., Process], sandbox: ObservedSandbox, file: Path
) -> None:
    out = file.with_name("out.csv")
    command = ("waterfall", file.name, "--want", "headline", "--out", out.name)
    assert start(*command, "--rate", "none", "--max-credits", "4").end().code == 4
    statuses = [row["lix_status"] for row in rows_so_far(out)]
    assert statuses.count("filled") < ROWS
    process = start(*command, "--rate", "10/s")
    sandbox.wait_for(4 + 8)
    rows = rows_so_far(out)
    assert len([row for row in rows if row["lix_status"] == "filled"]) > statuses.count("filled")
    assert process.end().code == 0
    check_complete(out, sandbox)


def test_a_silent_provider_does_not_keep_a_stopped_run(
    start: Callable[..., Process], sandbox: ObservedSandbox, file: Path
) -> None:
    command = ("waterfall", file.name, "--want", "headline", "--out", "out.csv")
    sandbox.answering.clear()
    process = start(*command, "--rate", "none", "--concurrency", "1", program=("-c", QUICK))
    sandbox.wait_for(1)
    process.popen.send_signal(signal.SIGTERM)
    stopped = process.end()
    assert stopped.code == 143, stopped.err
    assert "0 credits and up to 1 more for answers that were lost" in stopped.err
    rows = rows_so_far(file.with_name("out.csv"))
    assert [row["n"] for row in rows] == [str(n) for n in range(ROWS)]
