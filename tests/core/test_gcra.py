"""The GCRA functions, in the whole microseconds of shared limiters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async import ConfigurationError, RateLimit
from lix_async.core.rate_limit import (
    FOREVER,
    LONGEST_HOLD,
    SECOND,
    GcraParameters,
    GcraState,
    hold_permits,
    refund_permit,
    take_permit,
)

RATES = st.builds(
    RateLimit,
    requests=st.floats(0.2, 200),
    per=st.floats(0.5, 60),
    burst=st.integers(1, 5),
    margin=st.sampled_from([0.0, 0.004, 0.02, 0.1]),
)
REQUESTS = st.lists(
    st.tuples(st.integers(0, 400_000), st.sampled_from([0, 5_000, FOREVER])), max_size=80
)
"""Gaps between requests for a permit, and how long each is ready to wait."""
START = 1_700_000_000 * SECOND
EMPTY = GcraState(0, 0)


@given(RATES, REQUESTS)
def test_no_window_holds_more_permits_than_the_rate_allows(rate, requests):
    params, state, now = GcraParameters.in_microseconds(rate), EMPTY, START
    permits = []
    for gap, max_wait in requests:
        now += gap
        state, permit_at = take_permit(state, params, now, max_wait)
        assert permit_at >= now
        if permit_at - now <= max_wait:
            permits.append(permit_at)
    assert permits == sorted(permits)
    for i, first in enumerate(permits):
        for count, last in enumerate(permits[i:], 1):
            # A closed window, between the first of them and the last.
            assert count <= rate.burst + (last - first + params.tolerance) // params.interval


@given(RATES)
def test_the_margin_makes_up_for_the_tolerance(rate):
    params = GcraParameters.in_microseconds(rate)
    whole = max(int(rate.requests), 1)
    assert (
        whole * params.interval - params.tolerance
        >= whole * rate.per / max(rate.requests, 1) * SECOND - 1
    )


@given(RATES, st.integers(0, LONGEST_HOLD))
def test_no_permit_comes_during_a_hold_and_no_burst_is_collected_by_it(rate, length):
    params = GcraParameters.in_microseconds(rate)
    until = START + length
    state = hold_permits(EMPTY, params, until)
    state, first = take_permit(state, params, START, FOREVER)
    state, second = take_permit(state, params, START, FOREVER)
    assert first == until
    assert second >= until + params.interval - params.tolerance


@given(RATES, REQUESTS)
def test_a_permit_refunded_at_once_leaves_the_schedule_as_it_was(rate, requests):
    params, state, now = GcraParameters.in_microseconds(rate), EMPTY, START
    for gap, max_wait in requests:
        now += gap
        _, before = take_permit(state, params, now, 0)
        taken, permit_at = take_permit(state, params, now, max_wait)
        if permit_at - now <= max_wait:
            after = refund_permit(taken, params, taken.full_at)
            assert refund_permit(after, params, taken.full_at) == after, "once only"
            _, again = take_permit(after, params, now, 0)
            assert again == before
            state, _ = take_permit(after, params, now, max_wait)


def test_a_permit_is_not_refunded_once_a_later_one_was_taken():
    params = GcraParameters.in_microseconds(RateLimit(1, per=1.0))
    first, _ = take_permit(EMPTY, params, START, FOREVER)
    second, _ = take_permit(first, params, START, FOREVER)
    assert refund_permit(second, params, first.full_at) == second


def test_a_clock_put_back_by_a_day_does_not_stop_permits_for_a_day():
    params = GcraParameters.in_microseconds(RateLimit(1, per=3.0))
    state, _ = take_permit(EMPTY, params, START + 86_400 * SECOND, 0)
    _, permit_at = take_permit(state, params, START, 0)
    assert permit_at == START


def test_the_margin_stretches_the_interval():
    rate = RateLimit(50, per=1.0)
    assert GcraParameters.in_microseconds(rate).interval == 20_100
    assert GcraParameters.in_microseconds(rate, 0.02).interval == 20_400
    assert GcraParameters.in_microseconds(RateLimit(50, per=1.0, margin=0.01)).interval == 20_200
    assert GcraParameters.in_microseconds(rate, 0).tolerance == 0


def test_a_margin_out_of_range_and_a_rate_below_one_per_day_are_rejected():
    with pytest.raises(ConfigurationError, match="margin must be a share from 0 to 10, not -1"):
        GcraParameters.in_microseconds(RateLimit(50, per=1.0), -1)
    with pytest.raises(ConfigurationError, match="at least one request per day"):
        GcraParameters.in_microseconds(RateLimit(1, per=1e6))
