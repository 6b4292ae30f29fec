"""An organisation as LinkedIn describes it (lix.md#li-organisation), and searches for them."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.models import Listing, Model
from ....linkedin.fields import company_slug, sales_company_id

__all__ = ["AccountsPage", "LiOrganisation", "OrganisationProfile", "OrganisationsPage"]


class LiOrganisation(Model):
    """An organisation as LinkedIn shows it: in searches, in positions, and in lookups."""

    name: str | None = None
    link: str | None = None
    industry: str | None = None
    website: str | None = None
    description: str | None = None
    headquarters: str | None = None
    """A text, "City, CC"."""
    company_type: str | None = None
    size: str | None = None
    """A range as text, "201-500" or "10001+"."""
    crunchbase_id: str | None = None
    sales_nav_link: str | None = None
    """Ends in `/sales/company/` without an id if the company is not linked."""
    logo_url: str | None = None
    stock_ticker_code: str | None = None
    headquarters_address: str | None = None
    initial_request_li_id: str | None = None
    locations: str | None = None
    specialities: str | None = None
    """Separated by commas."""
    li_employee_count: int | None = None
    followers: int | None = None
    number_of_investment_rounds: int | None = None
    number_of_job_openings: int | None = None
    past_employee_count: int | None = None
    year_founded: int | None = None
    auto_scraped: bool | None = None

    @property
    def sales_nav_id(self) -> str | None:
        """The digits of `sales_nav_link`; None for the placeholder without them."""
        return sales_company_id(self.sales_nav_link) or sales_company_id(self.link)

    @property
    def identity(self) -> str | None:
        """The id by which organisations are compared."""
        slug = company_slug(self.link)
        return f"company/{slug}" if slug else self.sales_nav_id or self.link or None


class OrganisationProfile(Model):
    """The newer description of an organisation, which includes data of the vendor."""

    name: str | None = None
    industry: str | None = None
    size: str | None = None
    """A range as text, "201-500" or "10001+"."""
    logo_url: str | None = None
    hq_country: str | None = None
    founded_year: int | None = None
    website: str | None = None
    description: str | None = None
    org_type: str | None = None
    employee_count: int | None = None
    specialities: str | None = None
    """Separated by commas."""
    stock_ticker_code: str | None = None
    follower_count: int | None = None
    job_openings_count: int | None = None
    headquarters_address: str | None = None
    sales_nav_url: str | None = None
    linkedin_url: str | None = None


class OrganisationsPage(Listing[LiOrganisation]):
    """A page of a LinkedIn company search: under `orgs`, or `posts` in the oldest samples."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")
    __aliases__: ClassVar[dict[str, str]] = {"posts": "orgs"}

    items: list[LiOrganisation] = field(name="orgs", default=[])


class AccountsPage(Listing[LiOrganisation]):
    """A page of a Sales Navigator account search or list; earlier under `people`."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")
    __aliases__: ClassVar[dict[str, str]] = {"people": "organisations"}

    items: list[LiOrganisation] = field(name="organisations", default=[])
