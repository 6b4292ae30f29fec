"""The heading of a table, below titles and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from .targets import parse_target, parse_website

NumberedCells = tuple[int, Sequence[object]]
"""The line of a row and its cells."""
HEAD_ROWS = 50
"""Rows that are searched for the heading: the first ones, and those after the first link."""
MOST_HEAD_ROWS = 1000
"""Rows that are searched for the first link."""

_DOTTED_HEADING = re.compile(r"[\w.-]+\.(?:web ?site|domain|url|home ?page)", re.IGNORECASE)
"""The name of a column that is the path of a field, and looks like a domain."""


class Heading(NamedTuple):
    """The headings of a table, and the line of its first row."""

    names: list[str]
    first_line: int


def head_of(rows: Iterator[NumberedCells]) -> tuple[list[NumberedCells], str]:
    """The first rows, by which the heading is found, and what to do where none of them has a link.

    Args:
        rows: The rows that are not blank.
    """
    head = list(islice(rows, HEAD_ROWS))
    if len(head) < HEAD_ROWS or any(map(_has_link, head)):
        return head, ""
    more: list[NumberedCells] = []
    for row in islice(rows, MOST_HEAD_ROWS - HEAD_ROWS):
        more.append(row)
        if _has_link(row):
            return [*head, *more, *islice(rows, HEAD_ROWS)], ""
    if next(rows, None) is None:
        return head, ""
    return head, (
        f"a link is expected in the first {MOST_HEAD_ROWS:,} rows: delete the lines above the table"
    )


def _has_link(row: NumberedCells) -> bool:
    return any(parse_target(_text(cell)) for cell in row[1])


def find_heading(head: Sequence[NumberedCells], *, websites: bool = False) -> Heading:
    """The heading among the first rows that are not blank.

    What stands above it are titles and notes: one cell over rows that have more, or cells of which
    none is above the links. A table whose first row has a link has no heading.

    Args:
        head: The first rows that are not blank.
        websites: Whether a website counts as a link, where there are others below it.
    """
    rows = head[_rows_above_table([[_text(cell).strip() for cell in row] for _, row in head]) :]
    if not rows:
        return Heading([], 1)
    line, first = rows[0][0], [_text(cell) for cell in rows[0][1]]
    width = max(len(cells) for _, cells in rows)
    if any(map(parse_target, first)) or (websites and _begins_with_website(rows)):
        return Heading([f"column {number}" for number in range(1, width + 1)], line)
    following = rows[1][0] if len(rows) > 1 else line + 1
    return Heading(first + [""] * (width - len(first)), following)


def _begins_with_website(rows: Sequence[NumberedCells]) -> bool:
    """Whether the first row has a website above others: `company.domain` may be a heading."""
    below = [cells for _, cells in rows[1:]]
    for column, cell in enumerate(rows[0][1]):
        text = _text(cell)
        if parse_website(text) is None or _DOTTED_HEADING.fullmatch(text.strip()):
            continue
        others = (_text(cells[column]) for cells in below if column < len(cells))
        if not below or any(map(parse_website, others)):
            return True
    return False


def _rows_above_table(rows: list[list[str]]) -> int:
    start = _single_cells(rows)
    first_link = next(
        (n for n, row in enumerate(rows) if n >= start and any(map(parse_target, row))), None
    )
    if first_link is None or first_link == start:
        return start
    column = next(n for n, cell in enumerate(rows[first_link]) if parse_target(cell))
    for number in range(start, first_link):
        if any(rows[number][column : column + 1]):
            titles = rows[start:number]
            cells = _filled(rows[number])
            return number if all(2 * _filled(row) <= cells for row in titles) else start
    return start


def _single_cells(rows: list[list[str]]) -> int:
    """How many of the first rows are one cell, above a row that has more."""
    for number, row in enumerate(rows):
        if row[0] and parse_target(row[0]):  # a list: its heading is the last text above it
            above = [n for n in range(number) if "://" not in rows[n][0]]
            return number if not above or _filled(row) > 1 else above[-1]
        if not row[0] or _filled(row) > 1:
            return number
        below = next((one for one in rows[number + 1 :] if _filled(one) > 1), None)
        # A spreadsheet gives a title as many cells as the table; a heading of one name too.
        if below is None or (len(row) > 1 and any(map(parse_target, below))):
            return number
    return 0


def _filled(row: list[str]) -> int:
    return sum(map(bool, row))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
