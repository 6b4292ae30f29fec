"""The law of the bucket.

For the turns that were used, in order: the j-th comes at least (j - i - burst + 1) intervals after
the i-th. In words: no window of `per` seconds ever holds more than requests + burst - 1 of them.
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
"""Pauses between two questions, in intervals."""


def obeys(turns: list[float], rate: RateLimit) -> None:
    for i, first in enumerate(turns):
        for j in range(i + rate.burst, len(turns)):
            least = (j - i - rate.burst + 1) * rate.interval
            assert turns[j] - first >= least - EPS * max(1.0, turns[j])


@given(rates, st.lists(gaps, max_size=40))
def test_no_window_holds_more_than_requests_and_burst_allow(rate, pauses):
    tokens, now, turns = TokenBucket(rate), 0.0, []
    for pause in pauses:
        now += pause * rate.interval / 2
        if tokens.take(now) == 0.0:
            turns.append(now)
    obeys(turns, rate)
    most = math.ceil(rate.requests) + rate.burst - 1
    for start in turns:
        inside = [turn for turn in turns if start <= turn < start + rate.per * (1 - EPS)]
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
    full = [busy.take(rate.interval * turn * (1 + EPS)) for turn in range(10)]
    assert full == [0.0] * 10


@given(
    rates,
    st.lists(
        st.tuples(st.sampled_from(["take", "give back", "hold"]), gaps, st.integers(0, 5)),
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
        elif what == "give back" and used:
            tokens.refund(used.pop(-1 - which % len(used)))
        elif what == "hold":
            held = max(held, now + which * rate.interval)
            tokens.hold(now + which * rate.interval)
    obeys(used, rate)


@given(rates, st.lists(st.tuples(gaps, st.floats(0, 2)), max_size=30))
def test_after_a_delayed_request_the_next_permit_keeps_its_distance(rate, calls):
    """With a burst of one: whatever left before a turn was given left an interval before it."""
    rate = RateLimit(rate.requests, rate.per, 1, rate.margin)
    tokens, now = TokenBucket(rate), 0.0
    underway: list[tuple[float, float]] = []
    left: list[float] = []
    for pause, late in calls:
        now += pause * rate.interval
        for departure, lateness in sorted(underway):
            if departure <= now:
                tokens.report_delay(lateness)
                left.append(departure)
                underway.remove((departure, lateness))
        if tokens.take(now) == 0.0:
            slack = EPS * max(1.0, now)
            assert all(now - departure >= rate.interval - slack for departure in left)
            underway.append((now + late * rate.interval, late * rate.interval))


lanes = st.builds(
    WindowLimit, st.just("x"), st.integers(1, 5), st.floats(0.1, 100), margin=st.just(0.0)
)
buckets = st.one_of(
    rates.map(TokenBucket),
    lanes.map(SlidingWindow),
    lanes.map(lambda lane: CombinedBucket([SlidingWindow(lane)])),
)


@given(buckets, st.lists(st.floats(0, 50), max_size=8), st.integers(0, 12), st.floats(0, 100))
def test_a_permit_is_free_when_the_estimate_for_a_waiting_caller_said(bucket, pauses, ahead, held):
    now = 0.0
    for pause in pauses:
        now += pause
        bucket.take(now)
    bucket.hold(held)
    foretold = bucket.wait(now, ahead)
    moment = now
    for _ in range(ahead + 1):
        moment += bucket.wait(moment)
        while bucket.take(moment) > 0.0:  # what rounding leaves over
            moment = math.nextafter(moment, math.inf)
    assert moment - now == pytest.approx(foretold, abs=EPS * max(1.0, moment))
