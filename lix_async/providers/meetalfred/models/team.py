"""Team members, and their keys, which are nobody else's business."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.errors import ConfigurationError
from ....core.models import Listing
from ....core.provider import ApiKey
from .campaigns import SnakeCaseModel


class TeamMember(SnakeCaseModel, dict=True):
    """A member of the team. `webhook_key` shows itself to nobody: neither printed nor written.

    It is no field, so `msgspec.json.encode`, copies and pickles leave it out.
    """

    id: int | str | None = None
    name: str | None = None
    email: str | None = None
    timezone: str | None = None
    received: str | None = field(name="webhook_key", default=None)
    """Always None: what came here is moved to `webhook_key` at once."""

    def __post_init__(self) -> None:
        self._key: ApiKey | None = None
        text, self.received = self.received, None
        try:
            self._key = ApiKey(text) if text else None
        except ConfigurationError:
            self._key = None  # no key could have spaces in it

    @property
    def webhook_key(self) -> ApiKey | None:
        """The member's own key: `.reveal()` gives the text. Your own comes back as `***`."""
        return getattr(self, "_key", None)


class TeamMembers(Listing[TeamMember]):
    """The team."""

    __root__: ClassVar[str] = "members"

    items: list[TeamMember] = field(name="members", default_factory=list[TeamMember])
