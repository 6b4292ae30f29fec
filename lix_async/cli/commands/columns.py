"""`lix columns`: the columns that a kind of lookup can write."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import console
from ..errors import OK
from ..input.targets import LOOKUPS
from ..options import ReportFormat, as_table
from ..output.answer_columns import described_columns

_flag = Parameter(negative="", show_default=False)


def columns(
    kind: Annotated[Literal["person", "org", "email"], Parameter(help="The kind of lookup.")],
    /,
    *,
    basic: Annotated[bool, Parameter(help="Only the basic columns."), _flag] = False,
    format_: ReportFormat = None,
) -> int:
    """List the columns that `lix enrich --columns` takes for a kind of lookup.

    The basic ones, which are the default in CSV and workbooks, come first. Others go deeper into
    lists: `experience.1.title` is the title of the second position.
    """
    found = [
        one for one in described_columns(kind, LOOKUPS[kind].endpoint.result) if one[2] or not basic
    ]
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
