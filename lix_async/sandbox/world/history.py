"""What happens to people and companies as days pass: jobs, titles, places, names, slugs.

The events of a record are drawn from the seed, the record's key and their number, at the rates of
`hazards.py`. They depend neither on requests nor on the steps in which the world is advanced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count, takewhile
from random import Random
from typing import NamedTuple

from . import names
from .careers import TODAY, PositionRecord
from .hazards import ORGANISATIONS, PEOPLE, OrganisationHazards, PersonHazards
from .organisations import OrganisationRecord
from .people import PersonRecord
from .random import chance, rng_for

_DAYS_A_YEAR = 365.25
_FIRST_DAY = date(*TODAY, 1)
# LinkedIn keeps an identifier from other members for 180 days after it was given up; meanwhile its
# page may be missing or lead to the member (https://www.linkedin.com/help/linkedin/answer/87).
_HELD_DAYS = 180
_REDIRECTED = 0.5
_TAKEN_OVER = 0.3
_EDITED = 0.5
"""The share of new titles that replace the old one; the others are a further position."""
_MOBILE_MONTHS, _LASTING_MONTHS = 20, 31
"""People whose earlier jobs lasted at most, or more than, so many months on average."""


@dataclass(frozen=True, slots=True)
class WorldChange:
    """Something that changed in the world.

    * `day`: the first day on which it is so, counted from the first day of the world.
    * `kind`: `job_started`, `job_ended`, `title_changed`, `location_changed`, `slug_moved`,
      `name_changed`, else `field_changed`.
    * `subject`: the Sales Navigator id of the person or company, which never changes.
    * `name`: the name of the person or company, before the change.
    * `field`: what changed: `job`, `title`, `location`, `slug`, `name`, `headline` or `size`.
    * `before`, `after`: the values. A job is written as `TITLE at COMPANY`.
    * `organisation`: the Sales Navigator id of the company of a job.
    """

    day: int
    kind: str
    subject: str
    name: str
    field: str
    before: str | None
    after: str | None
    organisation: str | None = None

    @property
    def date(self) -> date:
        """The date of the day in the world."""
        return date_of(self.day)


def date_of(day: int) -> date:
    """The date in the world on a day; day 0 is the first."""
    return _FIRST_DAY + timedelta(days=day)


class WorldEvent(NamedTuple):
    """`rng` draws what the event needs."""

    day: int
    kind: str
    rng: Random


def _events(
    rates: PersonHazards | OrganisationHazards, until: int, *parts: object
) -> Iterator[WorldEvent]:
    """The events of a record up to a day, in order of time, at constant rates."""
    by_kind = rates._asdict()
    total, rng = sum(by_kind.values()), rng_for("history", *parts)

    def drawn() -> Iterator[WorldEvent]:
        at = 0.0
        for index in count():
            at += rng.expovariate(total) * _DAYS_A_YEAR
            (kind,) = rng.choices(list(by_kind), list(by_kind.values()))
            yield WorldEvent(int(at) + 1, kind, rng_for("event", *parts, index))

    return takewhile(lambda event: event.day <= until, drawn())


def person_events(
    seed: int, person: PersonRecord, jobs: Sequence[PositionRecord], until: int
) -> Iterator[WorldEvent]:
    """The events of a person; `jobs` is the career on the first day.

    Who changed jobs often does so again.
    """
    months = [
        (job.until[0] - job.started[0]) * 12 + job.until[1] - job.started[1]
        for job in jobs[1:]
        if job.started[1]
    ]
    mean = sum(months) / len(months) if months else _LASTING_MONTHS + 1
    group = 2 if mean <= _MOBILE_MONTHS else 1 if mean <= _LASTING_MONTHS else 0
    return _events(PEOPLE[group][1], until, seed, "person", person.key)


def organisation_events(seed: int, one: OrganisationRecord, until: int) -> Iterator[WorldEvent]:
    """The events of a company."""
    group = int(chance(ORGANISATIONS[1][0], seed, "unsteady", one.key))
    return _events(ORGANISATIONS[group][1], until, seed, "organisation", one.key)


class Life(NamedTuple):
    """A person on a day, except the slug, and how it came to that.

    * `jobs`: the positions, the current one first.
    * `emails`: the addresses that the person had earlier.
    """

    person: PersonRecord
    jobs: list[PositionRecord]
    emails: tuple[str, ...]
    changes: tuple[WorldChange, ...]

    def name_on(self, day: int) -> str:
        """The person's name on a day."""
        later = (one.name for one in self.changes if one.field == "name" and one.day > day)
        return next(later, self.person.name)


