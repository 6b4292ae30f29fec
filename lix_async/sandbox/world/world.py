"""The sample world of the sandbox: people, companies, job postings and posts.

Everything is made from the seed, and little is stored: a record is made from its link or id. None
of it is real.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence

from ..protocol.errors import is_missing, params_invalid, unknown_record
from . import careers, job_postings, links, names, people, posts
from .careers import PositionRecord
from .company_index import CompanyIndex
from .job_postings import PostingRecord
from .people import PersonRecord
from .posts import PostRecord
from .random import number, rng_for
from .search_index import SearchIndex
from .search_queries import SearchQuery

_POST_URN = re.compile(r"urn:li:(?:activity|ugcPost|share):([0-9]{1,19})")
_CODE = re.compile(r"-([0-9a-f]{8})$")
_FIRST_UNLISTED = 1_000_000_000
"""The first number for the posts of people made from an unknown link."""


class World:
    """A sample world: the same seed and sizes always give the same records.

    Any LinkedIn link is known: a link that is not of this world gets a person or company made from
    the link, so that a first try with a real link works. Links that begin with `missing-` or
    `not-found`, and ids that begin with the digits 404, are not found.

    `companies` is the index of the companies.

    Args:
        seed: The seed of all records.
        people: How many people a search can find.
        organisations: How many companies a search can find.
        postings: How many job postings a search can find.
        posts: How many posts a search can find.

    Raises:
        ValueError: A size is below 1.
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
            raise ValueError("people, organisations, postings and posts must be at least 1")
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
                "people": lambda: [self.person(index).text for index in range(people)],
                "organisations": lambda: [one.text for one in self.companies.listed],
                "postings": lambda: [self.posting_at(index).text for index in range(postings)],
                "posts": lambda: [self.post_at(index).keywords for index in range(posts)],
            },
        )

    def _viewers(self) -> tuple[str, ...]:
        rng = rng_for(self.seed, "viewers")
        further = [f"{names.slug(names.person_name(rng)[0])}-example-{index}" for index in range(9)]
        return ("sandbox-viewer", "example-viewer-1", "example-viewer-2", *further)

    def is_attached(self, viewer: str) -> bool:
        """Whether a LinkedIn account is attached to the team.

        It is if its name contains `viewer` or `example`, or is an encoded profile id (`ACoAA...`,
        `ACwAA...`); it is not if the name contains `unknown`. `linkedin_account.list` returns only
        those in `viewers`.
        """
        name = viewer.lower()
        known = "viewer" in name or "example" in name or viewer.startswith(("ACoAA", "ACwAA"))
        return known and "unknown" not in name

    def search(self, kind: str, query: SearchQuery, order: str) -> Sequence[int]:
        """The indexes of all results of a search.

        The same search has the same results; their order depends on `order`.

        Args:
            kind: `people`, `organisations`, `postings` or `posts`.
            query: The search.
            order: A sequence id or a viewer.
        """
        return self._search_index.find(kind, query, order)

    def person(self, index: int) -> PersonRecord:
        """The person at an index. Those below `people` can be found by a search."""
        if (found := self._people_by_index.get(index)) is None:
            employer = self.companies.employer(number(self.seed, "employer", index))
            found = people.make(self.seed, index, None, employer)
            if index < self.people:
                self._people_by_index[index] = found
        return found

    def person_by_slug(self, slug: str) -> PersonRecord:
        """The person with a public identifier.

        Raises:
            ErrorReply: 404 for an identifier that stands for a missing record.
        """
        text = slug.strip().strip("/")
        if not text or is_missing(text):
            raise unknown_record("profile")
        if text.startswith(("ACoAA", "ACwAA")):
            return self.person_by_sales_id(text)
        text = text.lower()
        if (code := _CODE.search(text)) and (
            index := people.index_of(self.seed, code[1])
        ) is not None:
            found = self.person(index)
            if found.slug == text:
                return found
        return self._unlisted_person(text)

    def _unlisted_person(self, slug: str) -> PersonRecord:
        employer = self.companies.employer(number(self.seed, "employer", slug))
        return people.make(self.seed, None, slug, employer)

    def person_by_sales_id(self, sales_id: str) -> PersonRecord:
        """The person with a Sales Navigator id.

        Raises:
            ErrorReply: 404 for an id that stands for a missing record.
        """
        if not sales_id or is_missing(sales_id):
            raise unknown_record("profile")
        found = people.from_sales_id(self.seed, sales_id)
        if isinstance(found, int):
            return self.person(found)
        return self._unlisted_person(found) if found == sales_id else self.person_by_slug(found)

    def person_at(self, link: str) -> PersonRecord:
        """The person of a LinkedIn or Sales Navigator link."""
        kind, value = links.profile(link)
        return self.person_by_slug(value) if kind == "slug" else self.person_by_sales_id(value)

    def person_by_email(self, email: str) -> PersonRecord:
        """The person with an e-mail address; an unknown address gets a person made from it."""
        text = email.strip().lower()
        local, at, domain = text.partition("@")
        if not (local and at and domain):
            raise params_invalid("email must be an address")
        if not self._index_by_email:
            self._index_by_email = {self.person(index).email: index for index in range(self.people)}
        index = self._index_by_email.get(text)
        return self.person(index) if index is not None else self.person_by_slug(names.slug(local))

    def career(self, person: PersonRecord) -> list[PositionRecord]:
        """The positions of a person, the current one first."""
        return careers.make_career(person, self.companies.employer)

    def some_people(self, count: int, *parts: object) -> list[PersonRecord]:
        """`count` different people, always the same for the same parts."""
        indexes = rng_for(self.seed, *parts).sample(range(max(self.people, count)), count)
        return [self.person(index) for index in indexes]

    def from_lix_id(self, lix_id: str, kind: str) -> str:
        """The content of a Lix id: a slug (`person`) or a number (`organisation`)."""
        try:
            found, _, value = b64decode(lix_id, validate=True).decode().partition(":")
        except ValueError:
            found, value = "", ""
        if found != kind or not value:
            raise unknown_record(kind)
        return value

    def posting(self, job_id: str) -> PostingRecord:
        """The job posting with an id."""
        if not re.fullmatch(r"[0-9]{1,19}", job_id):
            raise params_invalid("job_id must consist of digits")
        if is_missing(job_id):
            raise unknown_record("job")
        employer = self.companies.employer(number(self.seed, "hiring", int(job_id)))
        return job_postings.make(self.seed, int(job_id), employer, self.people)

    def posting_at(self, index: int) -> PostingRecord:
        """The posting at an index of the job search."""
        return self.posting(str(job_postings.FIRST_ID + index))

    def post(self, urn: str) -> PostRecord:
        """The post with a urn."""
        found = _POST_URN.fullmatch(urn.strip())
        if found is None:
            raise params_invalid("post_urn must be the urn of a post")
        if is_missing(found[1]):
            raise unknown_record("post")
        owner = max(int(found[1]) - posts.BASE, 0) // posts.PER_PERSON
        slug = self._unlisted_owners.get(owner)
        return posts.make(
            int(found[1]), self._unlisted_person(slug) if slug else self.person(owner % self.people)
        )

    def post_at(self, index: int) -> PostRecord:
        """The post at an index of the post search."""
        owner, which = index % self.people, index // self.people
        return posts.make(posts.activity(owner, which), self.person(owner))

    def posts_of(self, person: PersonRecord) -> list[PostRecord]:
        """The posts of a person, newest first: one to sixty."""
        owner = person.number
        if owner is None:
            owner = _FIRST_UNLISTED + number(self.seed, "stranger", person.slug) % _FIRST_UNLISTED
            self._unlisted_owners[owner] = person.slug
        count = 1 + number(self.seed, "posts of", person.slug) % 60
        written = [posts.make(posts.activity(owner, which), person) for which in range(count)]
        return sorted(written, key=lambda post: posts.written_at(post.activity), reverse=True)
