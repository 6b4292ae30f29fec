"""What a call costs, against the same call written by hand.

By hand: `httpx.AsyncClient` with a pool as large as the concurrency, and msgspec decoding into
the same struct. No pacing, no retries, no errors by meaning, no tolerance: what a careful first
version of a script does.
"""

from __future__ import annotations

import anyio
import httpx
import msgspec
from _harness import Race, count, flock, race, server, table, verdict
from _sample_data import KEY, LINK

from lix_async import AsyncLix
from lix_async.providers.lix.endpoints.profiles import PERSON

AIMS = {1: 0.85, 20: 0.5, 100: 0.3}


async def compared(address: str, flying: int) -> Race:
    """Both, with so many calls in flight."""
    decoder = msgspec.json.Decoder(PERSON.result, strict=False)
    calls = max(count(200, 100), flying * count(10, 5))
    limits = httpx.Limits(max_connections=flying, max_keepalive_connections=flying)
    url, headers = f"{address}/v1/person", {"Authorization": KEY}
    async with (
        httpx.AsyncClient(limits=limits, headers=headers) as client,
        AsyncLix(KEY, base_url=address, rate_limit=None) as lix,
    ):

        async def by_hand() -> object:
            response = await client.get(url, params={"profile_link": LINK})
            response.raise_for_status()
            return decoder.decode(response.content)

        contenders = {
            "by hand": flock(flying, calls, by_hand),
            "lix_async": flock(flying, calls, lambda: lix.people.get(LINK)),
        }
        return await race(contenders, units=calls, rounds=count(11, 5))


async def main() -> None:
    with server() as address:
        for flying, aim in AIMS.items():
            found = await compared(address, flying)
            title = f"A call, {flying} in flight (CPU µs)"
            table(title, ["", "median", "least", "most"], found.rows())
            ratio = found.ratio("lix_async", "by hand").median
            verdict(f"a call, {flying} in flight", ratio, "times by hand", aim)


if __name__ == "__main__":
    anyio.run(main)
