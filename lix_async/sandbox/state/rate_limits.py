"""Rate limits: a sliding log for each key at each provider, and for each further limit."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Rate = tuple[int, float]
"""Requests and seconds."""


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """How much of a limit is used, for the response headers that report it.

    `reset` is the time, in seconds since the epoch, at which the next permit becomes free.
    """

    limit: int
    used: int
    reset: float

    @property
    def left(self) -> int:
        """Permits that are free now."""
        return self.limit - self.used

    def retry_after(self, epoch: float) -> str:
        """The seconds until the reset, as text for `Retry-After`; at least 1."""
        return str(max(math.ceil(self.reset - epoch), 1))


class RateLimits:
    """The rate limits of all providers and the requests counted against them.

    Args:
        defaults: The default rate of each provider, by name.
        rate: The rate of the first provider, or rates by provider name; providers without an entry
            keep their default. None switches all limits off.

    Raises:
        ValueError: `rate` names an unknown provider.
    """

    def __init__(
        self, defaults: Mapping[str, Rate], rate: Rate | Mapping[str, Rate | None] | None
    ) -> None:
        self.rates: dict[str, Rate | None] = dict.fromkeys(defaults)
        if rate is not None:
            given = rate if isinstance(rate, Mapping) else {next(iter(defaults)): rate}
            if unknown := set(given) - set(defaults):
                names = ", ".join(sorted(unknown))
                raise ValueError(f"unknown provider {names}: expected {', '.join(defaults)}")
            self.rates = {**defaults, **given}
        self._logs: dict[tuple[str, str], SlidingLog] = {}

    def reset(self) -> None:
        """Forget all requests."""
        self._logs.clear()

    def admit(self, provider: str, caller: str, now: float, epoch: float) -> RateLimitStatus | None:
        """Count a request against the limit of its key.

        Args:
            provider: The provider's name.
            caller: The label of the key.
            now: The time on the sandbox's clock.
            epoch: The same time in seconds since the epoch.

        Returns:
            None if the request is allowed, otherwise the status of the limit that it exceeds.
        """
        rate = self.rates[provider]
        return self.admit_each(provider, {caller: rate} if rate else {}, now, epoch)

    def admit_each(
        self, provider: str, limits: Mapping[str, Rate], now: float, epoch: float
    ) -> RateLimitStatus | None:
        """Count a request against further limits, given by name.

        A request that one limit rejects stays counted by the limits before it.

        Returns:
            None if the request is allowed, otherwise the status of the first limit that it exceeds.
        """
        if self.rates[provider] is None:
            return None
        for name, rate in limits.items():
            log = self._logs.setdefault((provider, name), SlidingLog(*rate))
            if not log.admit(now):
                return log.status(now, epoch)
        return None

    def status(
        self, provider: str, caller: str, limits: Iterable[str], now: float, epoch: float
    ) -> RateLimitStatus | None:
        """The status of the limit with the fewest permits left, of a caller's own and `limits`.

        Returns:
            None if the provider has no limit or the caller is unknown.
        """
        rate = self.rates[provider]
        if rate is None or not caller:
            return None
        own = self._logs.setdefault((provider, caller), SlidingLog(*rate))
        others = (self._logs.get((provider, name)) for name in limits)
        logs = [own, *(log for log in others if log is not None)]
        return min((log.status(now, epoch) for log in logs), key=lambda status: status.left)


# Sums of floats: three waits of one second may add up to slightly less than three seconds.
_TOLERANCE = 1e-6


class SlidingLog:
    """A rate limit: at most `requests` accepted requests in any window of `per` seconds.

    The strictest of the usual algorithms: what it allows, a fixed window and a token bucket allow
    too. Rejected requests do not count, so a client that waits always gets through.

    Raises:
        ValueError: The rate is not at least one request in more than zero seconds.
    """

    def __init__(self, requests: int, per: float) -> None:
        if requests < 1 or not per > 0:
            raise ValueError(
                "invalid rate: expected at least one request in more than zero seconds"
            )
        self.requests = requests
        self.per = per
        self._requests: deque[float] = deque(maxlen=requests)

    def admit(self, now: float) -> bool:
        """Whether a request at `now` (seconds on any clock) is allowed; it counts if so."""
        if len(self._requests) == self.requests and now - self._requests[0] < self.per - _TOLERANCE:
            return False
        self._requests.append(now)
        return True

    def used(self, now: float) -> int:
        """Requests that count now."""
        return sum(now - at < self.per - _TOLERANCE for at in self._requests)

    def status(self, now: float, epoch: float) -> RateLimitStatus:
        """The status at `now`, which is `epoch` in seconds since the epoch."""
        wait = next((at + self.per - now for at in self._requests if now - at < self.per), 0.0)
        return RateLimitStatus(self.requests, self.used(now), epoch + wait)


_ENOUGH = 1_000_000_000
"""The requests that are reported where there is no daily limit."""


class Allowance:
    """A number of requests a day, which starts again at midnight UTC; None for no limit.

    Raises:
        ValueError: The number is below 0.
    """

    def __init__(self, requests: int | None) -> None:
        if requests is not None and requests < 0:
            raise ValueError("the daily allowance must be at least 0")
        self.unlimited = requests is None
        self.requests = _ENOUGH if requests is None else requests
        self._used = 0
        self._day = ""

    def left(self, epoch: float) -> int:
        """Requests left today; `epoch` is the current time in seconds since the epoch."""
        day = datetime.fromtimestamp(epoch, UTC).date().isoformat()
        if day != self._day:
            self._day, self._used = day, 0
        return max(self.requests - self._used, 0)

    def spend(self, epoch: float) -> bool:
        """Use one request; False if none is left."""
        if not self.left(epoch):
            return False
        self._used += not self.unlimited
        return True

    def reset(self) -> None:
        """Restore the full allowance."""
        self._used = 0
