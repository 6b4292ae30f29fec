"""A ledger as programs use it: methods to await, over a connection in a thread of its own."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Literal, TypeVar, cast

import msgspec
from msgspec.structs import replace

from ..concurrency.clock import Clock, RealClock
from ..concurrency.worker_thread import WorkerThread
from ..core.bridge import ReadableStruct
from ..core.errors import BulkError
from ..core.installed_providers import all_endpoints
from ..core.subject_ids import IdGroup
from ..linkedin.subject_ids import AliasKey
from .connection import (
    Announced,
    AnnounceJob,
    EventsJob,
    Job,
    LedgerConnection,
    LedgerUnreachableError,
    StatementJob,
)
from .lookup_copies import rekey
from .migration import OLD
from .owners import BEAT_EVERY
from .records import (
    Again,
    AnswerRow,
    CallQuery,
    Counts,
    Decide,
    EndedCall,
    EventResult,
    InputAnswer,
    InputRow,
    LedgerEvent,
    LookupSpec,
    Send,
    StoredLookup,
)
from .resolution import resolve
from .rule import CODES, STATUSES, Status
from .tables import SqlTables

T = TypeVar("T")
GROUP = 500
"""Jobs in one commit at most."""
BATCH = 200
"""Entries read at once while exporting."""

ANSWERED: frozenset[Status] = frozenset({"received", "done", "kept", "refused"})
"""Statuses with an answer."""


class Entry(ReadableStruct, msgspec.Struct, kw_only=True):
    """What a ledger holds of one lookup."""

    key: bytes
    """The same for every spelling of the same lookup."""
    endpoint: str
    """The catalogue id of the endpoint, such as `person.get`."""
    given: bytes
    """The first input that led to this key, as JSON."""
    status: Status
    """What became of it, such as `done`, `refused` or `in_doubt`."""
    attempts: int = 0
    """Requests sent for it."""
    credits: int = 0
    """Credits charged for it."""
    maybe: int = 0
    """Credits of attempts without an answer, which may have been charged."""
    due: float = 0.0
    """Not sent again before this moment (epoch seconds); 0 where nothing is waited for."""
    changed: float = 0.0
    """Last change (epoch seconds)."""
    note: str = ""
    """What went wrong at the last attempt."""
    http: int = 0
    """The HTTP status of the answer that stands; 0 where there is none."""
    body: bytes | None = None
    """The answer that stands, as it was received, also while a newer one is bought; None for a
    listing."""
    bought_at: float = 0.0
    """When the answer that stands was received (epoch seconds), of a listing its last page; 0 where
    there is none."""
    pages: list[AnswerRow] = []
    """The pages of a listing, as they were received; with the answer that ended it where it was
    refused or cannot be read."""
    refreshing: bool = False
    """Whether what stands is an older version, until a newer one is complete."""


class Store:
    """A ledger. Its methods may be called by many tasks at once.

    Open it with `async with store:` or `open()`. Use `SqliteStore` or `PostgresStore`.
    """

    beat_every = BEAT_EVERY
    """Seconds between two signs of life, which other openings of the ledger look at."""
    schema = ""
    """Where its tables are, in PostgreSQL."""

    def __init__(self) -> None:
        self._thread: WorkerThread[Job] | None = None
        self._pid = 0
        self._connection: LedgerConnection | None = None
        self._clock = RealClock()
        self.has_old_keys = False
        """Whether some lookups may still have the keys of version 2."""
        self.has_unlearned = False
        """Whether it has answers from before ledgers learned which ids belong together."""

    @abstractmethod
    def _connect(self, *, read_only: bool) -> LedgerConnection:
        """A connection to this ledger, not opened yet."""

    @abstractmethod
    def is_same(self, other: Store) -> bool:
        """Whether another one leads to this ledger."""

    @abstractmethod
    async def disk_usage(self) -> tuple[int, int, dict[str, int]]:
        """Bytes on the disk, those of them that are free, and those of each table, if known."""

    @abstractmethod
    async def damages(self) -> list[str]:
        """What the database says is damaged in the file."""

    @abstractmethod
    async def vacuum(self, *, full: bool) -> None:
        """Give free space back.

        Args:
            full: In PostgreSQL, rewrite the tables, which no other process can use meanwhile.
        """

    @abstractmethod
    async def release_deleted(self, *, full: bool) -> tuple[list[int], str]:
        """Make the database give up what was deleted.

        Args:
            full: In PostgreSQL, rewrite the tables, which no other process can use meanwhile.

        Returns:
            The processes that keep it from that, and what it cannot erase, for people.
        """

    async def empty_log(self) -> bool:
        """Empty the write-ahead log of a file, which has what was erased a moment ago.

        Returns:
            Whether that was possible, or there is none.
        """
        return True

    async def search_files(
        self, names: Sequence[bytes], parts: Sequence[bytes]
    ) -> list[tuple[str, bytes]]:
        """The files of the database that have some bytes, with those.

        Args:
            names: What is looked for, where it is not a part of a longer name.
            parts: What is looked for anywhere.
        """
        return []

    async def copies(self) -> list[str]:
        """Other files that may have what this ledger had."""
        return []

    @property
    def clock(self) -> Clock:
        """The clock of its waits."""
        return self._clock

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self._thread is not None

    async def open(self) -> int:
        """Open the ledger to work on it.

        Returns:
            How many lookups are in doubt because their owner has died.

        Raises:
            BulkError: It is open already, is not a ledger, is damaged or cannot be reached.
        """
        return await self._open(read_only=False)

    async def open_read_only(self) -> None:
        """Open the ledger to read it and to decide doubts; no request can be announced.

        Raises:
            LedgerNotFoundError: There is no ledger.
            BulkError: It is open already, is not a ledger, is damaged or cannot be reached.
        """
        await self._open(read_only=True)

    async def _open(self, *, read_only: bool) -> int:
        if self._thread is not None:
            raise BulkError(f"{self!r} is open already")
        connection = self._connection = self._connect(read_only=read_only)
        self._pid = os.getpid()
        self._thread = WorkerThread(
            connection,
            "lix_async ledger",
            max_batch=GROUP,
            shield=True,
            final_error=LedgerUnreachableError,
            periodic=None if read_only else connection.keep_alive,
            interval=self.beat_every,
        )
        try:
            rule = await self.statement(lambda tables: tables.about("key_rule"), writes=False)
            self.has_old_keys = rule == OLD
            self.has_unlearned = not await self.about("identity")
            return await self.statement(connection.release_dead)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the ledger. What was sent and has no answer is in doubt."""
        thread, self._thread = self._thread, None
        if thread is not None and self._pid == os.getpid():
            await thread.close()

    async def __aenter__(self) -> Store:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # Jobs

    async def statement(self, work: Callable[[SqlTables], T], *, writes: bool = True) -> T:
        """Run a function on the tables, in a transaction."""
        return cast("T", await self._worker().run(StatementJob(work, writes)))

    def apply(self, *events: LedgerEvent) -> Awaitable[list[EventResult]]:
        """Apply events; they are durable when this returns."""
        return cast("Awaitable[list[EventResult]]", self._worker().run(EventsJob(events)))

    def post(self, *events: LedgerEvent) -> None:
        """Apply events with the next commit, without waiting for it."""
        self._worker().post(EventsJob(events, posted=True))

    async def flush(self) -> None:
        """Wait until what was posted is durable, and other connections see it."""
        await self.statement(lambda tables: None, writes=False)

    def announce(
        self, spec: LookupSpec, send: Send, row: int | None = None
    ) -> Awaitable[Announced]:
        """Announce a request, its lookup made where it is new; durable when this returns.

        Args:
            spec: The lookup.
            send: The event; its `lookup` is filled in.
            row: The input of the run that led to it, to be kept with it.
        """
        return cast("Awaitable[Announced]", self._worker().run(AnnounceJob(spec, send, row)))

    def _worker(self) -> WorkerThread[Job]:
        if self._thread is None:
            raise BulkError(f"{self!r} is not open")
        if self._pid != os.getpid():  # the thread and the connection are the parent's
            raise BulkError(
                f"{self!r} was opened before the process was forked: open it in the child process"
            )
        return self._thread

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self._clock.wall() * 1000)

    # Lookups

    async def find(self, keys: Sequence[bytes]) -> dict[bytes, StoredLookup]:
        """The lookups of those keys that the ledger has."""
        return await self.statement(lambda tables: tables.find(keys), writes=False)

    async def find_calls(
        self, queries: Sequence[CallQuery], now: int, *, answers: bool = True
    ) -> list[StoredLookup | None]:
        """The lookups of calls, also those that were bought under another id of the subject.

        Args:
            queries: The calls.
            now: Epoch milliseconds.
            answers: Whether their answers are read, without bodies; else their states have none.
        """
        return await self.statement(
            lambda tables: tables.find_calls(queries, now, answers=answers), writes=False
        )

    async def ended_calls(self, queries: Sequence[CallQuery], now: int) -> list[EndedCall | None]:
        """Of calls, those lookups whose answers stand, and about which nothing is to be done.

        Args:
            queries: The calls; those that were bought under another id of the subject count too.
            now: Epoch milliseconds.
        """
        return await self.statement(lambda tables: tables.ended_calls(queries, now), writes=False)

    async def suppressed_calls(self, queries: Sequence[CallQuery]) -> list[bool]:
        """Of calls, whether what they ask about was forgotten."""
        return await self.statement(lambda tables: tables.suppressed_calls(queries), writes=False)

    @property
    def suppresses(self) -> bool:
        """Whether somebody was forgotten, as of the last event that was applied."""
        return self._connection is not None and self._connection.suppression.active

    def stored_answer(self, key: bytes, asked: tuple[str, bytes] | None = None) -> AnswerRow | None:
        """The answer that stands, where it can be read without waiting; None where it cannot.

        Args:
            key: The key of the call.
            asked: The id that it asks about: where that is another subject's by now, it may be that
                the answer does not stand.
        """
        return None

    async def rekey(self, keys: Mapping[bytes, bytes]) -> None:
        """Give lookups other keys, by their present ones; two of one key become one."""
        if keys:
            await self.statement(lambda tables: rekey(tables, keys))

    async def answers(
        self, ids: Sequence[int], *, newest: bool = False
    ) -> dict[int, list[AnswerRow]]:
        """The answers that stand, by lookup.

        Args:
            ids: The lookups.
            newest: Of a listing that is bought again the new pages so far, in place of the older
                version that stands.
        """
        return await self.statement(lambda tables: tables.current(ids, newest=newest), writes=False)

    async def begin_run(self, name: str, method: str, options: str, cap: int | None) -> int:
        """Note the beginning of a run, or join the one of that name; its id."""
        now = self.now
        return await self.statement(
            lambda tables: tables.begin_run(name, method, options, cap, now)
        )

    def post_inputs(self, run: int, inputs: Sequence[InputRow]) -> None:
        """Keep which input of a run led to which lookup, with the next commit."""
        self._worker().post(StatementJob(lambda tables: tables.add_inputs(run, inputs)))

    async def add_inputs(self, run: int, inputs: Sequence[InputRow]) -> None:
        """Keep new inputs of a run; they are durable when this returns."""
        await self.statement(lambda tables: tables.add_inputs(run, inputs))

    async def inputs(self, run: int, first: int, last: int, schema: str = "") -> list[InputRow]:
        """The inputs of a run from one row to another.

        Args:
            run: The run.
            first: Its first row.
            last: Its last row.
            schema: The ledger that has the run, where it is another one in the same PostgreSQL.
        """
        return await self.statement(
            lambda tables: self._tables_in(schema or self.schema, tables).inputs(run, first, last),
            writes=False,
        )

    def _tables_in(self, schema: str, tables: SqlTables) -> SqlTables:
        """The tables of a schema; a file has only one."""
        return tables

    async def input_answers(
        self, run: int, first: int, last: int
    ) -> tuple[list[InputAnswer], dict[int, Entry]]:
        """The inputs of a run from one row to another, with the answers that stand.

        Returns:
            The inputs, and the entries of those lookups that do not have one usable answer.
        """

        def work(tables: SqlTables) -> tuple[list[InputAnswer], dict[int, Entry]]:
            found = tables.input_answers(run, first, last)
            return found, _entries_by_id(
                tables, {one.lookup for one in found if one.lookup is not None and one.body is None}
            )

        return await self.statement(work, writes=False)

    async def entries_by_id(self, ids: Collection[int]) -> dict[int, Entry]:
        """Entries of lookups, by their ids."""
        return await self.statement(lambda tables: _entries_by_id(tables, ids), writes=False)

    async def add_lookups(
        self,
        specs: Sequence[LookupSpec],
        inputs: Sequence[InputRow] = (),
        run: int | None = None,
        *,
        asked: Sequence[AliasKey | None] = (),
    ) -> list[StoredLookup]:
        """The lookups of calls, made where they are new, in the order of the calls.

        Args:
            specs: The calls.
            inputs: The inputs of the run: first those that lead to the calls, in their order, then
                those that are invalid.
            run: The run; None where this ledger does not have its inputs.
            asked: The ids that the calls ask about: the lookup of one that was bought under another
                id of its subject is that one.
        """
        now = self.now

        def work(tables: SqlTables) -> list[StoredLookup]:
            lookups = tables.add_calls(specs, asked, now) if asked else tables.add(specs, now)
            if run is not None:
                found = [
                    replace(
                        one,
                        lookup=lookup.id,
                        given=None if one.given == lookup.written_as else one.given,
                    )
                    for one, lookup in zip(inputs, lookups, strict=False)
                ]
                tables.resolve_inputs(run, [*found, *inputs[len(found) :]])
            pairs = zip(specs, lookups, strict=True)
            tables.remove_unsent([spec.key for spec, one in pairs if one.key != spec.key])
            return lookups

        return await self.statement(work)

    async def add_export(self, place: str, what: str) -> None:
        """Keep what is exported where; not in a ledger on a read-only file system."""
        now = self.now
        assert self._connection is not None  # it is open
        if self._connection.can_write:
            await self.statement(lambda tables: tables.add_export(place, what, now))

    async def by_id(self, ids: Sequence[int]) -> dict[int, StoredLookup]:
        """Lookups by id."""
        return await self.statement(lambda tables: tables.by_id(ids), writes=False)

    async def is_spent(self, run: int, price: int) -> bool:
        """Whether a run cannot pay this price, whatever comes of its calls in flight."""
        return await self.statement(lambda tables: tables.is_spent(run, price), writes=False)

    async def end_run(self, run: int) -> None:
        """Note the end of a run."""
        now = self.now
        await self.statement(lambda tables: tables.end_run(run, now))

    async def release_dead(self) -> int:
        """Take lookups from owners that have died; how many are in doubt by that."""
        assert self._connection is not None  # it is open
        return await self.statement(self._connection.release_dead)

    async def history(self, lookup: int) -> list[AnswerRow]:
        """Every answer of a lookup, oldest attempt first."""
        return await self.statement(lambda tables: tables.history(lookup), writes=False)

    async def unjudged(self, lookup: int) -> list[AnswerRow]:
        """Answers of a lookup that wait for anybody to judge them, oldest first."""
        return await self.statement(lambda tables: tables.unjudged(lookup), writes=False)

    # What people ask

    async def get(self, key: bytes) -> Entry | None:
        """What the ledger holds of a key; None for a key that it has never seen."""

        def work(tables: SqlTables) -> list[Entry]:
            return _entries(tables, list(tables.find([key]).values()))

        found = await self.statement(work, writes=False)
        return found[0] if found else None

    async def entries(self, *statuses: Status, endpoint: str | None = None) -> AsyncIterator[Entry]:
        """Every entry, in the order in which the lookups were first asked for.

        Args:
            statuses: Only those in these statuses.
            endpoint: Only those of this endpoint, by its catalogue id.
        """
        wanted = [CODES[status] for status in statuses or STATUSES]
        last = 0
        while True:

            def work(tables: SqlTables, after: int = last) -> tuple[int, list[Entry]]:
                lookups = tables.page_of(after, BATCH, wanted, endpoint)
                return (lookups[-1].id if lookups else 0), _entries(tables, lookups)

            last, batch = await self.statement(work, writes=False)
            if not batch:
                return
            for entry in batch:
                yield entry

    async def counts(self) -> Counts:
        """Lookups by status, and the credits of all attempts."""
        return await self.statement(lambda tables: tables.counts(), writes=False)

    async def next_due(self) -> float | None:
        """When the first waiting lookup is due (epoch seconds), or None."""
        found = await self.statement(lambda tables: tables.next_due(), writes=False)
        return None if found is None else found[0] / 1000

    async def page_of(self, id_: str) -> str | None:
        """A page on LinkedIn of the person or organisation that has an id."""

        def work(tables: SqlTables) -> str | None:
            found = resolve(tables.database, id_, self.now)
            if found.subject is None or found.subject.ambiguous or found.expired:
                return None
            return next((one.link for one in found.subject.ids if one.link is not None), None)

        return await self.statement(work, writes=False)

    async def about(self, name: str) -> str | None:
        """A setting of the ledger."""
        return await self.statement(lambda tables: tables.about(name), writes=False)

    async def set_about(self, name: str, value: str) -> None:
        """Change a setting of the ledger."""
        await self.statement(lambda tables: tables.set_about(name, value))

    async def learn_stored(
        self,
        after: int,
        groups: Mapping[str, Sequence[IdGroup]],
        variant: Callable[[StoredLookup], bytes],
    ) -> int | None:
        """Learn from some answers of lookups that were stored without it.

        Args:
            after: The last lookup that was read before; 0 for none.
            groups: Where ids stand in answers, by endpoint.
            variant: What a lookup is, besides its subject; empty where that is not known.

        Returns:
            The last lookup that was read; None after the last one of the ledger.
        """
        return await self.statement(lambda tables: tables.learn_stored(after, groups, variant))

    async def learn_ids(self) -> None:
        """Learn which ids belong together, in a ledger from before ledgers did.

        Raises:
            BulkError: The ledger cannot be written.
        """
        done = "identity ids"
        if not self.has_unlearned or await self.about(done):
            return
        groups = {name: one.ids for name, one in all_endpoints().items() if one.ids}
        last: int | None = 0
        while last is not None:
            last = await self.learn_stored(last, groups, lambda one: one.variant)
        await self.set_about(done, "done")

    async def parked(self) -> str:
        """Why runs and workers over this ledger pause; empty where they may work."""
        return await self.statement(lambda tables: tables.about("parked") or "", writes=False)

    async def park(self, reason: str) -> None:
        """Let every run and worker over this ledger pause, also later ones.

        Args:
            reason: What people are shown; an empty one lets them go on.
        """
        await self.statement(lambda tables: tables.set_about("parked", reason))

    async def resolve(self, key: bytes, decision: Literal["again", "let_be"]) -> bool:
        """Decide about a lookup in doubt: buy it again with the next run, or let it be.

        Returns:
            Whether it was in doubt.
        """
        found = (await self.find([key])).get(key)
        if found is None:
            return False
        event = Decide(found.id, found.state.n, decision == "again", self.now)
        return (await self.apply(event))[0].applied

    async def buy_again(self, key: bytes) -> bool:
        """Let the next run buy a refused or unusable lookup anew.

        Returns:
            Whether it was one.
        """
        found = (await self.find([key])).get(key)
        if found is None:
            return False
        return (await self.apply(Again(found.id, found.state.n, self.now)))[0].applied

    async def unattested(self) -> list[bytes]:
        """The keys of lookups that were refused for good without the API's own error.

        A 400, 404 or 422 that does not hold it is final after three runs on three days.
        """
        return await self.statement(lambda tables: tables.unattested(), writes=False)


