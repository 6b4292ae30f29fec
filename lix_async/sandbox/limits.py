"""The sandbox's own pace: a strict rate limit for each key, and a daily allowance.

Times are handed in, so that a test needs no clock of its own kind.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

# Sums of floats: three waits of a second may add up to a hair less than three seconds.
_HAIR = 1e-6


class SlidingLog:
    """At most `requests` accepted arrivals in any window of `per` seconds.

    This is the strictest of the usual limits: whatever passes here passes a fixed window and a
    token bucket too. A refused arrival does not count, so that waiting always helps.
    """

    def __init__(self, requests: int, per: float) -> None:
        if requests < 1 or not per > 0:
            raise ValueError("a rate is at least one request in more than zero seconds")
        self.requests = requests
        self.per = per
        self._arrivals: deque[float] = deque(maxlen=requests)

    def admit(self, now: float) -> bool:
        """Whether an arrival at `now` (seconds, of any clock) is allowed; it counts if so."""
        if len(self._arrivals) == self.requests and now - self._arrivals[0] < self.per - _HAIR:
            return False
        self._arrivals.append(now)
        return True

    def used(self, now: float) -> int:
        """Arrivals that count at this moment."""
        return sum(now - at < self.per - _HAIR for at in self._arrivals)

    def free_in(self, now: float) -> float:
        """Seconds until the oldest arrival that counts does no longer; 0 where none does."""
        return next((at + self.per - now for at in self._arrivals if now - at < self.per), 0.0)


class Allowance:
    """Requests left today; filled up again at midnight UTC."""

    def __init__(self, requests: int) -> None:
        self.requests = requests
        self._used = 0
        self._day = ""

    def left(self, epoch: float) -> int:
        """Requests left on the day of this moment, in seconds since the epoch."""
        day = datetime.fromtimestamp(epoch, UTC).date().isoformat()
        if day != self._day:
            self._day, self._used = day, 0
        return max(self.requests - self._used, 0)

    def spend(self, epoch: float) -> bool:
        """Take one request off; False when none was left."""
        if not self.left(epoch):
            return False
        self._used += 1
        return True

    def reset(self) -> None:
        """A full allowance again."""
        self._used = 0


def midnight(epoch: float) -> int:
    """The next midnight UTC, in seconds since the epoch."""
    return _next_day(epoch, 1)


def monday(epoch: float) -> int:
    """The next Monday 00:00 UTC, in seconds since the epoch: when the weekly quota begins anew."""
    return _next_day(epoch, 7 - datetime.fromtimestamp(epoch, UTC).weekday())


def _next_day(epoch: float, days: int) -> int:
    now = datetime.fromtimestamp(epoch, UTC)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((start + timedelta(days=days)).timestamp())


def iso(epoch: float) -> str:
    """A moment as the provider writes it: `2025-01-06T00:00:00Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(epoch: float) -> str:
    """The same with milliseconds: `2025-01-06T00:00:00.000Z`."""
    written = datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
