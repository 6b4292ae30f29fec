"""Organisations, with both of their descriptions, and their followers.

Contract: lix.md#organisations, lix.md#organisation-profile
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias, TypeVar

from msgspec import field

from ....core.models import Listing, Model
from ....linkedin.fields import company_slug, sales_company_id
from .ids import IdLinks, OrganisationIds
from .li_organisations import LiOrganisation, OrganisationProfile

__all__ = [
    "Follower",
    "FollowersPage",
    "MemberDistance",
    "Organisation",
    "WebsiteMatch",
    "WebsiteMatches",
]

MemberDistance: TypeAlias = Literal["DISTANCE_1", "DISTANCE_2"] | str
"""The degree of a connection; others may be added."""
T = TypeVar("T")
_NO_PROFILE = OrganisationProfile()
_NO_LI = LiOrganisation()


class Organisation(Model):
    """An organisation.

    The properties merge both descriptions: they read `profile` first, and `li_organisation` for
    what is missing there. They have the names of `OrganisationProfile`.
    """

    organisation_ids: OrganisationIds | None = None
    """The ids of the organisation at LinkedIn, Sales Navigator and Lix."""
    li_organisation: LiOrganisation | None = None
    """The older description, deprecated by the vendor in favour of `profile`; the only one in the
    oldest samples."""
    profile: OrganisationProfile | None = None
    """The newer description."""
    links: IdLinks | None = None
    """Links made from the ids."""
    error: str | None = None
    """The reason if the provider could not read the organisation; otherwise empty."""

    @property
    def name(self) -> str | None:
        """The name."""
        return self._new.name or self._old.name

    @property
    def industry(self) -> str | None:
        """The industry."""
        return self._new.industry or self._old.industry

    @property
    def size(self) -> str | None:
        """A range as text, "201-500" or "10001+"."""
        return self._new.size or self._old.size

    @property
    def logo_url(self) -> str | None:
        """The URL of the logo."""
        return self._new.logo_url or self._old.logo_url

    @property
    def website(self) -> str | None:
        """The URL of the organisation's own site."""
        return self._new.website or self._old.website

    @property
    def description(self) -> str | None:
        """The organisation's description of itself."""
        return self._new.description or self._old.description

    @property
    def headquarters(self) -> str | None:
        """The place as a text, "City, CC", or only the country."""
        return self._old.headquarters or self._new.hq_country

    @property
    def hq_country(self) -> str | None:
        """The country of the headquarters, as a code where only `headquarters` names it."""
        _, comma, country = (self._old.headquarters or "").rpartition(",")
        return self._new.hq_country or (country.strip() if comma else None) or None

    @property
    def headquarters_address(self) -> str | None:
        """Street and town."""
        return self._new.headquarters_address or self._old.headquarters_address

    @property
    def org_type(self) -> str | None:
        """A text such as "Public Company"."""
        return self._new.org_type or self._old.company_type

    @property
    def specialities(self) -> str | None:
        """Separated by commas."""
        return self._new.specialities or self._old.specialities

    @property
    def stock_ticker_code(self) -> str | None:
        """The ticker of listed companies."""
        return self._new.stock_ticker_code or self._old.stock_ticker_code

    @property
    def founded_year(self) -> int | None:
        """The year of foundation."""
        return _first(self._new.founded_year, self._old.year_founded)

    @property
    def employee_count(self) -> int | None:
        """Employees on LinkedIn."""
        return _first(self._new.employee_count, self._old.li_employee_count)

    @property
    def follower_count(self) -> int | None:
        """Followers on LinkedIn."""
        return _first(self._new.follower_count, self._old.followers)

    @property
    def job_openings_count(self) -> int | None:
        """Open positions on LinkedIn."""
        return _first(self._new.job_openings_count, self._old.number_of_job_openings)

    @property
    def linkedin_url(self) -> str | None:
        """The URL of the LinkedIn page."""
        found = self._new.linkedin_url or self._old.link
        return found or (self.links.li_profile_url if self.links else None)

    @property
    def sales_nav_url(self) -> str | None:
        """The URL of the Sales Navigator page; never the placeholder without an id."""
        links = (self._new.sales_nav_url, self._old.sales_nav_link)
        found = next((link for link in links if sales_company_id(link)), None)
        return found or (self.links.sales_nav_url if self.links else None)

    @property
    def identity(self) -> str | None:
        """The id by which organisations are compared."""
        link = self.linkedin_url
        if slug := company_slug(link):
            return f"company/{slug}"
        return sales_company_id(self.sales_nav_url) or sales_company_id(link) or link

    @property
    def _new(self) -> OrganisationProfile:
        return self.profile or _NO_PROFILE

    @property
    def _old(self) -> LiOrganisation:
        return self.li_organisation or _NO_LI


def _first(new: T | None, old: T | None) -> T | None:
    return old if new is None else new


class WebsiteMatch(Organisation):
    """An organisation found by its website. Two forms of it are published."""

    __aliases__: ClassVar[dict[str, str]] = {"org": "organisationIds"}
    __markers__: ClassVar[dict[str, str | None]] = {"name": "profile", "link": "profile"}

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Accept a flat match, which has the fields of `LiOrganisation`."""
        return tree if "org" in tree or "profile" in tree else {"liOrganisation": tree}


class WebsiteMatches(Listing[WebsiteMatch]):
    """The result of `organisations.by_website`: at most 5 matches."""

    items: list[WebsiteMatch] = field(name="organisations", default=[])
    """The organisations whose website it is."""

    @property
    def match_count(self) -> int:
        """How many organisations were found."""
        return len(self.items)


class Follower(Model):
    """A follower of an organisation (lix.md#organisation.followers)."""

    public_identifier: str | None = None
    """The last part of `linkedin.com/in/<public_identifier>`."""
    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    profile_picture_url: str | None = None
    """The URL of the follower's picture."""
    entity_urn: str | None = None
    """The URN of the follower."""
    headline: str | None = None
    """The headline of the profile."""
    followed_at: str | None = None
    """When the person began to follow, as a text such as "July 2024"."""
    member_distance: MemberDistance | None = None
    """The degree of the connection: `DISTANCE_1`, `DISTANCE_2`, …"""

    @property
    def profile_url(self) -> str | None:
        """The URL of the LinkedIn profile."""
        slug = self.public_identifier
        return f"https://www.linkedin.com/in/{slug}" if slug else None

    @property
    def identity(self) -> str | None:
        """The id by which followers are compared."""
        return self.entity_urn or self.public_identifier or None


class FollowersPage(Listing[Follower]):
    """A page of `organisations.followers`."""

    items: list[Follower] = field(name="followers", default=[])
    """The followers of the page."""
