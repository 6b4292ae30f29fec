"""The arithmetic of a shared rate. Pure, in whole microseconds; the stores carry it out.

What is shared is one number: `full_at`, the moment at which the bucket would be full again
(GCRA's "theoretical arrival time"), and beside it the end of a hold. `SqliteLimiter` calls these
functions inside a transaction; the Lua script and the SQL update say the same in their own
languages, and the tests replay what real servers answered through this module.

Turns come late: a timer fires late, a network takes its time. A schedule that moved with each
late turn would lose 2 % at 50 per second, so a turn that is late by no more than `tolerance`
leaves the schedule where it is. It is half of the margin that stretches the gaps, therefore no
window of `per` seconds holds more turns than the rate allows, and the other half of the margin
remains for what the network does to the arrivals.
"""

from __future__ import annotations

import math

import msgspec

from ..core.errors import ConfigurationError
from ..core.rate_limit import MARGIN, RateLimit

SECOND = 1_000_000
SHARED_MARGIN = 0.005
"""Share by which a shared limiter stretches the gaps, unless the user chose another one."""
LONGEST_HOLD = 3600 * SECOND
"""A hold ends after an hour at most: the next refusal begins a new one."""
WAITING = 1000
"""Reserved turns ahead that are believed. Each process reserves one."""
FOREVER = 2**52
"""`ahead` of a caller who takes the next turn whenever it comes. Exact in Lua's doubles."""


class GcraParameters(msgspec.Struct, frozen=True):
    """A `RateLimit` in microseconds.

    `horizon`: a line longer than that was written by a clock that has been put back since, and
    is forgotten.
    """

    interval: int
    slack: int
    tolerance: int
    horizon: int

    @classmethod
    def of(cls, rate: RateLimit, margin: float | None = None) -> GcraParameters:
        """The pace of a rate. `margin` None: `SHARED_MARGIN` where the rate has its default.

        A `RateLimit` cannot tell a margin of 2 % that was asked for from its default: who wants
        2 % here says `margin=0.02`.
        """
        if margin is None:
            margin = SHARED_MARGIN if rate.margin == MARGIN else rate.margin
        if not 0 <= margin < 10:
            raise ConfigurationError(f"margin must be 0 or a small share: {margin!r}")
        interval = math.ceil(rate.per / rate.requests * (1.0 + margin) * SECOND)
        # Never above half a gap: at one request per gap nothing is gained by more.
        tolerance = min(math.floor(rate.per * margin * SECOND / 2), interval // 2)
        slack = (rate.burst - 1) * interval
        if interval > LONGEST_HOLD * 24:
            raise ConfigurationError("a shared rate needs at least one request per day")
        return cls(interval, slack, tolerance, LONGEST_HOLD + slack + WAITING * interval)


class GcraState(msgspec.Struct, frozen=True):
    """What is shared: two moments on the server's clock, in microseconds since 1970."""

    full_at: int = 0
    held: int = 0


class GcraDecision(msgspec.Struct, frozen=True):
    """What asking for a turn brought: when it was asked, when the turn is, `full_at` afterwards.

    The turn is the caller's if `turn - now` is no more than what it was ready to wait.
    """

    now: int
    turn: int
    full_at: int

    @property
    def wait(self) -> int:
        """Microseconds from asking to the turn."""
        return self.turn - self.now


def ask(
    state: GcraState, pace: GcraParameters, now: int, ahead: int
) -> tuple[GcraState, GcraDecision]:
    """Take the next turn if it is at most `ahead` away (0: only one that is free now)."""
    if state.full_at - now > pace.horizon:
        state = GcraState()
    turn = max(state.full_at - pace.slack, state.held, now)
    full_at = state.full_at
    if turn - now <= ahead:
        full_at = max(full_at, turn - pace.tolerance) + pace.interval
    return GcraState(full_at, state.held), GcraDecision(now, turn, full_at)


def hold(state: GcraState, pace: GcraParameters, now: int, length: int) -> GcraState:
    """No turn for that long, and no burst saved up by holding."""
    until = now + min(length, LONGEST_HOLD)
    return GcraState(max(state.full_at, until + pace.slack), max(state.held, until))


def refund(state: GcraState, pace: GcraParameters, stamp: int) -> GcraState:
    """Undo the turn that left `full_at` at `stamp`. Nothing once a later turn was taken."""
    if state.full_at != stamp:
        return state
    return GcraState(stamp - pace.interval, state.held)


def push(state: GcraState, length: int) -> GcraState:
    """Requests leave that much after their turns: shift the turns that follow."""
    return GcraState(state.full_at + length, state.held)
