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
    """The name."""
    link: str | None = None
    """The URL of the LinkedIn page."""
    industry: str | None = None
    """The industry, as a text."""
    website: str | None = None
    """The URL of the organisation's own site."""
    description: str | None = None
    """The organisation's description of itself."""
    headquarters: str | None = None
    """The place of the headquarters as a text, "City, CC"."""
    company_type: str | None = None
    """The type as a text, such as "Public Company"."""
    size: str | None = None
    """The number of employees as a range, "201-500" or "10001+"."""
    crunchbase_id: str | None = None
    """The id of the organisation at Crunchbase."""
    sales_nav_link: str | None = None
    """The URL in Sales Navigator; it ends in `/sales/company/` without an id if the company is not
    linked."""
    logo_url: str | None = None
    """The URL of the logo."""
    stock_ticker_code: str | None = None
    """The ticker of a listed company."""
    headquarters_address: str | None = None
    """The address of the headquarters, as a text."""
    initial_request_li_id: str | None = None
    """An id of the provider, which it does not explain."""
    locations: str | None = None
    """The locations, as a text."""
    specialities: str | None = None
    """The specialities, separated by commas."""
    li_employee_count: int | None = None
    """Employees on LinkedIn."""
    followers: int | None = None
    """Followers on LinkedIn."""
    number_of_investment_rounds: int | None = None
    """Investment rounds."""
    number_of_job_openings: int | None = None
    """Open positions on LinkedIn."""
    past_employee_count: int | None = None
    """Past employees on LinkedIn."""
    year_founded: int | None = None
    """The year of foundation."""
    auto_scraped: bool | None = None
    """A flag of the provider, which it does not explain."""

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
    """The name."""
    industry: str | None = None
    """The industry, as a text."""
    size: str | None = None
    """The number of employees as a range, "201-500" or "10001+"."""
    logo_url: str | None = None
    """The URL of the logo."""
    hq_country: str | None = None
    """The country of the headquarters."""
    founded_year: int | None = None
    """The year of foundation."""
    website: str | None = None
    """The URL of the organisation's own site."""
    description: str | None = None
    """The organisation's description of itself."""
    org_type: str | None = None
    """The type as a text, such as "Public Company"."""
    employee_count: int | None = None
    """Employees on LinkedIn."""
    specialities: str | None = None
    """The specialities, separated by commas."""
    stock_ticker_code: str | None = None
    """The ticker of a listed company."""
    follower_count: int | None = None
    """Followers on LinkedIn."""
    job_openings_count: int | None = None
    """Open positions on LinkedIn."""
    headquarters_address: str | None = None
    """The address of the headquarters, as a text."""
    sales_nav_url: str | None = None
    """The URL of the Sales Navigator page."""
    linkedin_url: str | None = None
    """The URL of the LinkedIn page."""


class OrganisationsPage(Listing[LiOrganisation]):
    """A page of a LinkedIn company search: under `orgs`, or `posts` in the oldest samples."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")
    __aliases__: ClassVar[dict[str, str]] = {"posts": "orgs"}

    items: list[LiOrganisation] = field(name="orgs", default=[])
    """The companies of the page."""


class AccountsPage(Listing[LiOrganisation]):
    """A page of a Sales Navigator account search or list; earlier under `people`."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")
    __aliases__: ClassVar[dict[str, str]] = {"people": "organisations"}

    items: list[LiOrganisation] = field(name="organisations", default=[])
    """The companies of the page; Sales Navigator calls them accounts."""
