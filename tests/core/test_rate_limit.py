"""The token bucket, case by case; see also properties/test_rate_limit_properties.py."""

from __future__ import annotations

import math

import pytest

from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import MARGIN, RateLimit, TokenBucket


def bucket(requests: float = 1, per: float = 3.0, burst: int = 1) -> TokenBucket:
    return TokenBucket(RateLimit(requests, per, burst, margin=0))


def taken(bucket: TokenBucket, *moments: float) -> list[float]:
    return [bucket.take(moment) for moment in moments]


def test_a_full_bucket_gives_its_burst_at_once_and_then_one_token_per_interval():
    assert taken(bucket(burst=3), 0, 0, 0, 0, 2, 3, 4) == [0, 0, 0, 3, 1, 0, 2]


def test_after_a_long_pause_only_the_burst_is_free():
    tokens = bucket(burst=2)
    tokens.take(0)
    assert taken(tokens, 86_400, 86_400, 86_400) == [0, 0, 3]


def test_wait_takes_no_token_and_returns_what_take_would():
    tokens = bucket()
    assert tokens.wait(0) == 0
    tokens.take(0)
    assert [tokens.wait(1), tokens.wait(1), tokens.take(1)] == [2, 2, 2]
    assert tokens.wait(5) == 0


def test_the_margin_stretches_the_gaps():
    tokens = TokenBucket(RateLimit(2, per=3.0))
    assert taken(tokens, 0, 0) == [0, pytest.approx(1.5 * (1 + MARGIN))]
    assert RateLimit(1, per=3.0).interval == pytest.approx(3.06)


def test_a_refunded_token_can_be_taken_again():
    tokens = bucket()
    tokens.take(0)
    tokens.refund(0)
    assert taken(tokens, 0, 0) == [0, 3]


def test_a_token_whose_time_has_passed_is_not_refunded():
    """A took at 0 and refunds at 3.5, B took at 3: C must wait until 6 because of B."""
    tokens = bucket()
    tokens.take(0)
    tokens.take(3)
    tokens.refund(0)
    assert tokens.wait(3.5) == 2.5


def test_two_tokens_of_one_moment_can_both_be_refunded():
    tokens = bucket(burst=2)
    assert taken(tokens, 0, 0) == [0, 0]
    tokens.refund(0)
    tokens.refund(0)
    assert taken(tokens, 0, 0, 0) == [0, 0, 3]


def test_no_token_is_free_during_a_hold_and_no_burst_is_collected_by_it():
    tokens = bucket(burst=2)
    tokens.hold(10)
    assert taken(tokens, 0, 9, 10, 10, 13) == [10, 1, 0, 3, 0]


def test_a_shorter_hold_does_not_end_a_longer_one():
    tokens = bucket()
    tokens.hold(10)
    tokens.hold(5)
    assert tokens.wait(0) == 10


def test_a_refunded_token_does_not_shorten_a_hold():
    tokens = bucket()
    tokens.take(0)
    tokens.hold(10)
    tokens.refund(0)
    assert [tokens.wait(0), tokens.take(9.5), tokens.take(10)] == [10, 0.5, 0]


def test_a_delayed_request_moves_the_following_ones():
    tokens = bucket()
    tokens.take(0)
    tokens.report_delay(0.5)
    assert taken(tokens, 3, 3.5) == [0.5, 0]


def test_requests_delayed_side_by_side_move_the_following_ones_once():
    """Sixteen new connections of 0.25 s each do not cost four seconds."""
    tokens, slots = bucket(requests=64, per=1.0), []
    for number in range(16):
        assert tokens.take(number / 64) == 0
        slots.append(tokens.slot)
    for slot in slots:
        tokens.report_delay(0.25 - slot, slot)
    assert tokens.wait(0.25) == 0.25


def test_a_late_timer_does_not_move_the_schedule_within_the_tolerance():
    tokens = TokenBucket(RateLimit(1, per=3.0, margin=0.1))
    assert taken(tokens, 0, 3.3 + 0.07, 6.61, 9.9 + 0.25) == [0, 0, 0, 0]
    assert tokens.wait(9.9 + 0.25) == pytest.approx(3.3 - 0.075)


def test_a_request_that_leaves_a_little_late_moves_nothing():
    tokens = TokenBucket(RateLimit(1, per=3.0, margin=0.1))
    tokens.take(0)
    tokens.report_delay(0.075)
    assert tokens.wait(3) == pytest.approx(0.3)
    tokens.report_delay(0.175)
    assert tokens.wait(3) == pytest.approx(0.4)


def test_a_request_that_leaves_after_others_costs_one_permit():
    tokens = bucket()
    tokens.take(0)
    slot = tokens.slot
    taken(tokens, 3, 6)
    tokens.report_delay(7, slot)
    assert tokens.wait(7) == 5


def test_delays_are_forgotten_once_the_bucket_is_full_again():
    tokens = bucket()
    for start in (0, 100):
        tokens.take(start)
        tokens.report_delay(0.5)
        assert tokens.wait(start) == 3.5


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["requests", "per"])
def test_a_rate_of_zero_is_rejected_by_name(name, value):
    with pytest.raises(ConfigurationError, match=rf"RateLimit\.{name} must be a positive number"):
        RateLimit(**{"requests": 1, "per": 1, name: value})


def test_the_burst_must_be_at_least_one():
    with pytest.raises(ConfigurationError, match="burst must be at least 1, not 0"):
        RateLimit(1, per=1, burst=0)


@pytest.mark.parametrize("margin", [-0.1, 10, math.nan])
def test_a_margin_out_of_range_is_rejected(margin):
    with pytest.raises(ConfigurationError, match="margin"):
        RateLimit(1, per=1, margin=margin)
