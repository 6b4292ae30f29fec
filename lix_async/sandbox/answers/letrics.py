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
    from ..world.organisations import OrganisationRecord
    from ..world.people import PersonRecord
    from ..world.world import World
    from .context import Answer, AnswerContext

Body = dict[str, object]
T = TypeVar("T")
Check: TypeAlias = Callable[[T], bool]
Fact: TypeAlias = Callable[[T], Container[object]]
FUNCTIONS = ("Engineering", "Finance", "Marketing", "Operations", "Sales")
TECHNOLOGIES = ("Airflow", "Django", "Kafka", "PostgreSQL", "React", "Redis", "Snowflake")
TLDS = ("com", "net", "org")
DECIDES = frozenset({"CXO", "Director", "Owner", "Partner", "Vice President"})
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

    return _listed(params, range(world.people), fits, lambda place: _contact(world.person(place)))


def companies(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Companies. Every filter that is set must let a row pass."""
    checks = list(_company_checks(params))

    def at(place: int) -> OrganisationRecord:
        return world.companies.at(place)

    def fits(place: int) -> bool:
        one = at(place) if checks else None
        return all(check(one) for check in checks)

    places = range(len(world.companies.listed))
    return _listed(params, places, fits, lambda place: company(at(place)))


def _listed(
    params: RequestParams,
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


def _person_checks(params: RequestParams) -> Iterator[Check[PersonRecord]]:
    """What the filters that are set ask of a person."""
    yield from _asked(params, _OF_A_PERSON)
    if _set(params, "has_personal_emails") or _set(params, "has_personal_email"):
        yield lambda one: bool(_personal(one))
    if _set(params, "has_linkedin_profile"):
        yield lambda one: not one.hidden
    if _set(params, "is_decision_maker"):
        yield _decides


def _company_checks(params: RequestParams) -> Iterator[Check[OrganisationRecord | None]]:
    """What the filters that are set ask of a company, or of a contact's."""
    after, before = params.values.get("added_after"), params.values.get("added_before")
    if isinstance(after, datetime):
        yield lambda one: one is not None and _made(one) >= after
    if isinstance(before, datetime):
        yield lambda one: one is not None and _made(one) <= before
    yield from _asked(params, _OF_A_COMPANY)
    if _set(params, "company_has_generic_email"):
        yield _generic
    if _set(params, "company_has_linkedin_profile"):
        yield lambda one: one is not None


def _asked(params: RequestParams, facts: Mapping[str, Fact[T]]) -> Iterator[Check[T]]:
    """One of the wanted values is had, and none of the excluded ones."""
    for name, fact in facts.items():
        wanted, unwanted = _list(params, name), _list(params, f"exclude_{name}")
        if wanted or unwanted:
            yield partial(_lets_through, fact, wanted, unwanted)


def _lets_through(fact: Fact[T], wanted: list[str], unwanted: list[str], one: T) -> bool:
    have = fact(one)
    return (not wanted or any(each in have for each in wanted)) and not any(
        each in have for each in unwanted
    )


def _list(params: RequestParams, name: str) -> list[str]:
    values = cast("list[str]", params.rows(name))
    # Titles are compared without case, and by any part of them.
    return [one.casefold() for one in values] if name.endswith("job_titles") else values


def _facts(one: OrganisationRecord | None) -> Body:
    return {} if one is None else company(one)


def _set(params: RequestParams, name: str) -> bool:
    # Of the flags only true has a documented meaning.
    return params.flag(name, False)


def _made(one: OrganisationRecord) -> datetime:
    return _FIRST_DAY + timedelta(hours=number("made", one.slug) % (24 * 150))


def _places(one: OrganisationRecord) -> tuple[str, ...]:
    """Every location filter that lets a company pass; the first is the location itself."""
    if chance(0.04, "no location", one.slug):
        return ()
    city, country, _ = one.place
    if (states := _STATES.get(country)) is None:
        return f"city:{city}||||{country}", f"country:{country}"
    state = f"{pick(states, 'state', city)} {country}"
    return f"city:{city}||{state}||{country}", f"state:{state}||{country}", f"country:{country}"


def _generic(one: OrganisationRecord | None) -> bool:
    return one is not None and chance(0.6, "generic email", one.slug)


@cache
def _technologies(slug: str) -> tuple[str, ...]:
    return tuple(name for name in TECHNOLOGIES if chance(0.3, "technology", slug, name))


def company(one: OrganisationRecord) -> Body:
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


_OF_A_PERSON: Mapping[str, Fact[PersonRecord]] = {
    "job_titles": lambda one: (_title(one) or "").casefold(),
    "departments": lambda one: (one.function,),
    "seniorities": lambda one: (one.seniority,),
}
_OF_A_COMPANY: Mapping[str, Fact[OrganisationRecord | None]] = {
    "locations": lambda one: () if one is None else _places(one),
    "functions": lambda one: (_facts(one).get("function"),),
    "industries": lambda one: (_facts(one).get("industry"),),
    "technologies": lambda one: () if one is None else _technologies(one.slug),
    "tlds": lambda one: (tld := _facts(one).get("tld"), f".{tld}"),
}
"""By the filter's name, what of a row it is compared with."""


def _employer(person: PersonRecord) -> OrganisationRecord | None:
    return None if chance(0.02, "no company", person.slug) else person.employer


def _title(person: PersonRecord) -> str | None:
    return None if chance(0.03, "no title", person.slug) else person.title


def _personal(person: PersonRecord) -> list[str]:
    return [f"{person.slug}@example.net"] if chance(0.5, "personal", person.slug) else []


def _decides(person: PersonRecord) -> bool:
    return person.seniority in DECIDES


def _contact(person: PersonRecord) -> Body:
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
