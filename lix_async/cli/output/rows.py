"""Rows as bytes of a file, or as a table on the screen.

A row is the JSON object that the provider sent, on one line, unchanged.
"""

from __future__ import annotations

import csv
import io
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .cells import Tree, filled, text
from .errors import one_line
from .schema import OTHER, Schema

if TYPE_CHECKING:
    from rich.console import Console

# What people look for first, in this order; the first few that hold something make the table.
_TELLING = (
    "input",
    "status",
    "name",
    "result.name",
    "result.liOrganisation.name",
    "result.profile.name",
    "result.email",
    "title",
    "headline",
    "description",
    "result.headline",
    "result.description",
    "industry",
    "actor.name",
    "text",
    "companyDetails.name",
    "location",
    "formattedLocation",
    "result.location",
    "experience.0.organisation.name",
    "firstName",
    "lastName",
    "displayValue",
    "companyName",
    "error",
)
_WIDE = 100
_NAME = 28


def tree_of(row: bytes) -> Tree:
    """A row as an object."""
    return msgspec.json.decode(row, type=dict[str, object])


class Rows(Protocol):
    """A form in which rows are written."""

    columns: tuple[str, ...] | None
    """The columns, where there are any and they are settled."""

    def settle(self, rows: Sequence[bytes]) -> None:
        """Settle the columns before the first row is written, where they depend on the rows."""

    @abstractmethod
    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        """Rows as bytes; `first` where nothing stands before them."""


class Jsonl:
    """One object a line: everything that the provider sent, or the columns asked for."""

    def __init__(self, schema: Schema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def settle(self, rows: Sequence[bytes]) -> None:
        pass

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        return b"".join(self._line(row) + b"\n" for row in rows)

    def _line(self, row: bytes) -> bytes:
        if self.columns is None:
            return row
        tree, find = tree_of(row), self._schema.find
        tidy = self._schema.tidy(tree)
        cut = {name: find(tidy, name) for name in self.columns}
        if OTHER in cut:
            cut[OTHER] = self._schema.left(tree, self.columns) or cut[OTHER]
        return msgspec.json.encode(cut)


class Csv:
    """Comma separated, UTF-8, one header line, formulas made harmless."""

    def __init__(self, schema: Schema, columns: tuple[str, ...] | None = None) -> None:
        self._schema = schema
        self.columns = columns

    def settle(self, rows: Sequence[bytes]) -> None:
        if self.columns is None and rows:
            self.columns = self._schema.opened([tree_of(row) for row in rows])

    def encode(self, rows: Sequence[bytes], *, first: bool) -> bytes:
        self.settle(rows)
        columns = self.columns or ()
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        if first:
            writer.writerow(columns)
        writer.writerows(self._schema.cells(tree_of(row), columns) for row in rows)
        return out.getvalue().encode("utf-8", "surrogatepass")


def table(
    rows: Sequence[bytes], schema: Schema, columns: tuple[str, ...] | None, width: int
) -> Table | None:
    """Rows for the eye: the columns asked for, or as many telling ones as are readable."""
    most = 5 if width >= _WIDE else 3
    trees = [schema.tidy(tree_of(row)) for row in rows]
    names = columns or filled(trees, _TELLING, most)
    names = names or filled(trees, schema.opened(trees), most)
    if not trees or not names:
        return None
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in names:
        longest = max(len(one_line(text(schema.find(tree, name)))) for tree in trees)
        least = min(longest, _NAME) if name.endswith("name") else None
        found.add_column(escape(title(name)), min_width=least)
    for tree in trees:
        found.add_row(*(_cell(name, text(schema.find(tree, name))) for name in names))
    return found


def _cell(name: str, value: str) -> Text:
    """A text on one line, cut where it must be; links are never cut, so that they can be copied."""
    link = name.rpartition(".")[2].lower() in ("link", "url", "input")
    return Text(one_line(value), no_wrap=not link, overflow="fold" if link else "ellipsis")


def title(name: str) -> str:
    """A column's heading for the eye: `experience.0.organisation.name` is `organisation`."""
    parts = [part for part in name.split(".") if not part.isdigit() and part != "result"]
    if parts[-1] == "name" and len(parts) > 1:
        parts.pop()
    return parts[-1] if parts else name


def show(
    console: Console, rows: Sequence[bytes], schema: Schema, columns: tuple[str, ...] | None
) -> None:
    """Print rows as a table."""
    found = table(rows, schema, columns, console.width)
    if found is not None:
        console.print(found)


def compact(body: bytes) -> bytes:
    """A JSON text on one line, every number and text as it was."""
    return msgspec.json.format(body, indent=-1)
