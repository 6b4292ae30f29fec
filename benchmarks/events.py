"""The cost of events: of a call without listeners, and of one with a listener.

Measured on a transport in memory. The base is the same call with the places that emit events
replaced by nothing.
"""

from __future__ import annotations

import anyio
from _harness import Memory, count, race, report, table
from _sample_data import KEY, LINK, person

from lix_async import AsyncLix, RateLimit
from lix_async.engine.events import CallEvents, Event, EventStream

UNLIMITED = RateLimit(1e9, per=1.0, burst=10**9)


class Nothing(CallEvents):
    """Takes the place of the events of a call."""

    def __init__(self) -> None:
        self.active = False

    def _nothing(self, *_: object, **__: object) -> None:
        return

    started = wait_started = held = attempt_started = attempt_ended = ended = _nothing


class NoEvents(EventStream):
    """Takes the place of the events of a client."""

    nothing = Nothing()

    def begin_call(self, *_: object) -> CallEvents:
        return self.nothing


def listen(event: Event) -> None:
    """Do nothing."""


async def main() -> None:
    body, calls = person(1), count(3000, 1000)

    async def calling(lix: AsyncLix) -> None:
        for _ in range(calls):
            await lix.people.get(LINK)

    def client(**options: object) -> AsyncLix:
        return AsyncLix(KEY, rate_limit=UNLIMITED, http_client=Memory(body), **options)  # type: ignore[arg-type]

    base, silent, heard = client(), client(), client(on_event=listen)
    base.engine.events = NoEvents()
    found = await race(
        {
            "no events": lambda: calling(base),
            "no listener": lambda: calling(silent),
            "one listener": lambda: calling(heard),
        },
        units=calls,
        rounds=count(31, 9),
    )
    table("A call in memory (CPU µs)", ["", "median", "least", "most"], found.rows())
    ratio = found.ratio("no listener", "no events").median
    report("a call without listeners", ratio, "times one without events", 1.05)
    more = found.excess("one listener", "no events").median
    report("a listener", more * 1e6, "µs a call", 15)


if __name__ == "__main__":
    anyio.run(main)
