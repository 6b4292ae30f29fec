"""Durations, times, rates and counts as text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..concurrency.clock import RealClock
from ..core.plurals import counted, plural
from ..core.rate_limit import RateLimit

__all__ = [
    "counted",
    "format_clock",
    "format_duration",
    "format_elapsed",
    "format_until",
    "nearest",
    "one_line",
    "plural",
    "rate_text",
    "reason_of",
]

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def format_duration(seconds: float) -> str:
    """`40 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: two units at most."""
    left = max(round(seconds), 0)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def format_elapsed(seconds: float) -> str:
    """A duration that has passed, with a decimal below 10 seconds."""
    return f"{seconds:.1f} s" if seconds < 10 else format_duration(seconds)


def format_until(moment: float, now: float | None = None) -> str:
    """A time (seconds since the epoch) in local time, and how long until then."""
    now = RealClock.wall() if now is None else now
    then, today = datetime.fromtimestamp(moment), datetime.fromtimestamp(now)
    days = (then.date() - today.date()).days
    day = {0: "today", 1: "tomorrow"}.get(days, f"{then:%a} {then.day} {then:%b %Y}")
    distance = f"in {format_duration(moment - now)}" if moment > now else "already past"
    return f"{day} at {then:%H:%M} ({distance})"


def format_clock(seconds: float) -> str:
    """`0:40`, `12:05`, `2:03:00`: a duration whose width rarely changes while it counts down."""
    minutes, second = divmod(max(round(seconds), 0), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def rate_text(rate: RateLimit | None) -> str:
    """`1 per 3 s`, `20 per s`, `no limit`."""
    if rate is None:
        return "no limit"
    per = "s" if rate.per == 1 else f"{rate.per:g} s"
    return f"{rate.requests:g} per {per}"


def one_line(text: str, width: int = 300) -> str:
    """A text without line breaks and control characters, cut to a width."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that a misspelt word is most similar to, whatever its dashes; None for none."""
    # Of a command and an option with the same letters, the one that was written in that way.
    alike = sorted(names, key=lambda name: (name[:1] == "-") == (word[:1] == "-"))
    known = {name.strip("-").lower(): name for name in alike}
    from difflib import get_close_matches  # late: only a typing error needs it

    near = get_close_matches(word.strip("-").lower(), known, n=1, cutoff=0.65)
    return known[near[0]] if near else None


def reason_of(error: Exception) -> str:
    """Why a file cannot be read or written, without its name."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (isinstance(error, OSError) and error.strerror) or str(error)
