"""`lix enrich`: look up every link in a file, each once."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from ...bulk import Preview, preview
from ...bulk.admission import OnDailyLimit
from ...engine.lookup import QUEUED_FOR
from ..costs import confirm_run, print_estimate
from ..errors import OK, CommandError
from ..input.lookup_kinds import LookupKind
from ..input.reader import InputFile, read
from ..input.targets import LOOKUPS, TargetCallPreparer
from ..ledger.address import (
    check_output_conflicts,
    default_address,
    given_address,
    is_server,
)
from ..ledger.earlier_ledger import take_in
from ..options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    ConnectionOptions,
    RowOutputOptions,
    parse_age,
)
from ..output.destination import output_path, writes_to_screen
from ..queue import Queue, reject_ineffective_options, submit
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import plural
from .enrich_run import EnrichOptions, EnrichRun

_ALL_KINDS: frozenset[LookupKind] = frozenset({"person", "org", "email"})
CONCURRENCY = 16
"""The default number of lookups at a time."""
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
            help="What to look up. Default: people for profile links and e-mail addresses, "
            "organisations for company links. `email` finds the e-mail address of a profile.",
        ),
    ] = None,
    column: Annotated[
        str | None,
        Parameter(help="The column with the links. Default: the one with the most links."),
    ] = None,
    store: Annotated[
        str | None,
        Parameter(
            help="The ledger, which records every lookup: a file, or none to keep no ledger. "
            "Default: LIX_STORE, else your personal ledger, which all files share; for a sandbox "
            "FILE.ledger. With postgresql://…, the links are only queued for `lix worker`, which "
            "takes the connection options; `lix run export` takes the output options."
        ),
    ] = None,
    queue: Annotated[
        Queue | None,
        Parameter(
            help="The queue from which workers take lookups; only with postgresql://…. "
            "Default: pgqueuer."
        ),
    ] = None,
    dry_run: Annotated[bool, Parameter(help="Show the cost and look up nothing."), _flag] = False,
    doubts: Annotated[
        Literal["hold", "retry", "ask"],
        Parameter(
            help="Lookups in doubt: interrupted, and possibly charged. Leave them, look them up "
            "again, or ask about each."
        ),
    ] = "hold",
    recheck: Annotated[
        int,
        Parameter(
            help="How often to look up e-mail addresses again that are only PROBABLE, an hour "
            "apart; Lix recommends 5 to 10."
        ),
    ] = 0,
    max_age: Annotated[
        str | None,
        Parameter(
            help="Buy answers again that are older than this: 12h, 90d, 2y. They are kept as older "
            "versions; see `lix ledger changes`. Default: nothing is bought again."
        ),
    ] = None,
    refused_age: Annotated[
        str | None,
        Parameter(help="The same for links that were refused or not found."),
    ] = None,
    refresh: Annotated[
        int,
        Parameter(
            help="Spend at most so many credits on buying answers of this file again, where most "
            "has probably changed."
        ),
    ] = 0,
    on_daily_limit: Annotated[
        OnDailyLimit,
        Parameter(help="When the daily allowance is used up: wait until it is renewed, or stop."),
    ] = "wait",
    concurrency: Annotated[
        int, Parameter(help="Lookups in flight at a time. The speed is set by --rate.")
    ] = CONCURRENCY,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Look up every link in a file, each distinct one once.

    Reads CSV (any delimiter, with or without a heading), JSON lines or plain text, and writes one
    row for each distinct link: `input`, `kind`, `status` (found, not_found, refused, unreadable,
    in_doubt), `error`, and the answer under `result`. Rows are written as answers arrive.

    Run the same command again to continue. Every answer is in the ledger before it is written,
    so nothing is paid for twice, even with another output file or format, or with another file
    that has some of the same links. Links that
    could not be answered (network errors, still queued) get no row, so that a later run looks
    them up. With --max-age, --refused-age or --refresh, a row whose answer is bought again takes
    the place of the old one.
    """
    kinds = _ALL_KINDS if as_ is None else LOOKUPS[as_].accepts
    if file == "-" and connection.api_key_stdin:
        raise CommandError(
            "stdin cannot be used for both the key and the links",
            hint="set LIX_API_KEY, or give the links in a file",
        )
    if concurrency < 1:
        raise CommandError("--concurrency must be at least 1", hint="leave it out for 16")
    if recheck < 0:
        raise CommandError("--recheck must not be negative", hint="leave it out for none")
    if refresh < 0:
        raise CommandError("--refresh must not be negative", hint="leave it out for none")
    own_ledger = default_ledger(file, output)
    address = default_address(store, connection)
    keeps_none = not address and bool(given_address(store))
    if keeps_none:
        address = str(Path(tempfile.gettempdir()) / f"lix_async-{os.getpid()}" / "ledger.db")
    address = address or own_ledger
    takes_in = None
    if not given_address(store) and address != own_ledger and Path(own_ledger).exists():
        takes_in = Path(own_ledger)
    to_queue = is_server(address) and not dry_run
    if to_queue:
        reject_ineffective_options()
    elif queue is not None and not is_server(address):
        raise CommandError(
            f"--queue {queue} needs PostgreSQL, but {address} is a file",
            hint="use --store postgresql://USER@HOST/DATABASE to queue the links",
        )
    check_output_conflicts(output_path(output), address, file)
    check_output_conflicts(output_path(output), own_ledger, file)
    inputs = read(file, column, kinds)
    if to_queue:
        chosen_queue = queue or "pgqueuer"
        return anyio.run(partial(submit, address, chosen_queue, as_, inputs, quiet=output.quiet))
    options = EnrichOptions(
        kind=as_,
        ledger=address,
        run_name=_run_name(file, as_, inputs),
        doubts=doubts,
        recheck=recheck,
        max_age=parse_age("--max-age", max_age),
        refused_age=parse_age("--refused-age", refused_age),
        refresh=refresh,
        on_daily_limit=on_daily_limit,
        concurrency=concurrency,
        queued_for=min(QUEUED_FOR, 60.0),  # as a single call waits: a user is watching
    )

    async def work(session: CommandSession) -> int:
        if takes_in is not None:
            await take_in(takes_in, address)
        if dry_run:
            return await _dry_run(session, options, inputs)
        await confirm_run(
            *(session, connection, options.ledger),
            TargetCallPreparer(session.lix, options.kind),
            (target.text for target in inputs.targets),
            max_age=options.max_age,
            refused_age=options.refused_age,
            refresh=options.refresh,
            retry_doubts=options.doubts == "retry",
        )
        if keeps_none:
            return await _run_without_ledger(options, inputs, output, session)
        return await EnrichRun(options, inputs, output, session).run()

    link_count = len(inputs.targets)
    counts = ProgressCounts("links", total=link_count, requests_left=link_count)
    return run_command(
        work, connection, counts, quiet=output.quiet, live=not writes_to_screen(output)
    )


