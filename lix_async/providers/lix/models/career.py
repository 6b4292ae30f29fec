"""Positions and education, and the dates in them.

Contract: lix.md#experience, lix.md#education, lix.md#time-period
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import field

from ....core.models import Listing, Model
from .li_organisations import LiOrganisation

__all__ = [
    "Education",
    "Employment",
    "EmploymentPage",
    "EmploymentType",
    "Experience",
    "PartialDate",
    "Tenure",
    "TimePeriod",
]

EmploymentType: TypeAlias = Literal["Full-time", "Part-time", "Contract", "Internship"] | str
"""How a person is employed; others may be added."""


class PartialDate(Model):
    """A date of which any part may be missing. It is false when all parts are."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def __bool__(self) -> bool:
        return self.year is not None or self.month is not None or self.day is not None

    def __str__(self) -> str:
        widths = ((self.year, 4), (self.month, 2), (self.day, 2))
        return "-".join(f"{part:0{width}d}" for part, width in widths if part is not None)


class TimePeriod(Model):
    """A period.

    `ended_on` without any part means that it has not ended, or that the end is unknown.
    """

    started_on: PartialDate | None = None
    ended_on: PartialDate | None = None


class Tenure(Model):
    """A length of time; either part may be missing."""

    years: int | None = None
    months: int | None = None


class Experience(Model):
    """A position."""

    title: str | None = None
    description: str | None = None
    location: str | None = None
    date_started: str | None = None
    """A text such as "April 2023" or "2013"; `time_period` has it in parts."""
    date_ended: str | None = None
    """A text; "Present" for a current position."""
    organisation: LiOrganisation | None = None
    """Usually only `name` and `sales_nav_link`."""
    time_period: TimePeriod | None = None
    seniority: str | None = None
    is_current: bool | None = None
    tenure_at_position: Tenure | None = None
    tenure_at_org: Tenure | None = None
    position: int | None = None
    """Position in the list."""

    @property
    def is_running(self) -> bool:
        """Whether it is a current position: flagged so, until "Present", or without an end."""
        ended = (self.date_ended or "").strip().lower()
        if self.is_current or ended == "present":
            return True
        if self.is_current is False or ended or self.time_period is None:
            return False
        return not self.time_period.ended_on


class Education(Model):
    """A school or university."""

    institution_name: str | None = None
    degree: str | None = None
    field_of_study: str | None = None
    date_started: str | None = None
    """A text; `time_period` has it in parts."""
    date_ended: str | None = None
    """A text."""
    description: str | None = None
    activities_and_societies: str | None = None
    grade: str | None = None
    time_period: TimePeriod | None = None
    organisation: LiOrganisation | None = None


class Employment(Model):
    """A position as `people.employment` returns it (lix.md#person.employment)."""

    title: str | None = None
    company_name: str | None = None
    company_urn: str | None = None
    """`urn:li:fsd_company:<digits>`."""
    location: str | None = None
    employment_type: EmploymentType | None = None
    """A text: "Full-time", "Part-time", "Contract", "Internship"; others may be added."""
    start_date: PartialDate | None = None
    end_date: PartialDate | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is a current position: it has no end."""
        return not self.end_date


class EmploymentPage(Listing[Employment]):
    """The result of `people.employment`: all positions at once."""

    items: list[Employment] = field(name="experiences", default=[])
