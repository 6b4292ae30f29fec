"""Enrich company links into a CSV file, a few at a time, in their order."""

import asyncio
import csv
import sys
from pathlib import Path

from lix_async import AsyncLix, bulk


async def main(lix: AsyncLix, links: list[str], path: str = "organisations.csv") -> None:
    with Path(path).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["link", "name", "industry", "employees", "website"])
        async with bulk.map(lix.organisations.get, links, ordered=True) as outcomes:
            async for outcome in outcomes:
                if (found := outcome.value) is not None:
                    facts = (found.name, found.industry, found.employee_count, found.website)
                    rows.writerow([outcome.input, *facts])


async def run() -> None:
    async with AsyncLix() as lix:
        await main(lix, Path(sys.argv[1]).read_text().split())


if __name__ == "__main__":
    asyncio.run(run())
