"""What the frames need of arro3, an Arrow library of 3 MB and without dependencies."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# The stubs of arro3 name array.array and ndarray without their parameters.

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ..core.errors import ConfigurationError

try:
    from arro3 import core
    from arro3.core import Array, ChunkedArray, DataType, Field, Schema, Table
except ImportError as error:
    raise ConfigurationError("missing extra: pip install 'lix_async[frames]'") from error

__all__ = [
    "Array",
    "ChunkedArray",
    "DataType",
    "Field",
    "Schema",
    "Table",
    "array_of",
    "cast_array",
    "list_array",
    "nulls",
    "struct_array",
    "table_of",
    "values_of",
]


def array_of(values: Sequence[object], kind: DataType) -> Array:
    """Values as an array."""
    return Array(values, type=kind)


def cast_array(array: Array, kind: DataType) -> Array:
    """An array of numbers as one of what they stand for, such as times."""
    return ChunkedArray([array]).cast(kind).combine_chunks()


def nulls(values: Sequence[object]) -> Array:
    """Which of the values are None."""
    return Array([value is None for value in values], type=DataType.bool())


def list_array(values: Sequence[object], offsets: list[int], items: Array, kind: DataType) -> Array:
    """Lists, each with the items from its offset to the next."""
    starts = Array(offsets, type=DataType.int32())
    return core.list_array(starts, items, type=kind, mask=nulls(values))


def struct_array(values: Sequence[object], arrays: list[Array], fields: list[Field]) -> Array:
    """Structs of the values of their fields.

    Without the mask, one that is null would become one whose fields are null.
    """
    return core.struct_array(arrays, fields=fields, mask=nulls(values))


def table_of(arrays: Sequence[Array], fields: Sequence[Field]) -> Table:
    """A table of columns."""
    return Table.from_arrays(arrays, schema=Schema(fields))


def values_of(column: ChunkedArray) -> list[object]:
    """The values of a column as Python has them."""
    return cast("list[object]", column.to_pylist())
