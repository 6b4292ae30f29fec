"""Rows as Parquet: by duckdb, under a schema that was read from every row.

What duckdb infers by itself loses: large numbers become floats, texts that look like dates or
UUIDs are rewritten, an object with `Name` and `name` is an error. So each place gets a type that
holds all the values that came there, and a place that has none becomes JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from ...filesystem import new_private_file
from ..errors import REFUSED, CommandError
from .files import close_ignoring_errors
from .schema import LookupSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LARGEST = 2**63
EXACT = 2**53
"""Integers up to here are floats without loss."""
FIELDS = 1000
"""An object with more fields than this is a dictionary: JSON."""
GROUP = 8192
"""Rows that are in memory at once while they are written."""


class ColumnType:
    """What came at one place of the rows."""

    __slots__ = ("fields", "items", "kinds")

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.fields: dict[str, ColumnType] = {}
        self.items: ColumnType | None = None

    def add(self, value: object) -> None:
        """Take a value in."""
        if isinstance(value, str):
            self.kinds.add("text")
        elif isinstance(value, bool):
            self.kinds.add("flag")
        elif isinstance(value, int):
            size = abs(value)
            self.kinds.add("int" if size <= EXACT else "long" if size < LARGEST else "huge")
        elif isinstance(value, float):
            self.kinds.add("float" if math.isfinite(value) else "huge")
        elif isinstance(value, list):
            self.kinds.add("list")
            self.items = self.items or ColumnType()
            for item in cast("list[object]", value):
                self.items.add(item)
        elif value is not None:
            self.kinds.add("object")
            for name, part in cast("dict[str, object]", value).items():
                if (found := self.fields.get(name)) is None:
                    found = self.fields[name] = ColumnType()
                found.add(part)

    def sql(self) -> str:
        """The type that holds all of it."""
        if self.kinds == {"object"}:
            names = {name.casefold() for name in self.fields}
            # duckdb does not tell names apart by case.
            if not names or "" in names or len(names) != len(self.fields) or len(names) > FIELDS:
                return "JSON"
            parts = (f"{_name(name)} {part.sql()}" for name, part in self.fields.items())
            return f"STRUCT({', '.join(parts)})"
        if self.kinds == {"list"} and self.items is not None:
            return f"{self.items.sql()}[]"
        for kinds, found in _PLAIN:
            if self.kinds <= kinds:
                return found
        return "JSON"


_PLAIN = (
    ({"text"}, "VARCHAR"),  # also where nothing came but null
    ({"flag"}, "BOOLEAN"),
    ({"int", "long"}, "BIGINT"),
    ({"int", "float"}, "DOUBLE"),
)


class ParquetFile:
    """Rows on their way into a Parquet file, in a folder of their own.

    `columns` are there even if no row has them.
    """

    def __init__(self, folder: Path, columns: Sequence[str] = LookupSchema.head) -> None:
        self._duckdb = _connected(folder)
        self._rows = folder / "rows.jsonl"
        self._done = folder / "rows.parquet"
        self._shape = ColumnType()
        self._shape.fields = {name: ColumnType() for name in columns}
        self._longest = 0
        self._file: BinaryIO = new_private_file(self._rows)

    def add(self, row: bytes) -> None:
        """Take a row in: a JSON object on one line."""
        try:
            self._shape.add(msgspec.json.decode(row))
        except msgspec.DecodeError:  # a number beyond all floats
            self._shape.add(json.loads(row))
        self._longest = max(self._longest, len(row))
        self._file.write(row)
        self._file.write(b"\n")

    def interrupt(self) -> None:
        """End `finish`, which runs in another thread: it raises."""
        self._duckdb.interrupt()

    def finish(self) -> Path:
        """Write the Parquet; the file, still in the folder. Raises `CommandError`."""
        self._file.close()
        fields = self._shape.fields
        if len({name.casefold() for name in fields} - {""}) != len(fields):
            raise CommandError(
                "Parquet does not tell columns apart by upper and lower case",
                hint="choose some by --columns",
            )
        try:
            self._copy()
        except CommandError:
            self._tidied()  # an object with a key twice: the last one counts, as everywhere
            self._copy()
        return self._done

    def close(self) -> None:
        """Let go of everything, finished or not."""
        close_ignoring_errors(self._file)
        self._duckdb.close()

    def _copy(self) -> None:
        import duckdb  # late: it needs an extra

        pairs = ((name, part.sql()) for name, part in self._shape.fields.items())
        columns = ", ".join(f"{_name(name)}: {_text(kind)}" for name, kind in pairs)
        command = (
            f"COPY (SELECT * FROM read_json({_text(str(self._rows))}, "
            f"format = 'newline_delimited', columns = {{{columns}}}, "
            f"maximum_object_size = {max(2 * self._longest, 16_777_216)})) "
            f"TO {_text(str(self._done))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP})"
        )
        try:
            self._duckdb.execute(command)
        except duckdb.Error as error:
            first = str(error).partition("\n")[0].replace(str(self._rows.parent), "…")
            raise CommandError(f"the Parquet cannot be written: {first}", code=REFUSED) from None

    def _tidied(self) -> None:
        again = self._rows.with_name("again.jsonl")
        with self._rows.open("rb") as old, new_private_file(again) as new:
            for line in old:
                new.write(json.dumps(json.loads(line, parse_float=_number)).encode() + b"\n")
        again.replace(self._rows)


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _connected(folder: Path) -> DuckDBPyConnection:
    try:
        import duckdb
    except ModuleNotFoundError:
        raise CommandError(
            "Parquet needs duckdb", hint="pip install 'lix_async[parquet]'"
        ) from None
    # One thread and its spills beside the rows: memory stays flat, and nothing lies elsewhere.
    return duckdb.connect(config={"threads": 1, "temp_directory": str(folder / "spill")})


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
