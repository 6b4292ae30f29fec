"""Generated programs of what people do with a ledger, and a plain reference of what must come.

A program buys answers about a few people in several forms and at several ages, while slugs change
hands and answers show some of the ids, contradict each other, or change; it forgets people, purges
old answers and packs the others. It uses the package as a user does, over either database.
`Reference` holds the same with sets and lists, and without any rule of the package.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec
from sample_provider import Skipping

from lix_async import AsyncLix, bulk
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.ledger import Ledger
from lix_async.ledger.store import Store

T = TypeVar("T")
DAY = 86_400_000
BELIEVED = 180 * DAY
PEOPLE = 3
SLUGS = ("x", "y", "z")
AGES = (None, None, None, 0, 0, 30, 200)
"""Days."""
Id = tuple[str, str]
"""The kind of an id, and its name in the program."""
FORMS: tuple[Id, ...] = (
    *(("profile", str(n)) for n in range(PEOPLE)),
    *(("sales", str(n)) for n in range(PEOPLE)),
    *(("slug", name) for name in SLUGS),
)


def link_of(one: Id) -> str:
    """The link that has an id, as answers and users write it."""
    kind, name = one
    if kind == "sales":
        return f"https://www.linkedin.com/sales/lead/ACwAAEXAMPLE{name:0>6},NAME_SEARCH,undefined"
    return f"https://www.linkedin.com/in/{f'ACoAAEXAMPLE{name:0>6}' if kind == 'profile' else name}"


# What must come


@dataclass(eq=False)
class Person:
    """Strong ids that answers connect."""

    ids: set[Id]

    @property
    def contradicts_itself(self) -> bool:
        return len({kind for kind, _ in self.ids}) < len(self.ids)


@dataclass(eq=False)
class Answer:
    """A version."""

    at: int
    ids: frozenset[Id]
    location: str

    @property
    def strong(self) -> Id:
        return min(one for one in self.ids if one[0] != "slug")

    @property
    def slug(self) -> str | None:
        return next((name for kind, name in self.ids if kind == "slug"), None)


class Change(NamedTuple):
    """A difference between two versions."""

    at_after: int
    kind: str
    before: object
    after: object
    at_before: int


class Expected(NamedTuple):
    """What comes of asking for somebody."""

    state: str
    answer: Answer | None = None
    via: Id | None = None


@dataclass
class Reference:
    """What a ledger must hold."""

    bought: dict[Id, list[Answer]] = field(default_factory=dict[Id, list[Answer]])
    """Versions by the form that was asked for, the oldest first."""
    people: list[Person] = field(default_factory=list[Person])
    owners: dict[Id, Person] = field(default_factory=dict[Id, Person])
    """Who has a slug."""
    seen: dict[Id, int] = field(default_factory=dict[Id, int])
    """When a strong id was first shown, and a slug last."""
    suppressed: set[Id] = field(default_factory=set[Id])
    forms: set[Id] = field(default_factory=set[Id])
    """Forms that were asked for about somebody who was forgotten."""
    kinds: defaultdict[tuple[Id, bool], set[str]] = field(
        default_factory=lambda: defaultdict[tuple[Id, bool], set[str]](set)
    )
    """By suppressed slug, and by form (True), the kinds of strong ids that are known of whose it
    was."""
    paid: int = 0

    def person(self, one: Id) -> Person | None:
        """Whose an id is."""
        if one[0] == "slug":
            return self.owners.get(one)
        return next((person for person in self.people if one in person.ids), None)

    def about(self, answer: Answer) -> Person | None:
        return self.person(answer.strong)

    def is_in_conflict(self, form: Id) -> bool:
        """Whether nothing follows for a form, since ids of its person contradict each other."""
        versions = self.bought.get(form)
        people = [self.person(form), None if versions is None else self.about(versions[-1])]
        return any(person is not None and person.contradicts_itself for person in people)

    def ask(self, form: Id, now: int, days: int | None) -> Expected:
        """What asking for a form must bring."""
        since = 0 if days is None else now - days * DAY
        versions = self.bought.get(form)
        own = None if versions is None else versions[-1]
        if own is not None and (self.has_moved(form, own) or self.is_another_ones(form, own)):
            own = None
        asked = self.person(form)
        if form[0] == "slug" and asked is not None and now - self.seen[form] > BELIEVED:
            asked = None
        others = [
            (versions[-1].at, other, versions[-1])
            for other, versions in self.bought.items()
            if other != form and asked is not None and self.about(versions[-1]) is asked
        ]
        _, via, newest = max(others, default=(0, None, None), key=lambda one: one[0])
        if own is not None and own.at >= since:
            return Expected("known", own)
        if newest is not None and newest.at >= since and (own is None or newest.at > own.at):
            return Expected("known", newest, via)
        return Expected("suppressed" if self.is_blocked(form) else "bought")

    def is_another_ones(self, form: Id, own: Answer) -> bool:
        """Whether an answer was bought under a slug that somebody had last who was forgotten."""
        slug = form[0] == "slug" and form in self.suppressed
        return slug and self.person(form) is not self.about(own)

    def is_blocked(self, form: Id) -> bool:
        """Whether a form is not asked for: unless its slug is known to be another one's by now."""
        if form[0] != "slug":
            return form in self.suppressed | self.forms
        owner = self.owners.get(form)
        return self.are_of_forgotten(set() if owner is None else owner.ids, form, form)

    def are_of_forgotten(self, ids: set[Id], slug: Id | None, form: Id | None) -> bool:
        """Whether strong ids, with a slug and a form, are of somebody who was forgotten."""
        if not self.suppressed.isdisjoint(ids):
            return True
        weak = [(slug, False)] if slug in self.suppressed else []
        weak += [(form, True)] if form in self.forms else []
        kinds = {kind for kind, _ in ids}
        return any(self.kinds[one].isdisjoint(kinds) for one in weak if one[0] is not None)

    def has_moved(self, form: Id, own: Answer) -> bool:
        """Whether the slug that an answer was bought under is certainly somebody else's by now."""
        now, before = self.person(form), self.about(own)
        if form[0] != "slug" or now is None or before is None or now is before:
            return False
        clash = any(a[0] == b[0] and a != b for a in now.ids for b in before.ids)
        return clash or self.seen[form] - own.at > BELIEVED

    def learn(self, form: Id, answer: Answer) -> bool:
        """Take a bought answer in; False where it shows somebody who was forgotten."""
        self.paid += 1
        self.bought.setdefault(form, []).append(answer)
        strong = {one for one in answer.ids if one[0] != "slug"}
        slug = next((one for one in answer.ids if one[0] == "slug"), None)
        if self.are_of_forgotten(strong, slug, form):
            gone = [self.person(one) for one in strong]
            owner = None if slug is None else self.owners.get(slug)
            if slug in self.suppressed and owner is not None:
                gone += [owner] if self.are_of_forgotten(owner.ids, slug, None) else []
            kinds = {kind for kind, _ in strong}
            self.kinds[form, True] |= kinds
            if slug is not None:
                self.kinds[slug, False] |= kinds
                self.owners.pop(slug, None)
            self.owners.pop(form, None)
            self.bought[form].pop()
            self.erase([one for one in gone if one is not None], {*answer.ids}, {form})
            return False
        strong = {one for one in answer.ids if one[0] != "slug"}
        touched = [person for person in self.people if not strong.isdisjoint(person.ids)]
        person = Person(strong.union(*(one.ids for one in touched)))
        self.people = [*(one for one in self.people if one not in touched), person]
        self.owners = {s: person if p in touched else p for s, p in self.owners.items()}
        for one in answer.ids:
            if one[0] == "slug":
                self.owners[one], self.seen[one] = person, answer.at
            else:
                self.seen.setdefault(one, answer.at)
        return True

    def forget(self, ids: set[Id]) -> None:
        """Forget whoever has some ids, and erase what is about them or names them."""
        gone = [person for one in ids if (person := self.person(one)) is not None]
        theirs = ids.union(*(person.ids for person in gone))
        theirs |= {slug for slug, person in self.owners.items() if person in gone}
        named = theirs & self.bought.keys()
        common = set.intersection(*({kind for kind, _ in one.ids} for one in gone)) if gone else ()
        for form in named:
            self.kinds[form, True].update(common)
        self.erase(gone, theirs, named)
        for form, versions in [*self.bought.items()]:
            left = [one for one in versions if not self.shows(one, theirs)]
            self.keep(form, left)

    def shows(self, answer: Answer, ids: set[Id]) -> bool:
        """Whether an answer is of some ids, as far as the ids in it tell."""
        about = self.about(answer)
        own = {one for one in answer.ids if one[0] != "slug"} | (about.ids if about else set())
        if not ids.isdisjoint(own):
            return True
        kinds = {kind for kind, _ in own}
        return any(self.kinds[one, False].isdisjoint(kinds) for one in ids & answer.ids)

    def keep(self, form: Id, left: list[Answer]) -> None:
        self.bought[form] = left
        if not left:
            del self.bought[form]

    def erase(self, gone: list[Person], ids: set[Id], named: set[Id]) -> None:
        """Erase people with their ids, and what is about them."""
        for slug, person in self.owners.items():
            if person in gone:
                ids.add(slug)
                self.kinds[slug, False] |= {kind for kind, _ in person.ids}
        self.suppressed |= ids.union(*(person.ids for person in gone))
        for form, versions in [*self.bought.items()]:
            about = self.about(versions[-1]) if versions else None
            if about is not None and about in gone:
                self.kinds[form, True] |= {kind for kind, _ in about.ids}
                named = named | {form}
        self.forms |= named
        for form, versions in [*self.bought.items()]:
            left = [one for one in versions if self.about(one) not in gone]
            if form in named:
                left = [
                    one
                    for one in left
                    if (about := self.about(one)) is not None
                    and not self.kinds[form, True].isdisjoint({kind for kind, _ in about.ids})
                ]
            self.keep(form, left)
        self.people = [person for person in self.people if person not in gone]
        self.owners = {slug: one for slug, one in self.owners.items() if one not in gone}
        self.seen = {
            one: at for one, at in self.seen.items() if one not in ids or one in self.owners
        }

    def purge(self, before: int) -> None:
        """Delete what is old, and what is known only by that."""
        for form, versions in list(self.bought.items()):
            *older, last = versions
            self.bought[form] = [*(one for one in older if one.at >= before), last]
            if last.at < before:
                del self.bought[form]
        known = [self.about(one) for versions in self.bought.values() for one in versions]
        for person in [one for one in self.people if one not in known]:
            old = {one for one in person.ids if self.seen[one] < before}
            person.ids -= old
            old |= {s for s, p in self.owners.items() if p is person and self.seen[s] < before}
            self.owners = {slug: p for slug, p in self.owners.items() if slug not in old}
            self.seen = {one: at for one, at in self.seen.items() if one not in old}

    # What people read

    def versions(self, one: Id) -> list[Answer]:
        """Everything that was bought about whom an id names, the oldest first."""
        named = [self.person(one)]
        about = [self.about(versions[-1]) for versions in self.bought.values()]
        if (named[0] is None or named[0] not in about) and one in self.bought:
            named.append(self.about(self.bought[one][-1]))
        found = [self.of(person) for person in named if person is not None]
        return sorted((one for versions in found for one in versions), key=lambda x: x.at)

    def of(self, person: Person) -> list[Answer]:
        every = [one for versions in self.bought.values() for one in versions]
        return sorted((one for one in every if self.about(one) is person), key=lambda x: x.at)

    def changes(self, since: int) -> list[Change]:
        """What differs between versions, in the order of time."""
        found: list[Change] = []
        for person in self.people:
            versions = [] if person.contradicts_itself else self.of(person)
            for old, new in itertools.pairwise(versions):
                for kind, before, after in (
                    ("location_changed", old.location, new.location),
                    ("slug_moved", old.slug, new.slug),
                ):
                    known = kind != "slug_moved" or None not in (before, after)
                    if before != after and known and new.at >= since:
                        found.append(Change(new.at, kind, before, after, old.at))
        return sorted(found)


