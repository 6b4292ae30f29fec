"""Equal calls of several processes over one ledger, and a process that dies with its request out.

The witness is the vendor's own list of what it charged for.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, cast

import pytest
from preloaded import PROGRAM, start

from lix_async.sandbox import Sandbox

from .test_kill import shared

__all__ = ["shared"]
PROCESSES, CALLS = 4, 25
Vendor = tuple[Sandbox, str]
backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])


class Worker:
    """A process that is ready to make its calls."""

    def __init__(self, ledger: str, url: str, backend: str, calls: int = CALLS) -> None:
        program = str(Path(__file__).with_name("cache_worker.py"))
        self.process = start(
            [program, ledger, url, str(calls), backend],
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._in = cast("IO[str]", self.process.stdin)
        self._out = cast("IO[str]", self.process.stdout)

    def ready(self) -> None:
        assert self._out.readline() == "ready\n"

    def go(self) -> None:
        self._in.write("\n")
        self._in.flush()

    def counts(self) -> list[int]:
        """Calls answered, different answers, answers bought, calls that cost nothing."""
        found = [int(word) for word in self._out.readline().split()]
        self.close()
        return found

    def close(self) -> None:
        with self.process:
            pass


@backends
def test_equal_calls_of_four_processes_cost_one_credit(
    shared: str,
    vendor: Vendor,
    backend: str,
) -> None:
    sandbox, url = vendor
    workers = [Worker(shared, url, backend) for _ in range(PROCESSES)]
    for worker in workers:
        worker.ready()
    for worker in workers:
        worker.go()
    found = [worker.counts() for worker in workers]
    assert [one[:2] for one in found] == [[CALLS, 1]] * PROCESSES
    assert sum(bought for _, _, bought, _ in found) == 1
    assert sum(free for _, _, _, free in found) == PROCESSES * CALLS - 1
    assert len(sandbox.ledger) == 1


class _Handler(BaseHTTPRequestHandler):
    server: _Holding

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.arrived.set()
        if self.server.requests == 1:
            self.server.may_end.wait()
            self.close_connection = True
            return
        body = b'{"name": "Example Person", "link": "https://www.linkedin.com/in/someone-1"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Holding(ThreadingHTTPServer):
    """Never answers its first request."""

    requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrived = threading.Event()
        self.may_end = threading.Event()


@contextmanager
def holding() -> Iterator[tuple[_Holding, str]]:
    with _Holding() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.may_end.set()
            server.shutdown()
            thread.join()


@backends
def test_the_process_that_has_sent_is_killed(shared: str, backend: str) -> None:
    with holding() as (server, url):
        first = Worker(shared, url, backend)
        first.ready()
        first.go()
        assert server.arrived.wait(30)
        others = [Worker(shared, url, backend) for _ in range(2)]
        for other in others:
            other.ready()
            other.go()
        first.process.kill()
        first.close()
        found = [other.counts() for other in others]
        assert [one[:2] for one in found] == [[CALLS, 1]] * 2
        assert sum(bought for _, _, bought, _ in found) == 1
        assert server.requests == 2, "what was in doubt was asked for once more"
