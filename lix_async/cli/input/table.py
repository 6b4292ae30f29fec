"""Opening an input file as a table, by what it is."""

from __future__ import annotations

from ..errors import CommandError
from .column import NoRowsError, TableTargets
from .csv_table import CsvTable, is_csv
from .file_kind import file_kind
from .json_table import JsonDocumentTable, JsonLinesTable, is_json, json_entries
from .parquet_table import ParquetTable
from .source import InputSource, TextSource
from .table_row import InputFormat, InputTable, TableRow, column_labels
from .text_table import TextTable, is_list_of_links
from .workbook_table import WorkbookTable

__all__ = [
    "InputFormat",
    "InputTable",
    "NoRowsError",
    "TableRow",
    "TableTargets",
    "column_labels",
    "open_table",
]

_CSV = (".csv", ".tsv")
_JSON_LINES = (".jsonl", ".ndjson")


def open_table(path: str, *, sheet: str | None = None, websites: bool = False) -> InputTable:
    """Open a file by what is in it; its ending decides only between kinds of text.

    Args:
        path: The file, or `-` for stdin.
        sheet: The sheet of a workbook; None for the first visible one.
        websites: Whether a first row with a website is none of headings.

    Raises:
        CommandError: The file cannot be read, or is nothing that has a table.
    """
    source = InputSource(path)
    kind = file_kind(source)
    if kind == "workbook":
        return WorkbookTable(source, sheet, websites=websites)
    if sheet is not None:
        raise CommandError(f"{source.name} has no sheets", hint="--sheet is for workbooks")
    if kind == "parquet":
        return ParquetTable(source)
    return _of_text(TextSource(source), websites)


def _of_text(text: TextSource, websites: bool) -> InputTable:
    ending, first = text.source.ending, text.head.lstrip()[:1]
    if ending in _JSON_LINES or (
        first == "{"
        and ending not in _CSV
        and not _is_one_line(text)
        and is_json(_first_line(text.head))
    ):
        return JsonLinesTable(text)
    if first in ("{", "[") and ending not in _CSV:
        if (entries := json_entries(text)) is not None:
            return JsonDocumentTable(text, entries)
        if first == "{" or ending == ".json":
            return JsonLinesTable(text)
    if ending in _CSV or (is_csv(text.head) and not is_list_of_links(text.head)):
        return CsvTable(text, websites=websites)
    return TextTable(text)


def _first_line(text: str) -> str:
    return text.lstrip().partition("\n")[0]


def _is_one_line(text: TextSource) -> bool:
    """Whether a text is one line: a document as programs save it, or JSON lines of one record."""
    return text.is_whole and "\n" not in text.head.strip()
