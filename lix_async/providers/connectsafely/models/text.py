"""Functions that several models share."""

from __future__ import annotations

import re

_DEGREE = re.compile(r"(?:DISTANCE_)?([123])(?:st|nd|rd)?\+?", re.ASCII)


def degree(text: str | None) -> int | None:
    """1 to 3 from `DISTANCE_2` or `2nd`: the API writes both. None for anything else."""
    found = _DEGREE.fullmatch(text or "")
    return int(found[1]) if found else None


def full_name(*names: str | None) -> str | None:
    """The names that are not empty, joined by spaces; None if there are none."""
    return " ".join(name for name in names if name) or None
