"""Ledger stores: SQLite and PostgreSQL."""

from __future__ import annotations

import os

from ...core.errors import ConfigurationError
from .base import Store
from .sqlite import SqliteStore

StoreAddress = Store | str | os.PathLike[str]
"""A ledger, or where it is: a file's path, or `postgresql://…`."""


def open_store(address: StoreAddress) -> Store:
    """The ledger at `postgresql://…`, else in the file of that name. Nothing is connected yet.

    Raises `ConfigurationError` for what is neither, and where an extra is not installed.
    """
    if isinstance(address, os.PathLike):
        return SqliteStore(address)
    if not isinstance(address, str):
        if not hasattr(address, "claim"):
            raise ConfigurationError(
                f"store must be a path, a postgresql:// address or a Store, not {address!r}"
            )
        return address
    if not address:
        raise ConfigurationError("store must not be empty: name the ledger's file")
    if address.startswith(("postgresql://", "postgres://")):
        from .postgres import PostgresStore  # late: it needs an extra

        return PostgresStore(address)
    if "://" in address:  # not shown: it may hold a password
        raise ConfigurationError(
            "store names no kind of ledger that there is: say postgresql://… (without a driver's "
            "name), or a path"
        )
    return SqliteStore(address)
