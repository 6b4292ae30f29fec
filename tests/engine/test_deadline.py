"""A call's deadline: over turns, attempts and pauses alike."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import (
    LOST,
    SEND,
    THING,
    UNREACHED,
    SampleClient,
    SendParams,
    ThingParams,
    refused,
    reply,
    settle,
)

from lix_async.core.errors import DeadlineError, OutcomeUnknownError, RateLimitError
from lix_async.core.rate_limit import RateLimit
from lix_async.core.retry import RetryPolicy
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio
ONE, MAIL = ThingParams(id="1"), SendParams(to="me", text="hi")
RATE = RateLimit(1, per=3.0, margin=0)


async def never(_: object) -> None:
    await anyio.sleep_forever()


class Call:
    """A call in a task of its own, with a clock moved by hand."""

    def __init__(self, *answers, **settings) -> None:
        self.clock = VirtualClock()
        self.client = SampleClient(*answers, clock=self.clock, **settings)
        self.outcome: object = None

    async def __call__(self, row=THING, params=ONE) -> None:
        try:
            self.outcome = await self.client.send(row, params)
        except Exception as error:  # looked at by the test
            self.outcome = error

    async def after(self, *moments: float, row=THING, params=ONE) -> object:
        """The outcome once time has moved to these moments, one after the other."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self, row, params)
            await settle()
            for moment in moments:
                self.clock.advance(moment - self.clock.now())
                await settle()
            tasks.cancel_scope.cancel()
        return self.outcome


async def test_it_ends_a_call_that_gets_no_answer():
    error = await Call(never, deadline=5).after(5)
    assert isinstance(error, DeadlineError)
    assert str(error) == "thing.get: the deadline of 5 s passed"
    assert (error.sent, error.retry_at, error.attempts, error.permanent) == (True, None, 1, True)
    assert error.__context__ is None


async def test_it_does_not_end_a_call_before_its_time():
    assert await Call(never, deadline=5).after(4.9) is None


@pytest.mark.parametrize("row", [THING, SEND])
async def test_a_permit_after_the_deadline_is_not_waited_for(row):
    """The caller learns at once, and when a repeat makes sense; nothing of the line is spent."""
    call = Call(reply(), deadline=2, rate_limit=RATE)
    await call.client.send(THING, ONE)
    error = await call.after(row=row, params=ONE if row is THING else MAIL)
    assert isinstance(error, DeadlineError)
    assert "the deadline of 2 s cannot be met: the next permit is expected in 3 s" in str(error)
    assert (error.attempts, error.sent, len(call.client.script.sent)) == (0, False, 1)
    assert error.retry_at == VirtualClock().wall() + 3
    assert error.__context__ is None
    call.clock.advance(3)
    assert (await call.after()).attempts == 1  # the permit was not taken


async def test_a_permit_just_before_the_deadline_is_waited_for():
    call = Call(reply(), deadline=3.1, rate_limit=RATE)
    await call.client.send(THING, ONE)
    assert (await call.after(3)).waited == 3


