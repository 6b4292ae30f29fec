"""The output of `lix enrich`: a file that a later run goes on with, or the screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console

from ..errors import CommandError
from ..input.csv_records import large_csv_fields, records_of
from ..input.targets import parse_target
from ..options import Format, RowOutputOptions, chosen_format, parsed_columns
from ..values import unescape_formula
from .columns import check_columns
from .destination import file_of
from .files import AppendFile
from .lookup_rows import LookupRow
from .rows import RowEncoder, row_encoder
from .schema import LookupSchema
from .table import show

BATCH = 500
"""Rows from the ledger that are written together."""


class LookupOutput:
    """Takes rows in, writes them as they come, and those that are not final at the end.

    A Parquet file cannot be added to: its rows are left to the ledger.
    """

    def __init__(self, output: RowOutputOptions, schema: LookupSchema) -> None:
        self.path = file_of(output)
        self.format: Format = chosen_format(output, terminal=sys.stdout.isatty(), parquet=True)
        self.columns = parsed_columns(output.columns)
        check_columns(self.columns, schema)
        if self.columns is not None:  # a later run knows by these two what is done
            self.columns = tuple(dict.fromkeys(("input", "status", *self.columns)))
        if self.format == "parquet" and self.path is None:
            raise CommandError("Parquet goes into a file", hint="say --out FILE.parquet")
        self._schema = schema
        staged: Format = "jsonl" if self.format == "parquet" else self.format
        self._rows: RowEncoder = row_encoder(staged, schema, self.columns)
        self._file: AppendFile | None = None
        self._first = True
        self._shown: list[bytes] = []
        self._waiting: list[bytes] = []
        self._open: list[bytes] = []

    def opened(self) -> ExistingOutput:
        """Open the file; what an earlier run has left in it."""
        if self.path is None:
            return ExistingOutput(set())
        if self.format == "parquet":
            if self.path.exists() and not self.remakable:
                raise CommandError(
                    f"{self.path} is there already, and is no Parquet", hint="choose another name"
                )
            return ExistingOutput(set())
        if not self.path.exists():
            self._file = AppendFile.create(self.path)
            return ExistingOutput(set())
        self._file = AppendFile.open(self.path)
        try:
            return self._taken_up(self._file)
        except CommandError:
            self._file.close()
            raise

    def _taken_up(self, file: AppendFile) -> ExistingOutput:
        before = read_existing_output(file, self.format)
        if self._rows.columns is not None and before.columns not in (None, self._rows.columns):
            raise CommandError(
                f"{file.path} has other columns", hint="leave --columns out to go on"
            )
        self._rows.columns = before.columns or self._rows.columns
        self._first = not file.size
        return before

    @property
    def remakable(self) -> bool:
        """Whether the file is a Parquet, which may be made anew."""
        assert self.path is not None  # asked of files only
        try:
            with self.path.open("rb") as file:
                return file.read(4) == b"PAR1"
        except OSError:
            return False

    def add(self, line: LookupRow, *, at_once: bool) -> None:
        """Take a row in. Raises `CommandError` when it cannot be written, `BrokenPipeError`."""
        if line.status == OPEN:
            self._open.append(line.encode())
            return
        self._waiting.append(line.encode())
        if at_once or len(self._waiting) >= BATCH:
            self._write()

    def _write(self) -> None:
        rows, self._waiting = self._waiting, []
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
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def close(self) -> Path | None:
        """Write what is left, the rows that are not final last; the file, unless it is empty.

        Raises what `add` does, after the file was let go of.
        """
        self._waiting += self._open
        try:
            self._write()
        finally:
            file, self._file = self._file, None
            if file is not None:
                file.close()
                if not file.size:
                    file.path.unlink(missing_ok=True)
        if self._shown:
            show(Console(), self._shown, self._schema, self._rows.columns)
        return self.path if file is None or file.size else None


_HEADS: dict[Format, bytes] = {"jsonl": b'{"input":', "csv": b"input,kin"}
"""How an output begins: a file that holds no more than this was torn at its first line."""


OPEN = "in_doubt"
"""The status of rows that are not final."""


class ExistingOutput(msgspec.Struct):
    """What an output file holds."""

    keys: set[str]
    """Targets that have their row, in the one spelling for all."""
    columns: tuple[str, ...] | None = None
    """The heading of a CSV."""


class _ExistingRow(msgspec.Struct):
    input: object
    status: object
    end: int
    """Where its line ends."""


def read_existing_output(file: AppendFile, form: Format) -> ExistingOutput:
    """Read an output file, cut off what is not to stay, and tell what it holds.

    Raises `CommandError` for a file that `lix enrich` did not write: nothing is appended there.
    """
    data = file.read()
    ends = list(_ends(data, quoted=form == "csv"))
    whole = data[: ends[-1]] if ends else b""
    columns: tuple[str, ...] | None = None
    if form == "csv":
        with large_csv_fields(str(file.path)):
            columns, rows = _csv(whole, ends)
    else:
        rows = _jsonl(whole, ends)
    if rows is None or not (whole or _HEADS[form].startswith(data[:9])):
        raise CommandError(
            f"{file.path} is there already, and is no output of `lix enrich` as {form}",
            hint="choose another name",
        )
    end = len(whole)
    while rows and rows[-1].status == OPEN:
        rows.pop()
        end = rows[-1].end if rows else (ends[0] if form == "csv" else 0)
    if end < len(data):
        file.truncate(end)
    return ExistingOutput(
        {key for row in rows if row.status != OPEN for key in _key(row.input)}, columns
    )


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
        rows.append(_ExistingRow(row["input"], row["status"], end))
    return rows


def _csv(data: bytes, ends: list[int]) -> tuple[tuple[str, ...] | None, list[_ExistingRow] | None]:
    records = records_of(data.decode("utf-8", "replace"))
    columns = tuple(next(records, ()))
    if not columns:
        return None, []
    if not {"input", "status"} <= set(columns) or columns[0] != LookupSchema.head[0]:
        return columns, None
    given, status = columns.index("input"), columns.index("status")
    return columns, [
        _ExistingRow(unescape_formula(record[given]), record[status], end)
        for record, end in zip(records, ends[1:], strict=False)
        if record
    ]


def _key(cell: object) -> Iterator[str]:
    known = parse_target(cell) if isinstance(cell, str) else None
    if known is not None:
        yield known.key


def _ends(data: bytes, *, quoted: bool) -> Iterator[int]:
    """Where each whole record ends: at a line end, in a CSV outside of quotes."""
    place = 0
    inside = False
    while (found := data.find(b"\n", place)) >= 0:
        inside ^= quoted and bool(data.count(b'"', place, found) % 2)
        place = found + 1
        if not inside:
            yield place
