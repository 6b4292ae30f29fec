"""`lix waterfall`: a file of links and addresses in, what several providers know of each out."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Annotated, cast

import msgspec
from cyclopts import Parameter
from rich.console import Console

from ...core.errors import (
    BudgetError,
    ConfigurationError,
    DecodeError,
    InvalidParamsError,
    NotFoundError,
    TransportError,
)
from ...core.provider import address
from ...core.retry import RetryPolicy
from ...engine.client import Client
from ...providers.lix.client import AsyncLix
from ...waterfall import Order, Profile, Step, StepResult, Target, Waterfall, installed, steps_of
from .. import console
from ..errors import AUTH, NETWORK, OK, QUOTA, CommandError, Interrupted
from ..input.reader import InputFile, read
from ..options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    ConnectionOptions,
    Format,
    RowOutputOptions,
    chosen_format,
    parsed_columns,
)
from ..output.columns import unknown
from ..output.destination import file_of, writes_to_screen
from ..output.files import AppendFile
from ..output.lookup_file import ExistingOutput, read_existing_output
from ..output.rows import RowEncoder, row_encoder
from ..output.schema import RowSchema
from ..output.table import show
from ..runtime import clients
from ..runtime.activity import ActivityMonitor, MonitoredClock, MonitoredRetryPolicy
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import plural

_HEAD = ("input", "kind", "status")
_FIELDS = tuple(name for name in Profile.__struct_fields__ if name in Profile.fields())
_COLUMNS = (*_HEAD, *_FIELDS, "credits", "sources", "errors")
# What a later run would be told again.
_FINAL = (NotFoundError, DecodeError, InvalidParamsError, ConfigurationError)


def waterfall(
    file: Annotated[
        str, Parameter(help="The file with the links, or - for stdin.", allow_leading_hyphen=True)
    ],
    /,
    *,
    want: Annotated[str, Parameter(help="The fields to fill, parted by commas.")] = "email",
    budget: Annotated[
        int | None, Parameter(help="Credits that may be spent in all; without it no bound.")
    ] = None,
    order: Annotated[
        Order,
        Parameter(
            help="Who is asked first: given (as in --providers), price (the cheapest), or fill "
            "(whoever fills most for a credit, learned on the way)."
        ),
    ] = "given",
    providers: Annotated[
        str | None,
        Parameter(
            help="Whom to ask, parted by commas; by itself everybody whose key is in the "
            "environment, in alphabetical order."
        ),
    ] = None,
    column: Annotated[
        str | None,
        Parameter(help="The column with the links; by itself the one that holds most of them."),
    ] = None,
    concurrency: Annotated[int, Parameter(help="Links under way at once.")] = 4,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Ask several providers for each person in a file, until the wanted fields are filled.

    Takes profile links and e-mail addresses as `lix enrich` does, and writes one row for each:
    `input`, `status` (filled, partial, nothing), the fields, what they cost, and under `sources`
    who gave each of them. A provider is asked when its own key is set: LIX_API_KEY,
    LOOKC_API_KEY, CONNECTSAFELY_API_KEY. Connection options are for Lix; the others keep their
    own pace.

    Run the same command again to go on: what is in the output file already is not asked for
    again. What could not be answered for now gets no row.
    """
    if file == "-" and connection.api_key_stdin:
        raise CommandError("stdin cannot hold both the key and the links")
    wanted = parsed_columns(want) or ()
    if unknown := set(wanted) - set(_FIELDS):
        raise CommandError(
            f"--want does not know {', '.join(sorted(unknown))}",
            hint=f"there are: {', '.join(_FIELDS)}",
        )
    _columns(output)
    inputs = read(file, column, frozenset({"person", "email"}))
    sources = WaterfallClients(connection, providers)

    async def work(session: CommandSession) -> int:
        steps = sources.steps(session.watch)
        falls = Waterfall(steps, want=wanted, order=order, budget=budget, concurrency=concurrency)
        return await _WaterfallRun(inputs, output, session, falls, wanted).to_the_end()

    tally = ProgressCounts("links", total=len(inputs.targets))
    live = not writes_to_screen(output)
    code = run_command(work, connection, tally, quiet=output.quiet, live=live, make=sources.open)
    if not output.quiet:
        for note in sources.notes:
            console.print_note(note)
    return code


