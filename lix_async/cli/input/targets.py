"""Links that people paste: what each one is, and which command it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..linkedin import Link, classify
from ..providers.lix.links import is_linkedin
from .errors import CommandError, one_line
from .kinds import Kind

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


class Target(NamedTuple):
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


def checked(url: str, command: str) -> str:
    """A URL that may go to a command. Raises `CommandError` that names the right one otherwise."""
    url = url.strip()
    if not is_linkedin(url, bare=True):
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


def target(text: str) -> Target | None:
    """What a text names: a person, an organisation, or an e-mail address; else None."""
    given = text.strip()
    address = given[7:] if given[:7].lower() == "mailto:" else given
    if _EMAIL.fullmatch(address):
        return Target("email", address.lower(), given, address)
    link = classify(given)
    key = link.identity
    if key is None:
        return None
    if link.kind in _PEOPLE:
        return Target("person", key, given, _sent(given, link))
    if link.kind in _ORGS:
        return Target("org", key, given, _sent(given, link), link.kind == "account")
    return None


def _sent(given: str, link: Link) -> str:
    return given if is_linkedin(given, bare=True) else link.url
