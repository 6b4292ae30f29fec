"""Search queries: the words and filters in a LinkedIn URL or in parameters.

A search is the same however it is written: with `%20` or `+`, in any case, and with its parameters
and the values of a filter in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus, urlsplit

import msgspec

from . import links
from .random import number
from .search_filters import SearchFilter, make_filter

_TOTAL = re.compile(r"\btotal:([0-9]{1,6})\b")
_NOTHING = "nothing-matches"
_PARAMETER = re.compile(r"[?&#]([A-Za-z][\w-]*)=([^&#]*)")
_FILTER = re.compile(r"type:(?P<kind>[A-Z_]+),(?P<values>.*?)(?=\(type:|$)", re.DOTALL)
_PARENT = re.compile(r",?parent:\(id:[^()]*\)")
_VALUE = re.compile(r"\(((?:id|text|selectionType):[^()]*)\)")
_KEYWORDS = re.compile(r"(?:^|[(,])keywords:([^,()]+)")
_IGNORED = {"page", "start", "origin", "sid", "searchid", "sessionid", "viewallfilters", "trk"}
"""Parameters that say where a search was begun, or which page of it is wanted."""
_NAMES = {
    "title": "title",
    "titlefreetext": "title",
    "current_title": "title",
    "past_title": "past_title",
    "company": "company",
    "currentcompany": "company",
    "current_company": "company",
    "f_c": "company",
    "authorcompany": "company",
    "pastcompany": "past_company",
    "past_company": "past_company",
    "firstname": "first",
    "first_name": "first",
    "lastname": "last",
    "last_name": "last",
    "school": "school",
    "schoolfilter": "school",
    "schoolfreetext": "school",
    "geourn": "place",
    "region": "place",
    "location": "place",
    "locationid": "place",
    "geoid": "place",
    "companyhqgeo": "company_place",
    "company_headquarters": "company_place",
    "industry": "industry",
    "f_i": "industry",
    "industrycompanyvertical": "industry",
    "authorindustry": "industry",
    "seniority_level": "seniority",
    "function": "function",
    "f_f": "function",
    "company_headcount": "size",
    "companysize": "size",
    "company_type": "company_type",
    "f_jt": "employment",
    "dateposted": "posted",
}
"""The filters of the world by their names in URLs, in lower case."""
_EMPLOYMENT = {"F": "Full-time", "P": "Part-time", "C": "Contract", "I": "Internship"}


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search.

    * `key`: the same on every page of the search, and for every spelling.
    * `groups`: groups of alternatives; a good result matches one alternative of each group.
    * `total`: the number of results.
    * `filters`: every result passes all of them.
    """

    key: str
    groups: tuple[tuple[str, ...], ...]
    total: int
    filters: tuple[SearchFilter, ...] = ()

    def score(self, text: str) -> int:
        """The number of groups that a lower-case text matches: words that begin so."""
        padded = f" {text}"
        return sum(any(f" {word}" in padded for word in group) for group in self.groups)


def make_query(key: str, keywords: str, filters: Iterable[SearchFilter] = ()) -> SearchQuery:
    """A search by words and filters.

    `total:137` in the keywords gives exactly 137 results, `nothing-matches` none, in a filter too.
    Otherwise the number of results depends on the search: between 120 and 599, below all caps.

    Args:
        key: What else tells searches apart, such as the kind of search.
        keywords: The words.
        filters: The filters.
    """
    found = tuple(sorted({one for one in filters if one.values or one.excluded}))
    groups = tuple(_keyword_groups(_TOTAL.sub(" ", keywords)))
    key = f"{key} {groups} {found}" if found or groups else key
    given = _TOTAL.search(keywords)
    total = int(given[1]) if given else 120 + number("total", key) % 480
    texts = [keywords, *(value.text for one in found for value in one.values)]
    if any(_NOTHING in text.casefold() for text in texts):
        total = 0
    return SearchQuery(f"{key} {total}", groups, total, found)


def query_from_url(url: str) -> SearchQuery:
    """The search of a LinkedIn or Sales Navigator URL."""
    links.search(url)  # an error for another site
    words: list[str] = []
    filters: list[SearchFilter] = []
    for name, raw in _PARAMETER.findall(url.strip()):
        plain = name.lower()
        if plain == "query":
            # The structure is percent-encoded, and its texts are percent-encoded once more.
            decoded = "filters:" in raw or "keywords:" in raw
            query = raw if decoded else unquote(raw)
            filters += map(_sales_filter, _FILTER.finditer(query))
            words += [_decoded(text) for text in _KEYWORDS.findall(query)]
        elif plain == "keywords":
            words.append(unquote_plus(raw))
        elif plain not in _IGNORED:
            texts = _listed(unquote_plus(raw), plain)
            filters.append(make_filter(_NAMES.get(plain, plain), map(_pair, texts)))
    path = urlsplit(url if "//" in url else f"https://{url}").path.strip("/").lower()
    return make_query(path, " ".join(words), filters)


def _decoded(text: str) -> str:
    return unquote(unquote(text.replace("+", " ")))


def _sales_filter(found: re.Match[str]) -> SearchFilter:
    plain = found["kind"].lower()
    values: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for text in _VALUE.findall(_PARENT.sub("", found["values"])):
        parts = dict(part.partition(":")[::2] for part in text.split(","))
        pair = _decoded(parts.get("text", "")), _decoded(parts.get("id", ""))
        values[parts.get("selectionType") != "EXCLUDED"].append(pair)
    return make_filter(_NAMES.get(plain, plain), values[True], values[False])


def _listed(text: str, name: str) -> Sequence[str]:
    """The values of a parameter: a list in JSON, or joined by commas for job filters."""
    try:
        listed = msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        listed = text.split(",") if name.startswith("f_") else [text]
    return [_EMPLOYMENT.get(one, one) if name == "f_jt" else one for one in listed if one.strip()]


def _pair(text: str) -> tuple[str, str]:
    """A value of a parameter as text and id: ids are digits, or one letter for sizes."""
    is_id = text.isdigit() or len(text) == 1 or text.startswith("urn:")
    return ("", text) if is_id else (text, "")


def _keyword_groups(keywords: str) -> list[tuple[str, ...]]:
    """A group for each word; words around an OR are alternatives."""
    groups: list[tuple[str, ...]] = []
    joined = False
    for word in re.findall(r"[^\s()\"]+", keywords):
        if word in ("AND", "NOT"):
            continue
        if word == "OR":
            joined = bool(groups)
        elif joined:
            groups[-1] = (*groups[-1], word.casefold())
            joined = False
        else:
            groups.append((word.casefold(),))
    if len(groups) > 1 and all(len(group) == 1 for group in groups):
        groups.append((" ".join(group[0] for group in groups),))  # the whole phrase ranks first
    return groups
