"""`lix enrich` over its ledger: nothing is paid for twice, doubts are held, and the summary."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
from pathlib import Path

import anyio
import pytest

from lix_async.bulk import SqliteStore
from lix_async.sandbox import running

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, Process, environment, rows_of

L = "https://www.linkedin.com/in"
DAY = 86_400.0


def links(count: int, path: str = "in.txt") -> None:
    Path(path).write_text("".join(f"{L}/person-{n}\n" for n in range(count)))


def by_status(rows: list[dict[str, object]]) -> dict[object, list[object]]:
    found: dict[object, list[object]] = {}
    for row in rows:
        found.setdefault(row["status"], []).append(row["input"])
    return found


def test_another_output_file_or_format_costs_nothing(lix: Lix, sandbox: ObservedSandbox) -> None:
    duckdb = pytest.importorskip("duckdb")
    links(6)
    assert lix("enrich", "--distinct", "in.txt", "--out", "a.jsonl").code == 0
    asked = len(sandbox.requests)
    assert lix("enrich", "--distinct", "in.txt", "--out", "b.csv").code == 0
    for _ in range(2):  # a Parquet file is replaced
        assert lix("enrich", "--distinct", "in.txt", "--out", "c.parquet").code == 0
    assert len(sandbox.requests) == asked
    assert len(sandbox.ledger) == 6
    rows = rows_of(Path("a.jsonl"))
    with Path("b.csv").open(newline="") as file:
        assert {row["input"] for row in csv.DictReader(file)} == {row["input"] for row in rows}
    found = duckdb.sql("SELECT input, status, result.name FROM 'c.parquet'").fetchall()
    assert {row[0]: row[2] for row in found} == {
        row["input"]: row["result"]["name"]  # type: ignore[index]
        for row in rows
    }
    for name in ("in.txt.ledger", "c.parquet", "a.jsonl"):
        assert Path(name).stat().st_mode & 0o777 == 0o600


def test_a_small_limit_is_used_up_whatever_is_in_flight(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(40)
    for limit, bought in ((3, 3), (2, 5)):
        found = lix(
            "enrich", "--distinct", "in.txt", "--out", "a.jsonl", "--max-credits", str(limit)
        )
        assert "--max-credits" in found.err
        assert len(sandbox.ledger) == bought
    assert len(rows_of(Path("a.jsonl"))) == 5


def test_only_a_parquet_file_is_replaced_by_parquet(lix: Lix) -> None:
    links(1)
    assert "--out" in lix("enrich", "--distinct", "in.txt", "--format", "parquet").err
    Path("b.parquet").write_text("precious")
    assert lix("enrich", "--distinct", "in.txt", "--out", "b.parquet").code == 2
    assert Path("b.parquet").read_text() == "precious"


def test_a_dry_run_prints_the_cost_and_looks_up_nothing(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(5)
    Path("in.txt").write_text(Path("in.txt").read_text() + "no link\n")
    estimate = lix("enrich", "--distinct", "in.txt", "--dry-run", rate="20/s")
    assert estimate.code == 0
    for part in ("5 distinct in 6 rows", "5 standard credits at most", "50,000", "at 20 per s"):
        assert part in estimate.out
    assert (len(sandbox.ledger), sorted(path.name for path in Path().iterdir())) == (0, ["in.txt"])
    sandbox.ledger.balances["standard"] = 2
    estimate = lix("enrich", "--distinct", "in.txt", "--dry-run")
    assert "Missing" in estimate.out
    assert "does not have enough credits" in estimate.err


def test_a_lookup_in_doubt_has_a_row_at_the_end_until_it_is_decided(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    links(6)
    sandbox = ObservedSandbox(faults={"person.get": ["reset_after", "truncated"]})
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        for form in ("jsonl", "csv"):
            out = f"out.{form}"
            found = lix("enrich", "--distinct", "in.txt", "--out", out, "--concurrency", "1")
            assert found.code == 0
            assert "2 lookups in doubt" in found.err
            assert "lix run doubts in.txt.ledger" in found.err
            rows = read(Path(out))
            assert [row["status"] for row in rows] == ["found"] * 4 + ["in_doubt"] * 2
        assert len(sandbox.ledger) == 6
        lines = Path("out.csv").read_text()
        again = lix("enrich", "--distinct", "in.txt", "--out", "out.csv", "--doubts", "hold")
        assert (again.code, Path("out.csv").read_text()) == (0, lines)
        assert (
            lix("enrich", "--distinct", "in.txt", "--out", "out.jsonl", "--doubts", "ask").code == 2
        )
        for form in ("jsonl", "csv"):
            assert (
                lix(
                    "enrich", "--distinct", "in.txt", "--out", f"out.{form}", "--doubts", "retry"
                ).code
                == 0
            )
            rows = read(Path(f"out.{form}"))
            assert [row["status"] for row in rows] == ["found"] * 6
            assert len({row["input"] for row in rows}) == 6
    assert len(sandbox.ledger) == 8  # two were paid for twice, as requested


def read(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".jsonl":
        return rows_of(path)
    return list(csv.DictReader(io.StringIO(path.read_text())))  # type: ignore[arg-type]


def test_asking_about_lookups_in_doubt(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    links(3)
    keyboard, terminal = os.openpty()
    sandbox = ObservedSandbox(faults={"person.get": ["reset_after", "reset_after"]})
    with (
        running(sandbox) as url,
        os.fdopen(terminal) as stdin,
        os.fdopen(keyboard, "wb", 0) as keys,
    ):
        monkeypatch.setenv("LIX_BASE_URL", url)
        monkeypatch.setattr("sys.stdin", stdin)
        first = lix("enrich", "--distinct", "in.txt", "--concurrency", "1", "--doubts", "ask")
        assert by_status(first.rows)["in_doubt"] == [f"{L}/person-0", f"{L}/person-1"]
        keys.write(b"y\nn\n")
        second = lix("enrich", "--distinct", "in.txt", "--doubts", "ask")
        # The question is on stderr, because stdout has the rows.
        assert by_status(second.rows)["in_doubt"] == [f"{L}/person-1"]
    assert second.err.count("Look it up again?") == 2
    assert "it may have been charged" in second.err


def test_the_question_can_be_interrupted(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    links(2)
    keyboard, terminal = os.openpty()
    sandbox = ObservedSandbox(faults={"person.get": ["reset_after"]})
    with running(sandbox) as url, os.fdopen(terminal, "rb") as stdin, os.fdopen(keyboard):
        monkeypatch.setenv("LIX_BASE_URL", url)
        lix("enrich", "--distinct", "in.txt", "--out", "out.csv")
        again = ("enrich", "--distinct", "in.txt", "--out", "out.csv", "--doubts", "ask")
        process = Process(*again, env=environment(url), cwd=Path.cwd(), stdin=stdin)
        assert process.popen.stderr is not None
        said = b""
        while b"again?" not in said:
            said += (more := os.read(process.popen.stderr.fileno(), 1000))
            assert more, said
        process.popen.send_signal(signal.SIGINT)
        assert process.end().code == 130
        process.close()


def test_the_summary_has_the_failures_and_the_latencies(lix: Lix) -> None:
    Path("in.txt").write_text(f"{L}/some-one\n{L}/missing-one\n{L}/not-found-two\n")
    found = lix("enrich", "--distinct", "in.txt")
    assert found.code == 0
    assert "Failures:" in found.err
    assert "not found" in found.err
    assert "Time to answer:" in found.err
    assert lix("enrich", "--distinct", "in.txt", "--quiet").err == ""


def test_a_daily_limit_can_end_the_run(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    links(5)
    sandbox = ObservedSandbox(daily_allowance=3)
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        found = lix(
            "enrich", "--distinct", "in.txt", "--out", "o.jsonl", "--on-daily-limit", "stop"
        )
        assert found.code == 4
        assert "renewed" in found.err
    assert len(rows_of(Path("o.jsonl"))) == 3
    assert not [one for one in sandbox.requests if one.status == 429]


def test_a_parked_ledger_gets_no_lookups(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(2)
    assert lix("enrich", "--distinct", "in.txt").code == 0

    async def park() -> None:
        store = SqliteStore("in.txt.ledger")
        await store.open_read_only()
        await store.park("budget talks")
        await store.close()

    anyio.run(park)
    links(4)
    before = len(sandbox.requests)
    found = lix("enrich", "--distinct", "in.txt")
    assert (found.code, len(sandbox.requests)) == (6, before)
    assert "budget talks" in found.err
    assert "lix run resume in.txt.ledger" in found.err


@pytest.mark.parametrize("wrong", [("--recheck", "-1"), ("--concurrency", "0")])
def test_numbers_out_of_range_are_rejected(lix: Lix, wrong: tuple[str, str]) -> None:
    links(1)
    assert lix("enrich", "--distinct", "in.txt", *wrong).code == 2


def test_probable_addresses_are_not_paid_for_twice(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(12)
    found = lix("enrich", "--distinct", "in.txt", "--as", "email")
    probable = [r for r in found.rows if (r["result"] or {}).get("status") == "PROBABLE"]  # type: ignore[attr-defined]
    assert probable
    assert not sandbox.ledger.repeats()


def test_a_run_that_is_stopped_twice_has_one_row_and_one_charge_per_link(
    sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    """A CSV and a sandbox with faults: two interrupted runs, and a complete one."""
    rows = ["name,profile"]
    for n in range(40):
        rows.append(f"p{n},{L}/person-{n}")
        if n % 3 == 0:
            rows.append(f"p{n},https://de.linkedin.com/in/Person-{n}/?trk=x")
    (tmp_path / "in.csv").write_text("\n".join(rows))
    sandbox = ObservedSandbox(faults="weather")
    command = ("enrich", "--distinct", "in.csv", "--out", "out.jsonl", "--rate")
    with running(sandbox) as url:
        env = environment(url)
        for number in (signal.SIGINT, signal.SIGTERM):
            process = Process(*command, "20/s", env=env, cwd=tmp_path)
            sandbox.wait_for(8)
            process.popen.send_signal(number)
            began = time.monotonic()
            stopped = process.end()
            process.close()
            assert stopped.code == 128 + number
            assert time.monotonic() - began < 8
        done = Process(*command, "none", env=env, cwd=tmp_path)
        ended = done.end()
        done.close()
    assert ended.code in (0, 6), ended.err
    found = rows_of(tmp_path / "out.jsonl")
    assert len({row["input"] for row in found}) == len(found)
    paid = {charge.input for charge in sandbox.ledger}
    assert len(paid) == len(sandbox.ledger)  # no input twice
    held = [row for row in found if row["status"] == "in_doubt"]
    fetched = [row for row in found if row["status"] in ("found", "unreadable")]
    assert len(fetched) <= len(sandbox.ledger) <= len(fetched) + len(held)
