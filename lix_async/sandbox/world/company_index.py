"""The companies of the world, by number, link, id or domain."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property

from ..protocol.errors import is_missing, params_invalid, unknown_record
from . import links, names
from .history import SlugRegister, WorldChange, choose_slug, organisation_events
from .organisations import FIRST_SALES_ID, OrganisationRecord, make
from .random import number, rng_for

_DIGITS = re.compile(r"-([0-9]{1,12})$")
_FIRST_UNLISTED = 1_000_000_000
"""The first number of the companies made from an unknown link."""


class CompanyIndex:
    """The companies of a world.

    The first `count` can be found by a search; any other link gets a company made from the link.
    Those do not change when the world is advanced.
    """

    def __init__(self, seed: int, count: int) -> None:
        self._seed = seed
        self._unlisted: dict[int, str] = {}
        self._count = count
        self.changes: list[WorldChange] = []
        self._slugs = SlugRegister()

    @cached_property
    def listed(self) -> list[OrganisationRecord]:
        """The companies that a search can find."""
        return self._first

    @cached_property
    def _index_by_key(self) -> dict[str, int]:
        return {one.key: one.number for one in self._first}

    @cached_property
    def _first(self) -> list[OrganisationRecord]:
        """The companies on the first day. Made when one is asked for: a sandbox starts sooner."""
        rng = rng_for(self._seed, "organisations")
        made: dict[str, OrganisationRecord] = {}
        while len(made) < self._count:
            name = names.organisation_name(rng)
            slug = names.slug(name)
            if slug in made:
                slug = f"{slug}-{FIRST_SALES_ID + len(made)}"
            made[slug] = make(self._seed, len(made), slug, name)
        return list(made.values())

    def advance(self, day: int) -> None:
        """Make the companies as they are on a day."""
        self.listed, self.changes, self._slugs = list(self._first), [], SlugRegister()
        events = [
            (one.number, event)
            for one in self._first
            for event in organisation_events(self._seed, one, day)
        ]
        for index, event in sorted(events, key=lambda pair: (pair[1].day, pair[0])):
            old, rng = self.listed[index], event.rng
            if event.kind == "name":
                new = replace(old, name=names.organisation_name(rng))
                kind, field, values = "name_changed", "name", (old.name, new.name)
            elif event.kind == "slug":
                slug = choose_slug(self._slugs, index, names.slug(old.name), event)
                self._slugs.move(index, old.slug, slug, event.day, rng)
                new = replace(old, slug=slug)
                kind, field, values = "slug_moved", "slug", (old.slug, new.slug)
            elif event.kind == "place":
                others = [place for place in names.PLACES if place != old.place]
                new = replace(old, place=rng.choice(others))
                kind, field, values = "location_changed", "location", (old.location, new.location)
            else:
                least, most, size = rng.choice([one for one in names.SIZES if one[2] != old.size])
                new = replace(old, employees=rng.randint(least, most), size=size)
                kind, field, values = "field_changed", "size", (old.size, size)
            self.listed[index] = new
            self.changes.append(
                WorldChange(event.day, kind, old.sales_id, old.name, field, *values)
            )

    def name_on(self, one: OrganisationRecord, day: int) -> str:
        """The name of a company on a day."""
        later = (
            change.name
            for change in self.changes
            if change.field == "name" and change.subject == one.sales_id and change.day > day
        )
        return next(later, one.name)

    def first_employer(self, any_number: int) -> OrganisationRecord:
        """A listed company for any number, as it was on the first day."""
        return self._first[any_number % len(self._first)]

    def employer(self, any_number: int) -> OrganisationRecord:
        """A listed company for any number."""
        return self.listed[any_number % len(self.listed)]

    def at(self, index: int) -> OrganisationRecord:
        """The company at an index; there is one for every index, also beyond the listed ones."""
        if 0 <= index < len(self.listed):
            return self.listed[index]
        if index in self._unlisted:
            return self._by_key(self._unlisted[index])
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
        if text in self._slugs:
            if (holder := self._slugs.holder(text)) is None:
                raise unknown_record("organisation")
            return self.at(holder)
        return self._by_key(text)

    def _by_key(self, text: str) -> OrganisationRecord:
        if text in self._index_by_key:
            return self.at(self._index_by_key[text])
        if digits := _DIGITS.search(text):
            found = self.at(int(digits[1]) - FIRST_SALES_ID)
            if found.key == text:
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
        return [] if is_missing(label) else [self._by_key(label)]
