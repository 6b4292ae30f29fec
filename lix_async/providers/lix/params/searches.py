"""Parameters for searches, lists and facets.

Contract: lix.md#linkedin-search, lix.md#sales-navigator, lix.md#recruiter, lix.md#facets
"""

from __future__ import annotations

from msgspec.structs import force_setattr

from ....core.endpoint import at_least, required
from ....core.errors import ConfigurationError
from ....core.models import Params
from ....core.pagination import number_in_url
from ....linkedin.fields import SearchUrl, check_linkedin_urls
from .filters import SkillFilter

__all__ = [
    "FacetParams",
    "FilterParams",
    "JobSearchParams",
    "ListParams",
    "PostSearchParams",
    "RecruiterParams",
    "SearchParams",
    "SkillFacetParams",
]


class SearchParams(Params, frozen=True, kw_only=True):
    """Searches whose page number is in their LinkedIn URL."""

    url: SearchUrl
    viewer_id: str | None = None
    sequence_id: str | None = None

    def check(self) -> None:
        """Require a LinkedIn search URL; `page` in it, if there is one, must be a number."""
        required(self, "url")
        check_linkedin_urls(self, "url")
        number_in_url(self.url, "page", 1)


class JobSearchParams(SearchParams, frozen=True, kw_only=True):
    """`search.jobs`. LinkedIn's job URLs have a position (`start=`) in place of a page."""

    def check(self) -> None:
        """The same; `start` in the URL, if there is one, must be a number."""
        super().check()
        number_in_url(self.url, "start", 0)


class PostSearchParams(Params, frozen=True, kw_only=True):
    """`search.posts`. `start` is listed as required, so it is always sent (lix.md#search.posts)."""

    url: SearchUrl
    start: int = 0
    viewer_id: str | None = None
    sequence_id: str | None = None

    def check(self) -> None:
        """Require a LinkedIn search URL; `start` must not be negative."""
        required(self, "url")
        check_linkedin_urls(self, "url")
        at_least(self, "start", 0)


class FilterParams(Params, frozen=True, kw_only=True):
    """`sales.leads_by_filters`. Filters are pairs, as `Pair` writes them."""

    person_titles: str | None = None
    locations: str | None = None
    location: str | None = None
    """The name that both published samples use instead of `locations`."""
    organisations: str | None = None
    keywords: str | None = None
    viewer_id: str | None = None
    sequence_id: str | None = None

    def check(self) -> None:
        """Require at least one filter; only one of `locations` and `location` may be given."""
        filters = (self.person_titles, self.locations, self.location, self.organisations)
        if not any(filters) and not self.keywords:
            raise ConfigurationError(
                "give at least one of person_titles, locations, organisations or keywords"
            )
        if self.locations and self.location:
            raise ConfigurationError("give locations or location, not both: they mean the same")


class ListParams(Params, frozen=True, kw_only=True):
    """`sales.lead_list` and `sales.account_list`."""

    list_id: str
    viewer_id: str | None = None
    page: int = 1
    sequence_id: str | None = None

    def check(self) -> None:
        """Require the digits of a list and a viewer; pages begin at 1."""
        required(self, "list_id", "viewer_id")
        if not (self.list_id.isascii() and self.list_id.isdigit()):
            raise ConfigurationError(
                "list_id must be the digits at the end of linkedin.com/sales/lists/people/<id>"
            )
        at_least(self, "page", 1)


class RecruiterParams(Params, frozen=True, kw_only=True):
    """`recruiter.people`."""

    skills: list[SkillFilter]
    start: int = 0
    viewer_id: str | None = None
    sequence_id: str | None = None

    def check(self) -> None:
        """Require a skill; `start` must not be negative."""
        required(self, "skills")
        at_least(self, "start", 0)


class FacetParams(Params, frozen=True, kw_only=True):
    """`sales.facets`."""

    query: str
    type: str
    count: int = 100
    start: int = 0
    viewer_id: str | None = None

    def check(self) -> None:
        """Require a query and a type; numbers must not be negative."""
        required(self, "query", "type")
        at_least(self, "count", 1)
        at_least(self, "start", 0)


class SkillFacetParams(Params, frozen=True, kw_only=True):
    """`recruiter.facets`. Two names are published for one parameter: both are sent."""

    query: str
    q: str = "skill"
    type: str | None = None
    """The same as `q`, under its other name."""
    start: int = 0
    count: int = 100
    viewer_id: str | None = None

    def __post_init__(self) -> None:
        if self.type is None:
            force_setattr(self, "type", self.q)

    def check(self) -> None:
        """Require a query; numbers must not be negative."""
        required(self, "query", "q")
        at_least(self, "count", 1)
        at_least(self, "start", 0)
