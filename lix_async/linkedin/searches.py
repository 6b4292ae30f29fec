"""Search URLs, built from words and filters and encoded as LinkedIn expects.

Of the three levels of encoding (lix.md#search-urls), this module does two: each text and id on its
own, and then the whole query. The client does the third when it encodes the URL as the value of a
parameter, so pass a URL from here to a call unchanged. LinkedIn's plain searches have only the
first level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

import msgspec

from lix_async.core.errors import ConfigurationError

from .address import SITE, shown, split
from .filters import Filter, Value
from .kinds import Kind
from .links import read
from .restli import Node, encoded, write
from .restli import read as read_query

_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")


class SalesSearch(msgspec.Struct, frozen=True):
    """The filters and keywords of a Sales Navigator URL.

    `lead_search(*search.filters, keywords=search.keywords)` builds the URL again.
    """

    filters: tuple[Filter, ...] = ()
    """The filters, in the order of the URL."""
    keywords: str | None = None
    """The words that are searched for, or None."""


def people_search(keywords: str | None = None, **filters: str | Sequence[str]) -> str:
    """A LinkedIn people search.

    A text is used as it is, a list is written as LinkedIn does (`["F","S"]`). Known filters are
    geoUrn, network, currentCompany, pastCompany, industry, title, firstName, lastName, company,
    schoolFilter and profileLanguage; snake_case names work as well. Only `keywords` is in
    lix.md#search-urls.

    Raises:
        ConfigurationError: There are neither keywords nor filters.

    Example:
        ```python
        people_search("cto", network=["F"], geo_urn=["103644278"])
        ```
    """
    return _search("/search/results/people/", keywords, filters)


def post_search(keywords: str | None = None, **filters: str | Sequence[str]) -> str:
    """A LinkedIn search for posts.

    Filters, such as `date_posted`, are given as in `people_search`.
    """
    return _search("/search/results/content/", keywords, filters)


def org_search(keywords: str | None = None, **filters: str | Sequence[str]) -> str:
    """A LinkedIn company search.

    Filters, such as `company_size=["B"]`, are given as in `people_search`.
    """
    return _search("/search/results/companies/", keywords, filters)


def job_search(keywords: str | None = None, **filters: str | Sequence[str]) -> str:
    """A LinkedIn job search, such as `job_search("rust", location="Berlin", f_WT=["2", "3"])`.

    Filters are given as in `people_search`. LinkedIn separates the values of a list by commas here.
    """
    joined = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in filters.items()
    }
    return _search("/jobs/search/", keywords, joined)


def lead_search(*filters: Filter, keywords: str | None = None) -> str:
    """A Sales Navigator search for people that match all filters and `keywords`.

    The result is the same as that of the vendor's own example program (lix.md#search-urls).

    Raises:
        ConfigurationError: There are neither filters nor keywords.
    """
    return _sales_search("/sales/search/people", filters, keywords)


def account_search(*filters: Filter, keywords: str | None = None) -> str:
    """A Sales Navigator search for companies, built as by `lead_search`."""
    return _sales_search("/sales/search/company", filters, keywords)


def parse_lead_search(url: str) -> SalesSearch:
    """The filters and keywords of a Sales Navigator people search.

    Parts that belong to one session (recent search, spelling correction) or only decorate a value
    (an icon) are left out.

    Raises:
        ConfigurationError: The URL is of another kind, its query cannot be read, or a filter has no
            list of values. Ignoring such a filter would widen the search.
    """
    return _parsed(url, "lead_search")


def parse_account_search(url: str) -> SalesSearch:
    """The filters and keywords of a company search, read as by `parse_lead_search`."""
    return _parsed(url, "account_search")


def _search(path: str, keywords: str | None, filters: Mapping[str, str | Sequence[str]]) -> str:
    given = {"keywords": keywords or "", **{_name(key): filters[key] for key in filters}}
    parts = [f"{name}={encoded(_text(value))}" for name, value in given.items() if value]
    if not parts:
        raise ConfigurationError("a search needs keywords or at least one filter")
    return f"{SITE}{path}?{'&'.join(parts)}"


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"invalid search parameter {name!r}: expected a name of letters, digits and _"
        )
    # A name with capitals, such as `f_WT`, is LinkedIn's own and stays as it is.
    if not name.islower():
        return name
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(list(value)).decode()


def _sales_search(path: str, filters: Iterable[Filter], keywords: str | None) -> str:
    query: dict[str, Node] = {}
    if listed := [_node(one) for one in filters]:
        query["filters"] = listed
    if keywords:
        query["keywords"] = keywords
    if not query:
        raise ConfigurationError("a search needs keywords or at least one filter")
    # The outermost brackets are not encoded, as in the vendor's program and in LinkedIn's own URLs.
    return f"{SITE}{path}?query=({encoded(write(query)[1:-1])})"


def _node(given: Filter) -> Node:
    values: list[Node] = []
    for value in given.values:
        node: dict[str, Node] = {}
        if value.id is not None:
            node["id"] = value.id
        if value.text:
            node["text"] = value.text
        node["selectionType"] = "EXCLUDED" if value.excluded else "INCLUDED"
        if value.parent is not None:
            node["parent"] = {"id": value.parent}
        values.append(node)
    return {"type": given.type, "values": values}


def _parsed(url: str, kind: Kind) -> SalesSearch:
    link = read(url)
    raw = split(link.url).raw("query") if link.kind == kind else None
    if raw is None:
        raise ConfigurationError(
            f"{shown(url)} is not a {kind.replace('_', ' ')} with a query: open the saved search "
            "and copy the URL from the address bar"
        )
    query = _query(raw)
    filters = query.get("filters", [])
    keywords = query.get("keywords")
    if not isinstance(filters, list) or not isinstance(keywords, str | None):
        raise ConfigurationError("the filters of the Sales Navigator query are not a list")
    return SalesSearch(tuple(_filter(node) for node in filters), keywords or None)


def _query(raw: str) -> dict[str, Node]:
    try:
        node = read_query(unquote(raw, errors="strict"))
    except (ConfigurationError, UnicodeDecodeError):
        # A query written by hand often lacks the second level: only its words are encoded.
        node = read_query(raw)
    if not isinstance(node, dict):
        raise ConfigurationError("the Sales Navigator query is not in brackets")
    return node


def _filter(node: Node) -> Filter:
    fields = node if isinstance(node, dict) else {}
    type_, values = fields.get("type"), fields.get("values")
    if not isinstance(type_, str) or not isinstance(values, list):
        raise ConfigurationError(
            f"the filter {type_!r} has no list of values: pass this URL to a call unchanged"
        )
    return Filter(type_, [_parsed_value(value, type_) for value in values])


def _parsed_value(node: Node, type_: str) -> Value:
    fields = node if isinstance(node, dict) else {}
    text, id_, parent = fields.get("text", ""), fields.get("id"), fields.get("parent")
    selection = fields.get("selectionType", "INCLUDED")
    over = parent.get("id") if isinstance(parent, dict) else None
    if (
        not isinstance(text, str)
        or not isinstance(id_, str | None)
        or not isinstance(over, str | None)
        or selection not in ("INCLUDED", "EXCLUDED")
    ):
        raise ConfigurationError(
            f"a value of the filter {type_} cannot be read: pass the URL unchanged"
        )
    return Value(text, id_, selection == "EXCLUDED", over)
