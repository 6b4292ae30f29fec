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
        one for one in map(world.person, range(world.people)) if one.employer.slug == employer.slug
    ]
    before = world.some_people(
        min(5 + number(world.seed, "alumni", employer.slug) % 40, world.people),
        "alumni",
        employer.slug,
    )
    return now + [one for one in before if one.employer.slug != employer.slug]


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
        "personId": str(UUID(int=number("lookc", one.slug) << 64 | number(one.slug), version=4)),
        "name": one.name,
        "title": one.title,
        "location": one.location,
        "image": one.picture,
    }
    here = one.employer.slug == organisation.slug
    links: JsonObject = {"linkedin": one.link}
    if number("sales link", one.slug) % 4:
        links["salesNav"] = f"https://www.linkedin.com/sales/lead/{one.sales_id}"
    body["links"] = links if number("links", one.slug) % 20 else None
    if here:
        months = _months(jobs[0].started)
        started = f"{jobs[0].started[0]}-{jobs[0].started[1]:02}-01"
        return body | {
            "dateStarted": started,
            "dateEnded": None,
            "currentOrg": {"orgId": current, "name": one.employer.name},
            "tenureAtOrg": _tenure(months),
            "tenureInRole": _tenure(months % 30),
        }
    year = rng_for("alumni", one.slug, organisation.slug).randint(2012, 2021)
    known = number("today", one.slug) % 3
    return body | {
        "dateStarted": f"{year - 2}-04-01",
        "dateEnded": f"{year}-12-01",
        "currentOrg": {"orgId": current, "name": one.employer.name} if known else None,
        "tenureAtOrg": _tenure(32) if known else None,
        "tenureInRole": None,
    }


def _months(started: tuple[int, int]) -> int:
    return max((TODAY[0] - started[0]) * 12 + TODAY[1] - started[1], 0)


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
