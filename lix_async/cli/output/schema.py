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

from ...core.decoding import decoder_for
from ...core.json_text import SchemaMismatch
from ...core.models import Listing, item_type
from ...core.values import JsonObject
from ..values import csv_cell, get_path, remaining_fields

OTHER = "other"
_OTHER_PREFIX = f"{OTHER}."
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
        self._columns: tuple[str, ...] = ()
        self._shown: tuple[str, ...] = ()

    def value_at(self, row: JsonObject, column: str) -> object:
        """The value of a column; `other.new` is a field that no struct has."""
        found = get_path(row, column)
        if found is None and column.startswith(_OTHER_PREFIX):
            return get_path(row, column.removeprefix(_OTHER_PREFIX))
        return found

    def remaining(self, row: JsonObject, columns: Sequence[str]) -> dict[str, object]:
        """The values of a row that none of the columns shows."""
        columns = tuple(columns)
        if columns != self._columns:
            self._columns, self._shown = columns, self._shown_paths(columns)
        return remaining_fields(row, self._shown)

    def _shown_paths(self, columns: Sequence[str]) -> tuple[str, ...]:
        named = [column for column in columns if column != OTHER]
        return (
            *named,
            *(name.removeprefix(_OTHER_PREFIX) for name in named if _OTHER_PREFIX in name),
        )

    def columns_for(self, rows: Sequence[JsonObject]) -> tuple[str, ...]:
        """The columns; if no struct is known, those of the given rows."""
        if self.columns:
            return self.columns
        return (*dict.fromkeys(name for row in rows for name in remaining_fields(row, ())), OTHER)

    def normalised(self, row: JsonObject) -> JsonObject:
        """The row with its values as the struct reads them, such as numbers sent as text."""
        return row if self.struct is None else _normalised(row, self.struct)

    def cells(self, row: JsonObject, columns: Sequence[str]) -> list[str]:
        """The cells of a row; `other` has the remaining values as JSON."""
        read = self.normalised(row)
        return [
            _json(self.remaining(row, columns))
            if column == OTHER
            else csv_cell(self.value_at(read, column))
            for column in columns
        ]


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
        self.structs = tuple(structs.values())
        self._struct_by_kind = structs
        names = dict.fromkeys(name for one in structs.values() for name in columns_of(one))
        names.pop(OTHER, None)
        self.columns = (*self.meta_fields, *(f"result.{name}" for name in names), OTHER)

    def path(self, column: str) -> str:
        """The path of a column in the row."""
        return column if column.partition(".")[0] in self.row_fields else f"result.{column}"

    def value_at(self, row: JsonObject, column: str) -> object:
        return super().value_at(row, self.path(column))

    def _shown_paths(self, columns: Sequence[str]) -> tuple[str, ...]:
        return super()._shown_paths([self.path(column) for column in columns])

    def normalised(self, row: JsonObject) -> JsonObject:
        """The row with its result as the struct of its kind reads it."""
        struct, result = self._struct_by_kind.get(str(row.get("kind"))), row.get("result")
        if struct is None or not isinstance(result, dict):
            return row
        return {**row, "result": _normalised(cast("JsonObject", result), struct)}


def _normalised(row: JsonObject, struct: type) -> JsonObject:
    try:
        value = decoder_for(cast("type[object]", struct)).read(msgspec.json.encode(row))
    except SchemaMismatch:
        return row
    return cast("JsonObject", _merge(row, msgspec.to_builtins(value)))


@cache
def columns_of(struct: type | None) -> tuple[str, ...]:
    """The columns of an item: its fields, the fields of nested objects, and `other`."""
    if struct is None or not issubclass(struct, msgspec.Struct):
        return ()
    found = _field_paths(inspect.type_info(struct), "", frozenset())
    return (*found, OTHER) if found else ()


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


def _json(value: dict[str, object]) -> str:
    return msgspec.json.encode(value).decode() if value else ""


def _merge(sent: object, known: object) -> object:
    """What was sent, updated by what the struct read, part by part.

    Values that the struct could not read (a number that is not one, a null in a list) stay as sent.
    """
    if isinstance(sent, dict) and isinstance(known, dict):
        old, new = cast("dict[str, object]", sent), cast("dict[str, object]", known)
        return old | {name: _merge(old.get(name), value) for name, value in new.items()}
    if isinstance(sent, list) and isinstance(known, list):
        before, after = cast("list[object]", sent), cast("list[object]", known)
        if len(before) == len(after):
            return [_merge(*pair) for pair in zip(before, after, strict=True)]
        rest = iter(after)  # the decoder drops nulls, and nothing else
        return [None if one is None else _merge(one, next(rest, None)) for one in before]
    return sent if known is None else known  # pyright: ignore[reportUnknownVariableType]  # narrowed to a list, and back
