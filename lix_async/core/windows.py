"""Limits of the kind "N in any minute", and several limits at once. Pure, like `bucket`.

A token bucket with room for N lets twice N through in the first minute. A `WindowBucket` does
not: it remembers its last N turns, so no stretch of time ever holds more, whether the server
counts fixed windows, sliding ones or tokens.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from .bucket import MARGIN
from .checks import Checked
from .errors import ConfigurationError


class Bucket(Protocol):
    """What a limiter takes its turns from."""

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until a turn is there, after `ahead` others took theirs; takes nothing."""
        ...

    def take(self, now: float) -> float:
        """Take a turn and return 0, or return the seconds to wait."""
        ...

    def give_back(self, taken: float) -> None:
        """Undo the take of that moment, whose request was never sent."""
        ...

    def hold(self, until: float) -> None:
        """No turn before `until`."""
        ...

    def late(self, seconds: float) -> None:
        """A request left that much after its turn."""
        ...


class Lane(Checked, frozen=True):
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


class WindowBucket:
    """Turns of one `Lane`: all at once if they come at once, never more in any window."""

    __slots__ = ("_held", "_late", "_per", "_taken")

    def __init__(self, lane: Lane) -> None:
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

    def give_back(self, taken: float) -> None:
        if taken in self._taken and taken > -math.inf:
            self._taken.remove(taken)
            self._taken.appendleft(-math.inf)

    def hold(self, until: float) -> None:
        self._held = max(self._held, until)

    def late(self, seconds: float) -> None:
        # Who left late leaves the window that much later; who was as late side by side does too.
        self._late = max(self._late, seconds)


class JointBucket:
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

    def give_back(self, taken: float) -> None:
        for bucket in self._buckets:
            bucket.give_back(taken)

    def hold(self, until: float) -> None:
        for bucket in self._buckets:
            bucket.hold(until)

    def late(self, seconds: float) -> None:
        for bucket in self._buckets:
            bucket.late(seconds)
