"""Search queries: the words in a LinkedIn URL or in filters, and which texts match them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from . import links
from .random import number

_TOTAL = re.compile(r"\btotal:([0-9]{1,6})\b")
_NOTHING = "nothing-matches"
_FREE = re.compile(
    r"[?&#](?:title|company|firstName|lastName|school\w*|currentCompany|industry)=([^&#]+)"
)
_KEYWORDS = re.compile(r"[?&#]keywords=([^&#]*)")
_QUERY = re.compile(r"[?&#]query=([^&#]+)")
_FILTER = re.compile(r"type:(?P<kind>[A-Z_]+),(?P<values>.*?)(?=\(type:|$)", re.DOTALL)
_VALUE = re.compile(r"(?:text:|id:(?=urn))([^,()]+)")


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search.

    * `key`: the same on every page of the search.
    * `groups`: groups of alternatives; a good result matches one alternative of each group.
    * `total`: the number of results.
    """

    key: str
    groups: tuple[tuple[str, ...], ...]
    total: int

    def score(self, text: str) -> int:
        """The number of groups that a lower-case text matches."""
        return sum(any(word in text for word in group) for group in self.groups)


def make_query(key: str, keywords: str, groups: Iterable[tuple[str, ...]] = ()) -> SearchQuery:
    """A search by words.

    `total:137` in the keywords gives exactly 137 results, `nothing-matches` none. Otherwise the
    number of results depends on the key: between 120 and 599, below all caps.
    """
    given = _TOTAL.search(keywords)
    total = int(given[1]) if given else 120 + number("total", key) % 480
    if _NOTHING in keywords:
        total = 0
    return SearchQuery(key, (*_keyword_groups(_TOTAL.sub(" ", keywords)), *groups), total)


def query_from_url(url: str) -> SearchQuery:
    """The search of a LinkedIn or Sales Navigator URL."""
    groups = [tuple(_texts(text)) for text in _FREE.findall(url)]
    words = [unquote_plus(text) for text in _KEYWORDS.findall(url)]
    for raw in _QUERY.findall(url):
        # The structure is percent-encoded, and its texts are percent-encoded once more.
        query = raw if "filters:" in raw or "keywords:" in raw else unquote(raw)
        groups += [group for group in map(_filter, _FILTER.finditer(query)) if group]
        words += [
            unquote(unquote(text)) for text in re.findall(r"(?:^|[(,])keywords:([^,()]+)", query)
        ]
    return make_query(links.search(url), " ".join(words), [group for group in groups if group])


def _filter(found: re.Match[str]) -> tuple[str, ...]:
    return tuple(unquote(unquote(text)).casefold() for text in _VALUE.findall(found["values"]))


def _texts(text: str) -> list[str]:
    listed = re.findall(r'"([^"]+)"', unquote_plus(text))
    return [word.casefold() for word in listed or [unquote_plus(text)]]


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
