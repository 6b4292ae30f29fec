"""Letrics' two calls: contacts and companies by filters that really filter.

Contract: letrics.md#records. Rows are not documented: these carry what the filters are named after.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from ..world.random import chance, number, pick

if TYPE_CHECKING:
    from ..protocol.params import RequestParams
    from ..protocol.responses import JsonObject
    from ..world.organisations import OrganisationRecord
    from ..world.people import PersonRecord
    from ..world.world import World
    from .context import AnswerContext, AnswerFunction

T = TypeVar("T")
FilterCheck: TypeAlias = Callable[[T], bool]
FilterValues: TypeAlias = Callable[[T], Container[object]]
BUSINESS_FUNCTIONS = ("Engineering", "Finance", "Marketing", "Operations", "Sales")
TECHNOLOGIES = ("Airflow", "Django", "Kafka", "PostgreSQL", "React", "Redis", "Snowflake")
TLDS = ("com", "net", "org")
DECISION_MAKERS = frozenset({"CXO", "Director", "Owner", "Partner", "Vice President"})
"""Seniorities of those who decide."""
_STATES = {"Nordavia": ("Inner", "Outer"), "Ostrelia": ("North", "South", "West")}
"""States of the countries that have any, named after them."""
_FIRST_DAY = datetime(2025, 1, 6, 9, tzinfo=UTC)


def contacts(world: World, params: RequestParams, context: AnswerContext) -> object:
    """People at companies. Every filter that is set must let a row pass."""
    employers = list(_company_checks(params))
    people = list(_person_checks(params))

    def fits(place: int) -> bool:
        person = world.person(place)
        if not all(check(person) for check in people):
            return False
        employer = _employer(person) if employers else None
        return all(check(employer) for check in employers)

    return _page(params, range(world.people), fits, lambda place: _contact(world.person(place)))


def companies(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Companies. Every filter that is set must let a row pass."""
    checks = list(_company_checks(params))

    def at(place: int) -> OrganisationRecord:
        return world.companies.at(place)

    def fits(place: int) -> bool:
        one = at(place) if checks else None
        return all(check(one) for check in checks)

    places = range(len(world.companies.listed))
    return _page(params, places, fits, lambda place: company(at(place)))


def _page(
    params: RequestParams,
    places: Sequence[int],
    fits: Callable[[int], bool],
    row: Callable[[int], JsonObject],
) -> JsonObject:
    page, size = params.number("page", 1), params.number("per_page", 25)
    found = [place for place in places if fits(place)]
    start = (page - 1) * size
    return {
        "data": [row(place) for place in found[start : start + size]],
        "meta": {"page": page, "per_page": size, "total": len(found)},
    }


def _person_checks(params: RequestParams) -> Iterator[FilterCheck[PersonRecord]]:
    """What the filters that are set ask of a person."""
    yield from _list_checks(params, _PERSON_FILTERS)
    if _is_set(params, "has_personal_emails") or _is_set(params, "has_personal_email"):
        yield lambda one: bool(_personal_emails(one))
    if _is_set(params, "has_linkedin_profile"):
        yield lambda one: not one.hidden
    if _is_set(params, "is_decision_maker"):
        yield _is_decision_maker


def _company_checks(params: RequestParams) -> Iterator[FilterCheck[OrganisationRecord | None]]:
    """What the filters that are set ask of a company, or of a contact's."""
    after, before = params.values.get("added_after"), params.values.get("added_before")
    if isinstance(after, datetime):
        yield lambda one: one is not None and _created_at(one) >= after
    if isinstance(before, datetime):
        yield lambda one: one is not None and _created_at(one) <= before
    yield from _list_checks(params, _COMPANY_FILTERS)
    if _is_set(params, "company_has_generic_email"):
        yield _has_generic_email
    if _is_set(params, "company_has_linkedin_profile"):
        yield lambda one: one is not None


def _list_checks(
    params: RequestParams, values: Mapping[str, FilterValues[T]]
) -> Iterator[FilterCheck[T]]:
    """One of the wanted values is had, and none of the excluded ones."""
    for name, fact in values.items():
        wanted, unwanted = _filter_values(params, name), _filter_values(params, f"exclude_{name}")
        if wanted or unwanted:
            yield partial(_passes, fact, wanted, unwanted)


