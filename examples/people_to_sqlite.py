"""Enrich a file of profile links. Every answer is in the ledger before it is used.

Interrupt it in any way and run it again: what was bought comes back from `people.db` for free.
"""

import asyncio
import sys
from pathlib import Path

from lix_async import AsyncLix, bulk


async def main(lix: AsyncLix, links: list[str], ledger: str = "people.db") -> bulk.Report:
    run = bulk.Run(ledger, lix.people.get, links)
    async for outcome in run:
        person = outcome.value
        print(outcome.input, outcome.state, person.name if person else outcome.error)
    return run.report()


async def run() -> None:
    async with AsyncLix() as lix:
        report = await main(lix, Path(sys.argv[1]).read_text().split())
        print(f"{report.progress.done} done for {report.progress.credits} credits")


if __name__ == "__main__":
    asyncio.run(run())
