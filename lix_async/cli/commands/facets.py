"""`lix facets`, and the facets behind `--filter` of `lix leads` and `lix accounts`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, NamedTuple

from cyclopts import Parameter

from ...linkedin.filters import Filter, Value
from ...linkedin.searches import account_search, lead_search
from ...providers.lix.endpoints.searches import SALES_FACETS
from ...providers.lix.models import Facet
from ...providers.lix.models.facets import FacetType
from ..errors import NOT_FOUND, CommandError
from ..options import CONNECTION_DEFAULTS, LISTING_DEFAULTS, ConnectionOptions, ListingOutputOptions
from ..output.destination import listing_format
from ..runtime.session import CommandSession
from ..text import one_line
from .listing import listing_job, run_listing

KEYWORDS = "keywords"
_LEADS: Mapping[str, tuple[str, str]] = {
    "title": (FacetType.TITLE, "CURRENT_TITLE"),
    "past-title": (FacetType.TITLE, "PAST_TITLE"),
    "company": (FacetType.COMPANY, "CURRENT_COMPANY"),
    "past-company": (FacetType.COMPANY, "PAST_COMPANY"),
    "location": (FacetType.REGION, "REGION"),
    "postal-code": (FacetType.POSTAL_CODE, "POSTAL_CODE"),
    "seniority": (FacetType.SENIORITY, "SENIORITY_LEVEL"),
    "function": (FacetType.FUNCTION, "FUNCTION"),
    "industry": (FacetType.INDUSTRY, "INDUSTRY"),
    "company-size": (FacetType.COMPANY_SIZE, "COMPANY_HEADCOUNT"),
    "company-type": (FacetType.COMPANY_TYPE, "COMPANY_TYPE"),
    "school": (FacetType.SCHOOL, "SCHOOL"),
    "group": (FacetType.GROUP, "GROUP"),
    "experience": (FacetType.TENURE, "YEARS_OF_EXPERIENCE"),
    "language": (FacetType.PROFILE_LANGUAGE, "PROFILE_LANGUAGE"),
}
"""The filters of a search for people: the facet that has their values, and their name in a URL."""
_ACCOUNTS = {name: _LEADS[name] for name in ("location", "industry", "company-size")}
FILTERS: Mapping[str, Mapping[str, tuple[str, str]]] = {"leads": _LEADS, "accounts": _ACCOUNTS}
_OTHER_NAMES = {
    "region": "location",
    "geography": "location",
    "current-title": "title",
    "current-company": "company",
    "headcount": "company-size",
    "size": "company-size",
    "years": "experience",
    "years-of-experience": "experience",
    "profile-language": "language",
    "keyword": KEYWORDS,
}
_WORD = re.compile(r"\w+")
_SMALL = frozenset({"and", "for", "in", "of", "the"})
_ID = "id:"
_ORGANISATION = "urn:li:organization:"
SHOWN = 3
"""Other facets that are named beside the chosen one."""


class GivenFilter(NamedTuple):
    """A filter as it was typed: its name, and its values."""

    name: str
    values: tuple[str, ...]


def parse_filters(given: Sequence[str], command: str) -> list[GivenFilter]:
    """Parse arguments such as `title=CTO,VP Engineering`.

    A value with a comma is put in double quotes: `location="Paris, France",London`.

    Args:
        given: The arguments.
        command: `leads` or `accounts`.

    Raises:
        CommandError: A filter is unknown, or has no values.
    """
    return [_parse(text, FILTERS[command]) for text in given]


def _parse(text: str, known: Mapping[str, tuple[str, str]]) -> GivenFilter:
    name, equals, rest = text.partition("=")
    typed, name = name.strip(), name.strip().lower().replace("_", "-").replace(" ", "-")
    by_facet = {facet: name for name, (facet, _) in reversed([*known.items()])}
    name = _OTHER_NAMES.get(name, by_facet.get(typed.upper(), name))
    names = (*known, KEYWORDS)
    if name not in names:
        near = get_close_matches(name, names, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"filters: {', '.join(names)}"
        raise CommandError(f"unknown filter {one_line(typed, 60)!r}", hint=hint)
    values: Iterator[str] = (
        iter([rest])
        if name == KEYWORDS
        else (cell for row in csv.reader([rest], skipinitialspace=True) for cell in row)
    )
    found = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
    if not equals or not found:
        raise CommandError(
            f"the filter {typed} has no value", hint=f"write --filter {name}=VALUE[,VALUE…]"
        )
    return GivenFilter(name, found)


async def search_url(session: CommandSession, given: Sequence[GivenFilter], command: str) -> str:
    """The URL of a search with filters, whose facets are looked up and shown on stderr.

    Args:
        session: The session of the command. Looking facets up is free.
        given: The filters.
        command: `leads` or `accounts`.

    Raises:
        CommandError: A value has no facet.
        LixError: Facets cannot be looked up.
    """
    keywords = " ".join(value for one in given if one.name == KEYWORDS for value in one.values)
    values: dict[str, list[Value]] = {}
    for one in given:
        if one.name != KEYWORDS:
            facet, type_ = FILTERS[command][one.name]
            values.setdefault(type_, []).extend(
                [await _choose(session, one.name, facet, value) for value in one.values]
            )
    filters = [Filter(type_, found) for type_, found in values.items()]
    build = lead_search if command == "leads" else account_search
    url = build(*filters, keywords=keywords or None)
    session.print_note(f"search: {url}")
    return url


async def _choose(session: CommandSession, name: str, facet: str, text: str) -> Value:
    if text.startswith(_ID):
        return Value("", text.removeprefix(_ID))
    if text.startswith(_ORGANISATION):
        return Value("", text)
    page = await session.lix.sales.facets(text, facet).next_page()
    found = [one for one in (page.items if page is not None else []) if one.id]
    if not found:
        raise CommandError(
            f"no {name} found for {one_line(text, 60)!r}",
            hint=f"try other words: lix facets {facet} WORDS",
            code=NOT_FOUND,
        )
    closeness = [_closeness(text, one.display_value or "") for one in found]
    chosen = found[closeness.index(max(closeness))]  # of equals the provider's first one
    note = f"{name} {text}: {_shown(chosen)}"
    if others := [_shown(one) for one in found if one is not chosen]:
        more = f" and {len(others) - SHOWN:,} more" if len(others) > SHOWN else ""
        note += f"; not {', '.join(others[:SHOWN])}{more}"
    if not max(closeness):
        note += "; none has these words, so it is the first that the provider offers"
    session.print_note(note)
    return Value.of(chosen)


def _closeness(text: str, offered: str) -> int:
    """How close an offered name is to a text: the same, begins with it, has its words, initials."""
    wanted, name = text.casefold(), offered.casefold()
    words = _WORD.findall(name)
    if name == wanted:
        return 4
    if name.startswith(wanted) and not name[len(wanted)].isalnum():
        return 3
    if set(_WORD.findall(wanted)) <= set(words):
        return 2
    return int("".join(word[0] for word in words if word not in _SMALL) == wanted)


def _shown(facet: Facet) -> str:
    return f"{one_line(facet.display_value or '', 60)} (id {facet.id})"


def _unknown_type_hint(key: str, facet: str) -> str:
    """What to try instead of a type that has no facets; empty for a known one."""
    known = {one for one, _ in _LEADS.values()}
    if facet in known:
        return ""
    near = get_close_matches(key, _LEADS, n=1) or get_close_matches(facet, known, n=1)
    return f"did you mean {near[0]}?" if near else f"types: {', '.join(_LEADS)}"


def facets(
    type_: Annotated[
        str,
        Parameter(
            name="TYPE",
            help="What is filtered: TITLE, COMPANY_WITH_LIST, BING_GEO, INDUSTRY, …, or the name "
            "that --filter takes: title, company, location.",
        ),
    ],
    query: Annotated[str, Parameter(help="What a person would type, such as cto.")],
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Show the ids and names of filter values, such as `lix facets TITLE cto`.

    Free. `lix leads --filter title=id:ID` takes an id.
    """
    key = type_.strip().lower().replace("_", "-")
    facet, _ = _LEADS.get(_OTHER_NAMES.get(key, key), (type_.strip().upper(), ""))
    if not query.strip():
        raise CommandError("nothing to look for", hint="lix facets TITLE cto")
    job = listing_job(
        "facet",
        SALES_FACETS,
        lambda lix, at: lix.sales.facets(query, facet, resume=at),
        if_empty=_unknown_type_hint(key, facet)
        or "check the spelling, or type fewer letters: names are found by how they begin",
    )
    if output.columns is None and listing_format(output) in ("table", "csv", "xlsx"):
        output = replace(output, columns="id,displayValue")
    return run_listing(job, output, connection)
