"""List a Sales Navigator lead search. A URL too long for a GET is sent as a form."""

import asyncio
import sys

from lix_async import AsyncLix


async def main(lix: AsyncLix, url: str) -> None:
    async for lead in lix.sales.leads(url):
        position = lead.current_position
        print(lead.name, "·", position.title if position else "?", "·", lead.sales_nav_link)


async def run() -> None:
    async with AsyncLix() as lix:
        await main(lix, sys.argv[1])


if __name__ == "__main__":
    asyncio.run(run())
