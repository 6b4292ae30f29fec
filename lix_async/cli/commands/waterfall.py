"""`lix waterfall`: look up every link in a file with several providers."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Annotated, Literal, cast

import anyio
import msgspec
from cyclopts import Parameter
from rich.console import Console

from ...core.errors import (
    BudgetError,
    LixError,
    TransportError,
)
from ...core.provider import parse_base_url
from ...engine.client import Client
from ...engine.credits import ClosedBudget
from ...engine.run_inputs import RunInputs
from ...ledger.store import Store
from ...providers.lix.client import AsyncLix
from ...waterfall import Order, Profile, Step, StepResult, Target, Waterfall, installed, steps_of
from ...waterfall.waterfall import LASTING_ERRORS
from .. import console
from ..errors import AUTH, NETWORK, OK, QUOTA, CommandError, Interrupted, refusal_error
from ..input.lookup_kinds import LookupKind
from ..input.reader import InputFile
from ..input.table import NoRowsError, TableTargets, open_table
from ..ledger.address import (
    check_output_conflicts,
    default_address,
    given_address,
    is_server,
)
from ..options import (
    CONNECTION_DEFAULTS,
    FILLED_DEFAULTS,
    INPUT_DEFAULTS,
    ConnectionOptions,
    FilledOutputOptions,
    Format,
    InputOptions,
    RowOutputOptions,
    check_file_name,
    choose_format,
    parse_columns,
)
from ..output.columns import unknown_column_error
from ..output.destination import output_path, writes_to_screen
from ..output.existing_output import existing_mode
from ..output.field_columns import FIELDS
from ..output.files import AppendFile
from ..output.joined_row import AnswerGroup
from ..output.lookup_file import ExistingOutput, read_existing_output
from ..output.rows import RowEncoder, row_encoder
from ..output.schema import RowSchema
from ..output.table import print_table
from ..runtime import clients
from ..runtime.activity import ActivityMonitor, StoppableEngine, monitored
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import counted, nearest
from .enrich import default_ledger, print_notes
from .enrich_inputs import count_rows, run_name
from .enrich_joined import write_headings
from .waterfall_joined import JoinedWaterfall
from .waterfall_rows import (
    FINAL_ERRORS,
    METHOD,
    KnownAnswers,
    WaterfallOptions,
    added_columns,
    asked_words,
)

_HEAD = ("input", "kind", "status")
_COLUMNS = (*_HEAD, *FIELDS, "credits", "sources", "errors")
KINDS: frozenset[LookupKind] = frozenset({"person", "email"})
_flag = Parameter(negative="", show_default=False)


def waterfall(
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
    want: Annotated[str, Parameter(help="The fields to fill, separated by commas.")] = "email",
    budget: Annotated[
        int | None, Parameter(help="Credits to spend at most. Default: no limit.")
    ] = None,
    order: Annotated[
        Order,
        Parameter(
            help="Which provider to ask first: given (the order of --providers), price (the "
            "cheapest), or fill (the most fields per credit so far)."
        ),
    ] = "given",
    providers: Annotated[
        str | None,
        Parameter(
            help="The providers to ask, separated by commas. Default: all whose key is in the "
            "environment, in alphabetical order."
        ),
    ] = None,
    distinct: Annotated[
        bool,
        Parameter(
            help="Write one row for each distinct link instead of the rows of the file: `input`, "
            "`kind`, `status`, the fields, `credits`, `sources` and `errors`."
        ),
        _flag,
    ] = False,
    store: Annotated[
        str | None,
        Parameter(
            help="The ledger, which is asked first and records every lookup: a file, "
            "postgresql://…, or none to keep no ledger. Default: LIX_STORE, else your personal "
            "ledger; for a sandbox FILE.ledger."
        ),
    ] = None,
    dry_run: Annotated[bool, Parameter(help="Show the cost and look up nothing."), _flag] = False,
    doubts: Annotated[
        Literal["hold", "retry"],
        Parameter(
            help="Lookups in doubt: interrupted, and possibly charged. Leave them, or look them up "
            "again."
        ),
    ] = "hold",
    concurrency: Annotated[int, Parameter(help="Links in progress at a time.")] = 4,
    given: InputOptions = INPUT_DEFAULTS,
    output: FilledOutputOptions = FILLED_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Fill in your own table from several providers, one after another, until it has what you want.

    Reads files as `lix enrich` does, and writes the same rows in the same order, each with its own
    columns and then `lix_status` (filled, partial, nothing, in_doubt, suppressed, pending, invalid,
    not_asked), `lix_reason`, `lix_bought_at`, each wanted field with its origin (`lix_email`,
    `lix_email_from`, `lix_email_at`, `lix_email_credits`), and the other fields. A provider is
    asked if its own key is set: LIX_API_KEY, LOOKC_API_KEY, CONNECTSAFELY_API_KEY. Connection
    options apply to Lix; the others keep their own rates.

    Run the same command again to continue. Every answer is in the ledger, so nothing is paid for
    twice, and a provider that was added is asked about the rows that are not filled.
    """
    _check_options(file, given, connection)
    wanted = _wanted_fields(want)
    out = output_path(output)
    file_format, distinct = _format(output, out, distinct=distinct)
    address, temporary = _ledger(file, output, store, connection, dry_run=dry_run)
    check_output_conflicts(out, address, file)
    options = WaterfallOptions(
        out=out,
        format=file_format,
        wanted=wanted,
        prefix=output.prefix,
        columns=output.columns,
        limit=given.limit,
        bom=output.bom,
        quiet=output.quiet,
    )
    table = open_table(file, sheet=given.sheet)
    try:
        targets = TableTargets(table, given.column, KINDS, handles=given.handles)
    except NoRowsError:
        if file != "-" or distinct or dry_run:
            raise
        # Such as that of a search without a match.
        group = AnswerGroup(output.prefix, None, added_columns(options), "")
        write = partial(write_headings, out, file_format, [group], table)
        return anyio.run(partial(write, bom=output.bom, quiet=output.quiet))
    if not output.quiet:
        print_notes(targets)
    limits = [limit for limit in (budget, connection.max_credits) if limit is not None]
    most = min(limits, default=None)
    if budget is not None:  # it stands for a yes, as --max-credits does
        connection = replace(connection, yes=True)
    sources = WaterfallClients(connection, providers, address, doubts=doubts, is_dry=dry_run)
    inputs = InputFile(targets) if distinct else None
    name = run_name(file, ["waterfall"], targets, given.sheet or "")
    options = replace(options, run_name=name, ledger=address, order=order)

    async def work(session: CommandSession) -> int:
        def make(steps: Sequence[Step]) -> Waterfall:
            return Waterfall(steps, want=wanted, order=order, concurrency=concurrency, budget=most)

        buying = make(sources.steps(session.monitor))
        if distinct and inputs is not None and not dry_run:
            run = await sources.store.begin_run(options.run_name, METHOD, "", None)
            numbers = {target.text: number for number, target in enumerate(inputs.targets, start=1)}
            sources.note_inputs(RunInputs(sources.store, run), numbers.__getitem__)
            code = await _WaterfallRun(inputs, output, session, buying, wanted).run()
            await sources.store.end_run(run)
            return code
        known = KnownAnswers(sources.known_steps(), wanted, order)
        noted = replace(options, providers=sources.names)
        joined = JoinedWaterfall(targets, noted, session, buying, known, sources.store)
        joined.on_begin, joined.was_looked_up = sources.note_inputs, sources.was_looked_up
        return await (joined.dry_run() if dry_run else joined.run(connection))

    total = count_rows(file, targets) if inputs is None else len(inputs.targets)
    counts = ProgressCounts("links" if inputs else "rows", total=total)
    live = not writes_to_screen(output)
    try:
        code = run_command(
            work, connection, counts, quiet=output.quiet, live=live, make_client=sources.open
        )
    finally:
        if temporary is not None:
            temporary.cleanup()
    if not output.quiet:
        for note in sources.notes:
            console.print_note(note)
    return code


