"""Times at which quotas start again, and the date formats of the simulated APIs.

Times are seconds since the epoch.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def next_midnight(epoch: float) -> int:
    """The next midnight UTC."""
    return _midnight_after(epoch, 1)


def next_monday(epoch: float) -> int:
    """The next Monday 00:00 UTC: when the weekly quota starts again."""
    return _midnight_after(epoch, 7 - datetime.fromtimestamp(epoch, UTC).weekday())


def _midnight_after(epoch: float, days: int) -> int:
    now = datetime.fromtimestamp(epoch, UTC)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((start + timedelta(days=days)).timestamp())


def iso_seconds(epoch: float) -> str:
    """A time to the second: `2025-01-06T00:00:00Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(epoch: float) -> str:
    """A time to the millisecond: `2025-01-06T00:00:00.000Z`."""
    text = datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