async def test_those_who_stand_in_line_before_count_too():
    """Six seconds are enough for the second turn from now, and not for the third."""
    call = Call(reply(), deadline=7, rate_limit=RATE)
    unhurried = call.client.with_options(deadline=None)
    await unhurried.send(THING, ONE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(unhurried.send, THING, ONE)
        await settle()
        tasks.start_soon(call)
        await settle()
        assert call.outcome is None
        late = Call(reply())
        late.clock, late.client = call.clock, call.client
        error = await late.after()
        assert isinstance(error, DeadlineError)
        assert error.retry_at == VirtualClock().wall() + 9
        for moment in (3, 6):
            call.clock.advance(moment - call.clock.now())
            await settle()
    assert (call.outcome.waited, call.clock.now(), len(call.client.script.sent)) == (6, 6, 3)


async def test_a_retry_without_a_permit_in_time_is_not_started():
    call = Call(UNREACHED, reply(), deadline=5, rate_limit=RateLimit(1, per=10.0, margin=0))
    error = await call.after()
    assert isinstance(error, DeadlineError)
    assert error.retry_at == VirtualClock().wall() + 10


class Unforeseen:
    """A limiter of the caller's own, with nothing but what is needed."""

    async def acquire(self) -> None:
        await anyio.sleep_forever()

    async def hold(self, seconds: float) -> None: ...


async def test_the_deadline_includes_waits_that_a_limiter_cannot_estimate():
    call = Call(reply(), deadline=2, rate_limit=Unforeseen())
    assert await call.after(1.9) is None
    call = Call(reply(), deadline=2, rate_limit=Unforeseen())
    error = await call.after(2)
    assert isinstance(error, DeadlineError)
    assert (error.attempts, error.retry_at, call.client.script.sent) == (0, None, [])


async def test_a_send_that_had_left_has_an_unknown_outcome():
    error = await Call(never, deadline=5).after(5, row=SEND, params=MAIL)
    assert isinstance(error, OutcomeUnknownError)
    assert "the deadline passed; the request may have been carried out" in str(error)


async def test_a_send_that_was_still_connecting_has_not_happened():
    call = Call(never, deadline=5)
    call.client.script.departs = False
    error = await call.after(5, row=SEND, params=MAIL)
    assert isinstance(error, DeadlineError)
    assert error.sent is False


async def test_a_pause_that_would_end_behind_it_is_not_begun():
    """The caller learns at once, and when a repeat makes sense; everybody else still waits."""
    call = Call(refused(429, "rate_limit", retry_after="60"), deadline=30, rate_limit=RATE)
    call.clock.advance(100)
    error = await call.after()
    assert isinstance(error, DeadlineError)
    assert "the deadline of 30 s cannot be met: too many requests" in str(error)
    assert 160 <= error.retry_at - VirtualClock().wall() <= 164
    assert call.client.engine.limiter._bucket.wait(100) >= 60


async def test_a_lost_answer_is_not_forgotten_when_the_pause_after_it_is_too_long():
    policy = RetryPolicy(backoff=1000, max_backoff=1000)
    clocked = Call(LOST, deadline=0.001, retry=policy)
    error = await clocked.after()
    assert isinstance(error, DeadlineError)
    assert error.sent
    unreached = await Call(UNREACHED, deadline=0.001, retry=policy).after()
    assert isinstance(unreached, DeadlineError)
    assert not unreached.sent


async def test_without_one_a_call_waits_as_long_as_the_policy_does():
    call = Call(refused(429, "rate_limit", retry_after="100"), retry=RetryPolicy(attempts=2))
    error = await call.after(106)
    assert isinstance(error, RateLimitError)
    assert error.attempts == 2


async def test_a_call_that_ended_in_time_is_not_ended_again():
    call = Call(reply(), deadline=5)
    await call.client.send(THING, ONE)
    call.clock.advance(10)
    await settle()
    assert (await call.client.send(THING, ONE)).attempts == 1


async def test_a_callers_own_cancellation_is_no_deadline():
    call = Call(never, deadline=50)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call.client.send, THING, ONE)
            await settle()
            scope.cancel()
    assert scope.cancelled_caught


async def test_the_deadline_of_a_view_is_its_own():
    call = Call(never)
    call.client = call.client.with_options(deadline=1)
    assert isinstance(await call.after(1), DeadlineError)
    call = Call(never, deadline=1)
    call.client = call.client.with_options(deadline=None)
    assert await call.after(10) is None


async def test_time_jumps_over_everything_a_call_waits_for():
    """The same with a clock that jumps by itself, turns, pauses and deadline together."""
    async with VirtualClock() as clock:
        client = SampleClient(refused(200, "queued"), clock=clock, rate_limit=RATE, deadline=130)
        with pytest.raises(DeadlineError, match="cannot be met: queued"):
            await client.send(THING, ONE)
        assert (len(client.script.sent), 120 <= clock.now() <= 132) == (3, True)
