"""Opening an input file as a table, by what it is."""

from __future__ import annotations

from .column import TableTargets
from .csv_table import CsvTable
from .source import InputSource, TextSource
from .table_row import InputFormat, InputTable, TableRow, column_labels

__all__ = ["InputFormat", "InputTable", "TableRow", "TableTargets", "column_labels", "open_table"]


def open_table(path: str, *, sheet: str | None = None) -> InputTable:
    """Open a file by what is in it; its ending decides only between kinds of text.

    Args:
        path: The file, or `-` for stdin.
        sheet: The sheet of a workbook; None for the first visible one.

    Raises:
        CommandError: The file cannot be read, or is nothing that has a table.
    """
    return CsvTable(TextSource(InputSource(path)))
