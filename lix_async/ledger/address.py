"""Which kind of ledger an address names."""

from __future__ import annotations

import os

from ..core.errors import ConfigurationError
from .sqlite import SqliteStore
from .store import Store

StoreAddress = Store | str | os.PathLike[str]
"""A ledger, or where it is: the path of a file, or `postgresql://…`."""


def open_store(address: StoreAddress) -> Store:
    """The store at an address: `postgresql://...` or the path of a file. Does not connect.

    Raises:
        ConfigurationError: The address is neither, or an extra is not installed.
    """
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
        from .postgres import PostgresStore  # late: it needs an extra

        return PostgresStore(address)
    if "://" in address:  # not shown: it may hold a password
        raise ConfigurationError(
            "invalid store address: expected postgresql://… (without the name of a driver) or a "
            "path"
        )
    return SqliteStore(address)
