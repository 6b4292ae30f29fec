"""Location filters: `city:San Francisco||California||United States`.

A filter is a kind, a colon, and names from the smallest place to the largest with `||` between
them. A missing name in the middle stays empty, so a city without a state has four bars in a row.
Names are written in full; how to escape `||` is not documented (letrics.md#locations).
"""

from __future__ import annotations

from ...core.errors import ConfigurationError

_PARTS = {"city": 3, "state": 2, "country": 1}


def city(name: str, *, country: str, state: str = "") -> str:
    """The filter for a city. Leave out `state` where the country has none.

    Raises:
        ConfigurationError: A name is empty or contains `||`.

    Example:
        ```python
        city("London", country="United Kingdom")  # 'city:London||||United Kingdom'
        ```
    """
    return f"city:{_part(name)}||{_part(state) if state else ''}||{_part(country)}"


def state(name: str, *, country: str) -> str:
    """The filter for a state or region.

    Raises:
        ConfigurationError: A name is empty or contains `||`.
    """
    return f"state:{_part(name)}||{_part(country)}"


def country(name: str) -> str:
    """The filter for a country.

    Raises:
        ConfigurationError: The name is empty or contains `||`.
    """
    return f"country:{_part(name)}"


def check(location: str) -> None:
    """Raise `ConfigurationError` unless a text is a location filter."""
    kind, _, rest = location.partition(":")
    parts = rest.split("||")
    if len(parts) != _PARTS.get(kind) or not parts[0].strip() or not parts[-1].strip():
        raise ConfigurationError(
            f"invalid location {location!r}: build it with city(), state() or country()"
        )


def _part(text: str) -> str:
    text = text.strip()
    if not text or "||" in text:
        raise ConfigurationError(f"invalid part of a location {text!r}: expected a name without ||")
    return text
