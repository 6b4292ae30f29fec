"""The parameters of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from .errors import params_invalid


class RequestParams:
    """The parameters of a request under the provider's names.

    The methods check types: each raises a `params_invalid` error for a value of the wrong type.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def text(self, name: str) -> str | None:
        """A text, or None if it is missing or empty."""
        value = self.values.get(name)
        return str(value) if value not in (None, "") else None

    def require(self, name: str) -> str:
        """A text that must not be missing or empty."""
        if (value := self.text(name)) is None:
            raise params_invalid(f"{name} is required")
        return value

    def exactly_one(self, *names: str) -> tuple[str, str]:
        """Name and value of the one parameter of a group that is given; exactly one must be."""
        given = [(name, value) for name in names if (value := self.text(name)) is not None]
        if len(given) != 1:
            raise params_invalid(f"exactly one of {', '.join(names)} is required")
        return given[0]

    def number(self, name: str, default: int = 0, minimum: int = 0) -> int:
        """A whole number of at least `minimum`."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or value < minimum:
            raise params_invalid(f"{name} must be a number from {minimum}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(name, default)
        return value if isinstance(value, bool) else default

    def array(self, name: str) -> list[object]:
        """A list; empty if it is missing."""
        value = self.values.get(name)
        return list(cast("Sequence[object]", value)) if isinstance(value, list | tuple) else []
