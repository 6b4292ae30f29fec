"""Links: what a LinkedIn URL or URN points to, and its canonical form.

`_ROUTES` maps the beginning of a path to the function that reads the rest; the longest match wins.
The forms come from lix.md#encoding, lix.md#value-quirks, lix.md#id-lookup, lix.md#sales-navigator,
lix.md#objects, lix.md#search-urls and lookc.md#hit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lix_async.core.errors import ConfigurationError

from . import urns
from .address import SITE, LinkedInUrl, identifier, page, shown, split
from .kinds import ENCODED, Kind, Link

Reader = Callable[[str, LinkedInUrl], Link | None]
"""Reads the path segment after the known ones ("" if there is none), or the parameters."""

# Links in LinkedIn's mails and on its old mobile pages begin with one of these.
_WRAPPERS = ("comm", "mwlite")
# The form of most links, which needs no normalising. Bulk runs read very many of them.
_PLAIN = re.compile(
    r"https://(?:www\.)?linkedin\.com/(in|company)/([a-z0-9-]*[a-z][a-z0-9-]*)/?", re.ASCII
)
_PLAIN_KINDS: dict[str, Kind] = {"in": "person", "company": "organisation"}
_PLAIN_HEADS = {kind: head for head, kind in _PLAIN_KINDS.items()}
_OLD_NUMBER = re.compile(r"[0-9a-f]{1,3}", re.IGNORECASE)
_JOB = re.compile(r"(?:^|.*-)([0-9]{6,20})|([0-9]+)")


def plain(text: str) -> tuple[Kind, str] | None:
    """Kind and id of a link in the most common form; None for any other text."""
    found = _PLAIN.fullmatch(text)
    return None if found is None else (_PLAIN_KINDS[found[1]], found[2])


def read(text: str) -> Link:
    """What a LinkedIn URL or URN names.

    Raises:
        ConfigurationError: The text is neither, or names nothing that is known here.
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
            raise ConfigurationError(f"{shown(text)} has no id after /{'/'.join(heads[:depth])}")
    link = urns.post_in("/".join(segments))
    if link:
        return link
    raise ConfigurationError(
        f"{shown(text)} is not a supported page: pass a profile, company, post, job, "
        "list, thread or search"
    )


def classify(text: str) -> Link:
    """Kind, id, canonical URL and URN of a text. Never raises, and never uses the network.

    A text that is not a LinkedIn URL or URN, or that names nothing (such as the placeholder
    `https://linkedin.com/sales/company/`, lix.md#value-quirks), is of kind `unknown`.
    """
    try:
        return read(text)
    except ConfigurationError:
        return Link("unknown")


def normalise(text: str) -> str:
    """The canonical URL for a LinkedIn URL or URN; a canonical URL is returned unchanged.

    The result is https on www.linkedin.com, without locale, tab, query or fragment, and with
    identifiers in lower case and NFC, percent-encoded. Only searches keep their parameters,
    unchanged.

    Raises:
        ConfigurationError: The text cannot be read, or names something without a page.
    """
    link = read(text)
    if not link.url:
        raise ConfigurationError(f"{shown(text)} has no page of its own: pass a URL instead")
    return link.url


def page_of_id(kind: str, id_: str) -> str | None:
    """The page that an id of a kind names; None for one that no page has. See `subject_ids`."""
    segments = {
        "profile": ("in",),
        "slug": ("in",),
        "sales": ("sales", "lead"),
        "recruiter": ("talent", "profile"),
        "organisation": ("company",),
        "company": ("company",),
    }.get(kind)
    return None if segments is None else page(*segments, id_)


def _person(text: str, _: LinkedInUrl) -> Link | None:
    if not text:
        return None
    name = identifier(text)
    return urns.person(name) or Link("person", name, page("in", name))


def _organisation(text: str, _: LinkedInUrl) -> Link | None:
    # Schools and showcase pages share the names of companies; LinkedIn redirects between them.
    if not text:
        return None
    name = identifier(text)
    return urns.company(name) or Link("organisation", name, page("company", name))


def _lead(text: str, _: LinkedInUrl) -> Link | None:
    return urns.lead(text)


def _incomplete_lead(text: str, _: LinkedInUrl) -> Link | None:
    # lookc.md#hit: `linkedin.com/sales/<id>,NAME,undefined` lacks its segment `lead`.
    return urns.lead(text) if "," in text or ENCODED.fullmatch(text) else None


def _recruiter(text: str, _: LinkedInUrl) -> Link | None:
    link = urns.lead(text)
    return link and Link("recruiter", link.id, page("talent", "profile", link.id))


def _classic_recruiter(text: str, _: LinkedInUrl) -> Link | None:
    link = urns.lead(text)
    return link and Link("recruiter", link.id, page("recruiter", "profile", link.id))


def _in_project(_: str, address: LinkedInUrl) -> Link | None:
    # Inside a project or a search of Recruiter: /talent/hire/<project>/discover/…/profile/<id>
    text = _after("profile", address)[:1]
    return _recruiter(text[0], address) if text else None


def _old_person(_: str, address: LinkedInUrl) -> Link | None:
    # /pub/<name>/7/644/b35. /pub/dir/<first>/<last> lists everybody of a name.
    name, *numbers = [*_after("pub", address), ""][:4]
    if len(numbers) < 3 or not all(map(_OLD_NUMBER.fullmatch, numbers)):
        return None
    parts = [identifier(name), *(number.lower() for number in numbers)]
    return Link("person", "/".join(parts), page("pub", *parts))


def _after(name: str, address: LinkedInUrl) -> tuple[str, ...]:
    """The segments of a path after the first one of a name."""
    names = [part.lower() for part in address.segments]
    return address.segments[names.index(name) + 1 :] if name in names else ()


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
    ("pub",): _old_person,
    ("company",): _organisation,
    ("school",): _organisation,
    ("showcase",): _organisation,
    ("posts",): _post,
    ("feed", "update"): _post,
    ("jobs",): _shown_job,
    ("jobs", "view"): _job,
    ("jobs", "search"): _search("job_search", "/jobs/search/"),
    ("jobs", "search-results"): _search("job_search", "/jobs/search-results/"),
    ("search", "results", "people"): _search("people_search", "/search/results/people/"),
    ("search", "results", "companies"): _search("org_search", "/search/results/companies/"),
    ("search", "results", "content"): _search("post_search", "/search/results/content/"),
    ("messaging", "thread"): _thread,
    ("talent",): _in_project,
    ("talent", "profile"): _recruiter,
    ("recruiter", "profile"): _classic_recruiter,
    ("sales",): _incomplete_lead,
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
