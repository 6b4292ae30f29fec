"""Links that people paste: what each one is, and which command it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from ...bulk.prepared_call import CallPreparer, Input, PreparedCall
from ...core.endpoint import AnyEndpoint
from ...core.errors import ConfigurationError
from ...core.models import Params
from ...engine.answer import Answer
from ...linkedin import Link, classify
from ...linkedin.links import is_linkedin_url
from ...providers.lix.client import AsyncLix
from ...providers.lix.endpoints import BY_ID
from ...providers.lix.params import EmailParams, OrganisationParams, PersonParams
from ..errors import CommandError
from ..text import one_line

_EMAIL = re.compile(r"[^@\s<>\"',;/:]+@[^@\s<>\"',;/:]+\.[^@\s<>\"',;/:]+")
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


class LookupTarget(NamedTuple):
    """Somebody or something to look up."""

    kind: Kind
    key: str
    """The same for every spelling."""
    text: str
    """As it was given."""
    sent: str
    """What goes to the provider: the given link, or the canonical one where it is no link."""
    sales: bool = False
    """An organisation by its Sales Navigator page."""


def command_for(url: str) -> str | None:
    """The command that a LinkedIn link belongs to, with its arguments; None if there is none."""
    link = classify(url)
    found = _COMMANDS.get(link.kind)
    if found is None:
        return None
    return found.format(id=link.id, urn=link.urn) if "{" in found else f'{found} "URL"'


def check_url(url: str, command: str) -> str:
    """A URL that may go to a command. Raises `CommandError` that names the right one otherwise."""
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
            "a search over everything cannot be walked",
            hint="choose People, Jobs, Posts or Companies on LinkedIn, and copy that URL",
        )
    return url if "//" in url else f"https://{url}"


def parse_target(text: str) -> LookupTarget | None:
    """What a text names: a person, an organisation, or an e-mail address; else None."""
    given = text.strip()
    address = given[7:] if given[:7].lower() == "mailto:" else given
    if _EMAIL.fullmatch(address):
        return LookupTarget("email", address.lower(), given, address)
    link = classify(given)
    key = link.identity
    if key is None:
        return None
    if link.kind in _PEOPLE:
        return LookupTarget("person", key, given, _sent(given, link))
    if link.kind in _ORGS:
        return LookupTarget("org", key, given, _sent(given, link), link.kind == "account")
    return None


def _sent(given: str, link: Link) -> str:
    return given if is_linkedin_url(given, bare=True) else link.url


TAKES: Mapping[Kind, frozenset[Kind]] = {
    "person": frozenset({"person", "email"}),
    "org": frozenset({"org"}),
    "email": frozenset({"person"}),
}
"""What may be given to each kind of lookup: people are found by link or address."""


def row_of(kind: Kind) -> AnyEndpoint:
    """The row of the table behind a kind of lookup."""
    return BY_ID[ROWS[kind]]


def params_of(kind: Kind, target: LookupTarget) -> Params:
    """What goes out for a target; links go as they were given."""
    if kind == "email":
        return EmailParams(url=target.sent)
    if kind == "org":
        if target.sales:
            return OrganisationParams(sales_nav_url=target.sent)
        return OrganisationParams(linkedin_url=target.sent)
    if target.kind == "email":
        return PersonParams(email=target.sent)
    return PersonParams(profile_link=target.sent)


async def ask(lix: AsyncLix, kind: Kind, target: LookupTarget) -> Answer[object]:
    """Look one target up."""
    return await lix.send(row_of(kind), params_of(kind, target))


def kind_of(wanted: Kind | None, known: LookupTarget) -> Kind:
    """What a target is looked up as: what was asked for, else people and companies as such."""
    if wanted is not None:
        return wanted
    return "org" if known.kind == "org" else "person"


class TargetCallPreparer(CallPreparer):
    """Turns links and addresses, as people write them, into calls: people, companies, e-mails."""

    def __init__(self, lix: AsyncLix, wanted: Kind | None = None) -> None:
        super().__init__(lix.people.get)
        self.name = ""  # a ledger may hold all three kinds
        self._wanted: Kind | None = wanted

    def call(self, given: Input) -> PreparedCall:
        """The call for a text. Raises `ConfigurationError` for one that names nobody."""
        known = parse_target(given) if isinstance(given, str) else None
        if known is None:
            raise ConfigurationError(f"not a link or an address: {given!r}")
        kind = kind_of(self._wanted, known)
        return self.made(row_of(kind), params_of(kind, known))


Kind = Literal["person", "org", "email"]


ROWS: Mapping[Kind, str] = {
    "person": "person.get",
    "org": "organisation.by_linkedin",
    "email": "contact.email_by_linkedin",
}
"""The endpoint that answers for each kind of lookup."""


KINDS: Mapping[str, str] = {endpoint: kind for kind, endpoint in ROWS.items()}


BEHIND: Mapping[str, str] = dict(ROWS.items())


METHODS: dict[Kind, str] = {
    "person": "people.get",
    "org": "organisations.get",
    "email": "contact.email",
}
"""The method of `AsyncLix` that answers for each kind of lookup."""


def input_for(kind: Kind, target: LookupTarget) -> Input:
    """A target as the first argument of its method, or as the keyword argument that it needs."""
    if kind == "person" and target.kind == "email":
        return {"email": target.sent}
    if kind == "org" and target.sales:
        return {"sales_nav_url": target.sent}
    return target.sent
