"""Identifiers: the id that a call takes, from a URL, a URN or the bare id.

Each function raises `ConfigurationError` for a link of another kind. What the API calls these ids:
lix.md#encoding, lix.md#id-lookup, lix.md#jobs-and-posts, lix.md#jobs.hirers.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lix_async.core.errors import ConfigurationError

from . import urns
from .address import identifier, shown, stripped
from .kinds import ENCODED, Kind, Link
from .links import classify, read

_BARE = re.compile(r"[^\s/.:@?#]+")


def public_identifier(text: str) -> str:
    """The `<name>` of linkedin.com/in/<name>, decoded and in lower case.

    Bare names are accepted as well, because LookC sends them in place of a URL (lookc.md#hit). An
    encoded profile id (`ACoAA…`), which LinkedIn accepts in its place, is returned unchanged.
    """
    bare = stripped(text)
    if _BARE.fullmatch(bare):
        return identifier(bare)
    found = _wanted(text, ("person",), "a profile: pass https://www.linkedin.com/in/<name>").id
    if "/" in found:
        raise ConfigurationError(
            f"{shown(text)} is an address of LinkedIn's first years without the name of today: "
            "open it and pass the URL that it redirects to"
        )
    return found


def sales_nav_id(text: str) -> str:
    """The `<id>` of linkedin.com/sales/lead/<id>,NAME,xx, of its other forms, and of its URN.

    The other forms are `/sales/people/`, `/sales/person/` and LookC's `/sales/<id>,NAME,undefined`.
    """
    bare = stripped(text)
    if ENCODED.fullmatch(bare):
        return bare
    return _wanted(
        text, ("lead",), "a Sales Navigator person: pass https://www.linkedin.com/sales/lead/<id>"
    ).id


def company_id(text: str) -> str:
    """The name or the digits of a company, school, showcase page or Sales Navigator account.

    A name with a dot in it (`booking.com`) is accepted only in its URL: alone it is a website.
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
    """The URN of a post: `urn:li:activity:<digits>`, or `ugcPost` or `share` if a URL says so.

    A bare number of 19 digits is read as an activity. Only activities are documented for `post_urn`
    (lix.md#enrich.post); the activity of a share cannot be found without asking LinkedIn.
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
        raise ConfigurationError(
            f"{shown(text)} is a job search without a selected job, not {remedy}"
        )
    return id_


def same(a: str, b: str) -> bool:
    """Whether two texts name the same person, company, post, job, list, thread or search.

    A bare id is compared with a link as an id of the link's kind. It is False for a public
    identifier and an encoded id, even of one person: the network is needed to compare those.
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
    """A text that is not a link, read as the bare id of something of that kind."""
    try:
        if kind == "post":
            return Link(kind, urn=post_urn(text))
        reader = _READERS.get(kind)
        return Link(kind, id=reader(text)) if reader else None
    except ConfigurationError:
        return None
