"""How much of a call's cost is our own: everything but the network and the decoding.

Measured on a transport in memory, with decoding alone taken off. What the door does for each
call (address, headers, key; no key in the answer) and the lending of a connection happen inside
the transport, so they are measured beside and added.
"""

from __future__ import annotations

import time

import anyio
from _harness import Memory, count, race, table, verdict
from _sample_data import KEY, LINK, person

from lix_async import AsyncLix, RateLimit
from lix_async.core.decoding import decoder_for
from lix_async.core.provider import ApiKey, address
from lix_async.core.wire import HttpRequest
from lix_async.engine.connection_pool import ConnectionPool
from lix_async.engine.credentials import RequestBuilder
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.provider import LIX

NEVER_SHORT = RateLimit(1e9, per=1.0, burst=10**9)


class Nothing:
    """What a slot holds that opens no connection."""

    async def aclose(self) -> None:
        """Nothing is open."""


async def main() -> None:
    body = person(1)
    read = decoder_for(PERSON.result).read
    door = RequestBuilder(
        address(LIX.base_url), ApiKey(KEY), LIX.credentials["raw"], "agent", time.monotonic
    )
    outgoing = HttpRequest("GET", "/v1/person?profile_link=example")
    slots: ConnectionPool[Nothing] = ConnectionPool(Nothing)
    calls = count(3000, 1000)

    async def decoding() -> None:
        for _ in range(calls):
            read(body)

    async def the_door() -> None:
        for _ in range(calls):
            slot = await slots.take()
            door.url(outgoing)
            door.headers(outgoing)
            door.hide(body)
            slots.give(slot)

    async def calling(lix: AsyncLix) -> None:
        for _ in range(calls):
            await lix.people.get(LINK)

    bare = AsyncLix(KEY, rate_limit=None, http_client=Memory(body))
    paced = AsyncLix(KEY, rate_limit=NEVER_SHORT, http_client=Memory(body))
    bounded = paced.with_options(deadline=60.0)
    found = await race(
        {
            "decoding alone": decoding,
            "door and slot alone": the_door,
            "call": lambda: calling(bare),
            "call, a turn": lambda: calling(paced),
            "call, a turn, a deadline": lambda: calling(bounded),
        },
        units=calls,
        rounds=count(15, 5),
    )
    table("A call in memory (CPU µs)", ["", "median", "least", "most"], found.rows())
    ours = found.excess("call, a turn", "decoding alone").median
    ours += found.of("door and slot alone").median
    verdict("our own share of a paced call", ours * 1e6, "µs", 40)


if __name__ == "__main__":
    anyio.run(main)