def _check_options(file: str, given: InputOptions, connection: ConnectionOptions) -> None:
    if file == "-" and connection.api_key_stdin:
        raise CommandError(
            "stdin cannot be used for both the key and the links",
            hint="set LIX_API_KEY, or give the links in a file",
        )
    if given.limit is not None and given.limit < 1:
        raise CommandError("--limit must be at least 1", hint="leave it out for all links")


def _wanted_fields(want: str) -> tuple[str, ...]:
    wanted = parse_columns(want, "--want email,phone") or ()
    if unknown := sorted(set(wanted) - set(FIELDS)):
        near = nearest(unknown[0], FIELDS)
        suggestion = f"did you mean {near}? " if near else ""
        raise CommandError(
            f"unknown field in --want: {', '.join(unknown)}",
            hint=f"{suggestion}available fields: {', '.join(FIELDS)}",
        )
    return wanted


def _format(output: RowOutputOptions, out: Path | None, *, distinct: bool) -> tuple[Format, bool]:
    """The format, and whether there is one row for each link, as an earlier output has."""
    file_format = choose_format(output, terminal=sys.stdout.isatty(), parquet=True)
    if file_format in ("parquet", "xlsx") and out is None:
        raise CommandError(
            f"{file_format} needs an output file", hint=f"add --out FILE.{file_format}"
        )
    if not distinct and existing_mode(out, file_format) == "distinct":
        distinct = True
        if not output.quiet:
            console.print_note(f"{out} has one row for each link: continued with --distinct")
    if distinct:
        if file_format in ("parquet", "xlsx"):
            raise CommandError(
                f"--distinct cannot write {file_format} here", hint="use .csv or .jsonl"
            )
        _chosen_columns(output)
    return file_format, distinct


