"""Links: what a LinkedIn URL or URN points at, and how it is written once and for all.

A row of `_ROUTES` says which reader takes the paths that begin so; the longest beginning wins.
The spellings come from lix.md#encoding, lix.md#value-quirks, lix.md#id-lookup,
lix.md#sales-navigator, lix.md#objects, lix.md#search-urls and lookc.md#hit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params

from . import urns
from .address import ENCODED, SITE, LinkedInUrl, identifier, page, shown, split
from .kinds import Kind, Link

Reader = Callable[[str, LinkedInUrl], Link | None]
"""Reads the path segment after the known ones ("" without one), or the parameters."""

# Links in LinkedIn's mails and on its old mobile pages carry one of these in front.
_WRAPPERS = ("comm", "mwlite")
# Most links by far: nothing in them has a second spelling. Bulk runs read them by the million.
_PLAIN = re.compile(
    r"https://(?:www\.)?linkedin\.com/(in|company)/([a-z0-9-]*[a-z][a-z0-9-]*)/?", re.ASCII
)
_PLAIN_KINDS: dict[str, Kind] = {"in": "person", "company": "organisation"}
_PLAIN_HEADS = {kind: head for head, kind in _PLAIN_KINDS.items()}
_ON_LINKEDIN = re.compile(
    r"(https?://)?(?:[a-z0-9-]+\.)*linkedin\.com(?:[/?#].*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_JOB = re.compile(r"(?:^|.*-)([0-9]{6,20})|([0-9]+)")


def plain(text: str) -> tuple[Kind, str] | None:
    """Kind and id of a link that is spelled as most are; None for every other text."""
    found = _PLAIN.fullmatch(text)
    return None if found is None else (_PLAIN_KINDS[found[1]], found[2])


def read(text: str) -> Link:
    """What a LinkedIn URL or URN names.

    Raises `ConfigurationError` naming what is wrong, for a text that is neither.
    """
    if (found := plain(text)) is not None:
        kind, name = found
        return Link(kind, name, f"{SITE}/{_PLAIN_HEADS[kind]}/{name}")
    if urns.is_urn(text):
        return urns.from_urn(text)
    address = split(text)
    segments = address.segments
    if segments and segments[0].lower() in _WRAPPERS:
        segments = segments[1:]
    heads = tuple(part.lower() for part in segments)
    for depth in (3, 2, 1):
        reader = _ROUTES.get(heads[:depth])
        if reader and len(heads) >= depth:
            link = reader((*segments, "")[depth], address)
            if link:
                return link
            raise ConfigurationError(
                f"{shown(text)} names nothing: no id stands after /{'/'.join(heads[:depth])}"
            )
    link = urns.post_in("/".join(segments))
    if link:
        return link
    raise ConfigurationError(
        f"{shown(text)} is no page that this library knows: pass a profile, company, post, job, "
        "list, thread or search"
    )


def classify(text: str) -> Link:
    """What a text points at: kind, id, canonical URL and URN. Never raises, never asks anyone.

    Whatever is no LinkedIn URL or URN, or names nothing (such as the placeholder
    `https://linkedin.com/sales/company/`, lix.md#value-quirks), is of kind `unknown`.
    """
    try:
        return read(text)
    except ConfigurationError:
        return Link("unknown")


def normalise(text: str) -> str:
    """The canonical URL of what a LinkedIn URL or URN names; a canonical URL stays as it is.

    https on www.linkedin.com; no locale, tab, query or fragment; identifiers in lower case and
    NFC, percent-encoded. Only searches keep their parameters, and keep them byte for byte.
    Raises `ConfigurationError` naming what is wrong and what to pass instead.
    """
    link = read(text)
    if not link.url:
        raise ConfigurationError(f"{shown(text)} has no page of its own: pass a URL instead")
    return link.url


def is_linkedin_url(text: str, *, bare: bool = False) -> bool:
    """Whether a text is a URL on linkedin.com or a subdomain of it, safe to send as it is.

    Stricter than `classify`: user names, ports, blanks and control characters are not accepted,
    so that every parser sees the same host. With `bare`, the scheme may be missing.
    """
    found = None if _BLANK_OR_CONTROL.search(text) else _ON_LINKEDIN.fullmatch(text)
    return found is not None and (bare or found[1] is not None)


def check_linkedin_urls(params: Params, *names: str, bare: bool = False) -> None:
    """Raise `ConfigurationError` when a named field is neither None nor a LinkedIn URL."""
    for name in names:
        value: object = getattr(params, name)
        if value is None or (isinstance(value, str) and is_linkedin_url(value, bare=bare)):
            continue
        raise ConfigurationError(
            f"{name} must be a URL on linkedin.com, as the browser shows it "
            "(https://www.linkedin.com/…): no other host, no spaces"
        )


def _person(text: str, _: LinkedInUrl) -> Link | None:
    if not text:
        return None
    name = identifier(text)
    return urns.person(name) or Link("person", name, page("in", name))


def _organisation(text: str, _: LinkedInUrl) -> Link | None:
    # Schools and showcase pages share the names of companies, and LinkedIn redirects between them.
    if not text:
        return None
    name = identifier(text)
    return urns.company(name) or Link("organisation", name, page("company", name))


def _lead(text: str, _: LinkedInUrl) -> Link | None:
    return urns.lead(text)


def _misspelt_lead(text: str, _: LinkedInUrl) -> Link | None:
    # lookc.md#hit: `linkedin.com/sales/<id>,NAME,undefined` lacks its segment `lead`.
    return urns.lead(text) if "," in text or ENCODED.fullmatch(text) else None


def _recruiter(text: str, _: LinkedInUrl) -> Link | None:
    link = urns.lead(text)
    return link and Link("recruiter", link.id, page("talent", "profile", link.id))


def _account(text: str, _: LinkedInUrl) -> Link | None:
    return urns.account(text.partition(",")[0])


def _insights(_: str, address: LinkedInUrl) -> Link | None:
    return urns.account(address.raw("companyId") or "")


def _post(text: str, _: LinkedInUrl) -> Link | None:
    return urns.post_in(text)


def _job(text: str, _: LinkedInUrl) -> Link | None:
    found = _JOB.fullmatch(text)
    return urns.job(found[1] or found[2]) if found else None


def _shown_job(_: str, address: LinkedInUrl) -> Link | None:
    return urns.job(address.raw("currentJobId") or "")


def _thread(text: str, _: LinkedInUrl) -> Link | None:
    return urns.thread(text)


def _sales_thread(text: str, _: LinkedInUrl) -> Link | None:
    return urns.sales_thread(text)


def _search(kind: Kind, path: str) -> Reader:
    def reader(_: str, address: LinkedInUrl) -> Link:
        job = _shown_job("", address) if kind == "job_search" else None
        return Link(kind, id=job.id if job else "", url=f"{SITE}{path}{address.parameters}")

    return reader


def _list(kind: Kind, section: str) -> Reader:
    def reader(text: str, _: LinkedInUrl) -> Link | None:
        digits = text.isascii() and text.isdigit()
        return Link(kind, text, page("sales", "lists", section, text)) if digits else None

    return reader


_ROUTES: dict[tuple[str, ...], Reader] = {
    ("in",): _person,
    ("company",): _organisation,
    ("school",): _organisation,
    ("showcase",): _organisation,
    ("posts",): _post,
    ("feed", "update"): _post,
    ("jobs",): _shown_job,
    ("jobs", "view"): _job,
    ("jobs", "search"): _search("job_search", "/jobs/search/"),
    ("search", "results", "people"): _search("people_search", "/search/results/people/"),
    ("search", "results", "companies"): _search("org_search", "/search/results/companies/"),
    ("search", "results", "content"): _search("post_search", "/search/results/content/"),
    ("messaging", "thread"): _thread,
    ("talent", "profile"): _recruiter,
    ("sales",): _misspelt_lead,
    ("sales", "lead"): _lead,
    ("sales", "people"): _lead,
    ("sales", "person"): _lead,
    ("sales", "company"): _account,
    ("sales", "accounts", "insights"): _insights,
    ("sales", "search", "people"): _search("lead_search", "/sales/search/people"),
    ("sales", "search", "company"): _search("account_search", "/sales/search/company"),
    ("sales", "lists", "people"): _list("lead_list", "people"),
    ("sales", "lists", "company"): _list("account_list", "company"),
    ("sales", "inbox"): _sales_thread,
}
