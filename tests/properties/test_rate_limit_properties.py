"""The rate is kept by every bucket.

For the permits that were used, in order: the j-th comes at least (j - i - burst + 1) intervals after
the i-th, less the tolerance for late ones. So no window of `per` seconds holds more than
requests + burst - 1 of them.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.rate_limit import (
    CombinedBucket,
    RateLimit,
    SlidingWindow,
    TokenBucket,
    WindowLimit,
)

EPS = 1e-6

rates = st.builds(
    RateLimit,
    requests=st.integers(1, 50) | st.floats(0.01, 50),
    per=st.floats(0.01, 100),
    burst=st.integers(1, 6),
    margin=st.sampled_from([0.0, 0.02]),
)
gaps = st.floats(0, 3)
"""Pauses between two calls, in intervals."""


def assert_rate_is_kept(permits: list[float], rate: RateLimit) -> None:
    for i, first in enumerate(permits):
        for j in range(i + rate.burst, len(permits)):
            least = (j - i - rate.burst + 1) * rate.interval - rate.tolerance
            assert permits[j] - first >= least - EPS * max(1.0, permits[j])


@given(rates, st.lists(gaps, max_size=40))
def test_no_window_holds_more_than_requests_and_burst_allow(rate, pauses):
    tokens, now, permits = TokenBucket(rate), 0.0, []
    for pause in pauses:
        now += pause * rate.interval / 2
        if tokens.take(now) == 0.0:
            permits.append(now)
    assert_rate_is_kept(permits, rate)
    most = math.ceil(rate.requests) + rate.burst - 1
    for start in permits:
        inside = [permit for permit in permits if start <= permit < start + rate.per * (1 - EPS)]
        assert len(inside) <= most


@given(rates, st.lists(gaps, max_size=40))
def test_after_the_returned_wait_a_token_is_free(rate, pauses):
    tokens, now = TokenBucket(rate), 0.0
    for pause in pauses:
        now += pause * rate.interval
        wait = tokens.wait(now)
        assert tokens.take(now + wait + EPS * max(1.0, now)) == 0.0
        now += wait
    busy = TokenBucket(rate)
    full = [busy.take(rate.interval * permit * (1 + EPS)) for permit in range(10)]
    assert full == [0.0] * 10


@given(
    rates,
    st.lists(
        st.tuples(st.sampled_from(["take", "refund", "hold"]), gaps, st.integers(0, 5)),
        max_size=40,
    ),
)
def test_the_rate_is_kept_by_used_permits_whatever_was_refunded_or_held(rate, steps):
    tokens, now, held = TokenBucket(rate), 0.0, -math.inf
    used: list[float] = []
    for what, pause, which in steps:
        now += pause * rate.interval / 2
        if what == "take":
            if tokens.take(now) == 0.0:
                assert now >= held - EPS * max(1.0, now)
                used.append(now)
        elif what == "refund" and used:
            tokens.refund(used.pop(-1 - which % len(used)))
        elif what == "hold":
            held = max(held, now + which * rate.interval)
            tokens.hold(now + which * rate.interval)
    assert_rate_is_kept(used, rate)


@given(rates, st.lists(st.tuples(gaps, st.floats(0, 2)), max_size=30))
def test_after_a_delayed_request_the_next_permit_keeps_its_distance(rate, calls):
    """With a burst of one, every earlier request was sent an interval before the permit."""
    rate = RateLimit(rate.requests, rate.per, 1, rate.margin)
    tokens, now = TokenBucket(rate), 0.0
    underway: list[tuple[float, float]] = []
    left: list[float] = []
    for pause, late in calls:
        now += pause * rate.interval
        for departure, slot in sorted(underway):
            if departure <= now:
                tokens.report_delay(departure - slot, slot)
                left.append(departure)
                underway.remove((departure, slot))
        if tokens.take(now) == 0.0:
            least = rate.interval - rate.tolerance - EPS * max(1.0, now)
            assert all(now - departure >= least for departure in left)
            underway.append((now + late * rate.interval, tokens.slot))


@given(rates, st.floats(0, 0.002), st.integers(100, 300))
def test_late_timers_cost_no_more_than_what_the_tolerance_leaves(rate, late, permits):
    """Each permit is taken that long after it is free, but not so long that it is a pause."""
    rate = RateLimit(rate.requests, rate.per, 1, rate.margin)
    late = min(late, (rate.interval + rate.tolerance) / 2)
    tokens, now = TokenBucket(rate), 0.0
    for _ in range(permits):
        while wait := tokens.take(now):
            now += max(wait, 1e-9) + late
    most = (permits - 1) * (rate.interval + max(late - rate.tolerance, 0.0) + 1e-8) + late
    assert now <= most * (1 + EPS)


limits = st.builds(
    WindowLimit, st.just("x"), st.integers(1, 5), st.floats(0.1, 100), margin=st.just(0.0)
)
buckets = st.one_of(
    rates.map(TokenBucket),
    limits.map(SlidingWindow),
    limits.map(lambda limit: CombinedBucket([SlidingWindow(limit)])),
)


@given(buckets, st.lists(st.floats(0, 50), max_size=8), st.integers(0, 12), st.floats(0, 100))
def test_a_permit_is_free_when_the_estimate_for_a_waiting_caller_said(bucket, pauses, ahead, held):
    now = 0.0
    for pause in pauses:
        now += pause
        bucket.take(now)
    bucket.hold(held)
    estimate = bucket.wait(now, ahead)
    moment = now
    for _ in range(ahead + 1):
        moment += bucket.wait(moment)
        while bucket.take(moment) > 0.0:  # the rest of rounding
            moment = math.nextafter(moment, math.inf)
    assert moment - now == pytest.approx(estimate, abs=EPS * max(1.0, moment))
