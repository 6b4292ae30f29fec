"""Rate arithmetic: pure functions and objects to which every moment is passed in.

Permits are spaced by the generic cell rate algorithm (GCRA; ITU-T I.371, described at
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). Its whole state is one number,
`full_at`: the moment at which a token bucket would be full again, which GCRA calls the theoretical
arrival time. A permit moves it on by `interval`, the gap between two permits. A bucket of `burst`
tokens has one to give as long as no more than `burst - 1` are missing, that is from
`full_at - (burst - 1) * interval` on. Nothing ticks: a machine that slept for a day finds `burst`
tokens, not a day's worth.

The functions work in any unit. `TokenBucket` uses them with seconds of a process's own clock.
Shared limiters use whole microseconds of the server's clock: `limiters/sqlite.py` calls the
functions inside a transaction, the Lua script and the SQL statements of the other two say the
same in their own languages, and tests replay the servers' answers through the functions.

Requests leave late: a timer fires late, a connection takes its time. A schedule that moved with
each of them would lose 5 % at 50 per second with timers that are a millisecond late. So each
permit has a slot in the schedule, and a request that leaves up to `tolerance` after its slot moves
nothing. The tolerance is a quarter of the margin by which gaps are stretched: for `n = requests`,
the n+1st request after any other has its slot `n * interval` later, so it leaves at least
`n * interval - tolerance = per * (1 + 3 / 4 * margin)` later, and no window of `per` seconds holds
more requests than the rate allows. The rest of the margin remains for what the network does
to the arrivals. A request that leaves later than that moves the schedule by the rest of its
delay, and by one interval at most: then it counts as one more request at its own moment, however
many others left in between.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from .errors import ConfigurationError
from .validation import ValidatedStruct

N = TypeVar("N", int, float)
MARGIN = 0.02
"""Share by which the gaps between permits are stretched. Sending at even gaps does not make
requests arrive at even gaps: the network shortens some, and a strict server counts arrivals. At
1 request per 3 s this is 60 ms."""
TOLERANCE = 0.25
"""Share of the margin that is for requests that leave late; the rest is for the network."""
SECOND = 1_000_000
"""A second in microseconds, the unit of shared limiters."""
LONGEST_HOLD = 3600 * SECOND
"""A shared hold ends after an hour at most; the next refusal begins another one."""
FOREVER = 2**52
"""`max_wait` of a caller that takes the next permit whenever it comes. Exact in Lua's doubles."""


class RateLimit(ValidatedStruct, frozen=True):
    """`requests` per `per` seconds; up to `burst` at once after a pause.

    A burst comes in addition to the rate: a window of `per` seconds holds up to
    `requests + burst - 1` requests.

    Raises:
        ConfigurationError: A field has the wrong type or is out of range.

    """

    requests: float
    """Requests in each period."""
    per: float
    """Seconds of the period."""
    burst: int = 1
    """Requests that may be sent at once after a pause."""
    margin: float = MARGIN
    """The share by which the gaps are stretched (default 2 %), because a server counts arrivals and
    the network moves them. 0 sends at the exact rate."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in (("requests", self.requests), ("per", self.per)):
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError(
                    f"RateLimit.{name} must be a positive number, not {value!r}"
                )
        if self.burst < 1:
            raise ConfigurationError(f"RateLimit.burst must be at least 1, not {self.burst!r}")
        _check_margin("RateLimit.margin", self.margin)

    @property
    def interval(self) -> float:
        """Seconds between two permits at the full rate, margin included."""
        return self.per / self.requests * (1.0 + self.margin)

    @property
    def tolerance(self) -> float:
        """Seconds that a request may leave late without moving the schedule, out of the margin."""
        return self.per * self.margin * TOLERANCE


def _check_margin(name: str, margin: float) -> None:
    if not 0 <= margin < 10:
        raise ConfigurationError(f"{name} must be a share from 0 to 10, not {margin!r}")


class GcraParameters(msgspec.Struct, Generic[N], frozen=True):
    """The parameters of the GCRA functions, in the unit of the caller's clock."""

    interval: N
    """Gap between two permits."""
    slack: N
    """How long before `full_at` a permit is free: the gaps of a burst but the first."""
    tolerance: N
    """Delay up to which a late request does not move the schedule."""

    @staticmethod
    def in_seconds(rate: RateLimit) -> GcraParameters[float]:
        """The parameters of a limiter of one process."""
        return GcraParameters(rate.interval, (rate.burst - 1) * rate.interval, rate.tolerance)

    @staticmethod
    def in_microseconds(rate: RateLimit, margin: float | None = None) -> GcraParameters[int]:
        """The parameters of a shared limiter.

        Args:
            rate: The rate that is shared.
            margin: Share by which the gaps are stretched. None: that of the rate.

        Raises:
            ConfigurationError: The margin is out of range, or the rate below one request a day.

        """
        if margin is not None:
            _check_margin("margin", margin)
            rate = replace(rate, margin=margin)
        interval = math.ceil(rate.interval * SECOND)
        if interval > LONGEST_HOLD * 24:
            raise ConfigurationError("rate must be at least one request per day to be shared")
        tolerance = math.floor(rate.tolerance * SECOND)
        return GcraParameters(interval, (rate.burst - 1) * interval, tolerance)


