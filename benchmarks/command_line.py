"""The start of the `lix` command, compared with another checkout: --base PATH.

Processes of both checkouts in alternation, with compiled files in folders of their own:

* `lix --version`, and `lix person LINK` against a sandbox: CPU time of the process.
* `lix sandbox`: the time until it answers its first request.
* a request to that sandbox on a connection that is kept open: the time until its answer.

A checkout to compare with: `git worktree add PATH COMMIT`. Without one, only times are shown.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from _harness import ROOT, Race, count, report, table

LINK = "https://www.linkedin.com/in/ada-example"
VERSION, PERSON, READY, REQUEST = "lix --version", "lix person", "lix sandbox", "a request"
AIMS = {VERSION: 0.35, PERSON: 0.6, READY: 0.4, REQUEST: None}
REQUESTS = 20
"""Requests on one connection per round."""


class Checkout:
    """A checkout of the package, whose command is run in processes."""

    def __init__(self, name: str, path: Path, compiled: str) -> None:
        self.name = name
        self._path = path
        self._env = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "LIX_"))}
        self._env |= {"PYTHONPATH": str(path), "PYTHONPYCACHEPREFIX": f"{compiled}/{name}"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "lix_async", *arguments],
            cwd=self._path,
            env=self._env,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cpu(self, *arguments: str) -> float:
        """The CPU seconds of a command."""
        process = self.start(*arguments)
        assert process.stdout is not None  # piped
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode:
            raise SystemExit(f"{self.name}: lix {' '.join(arguments)} ended with {status}")
        return usage.ru_utime + usage.ru_stime

    @contextmanager
    def sandbox(self) -> Iterator[str]:
        """The URL of a sandbox, once it answers."""
        with self.start("sandbox", "--port", "0", "--rate", "none") as process:
            assert process.stdout is not None  # piped
            try:
                url = process.stdout.readline().split()[-1]
                self.request(http.client.HTTPConnection(urlsplit(url).netloc))
                yield url
            finally:
                process.send_signal(signal.SIGTERM)

    @staticmethod
    def request(connection: http.client.HTTPConnection, path: str = "/") -> None:
        """Send a request, and read its answer."""
        connection.request("GET", path, headers={"Authorization": "sandbox-key"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} was answered with {answer.status}")


def one_round(checkout: Checkout) -> dict[str, float]:
    """Seconds by what is measured."""
    found = {VERSION: checkout.cpu("--version")}
    began = time.perf_counter()
    with checkout.sandbox() as url:
        found[READY] = time.perf_counter() - began
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        began = time.perf_counter()
        for _ in range(REQUESTS):
            checkout.request(connection, "/v1/person?profile_link=" + LINK)
        found[REQUEST] = (time.perf_counter() - began) / REQUESTS
        found[PERSON] = checkout.cpu(
            "person", LINK, "--base-url", url, "--rate", "none", "--store", "none"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path, help="the checkout to compare with")
    parser.add_argument("--quick", action="store_true")
    base = parser.parse_args().base
    paths = {"this": ROOT} | ({"base": base.resolve()} if base else {})
    with tempfile.TemporaryDirectory() as compiled:
        checkouts = [Checkout(name, path, compiled) for name, path in paths.items()]
        for checkout in checkouts:
            one_round(checkout)  # compiles
        rounds = [
            {one.name: one_round(one) for one in checkouts[:: 1 if number % 2 else -1]}
            for number in range(count(11, 3))
        ]
    for what, aim in AIMS.items():
        race = Race({name: [found[name][what] for found in rounds] for name in paths})
        table(what, ["", "ms", "least", "most"], race.rows(1e3))
        if base:
            report(f"{what}, times the base", race.ratio("this", "base").median, "", aim)


if __name__ == "__main__":
    main()
