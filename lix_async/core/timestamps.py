"""Moments, in the ways in which providers write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]{1,6})?", re.ASCII)
_MILLISECONDS = 1e11
"""Above it an epoch counts milliseconds: as seconds it would lie after the year 5000."""


def parse_timestamp(text: str | None) -> datetime | None:
    """The aware UTC moment in a text, or None where there is none to be read.

    Read are ISO 8601 (with `T` or a space, with or without milliseconds, `Z` or an offset; UTC
    where it names none), HTTP dates (`Mon, 15 Jan 2024 02:46:13 GMT`, RFC 9110 section 5.6.7)
    and seconds or milliseconds since 1970.
    """
    text = (text or "").strip()
    try:
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            scale = 1000.0 if seconds > _MILLISECONDS else 1.0
            return datetime.fromtimestamp(seconds / scale, UTC)
        found = _http_date(text) if "," in text else datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def _http_date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # 7 ms that hardly any process needs

    return parsedate_to_datetime(text)


def from_seconds(seconds: float | None) -> datetime | None:
    """The moment that many seconds after 1970; None for None and for what no calendar holds."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_ms(milliseconds: int | None) -> datetime | None:
    """The same for milliseconds."""
    return None if milliseconds is None else from_seconds(milliseconds / 1000)
