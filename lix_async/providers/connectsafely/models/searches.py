"""Searches: pages that say whether they go on, and their rows."""

from __future__ import annotations

from typing import TypeVar

from msgspec import field

from ....core.models import Listing, Model, Paging
from .text import degree, full_name

Item = TypeVar("Item")


class SearchPaging(Paging):
    """Where a page stands. `total` is missing or approximate."""

    has_next_page: bool | None = None
    next_pagination_token: str | None = None


class SearchPage(Listing[Item]):
    """A page of a search. `has_more` stands beside `pagination`, or its twin inside it."""

    success: bool | None = None
    pagination: SearchPaging | None = None
    has_more: bool | None = None

    @property
    def total(self) -> int | None:
        """Matches by the vendor's estimate, if it makes one."""
        total = self.pagination.total if self.pagination else None
        return total if total is not None and total >= 0 else None

    @property
    def cursor(self) -> str | None:
        """The token for the next page, which newer list answers have."""
        return (self.pagination.next_pagination_token if self.pagination else None) or None

    @property
    def continues(self) -> bool | None:
        """Whether there are more pages."""
        if self.has_more is not None or self.pagination is None:
            return self.has_more
        if self.pagination.has_next_page is not None:
            return self.pagination.has_next_page
        return True if self.cursor else None


class Group(Model):
    """A LinkedIn group."""

    group_id: str | None = None
    name: str | None = None
    member_count: int | None = None
    """Rounded above 999."""
    logo_url: str | None = None
    group_url: str | None = None
    is_private: bool | None = None

    @property
    def identity(self) -> str | None:
        """What tells one group from another."""
        return self.group_id


class FoundPerson(Model):
    """A person in a search."""

    profile_id: str | None = None
    profile_urn: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    headline: str | None = None
    profile_picture: str | None = None
    location: str | None = None
    """A text here, an object in a profile."""
    connection_degree: str | None = None
    """`2nd` here, `DISTANCE_2` in a profile; see `degree`."""
    current_position: str | None = None
    profile_url: str | None = None
    is_premium: bool | None = None
    is_open_to_work: bool | None = None

    @property
    def identity(self) -> str | None:
        """What tells one person from another."""
        return self.profile_urn or self.profile_id

    @property
    def name(self) -> str | None:
        """First and last name."""
        return full_name(self.first_name, self.last_name)

    @property
    def degree(self) -> int | None:
        """1 to 3, however the answer writes it."""
        return degree(self.connection_degree)


class GroupsPage(SearchPage[Group]):
    """A page of groups."""

    items: list[Group] = field(default_factory=list[Group], name="groups")


class PeoplePage(SearchPage[FoundPerson]):
    """A page of people."""

    items: list[FoundPerson] = field(default_factory=list[FoundPerson], name="people")
