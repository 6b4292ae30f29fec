"""Job postings. Their keys are not documented, so they are open objects with properties."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.models import Listing, OpenObject
from .coercion import as_object, as_text, as_texts

__all__ = ["Company", "JobPosting", "JobsPage"]

_COMPANY = (
    "companyDetails",
    "com.linkedin.voyager.deco.jobs.web.shared.WebJobPostingCompany",
    "companyResolutionResult",
)


class Company(OpenObject):
    """The company of a posting: a dict with properties for the keys that were observed.

    Contract: lix.md#job-posting
    """

    @property
    def name(self) -> str | None:
        """The name."""
        return self.first_text("name")

    @property
    def universal_name(self) -> str | None:
        """The last part of `linkedin.com/company/<universal_name>`."""
        return self.first_text("universalName")

    @property
    def url(self) -> str | None:
        """The URL of the LinkedIn page."""
        return self.first_text("url")

    @property
    def description(self) -> str | None:
        """The description of the company."""
        return self.first_text("description")

    @property
    def staff_count(self) -> int | None:
        """Employees on LinkedIn."""
        return self.first_number("staffCount")

    @property
    def city(self) -> str | None:
        """The town of the headquarters."""
        return as_text(self.inside("headquarter", "city"))

    @property
    def country(self) -> str | None:
        """The country of the headquarters, as a code."""
        return as_text(self.inside("headquarter", "country"))

    @property
    def postal_code(self) -> str | None:
        """The postal code of the headquarters."""
        return as_text(self.inside("headquarter", "postalCode"))

    @property
    def specialities(self) -> list[str]:
        """The specialities of the company."""
        return as_texts(self.get("specialities"))

    @property
    def industries(self) -> list[str]:
        """Its industries."""
        return as_texts(self.get("industries"))


class JobPosting(OpenObject):
    """A job posting: a dict as it was sent, with properties for the keys that were observed."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("jobPosting",)

    @property
    def id(self) -> str | None:
        """The job id that `job_postings.get` and `hirers` take, as a text."""
        number = self.first_number("jobPostingId", "jobId", "id")
        return str(number) if number is not None else self.first_text("jobPostingId", "id")

    @property
    def title(self) -> str | None:
        """The title."""
        return self.first_text("title")

    @property
    def location(self) -> str | None:
        """The place as text."""
        return self.first_text("formattedLocation", "location")

    @property
    def url(self) -> str | None:
        """The URL of the posting on LinkedIn."""
        return self.first_text("jobPostingUrl", "url")

    @property
    def description(self) -> str | None:
        """The text of the posting."""
        return as_text(self.inside("description", "text")) or self.first_text("description")

    @property
    def employment_status(self) -> str | None:
        """A text such as "Full-time"."""
        return as_text(self.inside("employmentStatusResolutionResult", "localizedName"))

    @property
    def job_functions(self) -> list[str]:
        """The functions as texts."""
        return as_texts(self.get("formattedJobFunctions"))

    @property
    def industries(self) -> list[str]:
        """The industries as texts."""
        return as_texts(self.get("formattedIndustries"))

    @property
    def company(self) -> Company | None:
        """The company, if the posting describes one."""
        found = as_object(self.inside(*_COMPANY))
        return Company(found) if found else None

    @property
    def company_name(self) -> str | None:
        """The name of the company, also for items of searches."""
        company = self.company
        return (company.name if company else None) or self.first_text("companyName")

    @property
    def identity(self) -> str | None:
        """The id by which postings are compared."""
        return self.id or self.url


class JobsPage(Listing[JobPosting]):
    """A page of a job search: under `jobPostings`, or `people` in the oldest samples."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")
    __aliases__: ClassVar[dict[str, str]] = {"people": "jobPostings"}

    items: list[JobPosting] = field(name="jobPostings", default=[])
    """The job postings of the page."""
