"""What a rate that processes share gives them: how much of it, how evenly, who waits for whom.

For each store on a real server: four processes with five waiters each at 50 per second; then
three processes of bulk and one caller who wants a single turn now and then. Ten seconds for each,
`--quick` for three, `--seconds=120` for the campaign. Names of stores choose among them.
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
from _harness import QUICK, table, verdict

from lix_async import RateLimit
from lix_async.limiters import PostgresLimiter, RedisLimiter, SqliteLimiter

KINDS = {"sqlite": SqliteLimiter, "redis": RedisLimiter, "postgres": PostgresLimiter}
RATE = 50
PROCESSES, WAITERS = 4, 5
NAMED = [word.partition("=")[2] for word in sys.argv if word.startswith("--seconds=")]
SECONDS = 3.0 if QUICK else float(NAMED[0]) if NAMED else 10.0


async def turns(kind: str, where: str, name: str, bulk: str, seconds: float) -> None:
    """What one process does when it is told to: prints the moments of its turns."""
    moments: list[float] = []
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.time() + seconds
    async with KINDS[kind](where, name, RateLimit(RATE, per=1.0)) as limiter:
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
    """That many processes; their turns are in the list at the end of the block."""
    program = [sys.executable, __file__, "--turns", kind, where, name, bulk, repr(SECONDS)]
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
    """The most turns within any second."""
    ends = (bisect_left(moments, first + 1.0) for first in moments)
    return max(end - start for start, end in enumerate(ends))


async def visitor(kind: str, where: str, name: str) -> list[float]:
    """How long somebody waited who wanted one turn now and then."""
    waits: list[float] = []
    async with KINDS[kind](where, name, RateLimit(RATE, per=1.0)) as limiter:
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
        waits = anyio.run(visitor, kind, where, "mixed")
    bulk = sorted(moment for moments in runs for moment in moments)
    used = (len(bulk) + len(waits)) / (bulk[-1] - bulk[0]) / RATE
    slow = statistics.quantiles(waits, n=20)[-1]
    verdict(f"{kind}: share of the limit left unused", (1 - share) * 100, "%", aim=1.0)
    verdict(f"{kind}: turns in the worst second", worst_second(together), "of 50", aim=51)
    verdict(f"{kind}: shares of the processes differ by", spread * 100, "%", aim=10)
    waited = statistics.median(waits)
    verdict(f"{kind}: a caller beside three bulk processes waits", waited, "s", aim=0.2)
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
    heads = ["store", "used", "worst s", "spread", "median wait", "95 %", "used, mixed", "worst s"]
    table(f"50 per second, {SECONDS:g} s", heads, rows)


if __name__ == "__main__":
    if "--turns" in sys.argv:
        *names, seconds = sys.argv[2:]
        anyio.run(turns, *names, float(seconds))
    else:
        main()
