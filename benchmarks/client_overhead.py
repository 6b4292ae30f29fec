"""The cost of a call that the client itself adds: everything but the network and the decoding.

Measured on a transport in memory, minus decoding alone. Building the request (URL, headers, key),
redacting the key from the answer and taking a connection from the pool happen inside the real
transport, so they are measured separately and added.
"""

from __future__ import annotations

import time

import anyio
from _harness import Memory, count, race, report, table
from _sample_data import KEY, LINK, person

from lix_async import AsyncLix, RateLimit
from lix_async.core.decoding import decoder_for
from lix_async.core.provider import ApiKey, parse_base_url
from lix_async.core.wire import HttpRequest
from lix_async.engine.connection_pool import ConnectionPool
from lix_async.engine.credentials import RequestBuilder
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.provider import LIX

UNLIMITED = RateLimit(1e9, per=1.0, burst=10**9)


class Nothing:
    """Takes the place of a connection."""

    async def aclose(self) -> None:
        """Close nothing."""


async def main() -> None:
    body = person(1)
    read = decoder_for(PERSON.result).read
    builder = RequestBuilder(
        parse_base_url(LIX.base_url), ApiKey(KEY), LIX.credentials["raw"], "agent", time.monotonic
    )
    outgoing = HttpRequest("GET", "/v1/person?profile_link=example")
    pool: ConnectionPool[Nothing] = ConnectionPool(Nothing)
    calls = count(3000, 1000)

    async def decoding() -> None:
        for _ in range(calls):
            read(body)

    async def building() -> None:
        for _ in range(calls):
            connection = await pool.acquire()
            builder.url(outgoing)
            builder.headers(outgoing)
            pool.release(connection)

    async def calling(lix: AsyncLix) -> None:
        for _ in range(calls):
            await lix.people.get(LINK)

    bare = AsyncLix(KEY, rate_limit=None, http_client=Memory(body))
    limited = AsyncLix(KEY, rate_limit=UNLIMITED, http_client=Memory(body))
    bounded = limited.with_options(deadline=60.0)
    found = await race(
        {
            "decoding alone": decoding,
            "request and connection alone": building,
            "call": lambda: calling(bare),
            "call, a permit": lambda: calling(limited),
            "call, a permit, a deadline": lambda: calling(bounded),
        },
        units=calls,
        rounds=count(15, 5),
    )
    table("A call in memory (CPU µs)", ["", "median", "least", "most"], found.rows())
    ours = found.excess("call, a permit", "decoding alone").median
    ours += found.of("request and connection alone").median
    report("the client's own share of a call with a permit", ours * 1e6, "µs", 40)


if __name__ == "__main__":
    anyio.run(main)
