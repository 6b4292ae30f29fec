"""The words of the world, from `names.toml`: syllables for names, and ordinary words.

No name is real: the names of people, places, schools and companies are made of syllables. Job
titles, skills and industries are ordinary words, so that searches are realistic.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec


class _WordFile(msgspec.Struct, frozen=True):
    """The content of `names.toml`."""

    places: tuple[tuple[str, str, str], ...]
    titles: tuple[tuple[str, str, str], ...]
    sizes: tuple[tuple[int, int, str], ...]
    syllables: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, ...]]


_FILE = msgspec.toml.decode(Path(__file__).with_name("names.toml").read_bytes(), type=_WordFile)
_SYLLABLES = _FILE.syllables
PLACES = _FILE.places
"""City, country, country code. The places do not exist; ISO 3166 reserves the codes for users."""
TITLES = _FILE.titles
"""Title, seniority, function."""
SIZES = _FILE.sizes
"""Minimum, maximum, and the text of the range."""
SENIORITIES = _FILE.words["seniorities"]
"""In the order of their facet ids from 1: in the documented sample, Entry is 3 and Partner is 9."""
SKILLS = _FILE.words["skills"]
INDUSTRIES = _FILE.words["industries"]
COMPANY_TYPES = _FILE.words["company_types"]
LANGUAGES = _FILE.words["languages"]
DEGREES = _FILE.words["degrees"]
FIELDS = _FILE.words["fields"]
MONTHS = _FILE.words["months"]
TENURES = _FILE.words["tenures"]
COMMON_TITLES = _FILE.words["common_titles"]
COMMON_COMPANIES = _FILE.words["common_companies"]
REAL_PLACES = _FILE.words["real_places"]
"""Known to facets only; records have them if a search asks for them."""
FREE_EMAIL_DOMAINS = _FILE.words["free_email_domains"]
"""Domains of free e-mail providers; the last one is the sandbox's own."""


_LEVELS = (
    ({"chief", "ceo", "cto", "cfo", "coo", "cmo", "cio"}, "CXO"),
    ({"vp", "vice"}, "Vice President"),
    ({"director", "head"}, "Director"),
    ({"founder", "owner"}, "Owner"),
    ({"partner"}, "Partner"),
    ({"manager", "lead"}, "Manager"),
    ({"intern", "trainee"}, "Training"),
)


def seniority_of(title: str) -> str:
    """The seniority of a job title, also of one that is not in `TITLES`."""
    words = set(title.casefold().split())
    known = (level for one, level, _ in TITLES if one == title)
    return next(known, next((level for some, level in _LEVELS if some & words), "Senior"))


def capitalised(text: str) -> str:
    """A text as a name: the first letter of each word in upper case, the others in lower case."""
    return " ".join(word.capitalize() for word in text.split())


def _name(rng: Random, *parts: str) -> str:
    return "".join(rng.choice(_SYLLABLES[part]) for part in parts)


def person_name(rng: Random) -> tuple[str, str]:
    """A first and a last name."""
    return _name(rng, "first_starts", "first_ends"), _name(rng, "last_starts", "last_ends")


def organisation_name(rng: Random) -> str:
    """A company name of two words."""
    return f"{_name(rng, 'org_starts', 'org_ends')} {_name(rng, 'org_kinds')}"


def school_name(rng: Random) -> str:
    """The name of a school, after a city of the world."""
    return rng.choice(("University of {}", "{} Institute", "{} College")).format(
        rng.choice(PLACES)[0]
    )


def slug(name: str) -> str:
    """A name as in LinkedIn links: lower case, words joined by hyphens."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def from_slug(text: str) -> str:
    """The name for a slug: `example-org-7` is `Example Org`, without words that have digits."""
    parts = [
        word
        for word in text.replace("_", "-").split("-")
        if word and not any(c.isdigit() for c in word)
    ]
    return " ".join(word.capitalize() for word in parts)
