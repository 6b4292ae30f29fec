"""The estimated wait of shared limiters, which calls with a deadline use."""

from __future__ import annotations

import anyio
import pytest

from lix_async import DeadlineError, RateLimit, TransportError
from lix_async.core.rate_limit import FOREVER
from lix_async.limiters import SqliteLimiter
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
SLOW = RateLimit(1, per=60.0)
GAP = 61.2


async def test_the_estimate_for_both_queues_comes_from_the_last_answer(place):
    async with place.limiter(SLOW) as limiter:
        assert limiter.estimated_wait() == limiter.bulk.estimated_wait() == 0.0, (
            "nothing is known yet"
        )
        await limiter.acquire()
        assert GAP - 5 < limiter.estimated_wait() <= GAP
        assert GAP - 5 < limiter.bulk.estimated_wait() <= GAP
        limiter.refund()
        await limiter._client.hold_left()  # what was posted has been run
        assert limiter.estimated_wait() == 0.0


async def test_the_estimate_is_not_later_than_the_servers_answer(place):
    async with place.limiter(RateLimit(1, per=60.0, burst=3)) as limiter:
        for _ in range(3):
            assert limiter.estimated_wait() == 0.0
            await limiter.acquire()
        asked, estimate = limiter._clock.now(), limiter.estimated_wait()
        answer = await limiter.try_acquire() + limiter._clock.now() - asked
        assert GAP - 5 < estimate <= answer + 0.01


async def test_the_estimate_includes_the_waiting_callers(place):
    async with place.limiter(SLOW) as limiter:
        await limiter.acquire()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(limiter.acquire)
            await anyio.wait_all_tasks_blocked()
            await limiter._client.hold_left()
            assert 4 * GAP - 5 < limiter.estimated_wait() <= 4 * GAP
            assert 2 * GAP - 5 < limiter.bulk.estimated_wait() <= 2 * GAP, "one permit is reserved"
            group.cancel_scope.cancel()
        await limiter._client.hold_left()
        assert GAP - 5 < limiter.estimated_wait() <= GAP


async def test_the_estimate_includes_a_hold(place):
    async with place.limiter(RateLimit(1000, per=1.0)) as limiter:
        await limiter.hold(30.0)
        assert 25 < limiter.estimated_wait() <= 30
        assert 25 < limiter.bulk.estimated_wait() <= 30


async def test_a_refunded_permit_that_the_server_cannot_take_back_is_the_next_one(place):
    async with place.limiter(SLOW) as one, place.limiter(SLOW) as other:
        await one.acquire()
        _, first = await one._client.take(FOREVER)
        await other._client.take(FOREVER)
        assert first is not None
        one._client.refund(first)
        await one._client.hold_left()
        assert GAP - 5 < one.estimated_wait() <= GAP
        at = one._client.next_permit_at(1)
        assert at - one._clock.now() > 2 * GAP - 5
        # A bulk caller does not wait for it and does not take it.
        assert await one.try_acquire() > GAP
        assert one.estimated_wait() <= GAP


async def test_a_call_that_cannot_meet_its_deadline_ends_at_once_and_reserves_nothing(place):
    async with place.limiter(SLOW) as limiter, place.limiter(SLOW) as other:
        for shared in (limiter, limiter.bulk):
            async with memory_client(rate_limit=shared, deadline=20.0) as lix:
                if shared is limiter:
                    await lix.account.balances()
                with anyio.fail_after(5), pytest.raises(DeadlineError) as caught:
                    await lix.account.balances()
                assert caught.value.retry_at is not None
                assert not caught.value.sent
        assert await other.try_acquire() < GAP


async def test_during_an_outage_the_estimate_comes_from_the_fallback(tmp_path):
    rate = RateLimit(1, per=10.0)
    async with SqliteLimiter(tmp_path / "rate.db", "x", rate, fallback=2) as limiter:
        await limiter.acquire()
        assert limiter.estimated_wait() <= 10.2
        limiter._outage.record_failure(TransportError("away"), limiter._clock.now())
        assert limiter.estimated_wait() == 0.0
        limiter._fallback._bucket.take(limiter._clock.now())
        assert 15 < limiter.estimated_wait() <= 20.4
        assert limiter.bulk.estimated_wait() >= 5
