"""CSV of any delimiter, line end and encoding, with or without a heading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from ..errors import CommandError
from .cell_target import mentions_target
from .csv_quoting import quoting_of
from .csv_records import (
    CsvSyntaxError,
    NumberedRecord,
    first_records,
    lines_of,
    numbered_records,
    problem_of_quotes,
    swallowed_rows,
)
from .heading import HEAD_ROWS, MOST_HEAD_ROWS, NumberedCells, find_heading, head_of
from .source import TextSource, has_escape, restored
from .table_row import InputTable, TableRow
from .targets import parse_target

_DELIMITERS = ",;\t|"
_NAMED_DELIMITER = re.compile(r'\s*"?sep=(.)"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)
"""The first line of a file for Excel, which names the delimiter."""


class CsvTable(InputTable):
    """A CSV file."""

    format = "csv"

    def __init__(self, text: TextSource, *, websites: bool = False) -> None:
        self._text = text
        self.path = text.source.name
        self.encoding = text.encoding
        self.notes = text.notes
        named = _NAMED_DELIMITER.match(text.head)
        self._lines_above = 0 if named is None else 1
        body = text.head if named is None else text.head[named.end() :]
        self.delimiter = (named and named[1]) or find_delimiter(body) or ","
        self._quoting = quoting_of(lines_of(body), self.delimiter)
        end = re.search(r"\r\n|\r|\n", text.head)
        self._ends_twice = "\r\r\n" in text.head
        """Whether each line has one end too many, as some programs on Windows write it."""
        self.line_end = "\r\n" if self._ends_twice else "\n" if end is None else end[0]
        if text.quotes % 2:
            self._check_quotes()
        head, self.hint = head_of(self._filled())
        names, self._first_line = find_heading(head, websites=websites)
        self._usual_width = _usual_width(head, self._first_line)
        self.names = [restored(name) if has_escape(name) else name for name in names]

    def rows(self) -> Iterator[TableRow]:
        width = len(self.names)
        blank: list[TableRow] = []  # at the end of a file they are no rows
        try:
            for line, cells, lines in self._records():
                if line < self._first_line:
                    continue
                if not cells:
                    blank.append(TableRow(line, [""] * width))
                    continue
                problem = ""
                if len(cells) != self._usual_width:
                    problem = problem_of_quotes(lines, self.delimiter)
                if len(cells) < width:
                    cells.extend([""] * (width - len(cells)))
                if blank:
                    yield from blank
                    blank.clear()
                if len(lines) > 1 and swallowed_rows(lines, self.delimiter, width, parse_target):
                    last = line + len(lines) - 1
                    yield TableRow(
                        line, cells, f"a quote is not closed: lines {line} to {last} are one row"
                    )
                elif problem:
                    yield TableRow(line, cells, problem)
                elif self._text.has_escapes and (bad := _guessed(cells)):
                    own = [restored(one) if n in bad else one for n, one in enumerate(cells)]
                    yield TableRow(line, own, guessed=bad)
                else:
                    yield TableRow(line, cells)
        except CsvSyntaxError as error:
            yield TableRow(error.line, [""] * width, error.message)

    def _records(self) -> Iterator[NumberedRecord]:
        """The records, each with its line in the file."""
        with self._text.open() as lines:
            for _ in range(self._lines_above):
                next(lines)
            ordinary = self._quoting.ordinary(lines, self.delimiter)
            for line, cells, inner in numbered_records(ordinary, self.delimiter):
                if cells or not self._ends_twice:
                    yield line + self._lines_above, cells, inner

    def _filled(self) -> Iterator[NumberedCells]:
        try:
            for line, cells, _ in self._records():
                if any(map(str.strip, cells)):
                    yield line, cells
        except CsvSyntaxError:
            return

    def _check_quotes(self) -> None:
        """Read the whole file before a row of it is used.

        Raises:
            CommandError: A quote is not closed; the message has its line.
        """
        try:
            for _ in self._records():
                pass
        except CsvSyntaxError as error:
            raise CommandError(
                f"{self.path}, {error}",
                hint="look for a quote that is not closed, or save the file as CSV again",
            ) from None


def _usual_width(head: Sequence[NumberedCells], first_line: int) -> int:
    """How many cells most rows have, among them what is above the first one: the heading."""
    first = next((n for n, (line, _) in enumerate(head) if line >= first_line), len(head))
    widths = Counter(len(cells) for _, cells in head[max(first - 1, 0) :])
    return max(widths, key=lambda width: (widths[width], -width), default=0)


def _guessed(cells: list[str]) -> frozenset[int]:
    return frozenset(number for number, cell in enumerate(cells) if has_escape(cell))


def find_delimiter(text: str) -> str | None:
    """The delimiter by which the most of the first rows have a link as a cell.

    Of several, the one by which most rows have the same number of cells. None for one column.
    """
    best = max(_delimiter_scores(from_first_target(text)))
    return best.delimiter if best.rows else None


def is_csv(text: str) -> bool:
    """Whether a text is a table: half of its first lines have as many cells as others.

    Where it has links, some of them are cells; a list of links and prose have them otherwise.
    """
    text = from_first_target(text)
    lines = [line for line in islice(text.splitlines(), HEAD_ROWS) if line.strip()]
    if not lines or parse_target(lines[0]) is not None:
        return False
    best = max(_delimiter_scores(text))
    return 2 * best.rows >= len(lines) and (best.links > 0 or not any(map(mentions_target, lines)))


def from_first_target(text: str) -> str:
    """A text without the notes above its table, where there are many: from the heading on."""
    start = end = 0
    for number, line in enumerate(islice(lines_of(text), MOST_HEAD_ROWS)):
        if mentions_target(line):
            return text[start:] if number >= HEAD_ROWS else text
        if line.strip():
            start = end
        end += len(line)
    return text


class _Score(NamedTuple):
    links: int
    """The rows with a link as a cell."""
    share: float
    rows: int
    """The rows with the usual number of cells, and their share of all rows."""
    order: int
    delimiter: str


def _delimiter_scores(text: str) -> Iterator[_Score]:
    for order, delimiter in enumerate(_DELIMITERS):
        records = first_records(text, delimiter, HEAD_ROWS)
        rows = [record for record in records if len(record) > 1]
        usual = max(Counter(map(len, rows)).values(), default=0)
        links = sum(any(map(parse_target, row)) for row in rows)
        yield _Score(links, usual / max(len(records), 1), usual, -order, delimiter)
