"""Parameters of the Letrics API, under the provider's own names. Only what is set is sent."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from msgspec import field
from msgspec.structs import force_setattr

from ...core.endpoint import at_least
from ...core.errors import ConfigurationError
from ...core.models import Params
from . import locations

Texts = tuple[str, ...] | None
MAX_PER_PAGE = 100
"""Items per page, at most. The service might cut a larger page, which would look like the end."""


class CompaniesParams(Params, frozen=True, kw_only=True):
    """`letrics.companies`: filters on companies. The values of one list are alternatives.

    The `exclude_` filters follow from a rule that the vendor's newer page states for contacts.
    """

    added_after: datetime | None = None
    added_before: datetime | None = None
    locations: Texts = None
    functions: Texts = None
    industries: Texts = None
    tlds: Texts = None
    technologies: Texts = None
    exclude_locations: Texts = None
    exclude_functions: Texts = None
    exclude_industries: Texts = None
    exclude_tlds: Texts = None
    exclude_technologies: Texts = None
    page: int | None = None
    per_page: int | None = None

    def __post_init__(self) -> None:
        for name in ("added_after", "added_before"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is not None:
                # A time near year 1 or 9999 may not exist in UTC; `check` reports it.
                with suppress(OverflowError):
                    force_setattr(self, name, moment.astimezone(UTC))

    def check(self) -> None:
        """Require times with a zone, valid locations, and 1 to 100 items per page."""
        for name in ("added_after", "added_before"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ConfigurationError(
                    f"{name} must be a time with a zone, such as datetime(2025, 1, 6, tzinfo=UTC)"
                )
            if moment is not None and moment.utcoffset():
                raise ConfigurationError(f"{name} must be between year 1 and year 9999 in UTC")
        for location in (*(self.locations or ()), *(self.exclude_locations or ())):
            locations.check(location)
        at_least(self, "page", 1)
        at_least(self, "per_page", 1)
        if (self.per_page or 0) > MAX_PER_PAGE:
            raise ConfigurationError(f"per_page must be at most {MAX_PER_PAGE}")


class ContactsParams(CompaniesParams, frozen=True, kw_only=True):
    """`letrics.contacts`: filters on the contact, and those of companies on its company."""

    job_titles: Texts = None
    departments: Texts = None
    seniorities: Texts = None
    exclude_job_titles: Texts = None
    exclude_departments: Texts = None
    exclude_seniorities: Texts = None
    has_personal_emails: bool | None = None
    has_linkedin_profile: bool | None = None
    is_decision_maker: bool | None = None
    company_has_generic_email: bool | None = None
    company_has_linkedin_profile: bool | None = None


class NewerContactsParams(ContactsParams, frozen=True, kw_only=True):
    """`letrics.contacts.newer`: in the newer page, the name of one filter has no final `s`."""

    has_personal_emails: bool | None = field(name="has_personal_email", default=None)


def texts(name: str, values: Iterable[str] | None) -> Texts:
    """The values of a filter, checked.

    Raises:
        ConfigurationError: The value is a single text, which would be taken as a list of letters,
            or is empty, which could mean everything or nothing.
    """
    if values is None:
        return None
    listed = () if isinstance(values, str) else tuple(values)
    if not listed or not all(listed):
        raise ConfigurationError(f"{name} must be a list of texts, none of them empty")
    return listed
