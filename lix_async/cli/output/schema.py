"""The columns of a row type, known before the first row arrives.

Columns inferred from the first rows would miss fields that appear later. Here they follow from the
struct of the item, and fields that the struct does not have are put into a last column, `other`,
as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import cast

import msgspec
from msgspec import inspect

from ...core.json_text import SchemaMismatch
from ...core.models import Listing, item_type
from ...core.values import JsonObject
from ..values import csv_cell, remaining_fields
from .basic_columns import basic_names, is_short_name, paths_of
from .column_reader import (
    OTHER,
    RowColumn,
    RowReader,
    column_reader,
    normalised,
    parsed,
    sent_reader,
    shown_paths,
    type_info,
    value_at,
)

# The first entries of these lists get their own columns, in addition to the whole list as JSON.
_FIRST_ENTRY_FIELDS = {
    "experience": ("title", "organisation.name", "location", "dateStarted", "dateEnded"),
    "education": ("institutionName", "degree", "fieldOfStudy"),
}


class RowSchema:
    """The columns of the rows of a listing or a call.

    Args:
        struct: The struct of an item; None if it is unknown.
    """

    def __init__(self, struct: type | None) -> None:
        self.struct = struct
        self.structs: tuple[type, ...] = () if struct is None else (struct,)
        """The possible structs of a row, or of the answer in it."""
        self.columns = columns_of(struct)
        """The fields; those of nested objects are paths."""
        self.basic = basic_names(struct)
        """The short names of the columns that most tables need; empty where there are none."""
        self.short_names = True
        """Whether columns may be short names: those of files of earlier versions are paths."""
        self._reader: tuple[tuple[str, ...], RowReader] | None = None

    @property
    def every(self) -> tuple[str, ...]:
        """All columns: the basic ones, then the other fields; empty if no struct is known."""
        return all_columns(self.struct)

    def values(self, row: bytes, columns: tuple[str, ...]) -> list[object]:
        """The values of the columns in a row as received; of `other` what no column shows."""
        if self._reader is None or self._reader[0] != columns:
            reader = column_reader(self.struct, columns, short_names=self.short_names)
            self._reader = columns, reader
        try:
            return self._reader[1](row)
        except SchemaMismatch:  # one field of it is not what its type says
            return sent_reader(self.struct, columns)(row)

    def cells(self, row: bytes, columns: tuple[str, ...]) -> list[str]:
        """The values of the columns as cells of a CSV."""
        return list(map(csv_cell, self.values(row, columns)))

    def value_at(self, row: JsonObject, column: str) -> object:
        """The value of a column that is a path; `other.new` is a field that no struct has."""
        return value_at(row, column)

    def columns_for(self, rows: Sequence[JsonObject]) -> tuple[str, ...]:
        """All columns; if no struct is known, those of the given rows."""
        if self.columns:
            return self.every
        sent = (name for row in rows for name in remaining_fields(row, self.basic))
        return (*dict.fromkeys((*self.basic, *sent)), OTHER)

    def normalised(self, row: JsonObject) -> JsonObject:
        """The row with its values as the struct reads them, such as numbers sent as text."""
        return row if self.struct is None else normalised(row, self.struct)


class LookupSchema(RowSchema):
    """The columns of lookups: the input and its status, then the answer under `result`.

    A column that is not a field of the row belongs to the answer: `name` is `result.name`.

    Args:
        structs: The struct of an answer by the row's `kind`.
    """

    meta_fields = ("input", "kind", "status", "error", "bought_at")
    row_fields = (*meta_fields, "result", OTHER)
    """The fields of every row."""

    def __init__(self, structs: Mapping[str, type]) -> None:
        super().__init__(None)
        self._shown: tuple[tuple[str, ...], frozenset[str]] = (), frozenset()
        self.structs = tuple(structs.values())
        self._struct_by_kind = structs
        names = dict.fromkeys(name for one in structs.values() for name in columns_of(one))
        names.pop(OTHER, None)
        self.columns = (*self.meta_fields, *(f"result.{name}" for name in names), OTHER)

    @property
    def every(self) -> tuple[str, ...]:
        return self.columns

    def path(self, column: str) -> str:
        """The path of a column in the row."""
        return column if column.partition(".")[0] in self.row_fields else f"result.{column}"

    def value_at(self, row: JsonObject, column: str) -> object:
        return super().value_at(row, self.path(column))

    def values(self, row: bytes, columns: tuple[str, ...]) -> list[object]:
        tree = parsed(row)
        read, short = self.normalised(tree), self.short_values(tree, columns)
        return [
            (self.remaining(tree, columns) or None)
            if column == OTHER
            else short[column]
            if column in short
            else self.value_at(read, column)
            for column in columns
        ]

    def struct_of(self, row: JsonObject) -> type | None:
        """The struct of the answer in a row."""
        return self._struct_by_kind.get(str(row.get("kind")))

    def short_values(self, row: JsonObject, columns: tuple[str, ...]) -> Mapping[str, object]:
        """The values of those columns that are short names of fields of the answer."""
        struct, result = self.struct_of(row), row.get("result")
        names = tuple(
            one for one in columns if one not in self.row_fields and is_short_name(struct, one)
        )
        if not names or not isinstance(result, dict):
            return {}
        body = msgspec.json.encode(cast("JsonObject", result))
        return dict(zip(names, _schema_of(struct).values(body, names), strict=True))

    def remaining(self, row: JsonObject, columns: tuple[str, ...]) -> dict[str, object]:
        """The values of a row that none of the columns shows."""
        if self._shown[0] != columns:
            self._shown = (
                columns,
                shown_paths(None, [RowColumn.of(None, self.path(column)) for column in columns]),
            )
        return remaining_fields(row, self._shown[1])

    def normalised(self, row: JsonObject) -> JsonObject:
        """The row with its result as the struct of its kind reads it."""
        struct, result = self.struct_of(row), row.get("result")
        if struct is None or not isinstance(result, dict):
            return row
        return {**row, "result": normalised(cast("JsonObject", result), struct)}


@cache
def _schema_of(struct: type | None) -> RowSchema:
    return RowSchema(struct)


@cache
def columns_of(struct: type | None) -> tuple[str, ...]:
    """The columns of an item: its fields, the fields of nested objects, and `other`."""
    if struct is None or not issubclass(struct, msgspec.Struct):
        return ()
    found = _field_paths(type_info(struct), "", frozenset())
    return (*found, OTHER) if found else ()


@cache
def all_columns(struct: type | None) -> tuple[str, ...]:
    """The basic columns of an item by their short names, then every other field, and `other`."""
    fields, basic = columns_of(struct), basic_names(struct)
    shown = {paths_of(struct, name)[0] for name in basic}
    rest = (name for name in fields if name not in shown and not is_short_name(struct, name))
    return (*basic, *rest) if fields else ()


def item_struct(result: type[object]) -> type | None:
    """The struct of a listing's items, or the result type of any other call."""
    if not issubclass(result, Listing):
        return result
    try:
        return item_type(cast("type[object]", result))
    except TypeError:
        return None


def _field_paths(kind: inspect.Type, prefix: str, enclosing: frozenset[type]) -> list[str]:
    kind = _without_none(kind)
    if not isinstance(kind, inspect.StructType) or kind.cls in enclosing or len(enclosing) > 2:
        return []
    names: list[str] = []
    for field in kind.fields:
        name, part = f"{prefix}{field.encode_name}", _without_none(field.type)
        nested = _field_paths(part, f"{name}.", enclosing | {kind.cls})
        names += nested or [name]
        if isinstance(part, inspect.ListType) and not prefix:
            names += [
                f"{name}.0.{first}" for first in _FIRST_ENTRY_FIELDS.get(field.encode_name, ())
            ]
    return names


def _without_none(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        parts = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        return parts[0] if len(parts) == 1 else kind
    return kind
