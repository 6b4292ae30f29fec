"""Everybody's pace: sliding logs for each key in each house, and for what a house parts it into."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...core.endpoint import AnyEndpoint
from ..protocol.errors import ErrorReply, rate_limit

if TYPE_CHECKING:
    from ..protocol.params import RequestParams
    from ..providers import SandboxProvider
    from ..providers.base import Rate


class RateLimits:
    """The rates that are kept, and how far each caller has used them up.

    `rate`: that of the first house, or of any by name; None: no rate at all is kept. Houses that
    are not named keep their provider's own.
    """

    def __init__(
        self, houses: Sequence[SandboxProvider], rate: Rate | Mapping[str, Rate | None] | None
    ) -> None:
        own: dict[str, Rate | None] = {house.name: house.rate for house in houses}
        if rate is None:
            self.rates: dict[str, Rate | None] = dict.fromkeys(own)
        else:
            given = rate if isinstance(rate, Mapping) else {houses[0].name: rate}
            if unknown := set(given) - set(own):
                raise ValueError(f"no such provider: {', '.join(sorted(unknown))}")
            self.rates = own | dict(given)
        self._logs: dict[tuple[str, str], SlidingLog] = {}

    def reset(self) -> None:
        """Forget who came when."""
        self._logs.clear()

    def admit(self, house: SandboxProvider, caller: str, now: float, epoch: float) -> None:
        """Take a turn; a `rate_limit` refusal where none is free."""
        log = self._log(house, caller)
        if log and not log.admit(now):
            raise _refusal(house, log, now, epoch)

    def admit_group(
        self,
        house: SandboxProvider,
        row: AnyEndpoint,
        asked: RequestParams,
        now: float,
        epoch: float,
    ) -> None:
        """Take a turn in each of the house's lanes that the call belongs to."""
        if self.rates[house.name] is None:
            return
        for name, rate in house.lanes(row, asked).items():
            log = self._logs.setdefault((house.name, name), SlidingLog(*rate))
            if not log.admit(now):
                raise _refusal(house, log, now, epoch)

    def standing(
        self,
        house: SandboxProvider,
        caller: str,
        row: AnyEndpoint | None,
        asked: RequestParams | None,
        now: float,
        epoch: float,
    ) -> RateLimitStatus | None:
        """How far a caller is, at a moment that is `epoch` in seconds since 1970.

        Of the rates that the call counts against, it is the one with the least left.
        """
        log = self._log(house, caller) if caller else None
        if log is None:
            return None
        logs = [log]
        if row is not None and asked is not None:
            names = ((house.name, name) for name in house.lanes(row, asked))
            logs += [self._logs[name] for name in names if name in self._logs]
        return min((_standing(one, now, epoch) for one in logs), key=lambda one: one.left)

    def _log(self, house: SandboxProvider, caller: str) -> SlidingLog | None:
        rate = self.rates[house.name]
        if rate is None:
            return None
        return self._logs.setdefault((house.name, caller), SlidingLog(*rate))


def _standing(log: SlidingLog, now: float, epoch: float) -> RateLimitStatus:
    return RateLimitStatus(log.requests, log.used(now), epoch + log.free_in(now))


def _refusal(house: SandboxProvider, log: SlidingLog, now: float, epoch: float) -> ErrorReply:
    refusal = rate_limit()
    refusal.headers |= house.too_fast(_standing(log, now, epoch), epoch)
    return refusal


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """How far a caller has used up a house's rate; for the headers that tell it.

    `reset` is the moment, in seconds since the epoch, when the first turn is free again.
    """

    limit: int
    used: int
    reset: float

    @property
    def left(self) -> int:
        """Turns that are free now."""
        return self.limit - self.used


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
