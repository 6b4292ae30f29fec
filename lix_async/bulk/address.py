"""Which kind of ledger an address names."""

from __future__ import annotations

from .sqlite import SqliteStore
from .store import Store


def opened(address: str) -> Store:
    """The ledger at `postgresql://…`, else in the file of that name. Nothing is connected yet.

    Raises `ConfigurationError` where the extra that it needs is not installed.
    """
    if address.startswith(("postgresql://", "postgres://")):
        from .postgres import PostgresStore  # late: it needs an extra

        return PostgresStore(address)
    return SqliteStore(address)
