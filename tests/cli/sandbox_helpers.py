"""Helpers: a sandbox that can be observed and paused, and ways to run `lix`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from preloaded import COMMAND, start

from lix_async.sandbox import Sandbox
from lix_async.sandbox.protocol.requests import IncomingRequest
from lix_async.sandbox.protocol.responses import SandboxResponse

TIMEOUT = 30.0
"""Seconds that a test waits for something at most."""
FULL = "https://www.linkedin.com/search/results/people/?keywords=engineer%20total:137"
"""A search that finds 137 people, ten on a page."""


class ObservedSandbox(Sandbox):
    """A sandbox that counts requests, and can withhold its answers."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**{"people": 300, "organisations": 40, "rate": None, **settings})  # type: ignore[arg-type]
        self.received = threading.Semaphore(0)
        self.answering = threading.Event()
        self.answering.set()
        self._unanswered_after: threading.Semaphore | None = None

    def withhold_after(self, requests: int) -> None:
        """Withhold answers after that many requests, whenever they come."""
        self._unanswered_after = threading.Semaphore(requests)

    def handle(self, request: IncomingRequest) -> SandboxResponse:
        reply = super().handle(request)
        left = self._unanswered_after
        if left is not None and not left.acquire(blocking=False):
            self._unanswered_after = None
            self.answering.clear()
        self.received.release()
        if not self.answering.wait(TIMEOUT):
            raise TimeoutError("answers were withheld too long")
        return reply

    def reset(self) -> None:
        super().reset()
        self.received = threading.Semaphore(0)
        self._unanswered_after = None
        self.answering.set()

    def wait_for(self, requests: int) -> None:
        """Return when that many more requests have been received."""
        for _ in range(requests):
            assert self.received.acquire(timeout=TIMEOUT), "no request was received"


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, object]]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def rows_of(path: Path) -> list[dict[str, object]]:
    """A file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def environment(url: str | None = None, **more: str) -> dict[str, str]:
    """The environment of this process, without a key, and with a base URL if one is given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIX_")}
    inherited["PYTHONWARNINGS"] = "error"
    return {**inherited, **({"LIX_BASE_URL": url} if url else {}), **more}


QUICK = """
from lix_async.bulk import admission
from lix_async.cli import main
from lix_async.cli.runtime import session
from lix_async.concurrency.worker_pool import WorkerPool
from lix_async.ledger.postgres import PostgresLedgerConnection
from lix_async.ledger.store import Store
PostgresLedgerConnection.grace, Store.beat_every = 4.0, 0.5
admission.PARK_CHECK_INTERVAL, session.DRAIN_PERIOD = 0.5, 1.0
WorkerPool.aclose.__defaults__ = (1.0,)
raise SystemExit(main())
"""
"""`lix` that notices a dead owner or a parked ledger sooner, and waits less for lost answers."""


class Process:
    """`lix` in its own process; `fresh`: in an interpreter that has imported nothing before."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str],
        cwd: Path,
        stdin: IO[bytes] | int | None = subprocess.DEVNULL,
        umask: int = -1,
        program: Sequence[str] = ("-m", "lix_async"),
        fresh: bool = False,
        modules: Sequence[str] = COMMAND,
    ) -> None:
        self.env = dict(env)
        options: dict[str, Any] = {
            "env": dict(env),
            "cwd": cwd,
            "umask": umask,
            "stdin": stdin,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        line = [*program, *arguments]
        started = subprocess.Popen([sys.executable, *line], **options) if fresh else None
        self.popen = started or start(line, modules, **options)

    def close(self) -> None:
        """Kill the process if it is running, and close its pipes."""
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdout, self.popen.stderr):
            if pipe is not None:
                pipe.close()

    def end(self, given: bytes | None = None) -> Result:
        """Wait for the end of the process."""
        try:
            out, err = self.popen.communicate(given, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            out, err = self.popen.communicate()
            raise AssertionError(f"lix did not end: {err.decode()}") from None
        return Result(self.popen.returncode, out.decode(), err.decode())


@contextmanager
def sandbox_process(cwd: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """`lix sandbox` as a process; yields the variables that it prints."""
    process = Process("sandbox", "--port", "0", *arguments, env=environment(), cwd=cwd)
    try:
        assert process.popen.stdout is not None
        settings: dict[str, str] = {}
        for raw in iter(process.popen.stdout.readline, b""):
            line = raw.decode()
            if line.startswith("  export "):
                settings |= dict(word.split("=", 1) for word in line.split()[1:])
            if "Ctrl-C" in line:
                break
        yield settings
    finally:
        process.close()
