"""The arithmetic of pacing, on a time that is handed in.

A `TokenBucket` keeps one number: the earliest moment at which it would be full again (GCRA's
"theoretical arrival time"). Elapsed tokens are computed when asked for; nothing ticks, so a
machine that slept for a day has `burst` tokens afterwards, not a day's worth.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from .errors import ConfigurationError
from .validation import ValidatedStruct

MARGIN = 0.02
"""Share by which turns are stretched. Spacing sends does not space arrivals: network jitter
shortens gaps, and a strict server counts arrivals. At 1 request per 3 s this is 60 ms."""


class RateLimit(ValidatedStruct, frozen=True):
    """`requests` per `per` seconds; up to `burst` at once after a pause.

    `margin` is the share by which the gaps are stretched (default 2 %), because a server counts
    arrivals and the network moves them. 0 sends at the exact rate.
    """

    requests: float
    per: float
    burst: int = 1
    margin: float = MARGIN

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in (("requests", self.requests), ("per", self.per)):
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError(f"RateLimit.{name} must be a positive number: {value!r}")
        if self.burst < 1:
            raise ConfigurationError(f"RateLimit.burst must be at least 1: {self.burst!r}")
        if not 0 <= self.margin < 10:
            raise ConfigurationError(f"RateLimit.margin must be 0 or a small share: {self.margin}")

    @property
    def interval(self) -> float:
        """Seconds between two turns at the full rate, margin included."""
        return self.per / self.requests * (1.0 + self.margin)


class TokenBucket:
    """Hands out turns no faster than its `RateLimit`. Pure: every method takes the time."""

    __slots__ = ("_full_at", "_held", "_interval", "_last", "_late", "_slack")

    def __init__(self, rate: RateLimit) -> None:
        self._interval = rate.interval
        self._slack = (rate.burst - 1) * rate.interval
        self._full_at = self._held = self._last = -math.inf
        self._late = 0.0

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until a token is there; 0 when one is there now. Takes nothing.

        With `ahead`: until there is one for who comes after so many others.
        """
        full_at = max(self._full_at, now) + ahead * self._interval
        return max(full_at - self._slack - now, self._held - now, 0.0)

    def take(self, now: float) -> float:
        """Take a token if one is there and return 0; else return the seconds to wait."""
        pause = max(self._full_at - self._slack, self._held) - now
        if pause > 0.0:
            return pause
        if now >= self._full_at:
            self._full_at, self._late = now, 0.0
        self._full_at += self._interval
        self._last = now
        return 0.0

    def refund(self, taken: float) -> None:
        """Undo the take of that moment, whose request was never sent.

        Once a later token was taken this does nothing: a token whose time has passed is gone.
        """
        if taken >= self._last:
            self._full_at -= self._interval

    def hold(self, until: float) -> None:
        """No token before `until`, and no burst saved up by holding."""
        self._held = max(self._held, until)
        self._full_at = max(self._full_at, until + self._slack)

    def report_delay(self, seconds: float) -> None:
        """A request left that much after its turn: shift the following ones.

        Requests that are late side by side (each one had to connect) shift them once.
        """
        self._full_at += max(seconds - self._late, 0.0)
        self._late = max(seconds, self._late)


class Bucket(Protocol):
    """What a limiter takes its turns from."""

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until a turn is there, after `ahead` others took theirs; takes nothing."""
        ...

    def take(self, now: float) -> float:
        """Take a turn and return 0, or return the seconds to wait."""
        ...

    def refund(self, taken: float) -> None:
        """Undo the take of that moment, whose request was never sent."""
        ...

    def hold(self, until: float) -> None:
        """No turn before `until`."""
        ...

    def report_delay(self, seconds: float) -> None:
        """A request left that much after its turn."""
        ...


class WindowLimit(ValidatedStruct, frozen=True):
    """One limit that a call counts against: `requests` in any `per` seconds. Equal names are one.

    `margin` stretches the window, because a server counts arrivals and the network moves them.
    """

    name: str
    requests: int
    per: float = 60.0
    margin: float = MARGIN

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.requests < 1:
            raise ConfigurationError(f"{self.name}: {self.requests} requests are no limit to keep")
        if not (math.isfinite(self.per) and self.per > 0):
            raise ConfigurationError(f"{self.name}: per must be positive seconds, not {self.per}")


class SlidingWindow:
    """Turns of one `Lane`: all at once if they come at once, never more in any window."""

    __slots__ = ("_held", "_late", "_per", "_taken")

    def __init__(self, lane: WindowLimit) -> None:
        self._per = lane.per * (1.0 + lane.margin)
        self._taken: deque[float] = deque([-math.inf] * lane.requests, lane.requests)
        self._held = -math.inf
        self._late = 0.0

    def wait(self, now: float, ahead: int = 0) -> float:
        windows, place = divmod(ahead, len(self._taken))
        per = self._per + self._late
        pause = max(self._taken[place] + per - now, self._held - now, 0.0)
        return pause + windows * per

    def take(self, now: float) -> float:
        pause = self.wait(now)
        if pause == 0.0:
            if now >= self._taken[-1] + self._per + self._late:
                self._late = 0.0  # whoever was late is out of the window
            self._taken.append(now)
        return pause

    def refund(self, taken: float) -> None:
        if taken in self._taken and taken > -math.inf:
            self._taken.remove(taken)
            self._taken.appendleft(-math.inf)

    def hold(self, until: float) -> None:
        self._held = max(self._held, until)

    def report_delay(self, seconds: float) -> None:
        # Who left late leaves the window that much later; who was as late side by side does too.
        self._late = max(self._late, seconds)


class CombinedBucket:
    """A turn in each of several buckets, or in none."""

    __slots__ = ("_buckets",)

    def __init__(self, buckets: Sequence[Bucket]) -> None:
        self._buckets = tuple(buckets)

    def wait(self, now: float, ahead: int = 0) -> float:
        return max((bucket.wait(now, ahead) for bucket in self._buckets), default=0.0)

    def take(self, now: float) -> float:
        pause = self.wait(now)
        if pause == 0.0:
            for bucket in self._buckets:
                bucket.take(now)
        return pause

    def refund(self, taken: float) -> None:
        for bucket in self._buckets:
            bucket.refund(taken)

    def hold(self, until: float) -> None:
        for bucket in self._buckets:
            bucket.hold(until)

    def report_delay(self, seconds: float) -> None:
        for bucket in self._buckets:
            bucket.report_delay(seconds)


MEMORY = 60.0
"""Seconds for which requests that leave late are taken to be late side by side."""


class DelayTracker:
    """One process's. Requests that are late side by side (each one had to connect) count once."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._known = 0.0

    def more(self, seconds: float, now: float) -> float:
        """How much of that lateness is new; negative if others were as late a while ago."""
        known = self._known if now - self._at <= MEMORY else 0.0
        self._at, self._known = now, max(seconds, known)
        return seconds - known
