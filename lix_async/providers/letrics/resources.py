"""The methods of `AsyncLetrics`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Unpack

from ...engine.client import Client
from ...engine.pages import ListingOptions, Pages
from .endpoints import EndpointSet
from .models import Company, Contact
from .params import CompaniesParams, texts


class LetricsMethods(Client):
    """A client with a method for each endpoint of this provider."""

    _endpoints: EndpointSet

    def contacts(
        self,
        *,
        job_titles: Iterable[str] | None = None,
        departments: Iterable[str] | None = None,
        seniorities: Iterable[str] | None = None,
        has_personal_emails: bool | None = None,
        has_linkedin_profile: bool | None = None,
        is_decision_maker: bool | None = None,
        company_has_generic_email: bool | None = None,
        company_has_linkedin_profile: bool | None = None,
        added_after: datetime | None = None,
        added_before: datetime | None = None,
        locations: Iterable[str] | None = None,
        functions: Iterable[str] | None = None,
        industries: Iterable[str] | None = None,
        tlds: Iterable[str] | None = None,
        technologies: Iterable[str] | None = None,
        exclude_job_titles: Iterable[str] | None = None,
        exclude_departments: Iterable[str] | None = None,
        exclude_seniorities: Iterable[str] | None = None,
        exclude_locations: Iterable[str] | None = None,
        exclude_functions: Iterable[str] | None = None,
        exclude_industries: Iterable[str] | None = None,
        exclude_tlds: Iterable[str] | None = None,
        exclude_technologies: Iterable[str] | None = None,
        page: int = 1,
        per_page: int = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[Contact]:
        """Contacts by what they do and by their company.

        Only the arguments that are given are sent. Of the flags, only True has a documented
        meaning. From `added_after` on, filters are about the company of the contact. The vendor's
        newer page states that each list has a counterpart `exclude_…`, and adds the `company_has_…`
        flags. The listing ends with the first page that has fewer than `per_page` items. The order
        of items is not stated: a fixed `added_before` keeps the set of items the same between runs.

        Args:
            job_titles: Parts of job titles, in any letter case.
            departments: Exact departments.
            seniorities: Exact seniorities.
            has_personal_emails: True for contacts with a personal e-mail address.
            has_linkedin_profile: True for contacts with a LinkedIn profile.
            is_decision_maker: True for decision makers.
            company_has_generic_email: True for companies with a generic e-mail address.
            company_has_linkedin_profile: True for companies with a LinkedIn profile.
            added_after: Companies created at this time or later; with a time zone.
            added_before: Companies created at this time or earlier. Two periods that share a bound
                both return its items.
            locations: Filters from `locations.city`, `state` or `country`.
            functions: Functions of the company.
            industries: Industries.
            tlds: Top-level domains.
            technologies: Technologies that the company uses.
            exclude_job_titles: As `job_titles`, to leave out.
            exclude_departments: As `departments`, to leave out.
            exclude_seniorities: As `seniorities`, to leave out.
            exclude_locations: As `locations`, to leave out.
            exclude_functions: As `functions`, to leave out.
            exclude_industries: As `industries`, to leave out.
            exclude_tlds: As `tlds`, to leave out.
            exclude_technologies: As `technologies`, to leave out.
            page: The number of the first page.
            per_page: Items per page, 1 to 100; the service's own default is 25.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            Not published.

        Contract:
            letrics.md#letrics.contacts, letrics.md#letrics.contacts.newer

        Example:
            ```python
            contacts = letrics.contacts(
                job_titles=["founder"], locations=[locations.country("Germany")], max_items=50
            )
            ```
        """
        params = self._endpoints.contacts.params(
            job_titles=texts("job_titles", job_titles),
            departments=texts("departments", departments),
            seniorities=texts("seniorities", seniorities),
            has_personal_emails=has_personal_emails,
            has_linkedin_profile=has_linkedin_profile,
            is_decision_maker=is_decision_maker,
            company_has_generic_email=company_has_generic_email,
            company_has_linkedin_profile=company_has_linkedin_profile,
            added_after=added_after,
            added_before=added_before,
            locations=texts("locations", locations),
            functions=texts("functions", functions),
            industries=texts("industries", industries),
            tlds=texts("tlds", tlds),
            technologies=texts("technologies", technologies),
            exclude_job_titles=texts("exclude_job_titles", exclude_job_titles),
            exclude_departments=texts("exclude_departments", exclude_departments),
            exclude_seniorities=texts("exclude_seniorities", exclude_seniorities),
            exclude_locations=texts("exclude_locations", exclude_locations),
            exclude_functions=texts("exclude_functions", exclude_functions),
            exclude_industries=texts("exclude_industries", exclude_industries),
            exclude_tlds=texts("exclude_tlds", exclude_tlds),
            exclude_technologies=texts("exclude_technologies", exclude_technologies),
            page=page,
            per_page=per_page,
        )
        return self.pages(self._endpoints.contacts, params, **options)

    def companies(
        self,
        *,
        added_after: datetime | None = None,
        added_before: datetime | None = None,
        locations: Iterable[str] | None = None,
        functions: Iterable[str] | None = None,
        industries: Iterable[str] | None = None,
        tlds: Iterable[str] | None = None,
        technologies: Iterable[str] | None = None,
        exclude_locations: Iterable[str] | None = None,
        exclude_functions: Iterable[str] | None = None,
        exclude_industries: Iterable[str] | None = None,
        exclude_tlds: Iterable[str] | None = None,
        exclude_technologies: Iterable[str] | None = None,
        page: int = 1,
        per_page: int = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[Company]:
        """Companies by place, industry, age and technologies.

        The arguments are those of `contacts`. The `exclude_…` filters are stated for contacts and
        assumed here.

        Credits:
            Not published.

        Contract:
            letrics.md#letrics.companies
        """
        params = CompaniesParams(
            added_after=added_after,
            added_before=added_before,
            locations=texts("locations", locations),
            functions=texts("functions", functions),
            industries=texts("industries", industries),
            tlds=texts("tlds", tlds),
            technologies=texts("technologies", technologies),
            exclude_locations=texts("exclude_locations", exclude_locations),
            exclude_functions=texts("exclude_functions", exclude_functions),
            exclude_industries=texts("exclude_industries", exclude_industries),
            exclude_tlds=texts("exclude_tlds", exclude_tlds),
            exclude_technologies=texts("exclude_technologies", exclude_technologies),
            page=page,
            per_page=per_page,
        )
        return self.pages(self._endpoints.companies, params, **options)
