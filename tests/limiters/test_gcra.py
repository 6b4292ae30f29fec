"""The arithmetic, pure; then the same arithmetic as each server does it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async import ConfigurationError, RateLimit
from lix_async.limiters import gcra
from lix_async.limiters.gcra import FOREVER, LONGEST_HOLD, SECOND, GcraParameters, GcraState

RATES = st.builds(
    RateLimit,
    requests=st.floats(0.2, 200),
    per=st.floats(0.5, 60),
    burst=st.integers(1, 5),
    margin=st.sampled_from([0.0, 0.004, 0.02, 0.1]),
)
ASKS = st.lists(
    st.tuples(st.integers(0, 400_000), st.sampled_from([0, 5_000, FOREVER])), max_size=80
)
T0 = 1_700_000_000 * SECOND


@given(RATES, ASKS)
def test_no_window_holds_more_turns_than_the_rate_allows(rate, asks):
    pace, state, now = GcraParameters.of(rate), GcraState(), T0
    turns = []
    for gap, ahead in asks:
        now += gap
        state, reply = gcra.ask(state, pace, now, ahead)
        assert reply.turn >= now
        if reply.wait <= ahead:
            turns.append(reply.turn)
    assert turns == sorted(turns)
    for i, first in enumerate(turns):
        for count, last in enumerate(turns[i:], 1):
            # A closed window, between the first of them and the last.
            assert count <= rate.burst + (last - first + pace.tolerance) // pace.interval


@given(RATES)
def test_the_margin_pays_for_the_tolerance(rate):
    pace = GcraParameters.of(rate)
    whole = max(int(rate.requests), 1)
    assert (
        whole * pace.interval - pace.tolerance
        >= whole * rate.per / max(rate.requests, 1) * SECOND - 1
    )


@given(RATES, st.integers(0, LONGEST_HOLD * 2))
def test_a_hold_stops_everybody_and_saves_up_nothing(rate, length):
    pace = GcraParameters.of(rate)
    until = T0 + min(length, LONGEST_HOLD)
    state = gcra.hold(GcraState(), pace, T0, length)
    state, first = gcra.ask(state, pace, T0, FOREVER)
    state, second = gcra.ask(state, pace, T0, FOREVER)
    assert first.turn == until
    assert second.turn >= until + pace.interval - pace.tolerance


@given(RATES, ASKS)
def test_what_is_given_back_at_once_leaves_no_trace_in_the_pace(rate, asks):
    pace, state, now = GcraParameters.of(rate), GcraState(), T0
    for gap, ahead in asks:
        now += gap
        _, before = gcra.ask(state, pace, now, 0)
        after, reply = gcra.ask(state, pace, now, ahead)
        if reply.wait <= ahead:
            after = gcra.refund(after, pace, reply.full_at)
            assert gcra.refund(after, pace, reply.full_at) == after, "once only"
            _, again = gcra.ask(after, pace, now, 0)
            assert again.turn == before.turn
            state, _ = gcra.ask(after, pace, now, ahead)


def test_a_turn_that_others_came_after_is_not_given_back():
    pace = GcraParameters.of(RateLimit(1, per=1.0))
    state, first = gcra.ask(GcraState(), pace, T0, FOREVER)
    state, _ = gcra.ask(state, pace, T0, FOREVER)
    assert gcra.refund(state, pace, first.full_at) == state


def test_a_clock_put_back_by_a_day_costs_no_day():
    pace = GcraParameters.of(RateLimit(1, per=3.0))
    state, _ = gcra.ask(GcraState(), pace, T0 + 86_400 * SECOND, 0)
    _, reply = gcra.ask(state, pace, T0, 0)
    assert reply.wait == 0


def test_margins():
    rate = RateLimit(50, per=1.0)
    assert GcraParameters.of(rate).interval == 20_100
    assert GcraParameters.of(rate, 0.02).interval == 20_400
    assert GcraParameters.of(RateLimit(50, per=1.0, margin=0.01)).interval == 20_200
    assert GcraParameters.of(rate, 0).tolerance == 0
    with pytest.raises(ConfigurationError):
        GcraParameters.of(rate, -1)
    with pytest.raises(ConfigurationError):
        GcraParameters.of(RateLimit(1, per=1e6))


@pytest.mark.parametrize("burst", [1, 3])
def test_each_server_counts_like_the_model(place, burst):
    """Random steps on the real server; each answer tells its moment, and is worked out again."""
    pace, chance, store = (
        GcraParameters.of(RateLimit(200, per=1.0, burst=burst)),
        random.Random(7),
        place.store(),
    )
    state, stamps = GcraState(), [0]
    try:
        for _ in range(150):
            step = chance.choice(["ask"] * 6 + ["refund", "push"])
            if step == "ask":
                ahead = chance.choice([0, 3_000, FOREVER])
                reply = store.ask(pace, ahead)
                state, expected = gcra.ask(state, pace, reply.now, ahead)
                assert reply == expected
                stamps.append(reply.full_at)
            elif step == "refund":
                stamp = chance.choice(stamps[-2:])
                assert store.refund(pace, stamp) == (state.full_at == stamp)
                state = gcra.refund(state, pace, stamp)
            else:
                store.push(1_000)
                state = gcra.push(state, 1_000)
        assert store.held() == 0
        store.hold(pace, 5 * SECOND)
        left = store.held()
        reply = store.ask(pace, 0)
        assert 0 < reply.wait <= left <= 5 * SECOND or reply.wait >= left
        store.hold(pace, LONGEST_HOLD * 9)
        assert store.held() <= LONGEST_HOLD
        store.push(2 * pace.horizon)  # as if the clock had been put back
        assert store.ask(pace, 0).wait == 0
    finally:
        store.close()
