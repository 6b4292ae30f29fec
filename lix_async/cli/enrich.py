"""`lix enrich`: a file of links in, a row for each distinct one out."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from . import screen
from .asking import TAKES, row_of
from .delivery import file_of, rows_as, streams
from .enriching import Lookups, Outcome, Report, Straight
from .errors import NETWORK, OK, CommandError
from .files import Appended
from .formats import Rows, show
from .inputs import Inputs, read
from .kept import Kept, kept
from .links import Kind, Target
from .options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    Connection,
    Format,
    RowOutput,
    chosen_format,
    parsed_columns,
)
from .progress import Tally, plural
from .schema import Looked
from .session import Session, run
from .watch import Stopped

_EVERY: frozenset[Kind] = frozenset({"person", "org", "email"})


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
    output: RowOutput = ROW_DEFAULTS,
    connection: Connection = CONNECTION_DEFAULTS,
) -> int:
    """Look up every link in a file, each distinct one once.

    Takes CSV (any delimiter, with or without a heading), JSON lines or plain text, and writes one
    row for each distinct link: `input`, `kind`, `status` (found, not_found, refused, unreadable),
    `error`, and the answer under `result`. Rows are written as answers come.

    Run the same command again to go on: what is in the output file already is not asked for
    again. What could not be answered for now (network, still queued) gets no row, so that a later
    run asks again.
    """
    kinds = _EVERY if as_ is None else TAKES[as_]
    if file == "-" and connection.api_key_stdin:
        raise CommandError("stdin cannot hold both the key and the links")
    inputs = read(file, column, kinds)

    async def work(session: Session) -> int:
        return await _Run(as_, inputs, output, session).to_the_end(Straight(session.lix))

    tally = Tally("links", total=len(inputs.targets), requests_left=len(inputs.targets))
    return run(work, connection, tally, quiet=output.quiet, live=not streams(output))


class _Run:
    """One run of the command: what is open, where outcomes go, and what to say at the end."""

    def __init__(
        self, as_: Kind | None, inputs: Inputs, output: RowOutput, session: Session
    ) -> None:
        self._as: Kind | None = as_
        self._inputs = inputs
        self._output = output
        self._session = session
        self._counts: Counter[str] = Counter()
        asked: set[Kind] = {self._kind(target) for target in inputs.targets}
        self._schema = Looked({kind: row_of(kind).result for kind in asked})
        self._form: Format = chosen_format(output, terminal=sys.stdout.isatty())
        columns = parsed_columns(output.columns)
        if columns is not None:  # a later run knows by these two what is done
            columns = tuple(dict.fromkeys(("input", "status", *columns)))
        self._rows: Rows = rows_as(self._form, self._schema, columns)
        self._shown: list[bytes] = []
        self._file: Appended | None = None
        self._first = True

    def _kind(self, target: Target) -> Kind:
        kind: Kind = "person"
        if self._as is not None:
            kind = self._as
        elif target.kind != "email":
            kind = target.kind
        return kind

    async def to_the_end(self, lookups: Lookups) -> int:
        """Look everything up that has no row yet; the exit code."""
        before = self._open()
        todo = [t for t in self._inputs.targets if t.key not in before.keys]
        tally = self._session.tally
        tally.items = len(self._inputs.targets) - len(todo)
        tally.requests_left = len(todo)
        try:
            report = await lookups.run([(self._kind(t), t) for t in todo], self._deliver)
        finally:
            self._session.progress.stop()
            self._close()
        return self._ended(report, skipped=len(self._inputs.targets) - len(todo))

    def _close(self) -> None:
        if self._file is None:
            if self._form == "table":
                show(Console(), self._shown, self._schema, self._rows.columns)
            return
        self._file.close()
        if not self._file.size:
            self._file.path.unlink(missing_ok=True)
            return
        self._session.go_on = (
            "every row so far is in the file; the same command goes on with the rest:\n"
            f"  {screen.command_line()}"
        )

    def _open(self) -> Kept:
        path = file_of(self._output)
        if path is None:
            return Kept(set())
        if not path.exists():
            self._file = Appended.create(path)
            return Kept(set())
        self._file = Appended.open(path)
        try:
            before = kept(self._file, self._form)
        except CommandError:
            self._file.close()
            raise
        if self._rows.columns is not None and before.columns not in (None, self._rows.columns):
            raise CommandError(f"{path} has other columns", hint="leave --columns out to go on")
        self._rows.columns = before.columns or self._rows.columns
        self._first = not self._file.size
        return before

    def _deliver(self, outcome: Outcome) -> None:
        row = outcome.row()
        if self._file is not None:
            self._file.append(self._rows.encode([row], first=self._first))
        elif self._form == "table":
            self._shown.append(row)
        else:
            sys.stdout.buffer.write(self._rows.encode([row], first=self._first))
            sys.stdout.buffer.flush()
        self._first = False
        self._counts[outcome.status] += 1
        tally = self._session.tally
        tally.items += 1
        tally.credits += outcome.credits
        tally.requests_left = max((tally.requests_left or 0) - 1, 0)

    def _ended(self, report: Report, skipped: int) -> int:
        if report.enough:
            return OK
        if not self._output.quiet:
            screen.note(self._summary(skipped))
        if report.stopped:
            raise Stopped
        if report.trouble is not None:
            raise report.trouble
        if report.open:
            raise CommandError(
                f"{report.open:,} {plural(report.open, 'link')} got no answer for now",
                hint="run the same command again: only those are asked for",
                code=NETWORK,
            )
        return OK

    def _summary(self, skipped: int) -> str:
        words = [f"{count:,} {status.replace('_', ' ')}" for status, count in self._counts.items()]
        path, credits = file_of(self._output), self._session.tally.credits
        if path is not None:
            words = [f"{', '.join(words) or 'nothing new'} in {path}"]
        words.append(f"{credits:,} {plural(credits, 'credit')}")
        if skipped:
            words.append(f"{skipped:,} had their row already")
        if self._inputs.unusable:
            words.append(f"{self._inputs.unusable:,} without a usable link")
        return ", ".join(words)
