"""CSV records with large cells, and syntax errors that name their line.

The limit of Python's `csv` is 128 KiB for a cell; a profile's whole history is longer.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

from ..errors import CommandError
from .csv_quoting import makes_sense, quoting_of

MAX_FIELD_CHARS = 16 << 20
"""Characters of a cell. A longer one has always been a quote that is not closed."""
NumberedRecord: TypeAlias = tuple[int, list[str], Sequence[str]]
"""The first line of a record, from 1, its cells, and its lines."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_HINT = "look for a quote that is not closed, or save the file as CSV again"


class CsvSyntaxError(Exception):
    """A syntax error at a line of a CSV."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


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
    quoting = quoting_of(lines_of(text), delimiter)
    with suppress(csv.Error):
        rows = csv.reader(quoting.ordinary(lines_of(text), delimiter), delimiter=delimiter)
        found.extend(itertools.islice(filter(None, rows), count))
    return found


def csv_records(text: str, delimiter: str = ",") -> Iterator[list[str]]:
    """The records of a CSV.

    Raises:
        CsvSyntaxError: See `numbered_records`.
    """
    return (cells for _, cells, _ in numbered_records(lines_of(text), delimiter))


def numbered_records(lines: Iterable[str], delimiter: str) -> Iterator[NumberedRecord]:
    """The records of a CSV, each with the number of its first line.

    Args:
        lines: The lines, with their ends.
        delimiter: What is between cells.

    Raises:
        CsvSyntaxError: A record cannot be parsed, or the last record spans several lines because
            a quote is not closed: its lines were meant as records.
    """
    seen: list[str] = []
    rows = csv.reader(_noted(lines, seen), delimiter=delimiter)
    start, held = 1, None
    while True:
        before = csv.field_size_limit(MAX_FIELD_CHARS)
        try:
            row = next(rows, None)
            unclosed = row is None and held is not None and _is_unclosed(held[2], delimiter)
        except csv.Error as error:
            raise CsvSyntaxError(start, f"invalid CSV ({error})") from None
        finally:
            csv.field_size_limit(before)
        if held is not None and unclosed:
            raise CsvSyntaxError(held[0], "a quote is not closed")
        if row is None:
            break
        if held is not None:
            yield held
            held = None
        found = start, row, tuple(seen)
        if len(seen) > 1:
            held = found
        else:
            yield found
        start += len(seen)
        seen.clear()
    if held is not None:
        yield held


def _noted(lines: Iterable[str], seen: list[str]) -> Iterator[str]:
    for line in lines:
        seen.append(line)
        yield line


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, with their ends."""
    for match in _LINE.finditer(text):  # a StringIO would take four bytes per character
        yield match[0]


def _is_unclosed(lines: Sequence[str], delimiter: str) -> bool:
    return "end of data" in _irregularity(lines, delimiter)


def _irregularity(lines: Sequence[str], delimiter: str) -> str:
    """What is wrong with the quotes of a record; empty for nothing."""
    before = csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return str(error)
    finally:
        csv.field_size_limit(before)
    return ""


def problem_of_quotes(lines: Sequence[str], delimiter: str) -> str:
    """Why a record may have its cells in other columns; empty for no reason.

    Args:
        lines: The lines of the record.
        delimiter: What is between cells.
    """
    if not any('"' in line for line in lines) or makes_sense(lines, delimiter):
        return ""
    return "its columns are not certain: a quote in a cell is not doubled, or has a blank before it"


def swallowed_rows(
    lines: Sequence[str], delimiter: str, width: int, is_link: Callable[[str], object]
) -> bool:
    """Whether a record has other rows inside a cell, because a quote is not closed.

    Its quotes are irregular then, and a line of it alone has a link and the cells of the table.

    Args:
        lines: The lines of the record.
        delimiter: What is between cells.
        width: The number of columns.
        is_link: Whether a text is a link.
    """
    if not _irregularity(lines, delimiter):
        return False
    inner = (first_records(line, delimiter, 1) for line in lines[1:])
    return any(
        len(cells) == width > 1 and any(map(is_link, cells)) for found in inner for cells in found
    )
