"""A table of an input file: its headings, and its rows, read anew by each iteration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

InputFormat = Literal["csv", "jsonl", "xlsx", "parquet", "text"]
NO_LINKS: Mapping[int, str] = MappingProxyType({})
COMPUTED = ""
"""Stands for the link of a formula such as `HYPERLINK("https://…/"&A2, "text")`."""
_NO_COLUMNS: frozenset[int] = frozenset()


class TableRow(NamedTuple):
    """A row of an input file."""

    line: int
    """Where it begins, for people: the first line of a file, or of a sheet, is 1.

    Rows of Parquet and entries of a JSON array count from 1.
    """
    cells: Sequence[object]
    """Its cells as they were read, in the order of the headings; of JSON one cell, the record.

    There are at least as many as headings, and more where the row is longer than the heading.
    """
    problem: str | None = None
    """Why the row cannot be used at all, such as broken JSON."""
    links: Mapping[int, str] = NO_LINKS
    """Links behind the texts of cells, by column."""
    guessed: frozenset[int] = _NO_COLUMNS
    """Columns whose bytes are not in the encoding of the file: their text is a guess."""


class InputTable(ABC):
    """A file as a table."""

    path: str
    """The file as it was named; `stdin` for `-`."""
    format: InputFormat
    names: Sequence[str] = ()
    """The headings as they stand in the file, with duplicates and blanks.

    A file without a heading has `column 1`, `column 2` and so on; JSON has none.
    """
    delimiter: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"
    hint: str = ""
    """What to do where it has no links."""
    notes: Sequence[str] = ()
    """What the user should know of how the file was read."""

    @abstractmethod
    def rows(self) -> Iterator[TableRow]:
        """The rows from the start, each when it is asked for.

        Raises:
            CommandError: The file was changed since it was opened, or it cannot be read.
        """


def column_labels(names: Sequence[str]) -> list[str]:
    """A distinct name for each column: `URL`, `URL (column 3)`, `column 4` for a blank one."""
    labels: list[str] = []
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        label = name.strip() or f"column {number}"
        if label in seen:
            label = f"{label} (column {number})"
        seen.add(label)
        labels.append(label)
    return labels
