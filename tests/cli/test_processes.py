"""`lix` as a process: exit codes, pipes, signals, and resuming after a kill."""

from __future__ import annotations

import contextlib
import csv
import json
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from preloaded import run

from .sandbox_helpers import FULL, TIMEOUT, ObservedSandbox, Process, Result, environment, rows_of

Start = Callable[..., Process]
SEARCH = ("search", "people", FULL, "--out", "a.jsonl")


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
from lix_async.cli import main
sys.exit(main())
"""


def whole(path: Path) -> bool:
    """Whether a file has every row of the search, each once."""
    rows = rows_of(path)
    return len(rows) == len({json.dumps(row) for row in rows}) == 137


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"]
)
def test_a_stopped_search_is_resumed(
    start: Start, sandbox: ObservedSandbox, tmp_path: Path, number: int, code: int
) -> None:
    process = start(*SEARCH, "--rate", "10/s")
    sandbox.wait_for(3)
    process.popen.send_signal(number)
    stopped = process.end()
    assert stopped.code == code
    *rest, last = stopped.err.splitlines()
    assert "stopped" in rest
    assert shlex.split(last) == ["lix", *SEARCH, "--rate", "10/s", "--resume"]
    assert 0 < len(rows_of(tmp_path / "a.jsonl")) < 137
    again = start(*SEARCH, "--rate", "none", "--resume").end()
    assert (again.code, whole(tmp_path / "a.jsonl")) == (0, True)
    assert len(sandbox.ledger) == 14, "no page is paid for twice"


def test_the_answer_in_flight_is_awaited(
    start: Start, sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    sandbox.answering.clear()
    process = start(*SEARCH, "--rate", "none")
    sandbox.wait_for(1)
    process.popen.send_signal(signal.SIGINT)
    sandbox.answering.set()
    assert process.end().code == 130
    # The page was paid for: it is in the file or in the checkpoint.
    assert start(*SEARCH, "--rate", "none", "--resume").end().code == 0
    assert whole(tmp_path / "a.jsonl")
    assert len(sandbox.ledger) == 14


def test_the_second_signal_ends_the_process(start: Start, sandbox: ObservedSandbox) -> None:
    sandbox.answering.clear()
    process = start(*SEARCH, "--rate", "none")
    sandbox.wait_for(1)
    process.popen.send_signal(signal.SIGTERM)
    code = None
    while code is None:  # pause between signals, so that the process can handle them
        process.popen.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.popen.wait(0.5)
    assert process.end().code in (143, -signal.SIGTERM)


@pytest.mark.parametrize("after", [2, 5])
def test_a_killed_search_is_resumed_without_loss_or_repeat(
    start: Start, sandbox: ObservedSandbox, tmp_path: Path, after: int
) -> None:
    process = start(*SEARCH, "--rate", "20/s")
    sandbox.wait_for(after)
    process.popen.kill()
    assert process.end().code == -signal.SIGKILL
    again = start(*SEARCH, "--rate", "none", "--resume").end()
    assert (again.code, whole(tmp_path / "a.jsonl")) == (0, True), again.err
    assert len(sandbox.ledger) <= 15, "only the page in flight may be paid for again"


def test_a_full_disk_stops_the_search_and_loses_nothing(
    start: Start, sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    process = run(
        ["-c", LIMITED, *SEARCH, "--rate", "none"],
        env=environment(sandbox_url(start)),
        cwd=tmp_path,
        timeout=TIMEOUT,
    )
    assert process.returncode == 1
    assert b"error: cannot write a.jsonl" in process.stderr
    again = start(*SEARCH, "--rate", "none", "--resume").end()
    assert (again.code, whole(tmp_path / "a.jsonl")) == (0, True)
    assert len(sandbox.ledger) == 14


def sandbox_url(start: Start) -> str:
    """The base URL that the processes of a test use."""
    found = start("--version")
    found.end()
    return str(found.env["LIX_BASE_URL"])


def test_a_closed_pipe_ends_the_command_quietly(start: Start, sandbox: ObservedSandbox) -> None:
    process = start("search", "people", FULL, "--rate", "50/s")
    assert process.popen.stdout is not None
    assert process.popen.stdout.readline().startswith(b"{")
    process.popen.stdout.close()
    assert process.popen.stderr is not None
    err = process.popen.stderr.read()
    assert (process.popen.wait(TIMEOUT), err.count(b"\n")) == (0, 1)
    assert err.startswith(b"137 people found")
    assert len(sandbox.ledger) < 14


@pytest.mark.parametrize(
    "arguments", [("--help",), ("call",), ("enrich", "--distinct", "in.txt", "--rate", "none")]
)
def test_a_pipe_closed_at_once_ends_the_command_quietly(
    start: Start, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "in.txt").write_text(
        "".join(f"https://www.linkedin.com/in/p-{n}\n" for n in range(60))
    )
    process = start(*arguments)
    assert process.popen.stdout is not None
    process.popen.stdout.close()
    assert process.popen.stderr is not None
    assert process.popen.stderr.read() == b""
    assert process.popen.wait(TIMEOUT) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("call",),
        ("call", "account.balances"),
        ("person", "https://www.linkedin.com/in/a"),
        ("search", "people", FULL),
        ("search", "people", FULL, "--rate", "none", "--format", "table"),
        ("enrich", "--distinct", "in.txt", "--rate", "none"),
        ("enrich", "--distinct", "in.txt", "--rate", "none", "--format", "table"),
        ("run", "export", "in.db", "--format", "csv"),
        ("--help",),
        ("run", "status", "--help"),
        ("--version",),
    ],
)
def test_an_output_that_cannot_be_written_is_a_plain_error(
    start: Start, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "in.txt").write_text("https://www.linkedin.com/in/a\n")
    if arguments[:2] == ("run", "export"):
        assert (
            start("enrich", "--distinct", "in.txt", "--out", "a.jsonl", "--rate", "none").end().code
            == 0
        )
        arguments = (*arguments[:2], str(next(tmp_path.glob("*.ledger*"))), *arguments[3:])
    with Path("/dev/full").open("wb") as full:
        process = run(
            ["-m", "lix_async", *arguments],
            env=environment(sandbox_url(start)),
            cwd=tmp_path,
            stdout=full,
            timeout=TIMEOUT,
        )
    assert process.stderr.count(b"cannot write the output: No space left on device") == 1
    assert b"Traceback" not in process.stderr
    assert b"Exception ignored" not in process.stderr
    assert process.returncode == 1


def end(*arguments: str, cwd: Path, **env: str) -> Result:
    return Process(*arguments, env=environment(**env), cwd=cwd).end()


@pytest.mark.parametrize(
    "arguments",
    [
        ("account",),
        ("search", "people", FULL),
        ("search", "people", FULL, "--out", "a.csv"),
        ("person", "https://www.linkedin.com/in/a"),
        ("call", "account.balances"),
    ],
)
def test_a_missing_key_is_explained(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    found = end(*arguments, cwd=tmp_path)
    assert found.code == 3
    line, hint = found.err.splitlines()
    assert "LIX_API_KEY" in line
    assert "lix demo" in hint
    assert not list(tmp_path.iterdir())


def test_a_wrong_key_and_a_wrong_url(start: Start, tmp_path: Path) -> None:
    refused = start("person", "https://www.linkedin.com/in/a", "--rate", "none", key="wrong").end()
    assert (refused.code, refused.err.startswith("error: person.get:")) == (3, True)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        lost = end(
            "person",
            "https://www.linkedin.com/in/a",
            "--deadline",
            "1",
            cwd=tmp_path,
            LIX_BASE_URL=url,
        )
    assert (lost.code, len(lost.err.splitlines())) == (6, 2)
    plain = end("account", "--base-url", "http://example.com", cwd=tmp_path, LIX_API_KEY="k")
    assert (plain.code, "https" in plain.err) == (2, True)


def test_files_are_private_with_any_umask(start: Start, tmp_path: Path) -> None:
    found = start(*SEARCH, "--rate", "none", "--limit", "12", umask=0).end()
    assert found.code == 0
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.jsonl.checkpoint"]


def test_a_symbolic_link_is_rejected(start: Start, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "precious")
    found = start(*SEARCH, "--rate", "none").end()
    assert (found.code, "symbolic link" in found.err) == (2, True)
    assert (tmp_path / "precious").read_text() == ""


def test_stopped_lookups_are_resumed(
    start: Start, sandbox: ObservedSandbox, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text(
        "".join(f"https://www.linkedin.com/in/p-{n}\n" for n in range(40))
    )
    process = start("enrich", "--distinct", "in.txt", "--out", "a.csv", "--rate", "20/s")
    sandbox.wait_for(5)
    process.popen.send_signal(signal.SIGINT)
    stopped = process.end()
    assert (stopped.code, "stopped" in stopped.err) == (130, True)
    assert "lix enrich --distinct in.txt" in stopped.err.splitlines()[-1]
    assert (
        start("enrich", "--distinct", "in.txt", "--out", "a.csv", "--rate", "none").end().code == 0
    )
    with (tmp_path / "a.csv").open(newline="") as file:
        assert len({row["input"] for row in csv.DictReader(file)}) == 40
    assert not sandbox.ledger.repeats()


def test_the_sandbox_command_prints_its_url_and_ends_quietly(tmp_path: Path) -> None:
    process = Process("sandbox", "--port", "0", "--rate", "none", env=environment(), cwd=tmp_path)
    assert process.popen.stdout is not None
    lines = iter(process.popen.stdout.readline, b"")
    export = next(line.decode().split() for line in lines if line.startswith(b"  export"))
    settings = dict(word.split("=", 1) for word in export[1:])
    assert settings["LIX_API_KEY"] == "sandbox-key"
    found = end("account", "--rate", "none", cwd=tmp_path, **settings)
    assert (found.code, "50000" in found.out) == (0, True)
    taken = end("sandbox", "--port", settings["LIX_BASE_URL"].rpartition(":")[2], cwd=tmp_path)
    assert (taken.code, "--port 0" in taken.err) == (2, True)
    while b"Ctrl-C" not in next(lines):
        pass
    process.popen.send_signal(signal.SIGINT)
    assert process.end() == Result(0, "", "")


def test_the_demo(tmp_path: Path) -> None:
    found = end("demo", "--people", "60", "--seed", "3", cwd=tmp_path, LIX_API_KEY="not-used")
    assert found.code == 0
    assert "60 people found, 50 profiles read" in found.out
    assert "ledger: equal" in found.out
    assert "failed" not in found.out
    assert "at the rate of Lix, 1 per 3 s" in found.out
    assert found.out.count("  lix ") == 3
    assert "\x1b" not in found.out + found.err
    assert end("demo", "--people", "0", cwd=tmp_path).code == 2


def test_a_stopped_demo_ends_quietly(tmp_path: Path) -> None:
    # A signal during an import leaves a file of the interpreter open.
    env = environment(PYTHONWARNINGS="error,ignore::ResourceWarning")
    process = Process("demo", env=env, cwd=tmp_path, fresh=True)
    assert process.popen.stderr is not None
    assert b"sandbox" in process.popen.stderr.readline()
    process.popen.send_signal(signal.SIGINT)
    found = process.end()
    assert found.code == 130
    assert "Traceback" not in found.err


def test_the_module_and_a_missing_dependency(tmp_path: Path) -> None:
    assert end("--version", cwd=tmp_path).out.startswith("lix_async")
    blocked = (
        "import sys; sys.modules['rich'] = None; from lix_async.cli import main; sys.exit(main())"
    )
    found = subprocess.run(
        [sys.executable, "-c", blocked],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr == 'lix needs rich: pip install "lix_async[cli]"\n'
