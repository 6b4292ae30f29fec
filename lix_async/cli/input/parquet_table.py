"""Parquet, read by duckdb row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import CommandError
from .source import InputSource
from .table_row import InputTable, TableRow

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 1000


class ParquetTable(InputTable):
    """A Parquet file; its rows are numbered from 1."""

    format = "parquet"

    def __init__(self, source: InputSource) -> None:
        self._source = source
        self.path = source.name
        with self._query() as connection:
            self.names = [str(column[0]) for column in connection.description or ()]

    def rows(self) -> Iterator[TableRow]:
        self._source.open().close()  # fails where the file was changed
        with self._query() as connection:
            batches = iter(partial(connection.fetchmany, _BATCH), [])
            for line, cells in enumerate(chain.from_iterable(batches), start=1):
                yield TableRow(line, cells)

    def _query(self) -> DuckDBPyConnection:
        try:
            import duckdb  # of an extra
        except ImportError:
            raise CommandError(
                f"{self.path} is Parquet, which cannot be read yet",
                hint="install the extra: pip install 'lix_async[parquet]'; or save it as CSV",
            ) from None
        connection = duckdb.connect(config={"threads": 1})
        try:
            return connection.execute("SELECT * FROM read_parquet(?)", [str(self._source.path)])
        except duckdb.Error as error:
            connection.close()
            raise CommandError(
                f"{self.path} is not a Parquet file that can be read "
                f"({str(error).splitlines()[0]})",
                hint="write it again, or save it as CSV",
            ) from None
