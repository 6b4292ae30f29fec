"""Rows encoded as JSONL or CSV.

A row is the JSON object that the provider sent, on one line, unchanged.
"""

from __future__ import annotations

import csv
import io
from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

import msgspec

from ...core.values import JsonObject
from ..options import Format
from .schema import RowSchema


def parse_row(row: bytes) -> JsonObject:
    """A row as an object."""
    return msgspec.json.decode(row, type=dict[str, object])


class RowEncoder(Protocol):
    """Encodes rows in one file format."""

    columns: tuple[str, ...] | None
    """The columns, once they are fixed; None where there are none."""

    @property
    def short_names(self) -> bool:
        """Whether columns may be short names."""
        ...

    def fix_columns(self, rows: Sequence[bytes]) -> None:
        """Choose the columns by the first rows, if they depend on the rows."""

    @abstractmethod
    def resume(self, columns: tuple[str, ...] | None, *, short_names: bool) -> None:
        """Continue an output that has certain columns.

        Args:
            columns: The columns; None where there are none.
            short_names: Whether they may be short names; else all are paths.
        """

    @abstractmethod
    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        """Encode rows; `first` if nothing precedes them in the output."""


class JsonlEncoder:
    """One object per line: as received, or with the requested columns only."""

    def __init__(self, schema: RowSchema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def fix_columns(self, rows: Sequence[bytes]) -> None:
        pass

    @property
    def short_names(self) -> bool:
        return self._schema.short_names

    def resume(self, columns: tuple[str, ...] | None, *, short_names: bool) -> None:
        self.columns, self._schema.short_names = columns, short_names

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        return b"".join(self._line(row) + b"\n" for row in rows)

    def _line(self, row: bytes) -> bytes:
        if self.columns is None:
            return row
        values = self._schema.values(row, self.columns)
        return msgspec.json.encode(dict(zip(self.columns, values, strict=True)))


class CsvEncoder:
    """CSV in UTF-8 with a header line, formulas escaped."""

    def __init__(self, schema: RowSchema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def fix_columns(self, rows: Sequence[bytes]) -> None:
        if self.columns is None and rows:
            self.columns = self._schema.columns_for([parse_row(row) for row in rows])

    @property
    def short_names(self) -> bool:
        return self._schema.short_names

    def resume(self, columns: tuple[str, ...] | None, *, short_names: bool) -> None:
        self.columns, self._schema.short_names = columns, short_names

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        self.fix_columns(rows)
        columns = self.columns or self._schema.columns_for([])
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        if first:
            writer.writerow(columns)
        writer.writerows(self._schema.cells(row, columns) for row in rows)
        return out.getvalue().encode("utf-8", "surrogatepass")


def row_encoder(
    file_format: Format, schema: RowSchema, columns: tuple[str, ...] | None
) -> RowEncoder:
    """The encoder for a file format."""
    return CsvEncoder(schema, columns) if file_format == "csv" else JsonlEncoder(schema, columns)
