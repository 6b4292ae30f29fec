"""Contact data (lix.md#contact)."""

from __future__ import annotations

from msgspec import field

from ....core.models import Model


class Email(Model):
    """What one check of an address brought."""

    email: str | None = None
    """Meaningful only when `is_valid`."""
    status: str | None = None
    """`VALID`, `PROBABLE`; others may come."""
    alternatives: list[str] = field(default=[])
    """Other candidates; has the valid one too."""

    def __post_init__(self) -> None:
        self.email = self.email or None  # an empty text is sent where nothing is sure

    @property
    def is_valid(self) -> bool:
        """Whether the address is sure. Only then the call costs a credit."""
        return (self.status or "").upper() == "VALID"

    @property
    def is_probable(self) -> bool:
        """Whether another check may find the address."""
        return (self.status or "").upper() == "PROBABLE"
