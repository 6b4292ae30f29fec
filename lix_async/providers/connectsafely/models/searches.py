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
    next_pagination_token: str | None = None


class SearchPage(Listing[Item]):
    """A page of a search. `has_more` stands beside `pagination`, or `has_next_page` inside it."""

    success: bool | None = None
    pagination: SearchPaging | None = None
    has_more: bool | None = None

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
    name: str | None = None
    member_count: int | None = None
    """Rounded above 999."""
    logo_url: str | None = None
    group_url: str | None = None
    is_private: bool | None = None

    @property
    def identity(self) -> str | None:
        """The id by which groups are compared."""
        return self.group_id


class FoundPerson(Model):
    """A person in the results of a search."""

    profile_id: str | None = None
    profile_urn: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    headline: str | None = None
    profile_picture: str | None = None
    location: str | None = None
    """A text, unlike in a profile."""
    connection_degree: str | None = None
    """Such as `2nd`; see `degree`."""
    current_position: str | None = None
    profile_url: str | None = None
    is_premium: bool | None = None
    is_open_to_work: bool | None = None

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


class PeoplePage(SearchPage[FoundPerson]):
    """A page of people."""

    items: list[FoundPerson] = field(default_factory=list[FoundPerson], name="people")
