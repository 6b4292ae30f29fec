"""The persons and companies to look up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from ..core.bridge import ReadableStruct
from ..core.errors import ConfigurationError
from ..linkedin import Kind, Link, classify

About = Literal["person", "company"]
"""What a link, a step or a result describes."""

_EMAIL = re.compile(r"[^@\s<>\"',;/:]+@[^@\s<>\"',;/:]+\.[^@\s<>\"',;/:]+")
_ABOUT: dict[Kind, About] = {
    "person": "person",
    "lead": "person",
    "recruiter": "person",
    "organisation": "company",
    "account": "company",
}
# Kinds of links that have a canonical form. Links of Sales Navigator carry more than an id.
_PUBLIC = ("person", "organisation")


class Target(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person or a company to look up. Create one from text with `Target.of`.

    It needs a LinkedIn link, an e-mail address, or a name and a company.
    """

    text: str = ""
    """The input as given, or anything by which the caller recognises it."""
    linkedin_url: str | None = None
    """A profile or company page, also one of Sales Navigator."""
    email: str | None = None
    """An e-mail address of the person."""
    name: str | None = None
    """The full name of the person."""
    company: str | None = None
    """The name of the person's employer."""

    @classmethod
    def of(cls, given: Target | str) -> Target:
        """A target from a link, a URN or an e-mail address; a `Target` is checked. Sends nothing.

        Raises:
            ConfigurationError: If it cannot be looked up.
        """
        if not isinstance(given, Target):
            return cls._read(given)
        if given.linkedin_url is not None:
            link = _link(given.linkedin_url)
            return msgspec.structs.replace(
                given, linkedin_url=_url_to_send(given.linkedin_url, link)
            )
        if not (given.email or (given.name and given.company)):
            raise ConfigurationError(
                "incomplete target: expected a linkedin_url, an email, or a name and a company"
            )
        return given

    @classmethod
    def _read(cls, text: str) -> Target:
        address = text.strip()
        if address[:7].lower() == "mailto:":
            address = address[7:]
        if _EMAIL.fullmatch(address):
            return cls(text=text, email=address)
        return cls(text=text, linkedin_url=_url_to_send(address, _link(address)))

    @property
    def about(self) -> About | None:
        """What the link describes; None without a link."""
        return _ABOUT[_link(self.linkedin_url).kind] if self.linkedin_url else None

    @property
    def page(self) -> str | None:
        """The canonical URL of the public LinkedIn page; None without one."""
        link = classify(self.linkedin_url or "")
        return link.url if link.kind in _PUBLIC else None

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these have values: `linkedin_url`, `email`, `name`, `company`."""
        return all(getattr(self, name) for name in names)


def _link(text: str) -> Link:
    link = classify(text)
    if link.kind not in _ABOUT:
        raise ConfigurationError(
            f"invalid target of kind {link.kind.replace('_', ' ')}: expected an e-mail address or "
            "a LinkedIn profile or company page, such as https://www.linkedin.com/in/<name>"
        )
    return link


def _url_to_send(text: str, link: Link) -> str:
    """The canonical link of a public page; otherwise the given link as a full URL."""
    if link.kind in _PUBLIC or "linkedin.com" not in text:
        return link.url
    return text if "//" in text else f"https://{text}"
