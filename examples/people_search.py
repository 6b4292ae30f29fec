"""Write a LinkedIn people search to a file; run it again to continue where it stopped."""

import asyncio
from pathlib import Path

import msgspec

from lix_async import AsyncLix, Checkpoint

URL = "https://www.linkedin.com/search/results/people/?keywords=software%20engineer"
ROWS, POINT = Path("people.jsonl"), Path("people.checkpoint")


async def main(lix: AsyncLix, url: str = URL) -> None:
    point = Checkpoint.from_json(POINT.read_bytes()) if POINT.exists() else None
    pages = lix.search.people(url, resume=point)
    with ROWS.open("ab") as rows:
        async for page in pages.by_page():
            rows.writelines(msgspec.json.encode(person) + b"\n" for person in page.items)
            rows.flush()
            POINT.write_bytes(pages.checkpoint.to_json())
            print(f"{pages.stats.items} of {page.total}, {pages.stats.credits} credits")


async def run() -> None:
    async with AsyncLix() as lix:
        await main(lix)


if __name__ == "__main__":
    asyncio.run(run())
