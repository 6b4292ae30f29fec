"""`lix enrich`: a file of links in, a row for each distinct one out, each bought once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from ...bulk import Preview, preview
from ...bulk.admission import OnDailyLimit
from ...bulk.lookup import QUEUED_FOR
from ...core.rate_limit import RateLimit
from .. import console
from ..errors import OK, CommandError
from ..input.reader import InputFile, read
from ..input.targets import LOOKUPS, LookupKind, TargetCallPreparer
from ..ledger.address import check_output_conflicts, checked_address, on_server
from ..options import CONNECTION_DEFAULTS, ROW_DEFAULTS, ConnectionOptions, RowOutputOptions
from ..output.destination import file_of, writes_to_screen
from ..queue import Queue, reject_ineffective_options, submit, typed
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import format_duration, format_until, plural, rate_text
from .enrich_run import EnrichOptions, EnrichRun

_EVERY: frozenset[LookupKind] = frozenset({"person", "org", "email"})
CONCURRENCY = 16
"""Lookups under way at once, when nobody says."""
_flag = Parameter(negative="", show_default=False)


def enrich(
    file: Annotated[
        str, Parameter(help="The file with the links, or - for stdin.", allow_leading_hyphen=True)
    ],
    /,
    *,
    as_: Annotated[
        Literal["person", "org", "email"] | None,
        Parameter(
            name="--as",
            help="What to look up. By itself: people for profile links and e-mail addresses, "
            "organisations for company links. `email` finds the address of a profile.",
        ),
    ] = None,
    column: Annotated[
        str | None,
        Parameter(help="The column with the links; by itself the one that holds most of them."),
    ] = None,
    store: Annotated[
        str | None,
        Parameter(
            help="The ledger of what was bought: a file (by itself FILE.ledger beside the "
            "input, for all its outputs), or postgresql://… to hand the links to `lix worker`, "
            "which then has the options of asking, as `lix run export` has those of the output."
        ),
    ] = None,
    queue: Annotated[
        Queue | None,
        Parameter(
            help="The queue that workers take from; only with postgresql://…, and by itself "
            "pgqueuer."
        ),
    ] = None,
    dry_run: Annotated[
        bool, Parameter(help="Say what it would cost, and buy nothing."), _flag
    ] = False,
    doubts: Annotated[
        Literal["hold", "retry", "ask"],
        Parameter(
            help="Lookups that were interrupted, so that nobody knows whether they were paid: "
            "leave them, buy them again, or ask."
        ),
    ] = "hold",
    recheck: Annotated[
        int,
        Parameter(
            help="How often to ask again for e-mail addresses that are only probable, an hour "
            "apart; the vendor advises 5 to 10."
        ),
    ] = 0,
    on_daily_limit: Annotated[
        OnDailyLimit,
        Parameter(
            help="When the day's allowance is used up: wait until it is full again, or stop."
        ),
    ] = "wait",
    concurrency: Annotated[
        int, Parameter(help="Lookups under way at once. --rate sets the pace, not this.")
    ] = CONCURRENCY,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Look up every link in a file, each distinct one once.

    Takes CSV (any delimiter, with or without a heading), JSON lines or plain text, and writes one
    row for each distinct link: `input`, `kind`, `status` (found, not_found, refused, unreadable,
    in_doubt), `error`, and the answer under `result`. Rows are written as answers come.

    Run the same command again to go on. Every answer is in the ledger before its row is written:
    nothing is bought twice, also into another file or form. What could not be answered for now
    (network, still queued) gets no row, so that a later run asks again.
    """
    kinds = _EVERY if as_ is None else LOOKUPS[as_].accepts
    if file == "-" and connection.api_key_stdin:
        raise CommandError("stdin cannot hold both the key and the links")
    if concurrency < 1:
        raise CommandError("--concurrency must be at least 1")
    if recheck < 0:
        raise CommandError("--recheck must not be negative")
    address = checked_address(store) if store else ledger_for(file, output)
    to_queue = on_server(address) and not dry_run
    if to_queue:
        reject_ineffective_options(
            {
                "worker": {
                    "--concurrency": concurrency != CONCURRENCY or typed("--concurrency"),
                    "--doubts": doubts != "hold" or typed("--doubts"),
                },
                "nobody": {
                    "--recheck": bool(recheck) or typed("--recheck"),
                    "--on-daily-limit": on_daily_limit != "wait" or typed("--on-daily-limit"),
                },
            },
            output,
            connection,
        )
    elif queue is not None and not on_server(address):
        raise CommandError(
            f"--queue {queue} needs a PostgreSQL, and {address} is a file",
            hint="--store postgresql://USER@HOST/DATABASE hands the links to `lix worker`",
        )
    check_output_conflicts(file_of(output), address, file)
    inputs = read(file, column, kinds)
    if to_queue:
        chosen = queue or "pgqueuer"
        return anyio.run(partial(submit, address, chosen, as_, inputs, quiet=output.quiet))
    wish = EnrichOptions(
        wanted=as_,
        ledger=address,
        doubts=doubts,
        recheck=recheck,
        on_daily_limit=on_daily_limit,
        concurrency=concurrency,
        queued_for=min(QUEUED_FOR, 60.0),  # as a single call waits: a person looks on
    )

    async def work(session: CommandSession) -> int:
        if dry_run:
            return await _estimate(session, wish, inputs)
        return await EnrichRun(wish, inputs, output, session).to_the_end()

    links = len(inputs.targets)
    tally = ProgressCounts("links", total=links, requests_left=links)
    return run_command(
        work, connection, tally, quiet=output.quiet, live=not writes_to_screen(output)
    )


