"""The sample world of the sandbox: people, companies, job postings and posts.

Everything is made from the seed, and little is stored: a record is made from its link or id. None
of it is real. The world stands still until it is advanced.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property

from ..protocol.errors import is_missing, params_invalid, unknown_record
from . import careers, history, job_postings, links, names, people, posts
from .careers import PositionRecord
from .company_index import CompanyIndex
from .history import Life, SlugRegister, WorldChange
from .job_postings import PostingRecord
from .organisations import OrganisationRecord
from .people import PersonRecord
from .posts import PostRecord
from .random import number, rng_for
from .search_filters import (
    FilterValue,
    SearchFilter,
    fitted_organisation,
    fitted_person,
    fitted_posting,
    has_words,
    organisation_record,
    passes,
    person_record,
    post_record,
    posting_record,
)
from .search_index import SearchIndex
from .search_queries import SearchQuery

_POST_URN = re.compile(r"urn:li:(?:activity|ugcPost|share):([0-9]{1,19})")
_CODE = re.compile(r"-([0-9a-f]{8})$")
_LAST_DAY = 36_500
"""The world can be advanced to this day."""
_FIRST_UNLISTED = 1_000_000_000
"""The first number for the posts of people made from an unknown link."""


class World:
    """A sample world: the same seed and sizes always give the same records.

    Any LinkedIn link is known: a link that is not of this world gets a person or company made from
    the link, so that a first try with a real link works. Links that begin with `missing-` or
    `not-found`, and ids that begin with the digits 404, are not found.

    `companies` is the index of the companies, `day` how many days the world was advanced.

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
        self._unlisted_owners: dict[int, str] = {}
        self._fitted: dict[str, dict[int, tuple[SearchFilter, ...]]] = {
            kind: {} for kind in ("people", "organisations", "postings")
        }
        self._begin(0)

    def _begin(self, day: int) -> None:
        self.day = day
        self._people_by_index: dict[int, PersonRecord] = {}
        self._lives: dict[int, Life] = {}
        self._index_by_email: dict[str, int] = {}
        self._slugs = SlugRegister()
        self._slug_changes: list[WorldChange] = []
        self._search_index = SearchIndex(
            self.seed,
            {
                "people": lambda: [self.person(index).text for index in range(self.people)],
                "organisations": lambda: [one.text for one in self.companies.listed],
                "postings": lambda: [self.posting_at(index).text for index in range(self.postings)],
                "posts": lambda: [self.post_at(index).keywords for index in range(self.posts)],
            },
            self._passes,
            self._fitted,
        )

    @property
    def date(self) -> date:
        """The date in the world."""
        return history.date_of(self.day)

    def advance(self, days: int) -> None:
        """Let days pass: people and companies change at the rates of `hazards.py`.

        The world depends on the sum of the days only, not on the steps. Sales Navigator ids, Lix
        ids and e-mail domains stay. A public identifier that was given up leads to its former
        holder, to a missing page, or later to somebody else.

        Raises:
            ValueError: `days` is below 0, or the world would be more than 100 years old.
        """
        if not 0 <= days <= _LAST_DAY - self.day:
            raise ValueError(f"days must be 0 to {_LAST_DAY - self.day}")
        if days:
            self.return_to(self.day + days)

    def return_to(self, day: int) -> None:
        """Make the world as it is on a day, counted from its first day."""
        self._begin(day)
        self.companies.advance(day)
        events = [
            (index, event)
            for index in range(self.people if day else 0)
            for event in self._events(self._first(index))
            if event.kind == "slug"
        ]
        for index, event in sorted(events, key=lambda pair: (pair[1].day, pair[0])):
            life = self._life(self._first(index))
            one, name = life.person, life.name_on(event.day)
            old = self._slugs.changed.get(index, one.key)
            new = history.choose_slug(self._slugs, index, names.slug(name), event)
            self._slugs.move(index, old, new, event.day, event.rng)
            self._slug_changes.append(
                WorldChange(event.day, "slug_moved", one.sales_id, name, "slug", old, new)
            )

    def changes(
        self, since: int = 0, subject: PersonRecord | OrganisationRecord | None = None
    ) -> list[WorldChange]:
        """What has changed after a day, in order of time: all of it, also what changed back.

        Lengths of time grow with the date and are not listed, nor is what follows from another
        change, such as the text of a headline that consists of title and employer.

        Args:
            since: The day, counted from the first day of the world.
            subject: A person or company; None for all that a search can find.
        """
        if isinstance(subject, PersonRecord):
            first = self._first_of(subject)
            found = [*self._life(first).changes, *self._slug_changes]
        else:
            lives = (self._life(self._first(index)) for index in range(self.people))
            people_ = () if subject else (change for life in lives for change in life.changes)
            found = [*self.companies.changes, *people_, *(() if subject else self._slug_changes)]
        wanted = subject and subject.sales_id
        found = [one for one in found if one.day > since and wanted in (None, one.subject)]
        return sorted(found, key=lambda change: (change.day, change.subject))

    @cached_property
    def viewers(self) -> tuple[str, ...]:
        """The LinkedIn accounts that are attached to the team."""
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

    def _passes(self, kind: str, index: int, filters: Sequence[SearchFilter]) -> bool:
        if kind == "people":
            one = self.person(index)
            return passes(person_record(one, lambda: self.career(one)), filters)
        if kind == "organisations":
            return passes(organisation_record(self.companies.at(index)), filters)
        if kind == "postings":
            return passes(posting_record(self.posting_at(index)), filters)
        return passes(post_record(self.post_at(index), self.date), filters)

    def _company_of(self, value: FilterValue) -> OrganisationRecord:
        """The company that a filter names; one of this name is made if there is none."""
        if digits := value.id.rpartition(":")[2]:
            return self.companies.by_sales_id(digits)
        named = (one for one in self.companies.listed if has_words(one.name, value.text))
        return next(named, None) or self.companies.by_slug(names.slug(value.text) or "company")

    def organisation(self, index: int) -> OrganisationRecord:
        """The company at an index of a search."""
        found = self.companies.at(index)
        filters = self._search_index.filters_at("organisations", index)
        return fitted_organisation(found, filters) if filters else found

    def person(self, index: int) -> PersonRecord:
        """The person at an index. Those below `people` can be found by a search."""
        if (found := self._people_by_index.get(index)) is None:
            found = self._present(self._first(index))
            if index < self.people:
                self._people_by_index[index] = found
        return found

    def _first(self, index: int) -> PersonRecord:
        """The person at an index on the first day."""
        employer = self.companies.first_employer(number(self.seed, "employer", index))
        found = people.make(self.seed, index, None, employer)
        filters = self._search_index.filters_at("people", index)
        if not filters:
            return found
        return fitted_person(found, filters, self._company_of, self.companies.listed)

    def _first_unlisted(self, slug: str) -> PersonRecord:
        employer = self.companies.first_employer(number(self.seed, "employer", slug))
        return people.make(self.seed, None, slug, employer)

    def _first_of(self, person: PersonRecord) -> PersonRecord:
        if person.number is None:
            return self._first_unlisted(person.key)
        return self._first(person.number)

    def _present(self, first: PersonRecord) -> PersonRecord:
        if not self.day:
            return first
        found = self._life(first).person
        slug = None if first.number is None else self._slugs.changed.get(first.number)
        return replace(found, slug=slug) if slug else found

    def _events(self, first: PersonRecord) -> Iterator[history.WorldEvent]:
        jobs = careers.make_career(first, self.companies.employer)
        return self._events_of(first, jobs)

    def _events_of(
        self, person: PersonRecord, jobs: list[PositionRecord]
    ) -> Iterator[history.WorldEvent]:
        if person.number is not None and self._search_index.filters_at("people", person.number):
            return iter(())  # these keep what a search has found them by
        return history.person_events(self.seed, person, jobs, self.day)

    def _life(self, first: PersonRecord) -> Life:
        if first.number is not None and first.number in self._lives:
            return self._lives[first.number]
        person = replace(first, employer=self.companies.at(first.employer.number))
        jobs = careers.make_career(person, self.companies.employer)
        life = history.live(
            person,
            jobs,
            self._events_of(person, jobs),
            self.day,
            self.companies.employer,
            self.companies.name_on,
        )
        if first.number is not None and first.number < self.people:
            self._lives[first.number] = life
        return life

    def person_by_slug(self, slug: str) -> PersonRecord:
        """The person with a public identifier, or the one whom a former identifier leads to.

        Raises:
            ErrorReply: 404 for an identifier that stands for a missing record, or that was given
                up.
        """
        text = slug.strip().strip("/").lower()
        if text in self._slugs:
            if (holder := self._slugs.holder(text)) is None:
                raise unknown_record("profile")
            return self.person(holder)
        return self.person_by_key(slug)

    def person_by_key(self, key: str) -> PersonRecord:
        """The person who had a public identifier on the first day.

        Raises:
            ErrorReply: 404 for an identifier that stands for a missing record.
        """
        text = key.strip().strip("/")
        if not text or is_missing(text):
            raise unknown_record("profile")
        if text.startswith(("ACoAA", "ACwAA")):
            return self.person_by_sales_id(text)
        text = text.lower()
        if (code := _CODE.search(text)) and (
            index := people.index_of(self.seed, code[1])
        ) is not None:
            found = self.person(index)
            if found.key == text:
                return found
        return self._unlisted_person(text)

    def _unlisted_person(self, slug: str) -> PersonRecord:
        return self._present(self._first_unlisted(slug))

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
        return self._unlisted_person(found) if found == sales_id else self.person_by_key(found)

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
            self._index_by_email = self._emails()
        index = self._index_by_email.get(text)
        return self.person(index) if index is not None else self.person_by_slug(names.slug(local))

    def _emails(self) -> dict[str, int]:
        """The person of every address, former ones included."""
        lives = ((index, self._life(self._first(index))) for index in range(self.people))
        former = {text: index for index, life in lives for text in life.emails} if self.day else {}
        return former | {self.person(index).email: index for index in range(self.people)}

    def career(self, person: PersonRecord) -> list[PositionRecord]:
        """The positions of a person, the current one first."""
        if not self.day:
            return careers.make_career(person, self.companies.employer)
        return self._life(self._first_of(person)).jobs

    def people_who_left(self, employer: OrganisationRecord) -> list[PersonRecord]:
        """Those whom a search can find and who left a company after the first day."""
        if not self.day:
            return []
        return [
            self.person(index)
            for index in range(self.people)
            if any(
                change.kind == "job_ended" and change.organisation == employer.sales_id
                for change in self._life(self._first(index)).changes
            )
        ]

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
        found = job_postings.make(self.seed, int(job_id), employer, self.people)
        index = int(job_id) - job_postings.FIRST_ID
        filters = self._search_index.filters_at("postings", index)
        return fitted_posting(found, filters, self._company_of) if filters else found

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
        author = self._first_unlisted(slug) if slug else self._first(owner % self.people)
        return self._post(int(found[1]), author)

    def _post(self, activity: int, author: PersonRecord) -> PostRecord:
        """A post; its text stays as it was written."""
        return replace(posts.make(activity, author), author=self._present(author))

    def post_at(self, index: int) -> PostRecord:
        """The post at an index of the post search."""
        owner, which = index % self.people, index // self.people
        return self._post(posts.activity(owner, which), self._first(owner))

    def posts_of(self, person: PersonRecord) -> list[PostRecord]:
        """The posts of a person, newest first: one to sixty."""
        owner = person.number
        if owner is None:
            owner = _FIRST_UNLISTED + number(self.seed, "stranger", person.key) % _FIRST_UNLISTED
            self._unlisted_owners[owner] = person.key
        count = 1 + number(self.seed, "posts of", person.key) % 60
        first = self._first_of(person)
        written = [self._post(posts.activity(owner, which), first) for which in range(count)]
        return sorted(written, key=lambda post: posts.written_at(post.activity), reverse=True)
