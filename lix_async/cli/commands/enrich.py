"""`lix enrich`: look up every link in a file, each once."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import anyio
from cyclopts import Parameter

from ...bulk import Preview, preview
from ...bulk.admission import OnDailyLimit
from ...engine.lookup import QUEUED_FOR
from .. import console
from ..costs import confirm_run, print_estimate
from ..errors import OK, CommandError
from ..input.lookup_kinds import LookupKind
from ..input.reader import InputFile
from ..input.table import NoRowsError, TableRow, TableTargets, open_table
from ..input.targets import accepted_kinds
from ..ledger.address import (
    check_output_conflicts,
    default_address,
    given_address,
    is_server,
)
from ..ledger.earlier_ledger import take_in
from ..ledger.joined import accepts
from ..options import (
    CONNECTION_DEFAULTS,
    FILLED_DEFAULTS,
    INPUT_DEFAULTS,
    ConnectionOptions,
    FilledOutputOptions,
    InputOptions,
    RowOutputOptions,
    check_file_name,
    choose_format,
    parse_age,
)
from ..output.destination import output_path, writes_to_screen
from ..output.existing_output import existing_mode
from ..queue import Queue, reject_ineffective_options, submit
from ..runtime.clients import lix_client
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import plural
from .enrich_columns import JoinedOptions
from .enrich_inputs import RowCallPreparer, RowInput, count_rows, run_name
from .enrich_joined import JoinedRun, write_empty
from .enrich_run import EnrichOptions, EnrichRun, RunCommand

CONCURRENCY = 16
"""The default number of lookups at a time."""
_flag = Parameter(negative="", show_default=False)


def enrich(
    file: Annotated[
        str,
        Parameter(
            help="The file with the links, or - for stdin.",
            allow_leading_hyphen=True,
            validator=check_file_name,
        ),
    ],
    /,
    *,
    as_: Annotated[
        list[Literal["person", "org", "email", "website"]] | None,
        Parameter(
            name="--as",
            negative="",
            help="What to look up. Default: people for profile links and e-mail addresses, "
            "organisations for company links. `email` finds the e-mail address of a profile, "
            "`website` the organisations of websites such as acme.com or https://www.acme.com. "
            "Give it several times to look up each row as several kinds, except `website`.",
        ),
    ] = None,
    distinct: Annotated[
        bool,
        Parameter(
            help="Write one row for each distinct link instead of the rows of the file: `input`, "
            "`kind`, `status`, `error`, `bought_at` and `result`."
        ),
        _flag,
    ] = False,
    store: Annotated[
        str | None,
        Parameter(
            help="The ledger, which records every lookup: a file, or none to keep no ledger. "
            "Default: LIX_STORE, else your personal ledger, which all files share; for a sandbox "
            "FILE.ledger. With postgresql://…, the links are only queued for `lix worker`, which "
            "takes the connection options, except those on the cost, and does not ask again; "
            "`lix run export` takes the output options."
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
    given: InputOptions = INPUT_DEFAULTS,
    output: FilledOutputOptions = FILLED_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Fill in your own table: every row of the file, with what was found for its link.

    Reads CSV (any delimiter, with or without a heading), Excel workbooks, Parquet, JSON lines or
    plain text, and writes the same rows in the same order, each with its own columns and then
    `lix_status` (found, not_found, refused, unreadable, in_doubt, suppressed, queued, pending,
    invalid, not_asked), `lix_reason`, `lix_bought_at`, and the columns of the answer. `lix columns
    person` lists these. Each distinct link is looked up once.

    CSV and JSON lines grow while answers come, and are in order at the end. Run the same command
    again to continue. Every answer is in the ledger before it is written, so nothing is paid for
    twice, even with another output file or format, or with another file that has some of the same
    links. With --max-age, --refused-age or --refresh, answers are bought again.
    """
    if file == "-" and connection.api_key_stdin:
        raise CommandError(
            "stdin cannot be used for both the key and the links",
            hint="set LIX_API_KEY, or give the links in a file",
        )
    at_least = {"--concurrency": 1, "--recheck": 0, "--refresh": 0, "--limit": 1}
    numbers = (concurrency, recheck, refresh, 1 if given.limit is None else given.limit)
    for (name, least), number in zip(at_least.items(), numbers, strict=True):
        if number < least:
            least_text = f"be at least {least}" if least else "not be negative"
            raise CommandError(f"{name} must {least_text}", hint="leave it out for the default")
    asked: list[LookupKind | None] = [*dict.fromkeys(as_ or ())] or [None]
    _check_websites(asked, handles=given.handles)
    joined = JoinedOptions(
        out=output_path(output),
        format=choose_format(output, sys.stdout.isatty(), parquet=True),
        kinds=tuple(asked),
        prefix=output.prefix,
        columns=output.columns,
        limit=given.limit,
        bom=output.bom,
        quiet=output.quiet,
    )
    distinct = _is_distinct(joined, asked=distinct)
    ledger = _ledger_for(file, store, output, connection)
    to_queue = is_server(ledger.address) and not dry_run
    if to_queue:
        reject_ineffective_options()
    elif queue is not None and not is_server(ledger.address):
        raise CommandError(
            f"--queue {queue} needs PostgreSQL, but {ledger.address} is a file",
            hint="use --store postgresql://USER@HOST/DATABASE to queue the links",
        )
    kinds = accepted_kinds(*asked)
    table = open_table(file, sheet=given.sheet, websites="website" in asked)
    try:
        targets = TableTargets(table, given.column, kinds, handles=given.handles)
    except NoRowsError:
        if file != "-" or distinct or dry_run or to_queue:
            raise
        return anyio.run(write_empty, joined, table)  # such as that of a search without a match
    if not output.quiet:
        print_notes(targets)
    if to_queue:
        if len(asked) > 1:
            raise CommandError("a queue takes one --as", hint="run it once for each")
        links = _distinct_inputs(targets, given.limit).targets
        return run_command(
            lambda session: submit(
                *(session, connection, ledger.address, queue or "pgqueuer", asked[0], links),
                quiet=output.quiet,
            ),
            connection,
            ProgressCounts("links"),
            quiet=True,  # queueing takes a moment
            make_client=partial(lix_client, key="none"),  # it makes no call
        )
    inputs = _distinct_inputs(targets, given.limit) if dry_run or distinct else None
    options = EnrichOptions(
        kind=asked[0],
        ledger=ledger.address,
        run_name=run_name(file, asked, targets, given.sheet or "")
        if inputs is None
        else _run_name(file, asked[0], inputs),
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
        if ledger.takes_in is not None:
            await take_in(ledger.takes_in, ledger.address)
        if dry_run and inputs is not None:
            return await _dry_run(session, options, inputs, asked)

        def make(options: EnrichOptions) -> RunCommand:
            run: RunCommand
            if inputs is not None:
                run = EnrichRun(options, inputs, output, session)
            else:
                run = JoinedRun(options, targets, joined, session)
            run.confirm = partial(
                confirm_run,
                *(session, connection, options.ledger),
                max_age=options.max_age,
                refused_age=options.refused_age,
                refresh=options.refresh,
                recheck=options.recheck,
                retry_doubts=options.doubts == "retry",
            )
            return run

        if ledger.is_temporary:
            return await _run_without_ledger(options, make, session)
        return await make(options).run()

    total = count_rows(file, targets) if inputs is None else len(inputs.targets)
    counts = ProgressCounts("rows" if inputs is None else "links", total=total, requests_left=total)
    return run_command(
        work, connection, counts, quiet=output.quiet, live=not writes_to_screen(output)
    )


def _check_websites(asked: Sequence[LookupKind | None], *, handles: bool) -> None:
    """Check what is asked for beside websites.

    Raises:
        CommandError: It needs another column, which has links.
    """
    if "website" not in asked:
        return
    if len(asked) > 1:
        raise CommandError(
            "--as website stands alone: websites and links are in different columns",
            hint="run it once for each, with different outputs",
        )
    if handles:
        raise CommandError("--handles is for links, and not for --as website", hint="leave it out")


def _is_distinct(joined: JoinedOptions, *, asked: bool) -> bool:
    """Whether one row is written for each link: where that is asked for, or was begun so.

    Raises:
        CommandError: The output cannot be written.
    """
    out, file_format = joined.out, joined.format
    if file_format in ("parquet", "xlsx") and out is None:
        raise CommandError(
            f"{file_format} needs an output file", hint=f"add --out FILE.{file_format}"
        )
    existing = existing_mode(out, file_format)
    if not asked and existing != "distinct":
        return False
    if existing == "joined":
        raise CommandError(
            f"{out} has the rows of a file: it was written without --distinct",
            hint="leave out --distinct, or choose another name",
        )
    if not (asked or joined.quiet):
        console.print_note(f"{out} has one row for each link: continued with --distinct")
    if file_format == "xlsx":
        raise CommandError("--distinct cannot write .xlsx", hint="use .csv, .jsonl or .parquet")
    if len(joined.kinds) > 1:
        raise CommandError("--distinct takes one --as", hint="run it once for each")
    return True


class _LedgerChoice(NamedTuple):
    """The ledger of a command."""

    address: str
    is_temporary: bool
    takes_in: Path | None
    """The ledger of an earlier version that it takes in first."""


def _ledger_for(
    file: str, store: str | None, output: RowOutputOptions, connection: ConnectionOptions
) -> _LedgerChoice:
    own_ledger = default_ledger(file, output)
    address = default_address(store, connection)
    is_temporary = not address and bool(given_address(store))
    if is_temporary:
        address = str(Path(tempfile.gettempdir()) / f"lix_async-{os.getpid()}" / "ledger.db")
    address = address or own_ledger
    takes_in = None
    if not given_address(store) and address != own_ledger and Path(own_ledger).exists():
        takes_in = Path(own_ledger)
    check_output_conflicts(output_path(output), address, file)
    check_output_conflicts(output_path(output), own_ledger, file)
    return _LedgerChoice(address, is_temporary, takes_in)


def _distinct_inputs(targets: TableTargets, limit: int | None) -> InputFile:
    inputs = InputFile(targets)
    if limit is not None:
        del inputs.targets[limit:]
    return inputs


def default_ledger(file: str, output: RowOutputOptions) -> str:
    """The ledger next to the input, so that all outputs of an input share it."""
    path = Path(file)
    if file == "-" or path.is_fifo() or path.is_char_device():  # as of <(command)
        path = output_path(output) or Path("stdin")
    if not path.name:  # a folder, or no name: opening it says so
        return str(path / ".ledger")
    return str(path.with_name(f"{path.name}.ledger"))


def _run_name(file: str, kind: LookupKind | None, inputs: InputFile) -> str:
    """The name of the run of a file: another file, or other links in it, are another run.

    Its rows are numbers of links, which must mean the same whenever the run goes on.
    """
    links = "\n".join((kind or "", *(target.key for target in inputs.targets)))
    digest = hashlib.blake2b(links.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{'stdin' if file == '-' else Path(file).resolve()} {digest}"


def print_notes(targets: TableTargets) -> None:
    """Say how a file was read, where that is not plain."""
    for note in targets.table.notes:
        console.print_note(note)
    others = ", ".join(map(repr, targets.also_has))
    if targets.also_has and targets.has_websites:
        console.print_note(
            f"websites are taken from column {targets.column!r}; there are others in {others}: "
            f"--column {shlex.quote(targets.also_has[0])} takes those"
        )
    elif targets.also_has:
        option = f"--as org --column {shlex.quote(targets.also_has[0])}"
        console.print_note(
            f"links of people are taken from column {targets.column!r}; links of companies "
            f"are also there, in {others}: {option} takes those"
        )


async def _run_without_ledger(
    options: EnrichOptions,
    make: Callable[[EnrichOptions], RunCommand],
    session: CommandSession,
) -> int:
    """Run with a ledger of its own, which is removed unless something is left to be done."""
    folder = Path(tempfile.mkdtemp(prefix="lix_async-"))
    ledger = folder / "ledger.db"
    try:
        code = await make(replace(options, ledger=str(ledger))).run()
    except BaseException:
        spent = session.lix.credits
        if not (spent.total or spent.lost):
            shutil.rmtree(folder, ignore_errors=True)
        elif ledger.exists():
            session.resume_hint = (
                f"what was paid for is kept in {ledger}; to continue, run the same command with "
                f"--store {ledger}"
            )
        raise
    shutil.rmtree(folder)
    return code


async def _dry_run(
    session: CommandSession,
    options: EnrichOptions,
    inputs: InputFile,
    kinds: Sequence[LookupKind | None],
) -> int:
    session.monitor.state = "counting"
    preparer = RowCallPreparer(session.lix, kinds)
    rows = [
        RowInput(0, TableRow(0, ()), target, index)
        for target in inputs.targets
        for index, kind in enumerate(kinds)
        if accepts(kind, target)
    ]
    estimate = await preview(
        options.ledger,
        preparer,
        rows,
        max_age=options.max_age,
        refused_age=options.refused_age,
        recheck=options.recheck,
    )
    session.progress.stop()
    answered = f"{estimate.answered:,}, at no cost" if estimate.answered else "none"
    head = [(f"{inputs.noun.capitalize()}s", _links(estimate, inputs)), ("In the ledger", answered)]
    if estimate.in_doubt:
        held = f"{estimate.in_doubt:,}, not looked up unless --doubts says so"
        head.append(("In doubt", held))
    text = f"{estimate.calls:,}"
    if options.recheck:
        text += ", and again what becomes only PROBABLE"
    head.append(("To look up", text))
    print_estimate(head, estimate, session.monitor.rate)
    return OK


def _links(estimate: Preview, inputs: InputFile) -> str:
    words = [f"{estimate.distinct:,} distinct in {inputs.rows:,} {plural(inputs.rows, 'row')}"]
    if inputs.unusable:
        words.append(f"{inputs.unusable:,} without a usable {inputs.noun}")
    return ", ".join(words)
