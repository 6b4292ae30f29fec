"""Several limits at once: which line a call stands in, and what it does to the others."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from toy import LIST, SEND, THING, ListParams, SendParams, Skipping, ThingParams, Toy, reply

from lix_async.core.bucket import RateLimit
from lix_async.core.windows import Lane
from lix_async.engine.lanes import LATE, LaneLimiter, give_back, lane, late
from lix_async.engine.limiter import LocalLimiter
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio
KEY = Lane("key", 3, 60, margin=0)
READS = Lane("reads", 2, 60, margin=0)
WRITES = Lane("writes", 1, 60, margin=0)


def choose(row: Any, params: Any) -> tuple[Lane, ...]:
    lanes = {"thing.get": (KEY, READS), "send": (KEY, WRITES)}
    return lanes.get(row.id, ())


async def test_a_call_takes_a_turn_in_all_its_lanes_or_in_none() -> None:
    left: list[tuple[str, float]] = []
    async with VirtualClock() as clock:

        def noted(outgoing: Any) -> Any:
            left.append((outgoing.target, clock.now()))
            return reply()

        toy = Toy(noted, clock=clock, rate_limit=LaneLimiter(choose, clock=clock))
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(toy.send, THING, ThingParams(id="1"))
            for _ in range(2):
                tasks.start_soon(toy.send, SEND, SendParams(to="a", text="b"))
    assert sorted(left, key=lambda one: (one[1], one[0])) == [
        ("/v1/send?to=a", 0),
        ("/v1/things/1", 0),
        ("/v1/things/1", 0),
        ("/v1/send?to=a", 60),
        ("/v1/things/1", 60),
    ]


async def test_a_call_without_lanes_waits_for_nobody() -> None:
    limiter = LaneLimiter(choose, clock=Skipping())
    toy = Toy(reply(200, {"things": []}), rate_limit=limiter)
    for _ in range(5):
        await toy.send(LIST, ListParams())
    assert repr(limiter) == "<LaneLimiter not used yet>"
    assert limiter.lane(LIST, ListParams()) is None


async def test_lines_are_kept_and_share_their_lanes() -> None:
    limiter = LaneLimiter(choose, clock=Skipping())
    first = limiter.lane(THING, ThingParams(id="1"))
    assert limiter.lane(THING, ThingParams(id="2")) is first
    other = limiter.lane(SEND, SendParams(to="a", text="b"))
    assert other is not first
    assert isinstance(first, LocalLimiter)
    assert isinstance(other, LocalLimiter)
    assert (first.rate.requests, other.rate.requests) == (2, 1)
    assert repr(limiter) == ("<LaneLimiter key 3 per 60 s, reads 2 per 60 s, writes 1 per 60 s>")


async def test_outside_of_calls_nothing_is_taken_and_everything_is_held() -> None:
    clock = Skipping()
    limiter = LaneLimiter(choose, clock=clock)
    for _ in range(9):
        await limiter.acquire()
    toy = Toy(reply(), clock=clock, rate_limit=limiter)
    await toy.send(THING, ThingParams(id="1"))
    await limiter.hold(7)
    await toy.send(SEND, SendParams(to="a", text="b"))
    assert clock.slept == [7.0]


async def test_a_refusal_holds_the_lanes_of_its_call() -> None:
    clock = Skipping()
    limiter = LaneLimiter(choose, clock=clock)
    toy = Toy(reply(429, b"", Retry_After="5"), reply(), clock=clock, rate_limit=limiter)
    await toy.send(THING, ThingParams(id="1"))
    assert clock.slept[0] == 5.0
    held = limiter.lane(SEND, SendParams(to="a", text="b"))
    assert held is not None
    await held.hold(0)


class Stopped(BaseException):
    """What ends a call from outside."""


async def test_what_was_never_sent_gives_its_turns_back() -> None:
    clock = Skipping()
    limiter = LaneLimiter(choose, clock=clock)
    toy = Toy(Stopped(), reply(), clock=clock, rate_limit=limiter)
    toy.script.departs = False
    with pytest.raises(Stopped):
        await toy.send(THING, ThingParams(id="1"))
    for number in range(2):
        await toy.send(THING, ThingParams(id=str(number)))
    assert clock.slept == []


async def test_a_plain_limiter_is_everybodys() -> None:
    plain = LocalLimiter(RateLimit(1, per=1))
    assert lane(plain, THING, ThingParams(id="1")) is plain
    assert lane(None, THING, ThingParams(id="1")) is None


class Strict:
    """A limiter that can do what is asked of every one, and no more."""

    async def acquire(self) -> None:
        """At once."""

    async def hold(self, seconds: float) -> None:
        """For nobody."""


class Listening(Strict):
    def __init__(self) -> None:
        self.told: list[object] = []

    def give_back(self) -> None:
        self.told.append("given back")

    def late(self, seconds: float) -> None:
        self.told.append(seconds)


def test_limiters_are_told_what_they_listen_to() -> None:
    for limiter in (None, Strict()):
        give_back(limiter)
        late(limiter, 5.0)
    listening = Listening()
    give_back(listening)
    late(listening, LATE / 2)
    late(listening, 5.0)
    assert listening.told == ["given back", 5.0]
