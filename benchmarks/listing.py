"""The cost of an item of a listing, compared with decoding the same pages and nothing else.

A listing of 40 pages with 25 people each, on a transport in memory: requests, pagination,
duplicates removed, a checkpoint at any item.
"""

from __future__ import annotations

import anyio
import msgspec
from _harness import Memory, count, race, report, table
from _sample_data import KEY, ROWS, SEARCH, page

from lix_async import AsyncLix
from lix_async.providers.lix.endpoints.searches import SEARCH_PEOPLE

PAGES = 40


async def main() -> None:
    bodies = [page(number, total=PAGES * ROWS) for number in range(1, PAGES + 1)]
    decode = msgspec.json.Decoder(SEARCH_PEOPLE.result, strict=False).decode
    lix = AsyncLix(KEY, rate_limit=None, http_client=Memory(*bodies))

    async def decoding() -> None:
        people = [person for body in bodies for person in decode(body).items]
        assert len(people) == PAGES * ROWS

    async def items() -> None:
        people = [person async for person in lix.search.people(SEARCH)]
        assert len(people) == PAGES * ROWS

    async def pages() -> None:
        listing = lix.search.people(SEARCH)
        assert sum([len(page.items) async for page in listing.by_page()]) == PAGES * ROWS

    async def saved() -> None:
        listing = lix.search.people(SEARCH)
        async for _ in listing.by_page():
            listing.checkpoint.to_json()

    contenders = {
        "decoding alone": decoding,
        "listing, by item": items,
        "listing, by page": pages,
        "listing, by page, saving each": saved,
    }
    found = await race(contenders, units=PAGES * ROWS, rounds=count(31, 9))
    table("An item of a listing (CPU µs)", ["", "median", "least", "most"], found.rows(digits=2))
    ratio = found.ratio("listing, by item", "decoding alone").median
    report("an item of a listing", ratio, "times decoding alone")


if __name__ == "__main__":
    anyio.run(main)
