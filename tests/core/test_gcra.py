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
    delay_permits,
    hold_permits,
    rebase_state,
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


@given(RATES, REQUESTS, st.integers(0, LONGEST_HOLD), st.integers(1, 10**15))
def test_a_clock_that_is_put_back_changes_no_wait(rate, requests, held, back):
    params, state, now = GcraParameters.in_microseconds(rate), EMPTY, START
    for gap, max_wait in requests:
        now += gap
        state, _ = take_permit(state, params, now, max_wait)
    state = hold_permits(state, params, now + held)
    moved = rebase_state(state, now, now - back)
    _, permit_at = take_permit(state, params, now, FOREVER)
    _, moved_permit_at = take_permit(moved, params, now - back, FOREVER)
    assert moved_permit_at - (now - back) == permit_at - now
    assert rebase_state(state, now, now) == state


@given(
    RATES,
    st.lists(
        st.tuples(st.integers(0, 400_000), st.sampled_from([0, FOREVER]), st.integers(0, 900_000)),
        max_size=60,
    ),
)
def test_after_any_late_requests_no_window_holds_more_requests_than_the_rate_allows(rate, calls):
    """Each request leaves after its permit and is reported then, whatever leaves in between.

    Only requests that left before the permit of the last one are reported to it: no limiter can
    know that another will be late.
    """
    params, state, now = GcraParameters.in_microseconds(rate), EMPTY, START
    most, underway, left = rate.burst, [], []
    for gap, max_wait, late in calls:
        now += gap
        for departure, full_at in sorted(underway):
            if departure <= now:
                length = departure - (full_at - params.interval) - params.tolerance
                state = delay_permits(state, params, max(length, 0), departure)
                left.append(departure)
        underway = [pair for pair in underway if pair[0] > now]
        state, permit_at = take_permit(state, params, now, max_wait)
        if permit_at - now > max_wait:
            continue
        for i, first in enumerate(sorted(left)):
            count = len(left) - i + 1
            assert count <= most + (permit_at - first + params.tolerance) // params.interval
        underway.append((permit_at + late, state.full_at))


def test_a_request_that_leaves_late_costs_at_most_one_permit():
    """However long it took to leave: the others that left in between had permits of their own."""
    params = GcraParameters.in_microseconds(RateLimit(50, per=1.0))
    state, now = EMPTY, START
    for _ in range(50):
        state, now = take_permit(state, params, now, FOREVER)
    late = delay_permits(state, params, 60 * SECOND, now)
    assert late.full_at == state.full_at + params.interval


def test_the_margin_stretches_the_interval():
    rate = RateLimit(50, per=1.0)
    assert GcraParameters.in_microseconds(rate).interval == 20_400
    assert GcraParameters.in_microseconds(rate, 0.005).interval == 20_100
    assert GcraParameters.in_microseconds(RateLimit(50, per=1.0, margin=0.01)).interval == 20_200
    assert GcraParameters.in_microseconds(rate, 0).tolerance == 0
    assert GcraParameters.in_microseconds(rate).tolerance == 5_000


def test_a_margin_out_of_range_and_a_rate_below_one_per_day_are_rejected():
    with pytest.raises(ConfigurationError, match="margin must be a share from 0 to 10, not -1"):
        GcraParameters.in_microseconds(RateLimit(50, per=1.0), -1)
    with pytest.raises(ConfigurationError, match="at least one request per day"):
        GcraParameters.in_microseconds(RateLimit(1, per=1e6))
