"""What one call brought, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from ..core.endpoint import Price

R = TypeVar("R")


class Answer(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """What one call brought, and what it took."""

    value: R
    """The struct."""
    body: bytes
    """The answer as received: nothing that the provider sent is ever out of reach."""
    status: int
    raw_headers: list[tuple[bytes, bytes]]
    attempts: int
    """Requests made, the successful one included."""
    waited: float
    """Seconds spent waiting for turns and pauses."""
    credits: int
    """Credits that this call costs by the price list; 0 where the price is not published."""
    lost: int
    """Attempts whose answers never came. The provider may have charged them."""

    def __repr__(self) -> str:
        # Without value and body: those hold personal data, and belong into no log by accident.
        kind = type(self.value).__name__
        return f"<Answer {self.status}: {kind}, {len(self.body)} bytes, attempt {self.attempts}>"

    @property
    def headers(self) -> Mapping[str, str]:
        """Response headers; names in lower case, repeated ones joined by commas."""
        return read_headers(self.raw_headers)


def read_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw headers as a mapping, decoded as latin-1 (RFC 9110 section 5.5)."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def credits_for(price: Price, value: object) -> int:
    """Credits for an answer by the price list; what is not published counts as nothing."""
    if price.only is not None and not getattr(value, price.only):
        return 0
    return price.amount
