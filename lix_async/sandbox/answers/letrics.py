"""Letrics' two endpoints: contacts and companies by filters that are applied.

Contract: letrics.md#records. The fields of the items are not documented: these are named after the
filters.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TypeAlias, TypeVar, cast

from ...core.values import JsonObject
from ..protocol.params import RequestParams
from ..world.organisations import OrganisationRecord
from ..world.people import PersonRecord
from ..world.random import chance, number, pick
from ..world.world import World
from .context import AnswerContext, AnswerFunction

T = TypeVar("T")
FilterCheck: TypeAlias = Callable[[T], bool]
FilterValues: TypeAlias = Callable[[T], Container[object]]
BUSINESS_FUNCTIONS = ("Engineering", "Finance", "Marketing", "Operations", "Sales")
TECHNOLOGIES = ("Airflow", "Django", "Kafka", "PostgreSQL", "React", "Redis", "Snowflake")
TLDS = ("com", "net", "org")
DECISION_MAKERS = frozenset({"CXO", "Director", "Owner", "Partner", "Vice President"})
"""Seniorities of decision makers."""
_STATES = {"Nordavia": ("Inner", "Outer"), "Ostrelia": ("North", "South", "West")}
"""States of the countries that have any."""
_FIRST_DAY = datetime(2025, 1, 6, 9, tzinfo=UTC)


def contacts(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Contacts that pass every filter that is set."""
    employers = list(_company_checks(params))
    people = list(_person_checks(params))

    def fits(index: int) -> bool:
        person = world.person(index)
        if not all(check(person) for check in people):
            return False
        employer = _employer(person) if employers else None
        return all(check(employer) for check in employers)

    return _page(params, range(world.people), fits, lambda index: _contact(world.person(index)))


def companies(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Companies that pass every filter that is set."""
    checks = list(_company_checks(params))

    def at(index: int) -> OrganisationRecord:
        return world.companies.at(index)

    def fits(index: int) -> bool:
        one = at(index) if checks else None
        return all(check(one) for check in checks)

    indexes = range(len(world.companies.listed))
    return _page(params, indexes, fits, lambda index: company(at(index)))


def _page(
    params: RequestParams,
    indexes: Sequence[int],
    fits: Callable[[int], bool],
    item: Callable[[int], JsonObject],
) -> JsonObject:
    page, size = params.number("page", 1), params.number("per_page", 25)
    found = [index for index in indexes if fits(index)]
    start = (page - 1) * size
    return {
        "data": [item(index) for index in found[start : start + size]],
        "meta": {"page": page, "per_page": size, "total": len(found)},
    }


def _person_checks(params: RequestParams) -> Iterator[FilterCheck[PersonRecord]]:
    """The checks of a person by the filters that are set."""
    yield from _list_checks(params, _PERSON_FILTERS)
    if _is_set(params, "has_personal_emails") or _is_set(params, "has_personal_email"):
        yield lambda one: bool(_personal_emails(one))
    if _is_set(params, "has_linkedin_profile"):
        yield lambda one: not one.hidden
    if _is_set(params, "is_decision_maker"):
        yield _is_decision_maker


def _company_checks(params: RequestParams) -> Iterator[FilterCheck[OrganisationRecord | None]]:
    """The checks of a company, or of a contact's company, by the filters that are set."""
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
    """The checks by lists: one of the wanted values, and none of the excluded ones."""
    for name, values_of in values.items():
        included, excluded = _filter_values(params, name), _filter_values(params, f"exclude_{name}")
        if included or excluded:
            yield partial(_passes, values_of, included, excluded)


def _passes(values_of: FilterValues[T], included: list[str], excluded: list[str], one: T) -> bool:
    values = values_of(one)
    return (not included or any(each in values for each in included)) and not any(
        each in values for each in excluded
    )


def _filter_values(params: RequestParams, name: str) -> list[str]:
    values = cast("list[str]", params.array(name))
    # Titles match in any case and by any part (letrics.md#letrics.contacts).
    return [one.casefold() for one in values] if name.endswith("job_titles") else values


def _company_or_empty(one: OrganisationRecord | None) -> JsonObject:
    return {} if one is None else company(one)


def _is_set(params: RequestParams, name: str) -> bool:
    # Only true has a documented meaning (letrics.md#traps).
    return params.flag(name, False)


def _created_at(one: OrganisationRecord) -> datetime:
    return _FIRST_DAY + timedelta(hours=number("made", one.key) % (24 * 150))


def _locations(one: OrganisationRecord) -> tuple[str, ...]:
    """All locations by which a company is found; the first one is its own."""
    if chance(0.04, "no location", one.key):
        return ()
    city, country, _ = one.place
    if (states := _STATES.get(country)) is None:
        return f"city:{city}||||{country}", f"country:{country}"
    state = f"{pick(states, 'state', city)} {country}"
    return f"city:{city}||{state}||{country}", f"state:{state}||{country}", f"country:{country}"


def _has_generic_email(one: OrganisationRecord | None) -> bool:
    return one is not None and chance(0.6, "generic email", one.key)


@cache
def _technologies(key: str) -> tuple[str, ...]:
    return tuple(name for name in TECHNOLOGIES if chance(0.3, "technology", key, name))


def company(one: OrganisationRecord) -> JsonObject:
    """A company as JSON."""
    tld = pick(TLDS, "tld", one.key)
    known = not chance(0.04, "no business", one.key)
    return {
        "id": f"company-{one.number}",
        "name": one.name,
        "domain": f"{one.key}.example.{tld}",
        "tld": tld,
        "location": next(iter(_locations(one)), None),
        "function": pick(BUSINESS_FUNCTIONS, "function", one.key) if known else None,
        "industry": one.industry if known else None,
        "technologies": list(_technologies(one.key)),
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
    "technologies": lambda one: () if one is None else _technologies(one.key),
    "tlds": lambda one: (tld := _company_or_empty(one).get("tld"), f".{tld}"),
}
"""By filter name, the values that the filter is compared with."""


def _employer(person: PersonRecord) -> OrganisationRecord | None:
    return None if chance(0.02, "no company", person.key) else person.employer


def _title(person: PersonRecord) -> str | None:
    return None if chance(0.03, "no title", person.key) else person.title


def _personal_emails(person: PersonRecord) -> list[str]:
    return [f"{person.key}@example.net"] if chance(0.5, "personal", person.key) else []


def _is_decision_maker(person: PersonRecord) -> bool:
    return person.seniority in DECISION_MAKERS


def _contact(person: PersonRecord) -> JsonObject:
    employer = _employer(person)
    return {
        "id": f"contact-{person.key}",
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
"""By catalogue id, with the suffix `.get` for the GET endpoint."""
