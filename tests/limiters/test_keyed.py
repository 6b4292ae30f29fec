"""Several limits at once, each combination with its wait queue."""

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

from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import WindowLimit
from lix_async.limiters.keyed import KeyedLimiter
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio
ALL = WindowLimit("all", 3, 60, margin=0)
SENDS = WindowLimit("sends", 1, 60, margin=0)


def choose(endpoint, params):
    if endpoint is LIST:
        return ()
    return (ALL, SENDS) if endpoint is SEND else (ALL,)


ONE, MAIL = ThingParams(id="1"), SendParams(to="me", text="x")


async def test_a_call_counts_against_its_limits_and_no_others():
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


def test_calls_with_the_same_limits_have_one_wait_queue():
    limiter = KeyedLimiter(choose)
    assert limiter.for_call(THING, ONE) is limiter.for_call(THING, ThingParams(id="2"))
    assert limiter.for_call(THING, ONE) is not limiter.for_call(SEND, MAIL)
    assert limiter.for_call(LIST, ListParams()) is None
    assert limiter.for_call(SEND, MAIL).rate.requests == 1


def test_repr_shows_the_limits_that_were_used():
    limiter = KeyedLimiter(choose)
    assert repr(limiter) == "<KeyedLimiter not used yet>"
    limiter.for_call(SEND, MAIL)
    assert repr(limiter) == "<KeyedLimiter all 3 per 60 s, sends 1 per 60 s>"


def test_choose_must_be_callable():
    with pytest.raises(ConfigurationError, match="choose must be a Callable, not str"):
        KeyedLimiter("lix")


async def test_a_hold_stops_all_calls_and_acquiring_outside_of_a_call_counts_nothing():
    clock = VirtualClock()
    limiter = KeyedLimiter(choose, clock=clock)
    for_things = limiter.for_call(THING, ONE)
    await limiter.acquire()
    await limiter.hold(10)
    permits = []

    async def call() -> None:
        await for_things.acquire()
        permits.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await settle()
        clock.advance(10)
    assert permits == [10]
