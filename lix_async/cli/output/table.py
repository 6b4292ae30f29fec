"""Rows as a table on the terminal."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ...core.values import JsonObject
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
_PREFERRED_BASIC = (
    *("name", "author", "title", "company", "headline", "text", "industry", "location"),
    *("headquarters", "employees", "size", "posted_at", "email", "email_status", "alternatives"),
)

_WIDE_TERMINAL = 100
_FEW_COLUMNS = 3
_ID = re.compile(r"id|urn|\w*(?:_id|_urn|Id|ID|Urn|[iI]dentifier)")
_LINKS = ("link", "url", "profileUrl", "profile_url", "linkedinUrl", "permalink")

_NAME_WIDTH = 28


def row_table(
    rows: Sequence[bytes],
    schema: RowSchema,
    columns: tuple[str, ...] | None,
    width: int,
    links: Container[str] = (),
) -> Table | None:
    """A table of the requested columns, or of the preferred ones that fit; None if it is empty.

    Args:
        rows: The rows.
        schema: What reads them.
        columns: The requested columns.
        width: The columns of the terminal.
        links: Names of columns that have links, beside those that are called so.
    """
    every = columns or schema.basic
    if every:
        objects = [dict(zip(every, schema.values(row, every), strict=True)) for row in rows]
        names = list(columns or _basic_columns(objects, width))
        values = [[item[name] for name in names] for item in objects]
    else:
        objects = [schema.normalised(parse_row(row)) for row in rows]
        names = default_columns(objects, schema, width)
        values = [[schema.value_at(item, name) for name in names] for item in objects]
    if not objects or not names:
        return None
    texts = [list(map(cell_text, some)) for some in values]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for place, name in enumerate(names):
        longest = max(len(one_line(some[place])) for some in texts)
        min_width = min(longest, _NAME_WIDTH) if name.endswith("name") else None
        table.add_column(escape(heading(name)), min_width=min_width)
    for some in texts:
        table.add_row(
            *(
                _cell(name, text, whole=name in links)
                for name, text in zip(names, some, strict=True)
            )
        )
    return table


def _basic_columns(objects: Sequence[JsonObject], width: int) -> list[str]:
    """The first few basic columns that have a value, and the link to pass to the next command."""
    count = 4 if width >= _WIDE_TERMINAL else 2
    names = first_nonempty_columns(objects, _PREFERRED_BASIC, count)
    return names + first_nonempty_columns(objects, ("link", "sales_nav_link", "urn", "id"), 1)


def default_columns(objects: Sequence[JsonObject], schema: RowSchema, width: int) -> list[str]:
    """The columns of a table for which none were chosen: the id, and a few that have a value.

    With the id, or the link where there is none, a row can be passed to the next command.
    """
    count = 5 if width >= _WIDE_TERMINAL else _FEW_COLUMNS
    every = schema.columns_for(objects)
    names = first_nonempty_columns(objects, _PREFERRED_COLUMNS, count)
    if "input" in names:  # what was looked up identifies the row
        return names
    others = [name for name in every if "." not in name and name not in names]
    ids = sorted((name for name in others if _ID.fullmatch(name)), key=lambda name: len(name) > 3)
    if found := first_nonempty_columns(objects, ids, 1):
        names = found + names
    elif found := first_nonempty_columns(objects, _LINKS, 1):
        names = names[: 3 if width >= _WIDE_TERMINAL else 2] + found
    if len(names) < _FEW_COLUMNS:
        rest = [name for name in every if name not in names and name not in ids]
        names += first_nonempty_columns(objects, rest, _FEW_COLUMNS)
    return names[: count + 1]


def _cell(name: str, value: str, *, whole: bool) -> Text:
    """A text on one line, truncated if necessary. Ids and links are wrapped, not cut."""
    last = name.rpartition(".")[2]
    whole = whole or last in (*_LINKS, "input") or _ID.fullmatch(last) is not None
    return Text(one_line(value), no_wrap=not whole, overflow="fold" if whole else "ellipsis")


def heading(name: str) -> str:
    """The heading of a column: `organisation` for `experience.0.organisation.name`."""
    parts = [part for part in name.split(".") if not part.isdigit() and part != "result"]
    if parts[-1] == "name" and len(parts) > 1:
        parts.pop()
    return parts[-1] if parts else name


def print_table(
    console: Console,
    rows: Sequence[bytes],
    schema: RowSchema,
    columns: tuple[str, ...] | None,
    links: Container[str] = (),
) -> None:
    """Print rows as a table; see `row_table`."""
    table = row_table(rows, schema, columns, console.width, links)
    if table is not None:
        with stdout_errors():
            console.print(table)
