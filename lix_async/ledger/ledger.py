"""The ledger as programs ask it: what is known, what has changed, what must be forgotten."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from ..concurrency.thread_work import in_thread
from ..core.errors import BulkError, ConfigurationError
from ..core.freshness import Age, check_age, freshness
from ..core.validation import guarded_repr
from .aliases import SLUG_AGE
from .forgetting import Forgotten, Purged, forget, purge
from .history import SubjectChange, Version, read_changes, read_versions, since_moment
from .maintenance import Compaction, LedgerSize, compact, measure, verify
from .merge import MergeReport, merge
from .reconciliation import Reconciliation, empty_answers, reconcile
from .records import Export, RunEntry
from .resolution import Conflict, Resolution, conflicts, identify, resolve
from .sqlite import SqliteStore
from .store import Entry, Store
from .tables import SqlTables

# With a scheme, or as libpq's key=value, or as user:password@host: none is the path of a file.
_LIKE_A_SERVER = re.compile(
    r".*://|(?:postgres(?:ql)?|rediss?):|(?:.*\s)?(?:host|user|password|dbname)\s*=|[^/\\]+:[^/\\]*@",
    re.DOTALL,
)


class Ledger:
    """Everything that was ever bought, in one SQLite file or PostgreSQL database.

    Use it with `async with`. Nothing here sends a request or costs a credit. Runs, caches and
    workers take it instead of an address.

    Args:
        address: The path of a file, `postgresql://…`, or a store.

    Raises:
        ConfigurationError: The address is neither, or an extra is not installed.
    """

    def __init__(self, address: Store | str | os.PathLike[str]) -> None:
        try:
            self.store = open_store(address)
        except ConfigurationError:
            del address  # a traceback may show local variables
            raise
        """The store that keeps it."""
        self._opened = False

    async def __aenter__(self) -> Self:
        if not self.store.is_open:  # one that was open before belongs to the caller
            await self.store.open()
            self._opened = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._opened:
            self._opened = False
            await self.store.close()

    async def resolve(self, link: str) -> Resolution:
        """What is known of an id: whose it is, the other ids of that, and what was bought.

        Args:
            link: A link, a URN or an encoded id of a person or an organisation.

        Raises:
            ConfigurationError: The text has no such id.
            BulkError: The ledger cannot be read.
        """
        identify(link)
        await self._learn()
        now = self.store.now
        return await self.store.statement(
            lambda tables: resolve(tables.database, link, now), writes=False
        )

    async def _learn(self) -> None:
        """Learn from answers of before ledgers did; one that cannot be written is read as it is."""
        with contextlib.suppress(BulkError):
            await self.store.learn_ids()

    async def conflicts(self) -> AsyncIterator[Conflict]:
        """People and organisations whose ids contradict each other, oldest conflict first.

        Answers show two of them with one strong id, and another strong id tells them from one
        another. Nothing is found by their ids: a lookup under another one is bought.

        Raises:
            BulkError: The ledger cannot be read.
        """
        await self._learn()
        after = 0
        while True:

            def work(tables: SqlTables, last: int = after) -> list[tuple[int, Conflict]]:
                return conflicts(tables.database, last, 100)

            found = await self.store.statement(work, writes=False)
            if not found:
                return
            for number, conflict in found:
                after = number
                yield conflict

    def history(self, subject: str) -> AsyncIterator[Version]:
        """Every version that was bought of what a link, an id or a key names.

        Args:
            subject: A link or an id as it was given to a method, in any spelling, or the key of a
                lookup (`Outcome.key`).

        Returns:
            An async iterator: of each lookup, the oldest version first.
        """
        return read_versions(self.store, subject)

    def changes(
        self, *, since: datetime | timedelta | None = None, subject: str | None = None
    ) -> AsyncIterator[SubjectChange]:
        """What changed in people and organisations, from each version to the next.

        Args:
            since: Only what versions say that were bought since then: a moment with a time zone, or
                a duration until now.
            subject: Only of what this link, id or key names.

        Returns:
            An async iterator, in the order in which the versions came into the ledger.

        Raises:
            ConfigurationError: `since` is neither.

        Example:
            ```python
            async with Ledger("people.db") as ledger:
                async for change in ledger.changes(since=timedelta(days=30)):
                    print(change.name, change.kind, change.before, change.after)
            ```
        """
        return read_changes(self.store, since_moment(since, self.store.now), subject)

    async def merge(self, other: StoreAddress) -> MergeReport:
        """Take in everything that another ledger holds, of this version or an earlier one.

        The same purchase counts once however often it comes, and the order of merges makes no
        difference. Nothing changes in the other ledger. What was in flight there is in doubt here,
        until a later merge brings its answer.

        Args:
            other: The other ledger, open or not, or its address.

        Returns:
            What is new here.

        Raises:
            BulkError: The other ledger cannot be read, or it is this one.
        """
        source = open_store(other)
        if source.is_same(self.store):
            raise BulkError(f"{source!r} cannot be merged into itself")
        if source.is_open:
            return await merge(self.store, source)
        with tempfile.TemporaryDirectory(prefix="lix_async-") as folder:
            if isinstance(source, SqliteStore):
                source = await in_thread(source.readable, Path(folder))
            await source.open_read_only()
            try:
                return await merge(self.store, source)
            finally:
                await source.close()

    async def size(self) -> LedgerSize:
        """How much it holds, and how much of the disk that is."""
        return await measure(self.store)

    async def verify(self) -> list[str]:
        """What does not agree in it: damage, statuses without their answers, sums of credits.

        Returns:
            A text for each problem; empty where all agrees.
        """
        return await verify(self.store)

    async def compact(self, *, full: bool = False) -> Compaction:
        """Pack the stored answers without loss, and give the space back.

        Args:
            full: In PostgreSQL, rewrite the tables; no other process can use them meanwhile.
                Otherwise the space is left to new rows.
        """
        return await compact(self.store, full=full)

    async def exports(self) -> list[Export]:
        """What was exported when and where, oldest first: which cannot be erased from here."""
        return await self.store.statement(lambda tables: tables.exports(), writes=False)

    async def forget(self, ids: Sequence[str], *, full: bool = False) -> Forgotten:
        """Erase people and organisations, and never look them up again.

        All ids that are known of them are suppressed, which is durable before anything is erased.
        Then their lookups and answers go, and what other answers, inputs and texts say of them.
        What was paid stays, as amounts.

        Args:
            ids: Their links, URNs or encoded ids.
            full: In PostgreSQL, rewrite the tables; no other process can use them meanwhile.

        Returns:
            What was erased, and what the user has to erase: copies, exports, backups.

        Raises:
            ConfigurationError: A text has no such id.
            BulkError: One of their lookups is in flight, the secret of the suppression list is
                missing, or the ledger cannot be written.
        """
        if isinstance(ids, str):
            raise ConfigurationError("ids must be a list of texts, not a single text")
        return await forget(self.store, ids, full=full)

    async def purge(self, older_than: Age, *, full: bool = False) -> Purged:
        """Delete versions and answers by their age; what was paid stays, as amounts.

        A lookup without a newer answer goes with its inputs, and is bought again when it is asked
        for.

        Args:
            older_than: The age: a duration or seconds.
            full: In PostgreSQL, rewrite the tables; no other process can use them meanwhile.

        Raises:
            ConfigurationError: The age is not valid.
            BulkError: The ledger cannot be written.
        """
        oldest = freshness(older_than, None, self.store.now).answers_since
        return await purge(self.store, oldest or 0, full=full)

    async def set_slug_age(self, age: Age) -> None:
        """Say for how long a slug is believed to be of whom an answer showed it with.

        It is a setting of the ledger, for all its users; 180 days where it was never set. Slugs
        change hands: after that time, asking by one costs a lookup.

        Args:
            age: The age: a duration or seconds.

        Raises:
            ConfigurationError: The age is not valid.
            BulkError: The ledger cannot be written.
        """
        seconds = check_age("age", age)
        if seconds is None:
            raise ConfigurationError("age must be a duration or a number of seconds, not None")
        await self.store.set_about(SLUG_AGE, str(int(seconds * 1000)))

    async def runs(self) -> list[RunEntry]:
        """The runs of the ledger, oldest first."""
        return await self.store.statement(lambda tables: tables.runs(), writes=False)

    async def reconcile(self) -> list[Reconciliation]:
        """Reconcile what is in doubt, where readings of the balances leave one possibility only.

        Runs keep what the account had left when they began, every quarter of an hour, and when they
        ended. Lookups that were not charged are pending again; those that were are kept, and not
        bought again unasked. Where the difference allows more than one possibility, all stay in
        doubt.

        Returns:
            What was found between two readings, for each pair that has lookups in doubt.
        """
        return await reconcile(self.store)

    def empty_answers(self) -> AsyncIterator[Entry]:
        """The lookups that were charged and whose answer holds nothing."""
        return empty_answers(self.store)

    @guarded_repr
    def __repr__(self) -> str:
        return f"Ledger({self.store!r})"


StoreAddress = Ledger | Store | str | os.PathLike[str]
"""A ledger, or where it is: the path of a file, or `postgresql://…`."""


def open_store(address: StoreAddress) -> Store:
    """The store at an address: `postgresql://...` or the path of a file. Does not connect.

    Raises:
        ConfigurationError: The address is neither, or an extra is not installed.
    """
    if isinstance(address, Ledger):
        return address.store
    if isinstance(address, Store):
        return address
    if isinstance(address, os.PathLike):
        return SqliteStore(address)
    if not isinstance(address, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(
            f"invalid store {address!r}: expected a path, a postgresql:// address or a Store"
        )
    if not address:
        raise ConfigurationError(
            "store must not be empty: expected a path or a postgresql:// address"
        )
    if address.startswith(("postgresql://", "postgres://")):
        from .postgres import PostgresStore, postgres_address_problem  # late: it needs an extra

        if problem := postgres_address_problem(address):
            del address  # a traceback may show local variables
            raise ConfigurationError(problem)
        return PostgresStore(address)
    if _LIKE_A_SERVER.match(address):
        del address  # neither shown nor a local variable in a traceback: it may hold a password
        raise ConfigurationError(
            "invalid store address: expected postgresql://… (without the name of a driver) or a "
            "path"
        )
    return SqliteStore(address)
