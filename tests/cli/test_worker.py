"""`lix worker`: several processes with one PostgreSQL keep to one rate, lose nothing, and pay once."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import psycopg
import pytest
from preloaded import QUEUED
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.cli import main
from lix_async.cli.commands.worker import limiter_name
from lix_async.cli.errors import CommandError
from lix_async.cli.input.targets import method_input, parse_target, parse_website
from lix_async.cli.queue import Queue
from lix_async.cli.queue import queue_lookups as submit
from lix_async.ledger import postgres
from lix_async.ledger.rule import STATUSES, Status
from lix_async.sandbox import running

from .sandbox_helpers import QUICK, TIMEOUT, ObservedSandbox, Process, Result, environment, rows_of

NUMBERS = itertools.count(1)
QUEUES = pytest.mark.parametrize("queue", ["pgqueuer", "procrastinate"])
StartProcess = Callable[..., Process]
RunHere = Callable[..., Result]


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:  # noqa: F811  # the fixture
    """A database for one test."""
    name = f"worker_{next(NUMBERS)}"
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_dsn.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def start(dsn: str, tmp_path: Path) -> Iterator[StartProcess]:
    """`lix` as a process with that database, against a sandbox."""
    started: list[Process] = []

    def run(*arguments: str, url: str) -> Process:
        env = environment(url, LIX_STORE=dsn)
        program = ("-c", QUICK)
        process = Process(*arguments, env=env, cwd=tmp_path, program=program, modules=QUEUED)
        started.append(process)
        return process

    yield run
    for process in started:
        process.close()


@pytest.fixture
def run_here(
    dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunHere:
    """`lix` in this process with that database."""
    monkeypatch.setenv("LIX_STORE", dsn)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def submit_links(dsn: str, queue: Queue, texts: list[str]) -> int:
    found = [one for text in texts if (one := parse_target(text)) is not None]

    async def work() -> int:
        return await submit(dsn, [(one.kind, one) for one in found], queue)

    return anyio.run(work)


def links(count: int) -> list[str]:
    return [f"https://www.linkedin.com/in/someone-{number}" for number in range(count)]


def eventually(
    dsn: str, reached: Callable[[dict[Status, int]], bool], within: float = TIMEOUT
) -> dict[Status, int]:
    """How many lookups have a status, for each that has any, once the condition is true."""
    until = time.monotonic() + within
    with psycopg.connect(dsn, autocommit=True) as connection:
        while True:
            try:
                rows = connection.execute(
                    "SELECT status, count(*) FROM lix_async.lookup GROUP BY status"
                ).fetchall()
            except psycopg.errors.UndefinedTable:
                rows = []
            if reached(found := {STATUSES[row[0]]: int(row[1]) for row in rows}):
                return found
            assert time.monotonic() < until, f"condition not reached: {found}"


def test_two_workers_of_which_one_is_killed(
    dsn: str, start: StartProcess, run_here: RunHere, tmp_path: Path
) -> None:
    """With PgQueuer; tests/integrations kills a worker of Procrastinate."""
    count, queue = 200, "pgqueuer"
    other_links = [link.replace("www.", "uk.").replace("someone", "SOMEONE") for link in links(60)]
    assert submit_links(dsn, queue, [*links(count), *other_links]) == -(-(count + 60) // 50)
    sandbox = ObservedSandbox()
    with running(sandbox) as url:
        options = ("worker", "--queue", queue, "--rate", "60/s", "--heartbeat", "1.5")
        doomed, other = start(*options, url=url), start(*options, url=url)
        eventually(dsn, lambda found: found.get("done", 0) >= 20)
        doomed.popen.kill()
        assert run_here("run", "park", "--reason", "lunch").code == 0
        while sandbox.received.acquire(timeout=0.5):  # they check every two seconds
            assert len(sandbox.requests) < count, "they are parked before the end"
        assert run_here("run", "status").rows[0]["parked"] == "lunch"
        assert run_here("run", "resume").code == 0
        end = eventually(
            dsn,
            lambda found: found.keys() <= {"done", "in_doubt"} and sum(found.values()) == count,
        )
        other.popen.send_signal(signal.SIGTERM)
        stopped = other.end()
    assert (stopped.code, "stopped" in stopped.err) == (143, True), stopped.err
    held = end.get("in_doubt", 0)
    assert held <= 16, "at most what the killed worker had in flight"
    assert run_here("run", "doubts", "--drop").code == 0
    (row,) = run_here("run", "status").rows
    assert (row["done"], row["refused"], row["in_doubt"]) == (end["done"], held, 0)
    assert run_here("run", "export", "--out", str(tmp_path / "o.jsonl")).code == 0
    assert not sandbox.ledger.repeats()
    rows = rows_of(tmp_path / "o.jsonl")
    assert len({str(row["input"]).lower() for row in rows}) == len(rows) == count
    times = [one.at for one in sandbox.requests]
    fastest = max(sum(a <= b < a + 1 for b in times) for a in times)
    assert fastest <= 66, "two workers together keep to one rate"


@QUEUES
def test_a_signal_returns_the_rest_to_the_queue(
    dsn: str, start: StartProcess, queue: Queue
) -> None:
    submit_links(dsn, queue, links(40))
    sandbox = ObservedSandbox()
    with running(sandbox) as url:
        worker = start("worker", "--queue", queue, "--rate", "5/s", url=url)
        sandbox.wait_for(4)
        began = time.monotonic()
        worker.popen.send_signal(signal.SIGINT)
        found = worker.end()
        assert (found.code, time.monotonic() - began < 5.5) == (130, True), found.err
        assert "Traceback" not in found.err
        half = eventually(dsn, lambda found: not found.get("sent"))
        assert (half.get("in_doubt", 0), 0 < half["done"] < 40) == (0, True), "nothing is in doubt"
        if queue == "pgqueuer":  # the test above continues with other workers
            return
        assert submit_links(dsn, queue, links(40)) == 1
        start("worker", "--queue", queue, "--rate", "none", url=url)
        eventually(dsn, lambda found: found == {"done": 40})
    assert not sandbox.ledger.repeats()


def test_a_missing_answer_leaves_a_lookup_in_doubt_and_a_summary(
    dsn: str, start: StartProcess, run_here: RunHere
) -> None:
    submit_links(dsn, "pgqueuer", links(5))
    sandbox = ObservedSandbox()
    with running(sandbox) as url:
        worker = start("worker", "--rate", "2/s", "--concurrency", "1", url=url)
        eventually(dsn, lambda found: found.get("done", 0) == 1)
        sandbox.answering.clear()
        eventually(dsn, lambda found: found.get("sent", 0) == 1)
        worker.popen.send_signal(signal.SIGTERM)
        found = worker.end()
        sandbox.answering.set()
    assert (found.code, "requests, " in found.err) == (143, True), found.err
    (row,) = run_here("run", "status").rows
    assert (row["sent"], row["in_doubt"]) == (0, 1)


def test_a_worker_looks_websites_up(
    dsn: str, start: StartProcess, run_here: RunHere, tmp_path: Path
) -> None:
    out = tmp_path / "o.jsonl"
    targets = [parse_website(one) for one in ("acme.com", "missing-x.com", "https://ACME.com/a")]
    anyio.run(submit, dsn, [("website", one) for one in targets if one is not None])
    with running(ObservedSandbox()) as url:
        start("worker", "--rate", "none", url=url)
        eventually(dsn, lambda found: found == {"done": 2})
    assert run_here("run", "export", "--out", str(out)).code == 0
    found = sorted((row["kind"], row["status"]) for row in rows_of(out))
    assert found == [("website", "found"), ("website", "not_found")]


def test_a_budget_ends_the_worker(
    dsn: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit_links(dsn, "procrastinate", links(10))
    with running(ObservedSandbox(credits={"standard": 5})) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        worker = ("worker", "--queue", "procrastinate", "--rate", "none")
        budget = run_here(*worker, "--max-credits", "2")
    assert (budget.code, "raise --max-credits" in budget.err) == (4, True), budget.err
    done = eventually(dsn, lambda found: not found.get("sent"))
    assert (done.get("done"), done.get("in_doubt")) == (2, None)


def test_invalid_settings_are_reported_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgres, "OPENING_TIMEOUT", 0.0)
    monkeypatch.delenv("LIX_STORE", raising=False)
    monkeypatch.setenv("LIX_BASE_URL", "http://127.0.0.1:9")
    unreachable = "postgresql://me:s3cret@127.0.0.1:9/x"
    for arguments in (
        (),
        ("--store", "file.db"),
        ("--store", unreachable, "--concurrency", "0"),
        ("--store", unreachable, "--heartbeat", "0"),
        ("--store", unreachable, "--rate", "fast"),
    ):
        assert main(["worker", *arguments]) == 2
    assert main(["worker", "--store", unreachable, "--rate", "none"]) == 1
    assert "s3cret" not in "".join(capsys.readouterr())
    with pytest.raises(CommandError, match="is a file"):
        submit_links("file.db", "pgqueuer", links(1))
    with pytest.raises(CommandError, match="cannot be used"):
        submit_links(unreachable, "pgqueuer", links(1))


def test_inputs_are_queued_as_given() -> None:
    def given(text: str, kind: str | None = None) -> object:
        found = parse_target(text)
        assert found is not None
        return method_input(kind or found.kind, found)  # type: ignore[arg-type]  # a kind

    assert given("https://UK.linkedin.com/in/Ada/?x=1") == "https://UK.linkedin.com/in/Ada/?x=1"
    assert given("mailto:Ada@example.com", "person") == {"email": "Ada@example.com"}
    assert given("https://www.linkedin.com/company/acme") == "https://www.linkedin.com/company/acme"
    sales = "https://www.linkedin.com/sales/company/17"
    assert given(sales) == {"sales_nav_url": sales}
    assert given("https://www.linkedin.com/in/ada", "email") == "https://www.linkedin.com/in/ada"


def test_the_name_of_the_limiter_does_not_reveal_the_key() -> None:
    assert limiter_name("key", "u") == limiter_name("key", "u") != limiter_name("key", "v")
    assert "sesame" not in limiter_name("sesame", "u")
