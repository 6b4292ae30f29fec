"""People of the world. Their JSON bodies are in `person_bodies.py`."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from . import names
from .organisations import OrganisationRecord
from .random import number, rng_for

# An odd factor has an inverse modulo 2**32: a link can be turned back into the person's index, so
# no person has to be made before the first request for it. The factor is Knuth's multiplicative
# hash constant (2**32 divided by the golden ratio), which spreads neighbouring indexes.
_FACTOR = 2_654_435_761
_INVERSE = pow(_FACTOR, -1, 2**32)
_LISTED_PREFIX = "ACoAAW"
_SLUG_PREFIX = "ACoAAS"


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One person.

    * `number`: the index in the world, or None for a person made from an unknown link.
    * `key`: the public identifier on the first day. What is drawn at random for a person is drawn
      for it, so that it stays when `slug` changes.
    """

    number: int | None
    key: str
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
    """Appears as 'LinkedIn Member' without a link in the LinkedIn people search."""
    own_headline: str | None = None
    school: str | None = None
    """A school that a search asks for, as `past_title` and `past_employer`."""
    past_title: str | None = None
    past_employer: OrganisationRecord | None = None

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}".strip()

    @property
    def position(self) -> str:
        """Title and employer."""
        return f"{self.title} at {self.employer.name}"

    @property
    def headline(self) -> str:
        """What the person wrote, else title and employer."""
        return self.own_headline or self.position

    @property
    def location(self) -> str:
        """City and country."""
        return f"{self.place[0]}, {self.place[1]}"

    @property
    def link(self) -> str:
        """The public profile."""
        return f"https://www.linkedin.com/in/{self.slug}"

    @property
    def sales_link(self) -> str:
        """The Sales Navigator profile, in the documented format."""
        return f"https://linkedin.com/sales/lead/{self.sales_id},NAME_SEARCH,undefined"

    @property
    def urn(self) -> str:
        """The profile urn, as in connections, followers and messages."""
        return f"urn:li:fsd_profile:{self.sales_id}"

    @property
    def picture(self) -> str | None:
        """The URL of the picture; None for a quarter of all people."""
        return (
            f"https://media.example.com/p/{self.key}.jpg"
            if number("picture", self.key) % 4
            else None
        )

    @property
    def email(self) -> str:
        """The address at the employer; always below example.com."""
        return f"{names.slug(self.first)}.{names.slug(self.last) or 'x'}@{self.employer.domain}"

    @property
    def text(self) -> str:
        """The text that keywords are compared with, in lower case."""
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
            "".join(word[0] for word in self.title.split() if word != "of"),
            *self.skills,
        )
        return " ".join(words).casefold()


def code(seed: int, index: int) -> str:
    """Eight hex digits for an index: the end of a slug and of a Sales Navigator id."""
    return f"{(index * _FACTOR + number(seed, 'codes')) % 2**32:08x}"


def index_of(seed: int, text: str) -> int | None:
    """The index of a `code()`; None if the text is not one."""
    if len(text) != 8 or any(c not in "0123456789abcdef" for c in text):
        return None
    return (int(text, 16) - number(seed, "codes")) * _INVERSE % 2**32


def sales_id(seed: int, index: int | None, slug: str) -> str:
    """The Sales Navigator id of a person, from which `from_sales_id()` gets the index or slug."""
    if index is not None:
        return _LISTED_PREFIX + code(seed, index).upper()
    if slug.startswith(("ACoAA", "ACwAA")):
        return slug
    return _SLUG_PREFIX + urlsafe_b64encode(slug.encode()).decode().rstrip("=")


def from_sales_id(seed: int, text: str) -> int | str:
    """The index or slug of a Sales Navigator id; an unknown id is its own slug."""
    if text.startswith(_LISTED_PREFIX):
        index = index_of(seed, text.removeprefix(_LISTED_PREFIX).lower())
        if index is not None:
            return index
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
    seed: int, index: int | None, slug: str | None, employer: OrganisationRecord
) -> PersonRecord:
    """The person with an index, or the one with a slug."""
    rng = rng_for(seed, "person", slug if index is None else index)
    first, last = names.person_name(rng)
    if slug is None:
        slug = f"{names.slug(first)}-{names.slug(last)}-{code(seed, index or 0)}"
    elif suggested := names.from_slug(slug).split(" ", 1):
        first, last = suggested[0] or first, suggested[1] if len(suggested) > 1 else last
    title, seniority, function = rng.choice(names.TITLES)
    return PersonRecord(
        number=index,
        key=slug,
        slug=slug,
        sales_id=sales_id(seed, index, slug),
        first=first,
        last=last,
        title=title,
        seniority=seniority,
        function=function,
        employer=employer,
        place=rng.choice(names.PLACES),
        industry=employer.industry if rng.random() < 0.7 else rng.choice(names.INDUSTRIES),
        skills=tuple(rng.sample(names.SKILLS, rng.randint(2, 9))),
        hidden=rng.random() < 0.04,
    )
