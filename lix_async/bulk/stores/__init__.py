"""The stores of ledgers: `base` (the protocol), `sqlite` and `postgres`, and `open_store`."""

from __future__ import annotations

import os

from ...core.errors import ConfigurationError
from .base import Store
from .sqlite import SqliteStore

StoreAddress = Store | str | os.PathLike[str]
"""A store, or its address: the path of a file, or `postgresql://...`."""


def open_store(address: StoreAddress) -> Store:
    """The store at an address: `postgresql://...` or the path of a file. Does not connect.

    Raises:
        ConfigurationError: If the address is not valid, or an extra is not installed.
    """
    if isinstance(address, os.PathLike):
        return SqliteStore(address)
    if not isinstance(address, str):
        if not hasattr(address, "claim"):
            raise ConfigurationError(
                f"invalid store {address!r}: expected a path, a postgresql:// address or a Store"
            )
        return address
    if not address:
        raise ConfigurationError(
            "store must not be empty: expected a path or a postgresql:// address"
        )
    if address.startswith(("postgresql://", "postgres://")):
        from .postgres import PostgresStore  # late: it needs an extra

        return PostgresStore(address)
    if "://" in address:  # not shown: it may hold a password
        raise ConfigurationError(
            "invalid store address: expected postgresql://... (without a driver name) or a path"
        )
    return SqliteStore(address)
