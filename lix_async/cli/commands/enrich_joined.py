"""`lix enrich` into the user's own table: every row of the input, with what was found beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import cast

import anyio
import anyio.to_thread

from ...bulk import Outcome, Run
from ...core.errors import LixError
from ...ledger.records import Export
from ...ledger.store import Entry
from .. import console
from ..errors import NETWORK, OK, CommandError, Interrupted, command_error_for
from ..input.source import STDIN
from ..input.table import InputTable, TableRow, TableTargets
from ..input.target_calls import TargetCallPreparer
from ..ledger.address import ledger_argument
from ..ledger.joined import Joiner, accepts, answer_of_outcome
from ..options import Format
from ..output.destination import place_of
from ..output.existing_output import existing_names
from ..output.joined_file import JoinedOutput
from ..output.joined_row import AnswerGroup, JoinedAnswer, JoinedRow, JoinedTable, OwnColumns
from ..output.lost_rows import count_lost_rows
from ..runtime.session import CommandSession
from ..text import counted, plural
from .enrich_columns import ColumnPlan, JoinedOptions, check_origin
from .enrich_inputs import MOST_HELD, RowCallPreparer, RowInput, RowInputs
from .enrich_run import EnrichOptions, RunCommand

LONG = 50_000
"""Rows that take more than a moment to write."""


class JoinedRun(RunCommand):
    """Looks up the rows that have no answer yet, and writes them beside their own cells."""

    def __init__(
        self,
        options: EnrichOptions,
        targets: TableTargets,
        joined: JoinedOptions,
        session: CommandSession,
    ) -> None:
        super().__init__(options, session, quiet=joined.quiet)
        self._targets = targets
        self._joined = joined
        self._preparer = RowCallPreparer(session.lix, joined.kinds)
        self._preparers = self._preparer.by_kind.copy()
        self._own = OwnColumns(targets.table)
        self._existing = existing_names(joined.out, joined.format, targets)
        self._groups: list[AnswerGroup] = []
        self._asked: list[AnswerGroup] = []
        self._output: JoinedOutput
        again = options.buys_again or options.recheck > 0
        self._inputs = RowInputs(
            targets, self._preparer, joined.limit, skips_known=not again, origins=self._origins
        )
        self._inputs.on_row = self._add_unusable
        self._inputs.on_answer = self._add_answer
        self._inputs.on_known = self._count_known
        self._inputs.check_stopped = self._check_stopped
        self._partial: dict[int, list[JoinedAnswer | None]] = {}
        self._early: list[tuple[int, JoinedRow]] | None = []
        """Rows that need no lookup, until the output is open."""
        self._live = True
        self._answered = 0
        self._statuses: list[Counter[str]] = []
        self._run: Run[object] | None = None
        if self._existing is None:
            self._make_table(())  # an error before anything is opened

    @property
    def _place(self) -> Path | None:
        return self._joined.out

    def _make_table(self, exports: Sequence[Export]) -> None:
        """Decide about the columns."""
        joined, run_name = self._joined, self._options.run_name
        plan = ColumnPlan(joined, run_name, self._targets, self._existing or (), exports)
        self._groups, self._asked = plan.groups, plan.asked
        for group in self._groups:
            if group.kind not in self._preparers:
                kind = group.kind
                self._preparers[kind] = TargetCallPreparer(self._session.lix, kind)
        self._table = JoinedTable(self._own, self._groups)
        self._table.check_names(as_json=joined.format in ("jsonl", "parquet"))

    async def run(self) -> int:
        """Look up the rows.

        Returns:
            The exit code.

        Raises:
            CommandError: The run failed, or some rows have no answer.
            Interrupted: The user stopped the run.
        """
        start = self._session.monitor.clock.wall()
        abandoned = True
        opened = False
        try:
            async with self._store:
                try:
                    exports = await self._exports()
                    await self._check_origin(exports)
                    self._make_table(exports)
                    await self._inputs.begin(self._store, await self._begun_run())
                    if self.confirm is not None:
                        async with aclosing(self._inputs.unanswered()) as unanswered:
                            await self.confirm(self._preparer, unanswered)
                    self._open_output()
                    opened = True
                    self._run = run = self._new_run(
                        self._preparer, self._inputs, self._inputs.numbers(), await self._doubts()
                    )
                    self._session.counts.refresh = lambda: self._update_counts(run)
                    await self._process(run)
                    abandoned = False
                finally:
                    self._session.counts.refresh = None
                    self._session.progress.stop()
                    if opened:
                        with anyio.CancelScope(shield=True):
                            await self._end(abandoned=abandoned and self._run is not None)
        except anyio.get_cancelled_exc_class():
            if self._run is not None and not self._quiet:
                with anyio.CancelScope(shield=True):
                    doubts = await self._count_abandoned(self._run, start)
                    self._print_summary(self._run, doubts)
            raise
        except LixError as error:
            self._error = self._error or command_error_for(error)
        return self._finish()

    async def _begun_run(self) -> int:
        """The ledger's number of the run, which has notes of known answers before it buys any."""
        caller = self._preparer
        name = self._options.run_name
        return await self._store.begin_run(name, caller.method, caller.account, None)

    async def _exports(self) -> list[Export]:
        if self._existing is None:
            return []
        return await self._store.statement(lambda tables: tables.exports(), writes=False)

    async def _check_origin(self, exports: Sequence[Export]) -> None:
        if self._existing is None:
            return
        out = self._joined.out
        check_origin(exports, out, self._options.run_name)
        if out is None or self._targets.table.path != STDIN:
            return
        count = await anyio.to_thread.run_sync(
            count_lost_rows, out, self._joined.format, self._existing, self._own
        )
        if count:
            are = "is" if count == 1 else "are"
            raise CommandError(
                f"{out} has {counted(count, 'row')} that {are} not among those of stdin, and would "
                "be lost",
                hint="choose another name; what the ledger has costs nothing there",
            )

    def _open_output(self) -> None:
        joined = self._joined
        self._output = JoinedOutput(joined.out, joined.format, self._table, bom=joined.bom)
        self._output.open(self._existing)
        again = self._options.buys_again and self._output.continues
        self._live = self._groups == self._asked and not again
        early, self._early = self._early, None
        for position, row in early or ():
            self._write(position, row)

    async def _process(self, run: Run[object]) -> None:
        try:
            async with run:
                place = place_of(self._joined.out)
                what = self._joined.export_text(self._options.run_name, self._targets.column)
                await self._store.add_export(place, what)
                async for outcome in run:
                    self._add(outcome)
        except Interrupted:
            self._stopped = True
        except LixError as error:
            for unsaved in getattr(error, "unsaved", ()):
                self._add(cast("Outcome[object]", unsaved))
            self._error = self._error or command_error_for(error)

    def _add(self, outcome: Outcome[object]) -> None:
        one = cast("RowInput", outcome.input)
        answer = answer_of_outcome(self._asked[one.kind_index], one.row, one.target, outcome)
        if answer is None:
            return
        self._answered += 1
        self._count_origin(outcome)
        if answer.status == "in_doubt":
            self._reported_doubts.add(outcome.key)
            return
        new = outcome.attempts > 0 or not outcome.cached
        self._add_answer(one, answer, new=new)

    def _count_known(self, number: int) -> None:
        self._session.counts.items += number

    def _check_stopped(self) -> None:
        if self._session.monitor.stopping:
            raise Interrupted

    def _add_unusable(self, position: int, row: TableRow, answer: JoinedAnswer) -> None:
        self._add_row(position, row, [answer] * len(self._asked))

    def _add_answer(self, one: RowInput, answer: JoinedAnswer, *, new: bool = False) -> None:
        position = one.position
        answers: list[JoinedAnswer | None]
        if len(self._asked) == 1:
            answers = [answer]
        else:
            answers = self._partial.setdefault(position, [None] * len(self._asked))
            answers[one.kind_index] = answer
            if None in answers:
                return
            del self._partial[position]
        self._add_row(position, one.row, cast("list[JoinedAnswer]", answers), new=new)

    def _add_row(
        self, position: int, row: TableRow, answers: Sequence[JoinedAnswer], *, new: bool = False
    ) -> None:
        self._session.counts.items += 1
        if self._early is None:
            self._write(position, JoinedRow(row, answers), new=new)
        elif len(self._early) < MOST_HELD:  # the others are written at the end
            self._early.append((position, JoinedRow(row, answers)))

    def _write(self, position: int, row: JoinedRow, *, new: bool = False) -> None:
        if not self._live or (self._output.continues and not new) or self._error is not None:
            return
        try:
            self._output.add(position, row, flush=new)
        except CommandError as error:  # such as a full disk: later rows could not be written
            self._error = error
            self._park()
        except BrokenPipeError:
            self._pipe_closed = True
            self._live = False
            self._park()

    def _park(self) -> None:
        if self._run is not None:
            self._run.park("output")

    # The end

    async def _end(self, *, abandoned: bool) -> None:
        """Write the rows in the order of the file, and close the output."""
        nothing = not (self._answered or self._origins.known or self._output.continues)
        try:
            if abandoned and self._run is not None:
                await self._run.aclose(0)
            note_long_write(self._session, quiet=self._quiet)
            if not self._pipe_closed and not (self._error is not None and nothing):
                self._statuses = await self._output.write_all(self._batches)
        except CommandError as error:
            self._error = self._error or error
        except BrokenPipeError:
            self._pipe_closed = True
        except LixError as error:  # the ledger cannot be read: the rows so far are in the file
            self._error = self._error or command_error_for(error)
        finally:
            try:
                self._output.close()
            except CommandError as error:
                self._error = self._error or error
        written = self._statuses and self._joined.out is not None
        saved = "all rows so far are in the file" if written else "all answers are in the ledger"
        self._session.resume_hint = (
            f"{saved}; run the same command to continue:\n  {console.command_line()}"
        )

    def _batches(self, first: int) -> AsyncIterator[list[JoinedRow]]:
        joiner = Joiner(
            self._store, self._targets, self._groups, self._asked, self._preparers,
            self._joined.limit,
        )  # fmt: skip
        return joiner.batches(first)

    @property
    def _remaining(self) -> int:
        """Rows that have no answer for now."""
        asked = [
            counts
            for group, counts in zip(self._groups, self._statuses, strict=False)
            if group in self._asked
        ]
        return max((one["pending"] + one["queued"] for one in asked), default=0)

    def _finish(self) -> int:
        if self._pipe_closed:
            return OK
        if self._run is not None:
            self._print_summary(self._run)
        if self._stopped:
            raise Interrupted
        if self._error is not None:
            raise self._error
        if self._run is not None and (parked := self._run.progress().parked):
            raise CommandError(
                f"the ledger is parked: {parked}",
                hint=f"lix run resume{ledger_argument(self._options.ledger)}",
                code=NETWORK,
            )
        if self._remaining:
            raise CommandError(
                f"{self._remaining:,} {plural(self._remaining, 'row')} got no answer for now",
                hint="run the same command again; only those are looked up",
                code=NETWORK,
            )
        return OK

    def _left(self) -> int:
        total = self._session.counts.total
        return 0 if total is None else max(total - self._session.counts.items, 0)

    def _is_of_file(self, entry: Entry) -> bool:
        return True  # those of other commands at this moment are few, and the rows are many

    def _keys(self) -> set[bytes]:
        found: set[bytes] = set()
        for one in self._inputs_again():
            found.add(self._preparer.call_key(self._preparer.input_of(one)).key)
        return found

    def _inputs_again(self) -> Iterator[RowInput]:
        for position, row in enumerate(self._targets.table.rows(), start=1):
            target, _ = self._targets.find(row)
            for index, kind in enumerate(self._joined.kinds if target is not None else ()):
                if target is not None and accepts(kind, target):
                    yield RowInput(position, row, target, index)

    def _summary_words(self) -> list[str]:
        place = "" if self._joined.out is None else f" in {self._joined.out}"
        texts: list[str] = []
        for group, counts in zip(self._groups, self._statuses, strict=False):
            words = ", ".join(
                f"{n:,} {status.replace('_', ' ')}" for status, n in counts.most_common()
            )
            name = f"{group.kind}: " if len(self._groups) > 1 and group.kind else ""
            texts.append(f"{name}{words or 'no rows'}")
        if not texts:  # nothing was written
            return [counted(self._origins.total, "answer")]
        return [f"{'; '.join(texts)}{place}"]

    def _left_out_words(self) -> list[str]:
        return []