def live(
    person: PersonRecord,
    jobs: Sequence[PositionRecord],
    events: Iterator[WorldEvent],
    today: int,
    employers: Callable[[int], OrganisationRecord],
    name_on: Callable[[OrganisationRecord, int], str],
) -> Life:
    """The life of a person up to a day.

    Args:
        person: The person on the first day.
        jobs: The positions on the first day.
        events: The events up to the day.
        today: The day.
        employers: Returns the company for any number.
        name_on: Returns the name of a company on a day.
    """
    jobs, emails, changes = list(jobs), list[str](), list[WorldChange]()
    for day, kind, rng in events:
        before, month = person, _month_of(day)

        def note(
            what: str,
            field: str,
            old: str | None,
            new: str | None,
            job: PositionRecord | None = None,
            *,
            day: int = day,
            before: PersonRecord = before,
        ) -> None:
            organisation = job.employer.sales_id if job else None
            changes.append(
                WorldChange(day, what, before.sales_id, before.name, field, old, new, organisation)
            )

        if kind == "employer":
            employer = _other(rng, employers, person.employer)
            title, seniority, function = rng.choice(names.TITLES)
            person = replace(
                person, title=title, seniority=seniority, function=function, employer=employer
            )
            left, started = jobs[0], _position(person, month)
            jobs[:1] = [started, replace(left, ended=month, until=month)]
            was = f"{left.title} at {name_on(left.employer, day)}"
            note("job_ended", "job", was, None, left)
            note("job_started", "job", None, f"{title} at {name_on(employer, day)}", started)
        elif kind == "title":
            title, seniority, function = _another(rng, names.TITLES, person.title)
            person = replace(person, title=title, seniority=seniority, function=function)
            held = jobs[0]
            if rng.random() < _EDITED or held.started == month:
                jobs[0] = replace(held, title=title)
            else:
                jobs[:1] = [_position(person, month), replace(held, ended=month, until=month)]
            note("title_changed", "title", before.title, title, held)
        elif kind == "place":
            person = replace(person, place=_another(rng, names.PLACES, person.place[0]))
            note("location_changed", "location", before.location, person.location)
        elif kind == "name":
            person = replace(person, last=_another_name(rng, person.last))
            note("name_changed", "name", before.name, person.name)
        elif kind == "headline":
            own = f"{person.title} | {rng.choice(person.skills)}"
            if own == person.headline:
                own = f"{own} | {person.industry}"
            person = replace(person, own_headline=own)
            shown = before.own_headline or f"{before.title} at {name_on(before.employer, day)}"
            note("field_changed", "headline", shown, own)
        if before.email != person.email:
            emails.append(before.email)
    jobs[0] = replace(jobs[0], until=_month_of(today))
    return Life(person, jobs, tuple(emails), tuple(changes))


def _month_of(day: int) -> tuple[int, int]:
    at = date_of(day)
    return at.year, at.month


def _position(person: PersonRecord, started: tuple[int, int]) -> PositionRecord:
    return PositionRecord(
        person.title, person.employer, True, person.location, started, None, None, started
    )


def _other(
    rng: Random, employers: Callable[[int], OrganisationRecord], current: OrganisationRecord
) -> OrganisationRecord:
    """An employer that is not the current one, if there is another one."""
    drawn = rng.randrange(10_000)
    found = employers(drawn)
    return found if found.number != current.number else employers(drawn + 1)


def _another(
    rng: Random, options: Sequence[tuple[str, str, str]], current: str
) -> tuple[str, str, str]:
    return rng.choice([option for option in options if option[0] != current])


def _another_name(rng: Random, current: str) -> str:
    return next(name for name in iter(lambda: names.person_name(rng)[1], None) if name != current)


class SlugRegister:
    """Who has which public identifier, after some were given up.

    An identifier that was given up leads to its former holder or is missing. Somebody else may take
    it later.
    """

    def __init__(self) -> None:
        self.changed: dict[int, str] = {}
        """The present slugs of the holders that gave up another one, by the holder's index."""
        self._holders: dict[str, int | None] = {}
        self._free: dict[str, tuple[int, int]] = {}

    def __contains__(self, slug: str) -> bool:
        return slug in self._holders

    def holder(self, slug: str) -> int | None:
        """The index of who is found by a slug of the register; None for a missing page."""
        return self._holders[slug]

    def free(self, day: int, holder: int) -> list[str]:
        """The identifiers that somebody may take on a day, except those that were the holder's."""
        return [
            slug
            for slug, (since, former) in self._free.items()
            if since + _HELD_DAYS <= day and former != holder
        ]

    def move(self, holder: int, old: str, new: str, day: int, rng: Random) -> None:
        """Give up one identifier and take another one."""
        self._free.pop(new, None)
        self._free[old] = day, holder
        self._holders[old] = holder if rng.random() < _REDIRECTED else None
        self._holders[new] = holder
        self.changed[holder] = new


def choose_slug(register: SlugRegister, holder: int, base: str, event: WorldEvent) -> str:
    """A new identifier: one that somebody else gave up, or `base` with two characters."""
    rng, free = event.rng, register.free(event.day, holder)
    if free and rng.random() < _TAKEN_OVER:
        return rng.choice(free)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    made = iter(lambda: f"{base}-{rng.choice(letters)}{rng.choice(letters)}", None)
    return next(slug for slug in made if slug not in register)
