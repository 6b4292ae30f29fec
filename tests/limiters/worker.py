"""A process that takes permits of a shared rate when a line arrives, and prints their moments."""

from __future__ import annotations

import sys
import time

import anyio

from lix_async import RateLimit
from lix_async.limiters import PostgresLimiter, RedisLimiter, SqliteLimiter

KINDS = {"redis": RedisLimiter, "postgres": PostgresLimiter, "sqlite": SqliteLimiter}


async def main(kind: str, where: str, name: str, seconds: float) -> None:
    permits: list[float] = []
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    begin = time.time()
    async with KINDS[kind](where, name, RateLimit(50, per=1.0)) as limiter:

        async def one() -> None:
            while time.time() < begin + seconds:
                await limiter.acquire()
                permits.append(time.time())

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one)
    print(*permits)  # noqa: T201


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:4], float(sys.argv[4]))
