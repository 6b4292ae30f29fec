"""Rates as an option gives them."""

from __future__ import annotations

import re

from ..core.errors import ConfigurationError
from ..core.rate_limit import RateLimit
from .errors import CommandError

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/([0-9]+(?:\.[0-9]+)?)?(s|min|h)", re.ASCII)
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def parse_rate(text: str) -> RateLimit | None:
    """Parse a rate such as `1/3s`, `20/s` or `100/min`; None for `none`.

    Raises:
        CommandError: The text is not a rate.
    """
    if text == "none":
        return None
    match = _RATE.fullmatch(text.replace(" ", ""))
    if match is not None:
        try:
            return RateLimit(float(match[1]), float(match[2] or 1) * _UNITS[match[3]])
        except ConfigurationError:
            pass
    raise CommandError(
        f"invalid --rate {text!r}: expected a rate such as 1/3s, 2/s or 100/min, or 'none'",
        hint="1/3s is one request in three seconds",
    )
