"""Several limits at once, each with its line."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import (
    LIST,
    SEND,
    THING,
    ListParams,
    SampleClient,
    SendParams,
    Skipping,
    ThingParams,
    reply,
    settle,
)

from lix_async.core.rate_limit import WindowLimit
from lix_async.limiters.keyed import KeyedLimiter, for_call, refund, report_delay
from lix_async.limiters.local import LocalLimiter
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio
ALL = WindowLimit("all", 3, 60, margin=0)
SENDS = WindowLimit("sends", 1, 60, margin=0)


def choose(row, params):
    if row is LIST:
        return ()
    return (ALL, SENDS) if row is SEND else (ALL,)


ONE, MAIL = ThingParams(id="1"), SendParams(to="me", text="x")


async def test_a_call_counts_against_its_lanes_and_no_others():
    clock = Skipping()
    lix = SampleClient(reply(), rate_limit=KeyedLimiter(choose, clock=clock), clock=clock)
    await lix.send(SEND, MAIL)
    await lix.send(THING, ONE)
    await lix.send(LIST, ListParams())
    assert clock.now() == 0
    await lix.send(SEND, MAIL)
    assert clock.now() == 60
    for _ in range(2):
        await lix.send(THING, ONE)
    assert clock.now() == 60
    await lix.send(THING, ONE)
    assert clock.now() == 120


def test_calls_with_the_same_lanes_stand_in_one_line():
    limiter = KeyedLimiter(choose)
    assert limiter.for_call(THING, ONE) is limiter.for_call(THING, ThingParams(id="2"))
    assert limiter.for_call(THING, ONE) is not limiter.for_call(SEND, MAIL)
    assert limiter.for_call(LIST, ListParams()) is None
    assert repr(limiter) == "<LaneLimiter all 3 per 60 s, sends 1 per 60 s>"
    assert repr(KeyedLimiter(choose)) == "<LaneLimiter not used yet>"
    assert limiter.for_call(SEND, MAIL).rate.requests == 1


async def test_a_hold_is_for_everybody_and_what_is_no_call_counts_against_nothing():
    clock = VirtualClock()
    limiter = KeyedLimiter(choose, clock=clock)
    line = limiter.for_call(THING, ONE)
    await limiter.acquire()
    await limiter.hold(10)
    turns = []

    async def call() -> None:
        await line.acquire()
        turns.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await settle()
        clock.advance(10)
    assert turns == [10]


async def test_a_limiter_need_only_give_turns_and_hold():
    class Plain:
        async def acquire(self) -> None: ...

        async def hold(self, seconds: float) -> None: ...

    plain = Plain()
    assert for_call(plain, THING, ONE) is plain
    assert for_call(None, THING, ONE) is None
    refund(plain)
    report_delay(plain, 5)
    refund(None)
    report_delay(None, 5)


async def test_lateness_that_is_not_worth_it_is_not_told():
    told = []

    class Told(LocalLimiter):
        def report_delay(self, seconds: float) -> None:
            told.append(seconds)

    limiter = Told(LIST.paging and SampleClient.provider.rate)
    report_delay(limiter, 0.0005)
    report_delay(limiter, 0.5)
    assert told == [0.5]
