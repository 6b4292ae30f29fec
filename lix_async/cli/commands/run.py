"""`lix run …`: what a ledger holds, as numbers and as a file; parking it; deciding its doubts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...bulk.stores.base import CODES, LedgerCounts, Status, Store
from ...concurrency.clock import RealClock
from .. import console
from ..errors import OK, CommandError
from ..ledger.address import address_of, check_output_conflicts, display_address, opened_read_only
from ..ledger.export import ExportSchema, Form, export
from ..ledger.in_doubt import Decision, decide, listed
from ..options import OUTPUT, parsed_columns
from ..output.columns import check_columns
from ..output.lookup_rows import ENTRY_STATUSES, RowStatus, row_of_entry
from ..runtime.session import run_until_signal
from ..text import format_until, plural

Where = Annotated[
    str | None,
    Parameter(
        name="STORE",
        help="The ledger: its file, or postgresql://…; by itself what LIX_STORE names. An address "
        "with a password belongs there: arguments can be seen in the list of processes.",
    ),
]
Style = Annotated[
    Literal["table", "jsonl"] | None,
    Parameter(name="--format", group=OUTPUT, help="Default: a table on a terminal, else jsonl."),
]
_FLAG = Parameter(negative="", show_default=False)
_FORMS: dict[str, Form] = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_WORDS: dict[str, str] = {
    "done": "answers, in the ledger for good",
    "refused": "not found, or refused for good",
    "queued": "the provider prepares them",
    "owed": "still to be asked for",
    "sent": "under way this moment",
    "in_doubt": "sent, and nobody knows whether they were paid",
}

run = App(
    name="run",
    help_epilogue="",
    help="""Look into the ledger of a run or of workers, and steer them.

    A ledger is the file or the PostgreSQL in which bulk lookups keep what they paid for. All of
    this works beside the processes that use it, and sends nothing to the provider.""",
)


@run.command(sort_key=0)
def status(store: Where = None, /, *, style: Style = None) -> int:
    """How far it is: lookups by status, credits, what is queued, parked or in doubt."""
    address = address_of(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            await _status(ledger, address, style)
        return OK

    return run_until_signal(work)


async def _status(ledger: Store, address: str, style: str | None) -> None:
    counts, parked, soonest = await ledger.counts(), await ledger.parked(), await ledger.next_due()
    if _as_table(style):
        _show(counts, parked, soonest, address)
        return
    told: dict[str, object] = {"store": display_address(address)}
    told |= {name: getattr(counts, name) for name in (*CODES, "credits", "lost")}
    told |= {"due": soonest, "parked": parked or None}
    console.print_line(msgspec.json.encode(told).decode())


def _show(counts: LedgerCounts, parked: str, soonest: float | None, address: str) -> None:
    console.print_line(display_address(address))
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim")
    for name, words in _WORDS.items():
        if count := getattr(counts, name):
            if name == "queued" and soonest is not None:
                words = _due(soonest)  # noqa: PLW2901  # says more
            table.add_row(name.replace("_", " ").capitalize(), f"{count:,}", words)
    if not sum(getattr(counts, name) for name in CODES):
        table.add_row("Lookups", "0", "nothing has been asked for yet")
    table.add_row("Credits", f"{counts.credits:,}", _paid(counts.in_doubt + counts.lost))
    terminal = Console()
    terminal.print(table)
    if parked:
        terminal.print(Text.assemble(("parked: ", "bold yellow"), parked))
        console.print_note("hint: `lix run resume` lets them go on")
    if counts.in_doubt:
        console.print_note("hint: `lix run doubts` shows what is in doubt, and decides")


def _paid(doubtful: int) -> str:
    if not doubtful:
        return "paid for all of these"
    return f"paid; perhaps {doubtful:,} {plural(doubtful, 'lookup')} more, whose answers were lost"


def _due(moment: float) -> str:
    return f"the first is due {format_until(moment) if moment > RealClock.wall() else 'now'}"


@run.command(name="export", sort_key=1)
def export_(
    store: Where = None,
    /,
    *,
    out: Annotated[
        Path | None,
        Parameter(
            name=("--out", "-o"),
            group=OUTPUT,
            allow_leading_hyphen=True,
            help="Write to this file, which only you may read; without it to stdout.",
        ),
    ] = None,
    form: Annotated[
        Form | None,
        Parameter(
            name="--format",
            group=OUTPUT,
            help="Default: by the file's ending, else jsonl. parquet needs the extra of that name.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        Parameter(
            group=OUTPUT,
            help="Only these: input,status,name,experience.0.title. What the provider has added "
            "since this version: result.NAME.",
        ),
    ] = None,
    only: Annotated[
        str | None,
        Parameter(
            name="--status",
            group=OUTPUT,
            help="Only rows with these, parted by commas: found, not_found, refused, unreadable, "
            "queued, in_doubt, owed.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, Parameter(group=OUTPUT, help="Replace a file that is there already."), _FLAG
    ] = False,
    quiet: Annotated[
        bool,
        Parameter(
            name=("--quiet", "-q"), group=OUTPUT, help="No closing line; errors are still told."
        ),
        _FLAG,
    ] = False,
) -> int:
    """Write what a ledger holds: a row for each lookup, as `lix enrich` writes it.

    A row has `input`, `kind`, `status`, `error`, and under `result` the whole answer. Nothing is
    left out: in a CSV, what has no column of its own stands as JSON under `other`.
    """
    address = address_of(store)
    path = None if out is None or str(out) == "-" else out
    kept = _statuses(only)
    chosen: Form = form or ("jsonl" if path is None else _FORMS.get(path.suffix.lower(), "jsonl"))
    if chosen == "parquet" and path is None:
        raise CommandError("parquet goes into a file", hint="say --out FILE")
    check_output_conflicts(path, address)
    picked = parsed_columns(columns)
    check_columns(picked, ExportSchema())

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            counts = await export(
                ledger,
                path,
                chosen,
                picked,
                None if kept is None else lambda entry: row_of_entry(entry).status in kept,
                statuses=() if kept is None else _entries(kept),
                overwrite=overwrite,
            )
        if not quiet:
            total = counts.total()
            parts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
            place = "" if path is None else f" in {path}"
            console.print_note(
                f"{total:,} {plural(total, 'row')}{place}" + (parts and f": {parts}")
            )
        return OK

    return run_until_signal(work)


def _statuses(text: str | None) -> list[RowStatus] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or set(names) - set(ENTRY_STATUSES):
        raise CommandError(
            f"invalid --status {text!r}",
            hint=f"expected one or more of {', '.join(ENTRY_STATUSES)}",
        )
    return [name for name in ENTRY_STATUSES if name in names]


def _entries(kept: list[RowStatus]) -> tuple[Status, ...]:
    return tuple(dict.fromkeys(status for name in kept for status in ENTRY_STATUSES[name]))


@run.command(sort_key=2)
def park(
    store: Where = None,
    /,
    *,
    reason: Annotated[str, Parameter(help="What `status` tells others.")] = "parked by hand",
) -> int:
    """Let every run and worker over a ledger stand still, until `lix run resume`.

    What is under way ends and is kept. Who starts later stands still too.
    """
    if not reason.strip():
        raise CommandError("--reason is empty")
    address = address_of(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            await ledger.park(reason.strip())
        console.print_note(f"parked: {display_address(address)}")
        return OK

    return run_until_signal(work)


@run.command(sort_key=3)
def resume(store: Where = None, /) -> int:
    """Let the runs and workers over a parked ledger go on."""
    address = address_of(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            before = await ledger.parked()
            await ledger.park("")
        console.print_note(
            f"going on: {display_address(address)}" if before else "it was not parked"
        )
        return OK

    return run_until_signal(work)


@run.command(sort_key=4)
def doubts(
    store: Where = None,
    /,
    *,
    retry: Annotated[bool, Parameter(help="Buy them again: they are owed."), _FLAG] = False,
    drop: Annotated[bool, Parameter(help="Let them be: they are refused."), _FLAG] = False,
    given: Annotated[
        str | None,
        Parameter(name="--input", help="Only the lookups of this link, in any spelling."),
    ] = None,
    style: Style = None,
) -> int:
    """Lookups that were interrupted: they may have been paid, nobody knows. List or decide them.

    Without --retry or --drop they are only listed. With --retry, the next run over the same
    links asks again, and may pay twice; with --drop they count as refused.
    """
    address = address_of(store)
    if retry and drop:
        raise CommandError("--retry and --drop exclude each other")

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            if retry or drop:
                choice: Decision = "owed" if retry else "refused"
                return await decide(ledger, given, choice)
            return await listed(ledger, given, table=_as_table(style))

    return run_until_signal(work)


def _as_table(style: str | None) -> bool:
    return style == "table" or (style is None and sys.stdout.isatty())
