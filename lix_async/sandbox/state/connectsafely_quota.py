"""ConnectSafely's profile cache of six hours, and its quota of 120 different profiles a day.

Contract: connectsafely.md#cache-and-quota. Both belong to a LinkedIn account, not to an API key. A
day ends at midnight UTC, as the message of the 429 says.
"""

from __future__ import annotations

from collections import Counter

from ..protocol.dates import iso_milliseconds, next_midnight
from ..protocol.errors import daily_limit
from .state import SandboxState

ACTION = "PROFILE"
DAILY_PROFILES = 120
"""Different profiles that an account may fetch a day."""
CACHE_SECONDS = 6 * 3600.0


def used_units(state: SandboxState, account: str, epoch: float) -> int:
    """Units of today's quota that an account has used."""
    day = state.profiles_by_day.get((account, next_midnight(epoch)))
    return day.total() if day else 0


def use_unit(state: SandboxState, account: str, slug: str, epoch: float, *, refresh: bool) -> None:
    """Use a unit of the quota for a profile.

    A profile that was fetched today is free, since the limit counts different ones. A forced
    refresh always counts, as the vendor documents.

    Raises:
        ErrorReply: 429 `daily_limit` if no unit is left.
    """
    day = state.profiles_by_day.setdefault((account, next_midnight(epoch)), Counter())
    if slug in day and not refresh:
        return
    if day.total() >= DAILY_PROFILES:
        raise daily_limit(epoch)
    day[slug] += 1


def cached_since(state: SandboxState, account: str, slug: str, epoch: float) -> float | None:
    """When the cached copy of a profile was fetched; None if there is none."""
    at = state.cached_profiles.get((account, slug))
    return at if at is not None and epoch - at < CACHE_SECONDS else None


def quota_headers(used: int, resets: float) -> dict[str, str]:
    """The response headers that report the quota; `resets` is the end of the day."""
    return {
        "X-RateLimit-Action": ACTION,
        "X-RateLimit-Limit": str(DAILY_PROFILES),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Remaining": str(max(DAILY_PROFILES - used, 0)),
        "X-RateLimit-Reset": iso_milliseconds(resets),
    }


def exceeded_message(resets: float) -> str:
    """The message of the 429, with the time of the reset."""
    used = f"{DAILY_PROFILES}/{DAILY_PROFILES} used"
    return f"Rate limit exceeded for {ACTION}: {used}. Resets at {iso_milliseconds(resets)}"
