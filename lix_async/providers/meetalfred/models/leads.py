"""Leads: people in campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import field

from ....core.models import Listing, Model
from ....core.timestamps import parse_timestamp
from .campaigns import Campaign, SnakeCaseModel

__all__ = ["AddedLead", "LastAction", "Lead", "Leads", "LinkedInData", "Person"]


class LinkedInData(Model):
    """What LinkedIn shows about the person."""

    connection_level: str | None = None
    """The degree of the connection, such as `2nd`."""
    handle: str | None = None
    """The handle at LinkedIn."""
    headline: str | None = None
    """The headline of the profile."""
    sub_headline: str | None = None
    """The line below the headline; it may be empty."""
    location: str | None = None
    """The place as a text."""
    name: str | None = None
    """The full name."""
    pic: str | None = None
    """The URL of the picture."""
    shared_connections: str | None = None
    """The shared connections as a sentence, such as `3 shared connections`."""
    urn: str | None = None
    """The URN of the person."""
    object_urn: str | None = None
    """The object URN of the person."""


class Person(SnakeCaseModel):
    """A person. `name` may be there without its parts, so it is never built from them."""

    key: str | None = None
    """LinkedIn member id."""
    object_urn: str | None = None
    """The object URN of the person."""
    name: str | None = None
    """The full name; it may be there without its parts."""
    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    location: str | None = None
    """The place as a text."""
    current_title: str | None = None
    """The current job title."""
    current_employer: str | None = None
    """The name of the current employer."""
    current_employer_size: str | None = None
    """The size of the current employer, as a text."""
    email: str | None = None
    """An e-mail address."""
    work_email: str | None = None
    """The e-mail address at work."""
    personal_email: str | None = None
    """The personal e-mail address."""
    phone: str | None = None
    """A phone number."""
    linkedin_handle: str | None = None
    """The handle at LinkedIn."""
    twitter_handle: str | None = None
    """The name at Twitter."""
    facebook_handle: str | None = None
    """The name at Facebook."""
    github_handle: str | None = None
    """The name at GitHub."""
    angellist_handle: str | None = None
    """The name at AngelList."""
    gravatar_handle: str | None = None
    """The name at Gravatar."""
    linkedin_data: LinkedInData | None = None
    """What LinkedIn shows about the person; it may be missing."""


class LastAction(SnakeCaseModel):
    """The last action on a lead."""

    key: int | None = None
    """The id of the action."""
    campaign_key: int | None = None
    """The id of the campaign."""
    campaign_name: str | None = None
    """The name of the campaign."""
    created_at: str | None = None
    """When it happened, as a text; `created_time` reads it."""
    desc: str | None = None
    """What happened, such as `found`."""
    msg: str | None = None
    """The text of the message, if the action has one."""
    msg_created_at: str | None = None
    """When the message was written, as a text; `msg_created_time` reads it."""

    @property
    def created_time(self) -> datetime | None:
        """`created_at` as an aware UTC datetime."""
        return parse_timestamp(self.created_at)

    @property
    def msg_created_time(self) -> datetime | None:
        """`msg_created_at` as an aware UTC datetime."""
        return parse_timestamp(self.msg_created_at)


class Lead(SnakeCaseModel):
    """A person in a campaign."""

    id: str | None = None
    """LinkedIn member id, as in `person.key`: one person may be a lead of several campaigns."""
    status: str | None = None
    """The state of the lead, such as `approved`."""
    campaign: Campaign | None = None
    """The campaign that the lead belongs to."""
    person: Person | None = None
    """The person."""
    last_action: LastAction | None = None
    """The last action on the lead."""
    next_touch_index: int | None = None
    """The position of the next step in the campaign."""
    next_touch_at: str | None = None
    """When the next step is due, as a text; `next_touch_time` reads it."""
    connect_followup: bool | None = None
    """A flag of the API, which is not explained."""
    conversation_urn: str | None = None
    """The URN of the conversation on LinkedIn."""
    custom_data: dict[str, object] = field(default_factory=dict[str, object])
    """The lead's own columns, such as those of an imported CSV file."""
    request_connect_at: str | None = None
    """When the connection is requested, as a text; `request_connect_time` reads it."""
    return_to_campaign: bool | None = None
    """Whether the lead returns to the campaign."""
    return_to_campaign_date: str | None = None
    """When it returns, as a text; `return_to_campaign_time` reads it."""
    tags: list[object] = field(default_factory=list[object])
    """Tags of the lead; their type is not documented."""
    thread_id: str | None = None
    """The id of the message thread."""

    @property
    def identity(self) -> str | None:
        """The id by which leads are compared: of the person and of the campaign."""
        campaign = self.campaign.campaign_id if self.campaign else None
        return f"{campaign}:{self.id}" if self.id else None

    @property
    def next_touch_time(self) -> datetime | None:
        """`next_touch_at` as an aware UTC datetime."""
        return parse_timestamp(self.next_touch_at)

    @property
    def request_connect_time(self) -> datetime | None:
        """`request_connect_at` as an aware UTC datetime."""
        return parse_timestamp(self.request_connect_at)

    @property
    def return_to_campaign_time(self) -> datetime | None:
        """`return_to_campaign_date` as an aware UTC datetime."""
        return parse_timestamp(self.return_to_campaign_date)


class Leads(Listing[Lead]):
    """A page of leads."""

    __root__: ClassVar[str] = "actions"

    items: list[Lead] = field(name="actions", default_factory=list[Lead])
    """The leads of the page."""


class AddedLead(SnakeCaseModel):
    """The result of adding a lead. `success` may be false, which is not an error response."""

    id: int | str | None = None
    """The id of the lead, a number or a text."""
    message: str | None = None
    """A readable status."""
    success: bool | None = None
    """Whether the lead was added."""