class GcraState(msgspec.Struct, Generic[N], frozen=True, gc=False):
    """The moment at which the bucket is full again, and the end of a hold."""

    full_at: N
    held_until: N


class GcraDecision(msgspec.Struct, frozen=True):
    """A shared limiter's answer: the next permit as of `now`, and `full_at` afterwards, in µs.

    The permit was taken if `wait` is at most what the caller was ready to wait.
    """

    now: int
    permit_at: int
    full_at: int

    @property
    def wait(self) -> int:
        """Microseconds from `now` to the permit."""
        return self.permit_at - self.now


def take_permit(
    state: GcraState[N], params: GcraParameters[N], now: N, max_wait: N
) -> tuple[GcraState[N], N]:
    """Take the next permit if it is at most `max_wait` away (0: only one that is free now).

    Returns:
        The state afterwards, unchanged if no permit was taken, and the moment of the permit.

    """
    permit_at = max(state.full_at - params.slack, state.held_until, now)
    if permit_at - now > max_wait:
        return state, permit_at
    return GcraState(_next_full(state, params, permit_at), state.held_until), permit_at


def _next_full(state: GcraState[N], params: GcraParameters[N], moment: N) -> N:
    """`full_at` once a request of that moment is counted.

    After a pause the schedule begins anew with a full gap: the first request may be slow to arrive.
    """
    earliest = moment - params.tolerance
    if earliest - state.full_at > params.interval:
        return moment + params.interval
    return max(state.full_at, earliest) + params.interval


def hold_permits(state: GcraState[N], params: GcraParameters[N], until: N) -> GcraState[N]:
    """Give no permit before `until`, and collect no burst while holding."""
    return GcraState(max(state.full_at, until + params.slack), max(state.held_until, until))


def refund_permit(state: GcraState[N], params: GcraParameters[N], full_at: N) -> GcraState[N]:
    """Undo the taking that left this `full_at`; nothing once a later permit was taken."""
    if state.full_at != full_at:
        return state
    return GcraState(full_at - params.interval, state.held_until)


def delay_permits(
    state: GcraState[N], params: GcraParameters[N], length: N, now: N
) -> GcraState[N]:
    """Record a request that leaves now, `length` later than its slot and the tolerance.

    The following permits move on by that, but no further than by one more request of this moment:
    the late one then counts where it left, and its own slot stays unused.
    """
    full_at = min(state.full_at + length, _next_full(state, params, now))
    return GcraState(full_at, state.held_until)


def rebase_state(state: GcraState[N], asked_at: N, now: N) -> GcraState[N]:
    """The state on a clock that shows `now` after it showed `asked_at`.

    Where that is earlier, the clock was put back, or the machine restarted: all moments move with
    it, so that no caller waits longer than it had to at `asked_at`.
    """
    if now >= asked_at:
        return state
    return GcraState(state.full_at - asked_at + now, state.held_until - asked_at + now)


