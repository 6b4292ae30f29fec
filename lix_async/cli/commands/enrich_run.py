"""One run of `lix enrich`: the lookups, the rows, and the summary."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import anyio
from rich.table import Table

from ...bulk import Outcome, Report, Run, SqliteStore
from ...bulk.admission import OnDailyLimit
from ...bulk.prepared_call import CallPreparer
from ...core.errors import LixError
from ...engine.doubts import DoubtPolicy
from ...ledger.store import Entry
from .. import console
from ..costs import credits_text
from ..errors import NETWORK, OK, CommandError, Interrupted, command_error_for
from ..input.lookup_kinds import LookupKind
from ..input.reader import InputFile
from ..input.target_calls import TargetCallPreparer
from ..input.targets import LOOKUPS, lookup_kind, parser_of
from ..ledger.address import ledger_argument, opened_read_only
from ..ledger.export import export
from ..ledger.in_doubt import ask_about_doubts
from ..options import RowOutputOptions
from ..output.destination import place_of
from ..output.lookup_file import LookupOutput
from ..output.lookup_rows import LookupRow, row_of_outcome
from ..output.schema import LookupSchema
from ..runtime.session import CommandSession
from ..text import plural
from .answer_origins import AnswerOrigins


@dataclass(frozen=True, kw_only=True)
class EnrichOptions:
    """The options of `lix enrich` that affect the lookups."""

    kind: LookupKind | None
    ledger: str
    run_name: str
    doubts: Literal["hold", "retry", "ask"]
    recheck: int
    max_age: timedelta | None
    refused_age: timedelta | None
    refresh: int
    on_daily_limit: OnDailyLimit
    concurrency: int
    queued_for: float

    @property
    def buys_again(self) -> bool:
        """Whether links are looked up that have a row already."""
        return not (self.max_age is self.refused_age is None) or self.refresh > 0


class RunCommand(ABC):
    """What runs of `lix enrich` have in common, whatever is written of them."""

    def __init__(self, options: EnrichOptions, session: CommandSession, *, quiet: bool) -> None:
        self._options = options
        self._quiet = quiet
        self._session = session
        self._store = SqliteStore(options.ledger)
        self._error: CommandError | None = None
        self._pipe_closed = False
        self._stopped = False
        self._reported_doubts: set[str] = set()
        self._origins = AnswerOrigins(datetime.fromtimestamp(session.monitor.clock.wall(), UTC))
        self.confirm: (
            Callable[[CallPreparer, Iterable[object] | AsyncIterable[object]], Awaitable[None]]
            | None
        ) = None
        """Asks before the run costs much, given what makes calls and its inputs."""

    @abstractmethod
    async def run(self) -> int:
        """Look everything up; returns the exit code."""

    @abstractmethod
    def _keys(self) -> set[bytes]:
        """The keys of all links of the file: the ledger may have those of other files, too."""

    @abstractmethod
    def _left(self) -> int:
        """Lookups that are still to be made, as far as that is known."""

    @abstractmethod
    def _is_of_file(self, entry: Entry) -> bool:
        """Whether an entry of the ledger is of this file."""

    @abstractmethod
    def _summary_words(self) -> list[str]:
        """What was written where."""

    @abstractmethod
    def _left_out_words(self) -> list[str]:
        """What was not looked up."""

    def _count_origin(self, outcome: Outcome[object]) -> None:
        """Count where an answer came from; one that was never received came from nowhere."""
        if outcome.state in ("in_doubt", "suppressed", "invalid"):
            return
        if outcome.cached:
            self._origins.add(outcome.bought_at, other_id=bool(outcome.via))
        else:
            self._origins.looked_up += 1

    def _new_run(
        self,
        preparer: CallPreparer,
        inputs: Iterable[object] | AsyncIterable[object],
        rows: Iterable[int],
        doubts: DoubtPolicy,
    ) -> Run[object]:
        options = self._options
        return Run(
            self._store,
            preparer,
            inputs,
            rows=rows,
            name=options.run_name,
            concurrency=options.concurrency,
            doubts=doubts,
            on_daily_limit=options.on_daily_limit,
            outage_patience=None,  # the progress line says that it waits
            queued_for=options.queued_for,
            recheck=options.recheck,
            max_age=options.max_age,
            refused_age=options.refused_age,
            refresh=options.refresh,
        )

    async def _doubts(self) -> DoubtPolicy:
        if self._options.doubts == "ask":
            return await ask_about_doubts(self._options.ledger, self._session, self._keys())
        return self._options.doubts

    def _update_counts(self, run: Run[object]) -> None:
        """Update the progress line."""
        progress, counts = run.progress(), self._session.counts
        counts.credits, counts.queued = progress.credits, progress.queued
        counts.in_doubt, counts.failed = progress.in_doubt, progress.failed
        counts.requests_left = max(self._left(), 0)
        counts.requests_today = run.admission.left_today
        counts.renewed_at = run.admission.refreshes_at
        counts.queued_for = self._options.queued_for if progress.queued else 0.0
        state = "requesting"
        if progress.parked:
            state = progress.parked
        elif progress.queued and not progress.in_flight:
            state = "queued"
        self._session.monitor.state = state

    async def _count_abandoned(self, run: Run[object], start: float) -> int:
        """End the run, and count its lookups in doubt that it has not reported."""
        try:
            await run.aclose(0)
            async with opened_read_only(self._options.ledger) as store:
                doubts = [
                    entry async for entry in store.entries("in_doubt") if entry.changed >= start
                ]
        except (CommandError, LixError):  # it cannot be read now; `lix run status` shows them later
            return 0
        return sum(
            self._is_of_file(entry) and entry.key.hex() not in self._reported_doubts
            for entry in doubts
        )

    def _print_summary(self, run: Run[object], abandoned: int = 0) -> None:
        if self._quiet:
            return
        report = run.report()
        credits = report.progress.credits
        parts = self._summary_words()
        parts.append(credits_text(credits, self._session.lix.credits.lost))
        console.print_note(", ".join([*parts, *self._origins.words(), *self._left_out_words()]))
        print_summary(report, self._options.ledger, abandoned)


class EnrichRun(RunCommand):
    """Looks up the links that have no row yet, and writes a row for each distinct one."""

    def __init__(
        self,
        options: EnrichOptions,
        inputs: InputFile,
        output: RowOutputOptions,
        session: CommandSession,
    ) -> None:
        super().__init__(options, session, quiet=output.quiet)
        self._inputs = inputs
        self._preparer = TargetCallPreparer(session.lix, options.kind)
        kinds: set[LookupKind] = {lookup_kind(options.kind, target) for target in inputs.targets}
        self._output = LookupOutput(
            output, LookupSchema({kind: LOOKUPS[kind].endpoint.result for kind in kinds})
        )
        self._counts: Counter[str] = Counter()
        self._skipped = 0
        self._existing: dict[str, str] = {}
        """The links that have a row in the output, with when its answer was bought."""
        self._remaining = 0
        self._own_keys: set[bytes] | None = None

    async def run(self) -> int:
        """Look up the links.

        Returns:
            The exit code.

        Raises:
            CommandError: The run failed, or some links have no answer.
            Interrupted: The user stopped the run.
        """
        targets, start = self._inputs.targets, self._session.monitor.clock.wall()
        options = self._options
        self._existing = self._output.open().keys
        run: Run[object] | None = None
        abandoned_run: Run[object] | None = None
        try:
            new = [
                (row, target.text)
                for row, target in enumerate(targets, 1)
                if options.buys_again or target.key not in self._existing
            ]
            todo = [text for _, text in new]
            self._remaining, self._skipped = len(todo), len(targets) - len(todo)
            self._session.counts.items = self._skipped
            self._session.counts.requests_left = len(todo)
            rows = [row for row, _ in new]
            if self.confirm is not None:
                await self.confirm(self._preparer, todo)
            run = self._new_run(self._preparer, todo, rows, await self._doubts())
            await self._process(run)
        except anyio.get_cancelled_exc_class():  # an answer in flight was not received in time
            abandoned_run = run
            raise
        finally:
            self._session.counts.refresh = None
            self._session.progress.stop()
            self._close()
            if abandoned_run is not None and not self._quiet:
                with anyio.CancelScope(shield=True):
                    self._print_summary(
                        abandoned_run, await self._count_abandoned(abandoned_run, start)
                    )
        return await self._finish(run)

    def _keys(self) -> set[bytes]:
        if self._own_keys is None:
            targets = self._inputs.targets
            self._own_keys = {self._preparer.call(target.text).key for target in targets}
        return self._own_keys

    def _left(self) -> int:
        return self._remaining

    def _is_of_file(self, entry: Entry) -> bool:
        return entry.key in self._keys()

    async def _process(self, run: Run[object]) -> None:
        self._session.counts.refresh = lambda: self._update_counts(run)
        try:
            async with self._store, run:
                place, what = place_of(self._output.path), f"lix enrich {self._options.run_name}"
                await self._store.add_export(place, what)
                async for outcome in run:
                    self._add(outcome, run)
        except Interrupted:
            self._stopped = True
        except LixError as error:
            # Not in the ledger, but they can still be written to the output.
            for unsaved in getattr(error, "unsaved", ()):
                self._add(cast("Outcome[object]", unsaved), run)
            self._error = self._error or command_error_for(error)

    def _add(self, outcome: Outcome[object], run: Run[object]) -> None:
        target = parser_of(self._options.kind)(str(outcome.input))
        assert target is not None  # inputs are targets that were parsed before
        row = row_of_outcome(outcome, lookup_kind(self._options.kind, target))
        if row is None:
            self._counts[outcome.state] += 1
            return
        self._remaining -= 1
        written = self._existing.get(target.key)
        if written is not None and not _is_newer(row, written, outcome):
            self._skipped += 1
            self._session.counts.items += 1
            return
        self._count_origin(outcome)
        if row.status == "in_doubt":
            self._reported_doubts.add(outcome.key)
        self._counts[row.status] += 1
        self._session.counts.items += 1
        try:
            self._output.add(row, flush=not outcome.cached, replaces=written is not None)
        except CommandError as error:  # such as a full disk: later rows could not be written
            self._error = self._error or error
            run.park("output")
        except BrokenPipeError:
            self._pipe_closed = True
            run.park("output")

    def _close(self) -> None:
        path = self._output.path
        try:
            path = self._output.close()
        except CommandError as error:
            self._error = self._error or error
        except BrokenPipeError:
            self._pipe_closed = True
        rows = path is not None and self._output.format != "parquet"
        saved = "all rows so far are in the file" if rows else "all answers are in the ledger"
        self._session.resume_hint = (
            f"{saved}; run the same command to continue:\n  {console.command_line()}"
        )

    async def _finish(self, run: Run[object]) -> int:
        if self._pipe_closed:
            return OK
        complete = not (self._stopped or self._error or self._remaining)
        if complete and self._output.format == "parquet":
            await self._write_parquet()
        self._print_summary(run)
        if self._stopped:
            raise Interrupted
        if self._error is not None:
            raise self._error
        if parked := run.progress().parked:
            raise CommandError(
                f"the ledger is parked: {parked}",
                hint=f"lix run resume{ledger_argument(self._options.ledger)}",
                code=NETWORK,
            )
        if self._remaining:
            raise CommandError(
                f"{self._remaining:,} {plural(self._remaining, 'link')} got no answer for now",
                hint="run the same command again; only those are looked up",
                code=NETWORK,
            )
        return OK

    def _summary_words(self) -> list[str]:
        words = [f"{n:,} {status.replace('_', ' ')}" for status, n in self._counts.items()]
        path = self._output.path
        place = f" in {path}" if path is not None and (words or path.exists()) else ""
        return [f"{', '.join(words) or 'nothing new'}{place}"]

    def _left_out_words(self) -> list[str]:
        words: list[str] = []
        if self._skipped:
            words.append(f"{self._skipped:,} skipped (already in the output)")
        if self._inputs.unusable:
            words.append(f"{self._inputs.unusable:,} without a usable {self._inputs.noun}")
        return words

    async def _write_parquet(self) -> None:
        assert self._output.path is not None  # Parquet needs a file
        keys = self._keys()
        store = SqliteStore(self._options.ledger)
        await store.open_read_only()
        try:
            await export(
                store,
                self._output.path,
                "parquet",
                self._output.columns,
                keep=lambda entry: entry.key in keys,
                overwrite=self._output.is_parquet,
            )
        finally:
            await store.close()


def _is_newer(row: LookupRow, written: str, outcome: Outcome[object]) -> bool:
    """Whether a row takes the place of the one that the output has of its link.

    Args:
        row: The row.
        written: When the answer of the other one was bought; "" where that is not known.
        outcome: What the row is made of.
    """
    if row.status == "in_doubt":
        return False
    return (outcome.attempts > 0 and not outcome.stale) or "" < written < (row.bought_at or "")


_REASON_TEXT = {
    "TransportError": "no answer received",
    "DeadlineError": "the deadline passed",
    "DecodeError": "unreadable answer",
    "503": "provider unavailable",
    "unknown_record": "not found",
    "InDoubtError": "in doubt since an earlier run",
}


BAR_WIDTH = 24
"""Characters of the longest bar."""


def print_summary(report: Report, ledger: str, abandoned: int = 0) -> None:
    """Print the reasons of failures, the lookups in doubt, and a histogram of latencies on stderr.

    Args:
        report: The report of the run.
        ledger: The address of the ledger.
        abandoned: Lookups in doubt that are not in the report, as the run did not wait for them.
    """
    err = console.console()
    doubts = report.progress.in_doubt + abandoned
    if report.reasons:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for reason, count in report.reasons.items():
            table.add_row("", f"{count:,}", f"× {_REASON_TEXT.get(reason, reason)}")
        if abandoned:
            table.add_row("", f"{abandoned:,}", "× stopped before the answer came")
        failures = sum(report.reasons.values()) + abandoned
        among = f", {doubts:,} of them in doubt" if doubts else ""
        heading = f"Failures: {failures:,} {plural(failures, 'lookup')}{among}"
        err.print(heading, table, sep="\n")
    if report.unexplained:
        more = "more" if report.unexplained > 0 else "fewer"
        credits = abs(report.unexplained)
        console.print_note(
            f"warning: the account lost {credits:,} {more} {plural(credits, 'credit')} than the "
            "ledger accounts for: a price has changed, or somebody else uses the account"
        )
    if doubts:
        console.print_note(
            f"{doubts:,} {plural(doubts, 'lookup')} in doubt: no answer received, may have been "
            "charged; not retried automatically.\n"
            f"  lix run doubts{ledger_argument(ledger)}\n"
            f"  lix run reconcile{ledger_argument(ledger)}"
        )
    if sum(report.latencies.values()) > 1:
        err.print("Time to answer:", _histogram(report.latencies), sep="\n")


def _histogram(latencies: dict[float, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    largest = max(latencies.values())
    for seconds, count in latencies.items():
        label = "longer" if math.isinf(seconds) else f"≤ {seconds:g} s"
        table.add_row("", label, f"{count:,}", "▇" * max(round(BAR_WIDTH * count / largest), 1))
    return table
