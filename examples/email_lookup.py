"""Find an e-mail address. A probable one is checked again, as the vendor advises."""

import asyncio
import sys

from lix_async import AsyncLix, NotFoundError


async def main(lix: AsyncLix, link: str, pause: float = 3.0) -> None:
    try:
        found = await lix.contact.email(link, recheck=6, pause=pause)
    except NotFoundError:
        print(link, "is not known")
        return
    print(found.status, found.email or ", ".join(found.alternatives) or "no address")


async def run() -> None:
    async with AsyncLix() as lix:
        await main(lix, sys.argv[1])


if __name__ == "__main__":
    asyncio.run(run())
