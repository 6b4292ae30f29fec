"""Each backend does what the GCRA functions do."""

from __future__ import annotations

import random

import pytest

from lix_async import RateLimit
from lix_async.core.rate_limit import (
    FOREVER,
    LONGEST_HOLD,
    SECOND,
    GcraParameters,
    GcraState,
    delay_permits,
    refund_permit,
    take_permit,
)
from lix_async.limiters.redis import RedisBackend

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("burst", [1, 3])
def test_a_server_counts_like_the_gcra_functions(place, burst):
    """Random steps on a real server; each answer names its moment and is computed again."""
    params = GcraParameters.in_microseconds(RateLimit(200, per=1.0, burst=burst))
    chance, backend = random.Random(7), place.backend()
    state, stamps = GcraState(0, 0), [0]
    try:
        for _ in range(150):
            step = chance.choice(["take"] * 6 + ["refund", "delay"])
            if step == "take":
                max_wait = chance.choice([0, 3_000, FOREVER])
                decision = backend.take(params, max_wait)
                state, permit_at = take_permit(state, params, decision.now, max_wait)
                assert (decision.permit_at, decision.full_at) == (permit_at, state.full_at)
                stamps.append(decision.full_at)
            elif step == "refund":
                stamp = chance.choice(stamps[-2:])
                assert backend.refund(params, stamp) == (state.full_at == stamp)
                state = refund_permit(state, params, stamp)
            else:
                # The server's moment is not known; with no more than a gap it does not matter.
                backend.delay(params, 1_000)
                state = delay_permits(state, params, 1_000, 0)
        assert backend.hold_left() == 0
        backend.hold(params, 5 * SECOND)
        left = backend.hold_left()
        decision = backend.take(params, 0)
        assert 0 < decision.wait <= left <= 5 * SECOND or decision.wait >= left
    finally:
        backend.close()


async def test_a_hold_lasts_an_hour_at_most(place):
    async with place.limiter(RateLimit(200, per=1.0)) as limiter:
        await limiter.hold(9 * 3600)
        assert 3500 * SECOND < await limiter._client.hold_left() <= LONGEST_HOLD


@pytest.mark.parametrize("max_wait", [0, FOREVER])
def test_a_redis_that_is_emptied_while_it_is_used_gives_no_burst(redis_url, max_wait):
    import redis

    params = GcraParameters.in_microseconds(RateLimit(10, per=3600.0, burst=5))
    name = f"emptied-{max_wait}"
    one, other, new = (RedisBackend(redis_url, name) for _ in range(3))
    with redis.Redis.from_url(redis_url) as server:
        for _ in range(5):
            assert one.take(params, FOREVER).wait == other.hold_left() == 0
        server.delete(f"lix_async:{name}")
        for backend in (one, other, one):  # the other one has not taken any
            assert backend.take(params, max_wait).wait > 0
        server.delete(f"lix_async:{name}")
        assert other.take(params, FOREVER).wait > 0
        server.delete(f"lix_async:{name}")
    assert new.take(params, 0).wait == 0
    for backend in (one, other, new):
        backend.close()
