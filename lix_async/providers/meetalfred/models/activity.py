"""Replies and other actions."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import field

from ....core.models import Listing
from ....core.timestamps import parse_timestamp
from .campaigns import Campaign, SnakeCaseModel
from .leads import Person

__all__ = ["Action", "ActionLead", "Actions", "Replies", "Reply"]


class Reply(SnakeCaseModel):
    """A reply. Public clients disagree about its fields: some have only an id and times."""

    id: int | str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    linkedin_profile_url: str | None = None
    linkedin_conversation_url: str | None = None
    company_name: str | None = field(name="companyName", default=None)
    campaign_name: str | None = None
    reply_message: str | None = None
    reply_detected_on: str | None = None

    @property
    def identity(self) -> str | None:
        """The id as a text."""
        return None if self.id is None else str(self.id)

    @property
    def reply_detected_time(self) -> datetime | None:
        """`reply_detected_on` as an aware UTC datetime."""
        return parse_timestamp(self.reply_detected_on)


class Replies(Listing[Reply]):
    """A page of replies."""

    __root__: ClassVar[str] = "actions"

    items: list[Reply] = field(name="actions", default_factory=list[Reply])


class ActionLead(SnakeCaseModel):
    """The person that an action was about."""

    object_urn: str | None = None
    campaign: Campaign | None = None
    """Only its `key`."""
    person: Person | None = None


class Action(SnakeCaseModel):
    """An action of the user, or a reaction to one."""

    id: int | str | None = None
    """A number or a text of digits."""
    created_at: str | None = None
    desc: str | None = None
    """Such as `replied`."""
    msg: str | None = None
    lead: ActionLead | None = None

    @property
    def identity(self) -> str | None:
        """The id as a text."""
        return None if self.id is None else str(self.id)

    @property
    def created_time(self) -> datetime | None:
        """`created_at` as an aware UTC datetime."""
        return parse_timestamp(self.created_at)


class Actions(Listing[Action]):
    """A page of actions, newest first."""

    __root__: ClassVar[str] = "actions"

    items: list[Action] = field(name="actions", default_factory=list[Action])