# What happens


class World:
    """A provider, with the people as they are."""

    def __init__(self, chance: random.Random, *, contradicts: bool) -> None:
        self._chance, self._contradicts = chance, contradicts
        self.slugs = list(SLUGS)
        self.places = ["Bath", "Leeds", "York"]
        self.shown: tuple[frozenset[Id], str] | None = None
        """The ids and the place in the last answer."""

    async def exchange(self, outgoing: HttpRequest, departure: Any) -> HttpResponse:
        departure.at = 0.0
        person = next(
            self.slugs.index(name) if kind == "slug" else int(name)
            for kind, name in FORMS
            if _in(outgoing.target, link_of((kind, name)))
        )
        ids: set[Id] = {
            one
            for one in (("profile", str(person)), ("sales", str(person)))
            if self._chance.random() < 0.6
        } or {("sales", str(person))}
        if self._contradicts and len(ids) == 2 and self._chance.random() < 0.2:
            ids = {("profile", str(person)), ("sales", str((person + 1) % PEOPLE))}
        if self._chance.random() < 0.7:
            ids.add(("slug", self.slugs[person]))
        self.shown = frozenset(ids), self.places[person]
        fields = {"slug": "link", "profile": "liId", "sales": "salesNavLink"}
        body = {fields[one[0]]: link_of(one) for one in sorted(ids)}
        body |= {"name": "Ada", "location": self.places[person]}
        if "liId" in body:
            body["liId"] = body["liId"].rsplit("/", 1)[1]
        raw = msgspec.json.encode(body)
        return HttpResponse(200, [(b"content-type", b"application/json")], raw)

    async def aclose(self) -> None:
        pass


