"""A ledger's connection, in the one thread that touches it: groups of jobs in one transaction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..core.errors import BulkError
from .owners import BeatWatch, Owner, boot_id, new_token, process_id
from .records import Event, Result
from .tables import Database, SqlTables
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


@dataclass(slots=True)
class EventsJob:
    """Events of one attempt, applied in one transaction with those of others."""

    events: Sequence[Event]


@dataclass(slots=True)
class StatementJob(Generic[T]):
    """Anything else that reads or writes the tables."""

    work: Callable[[SqlTables], T]
    writes: bool = True


Job = EventsJob | StatementJob[object]


class LedgerConnection:
    """What the connections to both databases have in common.

    Attributes:
        owner: The number of this opening; 0 where it only reads.
    """

    grace = 60.0
    """Seconds of a silent beat after which an owner counts as dead."""

    def __init__(self, *, read_only: bool, monotonic: Callable[[], float]) -> None:
        self.owner = 0
        self.token = b""
        self._read_only = read_only
        self._monotonic = monotonic
        self._watch = BeatWatch(self.grace)
        self._known_owners: set[int] = set()

    # What a database does

    @abstractmethod
    def connect(self) -> Database:
        """The connection, made or mended."""

    @abstractmethod
    def begin(self, *, writes: bool) -> None:
        """Begin a transaction."""

    @abstractmethod
    def commit(self) -> None:
        """Make it durable."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo it."""

    @abstractmethod
    def is_dead(self, owner: Owner) -> bool:
        """Whether this database has a witness of its own that an owner is dead."""

    @abstractmethod
    def describe_error(self, error: Exception) -> str:
        """What went wrong, and what helps."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    # Transactions

    def run(self, jobs: Sequence[Job]) -> list[object]:
        """All jobs in one durable transaction: all or nothing."""
        tables = SqlTables(self.connect())
        try:
            self.begin(writes=any(isinstance(j, EventsJob) or j.writes for j in jobs))
            values = self._all(tables, jobs)
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return values

    def _all(self, tables: SqlTables, jobs: Sequence[Job]) -> list[object]:
        values: list[object] = [None] * len(jobs)
        waiting: list[tuple[int, EventsJob]] = []
        for place, job in enumerate(jobs):
            if isinstance(job, EventsJob):
                waiting.append((place, job))
                continue
            self._apply(tables, waiting, values)
            values[place] = job.work(tables)
        self._apply(tables, waiting, values)
        return values

    def _apply(
        self, tables: SqlTables, waiting: list[tuple[int, EventsJob]], values: list[object]
    ) -> None:
        if not waiting:
            return
        if self.owner and not tables.owner_lives(self.owner, self.token):
            # Declared dead, after a long sleep say. What was sent is in doubt by now, and its
            # answers still count; what is sent from here on belongs to a new owner.
            self.register(tables)
        events = [event for _, job in waiting for event in job.events]
        results = iter(apply(tables, events, self.owner))
        for place, job in waiting:
            values[place] = [next(results) for _ in job.events]
        waiting.clear()

    # Owners

    def register(self, tables: SqlTables) -> None:
        """Become an owner, under a token that nobody ever had."""
        self.token = new_token()
        self.owner = tables.add_owner(self.token, boot_id(), process_id(), self.wall())

    def release_dead(self, tables: SqlTables) -> int:
        """Take lookups from owners that have died; how many are in doubt by that."""
        others = [Owner(*row) for row in tables.owners() if row[0] != self.owner]
        silent = self._watch.silent(others, self._monotonic())
        doubts = 0
        for owner in others:
            if owner.no in silent or self.is_dead(owner):
                doubts += release(tables, tables.declare_dead(owner.no), owner.no, self.wall())
        return doubts

    @abstractmethod
    def wall(self) -> int:
        """Epoch milliseconds."""


Results = list[Result]
