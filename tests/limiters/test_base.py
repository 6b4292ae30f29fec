"""What a limiter must have, and what it gets by default."""

from __future__ import annotations

import pytest
from sample_provider import THING, SampleClient, Script, Skipping, ThingParams, reply

from lix_async.core.rate_limit import RateLimit
from lix_async.limiters.base import Limiter, adapt
from lix_async.limiters.local import LocalLimiter

pytestmark = pytest.mark.anyio
ONE = ThingParams(id="1")


class TwoMethods:
    """Not a `Limiter`, but usable as one."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def __repr__(self) -> str:
        return "<TwoMethods>"

    async def acquire(self) -> None:
        self.calls.append("acquire")

    async def hold(self, seconds: float) -> None:
        self.calls.append(seconds)


async def test_an_object_with_two_methods_is_adapted():
    plain = TwoMethods()
    limiter = adapt(plain)
    await limiter.acquire()
    await limiter.hold(5)
    assert plain.calls == ["acquire", 5]
    assert repr(limiter) == "<TwoMethods>"


def test_the_other_methods_have_defaults():
    limiter = adapt(TwoMethods())
    limiter.refund()
    limiter.report_delay(5)
    assert limiter.estimated_wait() == 0.0
    assert limiter.for_call(THING, ONE) is limiter


def test_a_limiter_is_not_adapted():
    limiter = LocalLimiter(RateLimit(1, per=3.0))
    assert adapt(limiter) is limiter


def test_acquire_and_hold_are_required():
    class Incomplete(Limiter):
        async def acquire(self) -> None: ...

    with pytest.raises(TypeError, match=r"abstract method '?hold"):
        Incomplete()


async def test_a_client_takes_an_object_with_two_methods():
    plain = TwoMethods()
    client = SampleClient(reply(), rate_limit=plain)
    await client.send(THING, ONE)
    assert plain.calls == ["acquire"]
    assert "<TwoMethods>" in repr(client)


async def test_each_request_reports_how_long_after_its_permit_it_left():
    clock = Skipping()
    delays: list[float] = []

    class Recorder(LocalLimiter):
        def report_delay(self, seconds: float) -> None:
            delays.append(seconds)

    class SlowToConnect(Script):
        async def exchange(self, request, sent_at):
            sent_at.at = clock.now() + 0.5
            return reply()

    limiter = Recorder(RateLimit(1, per=3.0), clock=clock)
    client = SampleClient(rate_limit=limiter, clock=clock, http_client=SlowToConnect())
    await client.send(THING, ONE)
    assert delays == [0.5]
