"""People of the world: the facts of each. What the provider makes of them is in `persons.py`."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import names
from .random import number, rng_for

if TYPE_CHECKING:
    from .organisations import OrganisationRecord

# An odd factor has an inverse modulo 2**32: a link can be turned back into the person's number, so
# that nobody has to be made before they are asked for.
_FACTOR = 2_654_435_761
_INVERSE = pow(_FACTOR, -1, 2**32)
_LISTED_PREFIX = "ACoAAW"
_SLUG_PREFIX = "ACoAAS"


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One invented person.

    `number` is the place in the world, or None for one made from a stranger's link.
    """

    number: int | None
    slug: str
    sales_id: str
    first: str
    last: str
    title: str
    seniority: str
    function: str
    employer: OrganisationRecord
    place: tuple[str, str, str]
    industry: str
    skills: tuple[str, ...]
    hidden: bool
    """Shown as 'LinkedIn Member' without a link in LinkedIn people search."""

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}".strip()

    @property
    def headline(self) -> str:
        """Title and employer, as LinkedIn puts them under a name."""
        return f"{self.title} at {self.employer.name}"

    @property
    def location(self) -> str:
        """City and country."""
        return f"{self.place[0]}, {self.place[1]}"

    @property
    def link(self) -> str:
        """Public profile."""
        return f"https://www.linkedin.com/in/{self.slug}"

    @property
    def sales_link(self) -> str:
        """Sales Navigator profile, in the documented form."""
        return f"https://linkedin.com/sales/lead/{self.sales_id},NAME_SEARCH,undefined"

    @property
    def urn(self) -> str:
        """Profile urn, as connections, followers and messages carry it."""
        return f"urn:li:fsd_profile:{self.sales_id}"

    @property
    def picture(self) -> str | None:
        """Picture address, None for about a quarter."""
        return (
            f"https://media.example.com/p/{self.slug}.jpg"
            if number("picture", self.slug) % 4
            else None
        )

    @property
    def email(self) -> str:
        """Address at the employer; always below example.com."""
        return f"{names.slug(self.first)}.{names.slug(self.last) or 'x'}@{self.employer.domain}"

    @property
    def text(self) -> str:
        """Everything a keyword is compared with, in lower case."""
        employer = self.employer
        words = (
            self.name,
            self.title,
            self.seniority,
            self.function,
            employer.name,
            employer.urn,
            self.location,
            self.place[2],
            self.industry,
            employer.size,
            *self.skills,
        )
        return " ".join(words).casefold()


def code(seed: int, place: int) -> str:
    """Eight hex digits for a place in the world: the end of a slug and of a Sales Navigator id."""
    return f"{(place * _FACTOR + number(seed, 'codes')) % 2**32:08x}"


def index_of(seed: int, text: str) -> int | None:
    """The place that `code` wrote, or None when the text is no code."""
    if len(text) != 8 or any(c not in "0123456789abcdef" for c in text):
        return None
    return (int(text, 16) - number(seed, "codes")) * _INVERSE % 2**32


def sales_id(seed: int, place: int | None, slug: str) -> str:
    """The Sales Navigator id of a person: it can be turned back into a place, or into the slug."""
    if place is not None:
        return _LISTED_PREFIX + code(seed, place).upper()
    if slug.startswith(("ACoAA", "ACwAA")):
        return slug
    return _SLUG_PREFIX + urlsafe_b64encode(slug.encode()).decode().rstrip("=")


def from_sales_id(seed: int, text: str) -> int | str:
    """The place or slug a Sales Navigator id stands for; a foreign id is its own slug."""
    if text.startswith(_LISTED_PREFIX):
        place = index_of(seed, text.removeprefix(_LISTED_PREFIX).lower())
        if place is not None:
            return place
    if text.startswith(_SLUG_PREFIX):
        tail = text.removeprefix(_SLUG_PREFIX)
        try:
            slug = urlsafe_b64decode(tail + "=" * (-len(tail) % 4)).decode()
        except ValueError:
            return text
        if sales_id(seed, None, slug) == text:
            return slug
    return text


def make(
    seed: int, place: int | None, slug: str | None, employer: OrganisationRecord
) -> PersonRecord:
    """The person at a place of the world, or the one whose slug is given."""
    roll = rng_for(seed, "person", slug if place is None else place)
    first, last = names.person_name(roll)
    if slug is None:
        slug = f"{names.slug(first)}-{names.slug(last)}-{code(seed, place or 0)}"
    elif suggested := names.from_slug(slug).split(" ", 1):
        first, last = suggested[0] or first, suggested[1] if len(suggested) > 1 else last
    title, seniority, function = roll.choice(names.TITLES)
    return PersonRecord(
        number=place,
        slug=slug,
        sales_id=sales_id(seed, place, slug),
        first=first,
        last=last,
        title=title,
        seniority=seniority,
        function=function,
        employer=employer,
        place=roll.choice(names.PLACES),
        industry=employer.industry if roll.random() < 0.7 else roll.choice(names.INDUSTRIES),
        skills=tuple(roll.sample(names.SKILLS, roll.randint(2, 9))),
        hidden=roll.random() < 0.04,
    )
