"""The employees of an organisation, in either of the two published forms (lookc.md#employee)."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import parse_qs

from msgspec import field

from ....core.models import Listing, Model, Paging, known_id

__all__ = [
    "CurrentOrg",
    "Employee",
    "EmployeeLinks",
    "EmployeesPage",
    "EmployeesPaging",
    "PageLinks",
    "Tenure",
]


class Tenure(Model):
    """A length of time in years and months; a missing part counts as zero."""

    years: int | None = None
    """Whole years."""
    months: int | None = None
    """Months besides the years; in the preview, all months."""

    @property
    def in_months(self) -> int:
        """The total in months."""
        return (self.years or 0) * 12 + (self.months or 0)


class EmployeeLinks(Model):
    """Links to the profiles of an employee."""

    __aliases__: ClassVar[dict[str, str]] = {"sales_nav": "salesNav"}

    linkedin: str | None = None
    """The URL of the LinkedIn profile."""
    sales_nav: str | None = None
    """The URL of the person in Sales Navigator."""


class CurrentOrg(Model):
    """The organisation where an employee works now."""

    __aliases__: ClassVar[dict[str, str]] = {"id": "orgId", "org_id": "orgId"}

    org_id: str | None = None
    """The id of the organisation."""
    name: str | None = None
    """The name of the organisation."""


class Employee(Model):
    """A person who works or worked at an organisation."""

    __aliases__: ClassVar[dict[str, str]] = {
        "person_id": "personId",
        "date_started": "dateStarted",
        "date_ended": "dateEnded",
        "current_org": "currentOrg",
    }
    __markers__: ClassVar[dict[str, str | None]] = {
        "tenure_at_org_months": "tenureAtOrg",
        "tenure_in_role_months": "tenureInRole",
    }

    person_id: str | None = None
    """The id of the person."""
    name: str | None = None
    """The full name."""
    title: str | None = None
    """The job title."""
    date_started: str | None = None
    """When the person began, as an ISO date."""
    date_ended: str | None = None
    """When the person left, as an ISO date; missing for a person who still works there."""
    location: str | None = None
    """The place as a text."""
    image: str | None = None
    """The URL of the picture."""
    links: EmployeeLinks | None = None
    """Links to the person's profiles."""
    current_org: CurrentOrg | None = None
    """The organisation where the person works now; see `current_org_id`."""
    tenure_at_org: Tenure | None = None
    """How long the person has been at the organisation."""
    tenure_in_role: Tenure | None = None
    """How long the person has been in the role."""

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Convert the preview's tenures, in months, to the form of the others."""
        fixed = dict(tree)
        for marker, name in cls.__markers__.items():
            months = fixed.pop(marker, None)
            if months is not None and name is not None and fixed.get(name) is None:
                fixed[name] = {"months": months}
        return fixed

    @property
    def identity(self) -> str | None:
        """Person and organisation, since one person may appear in several organisations."""
        if known_id(self.person_id) is None:
            return None
        org = self.current_org.org_id if self.current_org else None
        return f"{self.person_id} {org or ''}"

    @property
    def months_at_org(self) -> int | None:
        """Tenure at the organisation in months, if it is known."""
        return self.tenure_at_org.in_months if self.tenure_at_org else None

    @property
    def months_in_role(self) -> int | None:
        """Tenure in the role in months, if it is known."""
        return self.tenure_in_role.in_months if self.tenure_in_role else None

    def current_org_id(self, asked: str) -> str | None:
        """The id of the organisation where this person works now, if it is known.

        Args:
            asked: The organisation whose employees were listed. It is the current one if the
                employee has no current organisation and no end date.
        """
        if self.current_org is not None and self.current_org.org_id:
            return self.current_org.org_id
        return None if self.date_ended else asked


class PageLinks(Model):
    """The link to the next page; absent, null or empty on the last one."""

    next: str | None = None
    """The URL of the next page, absolute or relative; its `after` is the cursor."""


class EmployeesPaging(Paging):
    """How a page leads to the next one: by a link, or in the preview by a cursor."""

    __aliases__: ClassVar[dict[str, str]] = {"hasMore": "has_more"}

    links: PageLinks | None = field(default=None, name="_links")
    """The link to the next page."""
    after: str | None = None
    """The cursor of the next page, in the preview."""
    has_more: bool | None = field(default=None, name="has_more")
    """Whether there are more pages, in the preview."""


class EmployeesPage(Listing[Employee]):
    """A page of employees."""

    __aliases__: ClassVar[dict[str, str]] = {"data": "employees", "pagination": "paging"}

    items: list[Employee] = field(name="employees", default_factory=list[Employee])
    """The employees of the page."""
    # Narrower than in the base class, which is sound for a field that is never assigned to.
    paging: EmployeesPaging | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    """How the page leads to the next one."""

    @property
    def cursor(self) -> str | None:
        """The decoded `after` of the next link; else the preview's cursor.

        The host of the link is ignored. None on the last page: no link, no `after` in it, or
        `has_more` is false.
        """
        paging = self.paging
        if paging is None or paging.has_more is False:
            return None
        link = (paging.links.next if paging.links else None) or ""
        found = parse_qs(link.partition("#")[0].partition("?")[2]).get("after")
        return found[0] if found else paging.after or None
