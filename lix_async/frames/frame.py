"""A table of answers, for the libraries that people work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..core.html_table import MOST_ROWS, html_items
from ..core.plurals import counted
from ..core.validation import guarded_repr
from .arrow import DataType, Table, values_of

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]


class Frame:
    """A table, in memory, as Arrow has it.

    What reads Arrow streams takes it as it is: `polars.DataFrame(frame)`, `pyarrow.table(frame)`,
    and `SELECT * FROM frame` in DuckDB.

    Args:
        table: The table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, schema: object | None = None) -> object:
        """The table as an Arrow stream."""
        return self._table.__arrow_c_stream__(schema)

    def __len__(self) -> int:
        return self._table.num_rows

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return self._table.column_names

    @guarded_repr
    def __repr__(self) -> str:
        # Without values: they are personal data, and a repr gets into logs.
        columns = counted(self._table.num_columns, "column")
        return f"<Frame {counted(len(self), 'row')}, {columns}>"

    def _repr_html_(self) -> str:
        shown = Frame(self._table.slice(0, min(MOST_ROWS, len(self)))).to_dicts()
        return html_items(repr(self), shown + [{}] * (len(self) - len(shown)))

    def to_dicts(self) -> list[dict[str, object]]:
        """The rows as dicts."""
        names = self.column_names
        columns = [values_of(column) for column in self._table.columns]
        if not columns:
            return [{} for _ in range(len(self))]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_pandas(self) -> pd.DataFrame:
        """The table for pandas, with the same types whether pyarrow is installed or not.

        Texts are `string`, whole numbers `Int64`, and flags `boolean`, which may all be missing;
        lists and structs are Python lists and dicts.
        """
        import pandas as pd  # as all of these: of the caller's installation

        def series(kind: DataType, values: list[object]) -> pd.Series:
            dtype: Any
            if _is_text(kind, values):
                dtype = pd.StringDtype("python")
            elif DataType.is_timestamp(kind):
                dtype = f"datetime64[{kind.time_unit}{', UTC' if kind.tz else ''}]"
            else:
                dtype = next((name for is_one, name in _PANDAS_TYPES if is_one(kind)), "object")
            made: pd.Series = pd.Series(cast("list[Any]", values), dtype=dtype)
            return made

        columns = {
            name: series(column.type, values_of(column))
            for name, column in zip(self.column_names, self._table.columns, strict=True)
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self)))

    def to_polars(self) -> pl.DataFrame:
        """The table for polars."""
        import polars as pl

        return pl.DataFrame(self._table)

    def to_duckdb(
        self, connection: duckdb.DuckDBPyConnection | None = None
    ) -> duckdb.DuckDBPyRelation:
        """The table as a relation of DuckDB.

        Args:
            connection: The connection that it is used with; None for the default one.
        """
        import duckdb

        return (connection or duckdb.default_connection()).from_arrow(self._table)

    # pyarrow has no types.
    def to_pyarrow(self) -> pa.Table:  # pyright: ignore[reportUnknownParameterType, reportUnknownMemberType]
        """The table for pyarrow."""
        import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]

        return pa.table(self._table)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


_PANDAS_TYPES = (
    (DataType.is_unsigned_integer, "UInt64"),
    (DataType.is_integer, "Int64"),
    (DataType.is_floating, "float64"),
    (DataType.is_boolean, "boolean"),
)


def _is_text(kind: DataType, values: list[object]) -> bool:
    if DataType.is_dictionary(kind):  # a categorical of a table of the caller's
        return all(isinstance(value, str | None) for value in values)
    return kind in (DataType.utf8(), DataType.large_utf8(), DataType.string_view())
