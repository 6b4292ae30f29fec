"""`lix run …`: the state of a ledger, its rows, parking, and lookups in doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...bulk.admission import AdmissionController
from ...bulk.prepared_call import CallPreparer
from ...concurrency.clock import RealClock
from ...ledger.ledger import Ledger, open_store
from ...ledger.records import Counts
from ...ledger.rule import STATUSES, Status
from ...ledger.store import Store
from .. import console
from ..errors import OK, CommandError
from ..ledger.address import (
    check_output_conflicts,
    display_address,
    ledger_address,
    opened_read_only,
)
from ..ledger.export import ExportFormat, ExportSchema, export
from ..ledger.in_doubt import (
    buy_again,
    list_doubts,
    list_empty,
    print_reconciliations,
    resolve_doubts,
)
from ..options import (
    CONNECTION_DEFAULTS,
    OUTPUT,
    TABLE_DEFAULTS,
    ConnectionOptions,
    Format,
    ReportFormat,
    TableOptions,
    as_table,
    parse_columns,
)
from ..output.columns import check_columns
from ..output.destination import place_of
from ..output.lookup_rows import ENTRY_STATUSES, RowStatus, row_of_entry
from ..runtime.activity import ActivityMonitor
from ..runtime.clients import base_url, key_for, lix_client
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command, run_until_signal
from ..text import counted, format_until

StoreArgument = Annotated[
    str | None,
    Parameter(
        name="STORE",
        help="The ledger: a file, or postgresql://…. Default: LIX_STORE, else your personal "
        "ledger. Use LIX_STORE for an address with a password: other users can see the arguments "
        "of a process.",
    ),
]
_FLAG = Parameter(negative="", show_default=False)
_FORMAT_BY_SUFFIX: dict[str, ExportFormat | Literal["xlsx"]] = {
    ".xlsx": "xlsx",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_STATUS_TEXT: dict[Status, str] = {
    "done": "answered",
    "kept": "charged, and this version cannot read the answer",
    "refused": "not found, or refused permanently",
    "queued": "being prepared by the provider",
    "pending": "not looked up yet",
    "received": "answered, not read yet",
    "sent": "in flight",
    "in_doubt": "sent, no answer received; may have been charged",
}
_STATUS_NAME: dict[Status, str] = {"kept": "unreadable", "in_doubt": "in doubt"}

run = App(
    name="run",
    help_epilogue="",
    help="""Inspect a ledger, and pause or resume its runs and workers.

    A ledger is the file or the PostgreSQL database that records every bulk lookup. These commands
    can be used while other processes use the ledger. Only `reconcile` asks the provider: for the
    balances.""",
)


@run.command(sort_key=0)
def status(store: StoreArgument = None, /, *, style: ReportFormat = None) -> int:
    """Show the progress of a ledger: lookups by status, credits, and what is queued or in doubt."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            await _print_status(ledger, address, style)
        return OK

    return run_until_signal(work)


async def _print_status(ledger: Store, address: str, style: str | None) -> None:
    counts, parked, soonest = await ledger.counts(), await ledger.parked(), await ledger.next_due()
    if as_table(style):
        _print_table(counts, parked, soonest, address)
        return
    report: dict[str, object] = {"store": display_address(address)}
    report |= {status: counts.of(status) for status in STATUSES}
    report |= {"credits": counts.credits, "maybe": counts.maybe}
    report |= {"due": soonest, "parked": parked or None}
    console.print_line(msgspec.json.encode(report).decode())


def _print_table(counts: Counts, parked: str, soonest: float | None, address: str) -> None:
    console.print_line(display_address(address))
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim")
    for status, meaning in _STATUS_TEXT.items():
        if count := counts.of(status):
            text = meaning
            if status == "queued" and soonest is not None:
                text = _due_text(soonest)
            table.add_row(_STATUS_NAME.get(status, status).capitalize(), f"{count:,}", text)
    if not sum(counts.of(status) for status in STATUSES):
        table.add_row("Lookups", "0", "no lookups yet")
    table.add_row("Credits", f"{counts.credits:,}", _credits_text(counts.maybe))
    terminal = Console()
    terminal.print(table)
    if parked:
        terminal.print(Text.assemble(("parked: ", "bold yellow"), parked))
        console.print_note("hint: `lix run resume` continues it")
    if counts.in_doubt:
        console.print_note("hint: `lix run doubts` lists the lookups in doubt")


def _credits_text(maybe: int) -> str:
    if not maybe:
        return "spent"
    return f"spent; up to {maybe:,} more may have been charged"


def _due_text(moment: float) -> str:
    return f"next one due {format_until(moment) if moment > RealClock.wall() else 'now'}"


