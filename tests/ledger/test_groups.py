"""Groups of jobs of all kinds, in any order, that one transaction carries out.

Requests for lookups that are new and that are there, answers, and what is lost, about the same and
about other people. What the answers show together says which requests are needless.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from msgspec.structs import replace
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.ledger.connection import (
    Announced,
    AnnounceJob,
    EventsJob,
    Job,
    LedgerConnection,
)
from lix_async.ledger.identity import FoundIds
from lix_async.ledger.records import (
    EventResult,
    Judge,
    LookupSpec,
    Lose,
    NotLeft,
    Receive,
    Send,
    StoredLookup,
)
from lix_async.ledger.tables import SqlTables
from lix_async.linkedin.subject_ids import AliasKey

from . import steps
from .conftest import OpenLedger
from .identity_model import Knowledge, Shown, id_of
from .test_identity_model import MUTATIONS as IDENTITY_MUTATIONS

KINDS = ("slug", "profile", "sales")
FORMS = tuple(
    f"{kind} {person}{question}" for kind in KINDS for person in "ab" for question in "12"
)
"""Ids of two people, each with the number of what is asked about them."""
ROUNDS = 40
GROUPS = 8


@dataclass
class Flight:
    """A request that was announced."""

    n: int
    owner: int
    about: set[AliasKey]
    """What was known then of whom it asks about."""
    question: str


@dataclass
class Round:
    """What happens to the lookups about two people."""

    ledger: LedgerConnection
    chance: random.Random
    number: int
    shown: list[Shown] = field(default_factory=list[Shown])
    flights: dict[str, Flight] = field(default_factory=dict[str, Flight])
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """How often each lookup was announced."""

    def asked(self, form: str) -> AliasKey:
        return id_of(f"{form[:-1]}{self.number}")

    def spec(self, form: str) -> LookupSpec:
        return replace(steps.spec(f"{form}{self.number}"), variant=form[-1].encode())

    def send(self, form: str, lookup: StoredLookup | None) -> Send:
        ident, n = (0, 0) if lookup is None else (lookup.id, lookup.state.n)
        return Send(ident, n, 1, self.now, asked=self.asked(form), variant=form[-1].encode())

    @property
    def now(self) -> int:
        return steps.NOW + len(self.shown)

    def take(self) -> None:
        """Carry out some jobs in one transaction."""
        known = self.lookups(FORMS)
        jobs: list[Job] = []
        names = self.chance.sample(FORMS, self.chance.randint(1, 6))
        new: list[Shown] = []
        for form in names:
            lookup, flight = known.get(form), self.flights.get(form)
            if lookup is None:
                jobs.append(AnnounceJob(self.spec(form), self.send(form, None)))
            elif flight is None or self.chance.random() < 0.2:
                jobs.append(EventsJob([self.send(form, lookup)]))
            elif (what := self.chance.random()) < 0.5:
                event = Lose if what < 0.1 else NotLeft
                jobs.append(EventsJob([event(lookup.id, flight.owner, flight.n, self.now)]))
                del self.flights[form]
            else:
                kinds = self.chance.sample(KINDS[1:], self.chance.randint(1, 2))
                kinds += ["slug"] if self.chance.random() < 0.5 else []
                ids = tuple(self.asked(f"{kind} {form[-2:]}") for kind in kinds)
                place = lookup.id, flight.owner, flight.n
                receive = Receive(*place, 0, 200, b"{}", self.now)
                found = (FoundIds(ids),)
                jobs.append(
                    EventsJob([receive, Judge(*place, steps.USABLE, self.now, found=found)])
                )
                new.append(Shown(0, form, frozenset(ids), self.now))
                del self.flights[form]
        self.check(jobs, self.ledger.run(jobs), names, new)

    def check(
        self, jobs: Sequence[Job], values: Sequence[object], names: list[str], new: list[Shown]
    ) -> None:
        """Compare what became of the requests with what is known."""
        after = self.lookups(names)
        requests = {
            form: value.result
            if isinstance(value, Announced)
            else cast("list[EventResult]", value)[0]
            for form, job, value in zip(names, jobs, values, strict=True)
            if isinstance(job, AnnounceJob) or isinstance(job.events[0], Send)  # type: ignore[union-attr]  # no statements
        }
        before = dict(self.flights)
        for form, result in requests.items():
            if result.applied:
                self.sent[form] = self.sent.get(form, 0) + 1
                about = self.about(form, new)
                self.flights[form] = Flight(result.state.n, result.owner, about, form[-1])
        for form, result in requests.items():
            about = self.about(form, new)
            in_flight = any(
                about & one.about
                for name, one in self.flights.items()
                if name != form and one.question == form[-1]
            )
            bought = any(about & one.ids for one in self.shown if one.person[-1] == form[-1])
            if result.applied:
                assert not in_flight, f"{form} is in flight under another id"
                assert not bought, f"{form} is known under another id"
            elif form not in before and not about:
                row = after.get(form)
                assert row is not None and row.state.status in ("done", "in_doubt"), form
        self.shown += new
        for form, row in self.lookups(self.sent).items():
            assert row.state.n == self.sent[form]
            assert (row.state.status == "sent") is (form in self.flights) is bool(row.state.owner)

    def about(self, form: str, new: Sequence[Shown]) -> set[AliasKey]:
        """The strong ids of whom a form asks about: answers of its own group count if they show its id."""
        asked = self.asked(form)
        known = Knowledge([*self.shown, *(one for one in new if asked in one.ids)], self.now)
        return known.group_of(asked) or set()

    def lookups(self, forms: Sequence[str] | dict[str, int]) -> dict[str, StoredLookup]:
        keys = {self.spec(form).key: form for form in forms}

        def work(tables: SqlTables) -> dict[bytes, StoredLookup]:
            return tables.find([*keys])

        return {keys[key]: one for key, one in steps.ask(self.ledger, work).items()}


def run(ledger: LedgerConnection) -> None:
    for number in range(ROUNDS):
        one = Round(ledger, random.Random(number), number)
        for _ in range(GROUPS):
            one.take()


def test_jobs_of_one_transaction_buy_no_person_twice(open_ledger: OpenLedger) -> None:
    run(open_ledger())


def new_lookups_are_pending_at_first(patch: pytest.MonkeyPatch) -> None:
    right = SqlTables.add

    def wrong(
        self: SqlTables,
        specs: Sequence[LookupSpec],
        now: int,
        *,
        sends: Sequence[Send] = (),
        owner: int = 0,
    ) -> list[StoredLookup]:
        return right(self, specs, now)

    patch.setattr(SqlTables, "add", wrong)


MUTATIONS = {
    "new lookups are pending at first": new_lookups_are_pending_at_first,
    **{
        name: IDENTITY_MUTATIONS[name][1]
        for name in (
            "announced together is not seen",
            "requests leave before answers of their group are judged",
        )
    },
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_found(
    name: str, open_sqlite: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    MUTATIONS[name](monkeypatch)
    with pytest.raises(AssertionError):
        run(open_sqlite())