def _columns(output: RowOutputOptions) -> tuple[str, ...] | None:
    found = parsed_columns(output.columns)
    for name in found or ():
        if name.partition(".")[0] not in _COLUMNS:
            raise unknown(name, _COLUMNS)
    return found


class _WaterfallRun:
    """One run of the command: where rows go, and what to say at the end."""

    def __init__(
        self,
        inputs: InputFile,
        output: RowOutputOptions,
        session: CommandSession,
        falls: Waterfall,
        wanted: tuple[str, ...],
    ) -> None:
        self._inputs = inputs
        self._output = output
        self._session = session
        self._falls = falls
        self._wanted = wanted
        self._counts: Counter[str] = Counter()
        self._form: Format = chosen_format(output, terminal=sys.stdout.isatty())
        columns = _columns(output) or (_COLUMNS if self._form == "csv" else None)
        self._rows: RowEncoder = row_encoder(self._form, RowSchema(None), columns)
        self._shown: list[bytes] = []
        self._file: AppendFile | None = None
        self._first = True
        self._out_of_credits = False

    async def to_the_end(self) -> int:
        """Look everybody up who has no row yet; the exit code."""
        before = self._open()
        todo = [t for t in self._inputs.targets if t.key not in before.keys]
        skipped = len(self._inputs.targets) - len(todo)
        self._session.tally.items = skipped
        if self._file is not None:
            self._session.go_on = (
                "every row so far is in the file; the same command goes on with the rest:\n"
                f"  {console.command_line()}"
            )
        kinds = {t.text: t.kind for t in todo}
        try:
            async with self._falls.run(self._targets(before)) as results:
                async for result in results:
                    self._deliver(result, kinds[result.target.text])
        finally:
            if self._file is not None:
                self._file.close()
            self._session.progress.stop()
            if self._form == "table" and self._file is None:
                shown = self._rows.columns or ("input", "status", *self._wanted)
                show(Console(), self._shown, RowSchema(None), shown)
        return self._ended(skipped)

    def _targets(self, before: ExistingOutput) -> Iterator[Target]:
        for one in self._inputs.targets:
            if self._session.watch.stopping:
                return
            if one.key not in before.keys:
                by_email = one.kind == "email"
                link = None if by_email else one.sent
                yield Target(text=one.text, linkedin_url=link, email=one.sent if by_email else None)

    def _open(self) -> ExistingOutput:
        path = file_of(self._output)
        if path is None:
            return ExistingOutput(set())
        if not path.exists():
            self._file = AppendFile.create(path)
            return ExistingOutput(set())
        self._file = AppendFile.open(path)
        before = read_existing_output(self._file, self._form)
        if before.columns not in (None, self._rows.columns):
            raise CommandError(f"{path} has other columns", hint="choose another name")
        self._first = not self._file.size
        return before

    def _deliver(self, result: Profile, kind: str) -> None:
        self._session.tally.credits += result.credits
        status = self._status(result)
        if status == "open":
            self._counts[status] += 1
            broke = (isinstance(error, BudgetError) for error in result.errors.values())
            self._out_of_credits |= any(broke)
            return
        row = row_of(result, kind, status, _FIELDS)
        if self._file is not None:
            self._file.append(self._rows.encode([row], first=self._first))
        elif self._form == "table":
            self._shown.append(row)
        else:
            sys.stdout.buffer.write(self._rows.encode([row], first=self._first))
            sys.stdout.buffer.flush()
        self._first = False
        self._counts[status] += 1
        self._session.tally.items += 1

    def _status(self, result: Profile) -> str:
        """`open` where nothing was paid for and a later run may be told more."""
        if result.filled(self._wanted):
            return "filled"
        if any(result.sources[name].endpoint != "input" for name in result.sources):
            return "partial"
        passing = [e for e in result.errors.values() if not isinstance(e, _FINAL)]
        return "open" if passing and not result.credits else "nothing"

    def _ended(self, skipped: int) -> int:
        left = self._counts.pop("open", 0)
        if not self._output.quiet:
            console.print_note(self._summary(skipped))
        if self._session.watch.stopping:
            raise Interrupted
        if not left:
            return OK
        people = f"{left:,} {plural(left, 'link')} got no answer for now"
        if self._out_of_credits:
            raise CommandError(f"the budget is spent: {people}", hint="raise --budget", code=QUOTA)
        raise CommandError(
            people, hint="run the same command again: only those are asked for", code=NETWORK
        )

    def _summary(self, skipped: int) -> str:
        words = [f"{count:,} {status}" for status, count in self._counts.items()]
        path, credits = file_of(self._output), self._session.tally.credits
        if path is not None:
            words = [f"{', '.join(words) or 'nothing new'} in {path}"]
        words.append(f"{credits:,} {plural(credits, 'credit')}")
        words += [
            f"{name}: asked {stat.asked:,}, {stat.filled.total():,} fields"
            for name, stat in self._falls.stats.items()
            if stat.asked
        ]
        if skipped:
            words.append(f"{skipped:,} had their row already")
        if self._inputs.unusable:
            words.append(f"{self._inputs.unusable:,} without a usable link")
        return ", ".join(words)


