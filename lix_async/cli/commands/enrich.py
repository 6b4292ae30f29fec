"""`lix enrich`: a file of links in, a row for each distinct one out, each bought once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from ..bulk import preview
from ..bulk.attempt import QUEUED_FOR
from ..bulk.governor import OnDailyLimit
from . import screen
from .apart import apart
from .asking import TAKES
from .delivery import file_of, streams
from .enriched import Answered, Wish
from .enriching import Targets
from .errors import OK, CommandError
from .estimate import show_preview
from .inputs import Inputs, read
from .kinds import Kind
from .ledger import checked_address, on_server
from .options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    Connection,
    RowOutput,
)
from .progress import Tally
from .queues import Queue
from .session import Session, run
from .submitting import refuse, submit, typed

_EVERY: frozenset[Kind] = frozenset({"person", "org", "email"})
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
    output: RowOutput = ROW_DEFAULTS,
    connection: Connection = CONNECTION_DEFAULTS,
) -> int:
    """Look up every link in a file, each distinct one once.

    Takes CSV (any delimiter, with or without a heading), JSON lines or plain text, and writes one
    row for each distinct link: `input`, `kind`, `status` (found, not_found, refused, unreadable,
    in_doubt), `error`, and the answer under `result`. Rows are written as answers come.

    Run the same command again to go on. Every answer is in the ledger before its row is written:
    nothing is bought twice, also into another file or form. What could not be answered for now
    (network, still queued) gets no row, so that a later run asks again.
    """
    kinds = _EVERY if as_ is None else TAKES[as_]
    if file == "-" and connection.api_key_stdin:
        raise CommandError("stdin cannot hold both the key and the links")
    if concurrency < 1:
        raise CommandError("--concurrency must be at least 1")
    if recheck < 0:
        raise CommandError("--recheck must not be negative")
    address = checked_address(store) if store else ledger_for(file, output)
    to_queue = on_server(address) and not dry_run
    if to_queue:
        refuse(
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
    apart(file_of(output), address, file)
    inputs = read(file, column, kinds)
    if to_queue:
        chosen = queue or "pgqueuer"
        return anyio.run(partial(submit, address, chosen, as_, inputs, quiet=output.quiet))
    wish = Wish(
        wanted=as_,
        ledger=address,
        doubts=doubts,
        recheck=recheck,
        on_daily_limit=on_daily_limit,
        concurrency=concurrency,
        queued_for=min(QUEUED_FOR, 60.0),  # as a single call waits: a person looks on
    )

    async def work(session: Session) -> int:
        if dry_run:
            return await _estimate(session, wish, inputs)
        return await Answered(wish, inputs, output, session).to_the_end()

    links = len(inputs.targets)
    tally = Tally("links", total=links, requests_left=links)
    return run(work, connection, tally, quiet=output.quiet, live=not streams(output))


def ledger_for(file: str, output: RowOutput) -> str:
    """Where the ledger is when nobody says: beside the input, so that all its outputs share it."""
    path = Path(file) if file != "-" else file_of(output) or Path("stdin")
    return str(path.with_name(f"{path.name}.ledger"))


async def _estimate(session: Session, wish: Wish, inputs: Inputs) -> int:
    session.watch.state = "counting"
    caller = Targets(session.lix, wish.wanted)
    told = await preview(wish.ledger, caller, [known.text for known in inputs.targets])
    session.progress.stop()
    show_preview(told, inputs, session.watch.rate)
    if told.lacking:
        screen.note("the account has too few credits for all of it")
    return OK
