"""Rows as a workbook, written row by row with few of them in memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, cast

import msgspec

from ..console import print_note
from ..errors import REFUSED, CommandError
from ..options import check_library
from ..text import counted
from ..values import cell_text
from .files import close_ignoring_errors

MOST_ROWS = 1_048_576
"""Rows of a sheet, with its heading."""
MOST_COLUMNS = 16_384
"""Columns of a sheet; xlsxwriter leaves out the rest."""
LONGEST = 32_767
"""Characters of a cell; xlsxwriter cuts off the rest."""
LARGEST_EXACT = 2**53
"""A workbook has floating-point numbers only: a greater integer is written as a text."""


def _library() -> Any:
    check_library("xlsx")
    return importlib.import_module("xlsxwriter")


def check_size(path: Path, columns: int, rows: Iterable[object]) -> None:
    """Check that a table is not too large for a sheet.

    Args:
        path: The workbook.
        columns: The columns of the table.
        rows: Its rows, which are read until there are too many.

    Raises:
        CommandError: It has too many columns or rows.
    """
    if columns > MOST_COLUMNS:
        raise CommandError(
            f"{path} would have {counted(columns, 'column')}, and a sheet has {MOST_COLUMNS:,} at "
            "most",
            hint="write .csv instead, or add fewer columns with --columns",
        )
    if next(islice(rows, MOST_ROWS - 1, None), None) is not None:
        raise CommandError(
            f"{path} would have more than the {MOST_ROWS:,} rows of a sheet",
            hint="write .csv or .parquet instead",
        )


class Workbook:
    """A workbook with one sheet. Cells are values: never formulas, never links.

    Args:
        path: The file, which is made by `finish`.
        headings: The first row.
    """

    def __init__(self, path: Path, headings: Iterable[str]) -> None:
        self.path = path
        self._book = _library().Workbook(
            str(path), {"constant_memory": True, "tmpdir": str(path.parent), "in_memory": False}
        )
        self._sheet = self._book.add_worksheet("Sheet1")
        self._sheet.freeze_panes(1, 0)
        day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        clock = self._book.add_format({"num_format": "[h]:mm:ss"})
        self._formats = (day, moment, clock)
        self._row = 0
        self._cut = 0
        self.add(list(headings))

    def add(self, cells: Sequence[object]) -> None:
        """Add a row.

        Raises:
            CommandError: The sheet is full.
        """
        if self._row >= MOST_ROWS:
            raise CommandError(
                f"a sheet has {MOST_ROWS:,} rows at most", hint="write CSV instead", code=REFUSED
            )
        sheet, row = self._sheet, self._row
        text, number = cast("_Write", sheet.write_string), cast("_Write", sheet.write_number)
        for column, cell in enumerate(cells):
            kind = type(cell)
            if cell is None or cell == "":
                continue
            if kind is str:
                self._cut += len(cast("str", cell)) > LONGEST
                text(row, column, cell)
            elif kind is bool:
                sheet.write_boolean(row, column, cell)
            elif kind is int or kind is float:
                if -LARGEST_EXACT <= cast("float", cell) <= LARGEST_EXACT:
                    number(row, column, cell)
                else:  # also what is no number
                    text(row, column, str(cell))
            else:
                self._add_other(row, column, cell)
        self._row += 1

    def _add_other(self, row: int, column: int, cell: object) -> None:
        day, moment, clock = self._formats
        if isinstance(cell, datetime):
            plain = cell.replace(tzinfo=None)
            style = day if plain.time() == time() else moment
            self._sheet.write_datetime(row, column, plain, style)
        elif isinstance(cell, date):
            self._sheet.write_datetime(row, column, cell, day)
        elif isinstance(cell, time | timedelta):
            self._sheet.write_datetime(row, column, cell, clock)
        elif isinstance(cell, list | dict):
            self._sheet.write_string(row, column, cell_text(msgspec.to_builtins(cell)))
        else:
            self._sheet.write_string(row, column, str(cell))

    def finish(self) -> Path:
        """Write the file.

        Raises:
            OSError: It cannot be written.
        """
        try:
            self._book.close()
        except _library().exceptions.FileCreateError as error:
            raise OSError(*error.args[:1]) from None
        if self._cut:
            print_note(
                f"{counted(self._cut, 'text')} cut off at {LONGEST:,} characters, the most that a "
                "cell of a workbook takes; CSV takes all"
            )
        return self.path

    def close(self) -> None:
        """Release the temporary files of the sheet, finished or not."""
        if (file := getattr(self._sheet, "row_data_fh", None)) is not None:
            close_ignoring_errors(file)
        self._book.fileclosed = True  # it warns when it is deleted otherwise


_Write = Callable[[int, int, object], int]