@run.command(name="export", sort_key=1)
def export_(
    store: StoreArgument = None,
    /,
    *,
    out: Annotated[
        Path | None,
        Parameter(
            name=("--out", "-o"),
            group=OUTPUT,
            allow_leading_hyphen=True,
            help="Write to this file, readable only by you. Default: stdout.",
        ),
    ] = None,
    form: Annotated[
        ExportFormat | Literal["xlsx"] | None,
        Parameter(
            name="--format",
            group=OUTPUT,
            help="Default: by the file's ending, else jsonl. parquet needs lix_async[parquet], "
            "xlsx lix_async[excel] and --joined.",
        ),
    ] = None,
    joined: Annotated[
        str | None,
        Parameter(
            group=OUTPUT,
            help="Write the rows of this file, each with its own columns, as the latest "
            "`lix enrich` or `lix waterfall` of it does; with the same --column and --sheet.",
        ),
    ] = None,
    prefix: Annotated[
        str, Parameter(group=OUTPUT, help="With --joined: the beginning of all added names.")
    ] = "lix_",
    columns: Annotated[
        str | None,
        Parameter(
            group=OUTPUT,
            help="Only these columns, such as input,status,name,experience.0.title. For a field "
            "that this version does not know: result.NAME.",
        ),
    ] = None,
    only: Annotated[
        str | None,
        Parameter(
            name="--status",
            group=OUTPUT,
            help="Only rows with these statuses, separated by commas: found, not_found, refused, "
            "unreadable, queued, in_doubt, pending.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, Parameter(group=OUTPUT, help="Replace an existing file."), _FLAG
    ] = False,
    quiet: Annotated[
        bool,
        Parameter(
            name=("--quiet", "-q"), group=OUTPUT, help="No summary; errors are still printed."
        ),
        _FLAG,
    ] = False,
    given: TableOptions = TABLE_DEFAULTS,
) -> int:
    """Export a ledger: one row for each lookup, as `lix enrich` writes it.

    A row has `input`, `kind`, `status`, `error`, and the complete answer under `result`. In a CSV,
    values without a column are written as JSON under `other`.

    With --joined FILE, the rows of that file instead, each with what was found for it. No row is
    looked up; those without an answer are `not_asked`.
    """
    address = ledger_address(store)
    path = None if out is None or str(out) == "-" else out
    statuses = _parse_statuses(only)
    suffix = "" if path is None else path.suffix.lower()
    file_format = form or _FORMAT_BY_SUFFIX.get(suffix, "jsonl")
    if file_format in ("parquet", "xlsx") and path is None:
        name = file_format.capitalize() if file_format == "parquet" else file_format
        raise CommandError(f"{name} needs an output file", hint=f"add --out FILE.{file_format}")
    if joined is not None:
        if statuses:
            raise CommandError(
                "--status cannot be combined with --joined",
                hint="all rows of the file are written, each with its status",
            )
        check_output_conflicts(path, address, joined)
        return _export_joined(
            address,
            joined,
            path,
            file_format,
            prefix,
            columns,
            given,
            overwrite=overwrite,
            quiet=quiet,
        )
    if file_format == "xlsx":
        raise CommandError(
            "lookups cannot be written as xlsx",
            hint="use .csv, or --joined FILE for the rows of the file that was looked up",
        )
    check_output_conflicts(path, address)
    names = parse_columns(columns)
    check_columns(names, ExportSchema())

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            await ledger.add_export(place_of(path), "lix run export")
            counts = await export(
                ledger,
                path,
                file_format,
                names,
                (lambda entry: row_of_entry(entry).status in statuses) if statuses else None,
                statuses=_entry_statuses(statuses),
                overwrite=overwrite,
            )
        if not quiet:
            total = counts.total()
            parts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
            location = "" if path is None else f" in {path}"
            console.print_note(f"{counted(total, 'row')}{location}" + (parts and f": {parts}"))
        return OK

    return run_until_signal(work)


def _export_joined(
    address: str,
    file: str,
    path: Path | None,
    file_format: Format,
    prefix: str,
    columns: str | None,
    given: TableOptions,
    *,
    overwrite: bool,
    quiet: bool,
) -> int:
    # Late: the other commands need no client and no tables.
    from .enrich_columns import JoinedOptions
    from .export_joined import export_joined

    options = JoinedOptions(
        out=path,
        format=file_format,
        kinds=(None,),
        prefix=prefix,
        columns=columns,
        limit=None,
        bom=False,
        quiet=quiet,
    )
    lix = lix_client(CONNECTION_DEFAULTS, ActivityMonitor(), key="none")  # it makes no call

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            counts = await export_joined(
                *(ledger, address, lix, file, given, options), overwrite=overwrite
            )
        if not quiet:
            parts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
            location = "" if path is None else f" in {path}"
            console.print_note(f"{counted(counts.total(), 'row')}{location}: {parts}")
        return OK

    return run_until_signal(work)


def _parse_statuses(text: str | None) -> tuple[RowStatus, ...]:
    """The statuses of `--status`; empty for all."""
    if text is None:
        return ()
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or set(names) - set(ENTRY_STATUSES):
        raise CommandError(
            f"invalid --status {text!r}",
            hint=f"expected one or more of {', '.join(ENTRY_STATUSES)}",
        )
    return tuple(name for name in ENTRY_STATUSES if name in names)


def _entry_statuses(statuses: tuple[RowStatus, ...]) -> tuple[Status, ...]:
    return tuple(dict.fromkeys(status for name in statuses for status in ENTRY_STATUSES[name]))


@run.command(sort_key=2)
def park(
    store: StoreArgument = None,
    /,
    *,
    reason: Annotated[
        str, Parameter(help="The reason that `lix run status` shows.")
    ] = "parked by hand",
) -> int:
    """Pause all runs and workers of a ledger, until `lix run resume`.

    Lookups in flight are finished and saved. Runs and workers that start later are paused as well.
    """
    if not reason.strip():
        raise CommandError("--reason is empty", hint="say why, or leave --reason out")
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            await ledger.park(reason.strip())
        console.print_note(f"parked: {display_address(address)}")
        return OK

    return run_until_signal(work)


@run.command(sort_key=3)
def resume(store: StoreArgument = None, /) -> int:
    """Resume the runs and workers of a parked ledger."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            before = await ledger.parked()
            await ledger.park("")
        console.print_note(
            f"resumed: {display_address(address)}" if before else "the ledger was not parked"
        )
        return OK

    return run_until_signal(work)


@run.command(sort_key=4)
def doubts(
    store: StoreArgument = None,
    /,
    *,
    retry: Annotated[
        bool, Parameter(help="Look them up again: they become pending."), _FLAG
    ] = False,
    drop: Annotated[bool, Parameter(help="Give them up: they become refused."), _FLAG] = False,
    given: Annotated[
        str | None,
        Parameter(name="--input", help="Only the lookups of this link or e-mail address."),
    ] = None,
    style: ReportFormat = None,
) -> int:
    """List lookups in doubt, or decide about them. They were interrupted and may have been charged.

    With --retry, the next run over the same links looks them up again, which may charge twice. With
    --drop, they count as refused. Otherwise they are only listed.
    """
    address = ledger_address(store)
    if retry and drop:
        raise CommandError(
            "--retry and --drop cannot be combined",
            hint="--retry looks them up again, --drop counts them as refused",
        )

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            if retry or drop:
                return await resolve_doubts(ledger, given, retry=retry)
            return await list_doubts(ledger, given, table=as_table(style))

    return run_until_signal(work)


@run.command(sort_key=5)
def reconcile(
    store: StoreArgument = None,
    /,
    *,
    style: ReportFormat = None,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Settle lookups in doubt by the account's balances, where these leave one possibility only.

    Runs keep what the account had left. Between two readings, a lookup in doubt was charged or not:
    where the difference is 0, none was, and they become pending; where it is the price of all, all
    were, and they become unreadable. Otherwise they stay in doubt. Where a key is set, the balances
    are read now; no lookup is made.
    """
    address = ledger_address(store)

    async def work(session: CommandSession | None = None) -> int:
        async with opened_read_only(address):
            pass  # it is there, and is a ledger
        async with Ledger(open_store(address)) as ledger:
            if session is not None:
                await AdmissionController(
                    session.lix.engine,
                    ledger.store,
                    balance_endpoints=session.lix.balance_endpoints,
                    account=CallPreparer(session.lix.people.get, "").account,
                ).read_balances()
                session.progress.stop()
            print_reconciliations(await ledger.reconcile(), table=as_table(style))
        return OK

    try:
        key_for(connection, base_url(connection))
    except CommandError:  # without a key: with the readings that there are
        return run_until_signal(work)
    return run_command(work, connection, ProgressCounts(""), quiet=False, live=False)


@run.command(sort_key=6)
def empty(store: StoreArgument = None, /) -> int:
    """List lookups that were charged and whose answer holds nothing, as JSON lines."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            return await list_empty(ledger)

    return run_until_signal(work)


@run.command(sort_key=7)
def again(
    store: StoreArgument = None,
    /,
    *,
    given: Annotated[
        str | None,
        Parameter(name="--input", help="The link or e-mail address of the lookups."),
    ] = None,
    unattested: Annotated[
        bool,
        Parameter(
            help="All that were refused without an error of the provider's own: on three days "
            "only a bare 400, 404 or 422 came, as a proxy sends it, too."
        ),
        _FLAG,
    ] = False,
) -> int:
    """Look up again what was refused, or what was charged and cannot be read.

    The lookups become pending: the next run over the same links makes them, and pays for them.
    `lix enrich` skips links that have a row in its output; give it another --out.
    """
    address = ledger_address(store)
    if (given is None) is not unattested:
        raise CommandError(
            "give either --input LINK or --unattested", hint="--input takes one link"
        )

    async def work() -> int:
        async with opened_read_only(address) as ledger:
            return await buy_again(ledger, given)

    return run_until_signal(work)