def note_long_write(session: CommandSession, *, quiet: bool) -> None:
    """Say that it takes a moment to write the rows, where the user wants to stop."""
    if session.monitor.stopping and not quiet and (session.counts.total or LONG) >= LONG:
        console.print_note("writing all rows in their order; Ctrl-C again to leave that out")


async def write_empty(joined: JoinedOptions, table: InputTable) -> int:
    """Write an output without rows: its headings, or nothing as JSON lines.

    Raises:
        CommandError: The output exists already, or cannot be written.
    """
    groups = ColumnPlan(joined, "", None, (), ()).groups
    return await write_headings(
        joined.out, joined.format, groups, table, bom=joined.bom, quiet=joined.quiet
    )


def _has_bytes(path: Path | None) -> bool:
    return path is not None and path.exists() and path.stat().st_size > 0


async def write_headings(
    out: Path | None,
    file_format: Format,
    groups: Sequence[AnswerGroup],
    table: InputTable,
    *,
    bom: bool,
    quiet: bool,
) -> int:
    """Write an output without rows.

    Args:
        out: The output; None for stdout.
        file_format: Its format.
        groups: The groups of columns.
        table: The input, which has no rows.
        bom: Whether a CSV begins with a byte order mark.
        quiet: Whether to say nothing.

    Raises:
        CommandError: The output exists already, or cannot be written.
    """
    if _has_bytes(out):
        raise CommandError(f"{table.path} has no rows", hint=f"{out} is left as it is")

    async def no_rows(first: int) -> AsyncIterator[list[JoinedRow]]:
        for row in list[list[JoinedRow]]():
            yield row

    own = OwnColumns(table)
    output = JoinedOutput(out, file_format, JoinedTable(own, groups), bom=bom)
    output.open(None)
    try:
        await output.write_all(no_rows)
    finally:
        output.close()
    if not quiet:
        console.print_note(f"{table.path} has no rows: nothing to look up")
    return OK