def _in(target: str, link: str) -> bool:
    name = link.rsplit("/", 1)[1].partition(",")[0]
    return f"{name}&" in f"{target}&" or f"{name}%2C" in target or f"{name}," in target


async def listed(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


class Program:
    """Runs over a ledger, and compares it with the reference after each step."""

    def __init__(self, store: Store, seed: int) -> None:
        self._chance = random.Random(seed)
        # What contradictions leave of a person is not worked out here.
        self._erases = self._chance.random() < 0.7
        self.world = World(self._chance, contradicts=not self._erases)
        self.expected = Reference()
        self._clock = Skipping()
        self._store = store
        store._clock = self._clock
        self._ledger = Ledger(store)
        self._lix = AsyncLix("key", http_client=self.world, rate_limit=None, clock=self._clock)

    @property
    def _now(self) -> int:
        return self._store.now

    async def run(self, steps: int) -> None:
        """Take some steps."""
        for _ in range(steps):
            self._clock.time += 1
            what = self._chance.random()
            if what < 0.6:
                await self._ask()
            elif what < 0.72:
                self._clock.time += self._chance.choice([1, 40, 100, 181]) * 86_400
            elif what < 0.82:
                self._live()
            elif what < 0.9 or not self._erases:
                await self._read(self._chance.choice(FORMS))
            elif what < 0.95:
                await self._purge()
            elif what < 0.99:
                await self._forget()
            else:
                await self._ledger.compact()
        for form in FORMS:
            await self._read(form)
        await self._check()

    def _live(self) -> None:
        """Somebody moves, or two of them exchange their slugs."""
        slugs, one = self.world.slugs, self._chance.randrange(PEOPLE)
        other = (one + 1) % PEOPLE
        if self._chance.random() < 0.5:
            slugs[one], slugs[other] = slugs[other], slugs[one]
        else:
            self.world.places[one] = self._chance.choice(["Bath", "Leeds", "York"])

    async def _ask(self) -> None:
        form, days = self._chance.choice(FORMS), self._chance.choice(AGES)
        wanted = self.expected.ask(form, self._now, days)
        age = None if days is None else timedelta(days=days)
        method, self.world.shown = self._lix.people.get, None
        run = bulk.Run(self._store, method, [link_of(form)], max_age=age, check_balances=False)
        async with run as outcomes:
            (outcome,) = [one async for one in outcomes]
        shown = self.world.shown
        assert (outcome.credits, outcome.attempts) == ((1, 1) if shown else (0, 0))
        asked = self.expected.person(form)
        if asked is not None and asked.contradicts_itself:
            assert outcome.via == "", "found by an id in conflict"
        if not self.expected.is_in_conflict(form):
            assert (wanted.state == "bought") == (shown is not None), (form, days, wanted)
        answer, via = wanted.answer, wanted.via
        if shown is not None:
            answer, via = Answer(self._now, *shown), None
            if not self.expected.learn(form, answer):
                left = self.expected.ask(form, self._now, None)
                answer, via = left.answer, left.via
                assert (outcome.refresh == "suppressed") == (answer is not None)
                wanted = left
        if wanted.state == "suppressed":
            assert (outcome.state, outcome.value, outcome.body) == ("suppressed", None, b""), (
                outcome.state,
                outcome.body,
                outcome.error,
                outcome.via,
                outcome.stale,
                outcome.attempts,
            )
            return
        if shown is None and self.expected.is_in_conflict(form):
            return
        assert answer is not None
        assert outcome.state == "done"
        stale = outcome.refresh == "suppressed"
        assert (outcome.via, outcome.stale) == (link_of(via) if via else "", stale)
        assert moment(outcome.bought_at) == answer.at
        assert (outcome.value.location, slug_in(outcome.value.link)) == (
            answer.location,
            answer.slug,
        )

    async def _purge(self) -> None:
        days = self._chance.choice([30, 150, 300])
        await self._ledger.purge(timedelta(days=days))
        self.expected.purge(self._now - days * DAY)

    async def _forget(self) -> None:
        one = self._chance.choice(FORMS)
        forgotten = await self._ledger.forget([link_of(one)])
        assert forgotten.remainder.found == [], forgotten
        self.expected.forget({one})

    async def _read(self, one: Id) -> None:
        """Compare everything that can be read about whom an id names."""
        if self.expected.is_in_conflict(one):
            return
        person = self.expected.person(one)
        found = (await self._ledger.resolve(link_of(one))).subject
        assert (found is None) == (person is None), one
        if found is not None and person is not None:
            slugs = [slug for slug, owner in self.expected.owners.items() if owner is person]
            assert sorted(known.kind for known in found.ids) == sorted(
                kind for kind, _ in [*person.ids, *slugs]
            )
        versions = await listed(self._ledger.history(link_of(one)))
        assert sorted(
            (moment(x.bought_at), x.value.location, slug_in(x.value.link))  # type: ignore[attr-defined]  # of a person
            for x in versions
        ) == [(x.at, x.location, x.slug) for x in self.expected.versions(one)]

    async def _check(self) -> None:
        """Compare the ledger as a whole."""
        contradicting = [one for one in self.expected.people if one.contradicts_itself]
        assert len(await listed(self._ledger.conflicts())) == len(contradicting)
        for days in (10_000, 100):
            since = self._now - days * DAY
            changes = await listed(self._ledger.changes(since=timedelta(days=days)))
            assert contradicting or self.expected.changes(since) == sorted(
                Change(moment(x.at_after), x.kind, x.before, x.after, moment(x.at_before))
                for x in changes
            )
        assert (await self._store.counts()).credits == self.expected.paid, (
            (await self._store.counts()).credits,
            self.expected.paid,
        )
        found = await self._ledger.verify()
        assert found == [], found


def moment(at: Any) -> int:
    return round(at.timestamp() * 1000)


def slug_in(link: str | None) -> str | None:
    return None if link is None else link.rsplit("/", 1)[1]
