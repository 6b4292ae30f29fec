"""Rows as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..console import stdout_errors
from ..text import one_line
from ..values import cell_text, first_nonempty_columns
from .rows import parse_row
from .schema import RowSchema

if TYPE_CHECKING:
    from rich.console import Console


# The columns that are shown if none were requested: the first few that have a value.
_PREFERRED_COLUMNS = (
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


_WIDE_TERMINAL = 100


_NAME_WIDTH = 28


def row_table(
    rows: Sequence[bytes], schema: RowSchema, columns: tuple[str, ...] | None, width: int
) -> Table | None:
    """A table of the requested columns, or of the preferred ones that fit; None if it is empty."""
    count = 5 if width >= _WIDE_TERMINAL else 3
    objects = [schema.normalised(parse_row(row)) for row in rows]
    names = columns or first_nonempty_columns(objects, _PREFERRED_COLUMNS, count)
    names = names or first_nonempty_columns(objects, schema.columns_for(objects), count)
    if not objects or not names:
        return None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in names:
        longest = max(len(one_line(cell_text(schema.value_at(item, name)))) for item in objects)
        min_width = min(longest, _NAME_WIDTH) if name.endswith("name") else None
        table.add_column(escape(heading(name)), min_width=min_width)
    for item in objects:
        table.add_row(*(_cell(name, cell_text(schema.value_at(item, name))) for name in names))
    return table


def _cell(name: str, value: str) -> Text:
    """A text on one line, truncated if necessary. Links are wrapped, so that they can be copied."""
    link = name.rpartition(".")[2].lower() in ("link", "url", "input")
    return Text(one_line(value), no_wrap=not link, overflow="fold" if link else "ellipsis")


def heading(name: str) -> str:
    """The heading of a column: `organisation` for `experience.0.organisation.name`."""
    parts = [part for part in name.split(".") if not part.isdigit() and part != "result"]
    if parts[-1] == "name" and len(parts) > 1:
        parts.pop()
    return parts[-1] if parts else name


def print_table(
    console: Console, rows: Sequence[bytes], schema: RowSchema, columns: tuple[str, ...] | None
) -> None:
    """Print rows as a table."""
    table = row_table(rows, schema, columns, console.width)
    if table is not None:
        with stdout_errors():
            console.print(table)
