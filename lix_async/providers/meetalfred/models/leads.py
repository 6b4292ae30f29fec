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
    """Such as `2nd`."""
    handle: str | None = None
    headline: str | None = None
    sub_headline: str | None = None
    location: str | None = None
    name: str | None = None
    pic: str | None = None
    shared_connections: str | None = None
    """A sentence such as `3 shared connections`."""
    urn: str | None = None
    object_urn: str | None = None


class Person(SnakeCaseModel):
    """A person. `name` may be there without its parts, so it is never built from them."""

    key: str | None = None
    """LinkedIn member id."""
    object_urn: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    location: str | None = None
    current_title: str | None = None
    current_employer: str | None = None
    current_employer_size: str | None = None
    email: str | None = None
    work_email: str | None = None
    personal_email: str | None = None
    phone: str | None = None
    linkedin_handle: str | None = None
    twitter_handle: str | None = None
    facebook_handle: str | None = None
    github_handle: str | None = None
    angellist_handle: str | None = None
    gravatar_handle: str | None = None
    linkedin_data: LinkedInData | None = None


class LastAction(SnakeCaseModel):
    """The last action on a lead."""

    key: int | None = None
    campaign_key: int | None = None
    campaign_name: str | None = None
    created_at: str | None = None
    desc: str | None = None
    """Such as `found`."""
    msg: str | None = None
    msg_created_at: str | None = None

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
    """Such as `approved`."""
    campaign: Campaign | None = None
    person: Person | None = None
    last_action: LastAction | None = None
    next_touch_index: int | None = None
    next_touch_at: str | None = None
    connect_followup: bool | None = None
    conversation_urn: str | None = None
    custom_data: dict[str, object] = field(default_factory=dict[str, object])
    """Your own columns."""
    request_connect_at: str | None = None
    return_to_campaign: bool | None = None
    return_to_campaign_date: str | None = None
    tags: list[object] = field(default_factory=list[object])
    thread_id: str | None = None

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


class AddedLead(SnakeCaseModel):
    """The result of adding a lead. `success` may be false, which is not an error response."""

    id: int | str | None = None
    message: str | None = None
    success: bool | None = None
