"""Team members and their keys."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.errors import ConfigurationError
from ....core.models import Listing
from ....core.provider import ApiKey
from .campaigns import SnakeCaseModel

__all__ = ["TeamMember", "TeamMembers"]


class TeamMember(SnakeCaseModel, dict=True, gc=True):
    """A member of the team. The key is not printed, and not a field of the struct.

    `msgspec.json.encode`, copies and pickles therefore leave it out.
    """

    id: int | str | None = None
    """The id of the member, a number or a text."""
    name: str | None = None
    """The full name."""
    email: str | None = None
    """The e-mail address."""
    timezone: str | None = None
    """The time zone, as a text."""
    received: str | None = field(name="webhook_key", default=None)
    """Always None: the value is moved to `webhook_key`."""

    def __post_init__(self) -> None:
        self._key: ApiKey | None = None
        text, self.received = self.received, None
        try:
            self._key = ApiKey(text) if text else None
        except ConfigurationError:
            self._key = None  # the text cannot be a key, for example because of a space

    @property
    def webhook_key(self) -> ApiKey | None:
        """The member's own key; `reveal()` returns its text. Your own key is sent as `***`."""
        return getattr(self, "_key", None)


class TeamMembers(Listing[TeamMember]):
    """The team."""

    __root__: ClassVar[str] = "members"

    items: list[TeamMember] = field(name="members", default_factory=list[TeamMember])
    """The members of the team."""
