"""How much of the allowed rate is used, and how many requests a strict server refuses.

The server is a process of its own. It counts requests as they come and refuses with 429 what is
more than 50 requests in any second, the rate of LookC (lookc.md#basics); refused requests count
too. The share is that of the rate after the limiter's margin: 100 % is one request per interval.
Each row is a fresh client process, ten seconds long, five with `--quick`, or `--seconds=60`. Names
of rows as arguments select some. Measure on a machine that does nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import anyio
from _harness import QUICK, report, table

from lix_async import AsyncLix, RateLimit
from lix_async.concurrency.clock import RealClock
from lix_async.core.wire import HttpRequest
from lix_async.engine.transport import SendTimestamp
from lix_async.limiters import SqliteLimiter

RATE = RateLimit(50, per=1.0)
CALLERS = 16
NAMED = [word.partition("=")[2] for word in sys.argv if word.startswith("--seconds=")]
SECONDS = float(NAMED[0]) if NAMED else 5.0 if QUICK else 10.0
LATE = 1.0
"""Seconds after its permit at which the one late request leaves."""
BODY = b'{"requestsRemaining": 1}'
REFUSAL = b'{"error": {"type": "rate_limit", "message": "too fast"}}'


class Row(NamedTuple):
    """What a row does differently."""

    name: str
    processes: int = 1
    options: tuple[str, ...] = ()


ROWS = (
    Row("warm", options=("warm",)),
    Row("cold"),
    Row("1 ms late timers", options=("warm", "timers")),
    Row("connection closed each time", options=("warm", "close")),
    Row("one late request", options=("warm", "late")),
    Row("four processes", 4, ("warm", "shared")),
)


class RequestLog:
    """When requests came to the strict server."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.refusals = 0
        self._recent: deque[float] = deque(maxlen=int(RATE.requests))

    def refuses(self, now: float) -> bool:
        """Record a request; return whether it is one too many."""
        recent = self._recent
        refused = len(recent) == recent.maxlen and now - recent[0] < RATE.per
        recent.append(now)
        self.moments.append(now)
        self.refusals += refused
        return refused


class StrictProtocol(asyncio.Protocol):
    """One connection to the strict server."""

    def __init__(self, log: RequestLog, closes: bool) -> None:
        self._log = log
        self._closes = closes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._buffer.endswith(b"\r\n\r\n"):
            return
        self._buffer = b""
        refused = self._log.refuses(time.perf_counter())
        body = REFUSAL if refused else BODY
        head = f"HTTP/1.1 {'429 Too Many Requests' if refused else '200 OK'}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        head += "connection: close\r\n\r\n" if self._closes else "\r\n"
        self._transport.write(head.encode() + body)  # type: ignore[attr-defined]
        if self._closes:
            self._transport.close()  # type: ignore[attr-defined]


async def serve() -> None:
    """Serve until stdin is closed, then print what came."""
    log, closes = RequestLog(), "close" in sys.argv
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: StrictProtocol(log, closes), "127.0.0.1", 0, backlog=512
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps([log.moments, log.refusals]))


class LateClock(RealClock):
    """A clock whose timers are a millisecond late, besides what the machine's are."""

    @staticmethod
    async def sleep(seconds: float) -> None:
        await anyio.sleep(seconds + 0.001)


async def call(url: str, options: list[str], where: str) -> None:
    """Make calls when a line arrives on stdin: one process."""
    limiter = SqliteLimiter(where, "pace", RATE) if "shared" in options else RATE
    clock = LateClock() if "timers" in options else RealClock()
    print("ready", flush=True)
    await anyio.to_thread.run_sync(sys.stdin.readline)
    async with AsyncLix("key", base_url=url, rate_limit=limiter, clock=clock) as lix:
        if "warm" in options:
            await lix.account.daily_allowance()
        end = time.monotonic() + SECONDS
        if "late" in options:
            exchange, calls = lix.engine.transport.exchange, 0

            async def late_once(request: HttpRequest, sent_at: SendTimestamp) -> object:
                nonlocal calls
                calls += 1
                if calls == 2 * CALLERS:
                    await anyio.sleep(LATE)
                return await exchange(request, sent_at)

            lix.engine.transport.exchange = late_once

        async def caller() -> None:
            while time.monotonic() < end:
                await lix.account.daily_allowance()

        async with anyio.create_task_group() as group:
            for _ in range(CALLERS):
                group.start_soon(caller)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this program, after its first line."""
    program = [sys.executable, __file__, *arguments, f"--seconds={SECONDS}"]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def measure(row: Row) -> tuple[float, int]:
    """The share of the rate that was used, and the requests that were refused."""
    with tempfile.TemporaryDirectory() as folder, running("--serve", *row.options) as server:
        assert server.stdout is not None  # piped
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        where = str(Path(folder) / "rate.db")
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(running("--call", url, where, *row.options))
                for _ in range(row.processes)
            ]
            for client in clients:
                assert client.stdout is not None  # piped
                client.stdout.readline()
            for client in clients:
                assert client.stdin is not None  # piped
                client.stdin.write("go\n")
                client.stdin.flush()
            for client in clients:
                client.wait(timeout=SECONDS + 60)
        moments, refusals = json.loads(server.communicate()[0])
    return (len(moments) - 1) * RATE.interval / (moments[-1] - moments[0]), refusals


def main() -> None:
    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    rows = [row for row in ROWS if not names or row.name in names]
    found = {row.name: measure(row) for row in rows}
    table(
        f"50 requests per second, {SECONDS:g} s each",
        ["", "share of the rate", "refusals"],
        [[name, f"{share:.1%}", str(refusals)] for name, (share, refusals) in found.items()],
    )
    report("pace: least share not used", (1 - min(x for x, _ in found.values())) * 100, "%", 1)
    report("pace: refusals by a strict server", sum(x for _, x in found.values()), "requests", 0)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve())
    elif "--call" in sys.argv:
        at = sys.argv.index("--call")
        anyio.run(call, sys.argv[at + 1], sys.argv[at + 3 :], sys.argv[at + 2])
    else:
        main()
