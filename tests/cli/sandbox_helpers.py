"""What the tests of the command share: a sandbox that can be watched, and ways to run `lix`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lix_async.sandbox import Sandbox
from lix_async.sandbox.protocol.requests import IncomingRequest
from lix_async.sandbox.protocol.responses import SandboxResponse

PATIENCE = 30.0
"""Seconds after which a test that waits for something gives up."""
FULL = "https://www.linkedin.com/search/results/people/?keywords=engineer%20total:137"
"""A search that finds 137 people, ten on a page."""


class Watched(Sandbox):
    """A sandbox that tells how many requests have come, and can hold back the next answers."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**{"people": 300, "organisations": 40, "rate": None, **settings})  # type: ignore[arg-type]
        self.came = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def handle(self, arrival: IncomingRequest) -> SandboxResponse:
        reply = super().handle(arrival)
        self.came.release()
        if not self.gate.wait(PATIENCE):
            raise TimeoutError("nobody opened the gate")
        return reply

    def reset(self) -> None:
        super().reset()
        self.came = threading.Semaphore(0)
        self.gate.set()

    def wait_for(self, requests: int) -> None:
        """Return when that many further requests have come."""
        for _ in range(requests):
            assert self.came.acquire(timeout=PATIENCE), "a request was waited for in vain"


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

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
    """This process's environment without a key, and with an address if there is one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIX_")}
    kept["PYTHONWARNINGS"] = "error"
    return {**kept, **({"LIX_BASE_URL": url} if url else {}), **more}


class Process:
    """`lix` as a process of its own."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str],
        cwd: Path,
        stdin: IO[bytes] | int | None = subprocess.DEVNULL,
        umask: int = -1,
    ) -> None:
        self.env = dict(env)
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "lix_async", *arguments],
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            umask=umask,
        )

    def close(self) -> None:
        """Leave nothing behind, whatever became of it."""
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdout, self.popen.stderr):
            if pipe is not None:
                pipe.close()

    def end(self, given: bytes | None = None) -> Result:
        """Wait for its end."""
        try:
            out, err = self.popen.communicate(given, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            out, err = self.popen.communicate()
            raise AssertionError(f"lix did not end: {err.decode()}") from None
        return Result(self.popen.returncode, out.decode(), err.decode())
