"""Links, e-mail addresses and websites as lookup targets, and the one table of lookup kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...core.canonical import email_form, website_form
from ...core.endpoint import AnyEndpoint
from ...core.models import Params
from ...linkedin import Link, classify
from ...linkedin.address import stripped
from ...linkedin.fields import is_linkedin_url
from ...linkedin.links import plain
from ...providers.lix.endpoints import BY_ID
from ...providers.lix.params import EmailParams, OrganisationParams, PersonParams, WebsiteParams
from ..errors import CommandError
from ..text import one_line
from .lookup_kinds import ENDPOINT_IDS, LookupKind
from .redirects import links_inside

if TYPE_CHECKING:
    from ...engine.answer import Answer
    from ...engine.call_key import Input
    from ...providers.lix.client import AsyncLix


class LookupTarget(NamedTuple):
    """A person, an organisation, an e-mail address or a website to look up."""

    kind: LookupKind
    key: str
    """Identifies the target; the same for all ways to write its link."""
    text: str
    """The input, without spaces, quotes and punctuation around it."""
    sent: str
    """What is sent to the provider: the input if it is a LinkedIn URL or a website, else the
    canonical one."""
    sales: bool = False
    """Whether an organisation is given by its Sales Navigator page."""


class TargetNames(NamedTuple):
    """What messages call a kind of target."""

    one: str
    many: str


TARGET_NAMES: Mapping[LookupKind, TargetNames] = {
    "person": TargetNames("a person's link", "links of people"),
    "org": TargetNames("a company's link", "links of companies"),
    "email": TargetNames("an e-mail address", "e-mail addresses"),
    "website": TargetNames("a website", "websites"),
}


class Lookup(NamedTuple):
    """How one kind of lookup is done."""

    endpoint: AnyEndpoint
    method: str
    """The method of `AsyncLix` over that endpoint."""
    accepts: frozenset[LookupKind]
    """The kinds of target that it takes: `person` takes e-mail addresses as well as profiles."""


def _lookup(kind: LookupKind, method: str, *accepts: LookupKind) -> Lookup:
    return Lookup(BY_ID[ENDPOINT_IDS[kind]], method, frozenset(accepts))


LOOKUPS: Mapping[LookupKind, Lookup] = {
    "person": _lookup("person", "people.get", "person", "email"),
    "org": _lookup("org", "organisations.get", "org"),
    "email": _lookup("email", "contact.email", "person"),
    "website": _lookup("website", "organisations.by_website", "website"),
}
"""The kinds of lookup that `lix person`, `org`, `email`, `enrich` and `worker` do."""
LINK_KINDS: frozenset[LookupKind] = frozenset({"person", "org", "email"})
"""The kinds of target that are found by what a text is; a website is read where it is asked for."""


def accepted_kinds(*asked: LookupKind | None) -> frozenset[LookupKind]:
    """The kinds of target that lookups of some kinds take; None stands for what a link is."""
    taken = (LINK_KINDS if kind is None else LOOKUPS[kind].accepts for kind in asked)
    return frozenset[LookupKind]().union(*taken)


_EMAIL = re.compile(r"[^@\s<>\"',;/:]+@[^@\s<>\"',;/:]+\.[^@\s<>\"',;/:]+")
_REDIRECTS = 3
"""Links inside one another: a mail filter's around a search engine's around LinkedIn's own."""
_LINK = re.compile(r"(?:https?://|(?:[a-z0-9-]+\.)+[a-z]+/)\S{1,8192}", re.IGNORECASE)
_AFTER_LINK = ",;|. \t\r\n"
_SEVERAL = re.compile(r"[,;|]\s*https?://", re.IGNORECASE)
"""A link behind another one: no redirect, and no part of a name."""
_HTTP = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(
    r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})"
)
"""A host name with a top-level domain, in IDNA."""
_SHORT_LINKS = "lnkd.in"
_COMMANDS: Mapping[str, str] = {
    "people_search": "search people",
    "job_search": "search jobs",
    "post_search": "search posts",
    "org_search": "search orgs",
    "lead_search": "leads",
    "account_search": "accounts",
    "person": "person",
    "lead": "person",
    "recruiter": "person",
    "organisation": "org",
    "account": "org",
    "job": "call enrich.job --job-id {id}",
    "post": "call enrich.post --post-urn {urn}",
    "lead_list": "call sales.list_people --list-id {id}",
    "account_list": "call sales.list_orgs --list-id {id}",
}
_PEOPLE = ("person", "lead", "recruiter")
_ORGS = ("organisation", "account")


def command_for(url: str) -> str | None:
    """The `lix` command for a LinkedIn link, with its arguments; None if there is none."""
    link = classify(url)
    command = _COMMANDS.get(link.kind)
    if command is None:
        return None
    return command.format(id=link.id, urn=link.urn) if "{" in command else f'{command} "URL"'


