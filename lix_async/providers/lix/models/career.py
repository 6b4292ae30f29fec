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
    """The year, with four digits."""
    month: int | None = None
    """The month, 1 to 12."""
    day: int | None = None
    """The day of the month, 1 to 31."""

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
    """When it began: year and month, either of which may be missing."""
    ended_on: PartialDate | None = None
    """When it ended: year and month, either of which may be missing."""


class Tenure(Model):
    """A length of time; either part may be missing."""

    years: int | None = None
    """Whole years."""
    months: int | None = None
    """Months besides the years."""


class Experience(Model):
    """A position."""

    title: str | None = None
    """The job title."""
    description: str | None = None
    """The description of the position."""
    location: str | None = None
    """The place as a text."""
    date_started: str | None = None
    """When it began, as a text such as "April 2023" or "2013"; `time_period` has it in parts."""
    date_ended: str | None = None
    """When it ended, as a text; "Present" for a current position."""
    organisation: LiOrganisation | None = None
    """The organisation, usually only with `name` and `sales_nav_link`."""
    time_period: TimePeriod | None = None
    """When the position began and ended, in parts."""
    seniority: str | None = None
    """The seniority, as a text."""
    is_current: bool | None = None
    """Whether the provider marks it as a current position; `is_running` reads more signs."""
    tenure_at_position: Tenure | None = None
    """How long the person has held the position."""
    tenure_at_org: Tenure | None = None
    """How long the person has been at the organisation."""
    position: int | None = None
    """The index of this entry in the list of positions."""

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
    """The name of the school or university."""
    degree: str | None = None
    """The degree, as a text."""
    field_of_study: str | None = None
    """The subject; several are separated by commas."""
    date_started: str | None = None
    """When it began, as a text; `time_period` has it in parts."""
    date_ended: str | None = None
    """When it ended, as a text; `time_period` has it in parts."""
    description: str | None = None
    """The description that the person gives."""
    activities_and_societies: str | None = None
    """Activities and societies, as a text."""
    grade: str | None = None
    """The grade, as a text."""
    time_period: TimePeriod | None = None
    """When it began and ended, in parts."""
    organisation: LiOrganisation | None = None
    """The school or university as an organisation on LinkedIn."""


class Employment(Model):
    """A position as `people.employment` returns it (lix.md#person.employment)."""

    title: str | None = None
    """The job title."""
    company_name: str | None = None
    """The name of the company."""
    company_urn: str | None = None
    """The URN of the company: `urn:li:fsd_company:<digits>`."""
    location: str | None = None
    """The place as a text."""
    employment_type: EmploymentType | None = None
    """How the person is employed: "Full-time", "Part-time", "Contract", "Internship"; others may be
    added."""
    start_date: PartialDate | None = None
    """When the position began: year, and often month."""
    end_date: PartialDate | None = None
    """When the position ended; missing for a current position."""

    @property
    def is_running(self) -> bool:
        """Whether it is a current position: it has no end."""
        return not self.end_date


class EmploymentPage(Listing[Employment]):
    """The result of `people.employment`: all positions at once."""

    items: list[Employment] = field(name="experiences", default=[])
    """All positions of the person."""
