"""Rows as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..text import one_line
from ..values import first_nonempty_columns, text
from .rows import tree_of
from .schema import RowSchema

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


def table(
    rows: Sequence[bytes], schema: RowSchema, columns: tuple[str, ...] | None, width: int
) -> Table | None:
    """Rows for the eye: the columns asked for, or as many telling ones as are readable."""
    most = 5 if width >= _WIDE else 3
    trees = [schema.tidy(tree_of(row)) for row in rows]
    names = columns or first_nonempty_columns(trees, _TELLING, most)
    names = names or first_nonempty_columns(trees, schema.opened(trees), most)
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
    console: Console, rows: Sequence[bytes], schema: RowSchema, columns: tuple[str, ...] | None
) -> None:
    """Print rows as a table."""
    found = table(rows, schema, columns, console.width)
    if found is not None:
        console.print(found)
