"""What goes out to Letrics, under the provider's own names. Only what is set is sent."""

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
LARGEST_PAGE = 100
"""Rows of a page at most. Above it the service may cut silently, which would look like the end."""


class CompaniesParams(Params, frozen=True, kw_only=True):
    """`letrics.companies`: filters on companies. Values of one array are taken as alternatives.

    The `exclude_` twins follow from a rule that the newer page states for contacts.
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
                # A time at the calendar's edge may have none in UTC: `check` says so.
                with suppress(OverflowError):
                    force_setattr(self, name, moment.astimezone(UTC))

    def check(self) -> None:
        """Times have a zone and are times in UTC, locations their grammar, pages 1 to 100 rows."""
        for name in ("added_after", "added_before"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ConfigurationError(
                    f"{name} must be a time with a zone, such as datetime(2025, 1, 6, tzinfo=UTC)"
                )
            if moment is not None and moment.utcoffset():
                raise ConfigurationError(f"{name} must be from year 1 to 9999 in UTC")
        for location in (*(self.locations or ()), *(self.exclude_locations or ())):
            locations.check(location)
        at_least(self, "page", 1)
        at_least(self, "per_page", 1)
        if (self.per_page or 0) > LARGEST_PAGE:
            raise ConfigurationError(f"per_page must be at most {LARGEST_PAGE}")


class ContactsParams(CompaniesParams, frozen=True, kw_only=True):
    """`letrics.contacts`: the same on the contact's company, and filters on the contact."""

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
    """`letrics.contacts.newer`: the newer page spells one filter without its `s`."""

    has_personal_emails: bool | None = field(name="has_personal_email", default=None)


def texts(name: str, values: Iterable[str] | None) -> Texts:
    """A filter's values. Raises `ConfigurationError` for one text alone, and for no values.

    A text is a sequence of its letters, which is never meant; and an empty filter could mean
    everything or nothing.
    """
    if values is None:
        return None
    listed = () if isinstance(values, str) else tuple(values)
    if not listed or not all(listed):
        raise ConfigurationError(f"{name} must be a list of texts that are not empty")
    return listed
