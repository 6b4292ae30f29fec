"""The output of `lix enrich`: a file that a later run continues, or the screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console

from .. import console
from ..errors import CommandError
from ..input.csv_records import csv_records, large_csv_fields
from ..input.targets import parse_target, parse_website
from ..options import Format, RowOutputOptions, choose_format, parse_columns
from ..values import unescape_formula
from .columns import check_columns
from .destination import output_path
from .files import AppendFile, replace_file
from .lookup_rows import LookupRow
from .rows import RowEncoder, row_encoder
from .schema import LookupSchema
from .table import print_table

BATCH = 500
"""Rows from the ledger that are written together."""


class LookupOutput:
    """Writes rows as they arrive, and those in doubt at the end.

    Rows cannot be appended to a Parquet file, which is exported from the ledger instead.
    """

    def __init__(self, output: RowOutputOptions, schema: LookupSchema) -> None:
        self.path = output_path(output)
        self.format: Format = choose_format(output, terminal=sys.stdout.isatty(), parquet=True)
        self.columns = parse_columns(output.columns)
        check_columns(self.columns, schema)
        if self.columns is not None:  # a later run needs both to find what is done
            self.columns = tuple(dict.fromkeys(("input", "status", *self.columns)))
        if self.format == "parquet" and self.path is None:
            raise CommandError("Parquet needs an output file", hint="add --out FILE.parquet")
        self._schema = schema
        staged: Format = "jsonl" if self.format == "parquet" else self.format
        self._rows: RowEncoder = row_encoder(staged, schema, self.columns)
        self._file: AppendFile | None = None
        self._first = self._dated = True
        self._replaces = False
        """Whether there are rows of links that have a newer row after them."""
        self._shown: list[bytes] = []
        self._buffer: list[bytes] = []
        self._in_doubt: list[bytes] = []

    def open(self) -> ExistingOutput:
        """Open the file; returns what an earlier run wrote to it."""
        if self.path is None:
            return ExistingOutput({})
        if self.format == "parquet":
            if self.path.exists() and not self.is_parquet:
                raise CommandError(
                    f"{self.path} already exists and is not a Parquet file",
                    hint="choose another name",
                )
            return ExistingOutput({})
        if not self.path.exists():
            self._file = AppendFile.create(self.path)
            return ExistingOutput({})
        self._file = AppendFile.open(self.path)
        try:
            return self._resume(self._file)
        except CommandError:
            self._file.close()
            raise

    def _resume(self, file: AppendFile) -> ExistingOutput:
        existing = read_existing_output(file, self.format)
        if self._rows.columns is not None and existing.columns not in (None, self._rows.columns):
            raise CommandError(f"{file.path} has other columns", hint="omit --columns to continue")
        self._rows.columns = existing.columns or self._rows.columns
        self._first, self._dated = not file.size, existing.dated
        self._replaces = existing.replaced
        return existing

    @property
    def is_parquet(self) -> bool:
        """Whether the existing file is a Parquet file, which may be replaced."""
        assert self.path is not None  # called only if there is a file
        try:
            with self.path.open("rb") as file:
                return file.read(4) == b"PAR1"
        except OSError:
            return False

    def add(self, row: LookupRow, *, flush: bool, replaces: bool = False) -> None:
        """Add a row.

        Args:
            row: The row.
            flush: Whether to write it at once.
            replaces: Whether the link has an older row, whose place it takes at the end: until
                then both are in the file, so that nothing is lost where the run is killed.

        Raises:
            CommandError: The row cannot be written.
            BrokenPipeError: The reader of stdout has closed the pipe.
        """
        self._replaces |= replaces
        if row.status == IN_DOUBT:
            self._in_doubt.append(row.encode(dated=self._dated))
            return
        self._buffer.append(row.encode(dated=self._dated))
        if flush or len(self._buffer) >= BATCH:
            self._write()

    def _write(self) -> None:
        rows, self._buffer = self._buffer, []
        if not rows or self.format == "parquet":
            return
        if self.format == "table" and self._file is None:
            self._shown += rows
            return
        data = self._rows.encode(rows, first=self._first)
        self._first = False
        if self._file is not None:
            self._file.append(data)
        else:
            console.write_stdout(data)

    def close(self) -> Path | None:
        """Write the remaining rows, those in doubt last.

        Returns:
            The file, unless it is empty.

        Raises:
            CommandError: The rows cannot be written. The file is closed before that.
            BrokenPipeError: The reader of stdout has closed the pipe.
        """
        self._buffer += self._in_doubt
        try:
            self._write()
        finally:
            file, self._file = self._file, None
            if file is not None:
                try:
                    if self._replaces:
                        replace_file(file.path, without_older_rows(file.read(), self.format))
                finally:
                    file.close()
                if not file.size:
                    file.path.unlink(missing_ok=True)
        if self._shown:
            print_table(Console(), self._shown, self._schema, self._rows.columns)
        return self.path if file is None or file.size else None


_FIRST_BYTES: dict[Format, bytes] = {"jsonl": b'{"input":', "csv": b"input,kin"}
"""How an output begins: a file with less was interrupted in its first line."""


IN_DOUBT = "in_doubt"
"""The status of rows that are not final."""


class ExistingOutput(msgspec.Struct):
    """What an output file contains."""

    keys: dict[str, str]
    """The keys of the targets that have a row, with when its answer was bought; "" where the file
    does not say that."""
    columns: tuple[str, ...] | None = None
    """The heading of a CSV."""
    dated: bool = True
    """Whether its rows say when they were bought; those of earlier versions do not."""
    replaced: bool = False
    """Whether it has older rows of links that have a newer one."""


class _ExistingRow(msgspec.Struct):
    input: object
    status: object
    end: int
    """The offset of the end of its line."""
    bought_at: object
    """None where its file does not say it."""


def read_existing_output(file: AppendFile, file_format: Format) -> ExistingOutput:
    """Read an output file, and truncate a partial line and the rows in doubt at its end.

    Raises:
        CommandError: The file was not written by `lix enrich`; nothing is appended to it.
    """
    data = file.read()
    ends = list(_record_ends(data, quoted=file_format == "csv"))
    complete = data[: ends[-1]] if ends else b""
    columns: tuple[str, ...] | None = None
    if file_format == "csv":
        with large_csv_fields(str(file.path)):
            columns, rows = _csv(complete, ends)
    else:
        rows = _jsonl(complete, ends)
    if rows is None or not (complete or _FIRST_BYTES[file_format].startswith(data[:9])):
        raise CommandError(
            f"{file.path} already exists and is not {file_format} output of `lix enrich`",
            hint="choose another name",
        )
    end, first = len(complete), rows[:1]
    while rows and rows[-1].status == IN_DOUBT:
        rows.pop()
        end = rows[-1].end if rows else (ends[0] if file_format == "csv" else 0)
    if end < len(data):
        file.truncate(end)
    keys: dict[str, str] = {}
    replaced = False
    for row in rows:
        for key in _keys(row.input) if row.status != IN_DOUBT else ():
            replaced |= key in keys
            keys[key] = str(row.bought_at or "")
    return ExistingOutput(keys, columns, all(row.bought_at is not None for row in first), replaced)


def without_older_rows(data: bytes, file_format: Format) -> bytes:
    """An output in which the newest row of each link stands in the place of the first one."""
    ends = list(_record_ends(data, quoted=file_format == "csv"))
    rows = _csv(data, ends)[1] if file_format == "csv" else _jsonl(data, ends)
    lines: dict[str | int, bytes] = {}
    start = ends[0] if file_format == "csv" else 0
    heading = data[:start]
    for row in rows or ():
        lines[next(_keys(row.input), row.end)] = data[start : row.end]
        start = row.end
    return heading + b"".join(lines.values())


def _jsonl(data: bytes, ends: list[int]) -> list[_ExistingRow] | None:
    rows: list[_ExistingRow] = []
    for line, end in zip(data.split(b"\n"), ends, strict=False):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if "input" not in row or "status" not in row:
            return None
        bought_at = (row["bought_at"] or "") if "bought_at" in row else None
        rows.append(_ExistingRow(row["input"], row["status"], end, bought_at))
    return rows


def _csv(data: bytes, ends: list[int]) -> tuple[tuple[str, ...] | None, list[_ExistingRow] | None]:
    records = csv_records(data.decode("utf-8", "replace"))
    columns = tuple(next(records, ()))
    if not columns:
        return None, []
    if not {"input", "status"} <= set(columns) or columns[0] != LookupSchema.meta_fields[0]:
        return columns, None
    input_index, status_index = columns.index("input"), columns.index("status")
    bought_index = columns.index("bought_at") if "bought_at" in columns else None
    return columns, [
        _ExistingRow(
            unescape_formula(record[input_index]),
            record[status_index],
            end,
            None if bought_index is None else record[bought_index],
        )
        for record, end in zip(records, ends[1:], strict=False)
        if record
    ]


def _keys(cell: object) -> Iterator[str]:
    target = (parse_target(cell) or parse_website(cell)) if isinstance(cell, str) else None
    if target is not None:
        yield target.key


def _record_ends(data: bytes, *, quoted: bool) -> Iterator[int]:
    """The offset of the end of each complete record; line breaks in quotes do not count."""
    start = 0
    in_quotes = False
    while (newline := data.find(b"\n", start)) >= 0:
        in_quotes ^= quoted and bool(data.count(b'"', start, newline) % 2)
        start = newline + 1
        if not in_quotes:
            yield start
