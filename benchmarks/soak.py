"""Growth of memory and descriptors over many calls, listings and clients."""

from __future__ import annotations

import gc
import os
import resource
import sys
from pathlib import Path

import anyio
from _harness import Memory, count, report, server, table
from _sample_data import KEY, LINK, ROWS, SEARCH, page

from lix_async import AsyncLix

PAGES = 40


def descriptors() -> int:
    """Open files and sockets of this process."""
    here = Path("/proc/self/fd") if sys.platform == "linux" else Path("/dev/fd")
    return len(list(here.iterdir()))


def mebibytes() -> float:
    """Memory in use; on other systems than Linux the maximum so far."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


async def calls(address: str, number: int) -> None:
    """Make many calls with one client, twenty at a time."""
    async with AsyncLix(KEY, base_url=address, rate_limit=None) as lix:

        async def work() -> None:
            for _ in range(number // 20):
                await lix.people.get(LINK)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(work)


async def clients(address: str, number: int) -> None:
    """Open many clients, use each once and close it."""
    for _ in range(number):
        async with AsyncLix(KEY, base_url=address, rate_limit=None) as lix:
            await lix.people.get(LINK)


async def items(_: str, number: int) -> None:
    """Read many listings to their end, on a transport in memory."""
    bodies = [page(number, total=PAGES * ROWS) for number in range(1, PAGES + 1)]
    lix = AsyncLix(KEY, rate_limit=None, http_client=Memory(*bodies))
    for _ in range(number // (PAGES * ROWS)):
        async for _ in lix.search.people(SEARCH):
            pass


async def main() -> None:
    rows, grown = [], {}
    with server() as address:
        for name, act, number in (
            ("clients opened and closed", clients, count(1_000, 200)),
            ("calls of one client", calls, count(20_000, 2_000)),
            ("items of listings", items, count(200_000, 20_000)),
        ):
            await act(address, number // 5)  # warm up: what is created once is not growth
            files, memory = descriptors(), mebibytes()
            await act(address, number)
            files, memory = descriptors() - files, mebibytes() - memory
            grown[f"{number:,} {name}"] = files, memory
            rows.append([f"{number:,} {name}", f"{files:+d}", f"{memory:+.2f}"])
    table("Growth", ["", "descriptors", "MiB"], rows)
    for name, (files, memory) in grown.items():
        report(f"{name}: descriptors", files, "more", 0)
        report(f"{name}: memory", memory, "MiB more", 1)


if __name__ == "__main__":
    anyio.run(main)
