"""`AsyncLetrics`: the client of the Letrics API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...concurrency.clock import Clock
from ...core.endpoint import CreditKind
from ...core.rate_limit import RateLimit
from ...core.retry import RetryPolicy
from ...core.schema_drift import OnDrift
from ...engine.checkpoint import Checkpoint
from ...engine.client import Client
from ...engine.options import TimeoutLike
from ...engine.pages import Pages
from ...limiters.base import Limiter
from .endpoints import Arrays, PersonalEmailField, RequestMethod, customised
from .models import Company, Contact
from .params import CompaniesParams, texts
from .provider import LETRICS

if TYPE_CHECKING:
    from ...engine.options import HttpClient


class AsyncLetrics(Client):
    """The Letrics API, asynchronously, on asyncio and trio: contacts and companies by filters.

    The vendor publishes fields, errors and the key's header, and neither address nor paths, so
    these are settings, with guesses where a guess is safe. Use it as
    `async with AsyncLetrics(base_url=…) as letrics:` or end with `await letrics.aclose()`.

    `api_key`: default `LETRICS_API_KEY` from the environment. `base_url`: default
    `LETRICS_BASE_URL`; there is no other, ask the vendor. `paths`: instead of
    `{"contacts": "/contacts", "companies": "/companies"}`, which is a guess. `method`: `"POST"`
    with a JSON body (a guess), or `"GET"` with everything in the query. `arrays`: lists in such a
    query, `"joined"` (`a=1,2`), `"repeated"` (`a=1&a=2`) or `"bracketed"` (`a[]=1&a[]=2`).
    `personal_email_field`: the wire's name of `has_personal_emails`, which the vendor's newer
    page writes `"has_personal_email"`; the older one is the default. `rate_limit`: none is
    documented, the default of two calls a second is a guess. `viewer_id`: taken so that clients
    can be set up alike; no call here sends one. All other arguments are those of `AsyncLix`:
    `auth` (only `"bearer"`), `retry`, `deadline`, `timeout`, `http_client`, `max_credits`,
    `on_drift`, `clock`.

    Every method raises `ConfigurationError` before anything is sent, a `RefusalError` when the
    service says no (`LetricsError`, with all that it lists in `.errors`), a `TransportError` when
    no usable answer came, and `DecodeError` when it does not fit.
    """

    provider = LETRICS

    def __init__(
        self,
        api_key: str | None = None,
        *,
        auth: str = "bearer",
        base_url: str | None = None,
        paths: Mapping[str, str] = MappingProxyType({}),
        method: RequestMethod = "POST",
        arrays: Arrays = "joined",
        personal_email_field: PersonalEmailField = "has_personal_emails",
        viewer_id: str | None = None,
        rate_limit: RateLimit | Limiter | None = LETRICS.rate,
        retry: RetryPolicy = RetryPolicy(),
        deadline: float | None = None,
        timeout: float | TimeoutLike | None = None,
        http_client: HttpClient | None = None,
        max_credits: int | Mapping[CreditKind, int] | None = None,
        on_drift: OnDrift | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._rows = customised(paths, method, personal_email_field, arrays)
        super().__init__(
            api_key,
            auth=auth,
            base_url=base_url,
            viewer_id=viewer_id,
            rate_limit=rate_limit,
            retry=retry,
            deadline=deadline,
            timeout=timeout,
            http_client=http_client,
            max_credits=max_credits,
            on_drift=on_drift,
            clock=clock,
        )

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
        asked = self._rows.contacts.params(
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
            self._rows.contacts,
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
            self._rows.companies,
            asked,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
