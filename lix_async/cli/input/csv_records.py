"""CSV as people have it: cells of any sensible size, and a slip told with its line.

A profile's whole history in one cell is more than the 128 KiB at which `csv` gives up.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from ..errors import CommandError

MOST = 16 << 20
"""Characters of a cell: more has never been one, it is a quote that nobody closed."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_REMEDY = "look for a quote that is opened there and never closed, or save the file anew as CSV"


class CsvSyntaxError(Exception):
    """What is no CSV, at a line."""


@contextmanager
def large_csv_fields(name: str) -> Generator[None]:
    """Let `csv` read cells of up to 16 MiB meanwhile.

    Its limit is one for the process and has no other place: it is as before when this ends, which
    is before anything is awaited. Raises `CommandError` with the file and the line for what is no
    CSV.
    """
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, MOST))
    try:
        yield
    except CsvSyntaxError as slip:
        raise CommandError(f"{name}, {slip}", hint=_REMEDY) from None
    finally:
        csv.field_size_limit(before)


def records_of(text: str, delimiter: str = ",") -> Iterator[list[str]]:
    """The records of a CSV.

    Raises `Slip` for one that cannot be read, and for a last one that runs over several lines
    because its quote is never closed: those lines were records.
    """
    lines: list[str] = []
    rows = csv.reader(_noted(text, lines), delimiter=delimiter)
    began, last = 1, ""
    try:
        for row in rows:
            last = "".join(lines) if len(lines) > 1 else ""
            began = rows.line_num - len(lines) + 1
            lines.clear()
            yield row
    except csv.Error as error:
        at = rows.line_num - len(lines) + 1
        raise CsvSyntaxError(f"line {at}: no CSV from here on ({error})") from None
    if last and _unclosed(last, delimiter):
        raise CsvSyntaxError(f"line {began}: a quote is opened and never closed")


def _noted(text: str, seen: list[str]) -> Iterator[str]:
    for found in _LINE.finditer(text):  # a StringIO would take four bytes for each character
        line = found[0]
        seen.append(line)
        yield line


def _unclosed(record: str, delimiter: str) -> bool:
    try:
        list(csv.reader(_noted(record, []), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False
