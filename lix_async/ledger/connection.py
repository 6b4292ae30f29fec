"""A ledger's connection, in the one thread that touches it: groups of jobs in one transaction."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, cast

import msgspec
from msgspec.structs import replace

from ..concurrency.clock import RealClock
from ..core.errors import BulkError
from ..linkedin.subject_ids import AliasKey
from .aliases import bought_elsewhere
from .database import Database
from .owners import BeatMonitor, Owner, boot_id, new_token, process_id
from .records import (
    CallQuery,
    EventResult,
    InputRow,
    Judge,
    LedgerEvent,
    LookupSpec,
    NotLeft,
    Send,
    StoredLookup,
)
from .rule import LookupState
from .suppression import SuppressionList
from .tables import InFlight, SqlTables
from .transaction import apply, release

T = TypeVar("T")


class LedgerUnreachableError(BulkError):
    """The ledger itself cannot be reached: jobs are not tried one by one."""


class LedgerNotFoundError(BulkError):
    """There is no ledger at that place."""


class LedgerGoneError(BulkError):
    """The ledger's file was deleted or replaced while it was in use.

    `unsaved` names what was received and could not be kept.
    """


class EventsJob(msgspec.Struct, gc=False):
    """Events of one attempt, applied in one transaction with those of others.

    No caller waits for those that are `posted`. If they fail, a later transaction applies them.
    """

    events: Sequence[LedgerEvent]
    posted: bool = False


@dataclass(slots=True)
class StatementJob(Generic[T]):
    """Anything else that reads or writes the tables."""

    work: Callable[[SqlTables], T]
    writes: bool = True


class AnnounceJob(msgspec.Struct, gc=False):
    """Announce a request for a lookup that may be new."""

    spec: LookupSpec
    send: Send
    row: int | None = None
    """The row of the run that led to it, where that is not noted yet."""


class Announced(NamedTuple):
    """What became of an announcement."""

    result: EventResult
    lookup: StoredLookup | None
    """None where its subject is known, or in flight, under another id."""


Job = EventsJob | StatementJob[object] | AnnounceJob


def unsent_requests(jobs: Sequence[Job], values: Sequence[object], now: int) -> list[NotLeft]:
    """What takes back the requests that a transaction announced, before any of them left."""
    unsent: list[NotLeft] = []
    for job, value in zip(jobs, values, strict=True):
        if isinstance(job, AnnounceJob):
            result, lookup = cast("Announced", value)
            sent = [(lookup.id, result)] if lookup is not None and result.applied else []
        elif isinstance(job, EventsJob):
            results = zip(job.events, cast("list[EventResult]", value), strict=True)
            sent = [(e.lookup, r) for e, r in results if isinstance(e, Send) and r.applied]
        else:
            continue
        unsent += [NotLeft(lookup, result.owner, result.state.n, now) for lookup, result in sent]
    return unsent


def _announces(job: Job) -> bool:
    """Whether a job announces a request."""
    events = job.events if isinstance(job, EventsJob) else ()
    return isinstance(job, AnnounceJob) or any(isinstance(event, Send) for event in events)


def _to_learn_first(jobs: Sequence[Job]) -> list[int]:
    """The places of jobs with answers that show an id which another job asks about.

    What was judged before a request is announced must be known to it.
    """
    asked: set[AliasKey | None] = set()
    judged: list[tuple[int, Judge]] = []
    for place, job in enumerate(jobs):
        if isinstance(job, AnnounceJob):
            asked.add(job.send.asked)
        elif isinstance(job, EventsJob):
            for event in job.events:
                if isinstance(event, Judge):
                    judged.append((place, event))
                elif isinstance(event, Send):
                    asked.add(event.asked)
    if not asked:
        return []
    return sorted(
        {
            place
            for place, event in judged
            for found in event.found
            if not asked.isdisjoint(found.aliases)
        }
    )


def posted_events(jobs: Sequence[Job]) -> list[LedgerEvent]:
    """The events that no caller waits for."""
    posted = [job.events for job in jobs if isinstance(job, EventsJob) and job.posted]
    return [event for events in posted for event in events]


class LedgerConnection:
    """What the connections to both databases have in common.

    Attributes:
        owner: The number of this opening; 0 where it only reads.
        can_write: Whether the database takes any changes; not on a read-only file system.
    """

    grace = 60.0
    """Seconds of a silent beat after which an owner counts as dead."""

    def __init__(self, *, read_only: bool) -> None:
        self.owner = 0
        self.can_write = True
        self.token = b""
        self._read_only = read_only
        self._clock = RealClock()
        self._monotonic: Callable[[], float] = self._clock.now
        self._monitor = BeatMonitor(self.grace)
        self._batch = 0
        self._in_flight = InFlight()
        self.suppression = SuppressionList(self.key_file)
        """Who was forgotten, as of the last transaction that writes."""
        self._values: list[object] = []
        """What the last transaction that came to its commit gave."""
        self._uncertain = False
        """Whether a commit of the current jobs failed and may have been carried out."""
        self._overdue: list[LedgerEvent] = []
        """Events that the next transaction applies first: those that were posted and could not be
        applied, and what takes back requests that did not leave but may have been announced."""

    # What a database does

    @abstractmethod
    def connect(self) -> Database:
        """The connection, made or repaired."""

    @abstractmethod
    def begin(self, *, writes: bool) -> None:
        """Begin a transaction."""

    @abstractmethod
    def key_file(self, database: Database) -> Path:
        """The file with the secret of the suppression list."""

    def tables(self, database: Database) -> SqlTables:
        """The tables behind a connection."""
        return SqlTables(database, self.suppression)

    def others_wrote(self) -> bool:
        """Whether somebody else may have written since the last transaction of this connection."""
        return True

    @abstractmethod
    def commit(self) -> None:
        """Make it durable."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo it."""

    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether the transaction is still open: then it was certainly not committed."""

    @abstractmethod
    def is_dead(self, owner: Owner) -> bool:
        """Whether this database has a witness of its own that an owner is dead."""

    def remove_dead_lock(self, owner: Owner) -> None:
        """Remove the witness of an owner that is known to be dead."""

    def note_error(self, error: Exception) -> None:
        """Note what an error means for the connection."""

    @abstractmethod
    def describe_error(self, error: Exception) -> str:
        """What went wrong, and what helps."""

    def error_for(self, error: Exception) -> Exception:
        """The error that one of the waiting callers gets."""
        if isinstance(error, BulkError):
            again = type(error)(*error.args)
        else:
            again = BulkError(self.describe_error(error))
        again.__cause__ = error
        return again

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    # Transactions

    def run(self, jobs: Sequence[Job]) -> list[object]:
        """All jobs in one durable transaction: all or nothing.

        Jobs that wait for the same group were asked for at the same time: events are applied
        first, all together, and the other jobs run after them.
        """
        self._batch += 1
        self._uncertain = False
        try:
            return self._run(jobs)
        except BaseException:
            if self._uncertain:
                # The caller gets an error, so its requests do not leave. Should it turn out that
                # they were announced, the next transaction takes that back.
                self._overdue += unsent_requests(jobs, self._values, self.wall())
            if len(jobs) == 1:  # those of a group are tried one by one
                self._overdue += posted_events(jobs)
            raise

    def _run(self, jobs: Sequence[Job]) -> list[object]:
        """The transaction, repeated where that may help."""
        try:
            return self._transaction(jobs)
        except Exception:
            if not self._uncertain:
                raise
        return self._transaction(jobs)  # tells whether it was committed, and commits it if not

    def _transaction(self, jobs: Sequence[Job]) -> list[object]:
        tables = SqlTables(self.connect(), self.suppression, self._in_flight)
        overdue = list(self._overdue)
        writes = any(not isinstance(job, StatementJob) or job.writes for job in jobs) or overdue
        committing = False
        try:
            self.begin(writes=bool(writes))
            if writes and self.others_wrote():
                self._in_flight.clear()
            if overdue:
                apply(tables, overdue, 0)
            if writes and self.owner:
                values = self._as_owner(tables, jobs)
            else:
                values = self._all(tables, jobs)
            self._values = values
            committing = bool(writes)
            self.commit()
        except BaseException:
            if committing and not self.in_transaction():
                self._uncertain = True
            self._in_flight.clear()
            self.rollback()
            raise
        del self._overdue[: len(overdue)]
        return values

    def _as_owner(self, tables: SqlTables, jobs: Sequence[Job]) -> list[object]:
        found = tables.confirm_owner(self.owner, self.token, self._batch)
        if found == "done":
            return self._committed(tables, jobs)
        if found == "dead":
            # Declared dead, after a long sleep say. What was sent is in doubt by now, and its
            # answers still count; what is sent from here on belongs to a new owner.
            self.register(tables)
            tables.confirm_owner(self.owner, self.token, self._batch)
        if self.suppression.active and any(map(_announces, jobs)):
            self.suppression.check(tables.database)
        return self._all(tables, jobs)

    def _committed(self, tables: SqlTables, jobs: Sequence[Job]) -> list[object]:
        """The values of a transaction that turns out to have been committed by an earlier try."""
        values = list(self._values)
        if tables.owner_lives(self.owner, self.token):
            return values
        # Declared dead meanwhile: somebody else may have decided about what was announced, so
        # these requests must not leave.
        unsent = unsent_requests(jobs, values, self.wall())
        results = dict(zip([x.lookup for x in unsent], apply(tables, unsent, 0), strict=True))
        self.register(tables)
        tables.confirm_owner(self.owner, self.token, self._batch)
        for place, job in enumerate(jobs):
            if isinstance(job, AnnounceJob):
                result, lookup = cast("Announced", values[place])
                if lookup is not None and result.applied:
                    result = EventResult(False, results[lookup.id].state)
                values[place] = Announced(result, lookup)
            elif isinstance(job, EventsJob):
                pairs = zip(job.events, cast("list[EventResult]", values[place]), strict=True)
                values[place] = [
                    EventResult(False, results[event.lookup].state)
                    if isinstance(event, Send) and result.applied
                    else result
                    for event, result in pairs
                ]
        return values

    def _all(self, tables: SqlTables, jobs: Sequence[Job]) -> list[object]:
        values: list[object] = [None] * len(jobs)
        learned = _to_learn_first(jobs)
        for place in learned:
            events = cast("EventsJob", jobs[place]).events
            values[place] = apply(tables, events, self.owner)
        self._carry_out(tables, [p for p in range(len(jobs)) if p not in learned], jobs, values)
        return values

    def _carry_out(
        self, tables: SqlTables, places: Sequence[int], jobs: Sequence[Job], values: list[object]
    ) -> None:
        """Carry out the jobs at some places, and note the value of each."""
        announced = [job for p in places if isinstance(job := jobs[p], AnnounceJob)]
        lookups = iter(self._announced(tables, announced) if announced else ())
        events: list[LedgerEvent] = []
        counts: list[tuple[int, int, StoredLookup | None]] = []
        statements: list[tuple[int, StatementJob[object]]] = []
        inputs: defaultdict[int, list[InputRow]] = defaultdict(list)
        for place in places:
            job = jobs[place]
            if isinstance(job, EventsJob):
                events += job.events
                counts.append((place, len(job.events), None))
            elif isinstance(job, AnnounceJob):
                lookup = next(lookups)
                if isinstance(lookup, EventResult):
                    values[place] = Announced(lookup, None)
                    continue
                events.append(replace(job.send, lookup=lookup.id, asked=None))
                counts.append((place, 1, lookup))
                if job.row is not None and job.send.run is not None:
                    inputs[job.send.run].append(InputRow(job.row, lookup.id))
            else:
                statements.append((place, job))
        results = apply(tables, events, self.owner) if events else []
        for run, rows in inputs.items():
            tables.add_inputs(run, rows)
        start = 0
        for place, count, announced_lookup in counts:
            if announced_lookup is None:
                values[place] = results[start : start + count]
            else:
                values[place] = Announced(results[start], announced_lookup)
            start += count
        for place, job in statements:
            values[place] = job.work(tables)
            if job.writes:  # whatever that was
                self._in_flight.clear()

    def _announced(
        self, tables: SqlTables, jobs: Sequence[AnnounceJob]
    ) -> list[StoredLookup | EventResult]:
        """The lookups to announce, made where they are new; or why one need not be."""
        specs = [job.spec for job in jobs]
        blocked: dict[int, EventResult] = {}
        if self.suppression.active:
            calls = [CallQuery(j.spec.key, j.spec.endpoint, j.send.asked) for j in jobs]
            for place, suppressed in enumerate(tables.suppressed_calls(calls)):
                if suppressed:
                    blocked[place] = EventResult(False, LookupState(), suppressed=True)
        about_someone = [
            place
            for place, job in enumerate(jobs)
            if job.send.asked is not None and place not in blocked
        ]
        if about_someone:
            queries = [
                CallQuery(
                    b"", jobs[place].spec.endpoint, jobs[place].send.asked, specs[place].variant
                )
                for place in about_someone
            ]
            seen: dict[tuple[int, str, bytes], bytes] = {}
            now = max(jobs[place].send.now for place in about_someone)
            for place, query, (subject, siblings) in zip(
                about_someone, queries, tables.siblings(queries, now), strict=True
            ):
                spec, newer_than = specs[place], jobs[place].send.newer_than
                other = bought_elsewhere(None, siblings, newer_than)
                specs[place] = replace(spec, subject=subject)
                same = None if subject is None else (subject, query.endpoint, query.variant)
                if other:
                    blocked[place] = EventResult(False, LookupState(), elsewhere=other)
                elif same is not None and seen.setdefault(same, spec.key) != spec.key:
                    blocked[place] = EventResult(False, LookupState())
        wanted = [place for place in range(len(specs)) if place not in blocked]
        lookups = iter(
            tables.add(
                [specs[place] for place in wanted],
                self.wall(),
                sends=[jobs[place].send for place in wanted],
                owner=self.owner,
            )
            if wanted
            else ()
        )
        return [blocked[place] if place in blocked else next(lookups) for place in range(len(jobs))]

    # Owners

    def register(self, tables: SqlTables) -> None:
        """Become an owner, under a new token."""
        self.token = new_token()
        self.owner = tables.add_owner(self.token, boot_id(), process_id(), self.wall())

    def release_dead(self, tables: SqlTables) -> int:
        """Take lookups from owners that have died; how many are in doubt by that."""
        others = [Owner(*row) for row in tables.owners() if row[0] != self.owner]
        silent = self._monitor.silent(others, self._monotonic())
        doubts = 0
        for owner in others:
            if owner.no in silent or self.is_dead(owner):
                doubts += release(tables, tables.declare_dead(owner.no), owner.no, self.wall())
                self.remove_dead_lock(owner)
        return doubts

    def keep_alive(self) -> None:
        """Raise the beat of this owner, and take lookups from owners that have died.

        An error is left to the next job, whose caller can handle it.
        """
        if not self.owner:
            return
        self._batch += 1
        try:
            self._transaction([StatementJob(self.release_dead)])
        except Exception as error:  # noqa: BLE001  # see above
            self.note_error(error)

    def end_owner(self, tables: SqlTables) -> None:
        """Stop to be an owner: what is still sent is in doubt, and others need not wait."""
        self.begin(writes=True)
        apply(tables, self._overdue, 0)
        # The number alone is another's where the transaction that gave it was undone.
        if tables.owner_lives(self.owner, self.token):
            release(tables, tables.declare_dead(self.owner), self.owner, self.wall())
        self.commit()

    def wall(self) -> int:
        """Epoch milliseconds."""
        return int(self._clock.wall() * 1000)
