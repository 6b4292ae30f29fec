"""ConnectSafely's memory of profiles: a cache of six hours, and 120 different ones a day.

Contract: connectsafely.md#cache-and-quota. Both are kept for each LinkedIn account, whatever
the key; a day ends at midnight UTC, as the text of the 429 has it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..protocol.dates import iso_milliseconds, next_midnight
from ..protocol.errors import ErrorReply

if TYPE_CHECKING:
    from .state import SandboxState

ACTION = "PROFILE"
DAILY_PROFILES = 120
"""Different profiles that an account may fetch a day."""
CACHE_SECONDS = 6 * 3600.0
"""Seconds that an answer stays in the cache."""


def used_units(state: SandboxState, account: str, epoch: float) -> int:
    """Units of the day's quota that an account has spent."""
    day = state.profiles_by_day.get((account, next_midnight(epoch)))
    return day.total() if day else 0


def use_unit(state: SandboxState, account: str, slug: str, epoch: float, *, refresh: bool) -> None:
    """Take a unit off for a profile; a `daily_limit` refusal where none is left.

    A profile of the day is free to fetch again, since the limit counts different ones. A refresh
    that the caller forces is not: the vendor says that it always counts.
    """
    day = state.profiles_by_day.setdefault((account, next_midnight(epoch)), Counter())
    if slug in day and not refresh:
        return
    if day.total() >= DAILY_PROFILES:
        more = {"refreshesAt": next_midnight(epoch)}
        raise ErrorReply(429, "daily_limit", "the day's profiles are used up", extra=more)
    day[slug] += 1


def cached_since(state: SandboxState, account: str, slug: str, epoch: float) -> float | None:
    """When the profile that the cache holds was fetched; None where it holds none."""
    at = state.cached_profiles.get((account, slug))
    return at if at is not None and epoch - at < CACHE_SECONDS else None


def quota_headers(spent: int, resets: float) -> dict[str, str]:
    """How the vendor tells of the quota; `resets` is the end of the day."""
    return {
        "X-RateLimit-Action": ACTION,
        "X-RateLimit-Limit": str(DAILY_PROFILES),
        "X-RateLimit-Used": str(spent),
        "X-RateLimit-Remaining": str(max(DAILY_PROFILES - spent, 0)),
        "X-RateLimit-Reset": iso_milliseconds(resets),
    }


def exceeded_message(resets: float | None) -> str:
    """The text of the 429, which also says when it ends."""
    said = f"Rate limit exceeded for {ACTION}: {DAILY_PROFILES}/{DAILY_PROFILES} used."
    return said if resets is None else f"{said} Resets at {iso_milliseconds(resets)}"
