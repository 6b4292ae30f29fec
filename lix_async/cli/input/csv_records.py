"""CSV records with large cells, and syntax errors that name their line.

The limit of Python's `csv` is 128 KiB for a cell; a profile's whole history is longer.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

from ..errors import CommandError

MAX_FIELD_CHARS = 16 << 20
"""Characters of a cell. A longer one has always been a quote that is not closed."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_HINT = "look for a quote that is not closed, or save the file as CSV again"


class CsvSyntaxError(Exception):
    """A syntax error at a line of a CSV."""


@contextmanager
def large_csv_fields(name: str) -> Generator[None]:
    """Let `csv` read cells of up to 16 MiB inside the block.

    The limit of `csv` applies to the whole process. It is restored at the end of the block, in
    which nothing must be awaited.

    Raises:
        CommandError: The CSV has a syntax error; the message has its line.
    """
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, MAX_FIELD_CHARS))
    try:
        yield
    except CsvSyntaxError as error:
        raise CommandError(f"{name}, {error}", hint=_HINT) from None
    finally:
        csv.field_size_limit(before)


def first_records(text: str, delimiter: str, count: int) -> list[list[str]]:
    """The first records of a CSV; fewer where one has a syntax error."""
    found: list[list[str]] = []
    with suppress(csv.Error):
        rows = csv.reader(_record_lines(text, []), delimiter=delimiter)
        found.extend(itertools.islice(filter(None, rows), count))
    return found


def csv_records(text: str, delimiter: str = ",") -> Iterator[list[str]]:
    """The records of a CSV.

    Raises:
        CsvSyntaxError: A record cannot be parsed, or the last record spans several lines because
            a quote is not closed: its lines were meant as records.
    """
    lines: list[str] = []
    rows = csv.reader(_record_lines(text, lines), delimiter=delimiter)
    start, previous = 1, ""
    try:
        for row in rows:
            previous = "".join(lines) if len(lines) > 1 else ""
            start = rows.line_num - len(lines) + 1
            lines.clear()
            yield row
    except csv.Error as error:
        at = rows.line_num - len(lines) + 1
        raise CsvSyntaxError(f"line {at}: invalid CSV ({error})") from None
    if previous and _unclosed(previous, delimiter):
        raise CsvSyntaxError(f"line {start}: a quote is not closed")


def _record_lines(text: str, seen: list[str]) -> Iterator[str]:
    for match in _LINE.finditer(text):  # a StringIO would take four bytes per character
        line = match[0]
        seen.append(line)
        yield line


def _unclosed(record: str, delimiter: str) -> bool:
    try:
        list(csv.reader(_record_lines(record, []), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False
