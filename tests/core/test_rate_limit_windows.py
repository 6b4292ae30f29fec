"""Sliding windows ("N in any minute"), and several limits at once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import (
    CombinedBucket,
    RateLimit,
    SlidingWindow,
    TokenBucket,
    WindowLimit,
)


def window(requests: int = 2, per: float = 60.0) -> SlidingWindow:
    return SlidingWindow(WindowLimit("calls", requests, per, margin=0))


def taken(bucket, *moments: float) -> list[float]:
    return [bucket.take(moment) for moment in moments]


def test_all_permits_of_a_window_may_be_taken_at_once():
    assert taken(window(), 0, 10, 10, 60, 61, 70) == [0, 0, 50, 0, 9, 0]


def test_wait_takes_nothing():
    calls = window(1)
    assert [calls.wait(0), calls.wait(0), calls.take(0), calls.wait(20)] == [0, 0, 0, 40]


def test_the_margin_stretches_the_window():
    calls = SlidingWindow(WindowLimit("calls", 1, 60))
    assert taken(calls, 0, 60) == [0, pytest.approx(1.2)]


def test_any_permit_of_the_window_can_be_refunded():
    calls = window(3)
    taken(calls, 0, 5, 10)
    calls.refund(5)
    assert taken(calls, 20, 20, 60) == [0, 40, 0]


def test_a_permit_that_was_never_taken_is_not_refunded():
    calls = window(1)
    calls.refund(-math.inf)
    calls.refund(7)
    assert taken(calls, 0, 0) == [0, 60]


def test_a_hold_stops_free_permits():
    calls = window()
    calls.hold(30)
    calls.hold(10)
    assert taken(calls, 0, 30) == [30, 0]


def test_delays_side_by_side_stretch_the_window_once_until_they_have_left_it():
    calls = window(2)
    taken(calls, 0, 0)
    calls.report_delay(0.5)
    calls.report_delay(0.25)
    assert taken(calls, 60, 60.5, 200, 200, 260) == [0.5, 0, 0, 0, 0]


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from(["take", "refund"]), st.floats(0, 30)), max_size=60),
)
def test_no_window_holds_more_permits_whatever_is_refunded(requests, steps):
    calls, now, used = window(requests), 0.0, []
    for what, pause in steps:
        now += pause
        if what == "take":
            if calls.take(now) == 0.0:
                used.append(now)
        elif used:
            calls.refund(used.pop(len(used) // 2))
    for first in used:
        assert sum(first <= permit < first + 60 - 1e-6 for permit in used) <= requests


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 50)), max_size=40))
def test_requests_keep_the_limit_if_their_delay_was_reported_in_time(calls):
    bucket, now, left = window(2), 0.0, []
    for pause, late in calls:
        now += pause
        if bucket.take(now) == 0.0:
            inside = [departure for departure in left if departure > now - 60 + 1e-6]
            assert len(inside) < 2
            bucket.report_delay(late)
            now += late
            left.append(now)


def test_a_combined_permit_is_taken_in_all_buckets_or_in_none():
    few, many = window(1), window(2)
    joint = CombinedBucket([few, many])
    assert taken(joint, 0, 1) == [0, 59]
    assert taken(many, 1, 1) == [0, 59]
    assert joint.wait(30) == 30
    assert CombinedBucket([]).wait(0) == 0


def test_a_combined_bucket_passes_everything_on_to_each_bucket():
    rate = TokenBucket(RateLimit(1, per=3.0, margin=0))
    calls = window(1)
    joint = CombinedBucket([rate, calls])
    joint.take(0)
    joint.refund(0)
    assert joint.take(0) == 0
    joint.report_delay(0.5)
    assert (rate.wait(0), calls.wait(0)) == (3.5, 60.5)
    joint.hold(100)
    assert (rate.wait(0), calls.wait(0)) == (100, 100)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"requests": 0}, "requests of limit 'x' must be at least 1, not 0"),
        ({"requests": 1, "per": 0}, "per of limit 'x' must be a positive number of seconds, not 0"),
        ({"requests": 1, "per": math.inf}, "must be a positive number of seconds"),
    ],
)
def test_an_invalid_limit_is_rejected(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        WindowLimit("x", **settings)