def check_url(url: str, command: str) -> str:
    """Check the URL argument of a search command.

    Returns:
        The URL with a scheme.

    Raises:
        CommandError: It is not a LinkedIn URL, or it belongs to another command, which is named.
    """
    url = url.strip()
    if not is_linkedin_url(url, bare=True):
        raise CommandError(
            f"not a LinkedIn URL: {one_line(url, 80)!r}",
            hint="copy it from the browser's address bar, and put it in quotes",
        )
    right = command_for(url)
    if right is not None and right != f'{command} "URL"':
        raise CommandError(f"this URL is not for `lix {command}`", hint=f"try: lix {right}")
    if "/search/results/all" in url:
        raise CommandError(
            "LinkedIn's combined search of everything is not supported",
            hint="choose People, Jobs, Posts or Companies on LinkedIn, and copy that URL",
        )
    return url if "//" in url else f"https://{url}"


def parse_target(text: str) -> LookupTarget | None:
    """The person, organisation or e-mail address that a text names, or None.

    A link that redirects to one names it too.
    """
    if (found := plain(text)) is not None:  # as most cells of a file are
        kind, name = found
        return LookupTarget("person" if kind == "person" else "org", f"{kind} {name}", text, text)
    return _parsed(stripped(text).rstrip(_AFTER_LINK), _REDIRECTS)


def _parsed(text: str, redirects: int) -> LookupTarget | None:
    email = text[7:] if text[:7].lower() == "mailto:" else text
    if _EMAIL.fullmatch(email):
        return LookupTarget("email", email_form(email), text, email)
    if _SEVERAL.search(text):
        return None
    link = classify(text)
    if link.kind == "unknown" and redirects and _LINK.fullmatch(text):
        inside = (_parsed(one, redirects - 1) for one in links_inside(text))
        return next((target._replace(text=text) for target in inside if target), None)
    key = link.identity
    if key is None:
        return None
    if link.kind in _PEOPLE:
        return LookupTarget("person", key, text, _sent(text, link))
    if link.kind in _ORGS:
        return LookupTarget("org", key, text, _sent(text, link), link.kind == "account")
    return None


def parse_website(text: str) -> LookupTarget | None:
    """The website that a text is, with or without a scheme, or None.

    A page of LinkedIn is none, nor what leads to one: it belongs to a person or a company.
    """
    text = stripped(text).rstrip(_AFTER_LINK)
    rest = _without_http(text)
    if any(map(str.isspace, text)) or _SCHEME.match(rest) or _SEVERAL.search(text):
        return None
    host = website_form(rest)
    if _HOST.fullmatch(host) is None or is_linkedin_page(text) or parse_target(text) is not None:
        return None
    return LookupTarget("website", host, text, text)


def is_linkedin_page(text: str) -> bool:
    """Whether a text is the URL of something at LinkedIn, and not only its domain."""
    rest = _without_http(text)
    if not rest.partition("/")[2]:
        return False
    return is_linkedin_url(rest, bare=True) or website_form(rest) == _SHORT_LINKS


def _without_http(text: str) -> str:
    scheme = _HTTP.match(text)
    return text if scheme is None else text[scheme.end() :]


def parser_of(kind: LookupKind | None) -> Callable[[str], LookupTarget | None]:
    """What reads the target of a kind of lookup; None stands for what a link is."""
    return parse_website if kind == "website" else parse_target


def target_weight(target: LookupTarget) -> int:
    """What a target counts in its column: of two with the same people, public links are better."""
    if target.kind == "email":
        return 9
    return 5 if "/sales/" in target.sent else 10


def _sent(text: str, link: Link) -> str:
    return text if is_linkedin_url(text, bare=True) else link.url


def params_for(kind: LookupKind, target: LookupTarget) -> Params:
    """The parameters of a lookup."""
    if kind == "website":
        return WebsiteParams(website=target.sent)
    if kind == "email":
        return EmailParams(url=target.sent)
    if kind == "org":
        if target.sales:
            return OrganisationParams(sales_nav_url=target.sent)
        return OrganisationParams(linkedin_url=target.sent)
    if target.kind == "email":
        return PersonParams(email=target.sent)
    return PersonParams(profile_link=target.sent)


async def look_up(lix: AsyncLix, kind: LookupKind, target: LookupTarget) -> Answer[object]:
    """Look one target up."""
    return await lix.send(LOOKUPS[kind].endpoint, params_for(kind, target))


def lookup_kind(requested: LookupKind | None, target: LookupTarget) -> LookupKind:
    """The kind of lookup for a target: the requested one, else by what the target is."""
    if requested is not None:
        return requested
    return "org" if target.kind == "org" else "person"


def method_input(kind: LookupKind, target: LookupTarget) -> Input:
    """A target as the first argument of its lookup's method, or as a keyword argument."""
    if kind == "person" and target.kind == "email":
        return {"email": target.sent}
    if kind == "org" and target.sales:
        return {"sales_nav_url": target.sent}
    return target.sent