_LIX = "lix"


class WaterfallClients:
    """Clients, opened and closed together."""

    def __init__(self, connection: ConnectionOptions, named: str | None) -> None:
        self.notes: list[str] = []
        """What to tell of providers that were not asked."""
        self._connection = connection
        self._clients: list[Client] = []
        self._stack = AsyncExitStack()
        self._adapters = installed()
        self._names = parsed_columns(named)
        if unknown := set(self._names or ()) - set(self._adapters):
            raise CommandError(
                f"--providers does not know {', '.join(sorted(unknown))}",
                hint=f"there are: {', '.join(self._adapters)}",
            )

    def open(self, connection: ConnectionOptions, watch: ActivityMonitor) -> AsyncLix:
        """Make the clients. What comes back is opened and closed by a session like a client."""
        for name in self._names or self._adapters:
            adapter = self._adapters[name]
            provider = adapter.CLIENT.provider
            if not self._has_key(name):
                if self._names:
                    raise CommandError(f"no key: set {provider.key_variables[0]}", code=AUTH)
            elif adapter.NO_STEPS_REASON:
                self.notes.append(f"{name} was not asked: {adapter.NO_STEPS_REASON}")
            elif name == _LIX:
                self._clients.append(clients.client(connection, watch))
            else:
                self._clients.append(_client(adapter.CLIENT, watch))
        if not self._clients:
            variables = (a.CLIENT.provider.key_variables[0] for a in self._adapters.values())
            raise CommandError(f"no API key: set one of {', '.join(variables)}", code=AUTH)
        # A session does with its client no more than this.
        return cast("AsyncLix", self)

    def steps(self, watch: ActivityMonitor) -> list[Step]:
        """The steps of all clients; none of them begins once the person asked to stop."""
        return [_stoppable(step, watch) for one in self._clients for step in steps_of(one)]

    def _has_key(self, name: str) -> bool:
        """Only a provider's own variable counts: LookC would take the key of Lix as well."""
        if name == _LIX and self._connection.api_key_stdin:
            return True
        url = clients.base_url(self._connection)
        if name == _LIX and address(url).loopback:
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


def row_of(result: Profile, kind: str, status: str, fields: Sequence[str]) -> bytes:
    """A result as a row of the output; it begins as those of `lix enrich` do."""
    row: dict[str, object] = {"input": result.target.text, "kind": kind, "status": status}
    row |= {name: result.get(name) for name in fields}
    row |= {"credits": result.credits, "sources": result.sources}
    errors = {name: str(error) for name, error in result.errors.items()}
    return msgspec.json.encode(row | {"errors": errors})


def _client(kind: type[Client], watch: ActivityMonitor) -> Client:
    """A client at its provider's own pace whose waiting can be seen and stopped."""
    make = cast("Callable[..., Client]", kind)
    patience = {name: getattr(RetryPolicy(), name) for name in RetryPolicy.__struct_fields__}
    return make(retry=MonitoredRetryPolicy(**patience, watch=watch), clock=MonitoredClock(watch))


def _stoppable(step: Step, watch: ActivityMonitor) -> Step:
    look: Callable[[Target], Awaitable[StepResult]] = step.lookup

    async def unless_stopped(target: Target) -> StepResult:
        # As an error of the step, so that what others were paid for still becomes a row.
        try:
            if not watch.stopping:
                return await look(target)
        except Interrupted:
            pass
        raise TransportError("not asked: the run was stopped", endpoint=step.endpoint)

    return msgspec.structs.replace(step, lookup=unless_stopped)
