"""Careers: the positions and schools of a person, in the formats of Lix.

The world begins in `TODAY` and goes on when it is advanced, so that a body does not depend on the
date of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...core.values import JsonObject
from . import names
from .organisations import OrganisationRecord
from .people import PersonRecord
from .random import pick, rng_for

TODAY = (2025, 6)
"""Year and month of the first day of the world."""


@dataclass(frozen=True, slots=True)
class PositionRecord:
    """One position in a career.

    Dates are (year, month); month 0 means unknown. A current position has no end. `until` is the
    month up to which its length is counted: its end, or the date of the world.
    """

    title: str
    employer: OrganisationRecord
    linked: bool
    place: str | None
    started: tuple[int, int]
    ended: tuple[int, int] | None
    text: str | None
    until: tuple[int, int]


def make_career(
    person: PersonRecord, employers: Callable[[int], OrganisationRecord]
) -> list[PositionRecord]:
    """The positions of a person on the first day of the world, the current one first.

    The last position of a long career has years without months.

    Args:
        person: The person.
        employers: Returns the company for any number.
    """
    rng = rng_for("career", person.key)
    start = TODAY[0] * 12 + TODAY[1] - 1 - rng.randint(3, 60)
    jobs = [
        PositionRecord(
            person.title,
            person.employer,
            True,
            person.location,
            _month(start),
            None,
            "Runs the day to day.",
            TODAY,
        )
    ]
    asked = person.past_title is not None or person.past_employer is not None
    for step in range(max(rng.randint(0, 4), asked)):
        end, start = start, start - rng.randint(6, 50)
        city, country, _ = rng.choice(names.PLACES)
        vague = step == 3
        jobs.append(
            PositionRecord(
                title=rng.choice(names.TITLES)[0],
                employer=employers(rng.randrange(10_000)),
                linked=rng.random() < 0.8,
                place=None if vague else f"{city}, {country}",
                started=(start // 12, 0) if vague else _month(start),
                ended=(end // 12, 0) if vague else _month(end),
                text=None if rng.random() < 0.5 else "Built the team.\nShipped the plan.",
                until=(end // 12, 0) if vague else _month(end),
            )
        )
    if asked:
        jobs[1] = replace(
            jobs[1],
            title=person.past_title or jobs[1].title,
            employer=person.past_employer or jobs[1].employer,
        )
    return jobs


def _month(months: int) -> tuple[int, int]:
    return months // 12, months % 12 + 1


def date_body(when: tuple[int, int] | None) -> dict[str, int]:
    """A date as JSON; an empty object for no date: a current position, or unknown."""
    if when is None:
        return {}
    return {"month": when[1], "year": when[0]} if when[1] else {"year": when[0]}


def _format_month(when: tuple[int, int] | None) -> str:
    if when is None:
        return "Present"
    return f"{names.MONTHS[when[1] - 1]} {when[0]}" if when[1] else str(when[0])


def _tenure(job: PositionRecord) -> dict[str, int]:
    end = job.until
    months = max((end[0] - job.started[0]) * 12 + (end[1] or 1) - (job.started[1] or 1), 0)
    whole = {"years": months // 12, "months": months % 12}
    return {part: value for part, value in whole.items() if value} or {"months": 0}


def experience(job: PositionRecord, position: int, rich: bool) -> JsonObject:
    """One entry of `experience`; `rich` adds the fields of the provider's data dictionary."""
    employer: JsonObject = {"name": job.employer.name}
    # A company that LinkedIn could not link has a link without an id (lix.md#experience).
    employer["salesNavLink"] = (
        job.employer.sales_link if job.linked else "https://linkedin.com/sales/company/"
    )
    body: JsonObject = {
        "description": job.text,
        "title": job.title,
        "dateStarted": _format_month(job.started),
        "dateEnded": _format_month(job.ended),
        "organisation": employer,
        "timePeriod": {"startedOn": date_body(job.started), "endedOn": date_body(job.ended)},
    }
    if job.place is not None:
        body["location"] = job.place
    if rich:
        employer["link"] = job.employer.link
        body |= {
            "seniority": names.seniority_of(job.title),
            "isCurrent": job.ended is None,
            "tenureAtPosition": _tenure(job),
            "tenureAtOrg": _tenure(job),
            "position": position,
        }
    return body


def education(person: PersonRecord, rich: bool = False) -> list[JsonObject]:
    """The schools of a person, the last one first, with years only; some degrees are unknown."""
    rng = rng_for("education", person.key)
    end = rng.randint(1990, 2015)
    schools: list[JsonObject] = []
    for _ in range(max(rng.randint(0, 2), person.school is not None)):
        start = end - rng.randint(2, 4)
        school: JsonObject = {
            "institutionName": names.school_name(rng),
            "degree": rng.choice(names.DEGREES) if rng.random() < 0.8 else None,
            "fieldOfStudy": ", ".join(rng.sample(names.FIELDS, rng.randint(1, 2))),
            "dateStarted": str(start),
            "dateEnded": str(end),
            "timePeriod": {"startedOn": {"year": start}, "endedOn": {"year": end}},
        }
        if rich:
            school |= {"description": None, "activitiesAndSocieties": None, "grade": None}
            school["organisation"] = {"name": school["institutionName"]}
        if person.school and not schools:
            school["institutionName"] = person.school
            if rich:
                school["organisation"] = {"name": person.school}
        schools.append(school)
        end = start
    return schools


def schools_of(person: PersonRecord) -> list[str]:
    """The names of a person's schools."""
    return [str(school["institutionName"]) for school in education(person)]


def employment(jobs: Sequence[PositionRecord]) -> JsonObject:
    """The body of `person.employment`: unknown fields are left out, never null."""
    items: list[JsonObject] = []
    for job in jobs:
        item: JsonObject = {"title": job.title, "companyName": job.employer.name}
        if job.linked:
            item["companyUrn"] = f"urn:li:fsd_company:{job.employer.sales_id}"
        if job.place:
            item["location"] = job.place
        item["employmentType"] = pick(
            ("Full-time", "Full-time", "Part-time", "Contract"), job.employer.key, job.started
        )
        item["startDate"] = date_body(job.started)
        if job.ended:
            item["endDate"] = date_body(job.ended)
        items.append(item)
    return {"experiences": items}
