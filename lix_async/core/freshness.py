"""How old a stored answer may be before it is bought again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from .errors import ConfigurationError
from .validation import check_type

Age: TypeAlias = timedelta | float
"""A duration, or its seconds."""
_LONGEST = 1e12
"""Seconds: no answer is older. Numbers of milliseconds stay within 64 bits."""


class Freshness(NamedTuple):
    """Which stored answers are new enough, as epoch milliseconds. Without any limit all are.

    Both moments are fixed when somebody begins to ask, so that what a run buys is new enough for
    all of that run.
    """

    answers_since: int | None = None
    """Answers from before this moment are bought again."""
    refusals_since: int | None = None
    """What was refused before this moment is asked for again."""

    def is_expired(self, status: str, at: datetime) -> bool:
        """Whether the answer of a `done` or `refused` lookup is bought again.

        Args:
            status: The status of the lookup; in any other one, nothing is bought again.
            at: When the answer was received.
        """
        since = {"done": self.answers_since, "refused": self.refusals_since}.get(status)
        return since is not None and round(at.timestamp() * 1000) < since


def freshness(max_age: Age | None, refused_age: Age | None, now: int) -> Freshness:
    """Which answers are new enough for somebody who asks now.

    Args:
        max_age: The greatest age of answers; None for any age.
        refused_age: The greatest age of refusals.
        now: Epoch milliseconds.

    Raises:
        ConfigurationError: If an argument is not an age.
    """
    ages = [check_age("max_age", max_age), check_age("refused_age", refused_age)]
    return Freshness(*(None if age is None else now - int(age * 1000) for age in ages))


def check_age(name: str, age: Age | None) -> float | None:
    """An age in seconds. One below zero counts as zero.

    Raises:
        ConfigurationError: If it is neither a duration nor a number.
    """
    check_type(name, age, timedelta | float | None)
    if age is None:
        return None
    seconds = age.total_seconds() if isinstance(age, timedelta) else age
    if seconds != seconds:  # noqa: PLR0124  # NaN
        raise ConfigurationError(f"{name} must be a duration or a number of seconds, not NaN")
    return min(max(seconds, 0.0), _LONGEST)