def ledger_for(file: str, output: RowOutputOptions) -> str:
    """Where the ledger is when nobody says: beside the input, so that all its outputs share it."""
    path = Path(file) if file != "-" else file_of(output) or Path("stdin")
    return str(path.with_name(f"{path.name}.ledger"))


async def _estimate(session: CommandSession, wish: EnrichOptions, inputs: InputFile) -> int:
    session.watch.state = "counting"
    caller = TargetCallPreparer(session.lix, wish.wanted)
    told = await preview(wish.ledger, caller, [known.text for known in inputs.targets])
    session.progress.stop()
    show_preview(told, inputs, session.watch.rate)
    if told.shortfall:
        console.print_note("the account has too few credits for all of it")
    return OK


def show_preview(told: Preview, inputs: InputFile, rate: RateLimit | None) -> None:
    """Print it, on stdout."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Links", _links(told, inputs))
    table.add_row(
        "In the ledger", f"{told.answered:,}, which cost nothing" if told.answered else "none"
    )
    if told.in_doubt:
        table.add_row("In doubt", f"{told.in_doubt:,}, held unless --doubts says otherwise")
    table.add_row("To ask", f"{told.calls:,}")
    costs = [f"{n:,} {kind} {plural(n, 'credit')}" for kind, n in told.credits.items()]
    table.add_row("Cost", ", ".join(costs) + " at most" if costs else "nothing")
    if told.balances is not None:
        have = [f"{n:,} {kind}" for kind, n in told.balances.items()]
        table.add_row("Balance", ", ".join(have))
    for kind, lack in told.shortfall.items():
        table.add_row("Missing", f"{lack:,} {kind} {plural(lack, 'credit')}")
    if told.requests_left is not None:
        full = (
            "" if told.refreshes_at is None else f"; full again {format_until(told.refreshes_at)}"
        )
        table.add_row("Today", f"{told.requests_left:,} requests left{full}")
    if told.seconds is not None:
        table.add_row("Time", f"about {format_duration(told.seconds)} at {rate_text(rate)}")
    Console(highlight=False).print(table)


def _links(told: Preview, inputs: InputFile) -> str:
    words = [f"{told.distinct:,} distinct in {inputs.rows:,} {plural(inputs.rows, 'row')}"]
    if inputs.unusable:
        words.append(f"{inputs.unusable:,} rows without a usable link")
    return ", ".join(words)
