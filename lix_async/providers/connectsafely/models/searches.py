"""Search pages, which say whether there are more, and their items."""

from __future__ import annotations

from typing import TypeVar

from msgspec import field

from ....core.models import Listing, Model, Paging
from .text import degree, full_name

__all__ = ["FoundPerson", "Group", "GroupsPage", "PeoplePage", "SearchPaging"]

Item = TypeVar("Item")


class SearchPaging(Paging):
    """The position of a page. `total` is missing or approximate."""

    has_next_page: bool | None = None
    """Whether there are more pages, in the form that newer answers have."""
    next_pagination_token: str | None = None
    """The token of the next page, which newer answers have."""


class SearchPage(Listing[Item]):
    """A page of a search. `has_more` stands beside `pagination`, or `has_next_page` inside it."""

    success: bool | None = None
    """Whether the service reports success."""
    pagination: SearchPaging | None = None
    """The position of the page."""
    has_more: bool | None = None
    """Whether there are more pages; a short page is not the end."""

    @property
    def total(self) -> int | None:
        """Number of matches by the vendor's estimate, if there is one."""
        total = self.pagination.total if self.pagination else None
        return total if total is not None and total >= 0 else None

    @property
    def cursor(self) -> str | None:
        """The token for the next page, which newer answers have."""
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
    """The id of the group."""
    name: str | None = None
    """The name of the group."""
    member_count: int | None = None
    """The number of members, rounded above 999."""
    logo_url: str | None = None
    """The URL of the group's logo."""
    group_url: str | None = None
    """The URL of the group."""
    is_private: bool | None = None
    """Whether the group is private."""

    @property
    def identity(self) -> str | None:
        """The id by which groups are compared."""
        return self.group_id


class FoundPerson(Model):
    """A person in the results of a search."""

    profile_id: str | None = None
    """The id of the profile."""
    profile_urn: str | None = None
    """The URN of the profile."""
    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    headline: str | None = None
    """The headline of the profile."""
    profile_picture: str | None = None
    """The URL of the picture."""
    location: str | None = None
    """The place as a text, unlike in a profile."""
    connection_degree: str | None = None
    """The degree of the connection, such as `2nd`; see `degree`."""
    current_position: str | None = None
    """The current position, as a text."""
    profile_url: str | None = None
    """The URL of the LinkedIn profile."""
    is_premium: bool | None = None
    """Whether the person has LinkedIn Premium."""
    is_open_to_work: bool | None = None
    """Whether the person is marked as open to work."""

    @property
    def identity(self) -> str | None:
        """The id by which people are compared."""
        return self.profile_urn or self.profile_id

    @property
    def name(self) -> str | None:
        """First and last name."""
        return full_name(self.first_name, self.last_name)

    @property
    def degree(self) -> int | None:
        """The degree of the connection, 1 to 3, in whichever form it was sent."""
        return degree(self.connection_degree)


class GroupsPage(SearchPage[Group]):
    """A page of groups."""

    items: list[Group] = field(default_factory=list[Group], name="groups")
    """The groups of the page."""


class PeoplePage(SearchPage[FoundPerson]):
    """A page of people."""

    items: list[FoundPerson] = field(default_factory=list[FoundPerson], name="people")
    """The people of the page."""
