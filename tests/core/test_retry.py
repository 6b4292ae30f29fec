"""Which errors are retried, and after which delay."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core import errors
from lix_async.core.errors import (
    AuthenticationError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    LixError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    TransportError,
    WeeklyLimitError,
)
from lix_async.core.retry import RetryDelay, RetryPolicy

WINDOW = 3.0


def decide(error: LixError, failures: int = 1, polls: int = 0, idempotent: bool = True, **policy):
    return RetryPolicy(**policy).next_delay(
        error, failures=failures, polls=polls, idempotent=idempotent, window=WINDOW
    )


REFUSED_FOR_GOOD = [
    AuthenticationError("no"),
    QuotaExceededError("no"),
    errors.InvalidParamsError("no"),
    errors.NotFoundError("no"),
    errors.ViewerError("no"),
    errors.RefusalError("no"),
    DailyLimitError("no", retry_after=1),
    WeeklyLimitError("no", retry_after=1),
    DecodeError("no"),
    DeadlineError("no"),
    TransportError("bad certificate", permanent=True),
]


@pytest.mark.parametrize("error", REFUSED_FOR_GOOD, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("idempotent", [True, False])
def test_errors_that_a_retry_cannot_change_are_final(error, idempotent):
    assert decide(error, idempotent=idempotent) is None


@pytest.mark.parametrize(
    ("error", "idempotent", "repeated"),
    [
        (TransportError("lost", sent=True), True, True),
        (TransportError("lost", sent=True), False, False),
        (TransportError("no connection", sent=False), True, True),
        (TransportError("no connection", sent=False), False, True),
        (ServerError("500"), True, True),
        (ServerError("500"), False, False),
        (RateLimitError("429"), True, True),
        (RateLimitError("429"), False, False),
        (RateLimitError("429", retry_after=1), False, False),
        (QueuedError("queued"), True, True),
        (QueuedError("queued"), False, False),
    ],
)
def test_a_call_that_acts_is_retried_only_if_it_was_not_sent(error, idempotent, repeated):
    assert (decide(error, polls=1, idempotent=idempotent) is not None) is repeated


def test_lost_answers_are_not_retried_where_the_policy_forbids_it():
    lost = TransportError("lost", sent=True)
    assert decide(lost, repeat_lost=False) is None
    assert decide(TransportError("no connection"), repeat_lost=False) is not None


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_attempts_include_the_first_one(attempts):
    allowed = [decide(ServerError("500"), failures, attempts=attempts) for failures in (1, 2, 3)]
    assert [delay is not None for delay in allowed] == [n < attempts for n in (1, 2, 3)]


def test_delays_grow_to_their_limit_with_full_jitter():
    delays = [decide(ServerError("500"), n, attempts=99) for n in (1, 2, 3, 7, 8, 98)]
    assert delays == [RetryDelay(0, high) for high in (0.5, 1.0, 2.0, 30.0, 30.0, 30.0)]


def test_retry_after_is_respected_and_final_if_it_is_too_long():
    assert decide(ServerError("503", retry_after=10)) == RetryDelay(10, 10.5)
    assert decide(ServerError("503", retry_after=120)) == RetryDelay(120, 126)
    assert decide(ServerError("503", retry_after=120.1)) is None
    assert decide(RateLimitError("429", retry_after=121)) is None


def test_after_a_429_the_limiter_holds_for_retry_after_or_a_window():
    named, at_once = RateLimitError("429", retry_after=10), RateLimitError("429", retry_after=0)
    delays = [decide(named), decide(at_once), decide(RateLimitError("429"))]
    delays.append(decide(RateLimitError("429"), 3))
    assert all(delay.hold_limiter for delay in delays)
    assert [delay.low for delay in delays] == [10, 0, WINDOW, 4 * WINDOW]
    assert [delay.high for delay in delays] == pytest.approx([10.5, 0.3, 3.3, 12.6])


def test_delays_after_many_429s_have_a_limit():
    assert decide(RateLimitError("429"), 5000, attempts=9999) == RetryDelay(
        30, 31.5, hold_limiter=True
    )
    slow = RetryPolicy(attempts=99, max_backoff=1)
    delay = slow.next_delay(
        RateLimitError("429"), failures=9, polls=0, idempotent=True, window=WINDOW
    )
    assert delay is not None
    assert delay.low == WINDOW


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitError("429"), WINDOW),
        (RateLimitError("429", retry_after=10), 10),
        (RateLimitError("429", retry_after=86_400), 120),
        (DailyLimitError("used up", retry_after=10), 0),
        (WeeklyLimitError("used up", retry_after=10), 0),
        (ServerError("503", retry_after=10), 0),
    ],
)
def test_a_429_holds_the_limiter_although_the_error_is_final(error, seconds):
    assert RetryPolicy().hold(error, WINDOW) == seconds


def test_queued_lookups_are_polled_at_their_interval_as_often_as_allowed():
    queued = QueuedError("queued")
    answers = [decide(queued, failures=99, polls=polls) for polls in (1, 10, 11)]
    assert answers == [RetryDelay(60, 66), RetryDelay(60, 66), None]
    assert decide(queued, polls=1, queued_attempts=0) is None


def test_retry_after_of_a_queued_answer_counts_up_to_the_longer_of_two_limits():
    assert decide(QueuedError("queued", retry_after=5), polls=1) == RetryDelay(60, 66)
    assert decide(QueuedError("queued", retry_after=90), polls=1) == RetryDelay(90, 90 * 1.1)
    assert decide(QueuedError("queued", retry_after=121), polls=1) is None
    longer = decide(QueuedError("queued", retry_after=200), polls=1, queued_interval=300)
    assert longer == RetryDelay(300, 300 * 1.1)


kinds = st.sampled_from([ServerError, RateLimitError, QueuedError, TransportError])


@given(
    st.lists(st.tuples(kinds, st.none() | st.floats(0, 500)), max_size=60),
    st.integers(1, 8),
    st.integers(0, 8),
)
def test_no_sequence_of_errors_exceeds_the_attempts(faults, attempts, polls_allowed):
    policy = RetryPolicy(attempts=attempts, queued_attempts=polls_allowed)
    failures = polls = sent = 0
    for kind, named in faults:
        error = kind("no") if kind is TransportError else kind("no", retry_after=named)
        sent += 1
        polls += kind is QueuedError
        failures += kind is not QueuedError
        delay = policy.next_delay(
            error, failures=failures, polls=polls, idempotent=True, window=WINDOW
        )
        if delay is None:
            break
        assert 0 <= delay.low <= delay.high <= 120 * 1.1
        if named is not None and kind is not TransportError:
            assert delay.low >= named
    assert sent <= attempts + polls_allowed


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"attempts": 0}, "attempts must be at least 1, not 0"),
        ({"queued_attempts": -1}, "queued_attempts must not be negative"),
        *(
            ({name: value}, f"RetryPolicy.{name} must be zero or a positive number of seconds")
            for name in ("backoff", "max_backoff", "max_retry_after", "queued_interval")
            for value in (-1, math.nan, math.inf)
        ),
    ],
)
def test_an_invalid_policy_is_rejected_by_name(setting, message):
    with pytest.raises(ConfigurationError, match=message):
        RetryPolicy(**setting)