def _passes(values_of: FilterValues[T], wanted: list[str], unwanted: list[str], one: T) -> bool:
    have = values_of(one)
    return (not wanted or any(each in have for each in wanted)) and not any(
        each in have for each in unwanted
    )


def _filter_values(params: RequestParams, name: str) -> list[str]:
    values = cast("list[str]", params.array(name))
    # Titles are compared without case, and by any part of them.
    return [one.casefold() for one in values] if name.endswith("job_titles") else values


def _company_or_empty(one: OrganisationRecord | None) -> JsonObject:
    return {} if one is None else company(one)


def _is_set(params: RequestParams, name: str) -> bool:
    # Of the flags only true has a documented meaning.
    return params.flag(name, False)


def _created_at(one: OrganisationRecord) -> datetime:
    return _FIRST_DAY + timedelta(hours=number("made", one.slug) % (24 * 150))


def _locations(one: OrganisationRecord) -> tuple[str, ...]:
    """Every location filter that lets a company pass; the first is the location itself."""
    if chance(0.04, "no location", one.slug):
        return ()
    city, country, _ = one.place
    if (states := _STATES.get(country)) is None:
        return f"city:{city}||||{country}", f"country:{country}"
    state = f"{pick(states, 'state', city)} {country}"
    return f"city:{city}||{state}||{country}", f"state:{state}||{country}", f"country:{country}"


def _has_generic_email(one: OrganisationRecord | None) -> bool:
    return one is not None and chance(0.6, "generic email", one.slug)


@cache
def _technologies(slug: str) -> tuple[str, ...]:
    return tuple(name for name in TECHNOLOGIES if chance(0.3, "technology", slug, name))


def company(one: OrganisationRecord) -> JsonObject:
    """A company's row."""
    tld = pick(TLDS, "tld", one.slug)
    known = not chance(0.04, "no business", one.slug)
    return {
        "id": f"company-{one.number}",
        "name": one.name,
        "domain": f"{one.slug}.example.{tld}",
        "tld": tld,
        "location": next(iter(_locations(one)), None),
        "function": pick(BUSINESS_FUNCTIONS, "function", one.slug) if known else None,
        "industry": one.industry if known else None,
        "technologies": list(_technologies(one.slug)),
        "created_at": _created_at(one).isoformat().replace("+00:00", "Z"),
    }


_PERSON_FILTERS: Mapping[str, FilterValues[PersonRecord]] = {
    "job_titles": lambda one: (_title(one) or "").casefold(),
    "departments": lambda one: (one.function,),
    "seniorities": lambda one: (one.seniority,),
}
_COMPANY_FILTERS: Mapping[str, FilterValues[OrganisationRecord | None]] = {
    "locations": lambda one: () if one is None else _locations(one),
    "functions": lambda one: (_company_or_empty(one).get("function"),),
    "industries": lambda one: (_company_or_empty(one).get("industry"),),
    "technologies": lambda one: () if one is None else _technologies(one.slug),
    "tlds": lambda one: (tld := _company_or_empty(one).get("tld"), f".{tld}"),
}
"""By the filter's name, what of a row it is compared with."""


def _employer(person: PersonRecord) -> OrganisationRecord | None:
    return None if chance(0.02, "no company", person.slug) else person.employer


def _title(person: PersonRecord) -> str | None:
    return None if chance(0.03, "no title", person.slug) else person.title


def _personal_emails(person: PersonRecord) -> list[str]:
    return [f"{person.slug}@example.net"] if chance(0.5, "personal", person.slug) else []


def _is_decision_maker(person: PersonRecord) -> bool:
    return person.seniority in DECISION_MAKERS


def _contact(person: PersonRecord) -> JsonObject:
    employer = _employer(person)
    return {
        "id": f"contact-{person.slug}",
        "first_name": person.first,
        "last_name": person.last,
        "job_title": _title(person),
        "department": person.function,
        "seniority": person.seniority,
        "is_decision_maker": _is_decision_maker(person),
        "personal_emails": _personal_emails(person),
        "linkedin_profile": None if person.hidden else person.link,
        "company": None if employer is None else company(employer),
    }


ANSWERS: Mapping[str, AnswerFunction] = {
    "letrics.contacts": contacts,
    "letrics.companies": companies,
    "letrics.contacts.get": contacts,
    "letrics.companies.get": companies,
}
"""By catalogue id, and by that of its twin which is asked by GET."""
