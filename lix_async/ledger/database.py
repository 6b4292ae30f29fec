"""Either database as the SQL of the tables uses it.

A `Database` is a connection inside a transaction. Statements use `?` for a value, `IN (?*)` for a
list and `IN (?**)` for a list of pairs. The databases differ in how rows are locked
(`for_update`), which SQLite does for the whole file when a writing transaction begins, and in how
many rows are written at once: PostgreSQL takes one statement with arrays, SQLite one for each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

V = TypeVar("V")
Columns = tuple[object, ...]
Query = tuple[str, Sequence[object]]
"""A statement and its values."""
CHUNK = 256
"""Values in one `IN (…)`."""


class Database(Protocol):
    """A connection to either database."""

    for_update: str
    """What follows a SELECT to lock its rows."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Columns]:
        """Run a statement; its rows."""
        ...

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement; how many rows it changed."""
        ...

    def select(self, queries: Sequence[Query]) -> list[list[Columns]]:
        """Run several statements one after the other, in one exchange; the rows of each."""
        ...

    def insert(
        self, table: str, columns: str, rows: Sequence[Sequence[object]], conflict: str = ""
    ) -> int:
        """Insert rows; how many were. `conflict` is what follows `ON CONFLICT`."""
        ...

    def insert_new(
        self, table: str, columns: str, rows: Sequence[Sequence[object]], key: str
    ) -> list[Columns]:
        """Insert the rows whose key is not there yet; the key and id of each of them."""
        ...

    def update(self, table: str, columns: str, keys: str, rows: Sequence[Sequence[object]]) -> None:
        """Change the rows that have these keys; each row has its columns, then its keys."""
        ...


def chunks(values: Sequence[V]) -> Iterable[list[V]]:
    """Values in lists of a size that one statement takes."""
    for start in range(0, len(values), CHUNK):
        yield list(values[start : start + CHUNK])
