"""Moments: from the wire's numbers to aware datetimes (texts: `core.times.moment`).

A field holds what the wire has, in the wire's unit: milliseconds stay an int, ISO 8601 stays
text. Where that is a moment, a property whose name ends in `_time` gives it as a datetime with
a zone: `delivered_at` and `delivered_time`, `created_at` and `created_time`. The only field that
is a datetime itself is `DailyAllowance.refreshes_at`, which the wire writes in three ways.
"""

from __future__ import annotations

from datetime import UTC, datetime


def from_seconds(seconds: float | None) -> datetime | None:
    """The moment that many seconds after 1970; None for None and for what no calendar holds."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_ms(milliseconds: int | None) -> datetime | None:
    """The same for milliseconds."""
    return None if milliseconds is None else from_seconds(milliseconds / 1000)
