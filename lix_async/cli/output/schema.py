"""Which columns a kind of row has, known before the first row came.

A library that infers columns from the first rows loses every field that first appears later.
Here they follow from the struct that describes the item; what the struct does not know goes into
a last column, `other`, as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import cast

import msgspec
from msgspec import inspect

from ...core.decoding import SchemaMismatch, decoder_for
from ...core.models import Listing, item_type
from ..values import Tree, cell, get_path, remaining_fields

OTHER = "other"
_BESIDE = f"{OTHER}."
# The first entries of these lists get columns of their own, beside the whole list as JSON.
_FIRST = {
    "experience": ("title", "organisation.name", "location", "dateStarted", "dateEnded"),
    "education": ("institutionName", "degree", "fieldOfStudy"),
}


class RowSchema:
    """The columns of the rows of a listing or a call. `kind` is the struct of an item."""

    def __init__(self, kind: type | None) -> None:
        self.kind = kind
        self.kinds: tuple[type, ...] = () if kind is None else (kind,)
        """What a row, or the answer in it, may be."""
        self.columns = columns_of(kind)
        self._columns: tuple[str, ...] = ()
        self._shown: tuple[str, ...] = ()

    def find(self, row: Tree, column: str) -> object:
        """What stands under a column of a row; `other.new` names what no document does."""
        found = get_path(row, column)
        if found is None and column.startswith(_BESIDE):
            return get_path(row, column.removeprefix(_BESIDE))
        return found

    def left(self, row: Tree, columns: Sequence[str]) -> dict[str, object]:
        """What of a row none of the columns shows."""
        columns = tuple(columns)
        if columns != self._columns:
            self._columns, self._shown = columns, self._places(columns)
        return remaining_fields(row, self._shown)

    def _places(self, columns: Sequence[str]) -> tuple[str, ...]:
        named = [column for column in columns if column != OTHER]
        return (*named, *(name.removeprefix(_BESIDE) for name in named if _BESIDE in name))

    def opened(self, rows: Sequence[Tree]) -> tuple[str, ...]:
        """The columns; of a kind that no document describes, those that the first rows have."""
        if self.columns:
            return self.columns
        return (*dict.fromkeys(name for row in rows for name in remaining_fields(row, ())), OTHER)

    def tidy(self, row: Tree) -> Tree:
        """The row as its struct reads it, over what was sent: numbers are numbers."""
        return row if self.kind is None else _tidied(row, self.kind)

    def cells(self, row: Tree, columns: Sequence[str]) -> list[str]:
        """A row's cells; under `other` stands as JSON what no column shows."""
        tidy = self.tidy(row)
        return [
            _json(self.left(row, columns)) if column == OTHER else cell(self.find(tidy, column))
            for column in columns
        ]


class LookupSchema(RowSchema):
    """The columns of lookups: what was asked and how it went, then the answer under `result`.

    `kinds` gives the struct of an answer by the row's `kind`. A column that is none of the row's
    own is one of the answer: `name` is `result.name`.
    """

    head = ("input", "kind", "status", "error")
    own = (*head, "result", OTHER)
    """What a row has, whatever was asked."""

    def __init__(self, kinds: Mapping[str, type]) -> None:
        super().__init__(None)
        self.kinds = tuple(kinds.values())
        self._kinds = kinds
        inside = dict.fromkeys(name for kind in kinds.values() for name in columns_of(kind))
        inside.pop(OTHER, None)
        self.columns = (*self.head, *(f"result.{name}" for name in inside), OTHER)

    def place(self, column: str) -> str:
        """Where in a row a column stands."""
        return column if column.partition(".")[0] in self.own else f"result.{column}"

    def find(self, row: Tree, column: str) -> object:
        return super().find(row, self.place(column))

    def _places(self, columns: Sequence[str]) -> tuple[str, ...]:
        return super()._places([self.place(column) for column in columns])

    def tidy(self, row: Tree) -> Tree:
        """The row, its result as the struct of its kind reads it."""
        kind, result = self._kinds.get(str(row.get("kind"))), row.get("result")
        if kind is None or not isinstance(result, dict):
            return row
        return {**row, "result": _tidied(cast("Tree", result), kind)}


def _tidied(row: Tree, kind: type) -> Tree:
    try:
        value = decoder_for(cast("type[object]", kind)).read(msgspec.json.encode(row))
    except SchemaMismatch:
        return row
    return cast("Tree", _merged(row, msgspec.to_builtins(value)))


@cache
def columns_of(kind: type | None) -> tuple[str, ...]:
    """The columns of an item: its fields, those of objects inside it, and `other`."""
    if kind is None or not issubclass(kind, msgspec.Struct):
        return ()
    found = _fields(inspect.type_info(kind), "", frozenset())
    return (*found, OTHER) if found else ()


def item_struct(result: type[object]) -> type | None:
    """What a row of a listing is, or the whole result of a call that lists nothing."""
    if not issubclass(result, Listing):
        return result
    try:
        return item_type(cast("type[object]", result))
    except TypeError:
        return None


def _fields(shape: inspect.Type, under: str, inside: frozenset[type]) -> list[str]:
    shape = _bare(shape)
    if not isinstance(shape, inspect.StructType) or shape.cls in inside or len(inside) > 2:
        return []
    names: list[str] = []
    for field in shape.fields:
        name, part = f"{under}{field.encode_name}", _bare(field.type)
        deeper = _fields(part, f"{name}.", inside | {shape.cls})
        names += deeper or [name]
        if isinstance(part, inspect.ListType) and not under:
            names += [f"{name}.0.{first}" for first in _FIRST.get(field.encode_name, ())]
    return names


def _bare(shape: inspect.Type) -> inspect.Type:
    if isinstance(shape, inspect.UnionType):
        parts = [part for part in shape.types if not isinstance(part, inspect.NoneType)]
        return parts[0] if len(parts) == 1 else shape
    return shape


def _json(value: dict[str, object]) -> str:
    return msgspec.json.encode(value).decode() if value else ""


def _merged(sent: object, known: object) -> object:
    """What was sent, overlaid by what the struct made of it: objects and lists part by part.

    What the struct made nothing of (a number that is none, a null in a list) stays as it was sent.
    """
    if isinstance(sent, dict) and isinstance(known, dict):
        old, new = cast("dict[str, object]", sent), cast("dict[str, object]", known)
        return old | {name: _merged(old.get(name), value) for name, value in new.items()}
    if isinstance(sent, list) and isinstance(known, list):
        before, after = cast("list[object]", sent), cast("list[object]", known)
        if len(before) == len(after):
            return [_merged(*pair) for pair in zip(before, after, strict=True)]
        rest = iter(after)  # the reader drops nulls, and nothing else
        return [None if one is None else _merged(one, next(rest, None)) for one in before]
    return sent if known is None else known  # pyright: ignore[reportUnknownVariableType]  # narrowed to a list, and back
