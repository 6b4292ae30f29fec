"""List everybody at an organisation that LookC knows."""

import asyncio
import sys

from lix_async import AsyncLookC


async def main(lookc: AsyncLookC, org_id: str) -> None:
    async for employee in lookc.employees(org_id, page_size=100):
        print(employee.name, "·", employee.title, "·", employee.location)


async def run() -> None:
    async with AsyncLookC() as lookc:
        await main(lookc, sys.argv[1])


if __name__ == "__main__":
    asyncio.run(run())
