"""Whom or what to look up, as far as it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from ..core.errors import ConfigurationError
from ..linkedin import Kind, Link, classify

About = Literal["person", "company"]
"""What a link, a step or a result is about."""

_EMAIL = re.compile(r"[^@\s<>\"',;/:]+@[^@\s<>\"',;/:]+\.[^@\s<>\"',;/:]+")
_ABOUT: dict[Kind, About] = {
    "person": "person",
    "lead": "person",
    "recruiter": "person",
    "organisation": "company",
    "account": "company",
}
# The pages that everybody has one of; those of Sales Navigator carry more than their id.
_PUBLIC = ("person", "organisation")


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person or a company to look up. Make one from a text with `Target.of`.

    At least a LinkedIn link, an e-mail address, or a name and a company.
    """

    text: str = ""
    """As it was given, or whatever leads the caller back to a row of their own."""
    linkedin_url: str | None = None
    """A profile or company page, also of Sales Navigator."""
    email: str | None = None
    name: str | None = None
    company: str | None = None
    """The name of the company that the person works at."""

    @classmethod
    def of(cls, given: Target | str) -> Target:
        """A target from a link, a URN, an e-mail address, or a target, which is checked.

        Raises `ConfigurationError` for what cannot be looked up. Asks nobody.
        """
        if not isinstance(given, Target):
            return cls._read(given)
        if given.linkedin_url is not None:
            link = _link(given.linkedin_url)
            return msgspec.structs.replace(given, linkedin_url=_sent(given.linkedin_url, link))
        if not (given.email or (given.name and given.company)):
            raise ConfigurationError(
                "a target needs a linkedin_url, an email, or a name and a company"
            )
        return given

    @classmethod
    def _read(cls, text: str) -> Target:
        address = text.strip()
        if address[:7].lower() == "mailto:":
            address = address[7:]
        if _EMAIL.fullmatch(address):
            return cls(text=text, email=address)
        return cls(text=text, linkedin_url=_sent(address, _link(address)))

    @property
    def about(self) -> About | None:
        """What the link is about; None without one."""
        return _ABOUT[_link(self.linkedin_url).kind] if self.linkedin_url else None

    @property
    def page(self) -> str | None:
        """The public LinkedIn page in its one spelling; None for Sales Navigator's and none."""
        link = classify(self.linkedin_url or "")
        return link.url if link.kind in _PUBLIC else None

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these are known: `linkedin_url`, `email`, `name`, `company`."""
        return all(getattr(self, name) for name in names)


def _link(text: str) -> Link:
    link = classify(text)
    if link.kind not in _ABOUT:
        raise ConfigurationError(
            "a target is a LinkedIn profile or company page, or an e-mail address, not "
            f"{link.kind.replace('_', ' ')}: pass https://www.linkedin.com/in/<name>"
        )
    return link


def _sent(given: str, link: Link) -> str:
    """The canonical link where it says everything; else the given one, as a whole URL."""
    if link.kind in _PUBLIC or "linkedin.com" not in given:
        return link.url
    return given if "//" in given else f"https://{given}"
