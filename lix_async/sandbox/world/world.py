"""The invented world that the sandbox answers from: people, companies, job postings and posts.

Everything follows from the seed. Little is stored: a link or an id says who is meant, and the facts
are drawn from there. Nobody and nothing in here is real.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

from ..protocol.errors import is_missing, params_invalid, unknown_record
from . import careers, job_postings, links, names, people, posts
from .company_index import CompanyIndex
from .random import number, rng_for
from .search_index import SearchIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .careers import PositionRecord
    from .job_postings import PostingRecord
    from .people import PersonRecord
    from .posts import PostRecord
    from .search_queries import SearchQuery

_POST_URN = re.compile(r"urn:li:(?:activity|ugcPost|share):([0-9]{1,19})")
_CODE = re.compile(r"-([0-9a-f]{8})$")
_FIRST_UNLISTED = 1_000_000_000
"""Numbers from here on own the posts of people made from a link that is not of the world."""


class World:
    """A world of its own for each seed: the same seed and sizes always give the same answers.

    `people` and `organisations` are how many a search can find (2,000 and 200 by default),
    `postings` (400) and `posts` (800) likewise. Any other LinkedIn link gets an invented person or
    company made from the link itself, so that a first try with one's own link works; links that
    begin with `missing-` or `not-found`, and ids of digits that begin with 404, are not found.

    `companies` finds the companies; people, postings and posts are found by the methods here.
    """

    def __init__(
        self,
        seed: int = 1,
        people: int = 2000,
        organisations: int = 200,
        *,
        postings: int = 400,
        posts: int = 800,
    ) -> None:
        if min(people, organisations, postings, posts) < 1:
            raise ValueError("a world needs at least one of everything")
        self.seed = seed
        self.people = people
        self.postings = postings
        self.posts = posts
        self.companies = CompanyIndex(seed, organisations)
        self.viewers: tuple[str, ...] = self._viewers()
        self._people_by_index: dict[int, PersonRecord] = {}
        self._unlisted_owners: dict[int, str] = {}
        self._index_by_email: dict[str, int] = {}
        self._search_index = SearchIndex(
            seed,
            {
                "people": lambda: [self.person(place).text for place in range(people)],
                "organisations": lambda: [one.text for one in self.companies.listed],
                "postings": lambda: [self.posting_at(place).text for place in range(postings)],
                "posts": lambda: [self.post_at(place).keywords for place in range(posts)],
            },
        )

    def _viewers(self) -> tuple[str, ...]:
        roll = rng_for(self.seed, "viewers")
        invented = [
            f"{names.slug(names.person_name(roll)[0])}-example-{place}" for place in range(9)
        ]
        return ("sandbox-viewer", "example-viewer-1", "example-viewer-2", *invented)

    def is_attached(self, viewer: str) -> bool:
        """Whether a LinkedIn account is attached to the team.

        It is when its name holds `viewer` or `example`, or is an encoded profile id (`ACoAA...`,
        `ACwAA...`), and never when it holds `unknown`. `viewers` are the ones that
        `linkedin_account.list` shows.
        """
        name = viewer.lower()
        known = "viewer" in name or "example" in name or viewer.startswith(("ACoAA", "ACwAA"))
        return known and "unknown" not in name

    def search(self, kind: str, wanted: SearchQuery, order: str) -> Sequence[int]:
        """The places of all that a search finds among people, organisations, postings or posts.

        The same search and `order` (a sequence id, or a viewer) always give the same places in the
        same order; another `order` gives the same places in another one.
        """
        return self._search_index.find(kind, wanted, order)

    def person(self, place: int) -> PersonRecord:
        """The person at a place; the places below `people` can be found by searching."""
        if (found := self._people_by_index.get(place)) is None:
            employer = self.companies.employer(number(self.seed, "employer", place))
            found = people.make(self.seed, place, None, employer)
            if place < self.people:
                self._people_by_index[place] = found
        return found

    def person_by_slug(self, slug: str) -> PersonRecord:
        """The person of a public identifier; a missing one is an `unknown_record` refusal."""
        text = slug.strip().strip("/")
        if not text or is_missing(text):
            raise unknown_record("profile")
        if text.startswith(("ACoAA", "ACwAA")):
            return self.person_by_sales_id(text)
        text = text.lower()
        if (code := _CODE.search(text)) and (
            place := people.index_of(self.seed, code[1])
        ) is not None:
            found = self.person(place)
            if found.slug == text:
                return found
        return self._unlisted_person(text)

    def _unlisted_person(self, slug: str) -> PersonRecord:
        employer = self.companies.employer(number(self.seed, "employer", slug))
        return people.make(self.seed, None, slug, employer)

    def person_by_sales_id(self, sales_id: str) -> PersonRecord:
        """The person of a Sales Navigator id; a missing one is an `unknown_record` refusal."""
        if not sales_id or is_missing(sales_id):
            raise unknown_record("profile")
        meant = people.from_sales_id(self.seed, sales_id)
        if isinstance(meant, int):
            return self.person(meant)
        return self._unlisted_person(meant) if meant == sales_id else self.person_by_slug(meant)

    def person_at(self, link: str) -> PersonRecord:
        """The person a LinkedIn or Sales Navigator link names."""
        kind, value = links.profile(link)
        return self.person_by_slug(value) if kind == "slug" else self.person_by_sales_id(value)

    def person_by_email(self, email: str) -> PersonRecord:
        """The person of an e-mail address; an address nobody has gets a person made from it."""
        text = email.strip().lower()
        local, at, domain = text.partition("@")
        if not (local and at and domain):
            raise params_invalid("email is not an address")
        if not self._index_by_email:
            self._index_by_email = {self.person(place).email: place for place in range(self.people)}
        place = self._index_by_email.get(text)
        return self.person(place) if place is not None else self.person_by_slug(names.slug(local))

    def career(self, person: PersonRecord) -> list[PositionRecord]:
        """The positions of a person, the running one first."""
        return careers.make_career(person, self.companies.employer)

    def some_people(self, count: int, *parts: object) -> list[PersonRecord]:
        """So many different people, always the same for the same parts."""
        places = rng_for(self.seed, *parts).sample(range(max(self.people, count)), count)
        return [self.person(place) for place in places]

    def from_lix_id(self, lix_id: str, kind: str) -> str:
        """What the provider's own id holds: a slug (`person`) or a number (`organisation`)."""
        try:
            found, _, value = b64decode(lix_id, validate=True).decode().partition(":")
        except ValueError:
            found, value = "", ""
        if found != kind or not value:
            raise unknown_record(kind)
        return value

    def posting(self, job_id: str) -> PostingRecord:
        """The job posting of an id, which is digits."""
        if not re.fullmatch(r"[0-9]{1,19}", job_id):
            raise params_invalid("job_id is digits")
        if is_missing(job_id):
            raise unknown_record("job")
        employer = self.companies.employer(number(self.seed, "hiring", int(job_id)))
        return job_postings.make(self.seed, int(job_id), employer, self.people)

    def posting_at(self, place: int) -> PostingRecord:
        """The posting at a place of the search for jobs."""
        return self.posting(str(job_postings.FIRST_ID + place))

    def post(self, urn: str) -> PostRecord:
        """The post of a urn."""
        found = _POST_URN.fullmatch(urn.strip())
        if found is None:
            raise params_invalid("post_urn is not the urn of a post")
        if is_missing(found[1]):
            raise unknown_record("post")
        owner = max(int(found[1]) - posts.BASE, 0) // posts.PER_PERSON
        stranger = self._unlisted_owners.get(owner)
        return posts.make(
            int(found[1]),
            self._unlisted_person(stranger) if stranger else self.person(owner % self.people),
        )

    def post_at(self, place: int) -> PostRecord:
        """The post at a place of the search for posts."""
        owner, which = place % self.people, place // self.people
        return posts.make(posts.activity(owner, which), self.person(owner))

    def posts_of(self, person: PersonRecord) -> list[PostRecord]:
        """What a person has posted, newest first: between one and sixty posts."""
        owner = person.number
        if owner is None:
            owner = _FIRST_UNLISTED + number(self.seed, "stranger", person.slug) % _FIRST_UNLISTED
            self._unlisted_owners[owner] = person.slug
        count = 1 + number(self.seed, "posts of", person.slug) % 60
        written = [posts.make(posts.activity(owner, which), person) for which in range(count)]
        return sorted(written, key=lambda post: posts.written_at(post.activity), reverse=True)
