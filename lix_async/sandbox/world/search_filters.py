"""Filters of searches: which records pass them, and records that are made to pass them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from . import names, posts
from .careers import PositionRecord, schools_of
from .facet_values import known_text
from .job_postings import PostingRecord
from .organisations import OrganisationRecord
from .people import PersonRecord
from .posts import PostRecord
from .random import chance, number, pick

FACET_OF = {
    "title": "TITLE",
    "past_title": "TITLE",
    "place": "BING_GEO",
    "seniority": "SENIORITY_V2",
    "industry": "INDUSTRY",
    "school": "SCHOOL",
    "function": "FUNCTION",
    "size": "COMPANY_SIZE",
    "company_type": "COMPANY_TYPE",
}
"""The type of facet whose values a filter accepts, by the filter's name here."""
_OMITTED = {"of", "the", "and", "&"}
_DAYS = {"past-24h": 1, "past-week": 7, "past-month": 31}


class FilterValue(NamedTuple):
    """One value: the text as facets show it, or only an id that is not of this sandbox."""

    text: str
    id: str


class SearchFilter(NamedTuple):
    """A filter: a record passes with one of the values, and with none of the excluded ones."""

    name: str
    values: tuple[FilterValue, ...]
    excluded: tuple[FilterValue, ...] = ()


def make_filter(
    name: str, values: Iterable[tuple[str, str]], excluded: Iterable[tuple[str, str]] = ()
) -> SearchFilter:
    """A filter of pairs of text and id. The order and the writing of its values do not matter."""
    kind = FACET_OF.get(name, "")

    def canonical(pairs: Iterable[tuple[str, str]]) -> tuple[FilterValue, ...]:
        found = {FilterValue(known_text(kind, text, id_), id_.casefold()) for text, id_ in pairs}
        if name.endswith("company"):  # the id tells more: names are not unique
            plain = {one._replace(text="") if one.id else one for one in found}
        else:
            plain = {one._replace(id="") if one.text else one for one in found}
        return tuple(sorted(plain))

    return SearchFilter(name, canonical(values), canonical(excluded))


def initials(text: str) -> str:
    """The first letters of the words: `cto` for Chief Technology Officer."""
    return "".join(word[0] for word in re.findall(r"\w+", text.casefold()) if word not in _OMITTED)


def _words(text: str) -> str:
    words = re.findall(r"\w+", text.casefold())
    expanded = ("vice president" if word == "vp" else word for word in words)
    return f" {' '.join(word for word in expanded if word not in _OMITTED)} "


def has_words(text: str, words: str) -> bool:
    """Whether a text contains these words one after the other, or abbreviates to them."""
    return _words(words) in _words(text) or words.casefold() == initials(text)


def _is_company(value: FilterValue, one: OrganisationRecord) -> bool:
    digits = value.id.rpartition(":")[2]
    return one.sales_id == digits if digits else has_words(one.name, value.text)


Texts = Callable[[], Sequence[str]]


class FilteredRecord(NamedTuple):
    """What filters look at: the texts of a record by the filter's name, and its companies."""

    key: object
    texts: Mapping[str, Texts]
    companies: Mapping[str, Callable[[], Sequence[OrganisationRecord]]]


def person_record(one: PersonRecord, career: Callable[[], list[PositionRecord]]) -> FilteredRecord:
    """What filters look at in a person."""
    employer = one.employer
    return FilteredRecord(
        one.key,
        {
            "title": lambda: [one.title],
            "first": lambda: [one.first],
            "last": lambda: [one.last],
            "place": lambda: [one.location],
            "seniority": lambda: [one.seniority],
            "function": lambda: [one.function],
            "industry": lambda: [one.industry],
            "skill": lambda: one.skills,
            "size": lambda: [employer.size],
            "company_type": lambda: [employer.kind],
            "company_place": lambda: [_full_place(employer.place)],
            "school": lambda: schools_of(one),
            "past_title": lambda: [job.title for job in career()[1:]],
        },
        {
            "company": lambda: [employer],
            "past_company": lambda: [job.employer for job in career()[1:]],
        },
    )


def organisation_record(one: OrganisationRecord) -> FilteredRecord:
    """What filters look at in a company."""
    return FilteredRecord(
        one.key,
        {
            "place": lambda: [_full_place(one.place)],
            "company_place": lambda: [_full_place(one.place)],
            "industry": lambda: [one.industry],
            "size": lambda: [one.size],
            "company_type": lambda: [one.kind],
        },
        {"company": lambda: [one]},
    )


def posting_record(one: PostingRecord) -> FilteredRecord:
    """What filters look at in a job posting."""
    texts: dict[str, Texts] = {
        "title": lambda: [one.title],
        "place": lambda: [one.location],
        "function": lambda: [one.function],
        "industry": lambda: [one.employer.industry],
        "employment": lambda: [one.employment],
    }
    return FilteredRecord(one.id, texts, {"company": lambda: [one.employer]})


def post_record(one: PostRecord, today: date) -> FilteredRecord:
    """What filters look at in a post."""

    def posted() -> list[str]:
        at = posts.written_at(one.activity)[:10]
        return [x for x, days in _DAYS.items() if at >= (today - timedelta(days)).isoformat()]

    author = one.author
    texts: dict[str, Texts] = {
        "posted": posted,
        "title": lambda: [author.title],
        "industry": lambda: [author.industry],
    }
    return FilteredRecord(one.activity, texts, {"company": lambda: [author.employer]})


