"""Rows as Parquet, written by duckdb with a schema inferred from every row.

The types that duckdb infers lose data: large integers become floats, texts that look like dates or
UUIDs are rewritten, and an object with both `Name` and `name` is an error. Here each column gets a
type that can hold all its values, or JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from ...filesystem import new_private_file
from ..errors import REFUSED, CommandError
from ..options import check_library
from .arrow_schema import KEY, arrow_schema, durations
from .declared_types import FLOAT, INTEGER, TEXT
from .files import close_ignoring_errors
from .schema import LookupSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INT64_LIMIT = 2**63
FLOAT_EXACT_LIMIT = 2**53
"""Integers up to this are represented exactly by floats."""
MAX_STRUCT_FIELDS = 1000
"""An object with more fields is treated as a dictionary and stored as JSON."""
ROW_GROUP_SIZE = 8192
"""Rows in memory at a time while the file is written."""


class ColumnType:
    """The types of the values in one column or field."""

    __slots__ = ("declared", "fields", "items", "kinds")

    def __init__(self, declared: str = TEXT) -> None:
        self.declared = declared
        """The SQL type where there is no value."""
        self.kinds: set[str] = set()
        self.fields: dict[str, ColumnType] = {}
        self.items: ColumnType | None = None

    def add(self, value: object) -> None:
        """Include a value."""
        kind = type(value)
        if kind is str:
            self.kinds.add("text")
        elif kind is dict:
            self.kinds.add("object")
            fields = self.fields
            for name, part in cast("dict[str, object]", value).items():
                if (found := fields.get(name)) is None:
                    found = fields[name] = ColumnType()
                if part is not None:
                    found.add(part)
        elif kind is bool:
            self.kinds.add("flag")
        elif kind is int:
            size = abs(cast("int", value))
            self.kinds.add(
                "int" if size <= FLOAT_EXACT_LIMIT else "long" if size < INT64_LIMIT else "huge"
            )
        elif kind is float:
            self.kinds.add("float" if math.isfinite(cast("float", value)) else "huge")
        elif kind is list:
            self.kinds.add("list")
            items = self.items = self.items or ColumnType(self.declared.removesuffix("[]"))
            for item in cast("list[object]", value):
                items.add(item)

    def sql(self) -> str:
        """The SQL type that can hold all values."""
        if not self.kinds or (self.declared == FLOAT and self.kinds <= {"int", "float"}):
            return self.declared
        if self.kinds == {"object"}:
            names = {name.casefold() for name in self.fields}
            # duckdb ignores the case of names.
            if (
                not names
                or "" in names
                or len(names) != len(self.fields)
                or len(names) > MAX_STRUCT_FIELDS
            ):
                return "JSON"
            parts = (f"{_identifier(name)} {part.sql()}" for name, part in self.fields.items())
            return f"STRUCT({', '.join(parts)})"
        if self.kinds == {"list"} and self.items is not None:
            return f"{self.items.sql()}[]"
        for kinds, found in _SCALAR_TYPES:
            if self.kinds <= kinds:
                return found
        return "JSON"


_SCALAR_TYPES = (
    ({"text"}, TEXT),
    ({"flag"}, "BOOLEAN"),
    ({"int", "long"}, INTEGER),
    ({"int", "float"}, FLOAT),
)


class ParquetFile:
    """Collects rows in a folder, and writes them to a Parquet file there.

    Args:
        folder: The folder.
        columns: Columns that exist even if no row has them, with their types where they have no
            value; the type of those without one is text.
        beside: A Parquet file whose columns come first, row by row, with their own types.
    """

    def __init__(
        self,
        folder: Path,
        columns: Mapping[str, str] | Sequence[str] = LookupSchema.meta_fields,
        beside: Path | None = None,
    ) -> None:
        self._duckdb = _connect(folder)
        self._beside = beside
        self._rows = folder / "rows.jsonl"
        self._result = folder / "rows.parquet"
        self._type = ColumnType()
        types = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, TEXT)
        self._type.fields = {name: ColumnType(kind) for name, kind in types.items()}
        self._longest = 0
        self._file: BinaryIO = new_private_file(self._rows)

    def add(self, row: bytes) -> None:
        """Add a row, a JSON object on one line."""
        try:
            self._type.add(msgspec.json.decode(row))
        except msgspec.DecodeError:  # a number too large for a float
            self._type.add(json.loads(row))
        self._longest = max(self._longest, len(row))
        self._file.write(row)
        self._file.write(b"\n")

    def interrupt(self) -> None:
        """Make `finish`, which runs in another thread, raise."""
        self._duckdb.interrupt()

    def finish(self) -> Path:
        """Write the Parquet file.

        Returns:
            The file, in the folder.

        Raises:
            CommandError: The file cannot be written, or two columns differ only in case.
        """
        self._file.close()
        fields = self._type.fields
        if len({name.casefold() for name in fields} - {""}) != len(fields):
            raise CommandError(
                "Parquet cannot have two columns that differ only in case",
                hint="choose columns with --columns",
            )
        try:
            self._copy()
        except CommandError:
            self._rewrite_rows()  # an object has a key twice: keep the last one, as JSON parsers do
            self._copy()
        return self._result

    def close(self) -> None:
        """Release everything, finished or not."""
        close_ignoring_errors(self._file)
        self._duckdb.close()

    def _copy(self) -> None:
        import duckdb  # late: it is an optional dependency

        pairs = ((name, part.sql()) for name, part in self._type.fields.items())
        columns = ", ".join(f"{_identifier(name)}: {_literal(kind)}" for name, kind in pairs)
        beside = ""
        if self._beside is not None:
            beside = f"read_parquet({_literal(str(self._beside))}) POSITIONAL JOIN "
        rows = (
            f"SELECT * FROM {beside}read_json({_literal(str(self._rows))}, "
            f"format = 'newline_delimited', columns = {{{columns}}}, "
            f"maximum_object_size = {max(2 * self._longest, 16_777_216)})"
        )
        try:
            self._duckdb.execute(
                f"COPY ({rows}) TO {_literal(str(self._result))} (FORMAT parquet, "
                f"COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_SIZE}{self._metadata(rows)})"
            )
        except duckdb.Error as error:
            first = str(error).partition("\n")[0].replace(str(self._rows.parent), "…")
            raise CommandError(
                f"cannot write Parquet: {first}",
                hint="write --out FILE.jsonl or FILE.csv instead",
                code=REFUSED,
            ) from None

    def _metadata(self, rows: str) -> str:
        """The option that says which columns are durations, where the file beside has any."""
        if self._beside is None:
            return ""
        found = self._duckdb.execute(
            "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?",
            [str(self._beside), KEY],
        ).fetchone()
        if found is None or not (units := durations(str(found[0]))):
            return ""
        relation = self._duckdb.sql(rows)
        schema = arrow_schema(list(zip(relation.columns, relation.types, strict=True)), units)
        return "" if schema is None else f", KV_METADATA {{'{KEY}': {_literal(schema)}}}"

    def _rewrite_rows(self) -> None:
        rewritten = self._rows.with_name("rewritten.jsonl")
        with self._rows.open("rb") as old, new_private_file(rewritten) as new:
            for line in old:
                new.write(json.dumps(json.loads(line, parse_float=_number)).encode() + b"\n")
        rewritten.replace(self._rows)


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _connect(folder: Path) -> DuckDBPyConnection:
    check_library("parquet")
    import duckdb  # late: it is an optional dependency

    # One thread, and temporary files in the folder: memory use stays flat, and no data is left
    # elsewhere.
    return duckdb.connect(config={"threads": 1, "temp_directory": str(folder / "spill")})


def _identifier(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