def _entries_by_id(tables: SqlTables, ids: Collection[int]) -> dict[int, Entry]:
    lookups = list(tables.by_id(sorted(ids)).values()) if ids else []
    entries = _entries(tables, lookups)
    return {lookup.id: entry for lookup, entry in zip(lookups, entries, strict=True)}


def _entries(tables: SqlTables, lookups: Sequence[StoredLookup]) -> list[Entry]:
    ids = [lookup.id for lookup in lookups if lookup.state.n]
    answers, notes = tables.current(ids), tables.notes(ids)
    entries: list[Entry] = []
    for lookup in lookups:
        state = lookup.state
        attempts, credits, maybe, note = notes.get(lookup.id, (0, 0, 0, ""))
        entry = Entry(
            key=lookup.key,
            endpoint=lookup.endpoint,
            given=lookup.written_as,
            status=state.status,
            attempts=attempts,
            credits=credits,
            maybe=maybe,
            due=(state.due or 0) / 1000,
            changed=lookup.changed / 1000,
            note=note,
            refreshing=state.refresh is not None,
        )
        found = answers.get(lookup.id, [])
        if state.page:
            entry.pages = found
            entry.bought_at = max((page.at for page in found), default=0) / 1000
        elif found and (state.status in ANSWERED or state.refresh is not None):
            entry.http, entry.body = found[-1].http, found[-1].body
            entry.bought_at = found[-1].at / 1000
        entries.append(entry)
    return entries