def passes(record: FilteredRecord, filters: Iterable[SearchFilter]) -> bool:
    """Whether a record passes all filters.

    What the records here do not have, such as groups and languages, a fixed half of them has.
    """
    return all(
        (not one.values or any(_has(record, one.name, value) for value in one.values))
        and not any(_has(record, one.name, value) for value in one.excluded)
        for one in filters
    )


def _has(record: FilteredRecord, name: str, value: FilterValue) -> bool:
    if name in record.companies:
        return any(_is_company(value, one) for one in record.companies[name]())
    if name in record.texts and value.text:
        return any(has_words(text, value.text) for text in record.texts[name]())
    return chance(0.5, "has", name, value, record.key)


def _full_place(place: tuple[str, str, str]) -> str:
    return ", ".join(filter(None, place[:2]))


def _place(text: str, *parts: object) -> tuple[str, str, str]:
    """A place by its name: a city of that name or in that country, else the name itself."""
    known = [one for one in names.PLACES if has_words(_full_place(one), text)]
    if known:
        return pick(known, "place", *parts)
    cities = [one for one in names.REAL_PLACES if "," in one and has_words(one, text)]
    city, _, rest = (pick(cities, "place", *parts) if cities else text).partition(", ")
    return city, rest or city, rest.rpartition(", ")[2] or city


def _choices(filters: Iterable[SearchFilter], *parts: object) -> dict[str, FilterValue]:
    """One value of each filter, for one record."""
    return {one.name: pick(one.values, one.name, *parts) for one in filters if one.values}


def fitted_person(
    one: PersonRecord,
    filters: Sequence[SearchFilter],
    company: Callable[[FilterValue], OrganisationRecord],
    listed: Sequence[OrganisationRecord],
) -> PersonRecord:
    """A person who is made to pass filters, with the same link in each search with them.

    Args:
        one: The person at this index without filters.
        filters: The filters.
        company: Returns the company of a value.
        listed: The companies of the world, for filters of the employer.
    """
    chosen = _choices(filters, one.key)
    text = {name: value.text for name, value in chosen.items() if value.text}
    level, function = text.get("seniority"), text.get("function")
    title = text.get("title")
    if title is None:
        fitting = [
            (name, its_level, its)
            for name, its_level, its in names.TITLES
            if level in (None, its_level) and function in (None, its)
        ]
        title = pick(fitting, "title", one.key)[0] if fitting else one.title
    known = next((found for found in names.TITLES if found[0] == title), None)
    first, last = text.get("first", one.first), text.get("last", one.last)
    employer = one.employer
    if "company" in chosen:
        employer = company(chosen["company"])
    elif of_employer := [
        found for found in listed if passes(organisation_record(found), _of_employer(filters))
    ]:
        employer = pick(of_employer, "employer", one.key)
    slug = f"{names.slug(first)}-{names.slug(last)}-{one.key.rpartition('-')[2]}"
    return replace(
        one,
        key=slug,
        slug=slug,
        first=first,
        last=last,
        title=title,
        seniority=level or names.seniority_of(title),
        function=function or (known[2] if known else one.function),
        employer=employer,
        place=_place(text["place"], one.key) if "place" in text else one.place,
        industry=text.get("industry", employer.industry),
        skills=tuple(dict.fromkeys((text.get("skill", one.skills[0]), *one.skills))),
        school=text.get("school"),
        past_title=text.get("past_title"),
        past_employer=company(chosen["past_company"]) if "past_company" in chosen else None,
    )


def _of_employer(filters: Iterable[SearchFilter]) -> list[SearchFilter]:
    return [one for one in filters if one.name in ("size", "company_type", "company_place")]


def fitted_organisation(
    one: OrganisationRecord, filters: Sequence[SearchFilter]
) -> OrganisationRecord:
    """A company that is made to pass filters."""
    text = {name: value.text for name, value in _choices(filters, one.key).items() if value.text}
    place = text.get("place", text.get("company_place"))
    sizes = [size for size in names.SIZES if has_words(size[2], text.get("size", one.size))]
    least, most, size = sizes[0] if sizes else (one.employees, one.employees, one.size)
    return replace(
        one,
        industry=text.get("industry", one.industry),
        kind=text.get("company_type", one.kind),
        place=_place(place, one.key) if place else one.place,
        size=size,
        employees=least + number("employees", one.key) % (most - least + 1),
    )


def fitted_posting(
    one: PostingRecord,
    filters: Sequence[SearchFilter],
    company: Callable[[FilterValue], OrganisationRecord],
) -> PostingRecord:
    """A job posting that is made to pass filters."""
    chosen = _choices(filters, one.id)
    text = {name: value.text for name, value in chosen.items() if value.text}
    return replace(
        one,
        title=text.get("title", one.title),
        function=text.get("function", one.function),
        employer=company(chosen["company"]) if "company" in chosen else one.employer,
        place=_place(text["place"], one.id) if "place" in text else one.place,
        employment=text.get("employment", one.employment),
    )
