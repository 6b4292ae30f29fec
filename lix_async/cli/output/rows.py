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
from .schema import OTHER, RowSchema


def parse_row(row: bytes) -> JsonObject:
    """A row as an object."""
    return msgspec.json.decode(row, type=dict[str, object])


class RowEncoder(Protocol):
    """Encodes rows in one file format."""

    columns: tuple[str, ...] | None
    """The columns, once they are fixed; None where there are none."""

    def fix_columns(self, rows: Sequence[bytes]) -> None:
        """Choose the columns by the first rows, if they depend on the rows."""

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

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        return b"".join(self._line(row) + b"\n" for row in rows)

    def _line(self, row: bytes) -> bytes:
        if self.columns is None:
            return row
        tree, value_at = parse_row(row), self._schema.value_at
        normalised = self._schema.normalised(tree)
        selected = {name: value_at(normalised, name) for name in self.columns}
        if OTHER in selected:
            selected[OTHER] = self._schema.remaining(tree, self.columns) or selected[OTHER]
        return msgspec.json.encode(selected)


class CsvEncoder:
    """CSV in UTF-8 with a header line, formulas escaped."""

    def __init__(self, schema: RowSchema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def fix_columns(self, rows: Sequence[bytes]) -> None:
        if self.columns is None and rows:
            self.columns = self._schema.columns_for([parse_row(row) for row in rows])

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        self.fix_columns(rows)
        columns = self.columns or self._schema.columns_for([])
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        if first:
            writer.writerow(columns)
        writer.writerows(self._schema.cells(parse_row(row), columns) for row in rows)
        return out.getvalue().encode("utf-8", "surrogatepass")


def row_encoder(
    file_format: Format, schema: RowSchema, columns: tuple[str, ...] | None
) -> RowEncoder:
    """The encoder for a file format."""
    return CsvEncoder(schema, columns) if file_format == "csv" else JsonlEncoder(schema, columns)
