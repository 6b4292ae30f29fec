"""From the date formats of the providers to aware datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]{1,6})?", re.ASCII)
_MILLISECONDS = 1e11
"""A larger number counts milliseconds: as seconds it would be after the year 5000."""


def parse_timestamp(text: str | None) -> datetime | None:
    """Parse a timestamp; None where the text is none.

    Accepted are ISO 8601 (with `T` or a space, with or without milliseconds; UTC unless it has an
    offset), HTTP dates (`Mon, 15 Jan 2024 02:46:13 GMT`, see
    https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7) and epoch seconds or milliseconds.

    Returns:
        An aware datetime in UTC, or None.

    """
    text = (text or "").strip()
    try:
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            scale = 1000.0 if seconds > _MILLISECONDS else 1.0
            return datetime.fromtimestamp(seconds / scale, UTC)
        parsed = _http_date(text) if "," in text else datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def _http_date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # late: takes 7 ms, and is rarely needed

    return parsedate_to_datetime(text)


def from_seconds(seconds: float | None) -> datetime | None:
    """Convert epoch seconds; None for None and for a number out of range."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_ms(milliseconds: int | None) -> datetime | None:
    """Convert epoch milliseconds; None for None and for a number out of range."""
    return None if milliseconds is None else from_seconds(milliseconds / 1000)