def _ledger(
    file: str,
    output: RowOutputOptions,
    store: str | None,
    connection: ConnectionOptions,
    *,
    dry_run: bool,
) -> tuple[str, TemporaryDirectory[str] | None]:
    """The ledger of a run, and the folder that it is in where it is not kept."""
    address = default_address(store, connection)
    keeps_none = not address and bool(given_address(store))
    address = address or default_ledger(file, output)
    # A dry run makes no ledger.
    if not keeps_none and not (dry_run and not (is_server(address) or Path(address).exists())):
        return address, None
    folder = TemporaryDirectory(prefix="lix_async-", ignore_cleanup_errors=True)
    return str(Path(folder.name) / "ledger.db"), folder


def _chosen_columns(output: RowOutputOptions) -> tuple[str, ...] | None:
    found = parse_columns(output.columns)
    for name in found or ():
        if name.partition(".")[0] not in _COLUMNS:
            raise unknown_column_error(name, _COLUMNS)
    return found


class _WaterfallRun:
    """One run of the command: its rows and its summary."""

    def __init__(
        self,
        inputs: InputFile,
        output: RowOutputOptions,
        session: CommandSession,
        waterfall: Waterfall,
        wanted: tuple[str, ...],
    ) -> None:
        self._inputs = inputs
        self._output = output
        self._session = session
        self._waterfall = waterfall
        self._wanted = wanted
        self._counts: Counter[str] = Counter()
        self._format: Format = choose_format(output, terminal=sys.stdout.isatty())
        columns = _chosen_columns(output) or (_COLUMNS if self._format == "csv" else None)
        self._rows: RowEncoder = row_encoder(self._format, RowSchema(None), columns)
        self._shown: list[bytes] = []
        self._file: AppendFile | None = None
        self._first = True
        self._out_of_credits = False
        self._refusal: LixError | None = None
        """Why a provider was not asked any more."""

    async def run(self) -> int:
        """Look up the links that have no row yet; returns the exit code."""
        existing = self._open()
        todo = [t for t in self._inputs.targets if t.key not in existing.keys]
        skipped = len(self._inputs.targets) - len(todo)
        self._session.counts.items = skipped
        if self._file is not None:
            self._session.resume_hint = (
                "all rows so far are in the file; run the same command to continue:\n"
                f"  {console.command_line()}"
            )
        kinds = {t.text: t.kind for t in todo}
        try:
            async with self._waterfall.run(self._targets(existing)) as results:
                async for result in results:
                    self._deliver(result, kinds[result.target.text])
        finally:
            if self._file is not None:
                self._file.close()
            self._session.progress.stop()
            if self._format == "table" and self._file is None:
                shown = self._rows.columns or ("input", "status", *self._wanted)
                print_table(Console(), self._shown, RowSchema(None), shown)
        return self._finish(skipped)

    def _targets(self, existing: ExistingOutput) -> Iterator[Target]:
        for target in self._inputs.targets:
            if self._session.monitor.stopping:
                return
            if target.key not in existing.keys:
                by_email = target.kind == "email"
                link = None if by_email else target.sent
                yield Target(
                    text=target.text, linkedin_url=link, email=target.sent if by_email else None
                )

    def _open(self) -> ExistingOutput:
        path = output_path(self._output)
        if path is None:
            return ExistingOutput({})
        if not path.exists():
            self._file = AppendFile.create(path)
            return ExistingOutput({})
        self._file = AppendFile.open(path)
        existing = read_existing_output(self._file, self._format)
        if existing.columns not in (None, self._rows.columns):
            raise CommandError(f"{path} has other columns", hint="choose another name")
        self._first = not self._file.size
        return existing

    def _deliver(self, result: Profile, kind: str) -> None:
        self._session.counts.credits += result.credits
        status = self._status(result)
        if status == "open":
            self._counts[status] += 1
            for error in result.errors.values():
                if isinstance(error, BudgetError):
                    self._out_of_credits = True
                elif isinstance(error, LASTING_ERRORS):
                    self._refusal = error
            return
        row = encode_row(result, kind, status, FIELDS)
        if self._file is not None:
            self._file.append(self._rows.encode([row], first=self._first))
        elif self._format == "table":
            self._shown.append(row)
        else:
            console.write_stdout(self._rows.encode([row], first=self._first))
        self._first = False
        self._counts[status] += 1
        self._session.counts.items += 1

    def _status(self, result: Profile) -> str:
        """The status of a result; `open` if nothing was paid and a later run may get more."""
        if result.filled(self._wanted):
            return "filled"
        if any(result.sources[name].endpoint != "input" for name in result.sources):
            return "partial"
        passing = [e for e in result.errors.values() if not isinstance(e, FINAL_ERRORS)]
        return "open" if passing and not result.credits else "nothing"

    def _finish(self, skipped: int) -> int:
        left = self._counts.pop("open", 0)
        if not self._output.quiet:
            console.print_note(self._summary(skipped))
        if self._session.monitor.stopping:
            raise Interrupted
        if not left:
            return OK
        people = f"{counted(left, 'link')} got no answer for now"
        if self._out_of_credits:
            raise CommandError(f"the budget is spent: {people}", hint="raise --budget", code=QUOTA)
        if self._refusal is not None:
            raise refusal_error(self._refusal, people)
        raise CommandError(
            people, hint="run the same command again; only those are looked up", code=NETWORK
        )

    def _summary(self, skipped: int) -> str:
        parts = [f"{count:,} {status}" for status, count in self._counts.items()]
        path, credits = output_path(self._output), self._session.counts.credits
        if path is not None:
            parts = [f"{', '.join(parts) or 'nothing new'} in {path}"]
        parts.append(f"{counted(credits, 'credit')}")
        parts += asked_words(self._waterfall.stats)
        if skipped:
            parts.append(f"{skipped:,} skipped (already in the output)")
        if self._inputs.unusable:
            parts.append(f"{self._inputs.unusable:,} without a usable link")
        return ", ".join(parts)


