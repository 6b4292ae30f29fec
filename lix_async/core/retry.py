"""Whether a failed call is tried again, and after how long. Pure: no clock, no randomness.

The decision is a `RetryDelay`, a range of seconds from which the engine draws (full jitter, see
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), or None: the error is
final. `failures` counts everything that went wrong; `polls` counts `queued` answers, which are not
failures and have a limit of their own.
"""

from __future__ import annotations

import math
import re
import sys

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
from .timestamps import parse_http_date
from .validation import ValidatedStruct

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


class RetryDelay(msgspec.Struct, frozen=True):
    """Wait between `low` and `high` seconds; with `hold_limiter`, all callers of the limiter do."""

    low: float
    high: float
    hold_limiter: bool = False


class RetryPolicy(ValidatedStruct, frozen=True):
    """How often and how fast a call is retried. All times are in seconds.

    Raises:
        ConfigurationError: A field has the wrong type or is out of range.

    """

    attempts: int = 4
    """Attempts of a call at most, the first one included."""
    backoff: float = 0.5
    """The longest delay after the first failure; each further failure doubles it. The delay is
    drawn between zero and that."""
    max_backoff: float = 30.0
    """The longest delay after any failure."""
    max_retry_after: float = 120.0
    """A longer `Retry-After` is raised at once, as the error's `retry_after`."""
    queued_interval: float = 60.0
    """Time between two polls of a `queued` lookup; the vendor says "in a few minutes"."""
    queued_attempts: int = 10
    """Polls of a `queued` lookup at most. They do not count as failures."""
    repeat_lost: bool = True
    """Whether a read is repeated after its answer was lost, although the provider may have
    charged it. False: the error is raised."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attempts < 1:
            raise ConfigurationError(
                f"RetryPolicy.attempts must be at least 1, not {self.attempts}"
            )
        if self.queued_attempts < 0:
            raise ConfigurationError("RetryPolicy.queued_attempts must not be negative")
        for name in ("backoff", "max_backoff", "max_retry_after", "queued_interval"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigurationError(
                    f"RetryPolicy.{name} must be zero or a positive number of seconds, not {value}"
                )

    def next_delay(
        self, error: LixError, *, failures: int, polls: int, idempotent: bool, window: float
    ) -> RetryDelay | None:
        """Decide about the next attempt.

        Args:
            error: The error of the last attempt.
            failures: Failures of this call, this one included.
            polls: `queued` answers to this call, this one included.
            idempotent: Whether the call may be repeated although it may have arrived.
            window: The provider's rate window: the least to wait after a 429 without
                `Retry-After`.

        Returns:
            The delay before the next attempt; None if the error is final.

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
        """Seconds for which all callers of the limiter wait after a 429 that is final."""
        if not isinstance(error, RateLimitError) or isinstance(
            error, DailyLimitError | WeeklyLimitError
        ):
            return 0.0
        named = error.retry_after
        return min(window if named is None else named, self.max_retry_after)

    def _after_rate_limit(
        self, named: float | None, failures: int, idempotent: bool, window: float
    ) -> RetryDelay | None:
        # lix.md#retries: a call that acts is not repeated after a 429.
        if not idempotent or (named is not None and named > self.max_retry_after):
            return None
        # Several 429 in a row: another program uses the same key, so wait longer each time.
        grown = min(window * 2.0 ** min(failures - 1, 60), max(window, self.max_backoff))
        wait = named if named is not None else grown
        return RetryDelay(wait, wait + max(0.05 * wait, 0.1 * window), hold_limiter=True)

    def _named_or_backoff(self, named: float | None, failures: int) -> RetryDelay | None:
        if named is None:
            return self._backoff_delay(failures)
        return None if named > self.max_retry_after else RetryDelay(named, named * 1.05)

    def _backoff_delay(self, failures: int) -> RetryDelay:
        return RetryDelay(0.0, min(self.backoff * 2.0 ** min(failures - 1, 60), self.max_backoff))


def retry_after(value: str | None, now: float, date: str | None = None) -> float | None:
    """Seconds from a `Retry-After` header, in digits or as an HTTP date.

    See https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3. Some servers send a fraction, which
    is read as well: without it the call would be repeated too early.

    Args:
        value: The header, if there is one.
        now: The current time in epoch seconds, by this machine.
        date: The `Date` header: the time by the server, from which its dates count. This machine's
            clock may be wrong or have been set.

    Returns:
        The seconds, or None if the header is missing or invalid: with a sign, an exponent or
        digits of another alphabet.

    """
    text = (value or "").strip(" \t")
    if _SECONDS.fullmatch(text):
        return min(float(text), sys.float_info.max)  # the number may have hundreds of digits
    if not (text.isascii() and text[:1].isalpha()):
        return None
    moment = parse_http_date(text, now)
    if moment is None:
        return None
    answered = parse_http_date(date or "", now)
    start = now if answered is None else answered.timestamp()
    return max(moment.timestamp() - start, 0.0)
