"""The companies of the world, by number, link, id or domain."""

from __future__ import annotations

import re

from ..protocol.errors import is_missing, params_invalid, unknown_record
from . import links, names
from .organisations import FIRST_SALES_ID, OrganisationRecord, make
from .random import number, rng_for

_DIGITS = re.compile(r"-([0-9]{1,12})$")
_FIRST_UNLISTED = 1_000_000_000
"""The first number of the companies made from an unknown link."""


class CompanyIndex:
    """The companies of a world.

    The first `count` can be found by a search; any other link gets a company made from the link.
    """

    def __init__(self, seed: int, count: int) -> None:
        self._seed = seed
        self._unlisted: dict[int, str] = {}
        self.listed: list[OrganisationRecord] = self._make_listed(count)
        self._by_slug = {one.slug: one for one in self.listed}

    def _make_listed(self, count: int) -> list[OrganisationRecord]:
        rng = rng_for(self._seed, "organisations")
        made: dict[str, OrganisationRecord] = {}
        while len(made) < count:
            name = names.organisation_name(rng)
            slug = names.slug(name)
            if slug in made:
                slug = f"{slug}-{FIRST_SALES_ID + len(made)}"
            made[slug] = make(self._seed, len(made), slug, name)
        return list(made.values())

    def employer(self, any_number: int) -> OrganisationRecord:
        """A listed company for any number."""
        return self.listed[any_number % len(self.listed)]

    def at(self, index: int) -> OrganisationRecord:
        """The company at an index; there is one for every index, also beyond the listed ones."""
        if 0 <= index < len(self.listed):
            return self.listed[index]
        if index in self._unlisted:
            return self.by_slug(self._unlisted[index])
        name = names.organisation_name(rng_for(self._seed, "further organisation", index))
        return make(self._seed, index, f"{names.slug(name)}-{FIRST_SALES_ID + index}", name)

    def by_slug(self, slug: str) -> OrganisationRecord:
        """The company with a public identifier.

        Raises:
            ErrorReply: 404 for an identifier that stands for a missing record.
        """
        text = slug.strip().strip("/").lower()
        if not text or is_missing(text):
            raise unknown_record("organisation")
        if text in self._by_slug:
            return self._by_slug[text]
        if digits := _DIGITS.search(text):
            found = self.at(int(digits[1]) - FIRST_SALES_ID)
            if found.slug == text:
                return found
        index = _FIRST_UNLISTED + number(self._seed, "stranger", text) % _FIRST_UNLISTED
        self._unlisted[index] = text
        return make(self._seed, index, text, names.from_slug(text) or text)

    def by_sales_id(self, sales_id: str) -> OrganisationRecord:
        """The company with a Sales Navigator id."""
        if not sales_id or is_missing(sales_id):
            raise unknown_record("organisation")
        if not re.fullmatch(r"[0-9]{1,15}", sales_id):
            raise params_invalid("the id of an organisation must consist of digits")
        return self.at(int(sales_id) - FIRST_SALES_ID)

    def by_link(self, link: str) -> OrganisationRecord:
        """The company of a LinkedIn or Sales Navigator link."""
        kind, value = links.company(link)
        return self.by_slug(value) if kind == "slug" else self.by_sales_id(value)

    def by_website(self, website: str) -> list[OrganisationRecord]:
        """Up to five companies of a website or domain.

        `example.com` has five, a missing record none.
        """
        host = (
            re.sub(r"^[a-z]+://", "", website.strip().lower())
            .split("/")[0]
            .split(":")[0]
            .removeprefix("www.")
        )
        if not re.fullmatch(r"[a-z0-9.-]+\.[a-z0-9-]+", host):
            raise params_invalid("website must be a URL or a domain")
        if host == "example.com":
            return self.listed[:5]
        label = (
            host.removesuffix(".example.com")
            if host.endswith(".example.com")
            else host.split(".")[-2]
        )
        return [] if is_missing(label) else [self.by_slug(label)]
