"""`lix worker`: several processes over one PostgreSQL keep one rate, lose nothing, pay once."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import psycopg
import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.cli import main
from lix_async.cli.commands.worker import name_for
from lix_async.cli.errors import CommandError
from lix_async.cli.input.targets import method_input, parse_target
from lix_async.cli.queue import Queue
from lix_async.cli.queue import queue_lookups as submit
from lix_async.sandbox import running

from .sandbox_helpers import PATIENCE, Process, Result, Watched, environment, rows_of

NUMBERS = itertools.count(1)
QUEUES = pytest.mark.parametrize("queue", ["pgqueuer", "procrastinate"])
Start = Callable[..., Process]
Here = Callable[..., Result]


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:  # noqa: F811  # the fixture
    """A database of this test's own."""
    name = f"worker_{next(NUMBERS)}"
    with psycopg.connect(postgres_dsn, autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}")
        yield postgres_dsn.replace("/postgres?", f"/{name}?")
        line.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def play(dsn: str, tmp_path: Path) -> Iterator[Start]:
    """`lix` as a process over that database, against a sandbox."""
    begun: list[Process] = []

    def run(*arguments: str, url: str) -> Process:
        env = environment(url, LIX_STORE=dsn)
        process = Process(*arguments, env=env, cwd=tmp_path)
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.close()


