"""Whether a failed call is tried again, and after how long. Pure: no clock, no chance.

A verdict is a `Pause` (a range of seconds from which the engine draws: full jitter) or None,
which means that the error is final. What is counted: `failures` for everything that went wrong,
`polls` for `queued` answers, which are not failures and have their own patience.
"""

from __future__ import annotations

import math
import re
from datetime import UTC

import msgspec

from .errors import (
    ConfigurationError,
    DailyLimitError,
    LixError,
    QueuedError,
    RateLimitError,
    ServerError,
    TransportError,
    WeeklyLimitError,
)
from .validation import ValidatedStruct

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class RetryDelay(msgspec.Struct, frozen=True):
    """Wait between `low` and `high` seconds. `everybody`: the whole limiter holds for as long."""

    low: float
    high: float
    hold_limiter: bool = False


class RetryPolicy(ValidatedStruct, frozen=True):
    """How patient a call is. All times in seconds.

    `attempts` (default 4) counts the first try. Pauses between failures grow from `backoff` (0.5)
    to `max_backoff` (30) with full jitter. A `Retry-After` above `max_retry_after` (120) raises
    at once and carries the value. `queued` lookups are asked for again every `queued_interval`
    (60, the vendor says "in a few minutes"), at most `queued_attempts` (10) times; they do not
    count as failures. `repeat_lost` (True): ask again when a read's answer was lost on the way,
    although the provider may have charged it; False raises instead.
    """

    attempts: int = 4
    backoff: float = 0.5
    max_backoff: float = 30.0
    max_retry_after: float = 120.0
    queued_interval: float = 60.0
    queued_attempts: int = 10
    repeat_lost: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attempts < 1:
            raise ConfigurationError(f"RetryPolicy.attempts must be at least 1: {self.attempts}")
        if self.queued_attempts < 0:
            raise ConfigurationError("RetryPolicy.queued_attempts must not be negative")
        for name in ("backoff", "max_backoff", "max_retry_after", "queued_interval"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigurationError(
                    f"RetryPolicy.{name} must be zero or a positive number of seconds: {value}"
                )

    def next_delay(
        self, error: LixError, *, failures: int, polls: int, idempotent: bool, window: float
    ) -> RetryDelay | None:
        """What to do after the `failures`-th failure or the `polls`-th queued answer.

        `safe` says whether the call may be repeated once it may have arrived; `window` is the
        provider's rate window, the least to wait after a 429 that names no pause.
        """
        if isinstance(error, QueuedError):
            if not idempotent or polls > self.queued_attempts:
                return None
            named = error.retry_after
            if named is not None and named > max(self.max_retry_after, self.queued_interval):
                return None
            wait = max(named or 0.0, self.queued_interval)
            return RetryDelay(wait, wait * 1.1)
        if failures >= self.attempts or isinstance(error, DailyLimitError | WeeklyLimitError):
            return None
        if isinstance(error, RateLimitError):
            return self._after_rate_limit(error.retry_after, failures, idempotent, window)
        if isinstance(error, ServerError):
            return self._named_or_backoff(error.retry_after, failures) if idempotent else None
        if isinstance(error, TransportError) and not error.permanent:
            again = not error.sent or (idempotent and self.repeat_lost)
            return self._backoff_delay(failures) if again else None
        return None

    def hold(self, error: LixError, window: float) -> float:
        """Seconds for which the whole limiter holds, also where the verdict is None."""
        if not isinstance(error, RateLimitError) or isinstance(
            error, DailyLimitError | WeeklyLimitError
        ):
            return 0.0
        named = error.retry_after
        return min(window if named is None else named, self.max_retry_after)

    def _after_rate_limit(
        self, named: float | None, failures: int, safe: bool, window: float
    ) -> RetryDelay | None:
        # lix.md#retries: a send is not repeated by itself after a 429.
        if not safe or (named is not None and named > self.max_retry_after):
            return None
        # Every further 429 in a row says that somebody else uses the key too: give more room.
        grown = min(window * 2.0 ** min(failures - 1, 60), max(window, self.max_backoff))
        wait = named if named is not None else grown
        return RetryDelay(wait, wait + max(0.05 * wait, 0.1 * window), hold_limiter=True)

    def _named_or_backoff(self, named: float | None, failures: int) -> RetryDelay | None:
        if named is None:
            return self._backoff_delay(failures)
        return None if named > self.max_retry_after else RetryDelay(named, named * 1.05)

    def _backoff_delay(self, failures: int) -> RetryDelay:
        return RetryDelay(0.0, min(self.backoff * 2.0 ** min(failures - 1, 60), self.max_backoff))


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from a `Retry-After` header, in digits or as an HTTP date against `now` (epoch).

    None for a missing or invalid one: signs, fractions, other alphabets' digits, more than nine
    digits. RFC 9110 section 10.2.3.
    """
    if value is None:
        return None
    text = value.strip(" \t")
    if _SECONDS.fullmatch(text):
        return float(text)
    if not text.isascii() or "," not in text:
        return None
    from email.utils import parsedate_to_datetime  # 7 ms that hardly any process needs

    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000": the local zone must not creep in
            moment = moment.replace(tzinfo=UTC)
        return max(moment.timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