_LIX = "lix"
_NO_KEY = "none"
"""The key of clients that send nothing."""


class WaterfallClients:
    """The clients of several providers, opened and closed together."""

    def __init__(
        self,
        connection: ConnectionOptions,
        named: str | None,
        ledger: str = "",
        *,
        doubts: Literal["hold", "retry"] = "hold",
        is_dry: bool = False,
    ) -> None:
        self._ledger = ledger
        self._doubts: Literal["hold", "retry"] = doubts
        self._is_dry = is_dry
        self._inputs: RunInputs | None = None
        self._position_of: Callable[[str], int] = int
        self._looked_up: set[str] = set()
        self.notes: list[str] = []
        """Messages about providers that are not asked."""
        self._connection = connection
        self._clients: list[Client] = []
        self.names: tuple[str, ...] = ()
        """The names of the providers that are asked."""
        self._stack = AsyncExitStack()
        self._adapters = installed()
        self._names = parse_columns(named)
        if unknown_names := set(self._names or ()) - set(self._adapters):
            raise CommandError(
                f"unknown provider in --providers: {', '.join(sorted(unknown_names))}",
                hint=f"available providers: {', '.join(self._adapters)}",
            )

    def open(self, connection: ConnectionOptions, monitor: ActivityMonitor) -> AsyncLix:
        """Make the clients.

        Returns:
            This object, which a session opens and closes like a client.

        Raises:
            CommandError: The key of a provider is missing.
        """
        names = self._names or tuple(self._adapters)
        without_key = {name for name in names if not self._has_key(name)}
        # A dry run sends nothing, so it counts for providers without a key, too: those that are
        # named, and all where there is no key at all.
        counted = without_key if self._is_dry and (self._names or {*names} == without_key) else ()
        for name in names:
            adapter = self._adapters[name]
            provider = adapter.CLIENT.provider
            if name in without_key and name not in counted:
                if self._names:
                    raise CommandError(
                        f"no API key: set {provider.key_variables[0]}",
                        hint=f"or leave {name} out of --providers",
                        code=AUTH,
                    )
            elif adapter.NO_STEPS_REASON:
                self.notes.append(f"{name} was not asked: {adapter.NO_STEPS_REASON}")
            else:
                key = _NO_KEY if name in counted else None
                self._clients.append(self._client(name, connection, monitor, key))
                self.names += (name,)
                if key is not None:
                    variable = provider.key_variables[0]
                    self.notes.append(
                        f"{name} is counted although {variable} is not set, which a run needs"
                    )
        if not self._clients:
            variables = (a.CLIENT.provider.key_variables[0] for a in self._adapters.values())
            raise CommandError(
                f"no API key: set one of {', '.join(variables)}",
                hint="`lix sandbox` needs no key",
                code=AUTH,
            )
        # A session only opens and closes its client.
        return cast("AsyncLix", self)

    def _client(
        self, name: str, connection: ConnectionOptions, monitor: ActivityMonitor, key: str | None
    ) -> Client:
        if name == _LIX:
            return clients.lix_client(
                connection, monitor, key=key, ledger=self._ledger, doubts=self._doubts
            )
        # With its provider's own rate; its waits can be monitored and stopped, too.
        make = cast("Callable[..., Client]", self._adapters[name].CLIENT)
        options = {"retry": clients.RETRY_POLICY, "clock": monitor.clock, "doubts": self._doubts}
        return monitored(make(key, cache=self._ledger or None, **options), monitor)

    def note_inputs(self, inputs: RunInputs, position_of: Callable[[str], int] = int) -> None:
        """Let a run pay for what is bought from now on.

        Args:
            inputs: The inputs of the run.
            position_of: The place of an input, by the text of its target.
        """
        self._inputs, self._position_of = inputs, position_of

    def steps(self, monitor: ActivityMonitor) -> list[Step]:
        """The steps of all clients; none of them starts once the run is being stopped."""
        return [self._step(step, monitor) for one in self._clients for step in steps_of(one)]

    def _step(self, step: Step, monitor: ActivityMonitor) -> Step:
        async def ask(target: Target) -> StepResult:
            # An error of the step, so that answers already paid for still become a row.
            try:
                if not monitor.stopping:
                    found = await self._ask(step, target)
                    if not found.known:
                        self._looked_up.add(target.text)
                    return found
            except Interrupted:
                pass
            raise TransportError("not sent: the run was stopped", endpoint=step.endpoint)

        return msgspec.structs.replace(step, lookup=ask)

    def was_looked_up(self, text: str) -> bool:
        """Whether a provider has answered about a target, by its text; true once for each."""
        was = text in self._looked_up
        self._looked_up.discard(text)
        return was

    async def _ask(self, step: Step, target: Target) -> StepResult:
        if self._inputs is None:
            return await step.ask(target)
        with self._inputs.calls_for(self._position_of(target.text)):
            return await step.ask(target)

    def known_steps(self) -> list[Step]:
        """The steps of all clients, answered by the ledger only: nothing is sent.

        They go on when the run is stopped, whose rows are written then.
        """
        closed = ClosedBudget()
        engines = (
            one.engine.unstoppable if isinstance(one.engine, StoppableEngine) else one.engine
            for one in self._clients
        )
        views = (
            one.with_engine(engine.with_budget(closed), cached=True)
            for one, engine in zip(self._clients, engines, strict=True)
        )
        return [step for view in views for step in steps_of(view)]

    @property
    def store(self) -> Store:
        """The ledger, which is open while the clients are."""
        return self._clients[0].cache.store

    def _has_key(self, name: str) -> bool:
        """Whether a provider's own key is set. LookC would accept the key of Lix as well."""
        if name == _LIX and self._connection.api_key_stdin:
            return True
        url = clients.base_url(self._connection)
        if name == _LIX and parse_base_url(url).loopback:
            return True
        variables = self._adapters[name].CLIENT.provider.key_variables
        return bool(os.environ.get(variables[0], "").strip())

    async def __aenter__(self) -> WaterfallClients:
        for client in self._clients:
            await self._stack.enter_async_context(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def encode_row(result: Profile, kind: str, status: str, fields: Sequence[str]) -> bytes:
    """A result as a row; it starts with the same fields as the rows of `lix enrich`."""
    row: dict[str, object] = {"input": result.target.text, "kind": kind, "status": status}
    row |= {name: result.get(name) for name in fields}
    row |= {"credits": result.credits, "sources": result.sources}
    errors = {name: str(error) for name, error in result.errors.items()}
    return msgspec.json.encode(row | {"errors": errors})
