"""E-mail addresses (lix.md#contact)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import field

from ....core.models import Model

__all__ = ["Email", "EmailStatus"]

EmailStatus: TypeAlias = Literal["VALID", "PROBABLE"] | str
"""The result of a check; others may be added."""


class Email(Model):
    """The result of one check of an address."""

    email: str | None = None
    """The address, meaningful only if `is_valid`."""
    status: EmailStatus | None = None
    """The result of the check: `VALID`, `PROBABLE`; others may be added."""
    alternatives: list[str] = field(default=[])
    """All candidates, including the valid one."""

    def __post_init__(self) -> None:
        self.email = self.email or None  # an empty text is sent if no address is certain

    @property
    def is_valid(self) -> bool:
        """Whether the address is certain. Only then does the call cost a credit."""
        return (self.status or "").upper() == "VALID"

    @property
    def is_probable(self) -> bool:
        """Whether another check may find the address."""
        return (self.status or "").upper() == "PROBABLE"
