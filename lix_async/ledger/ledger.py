"""The ledger as programs ask it: what is known, what has changed, what must be forgotten."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from ..core.errors import ConfigurationError
from .reconciliation import Reconciliation, empty_answers, reconcile
from .sqlite import SqliteStore
from .store import Entry, Store

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
        self.store = open_store(address)
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
