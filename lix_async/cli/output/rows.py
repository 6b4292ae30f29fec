"""Rows as bytes of a file, or as a table on the screen.

A row is the JSON object that the provider sent, on one line, unchanged.
"""

from __future__ import annotations

import csv
import io
from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

import msgspec

from ..options import Format
from ..values import Tree
from .schema import OTHER, RowSchema


def tree_of(row: bytes) -> Tree:
    """A row as an object."""
    return msgspec.json.decode(row, type=dict[str, object])


class RowEncoder(Protocol):
    """A form in which rows are written."""

    columns: tuple[str, ...] | None
    """The columns, where there are any and they are settled."""

    def settle(self, rows: Sequence[bytes]) -> None:
        """Settle the columns before the first row is written, where they depend on the rows."""

    @abstractmethod
    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        """Rows as bytes; `first` where nothing stands before them."""


class JsonlEncoder:
    """One object a line: everything that the provider sent, or the columns asked for."""

    def __init__(self, schema: RowSchema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def settle(self, rows: Sequence[bytes]) -> None:
        pass

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        return b"".join(self._line(row) + b"\n" for row in rows)

    def _line(self, row: bytes) -> bytes:
        if self.columns is None:
            return row
        tree, find = tree_of(row), self._schema.find
        tidy = self._schema.tidy(tree)
        cut = {name: find(tidy, name) for name in self.columns}
        if OTHER in cut:
            cut[OTHER] = self._schema.left(tree, self.columns) or cut[OTHER]
        return msgspec.json.encode(cut)


class CsvEncoder:
    """Comma separated, UTF-8, one header line, formulas made harmless."""

    def __init__(self, schema: RowSchema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def settle(self, rows: Sequence[bytes]) -> None:
        if self.columns is None and rows:
            self.columns = self._schema.opened([tree_of(row) for row in rows])

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        self.settle(rows)
        columns = self.columns or ()
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        if first:
            writer.writerow(columns)
        writer.writerows(self._schema.cells(tree_of(row), columns) for row in rows)
        return out.getvalue().encode("utf-8", "surrogatepass")


def row_encoder(form: Format, schema: RowSchema, columns: tuple[str, ...] | None) -> RowEncoder:
    """The form in which rows are written."""
    return CsvEncoder(schema, columns) if form == "csv" else JsonlEncoder(schema, columns)
