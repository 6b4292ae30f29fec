"""The methods of `AsyncLetrics`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ...engine.checkpoint import Checkpoint
from ...engine.client import Client
from ...engine.pages import Pages
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
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Contact]:
        """Contacts by what they do and where. Only what is given is sent.

        `job_titles` match a part, in any letter case; `departments` and `seniorities` exactly.
        Of the flags only True has a documented meaning. All from `added_after` on is about the
        contact's company: its creation time (both bounds inclusive, times with a zone),
        `locations` (see `locations.city()`, `state()`, `country()`), function, industry,
        top-level domain, technologies. Each list has a twin `exclude_…`; these and the
        `company_has_…` flags are of the vendor's newer page.

        Walks from `page` on with `per_page` rows a page (1 to 100; the service's own default is
        25) to the first shorter page. The order is not stated: a fixed `added_before` makes a
        walk repeatable. Windows that share a bound both return its rows.
        No price is published.

        Contract: letrics.md#letrics.contacts, letrics.md#letrics.contacts.newer
        """
        asked = self._endpoints.contacts.params(
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
        return self.pages(
            self._endpoints.contacts,
            asked,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

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
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Company]:
        """Companies by place, kind, age and technologies: the filters of `contacts()` on them.

        That each list has a twin `exclude_…` is stated for contacts and assumed here.
        Walks, costs and raises what `contacts()` does.

        Contract: letrics.md#letrics.companies
        """
        asked = CompaniesParams(
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
        return self.pages(
            self._endpoints.companies,
            asked,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
