"""Letrics' two calls: contacts and companies by filters that really filter.

Contract: letrics.md. Rows are not documented: these carry what the filters are named after.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, cast

from ..dice import chance, number, pick

if TYPE_CHECKING:
    from ..organisations import Organisation
    from ..people import Person
    from ..world import World
    from .context import Answer, Asked, Context

Body = dict[str, object]
FUNCTIONS = ("Engineering", "Finance", "Marketing", "Operations", "Sales")
TECHNOLOGIES = ("Airflow", "Django", "Kafka", "PostgreSQL", "React", "Redis", "Snowflake")
TLDS = ("com", "net", "org")
DECIDES = frozenset({"CXO", "Director", "Owner", "Partner", "Vice President"})
"""Seniorities of those who decide."""
_STATES = {"Nordavia": ("Inner", "Outer"), "Ostrelia": ("North", "South", "West")}
"""States of the countries that have any, named after them."""
_FIRST_DAY = datetime(2025, 1, 6, 9, tzinfo=UTC)


def contacts(world: World, params: Asked, context: Context) -> object:
    """People at companies. Every filter that is set must let a row pass."""
    wants_email = _set(params, "has_personal_emails") or _set(params, "has_personal_email")

    def fits(place: int) -> bool:
        person = world.person(place)
        employer = _employer(person)
        title = (_title(person) or "").casefold()
        return (
            _company_fits(employer, params)
            and _some(params, "job_titles", lambda one: one.casefold() in title)
            and _among(params, "departments", (person.function,))
            and _among(params, "seniorities", (person.seniority,))
            and not (wants_email and not _personal(person))
            and not (_set(params, "has_linkedin_profile") and person.hidden)
            and not (_set(params, "is_decision_maker") and not _decides(person))
            and not (_set(params, "company_has_generic_email") and not _generic(employer))
            and not (_set(params, "company_has_linkedin_profile") and employer is None)
        )

    return _listed(params, range(world.people), fits, lambda place: _contact(world.person(place)))


def companies(world: World, params: Asked, context: Context) -> object:
    """Companies. Every filter that is set must let a row pass."""

    def at(place: int) -> Organisation:
        return world.companies.at(place)

    count = len(world.companies.listed)
    return _listed(
        params,
        range(count),
        lambda place: _company_fits(at(place), params),
        lambda place: company(at(place)),
    )


def _listed(
    params: Asked,
    places: Sequence[int],
    fits: Callable[[int], bool],
    row: Callable[[int], Body],
) -> Body:
    page, size = params.number("page", 1), params.number("per_page", 25)
    found = [place for place in places if fits(place)]
    start = (page - 1) * size
    return {
        "data": [row(place) for place in found[start : start + size]],
        "meta": {"page": page, "per_page": size, "total": len(found)},
    }


def _company_fits(one: Organisation | None, params: Asked) -> bool:
    facts = {} if one is None else company(one)
    made = None if one is None else _made(one)
    after, before = params.values.get("added_after"), params.values.get("added_before")
    if isinstance(after, datetime) and (made is None or made < after):
        return False
    if isinstance(before, datetime) and (made is None or made > before):
        return False
    return (
        _some(params, "locations", lambda wanted: one is not None and wanted in _places(one))
        and _among(params, "functions", (facts.get("function"),))
        and _among(params, "industries", (facts.get("industry"),))
        and _among(params, "technologies", cast("list[str]", facts.get("technologies", [])))
        and _some(params, "tlds", lambda wanted: wanted.lstrip(".") == facts.get("tld"))
    )


def _among(params: Asked, name: str, have: Collection[object]) -> bool:
    return _some(params, name, lambda wanted: wanted in have)


def _some(params: Asked, name: str, fits: Callable[[str], bool]) -> bool:
    """Whether one of the wanted values fits, and none of the excluded ones."""
    wanted = cast("list[str]", params.rows(name))
    unwanted = cast("list[str]", params.rows(f"exclude_{name}"))
    return (not wanted or any(map(fits, wanted))) and not any(map(fits, unwanted))


def _set(params: Asked, name: str) -> bool:
    # Of the flags only true has a documented meaning.
    return params.flag(name, False)


def _made(one: Organisation) -> datetime:
    return _FIRST_DAY + timedelta(hours=number("made", one.slug) % (24 * 150))


def _places(one: Organisation) -> tuple[str, ...]:
    """Every location filter that lets a company pass; the first is the location itself."""
    if chance(0.04, "no location", one.slug):
        return ()
    city, country, _ = one.place
    if (states := _STATES.get(country)) is None:
        return f"city:{city}||||{country}", f"country:{country}"
    state = f"{pick(states, 'state', city)} {country}"
    return f"city:{city}||{state}||{country}", f"state:{state}||{country}", f"country:{country}"


def _generic(one: Organisation | None) -> bool:
    return one is not None and chance(0.6, "generic email", one.slug)


@cache
def _technologies(slug: str) -> tuple[str, ...]:
    return tuple(name for name in TECHNOLOGIES if chance(0.3, "technology", slug, name))


def company(one: Organisation) -> Body:
    """A company's row."""
    tld = pick(TLDS, "tld", one.slug)
    known = not chance(0.04, "no business", one.slug)
    return {
        "id": f"company-{one.number}",
        "name": one.name,
        "domain": f"{one.slug}.example.{tld}",
        "tld": tld,
        "location": next(iter(_places(one)), None),
        "function": pick(FUNCTIONS, "function", one.slug) if known else None,
        "industry": one.industry if known else None,
        "technologies": list(_technologies(one.slug)),
        "created_at": _made(one).isoformat().replace("+00:00", "Z"),
    }


def _employer(person: Person) -> Organisation | None:
    return None if chance(0.02, "no company", person.slug) else person.employer


def _title(person: Person) -> str | None:
    return None if chance(0.03, "no title", person.slug) else person.title


def _personal(person: Person) -> list[str]:
    return [f"{person.slug}@example.net"] if chance(0.5, "personal", person.slug) else []


def _decides(person: Person) -> bool:
    return person.seniority in DECIDES


def _contact(person: Person) -> Body:
    employer = _employer(person)
    return {
        "id": f"contact-{person.slug}",
        "first_name": person.first,
        "last_name": person.last,
        "job_title": _title(person),
        "department": person.function,
        "seniority": person.seniority,
        "is_decision_maker": _decides(person),
        "personal_emails": _personal(person),
        "linkedin_profile": None if person.hidden else person.link,
        "company": None if employer is None else company(employer),
    }


ANSWERS: Mapping[str, Answer] = {
    "letrics.contacts": contacts,
    "letrics.companies": companies,
    "letrics.contacts.get": contacts,
    "letrics.companies.get": companies,
}
"""By catalogue id, and by that of its twin which is asked by GET."""
