"""The cost of a call, compared with the same call made with httpx directly.

That is `httpx.AsyncClient` with a pool as large as the concurrency, and msgspec decoding into the
same struct, without rate limit, retries, typed errors and tolerant decoding.
"""

from __future__ import annotations

import anyio
import httpx
import msgspec
from _harness import Race, concurrent_calls, count, race, report, server, table
from _sample_data import KEY, LINK

from lix_async import AsyncLix
from lix_async.providers.lix.endpoints.profiles import PERSON

AIMS = {1: 0.85, 20: 0.5, 100: 0.3}


async def compared(address: str, in_flight: int) -> Race:
    """Measure both, with that many calls in flight."""
    decoder = msgspec.json.Decoder(PERSON.result, strict=False)
    calls = max(count(200, 100), in_flight * count(10, 5))
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    url, headers = f"{address}/v1/person", {"Authorization": KEY}
    async with (
        httpx.AsyncClient(limits=limits, headers=headers) as client,
        AsyncLix(KEY, base_url=address, rate_limit=None) as lix,
    ):

        async def direct() -> object:
            response = await client.get(url, params={"profile_link": LINK})
            response.raise_for_status()
            return decoder.decode(response.content)

        contenders = {
            "httpx": concurrent_calls(in_flight, calls, direct),
            "lix_async": concurrent_calls(in_flight, calls, lambda: lix.people.get(LINK)),
        }
        return await race(contenders, units=calls, rounds=count(11, 5))


async def main() -> None:
    with server() as address:
        for in_flight, aim in AIMS.items():
            found = await compared(address, in_flight)
            title = f"A call, {in_flight} in flight (CPU µs)"
            table(title, ["", "median", "least", "most"], found.rows())
            ratio = found.ratio("lix_async", "httpx").median
            report(f"a call, {in_flight} in flight", ratio, "times httpx", aim)


if __name__ == "__main__":
    anyio.run(main)
