"""From the date formats of the providers to aware datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]{1,6})?", re.ASCII)
_SHORT_YEAR = re.compile(r"-[0-9]{2} ", re.ASCII)
_MILLISECONDS = 1e11
"""A larger number counts milliseconds: as seconds it would be after the year 5000."""


def parse_timestamp(text: str | None) -> datetime | None:
    """Parse a timestamp; None where the text is none.

    Accepted are ISO 8601 (with `T` or a space, with or without milliseconds; UTC unless it has an
    offset), HTTP dates (see `parse_http_date`) and epoch seconds or milliseconds.

    Returns:
        An aware datetime in UTC, or None.

    """
    text = (text or "").strip()
    try:
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            scale = 1000.0 if seconds > _MILLISECONDS else 1.0
            return datetime.fromtimestamp(seconds / scale, UTC)
        if text[:1].isalpha():
            return parse_http_date(text)
        parsed = datetime.fromisoformat(text.upper())  # RFC 3339 allows "t" and "z"
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def parse_moment(value: object) -> float | None:
    """Epoch seconds of a decoded JSON value: a number, or a text that `parse_timestamp` accepts."""
    if isinstance(value, str):
        moment = parse_timestamp(value)
        return None if moment is None else moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e18:
        return None
    return float(value) / (1000 if value > _MILLISECONDS else 1)


def parse_http_date(text: str, now: float | None = None) -> datetime | None:
    """Parse an HTTP date; None where the text is none.

    Its three forms are `Mon, 15 Jan 2024 02:46:13 GMT`, `Monday, 15-Jan-24 02:46:13 GMT` and
    `Mon Jan 15 02:46:13 2024` (see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7).

    Args:
        text: The text.
        now: Epoch seconds, from which a year of two digits is at most 50 years away.

    """
    from email.utils import parsedate_to_datetime  # late: takes 7 ms, and is rarely needed

    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000", or the third form: not the local zone
            moment = moment.replace(tzinfo=UTC)
        if now is not None and _SHORT_YEAR.search(text):
            years = moment.year - datetime.fromtimestamp(now, UTC).year
            moment = moment.replace(year=moment.year + 100 * ((years < -50) - (years > 50)))
        return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def from_seconds(seconds: float | None) -> datetime | None:
    """Convert epoch seconds; None for None and for a number out of range."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_ms(milliseconds: int | None) -> datetime | None:
    """Convert epoch milliseconds; None for None and for a number out of range."""
    return None if milliseconds is None else from_seconds(milliseconds / 1000)
