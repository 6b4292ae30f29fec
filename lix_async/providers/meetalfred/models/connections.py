"""Connections, with field names in three styles."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import field

from ....core.models import Listing, Model
from ....core.timestamps import parse_timestamp

__all__ = ["Connection", "Connections", "MemberConnections"]

_UPPER_CASE = {
    "aim", "blog_website", "company_website", "gtalk", "icq", "other_website", "personal_website",
    "portfolio_website", "qq", "rss_website", "skype", "wechat", "yahoo_messenger",
}  # fmt: skip


def wire_name(name: str) -> str:
    """The API's name of a field, such as `AIM`, `conversation_id` or `firstName`."""
    if name in _UPPER_CASE:
        return name.upper()
    head, *tail = name.split("_")
    return name if name == "conversation_id" else head + "".join(map(str.capitalize, tail))


class Connection(Model, rename=wire_name):
    """A person that the account is connected with. Null and empty texts are both None."""

    id: str | None = None
    """LinkedIn member id."""
    entity_urn: str | None = None
    """LinkedIn member id, the same as `id`."""
    object_urn: str | None = None
    """The number of the person at LinkedIn, as a text of digits."""
    public_identifier: str | None = None
    """The last part of `linkedin.com/in/<public_identifier>`."""
    name: str | None = None
    """The full name."""
    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    headline: str | None = None
    """The headline of the profile."""
    picture: str | None = None
    """A signed URL that expires (`e=` in it, epoch seconds), so it cannot serve as an id."""
    degree: int | None = None
    """The degree of the connection."""
    connected_at: str | None = None
    """When they were connected, as a text; `connected_time` reads it."""
    email: str | None = None
    """An e-mail address."""
    phone: str | None = None
    """A phone number."""
    twitter: str | None = None
    """The name at Twitter."""
    skype: str | None = None
    """The name at Skype."""
    aim: str | None = None
    """The name at AIM."""
    gtalk: str | None = None
    """The name at Google Talk."""
    icq: str | None = None
    """The number at ICQ."""
    qq: str | None = None
    """The number at QQ."""
    wechat: str | None = None
    """The name at WeChat."""
    yahoo_messenger: str | None = None
    """The name at Yahoo Messenger."""
    blog_website: str | None = None
    """The URL of a blog."""
    company_website: str | None = None
    """The URL of the company's site."""
    other_website: str | None = None
    """The URL of another site."""
    personal_website: str | None = None
    """The URL of a personal site."""
    portfolio_website: str | None = None
    """The URL of a portfolio."""
    rss_website: str | None = None
    """The URL of an RSS feed."""
    # The following are null in the only published sample; their types are assumptions.
    address: str | None = None
    """The address, as a text."""
    birthday: str | None = None
    """The birthday, as a text."""
    company_name: str | None = None
    """The name of the company."""
    conversation_id: str | None = None
    """The id of the conversation with the person."""
    field_of_study: str | None = None
    """The subject that was studied."""
    industry_code: str | None = None
    """The code of the industry."""
    location_name: str | None = None
    """The place as a text."""
    notes: str | None = None
    """Notes about the person."""
    postal_code: str | None = None
    """The postal code."""
    school_name: str | None = None
    """The name of the school."""
    title: str | None = None
    """The job title."""
    tracking_id: str | None = None
    """A tracking id of LinkedIn, which the API does not explain."""
    version_tag: str | None = None
    """A version tag of LinkedIn, which the API does not explain."""
    premium: bool | None = None
    """Whether the person has LinkedIn Premium."""
    open_link: bool | None = None
    """Whether the person has an open profile."""
    started_month: int | None = None
    """A month of beginning; of what, is not documented."""
    started_year: int | None = None
    """A year of beginning; of what, is not documented."""
    tenure_months: int | None = None
    """A length of time in months; of what, is not documented."""
    tenure_years: int | None = None
    """A length of time in years; of what, is not documented."""
    languages: object = None
    """A list or a text: not documented."""
    skills: object = None
    """A list or a text: not documented."""
    tags: list[object] = field(default_factory=list[object])
    """Tags of the connection; their type is not documented."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) == "":
                setattr(self, name, None)

    @property
    def identity(self) -> str | None:
        """The id by which connections are compared."""
        return self.id or self.entity_urn

    @property
    def connected_time(self) -> datetime | None:
        """`connected_at` as an aware UTC datetime. It is sent as an HTTP date or as ISO 8601."""
        return parse_timestamp(self.connected_at)


class Connections(Listing[Connection]):
    """A page of connections."""

    __root__: ClassVar[str] = "actions"

    items: list[Connection] = field(name="actions", default_factory=list[Connection])
    """The connections of the page."""


class MemberConnections(Listing[Connection]):
    """A page of a team member's connections, under a key that is not documented."""

    __root__: ClassVar[str] = "connections"

    items: list[Connection] = field(name="connections", default_factory=list[Connection])
    """The connections of the page."""
