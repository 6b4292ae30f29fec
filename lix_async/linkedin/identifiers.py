"""Identifiers: the one id that a call wants, out of whatever spelling the caller has.

Each function takes a URL, a URN or the bare id, and raises `ConfigurationError` for a link of
another kind. What the API calls these ids: lix.md#encoding, lix.md#id-lookup,
lix.md#jobs-and-posts, lix.md#jobs.hirers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from lix_async.core.errors import ConfigurationError

from . import urns
from .address import ENCODED, identifier, shown, stripped
from .kinds import Kind, Link
from .links import classify, read

_BARE = re.compile(r"[^\s/.:@?#]+")
_PAGE = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:(?:comm|mwlite)/)?([^?#]*)(?:\?([^#]*))?",
    re.ASCII | re.IGNORECASE,
)
_COMPANY_ID = re.compile(r"(?:^|&)companyId=([0-9]+)", re.ASCII)


def public_identifier(text: str) -> str:
    """The `<name>` of linkedin.com/in/<name>, decoded and in lower case.

    LookC gives bare names where a URL is promised (lookc.md#hit); they are taken as well.
    An encoded profile id (`ACoAA…`), which LinkedIn accepts in that place, comes back as it is.
    """
    bare = stripped(text)
    if _BARE.fullmatch(bare):
        return identifier(bare)
    return _wanted(text, ("person",), "a profile: pass https://www.linkedin.com/in/<name>").id


def sales_nav_id(text: str) -> str:
    """The `<id>` of linkedin.com/sales/lead/<id>,NAME,xx, its other spellings and its URN.

    The spellings are `/sales/people/`, `/sales/person/` and LookC's `/sales/<id>,NAME,undefined`.
    """
    bare = stripped(text)
    if ENCODED.fullmatch(bare):
        return bare
    return _wanted(
        text, ("lead",), "a Sales Navigator person: pass https://www.linkedin.com/sales/lead/<id>"
    ).id


def company_id(text: str) -> str:
    """The slug or the digits of a company, school, showcase page or Sales Navigator account.

    A slug with a dot in it (`booking.com`) is taken only within its URL: alone it is a website.
    """
    bare = stripped(text)
    if _BARE.fullmatch(bare):
        return identifier(bare)
    return _wanted(
        text,
        ("organisation", "account"),
        "a company: pass https://www.linkedin.com/company/<slug>",
    ).id


def post_urn(text: str) -> str:
    """The URN of a post: `urn:li:activity:<digits>`, or `ugcPost` or `share` where a URL says so.

    The 19 digits alone are taken for an activity. Only activities are documented for `post_urn`
    (lix.md#enrich.post); which activity belongs to a share, LinkedIn alone knows.
    """
    bare = stripped(text)
    if re.fullmatch("[0-9]{19}", bare):
        return urns.post("activity", bare).urn or ""
    return _wanted(text, ("post",), "a post: pass its URL or urn:li:activity:<digits>").urn or ""


def job_id(text: str) -> str:
    """The digits of a job posting, or of the job that a job search shows (`currentJobId=`)."""
    bare = stripped(text)
    if bare.isascii() and bare.isdigit():
        return bare
    remedy = "a job posting: pass https://www.linkedin.com/jobs/view/<digits>"
    id_ = _wanted(text, ("job", "job_search"), remedy).id
    if not id_:
        raise ConfigurationError(f"{shown(text)} is a job search that shows no job, not {remedy}")
    return id_


def same(a: str, b: str) -> bool:
    """Whether two texts name one person, company, post, job, list, thread or search.

    A bare id is compared with a link as an id of the link's kind. A public identifier and an
    encoded id of one person cannot be told to be the same without asking; False then.
    """
    one, two = classify(a), classify(b)
    if one.kind == "unknown":
        one = _bare(a, two.kind) or one
    elif two.kind == "unknown":
        two = _bare(b, one.kind) or two
    return one.identity is not None and one.identity == two.identity


def _wanted(text: str, kinds: tuple[Kind, ...], remedy: str) -> Link:
    link = read(text)
    if link.kind not in kinds:
        what = link.kind.replace("_", " ")
        raise ConfigurationError(f"{shown(text)} is {what}, not {remedy}")
    return link


_READERS: dict[Kind, Callable[[str], str]] = {
    "person": public_identifier,
    "lead": sales_nav_id,
    "recruiter": sales_nav_id,
    "organisation": company_id,
    "account": company_id,
    "job": job_id,
}


def _bare(text: str, kind: Kind) -> Link | None:
    """A text that is no link, read as the bare id of something of that kind."""
    try:
        if kind == "post":
            return Link(kind, urn=post_urn(text))
        reader = _READERS.get(kind)
        return Link(kind, id=reader(text)) if reader else None
    except ConfigurationError:
        return None


def profile_name(link: str | None) -> str | None:
    """The `<name>` of linkedin.com/in/<name>, decoded, with its case; None for any other text.

    Unlike `public_identifier`, this and the functions below never raise. They read the links in
    providers' answers, where a field may hold anything.
    """
    section, name = _section_and_name(link)
    return name if section == "in" else None


def profile_slug(link: str | None) -> str | None:
    """The `<name>` of linkedin.com/in/<name>, decoded, in lower case; None for any other text."""
    name = profile_name(link)
    return name and name.lower()


def company_slug(link: str | None) -> str | None:
    """The `<name>` of linkedin.com/company/<name>, decoded, in lower case.

    Schools and showcase pages count as companies. None for any other text.
    """
    section, name = _section_and_name(link)
    return name.lower() if section in ("company", "school", "showcase") else None


def sales_lead_id(link: str | None) -> str | None:
    """The `<id>` of linkedin.com/sales/lead/<id>,NAME_SEARCH,…, with its case.

    None for any other text.
    """
    section, name = _section_and_name(link)
    return name if section in ("sales/lead", "sales/people", "sales/person") else None


def sales_company_id(link: str | None) -> str | None:
    """The digits of linkedin.com/sales/company/<digits>, or of a `companyId` parameter.

    None for any other text, such as the placeholder linkedin.com/sales/company/.
    """
    section, name = _section_and_name(link)
    if section == "sales/company":
        return name
    page = _PAGE.fullmatch((link or "").partition("#")[0])
    found = _COMPANY_ID.search(page[2] or "") if page else None
    return found[1] if found else None


def _section_and_name(link: str | None) -> tuple[str, str]:
    """("in", "ada") for `https://uk.linkedin.com/in/ada/en?trk=x`; ("", "") for any other text."""
    page = _PAGE.fullmatch((link or "").partition("#")[0])
    parts = [unquote(part) for part in page[1].split("/") if part] if page else []
    depth = 2 if parts[:1] == ["sales"] else 1
    if len(parts) <= depth:
        return "", ""
    name = parts[depth].partition(",")[0] if depth == 2 else parts[depth]
    return ("/".join(parts[:depth]).lower(), name) if name else ("", "")
