"""Job postings of the world, and their JSON bodies with LinkedIn's keys."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.values import JsonObject
from . import names
from .organisations import OrganisationRecord
from .random import rng_for

FIRST_ID = 3_000_000_001
"""Id of the first posting; the others follow."""
# LinkedIn's key around the company, known from clients only (lix.md#job-posting).
_COMPANY_KEY = "com.linkedin.voyager.deco.jobs.web.shared.WebJobPostingCompany"


@dataclass(frozen=True, slots=True)
class PostingRecord:
    """One job posting."""

    id: int
    title: str
    function: str
    employer: OrganisationRecord
    place: tuple[str, str, str]
    employment: str
    hirers: tuple[int, ...]
    """The indexes of the people who hire for it; may be empty."""

    @property
    def location(self) -> str:
        """City and country."""
        return f"{self.place[0]}, {self.place[1]}"

    @property
    def link(self) -> str:
        """The public page of the posting."""
        return f"https://www.linkedin.com/jobs/view/{self.id}"

    @property
    def text(self) -> str:
        """The text that keywords are compared with, in lower case."""
        employer = self.employer
        return " ".join(
            (self.title, self.function, employer.name, employer.urn, self.location)
        ).casefold()


def make(seed: int, job_id: int, employer: OrganisationRecord, people: int) -> PostingRecord:
    """The posting with this id; the hirers are among the first `people` people."""
    rng = rng_for(seed, "posting", job_id)
    title, _, function = rng.choice(names.TITLES)
    return PostingRecord(
        id=job_id,
        title=title,
        function=function,
        employer=employer,
        place=rng.choice(names.PLACES),
        employment=rng.choice(("Full-time", "Full-time", "Part-time", "Contract", "Internship")),
        hirers=tuple(rng.sample(range(people), min(rng.choice((0, 1, 1, 2, 3)), people))),
    )


def search_item(posting: PostingRecord) -> JsonObject:
    """An item of the job search.

    Ids are numbers or texts and some locations are missing, as in the samples.
    """
    odd = posting.id % 2
    return {
        "jobPostingId": posting.id if odd else str(posting.id),
        "title": posting.title,
        "formattedLocation": posting.location if posting.id % 9 else None,
        "jobPostingUrl": posting.link,
        "companyName": posting.employer.name,
    }


def body(posting: PostingRecord) -> JsonObject:
    """The body of `enrich.job`."""
    employer = posting.employer
    company: JsonObject = {
        "universalName": employer.slug,
        "name": employer.name,
        "url": employer.link,
        "description": f"{employer.name} works in {employer.industry.lower()}.",
        "staffCount": employer.employees,
        "headquarter": {
            "country": employer.place[2],
            "city": employer.place[0],
            "postalCode": None,
        },
        "specialities": [posting.function],
        "industries": [employer.industry],
    }
    job: JsonObject = {
        "jobPostingId": posting.id,
        "title": posting.title,
        "formattedLocation": posting.location,
        "jobPostingUrl": posting.link,
        "description": {
            "text": f"{employer.name} is looking for a {posting.title} in {posting.location}."
        },
        "employmentStatusResolutionResult": {"localizedName": posting.employment},
        "formattedJobFunctions": [posting.function],
        "formattedIndustries": [employer.industry],
        "companyDetails": {_COMPANY_KEY: {"companyResolutionResult": company}},
    }
    return {"jobPosting": job}
