"""The employees of a company in the two published formats of LookC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from ...core.values import JsonObject
from .careers import TODAY, PositionRecord
from .organisations import OrganisationRecord
from .people import PersonRecord
from .random import number, rng_for
from .world import World

_RENAMED = {"personId": "person_id", "dateStarted": "date_started", "dateEnded": "date_ended"}


def employees_of(world: World, employer: OrganisationRecord) -> list[PersonRecord]:
    """The current employees, then some former ones."""
    now = [
        one for one in map(world.person, range(world.people)) if one.employer.key == employer.key
    ]
    before = world.some_people(
        min(5 + number(world.seed, "alumni", employer.key) % 40, world.people),
        "alumni",
        employer.key,
    )
    left = [*world.people_who_left(employer), *before]
    return now + list({one.key: one for one in left if one.employer.key != employer.key}.values())


def employee(
    one: PersonRecord,
    jobs: Sequence[PositionRecord],
    organisation: OrganisationRecord,
    current: str,
) -> JsonObject:
    """An employee in camelCase.

    A former employee has an end date, and some have no current employer.

    Args:
        one: The person.
        jobs: The person's positions.
        organisation: The company whose employees were requested.
        current: LookC's id of the person's current employer.
    """
    body: JsonObject = {
        "personId": str(UUID(int=number("lookc", one.key) << 64 | number(one.key), version=4)),
        "name": one.name,
        "title": one.title,
        "location": one.location,
        "image": one.picture,
    }
    here = one.employer.key == organisation.key
    links: JsonObject = {"linkedin": one.link}
    if number("sales link", one.key) % 4:
        links["salesNav"] = f"https://www.linkedin.com/sales/lead/{one.sales_id}"
    body["links"] = links if number("links", one.key) % 20 else None
    if here:
        first = jobs[0]
        for job in jobs[1:]:
            if first.started < TODAY or job.employer.key != organisation.key:
                break  # before the first day, each position was at another company
            first = job
        months = _months(first.started, jobs[0].until)
        return body | {
            "dateStarted": _first_of_month(first.started),
            "dateEnded": None,
            "currentOrg": {"orgId": current, "name": one.employer.name},
            "tenureAtOrg": _tenure(months),
            "tenureInRole": _tenure(months % 30),
        }
    year = rng_for("alumni", one.key, organisation.key).randint(2012, 2021)
    started, ended = (year - 2, 4), (year, 12)
    for job in jobs:  # who left after the first day has real dates
        if job.employer.key == organisation.key and job.until >= TODAY:
            started, ended = job.started, job.until
            break
    known = number("today", one.key) % 3
    return body | {
        "dateStarted": _first_of_month(started),
        "dateEnded": _first_of_month(ended),
        "currentOrg": {"orgId": current, "name": one.employer.name} if known else None,
        "tenureAtOrg": _tenure(_months(started, ended)) if known else None,
        "tenureInRole": None,
    }


def _first_of_month(month: tuple[int, int]) -> str:
    return f"{month[0]}-{month[1] or 1:02}-01"


def _months(started: tuple[int, int], until: tuple[int, int]) -> int:
    return max((until[0] - started[0]) * 12 + until[1] - started[1], 0)


def _tenure(months: int) -> dict[str, int]:
    """Years and months without zeros."""
    years, rest = divmod(months, 12)
    return {part: value for part, value in (("years", years), ("months", rest)) if value}


def preview(body: Mapping[str, object]) -> JsonObject:
    """An employee in the format of the vendor's preview: snake_case, tenure in months."""
    changed = {_RENAMED.get(name, name): value for name, value in body.items()}
    links = cast("dict[str, object] | None", changed["links"])
    if links and "salesNav" in links:
        changed["links"] = {"linkedin": links["linkedin"], "sales_nav": links["salesNav"]}
    org = cast("dict[str, object] | None", changed.pop("currentOrg"))
    changed["current_org"] = org and {"id": org["orgId"], "name": org["name"]}
    for name, new in (("tenureAtOrg", "at_org"), ("tenureInRole", "in_role")):
        tenure = cast("dict[str, int] | None", changed.pop(name))
        months = None if tenure is None else tenure.get("years", 0) * 12 + tenure.get("months", 0)
        changed[f"tenure_{new}_months"] = months
    return changed
