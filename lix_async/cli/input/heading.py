"""The heading of a table, below titles and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .targets import parse_target

Record = tuple[int, Sequence[object]]
"""The line of a row and its cells."""
HEAD_ROWS = 50
"""Rows that are searched for the heading."""


class Heading(NamedTuple):
    """The headings of a table, and the line of its first row."""

    names: list[str]
    first_line: int


def find_heading(head: Sequence[Record]) -> Heading:
    """The heading among the first rows that are not blank.

    What stands above it are titles and notes: one cell over rows that have more, or cells of which
    none is above the links. A table whose first row has a link has no heading.
    """
    rows = [(line, [_text(cell) for cell in cells]) for line, cells in head]
    rows = rows[_rows_above_table([cells for _, cells in rows]) :]
    if not rows:
        return Heading([], 1)
    line, first = rows[0]
    width = max(len(cells) for _, cells in rows)
    if any(map(parse_target, first)):
        return Heading([f"column {number}" for number in range(1, width + 1)], line)
    following = rows[1][0] if len(rows) > 1 else line + 1
    return Heading(first + [""] * (width - len(first)), following)


def _rows_above_table(rows: list[list[str]]) -> int:
    start = _single_cells(rows)
    first_link = next(
        (n for n, row in enumerate(rows) if n >= start and any(map(parse_target, row))), None
    )
    if first_link is None or first_link == start:
        return start
    column = next(n for n, cell in enumerate(rows[first_link]) if parse_target(cell))
    named = (n for n in range(start, first_link) if rows[n][column : column + 1] > [""])
    return next(named, start)


def _single_cells(rows: list[list[str]]) -> int:
    """How many of the first rows are one cell, above a row that has more."""
    for number, row in enumerate(rows):
        if not row[0] or len(list(filter(None, row))) > 1 or parse_target(row[0]):
            return number
        below = next((one for one in rows[number + 1 :] if len(list(filter(None, one))) > 1), None)
        # A spreadsheet gives a title as many cells as the table; a heading of one name too.
        if below is None or (len(row) > 1 and any(map(parse_target, below))):
            return number
    return 0


def _text(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)