class Bucket(Protocol):
    """What a limiter takes its permits from."""

    slot: float
    """The place of the last permit in the schedule: its moment, or shortly before."""

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until a permit is free once `ahead` others have taken theirs; takes none."""
        ...

    def take(self, now: float) -> float:
        """Take a permit and return 0, or return the seconds to wait for one."""
        ...

    def refund(self, taken: float) -> None:
        """Undo the taking of that moment, whose request was never sent."""
        ...

    def hold(self, until: float) -> None:
        """Give no permit before `until`."""
        ...

    def report_delay(self, seconds: float, slot: float | None = None) -> None:
        """A request left that long after its slot (None: that of the last permit)."""
        ...


class TokenBucket:
    """A `Bucket` that gives permits no faster than its `RateLimit`, by GCRA."""

    __slots__ = ("_last", "_params", "_state", "slot")

    def __init__(self, rate: RateLimit) -> None:
        self._params = GcraParameters.in_seconds(rate)
        self._state: GcraState[float] = GcraState(-math.inf, -math.inf)
        self._last = -math.inf
        self.slot = -math.inf

    def wait(self, now: float, ahead: int = 0) -> float:
        full_at = max(self._state.full_at, now) + ahead * self._params.interval
        return max(full_at - self._params.slack - now, self._state.held_until - now, 0.0)

    def take(self, now: float) -> float:
        state, permit_at = take_permit(self._state, self._params, now, 0.0)
        if permit_at > now:
            return permit_at - now
        self._state, self._last = state, now
        self.slot = state.full_at - self._params.interval
        return 0.0

    def refund(self, taken: float) -> None:
        # A permit before the last one is lost: its time has passed.
        if taken >= self._last:
            self._state = refund_permit(self._state, self._params, self._state.full_at)

    def hold(self, until: float) -> None:
        self._state = hold_permits(self._state, self._params, until)

    def report_delay(self, seconds: float, slot: float | None = None) -> None:
        left = seconds + (self.slot if slot is None else slot)
        length = max(seconds - self._params.tolerance, 0.0)
        self._state = delay_permits(self._state, self._params, length, left)


class WindowLimit(ValidatedStruct, frozen=True):
    """One limit that a call counts against: `requests` in any `per` seconds.

    Limits that are equal are one limit. `margin` stretches the window, because a server counts
    arrivals and the network moves them.

    Raises:
        ConfigurationError: A field has the wrong type or is out of range.

    """

    name: str
    requests: int
    per: float = 60.0
    margin: float = MARGIN

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.requests < 1:
            raise ConfigurationError(
                f"requests of limit {self.name!r} must be at least 1, not {self.requests}"
            )
        if not (math.isfinite(self.per) and self.per > 0):
            raise ConfigurationError(
                f"per of limit {self.name!r} must be a positive number of seconds, not {self.per}"
            )


class SlidingWindow:
    """A `Bucket` for one `WindowLimit`: permits at once if wanted, never more in any window."""

    __slots__ = ("_held_until", "_per", "_taken", "_tolerance", "slot")

    def __init__(self, limit: WindowLimit) -> None:
        self._per = limit.per * (1.0 + limit.margin)
        self._tolerance = limit.per * limit.margin * TOLERANCE
        self._taken: deque[float] = deque([-math.inf] * limit.requests, limit.requests)
        self._held_until = -math.inf
        self.slot = -math.inf

    def wait(self, now: float, ahead: int = 0) -> float:
        windows, place = divmod(ahead, len(self._taken))
        seconds = max(self._taken[place] + self._per - now, self._held_until - now, 0.0)
        return seconds + windows * self._per

    def take(self, now: float) -> float:
        seconds = self.wait(now)
        if seconds == 0.0:
            self._taken.append(now)
            self.slot = now
        return seconds

    def refund(self, taken: float) -> None:
        if taken in self._taken and taken > -math.inf:
            self._taken.remove(taken)
            self._taken.appendleft(-math.inf)

    def hold(self, until: float) -> None:
        self._held_until = max(self._held_until, until)

    def report_delay(self, seconds: float, slot: float | None = None) -> None:
        slot = self.slot if slot is None else slot
        if seconds > self._tolerance:  # the request counts where it left
            self.refund(slot)
            self._taken.append(slot + seconds)


class CombinedBucket:
    """A `Bucket` that takes a permit in each of several windows, or in none."""

    __slots__ = ("_buckets", "slot")

    def __init__(self, buckets: Sequence[SlidingWindow]) -> None:
        self._buckets = tuple(buckets)
        self.slot = -math.inf

    def wait(self, now: float, ahead: int = 0) -> float:
        return max((bucket.wait(now, ahead) for bucket in self._buckets), default=0.0)

    def take(self, now: float) -> float:
        seconds = self.wait(now)
        if seconds == 0.0:
            for bucket in self._buckets:
                bucket.take(now)
            self.slot = now
        return seconds

    def refund(self, taken: float) -> None:
        for bucket in self._buckets:
            bucket.refund(taken)

    def hold(self, until: float) -> None:
        for bucket in self._buckets:
            bucket.hold(until)

    def report_delay(self, seconds: float, slot: float | None = None) -> None:
        for bucket in self._buckets:
            bucket.report_delay(seconds, slot)
