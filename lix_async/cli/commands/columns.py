"""`lix columns`: the columns that a lookup or a search can write."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...providers.lix.models import JobPosting, Post
from .. import console
from ..errors import OK
from ..input.targets import LOOKUPS
from ..options import ReportFormat, as_table
from ..output.answer_columns import described_columns

RowKind = Literal["person", "org", "email", "website", "job", "post"]
_flag = Parameter(negative="", show_default=False)


def columns(
    kind: Annotated[
        RowKind,
        Parameter(help="What the rows are; jobs and posts come from searches only."),
    ],
    /,
    *,
    basic: Annotated[bool, Parameter(help="Only the basic columns."), _flag] = False,
    format_: ReportFormat = None,
) -> int:
    """List the columns that `--columns` takes for lookups and searches.

    The basic ones, which are the default in CSV and workbooks, come first. Others go deeper into
    lists: `experience.1.title` is the title of the second position.
    """
    found = [one for one in described_columns(_type_of(kind)) if one[2] or not basic]
    if not as_table(format_):
        rows = (
            {"column": name, "basic": is_basic, "description": description}
            for name, description, is_basic in found
        )
        console.write_stdout(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        return OK
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("column", no_wrap=True)
    table.add_column("basic")
    table.add_column("description", overflow="fold")
    for name, description, is_basic in found:
        table.add_row(Text(name), "yes" if is_basic else "", Text(description))
    with console.stdout_errors():
        Console().print(table)
    return OK


def _type_of(kind: RowKind) -> type:
    if kind == "job":
        return JobPosting
    return Post if kind == "post" else LOOKUPS[kind].endpoint.result
