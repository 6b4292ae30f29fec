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
    object_urn: str | None = None
    """Digits, as a text."""
    public_identifier: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    headline: str | None = None
    picture: str | None = None
    """A signed URL that expires (`e=` in it, epoch seconds), so it cannot serve as an id."""
    degree: int | None = None
    connected_at: str | None = None
    email: str | None = None
    phone: str | None = None
    twitter: str | None = None
    skype: str | None = None
    aim: str | None = None
    gtalk: str | None = None
    icq: str | None = None
    qq: str | None = None
    wechat: str | None = None
    yahoo_messenger: str | None = None
    blog_website: str | None = None
    company_website: str | None = None
    other_website: str | None = None
    personal_website: str | None = None
    portfolio_website: str | None = None
    rss_website: str | None = None
    # The following are null in the only published sample; their types are assumptions.
    address: str | None = None
    birthday: str | None = None
    company_name: str | None = None
    conversation_id: str | None = None
    field_of_study: str | None = None
    industry_code: str | None = None
    location_name: str | None = None
    notes: str | None = None
    postal_code: str | None = None
    school_name: str | None = None
    title: str | None = None
    tracking_id: str | None = None
    version_tag: str | None = None
    premium: bool | None = None
    open_link: bool | None = None
    started_month: int | None = None
    started_year: int | None = None
    tenure_months: int | None = None
    tenure_years: int | None = None
    languages: object = None
    """A list or a text: not documented."""
    skills: object = None
    """A list or a text: not documented."""
    tags: list[object] = field(default_factory=list[object])

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


class MemberConnections(Listing[Connection]):
    """A page of a team member's connections, under a key that is not documented."""

    __root__: ClassVar[str] = "connections"

    items: list[Connection] = field(name="connections", default_factory=list[Connection])
