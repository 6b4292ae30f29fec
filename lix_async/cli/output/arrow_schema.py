"""The Arrow schema that a Parquet file may carry, for durations: Parquet has no type for them.

pyarrow, pandas and polars write a duration as a number, and its type into the metadata of the file,
as the message of a schema in a FlatBuffer (https://arrow.apache.org/docs/format/Columnar.html).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

KEY = "ARROW:schema"
_SCHEMA, _INT, _FLOAT, _DECIMAL, _DATE, _TIME, _TIMESTAMP = 1, 2, 3, 7, 8, 9, 10
_LIST, _STRUCT, _DURATION = 12, 13, 18
_MICROS, _NANOS, _VERSION = 2, 3, 4
_HEAD = struct.Struct("<II")
_BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
_EMPTY = {"null": 1, "blob": 4, "varchar": 5, "json": 5, "boolean": 6}
_Slot = int | Callable[[], int] | None
"""A number, or what writes what is referred to; None for the default."""


def durations(metadata: str) -> dict[str, int]:
    """The columns of a file that are durations, with their units.

    Args:
        metadata: Its Arrow schema; any other text has none.
    """
    try:
        data = base64.b64decode(metadata)
        if data[:4] == b"\xff\xff\xff\xff":
            data = data[4:]
        return dict(_durations(data[4:]))
    except (ValueError, struct.error, IndexError):
        return {}


def _durations(data: bytes) -> Iterator[tuple[str, int]]:
    schema = _target(data, _slot(data, _target(data, 0), 2))
    fields = _target(data, _slot(data, schema, 1))
    for number in range(_number(data, fields)):
        field = _target(data, fields + 4 + 4 * number)
        kind = _slot(data, field, 2)
        if kind and data[kind] == _DURATION:
            name = _target(data, _slot(data, field, 0))
            unit = _slot(data, _target(data, _slot(data, field, 3)), 0)
            text = data[name + 4 : name + 4 + _number(data, name)].decode()
            yield text, data[unit] if unit else 1


def _number(data: bytes, place: int) -> int:
    (found,) = struct.unpack_from("<I", data, place)
    return int(found)


def _target(data: bytes, place: int) -> int:
    return place + _number(data, place)


def _slot(data: bytes, table: int, slot: int) -> int:
    """The place of a field of a table; 0 where it has its default."""
    (back,) = struct.unpack_from("<i", data, table)
    (size,) = struct.unpack_from("<H", data, table - back)
    if 4 + 2 * slot >= size:
        return 0
    (offset,) = struct.unpack_from("<H", data, table - back + 4 + 2 * slot)
    return table + offset if offset else 0


def arrow_schema(
    columns: Sequence[tuple[str, DuckDBPyType]], units: Mapping[str, int]
) -> str | None:
    """The Arrow schema of a file that duckdb writes; None where a type has no place in it.

    Args:
        columns: The names of the columns and their types.
        units: Those that are durations, with their units.
    """
    buffer = _Buffer()
    try:
        return buffer.message(columns, units)
    except KeyError:  # of a type
        return None


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return cast("list[tuple[str, DuckDBPyType]]", kind.children)


class _Buffer:
    """A FlatBuffer, written from its root on."""

    def __init__(self) -> None:
        self._data = bytearray(4)

    def message(self, columns: Sequence[tuple[str, DuckDBPyType]], units: Mapping[str, int]) -> str:
        fields = [partial(self._field, name, kind, units.get(name)) for name, kind in columns]
        root = self._table(
            [_VERSION, _SCHEMA, lambda: self._table([None, lambda: self._vector(fields)])]
        )
        self._refer(0, root)
        self._data += bytes(-len(self._data) % 8)
        head = _HEAD.pack(0xFFFFFFFF, len(self._data))
        return base64.b64encode(head + self._data).decode()

    def _field(self, name: str, kind: DuckDBPyType, unit: int | None) -> int:
        number, slots, parts = self._type(kind)
        if unit is not None and kind.id == "bigint":
            number, slots = _DURATION, [unit]
        children = [partial(self._field, *part, None) for part in parts]
        return self._table(
            [
                lambda: self._text(name), 1, number, lambda: self._table(slots), None,
                lambda: self._vector(children),
            ]
        )  # fmt: skip

    def _type(
        self, kind: DuckDBPyType
    ) -> tuple[int, list[_Slot], Sequence[tuple[str, DuckDBPyType]]]:
        """The number of a type, its fields and its children."""
        name = kind.id
        if name in _EMPTY:
            return _EMPTY[name], [], []
        if name in ("float", "double"):
            return _FLOAT, [1 if name == "float" else 2], []
        if name == "list":
            return _LIST, [], [("element", _children(kind)[0][1])]
        if name == "struct":
            return _STRUCT, [], _children(kind)
        if name == "decimal":
            return _DECIMAL, [*(cast("int", size) for _, size in kind.children), 128], []
        if name in ("timestamp", "timestamp with time zone"):
            zone: _Slot = (lambda: self._text("UTC")) if "zone" in name else None
            return _TIMESTAMP, [_MICROS, zone], []
        if name in ("timestamp_ns", "timestamptz_ns"):
            return _TIMESTAMP, [_NANOS, (lambda: self._text("UTC")) if "tz" in name else None], []
        if name == "time":
            return _TIME, [_MICROS, 64], []
        if name == "date":
            return _DATE, [0], []
        return _INT, [_BITS[name.removeprefix("u")], int(not name.startswith("u"))], []

    def _table(self, slots: Sequence[_Slot]) -> int:
        data = self._data
        given = [n for n, slot in enumerate(slots) if slot is not None]
        offsets = [4 + 4 * given.index(n) if n in given else 0 for n in range(len(slots))]
        before = len(data)
        sizes = (4 + 2 * len(slots), 4 + 4 * len(given))
        data += struct.pack(f"<HH{len(slots)}H", *sizes, *offsets)
        data += bytes(-len(data) % 4)
        place = len(data)
        data += struct.pack("<i", place - before) + bytes(4 * len(given))
        for number, slot in enumerate(slots):
            if callable(slot):
                self._refer(place + offsets[number], slot())
            elif slot is not None:
                struct.pack_into("<I", data, place + offsets[number], slot)
        return place

    def _vector(self, items: Sequence[Callable[[], int]]) -> int:
        place = len(self._data)
        self._data += struct.pack("<I", len(items)) + bytes(4 * len(items))
        for number, write in enumerate(items, start=1):
            self._refer(place + 4 * number, write())
        return place

    def _text(self, text: str) -> int:
        place, data = len(self._data), text.encode()
        self._data += struct.pack("<I", len(data)) + data + b"\0"
        self._data += bytes(-len(self._data) % 4)
        return place

    def _refer(self, cell: int, place: int) -> None:
        struct.pack_into("<I", self._data, cell, place - cell)