@pytest.fixture
def here(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """`lix` in this process over that database."""
    monkeypatch.setenv("LIX_STORE", dsn)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def hand_in(dsn: str, queue: Queue, texts: list[str]) -> int:
    found = [one for text in texts if (one := parse_target(text)) is not None]

    async def work() -> int:
        return await submit(dsn, [(one.kind, one) for one in found], queue)

    return anyio.run(work)


def links(count: int) -> list[str]:
    return [f"https://www.linkedin.com/in/someone-{number}" for number in range(count)]


def eventually(dsn: str, reached: Callable[[dict[int, int]], bool]) -> dict[int, int]:
    """Entries by status (3 is done, 5 in doubt), once they are so."""
    until = time.monotonic() + PATIENCE
    with psycopg.connect(dsn, autocommit=True) as line:
        while True:
            try:
                rows = line.execute(
                    "SELECT status, count(*) FROM lix_async.call GROUP BY status"
                ).fetchall()
            except psycopg.errors.UndefinedTable:
                rows = []
            if reached(found := {int(row[0]): int(row[1]) for row in rows}):
                return found
            assert time.monotonic() < until, f"waited in vain: {found}"


def test_two_workers_one_killed_parked_and_exported(
    dsn: str, play: Start, here: Here, tmp_path: Path
) -> None:
    """By PgQueuer; tests/integrations kills a worker of Procrastinate's."""
    count, queue = 200, "pgqueuer"
    spelled = [link.replace("www.", "uk.").replace("someone", "SOMEONE") for link in links(60)]
    assert hand_in(dsn, queue, [*links(count), *spelled]) == -(-(count + 60) // 50)
    sandbox = Watched()
    with running(sandbox) as url:
        options = ("worker", "--queue", queue, "--rate", "60/s", "--heartbeat", "1.5")
        doomed, other = play(*options, url=url), play(*options, url=url)
        eventually(dsn, lambda found: found.get(3, 0) >= 20)
        doomed.popen.kill()
        assert here("run", "park", "--reason", "lunch").code == 0
        while sandbox.came.acquire(timeout=0.5):  # they look every two seconds
            assert len(sandbox.requests) < count, "they stand still before the end"
        assert here("run", "status").rows[0]["parked"] == "lunch"
        assert here("run", "resume").code == 0
        end = eventually(
            dsn, lambda found: found.get(3, 0) + found.get(5, 0) == count and len(found) <= 2
        )
        other.popen.send_signal(signal.SIGTERM)
        stopped = other.end()
    assert (stopped.code, "stopped" in stopped.err) == (143, True), stopped.err
    held = end.get(5, 0)
    assert held <= 4, "what the killed worker had under way, at most"
    assert here("run", "doubts", "--drop").code == 0
    (told,) = here("run", "status").rows
    assert (told["done"], told["refused"], told["in_doubt"]) == (end[3], held, 0)
    assert here("run", "export", "--out", str(tmp_path / "o.jsonl")).code == 0
    assert not sandbox.ledger.repeats()
    rows = rows_of(tmp_path / "o.jsonl")
    assert len({str(row["input"]).lower() for row in rows}) == len(rows) == count
    times = [fact.at for fact in sandbox.requests]
    fastest = max(sum(a <= b < a + 1 for b in times) for a in times)
    assert fastest <= 66, "two workers together keep the one rate"


@QUEUES
def test_a_signal_gives_the_rest_back(dsn: str, play: Start, queue: Queue) -> None:
    hand_in(dsn, queue, links(40))
    sandbox = Watched()
    with running(sandbox) as url:
        worker = play("worker", "--queue", queue, "--rate", "5/s", url=url)
        sandbox.wait_for(4)
        began = time.monotonic()
        worker.popen.send_signal(signal.SIGINT)
        found = worker.end()
        assert (found.code, time.monotonic() - began < 5.5) == (130, True), found.err
        assert "Traceback" not in found.err
        half = eventually(dsn, lambda found: not found.get(1))
        assert (half.get(5, 0), 0 < half[3] < 40) == (0, True), "nothing is in doubt"
        if queue == "pgqueuer":  # its successors are in the test above
            return
        assert hand_in(dsn, queue, links(40)) == 1
        play("worker", "--queue", queue, "--rate", "none", url=url)
        eventually(dsn, lambda found: found == {3: 40})
    assert not sandbox.ledger.repeats()


def test_an_answer_that_does_not_come_leaves_a_doubt_and_the_closing_line(
    dsn: str, play: Start, here: Here
) -> None:
    hand_in(dsn, "pgqueuer", links(5))
    sandbox = Watched()
    with running(sandbox) as url:
        worker = play("worker", "--rate", "2/s", "--concurrency", "1", url=url)
        eventually(dsn, lambda found: found.get(3, 0) == 1)
        sandbox.gate.clear()
        eventually(dsn, lambda found: found.get(1, 0) == 1)
        worker.popen.send_signal(signal.SIGTERM)
        found = worker.end()
        sandbox.gate.set()
    assert (found.code, "requests, " in found.err) == (143, True), found.err
    (told,) = here("run", "status").rows
    assert (told["sent"], told["in_doubt"]) == (0, 1)


def test_what_stops_everything_ends_it(
    dsn: str, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(dsn, "procrastinate", links(10))
    with running(Watched(credits={"standard": 5})) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        worker = ("worker", "--queue", "procrastinate", "--rate", "none")
        budget = here(*worker, "--max-credits", "2")
    assert (budget.code, "raise --max-credits" in budget.err) == (4, True), budget.err
    done = eventually(dsn, lambda found: not found.get(1))
    assert (done.get(3), done.get(5)) == (2, None)


def test_what_cannot_work_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LIX_STORE", raising=False)
    monkeypatch.setenv("LIX_BASE_URL", "http://127.0.0.1:9")
    nowhere = "postgresql://me:s3cret@127.0.0.1:9/x"
    for arguments in (
        (),
        ("--store", "file.db"),
        ("--store", nowhere, "--concurrency", "0"),
        ("--store", nowhere, "--heartbeat", "0"),
        ("--store", nowhere, "--rate", "fast"),
    ):
        assert main(["worker", *arguments]) == 2
    assert main(["worker", "--store", nowhere, "--rate", "none"]) == 1
    assert "s3cret" not in "".join(capsys.readouterr())
    with pytest.raises(CommandError, match="is a file"):
        hand_in("file.db", "pgqueuer", links(1))
    with pytest.raises(CommandError, match="cannot be used"):
        hand_in(nowhere, "pgqueuer", links(1))


def test_inputs_go_as_they_were_given() -> None:
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


def test_the_limiters_name_tells_nothing_of_the_key() -> None:
    assert name_for("key", "u") == name_for("key", "u") != name_for("key", "v")
    assert "sesame" not in name_for("sesame", "u")
