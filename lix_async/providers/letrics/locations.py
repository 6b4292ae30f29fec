"""The grammar of location filters: `city:San Francisco||California||United States`.

A kind, a colon, and parts from small to large with `||` between them. A part that is missing in
the middle stays as an empty one, so a city without a state has four bars in a row. Names are
written out in full; no way to escape `||` is documented (letrics.md#locations).
"""

from __future__ import annotations

from ...core.errors import ConfigurationError

_PARTS = {"city": 3, "state": 2, "country": 1}


def city(name: str, *, country: str, state: str = "") -> str:
    """A city. Leave `state` out where the country has none: `city("London", country="…")`.

    Raises `ConfigurationError` for an empty name or country, and for a part with `||` in it.
    """
    return f"city:{_part(name)}||{_part(state) if state else ''}||{_part(country)}"


def state(name: str, *, country: str) -> str:
    """A state or region. Raises what `city()` does."""
    return f"state:{_part(name)}||{_part(country)}"


def country(name: str) -> str:
    """A country. Raises what `city()` does."""
    return f"country:{_part(name)}"


def check(location: str) -> None:
    """Raise `ConfigurationError` unless a text is a location filter."""
    kind, _, rest = location.partition(":")
    parts = rest.split("||")
    if len(parts) != _PARTS.get(kind) or not parts[0].strip() or not parts[-1].strip():
        raise ConfigurationError(
            f"{location!r} is no location: make one with city(), state() or country()"
        )


def _part(text: str) -> str:
    text = text.strip()
    if not text or "||" in text:
        raise ConfigurationError(f"a part of a location is a name without ||, not {text!r}")
    return text
