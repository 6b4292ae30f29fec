"""Parsing of LinkedIn links: profiles, companies, searches and their pages.

Written independently of `lix_async.linkedin`, so that an error there is noticed by the tests.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..protocol.errors import params_invalid

_PERSON = re.compile(r"^/(?:in|pub)/([^/]+)", re.IGNORECASE)
_LEAD = re.compile(r"^/(?:sales/(?:lead|people|person)|talent/profile)/([^/,]+)", re.IGNORECASE)
_COMPANY = re.compile(r"^/(?:company|school|showcase)/([^/]+)", re.IGNORECASE)
_ACCOUNT = re.compile(r"^/sales/company/(\d*)", re.IGNORECASE)
_INSIGHTS = re.compile(r"[?&]companyId=(\d+)")
# Sales Navigator has its parameters after `#`, LinkedIn after `?` (lix.md#paging-url).
_POSITION = re.compile(r"(?<=[?&#])(?:page|start)=[^&#]*&?")
_DANGLING = re.compile(r"[?&]+(?=#|$)|#$")
_NUMBER = re.compile(r"[0-9]{1,9}")


class ParsedLink(NamedTuple):
    """The target of a link: `slug` of the public page, or `sales` for a Sales Navigator id."""

    kind: str
    value: str


def _parts(url: str) -> tuple[str, str]:
    text = url.strip()
    try:
        split = urlsplit(text if "//" in text else f"https://{text}")
        host = (split.hostname or "").lower()
    except ValueError:
        raise params_invalid(f"not a link: {url[:200]!r}") from None
    if host != "linkedin.com" and not host.endswith(".linkedin.com"):
        raise params_invalid(f"not a LinkedIn link: {url[:200]!r}")
    return split.path, text


def profile(url: str) -> ParsedLink:
    """The person of a link.

    Raises:
        ErrorReply: 400, it is not a link to a person.
    """
    path, _ = _parts(url)
    if found := _PERSON.match(path):
        return ParsedLink("slug", unquote(found[1]))
    if found := _LEAD.match(path):
        return ParsedLink("sales", unquote(found[1]).split(",")[0])
    raise params_invalid(f"not a profile link: {url[:200]!r}")


def company(url: str) -> ParsedLink:
    """The company of a link.

    Raises:
        ErrorReply: 400, it is not a link to a company.
    """
    path, text = _parts(url)
    if found := _ACCOUNT.match(path):
        return ParsedLink("sales", found[1])
    if found := _INSIGHTS.search(text):
        return ParsedLink("sales", found[1])
    if found := _COMPANY.match(path):
        value = unquote(found[1])
        return ParsedLink("sales", value) if value.isdigit() else ParsedLink("slug", value)
    raise params_invalid(f"not a company link: {url[:200]!r}")


def search(url: str) -> str:
    """The search of a LinkedIn URL: the URL without its position."""
    _parts(url)
    return _DANGLING.sub("", _POSITION.sub("", url.strip()))


def position(url: str, name: str) -> int | None:
    """The value of `page` or `start` in a LinkedIn URL, after `?` or `#`; the last one counts.

    Returns:
        None if the URL has none.

    Raises:
        ErrorReply: 400, the value is not a number.
    """
    found = re.findall(rf"[?&#]{name}=([^&#]*)", url)
    if not found:
        return None
    if not _NUMBER.fullmatch(found[-1]):
        raise params_invalid(f"{name} in the url is not a number")
    return int(found[-1])
