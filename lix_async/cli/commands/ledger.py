"""`lix ledger …`: what a ledger holds."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from ...ledger import Ledger
from ...ledger.history import SubjectChange
from ...ledger.rule import STATUSES
from .. import console
from ..errors import OK
from ..ledger.address import display_address, ledger_address, opened_read_only
from ..options import parse_age
from ..output.rows import row_encoder
from ..output.schema import RowSchema
from ..output.table import print_table
from ..runtime.session import run_until_signal
from ..text import plural

StoreOption = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="The ledger: a file, or postgresql://…. Default: LIX_STORE. Use that for an address "
        "with a password, because other users can see the arguments of a process.",
    ),
]

ledger = App(
    name="ledger",
    help_epilogue="",
    help="""Look into a ledger, the record of all lookups.

    These commands send nothing to the provider.""",
)


@ledger.command(sort_key=0)
def size(*, store: StoreOption = None) -> int:
    """Show how many lookups and credits a ledger holds."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as opened:
            counts = await opened.counts()
        lookups = sum(counts.of(status) for status in STATUSES)
        credits = f"{counts.credits:,} {plural(counts.credits, 'credit')}"
        console.print_line(
            f"{display_address(address)}: {lookups:,} {plural(lookups, 'lookup')}, {credits}"
        )
        return OK

    return run_until_signal(work)


_COLUMNS = SubjectChange.__struct_fields__
_TABLE = ("name", "kind", "before", "after", "at_after")
_ROWS = 100
"""Changes that are written together."""


@ledger.command(sort_key=1)
def changes(
    subject: Annotated[
        str | None,
        Parameter(help="Only of this person or organisation: a link, an id, or a key."),
    ] = None,
    /,
    *,
    since: Annotated[
        str | None,
        Parameter(help="Only what was bought in this time: 12h, 30d, 2y. Default: all of it."),
    ] = None,
    format_: Annotated[
        Literal["jsonl", "csv", "table"] | None,
        Parameter(name="--format", help="Default: a table on the terminal, else JSONL."),
    ] = None,
    store: StoreOption = None,
) -> int:
    """Show what changed in people and organisations, from each answer to the next.

    A row for each change: `kind` (job_started, job_ended, title_changed, company_changed,
    location_changed, slug_moved, name_changed, else field_changed), `subject`, `name`, `field`,
    `before`, `after`, and when both answers were bought.
    """
    address, age = ledger_address(store), parse_age("--since", since)
    chosen = format_ or ("table" if sys.stdout.isatty() else "jsonl")
    schema = RowSchema(None)
    encoder = row_encoder("jsonl" if chosen == "table" else chosen, schema, _COLUMNS)

    async def work() -> int:
        rows: list[bytes] = []
        first = True
        async with opened_read_only(address) as opened:
            async for change in Ledger(opened).changes(since=age, subject=subject):
                rows.append(msgspec.json.encode(change))
                if chosen != "table" and len(rows) == _ROWS:
                    console.write_stdout(encoder.encode(rows, first=first))
                    first, rows = False, []
        if chosen == "table":
            print_table(Console(), rows, schema, _TABLE)
        elif rows or chosen == "csv":
            console.write_stdout(encoder.encode(rows, first=first))
        return OK

    return run_until_signal(work)
