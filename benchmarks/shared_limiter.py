"""How well processes use a rate that they share: how much of it, how evenly, how long they wait.

For each backend on a real server: four processes with five callers each at 50 per second; then
three processes of bulk callers and one interactive caller with a request now and then. Ten seconds
for each, three with `--quick`, or `--seconds=120`. Names of backends as arguments select some.
"""

from __future__ import annotations

import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import anyio
from _harness import QUICK, report, table

from lix_async import RateLimit
from lix_async.limiters import PostgresLimiter, RedisLimiter, SqliteLimiter

KINDS = {"sqlite": SqliteLimiter, "redis": RedisLimiter, "postgres": PostgresLimiter}
RATE = 50
PROCESSES, WAITERS = 4, 5
NAMED = [word.partition("=")[2] for word in sys.argv if word.startswith("--seconds=")]
SECONDS = 3.0 if QUICK else float(NAMED[0]) if NAMED else 10.0


async def take_permits(kind: str, where: str, name: str, bulk: str, seconds: float) -> None:
    """Take permits when a line arrives on stdin, and print their moments: one process."""
    moments: list[float] = []
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.time() + seconds
    async with KINDS[kind](where, name, RateLimit(RATE, per=1.0, margin=0.005)) as limiter:
        ask = limiter.bulk.acquire if bulk == "bulk" else limiter.acquire

        async def waiter() -> None:
            while time.time() < end:
                await ask()
                moments.append(time.time())

        async with anyio.create_task_group() as group:
            for _ in range(WAITERS):
                group.start_soon(waiter)
    print(json.dumps(moments))


@contextlib.contextmanager
def processes(
    number: int, kind: str, where: str, name: str, bulk: str
) -> Iterator[list[list[float]]]:
    """Run that many processes; their permits are in the list at the end of the block."""
    program = [sys.executable, __file__, "--permits", kind, where, name, bulk, repr(SECONDS)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(program, **pipes) for _ in range(number)]
    found: list[list[float]] = []
    try:
        for process in started:
            process.stdout.readline()
        for process in started:
            process.stdin.write("go\n")
            process.stdin.flush()
        yield found
        found += [json.loads(process.communicate(timeout=SECONDS + 20)[0]) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


def worst_second(moments: list[float]) -> int:
    """The most permits within any second."""
    ends = (bisect_left(moments, first + 1.0) for first in moments)
    return max(end - start for start, end in enumerate(ends))


async def interactive_caller(kind: str, where: str, name: str) -> list[float]:
    """Take a permit now and then; return the waits."""
    waits: list[float] = []
    async with KINDS[kind](where, name, RateLimit(RATE, per=1.0, margin=0.005)) as limiter:
        until = time.monotonic() + SECONDS - 0.5
        await anyio.sleep(0.2)
        while time.monotonic() < until:
            began = time.monotonic()
            await limiter.acquire()
            waits.append(time.monotonic() - began)
            await anyio.sleep(random.uniform(0.05, 0.35))
    return waits


def measure(kind: str, where: str) -> list[str]:
    with processes(PROCESSES, kind, where, "all", "interactive") as each:
        pass
    together = sorted(moment for moments in each for moment in moments)
    share = (len(together) - 1) / (together[-1] - together[0]) / RATE
    counts = [len(moments) for moments in each]
    spread = (max(counts) - min(counts)) / statistics.mean(counts)
    with processes(PROCESSES - 1, kind, where, "mixed", "bulk") as runs:
        waits = anyio.run(interactive_caller, kind, where, "mixed")
    bulk = sorted(moment for moments in runs for moment in moments)
    used = (len(bulk) + len(waits)) / (bulk[-1] - bulk[0]) / RATE
    slow = statistics.quantiles(waits, n=20)[-1]
    report(f"{kind}: share of the limit left unused", (1 - share) * 100, "%", aim=1.0)
    report(f"{kind}: permits in the worst second", worst_second(together), "of 50", aim=51)
    report(f"{kind}: shares of the processes differ by", spread * 100, "%", aim=10)
    waited = statistics.median(waits)
    report(f"{kind}: a caller next to three bulk processes waits", waited, "s", aim=0.2)
    return [
        kind,
        f"{share:.1%}",
        str(worst_second(together)),
        f"{spread:.1%}",
        f"{waited:.3f}",
        f"{slow:.3f}",
        f"{used:.1%}",
        str(worst_second(bulk)),
    ]


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from servers import make_redis, running_postgres

    chosen = [kind for kind in KINDS if kind in sys.argv] or list(KINDS)
    rows: list[list[str]] = []
    with contextlib.ExitStack() as stack:
        for kind in chosen:
            if kind == "sqlite":
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                where = str(Path(folder) / "rate.db")
            elif kind == "redis":
                server = make_redis()
                server.start()
                stack.callback(server.remove)
                where = server.url
            else:
                where = stack.enter_context(running_postgres())
            rows.append(measure(kind, where))
    heads = [
        "backend",
        "used",
        "worst s",
        "spread",
        "median wait",
        "95 %",
        "used, mixed",
        "worst s",
    ]
    table(f"50 per second, {SECONDS:g} s", heads, rows)


if __name__ == "__main__":
    if "--permits" in sys.argv:
        *names, seconds = sys.argv[2:]
        anyio.run(take_permits, *names, float(seconds))
    else:
        main()
