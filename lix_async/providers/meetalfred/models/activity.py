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
    """The id of the reply, a number or a text."""
    name: str | None = None
    """The full name of the person who replied."""
    first_name: str | None = None
    """The person's first name."""
    last_name: str | None = None
    """The person's last name."""
    email: str | None = None
    """The person's e-mail address."""
    linkedin_profile_url: str | None = None
    """The URL of the person's LinkedIn profile."""
    linkedin_conversation_url: str | None = None
    """The URL of the conversation on LinkedIn."""
    company_name: str | None = field(name="companyName", default=None)
    """The name of the person's company."""
    campaign_name: str | None = None
    """The name of the campaign that was replied to."""
    reply_message: str | None = None
    """The text of the reply."""
    reply_detected_on: str | None = None
    """When the reply was detected, as a text; `reply_detected_time` reads it."""

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
    """The replies of the page."""


class ActionLead(SnakeCaseModel):
    """The person that an action was about."""

    object_urn: str | None = None
    """The object URN of the person."""
    campaign: Campaign | None = None
    """The campaign, only with its `key`."""
    person: Person | None = None
    """The person."""


class Action(SnakeCaseModel):
    """An action of the user, or a reaction to one."""

    id: int | str | None = None
    """The id of the action, a number or a text of digits."""
    created_at: str | None = None
    """When it happened, as a text; `created_time` reads it."""
    desc: str | None = None
    """What happened, such as `replied`."""
    msg: str | None = None
    """The text of the message, if the action has one."""
    lead: ActionLead | None = None
    """The person that the action was about."""

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
    """The actions of the page."""