def default_ledger(file: str, output: RowOutputOptions) -> str:
    """The ledger next to the input, so that all outputs of an input share it."""
    path = Path(file) if file != "-" else output_path(output) or Path("stdin")
    return str(path.with_name(f"{path.name}.ledger"))


def _run_name(file: str, kind: LookupKind | None, inputs: InputFile) -> str:
    """The name of the run of a file: another file, or other links in it, are another run.

    Its rows are numbers of links, which must mean the same whenever the run goes on.
    """
    links = "\n".join((kind or "", *(target.key for target in inputs.targets)))
    digest = hashlib.blake2b(links.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{'stdin' if file == '-' else Path(file).resolve()} {digest}"


async def _run_without_ledger(
    options: EnrichOptions, inputs: InputFile, output: RowOutputOptions, session: CommandSession
) -> int:
    """Run with a ledger of its own, which is removed unless something is left to be done."""
    folder = Path(tempfile.mkdtemp(prefix="lix_async-"))
    ledger = folder / "ledger.db"
    try:
        options = replace(options, ledger=str(ledger))
        code = await EnrichRun(options, inputs, output, session).run()
    except BaseException:
        if ledger.exists():
            session.resume_hint = (
                f"what was paid for is kept in {ledger}; to continue, run the same command with "
                f"--store {ledger}"
            )
        raise
    shutil.rmtree(folder)
    return code


async def _dry_run(session: CommandSession, options: EnrichOptions, inputs: InputFile) -> int:
    session.monitor.state = "counting"
    preparer = TargetCallPreparer(session.lix, options.kind)
    estimate = await preview(
        options.ledger,
        preparer,
        [target.text for target in inputs.targets],
        max_age=options.max_age,
        refused_age=options.refused_age,
    )
    session.progress.stop()
    answered = f"{estimate.answered:,}, at no cost" if estimate.answered else "none"
    head = [("Links", _links(estimate, inputs)), ("In the ledger", answered)]
    if estimate.in_doubt:
        held = f"{estimate.in_doubt:,}, not looked up unless --doubts says so"
        head.append(("In doubt", held))
    head.append(("To look up", f"{estimate.calls:,}"))
    print_estimate(head, estimate, session.monitor.rate)
    return OK


def _links(estimate: Preview, inputs: InputFile) -> str:
    words = [f"{estimate.distinct:,} distinct in {inputs.rows:,} {plural(inputs.rows, 'row')}"]
    if inputs.unusable:
        words.append(f"{inputs.unusable:,} without a usable link")
    return ", ".join(words)
