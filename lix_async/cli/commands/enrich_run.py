"""One run of `lix enrich`: what is asked for, how it stands, and what is said at the end."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal, cast

import anyio
from rich.table import Table

from ...bulk import Outcome, Report, Run, SqliteStore
from ...bulk.admission import OnDailyLimit
from ...bulk.stores.base import DoubtPolicy
from ...core.errors import LixError
from .. import console
from ..errors import NETWORK, OK, CommandError, Interrupted, command_error_for
from ..input.reader import InputFile
from ..input.targets import LOOKUPS, LookupKind, TargetCallPreparer, lookup_kind, parse_target
from ..ledger.address import opened_read_only
from ..ledger.export import export
from ..ledger.in_doubt import ask_about_doubts
from ..options import RowOutputOptions
from ..output.lookup_file import LookupOutput
from ..output.lookup_rows import row_of_outcome
from ..output.schema import LookupSchema
from ..runtime.session import CommandSession
from ..text import plural

OUTAGE = 5
"""Unanswered lookups in a row after which the rest is not even tried."""


@dataclass(frozen=True, kw_only=True)
class EnrichOptions:
    """What a person wants done, as far as it is about asking."""

    wanted: LookupKind | None
    ledger: str
    doubts: Literal["hold", "retry", "ask"]
    recheck: int
    on_daily_limit: OnDailyLimit
    concurrency: int
    queued_for: float


class EnrichRun:
    """Asks for what has no row yet, and writes the rows."""

    def __init__(
        self,
        wish: EnrichOptions,
        inputs: InputFile,
        output: RowOutputOptions,
        session: CommandSession,
    ) -> None:
        self._wish = wish
        self._inputs = inputs
        self._quiet = output.quiet
        self._session = session
        self._caller = TargetCallPreparer(session.lix, wish.wanted)
        asked: set[LookupKind] = {lookup_kind(wish.wanted, known) for known in inputs.targets}
        self._sheet = LookupOutput(
            output, LookupSchema({kind: LOOKUPS[kind].endpoint.result for kind in asked})
        )
        self._counts: Counter[str] = Counter()
        self._silent = 0
        self._skipped = 0
        self._open = 0
        self._trouble: CommandError | None = None
        self._enough = False
        self._stopped = False
        self._doubted: set[str] = set()

    async def to_the_end(self) -> int:
        """Look everything up that has no row yet; the exit code."""
        targets, began = self._inputs.targets, self._session.watch.clock.wall()
        before = self._sheet.opened()
        run: Run[object] | None = None
        cut: Run[object] | None = None
        try:
            todo = [known.text for known in targets if known.key not in before.keys]
            self._open, self._skipped = len(todo), len(targets) - len(todo)
            self._session.tally.items = self._skipped
            self._session.tally.requests_left = len(todo)
            run = Run(
                SqliteStore(self._wish.ledger),
                self._caller,
                todo,
                concurrency=self._wish.concurrency,
                doubts=await self._doubts(),
                on_daily_limit=self._wish.on_daily_limit,
                queued_for=self._wish.queued_for,
                recheck=self._wish.recheck,
            )
            await self._asked(run)
        except anyio.get_cancelled_exc_class():  # an answer under way did not come in time
            cut = run
            raise
        finally:
            self._session.tally.look = None
            self._session.progress.stop()
            self._close()
            if cut is not None and not self._quiet:
                with anyio.CancelScope(shield=True):
                    self._say(cut, await self._abandoned(cut, began))
        return await self._ended(run)

    async def _doubts(self) -> DoubtPolicy:
        if self._wish.doubts == "ask":
            return await ask_about_doubts(self._wish.ledger, self._session)
        return self._wish.doubts

    async def _asked(self, run: Run[object]) -> None:
        self._session.tally.look = lambda: self._look(run)
        try:
            async with run:
                async for outcome in run:
                    self._take(outcome, run)
        except Interrupted:
            self._stopped = True
        except LixError as error:
            for unsaved in getattr(error, "unsaved", ()):  # not in the ledger: the output may do
                self._take(cast("Outcome[object]", unsaved), run)
            self._trouble = self._trouble or command_error_for(error)

    def _take(self, outcome: Outcome[object], run: Run[object]) -> None:
        known = parse_target(str(outcome.input))
        assert known is not None  # what was read is what was asked for
        line = row_of_outcome(outcome, lookup_kind(self._wish.wanted, known))
        if line is None:
            self._unanswered(outcome, run)
            return
        self._silent = 0
        self._open -= 1
        if line.status == "in_doubt":
            self._doubted.add(outcome.key)
        self._counts[line.status] += 1
        self._session.tally.items += 1
        try:
            self._sheet.add(line, at_once=not outcome.cached)
        except CommandError as error:  # the disk is full: stop asking for what cannot be written
            self._trouble = self._trouble or error
            run.park("output")
        except BrokenPipeError:
            self._enough = True
            run.park("output")

    def _unanswered(self, outcome: Outcome[object], run: Run[object]) -> None:
        self._counts[outcome.state] += 1
        self._silent += outcome.state == "failed"
        if self._silent >= OUTAGE and self._trouble is None and outcome.error is not None:
            self._trouble = command_error_for(outcome.error)
            run.park("outage")

    def _look(self, run: Run[object]) -> None:
        """Bring the progress line up to date."""
        now, tally = run.progress(), self._session.tally
        tally.credits, tally.queued = now.credits, now.queued
        tally.in_doubt, tally.failed = now.in_doubt, now.failed
        tally.requests_left = max(self._open, 0)
        state = "asking"
        if now.parked == "daily limit":
            state = now.parked
        elif now.queued and not now.in_flight:
            state = "queued"
        self._session.watch.state = state

    def _close(self) -> None:
        path = self._sheet.path
        try:
            path = self._sheet.close()
        except CommandError as error:
            self._trouble = self._trouble or error
        except BrokenPipeError:
            self._enough = True
        rows = path is not None and self._sheet.format != "parquet"
        kept = "every row so far is in the file" if rows else "every answer so far is kept"
        self._session.go_on = (
            f"{kept}; the same command goes on with the rest:\n  {console.command_line()}"
        )

    async def _ended(self, run: Run[object]) -> int:
        if self._enough:
            return OK
        if self._sheet.format == "parquet" and not (self._stopped or self._trouble or self._open):
            await self._parquet()
        self._say(run)
        if self._stopped:
            raise Interrupted
        if self._trouble is not None:
            raise self._trouble
        if parked := run.progress().parked:
            raise CommandError(
                f"the ledger is parked: {parked}",
                hint=f"lix run resume {self._wish.ledger}",
                code=NETWORK,
            )
        if self._open:
            raise CommandError(
                f"{self._open:,} {plural(self._open, 'link')} got no answer for now",
                hint="run the same command again: only those are asked for",
                code=NETWORK,
            )
        return OK

    async def _abandoned(self, run: Run[object], began: float) -> int:
        """How many lookups this run has left in doubt without having told so; it is ended first."""
        keys = {self._caller.call(known.text).key for known in self._inputs.targets}
        try:
            await run.aclose(0)
            async with opened_read_only(self._wish.ledger) as store:
                found = [one async for one in store.entries("in_doubt") if one.changed >= began]
        except (CommandError, LixError):  # it cannot be looked at now: `lix run status` will tell
            return 0
        return sum(one.key in keys and one.key.hex() not in self._doubted for one in found)

    def _say(self, run: Run[object], abandoned: int = 0) -> None:
        if self._quiet:
            return
        report = run.report()
        credits = report.progress.credits
        words = [f"{n:,} {status.replace('_', ' ')}" for status, n in self._counts.items()]
        place = "" if self._sheet.path is None else f" in {self._sheet.path}"
        said = [f"{', '.join(words) or 'nothing new'}{place}"]
        said.append(f"{credits:,} {plural(credits, 'credit')}")
        if lost := self._session.lix.credits.lost:
            said.append(f"perhaps {lost:,} more for answers that were lost")
        if self._skipped:
            said.append(f"{self._skipped:,} had their row already")
        if self._inputs.unusable:
            said.append(f"{self._inputs.unusable:,} without a usable link")
        console.print_note(", ".join(said))
        show_summary(report, self._wish.ledger, abandoned)

    async def _parquet(self) -> None:
        assert self._sheet.path is not None  # Parquet goes into a file
        keys = {self._caller.call(known.text).key for known in self._inputs.targets}
        store = SqliteStore(self._wish.ledger)
        await store.open_read_only()
        try:
            await export(
                store,
                self._sheet.path,
                "parquet",
                self._sheet.columns,
                keep=lambda entry: entry.key in keys,
                overwrite=self._sheet.remakable,
            )
        finally:
            await store.close()


_WORDS = {
    "TransportError": "no answer came",
    "DeadlineError": "the deadline passed",
    "DecodeError": "the answer cannot be read",
    "503": "the provider was unavailable",
}


BAR = 24
"""Characters of the longest bar."""


def show_summary(report: Report, ledger: str, abandoned: int = 0) -> None:
    """Reasons of failures, doubts, and a histogram of latencies, on stderr; nothing for nothing.

    `abandoned`: lookups in doubt beside those of the report, whose answers nobody waited for.
    """
    out = console.console()
    if report.reasons:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for reason, count in report.reasons.items():
            table.add_row("", f"{count:,}", f"× {_WORDS.get(reason, reason)}")
        out.print("What failed, and why:", table, sep="\n")
    doubts = report.progress.in_doubt + abandoned
    if doubts:
        it = "it" if doubts == 1 else "they"
        console.print_note(
            f"{doubts:,} {plural(doubts, 'lookup')} in doubt: {it} may have been paid for, and "
            f"will not be bought again by itself.\n  lix run doubts {ledger}"
        )
    if sum(report.latencies.values()) > 1:
        out.print("How long answers took:", _histogram(report.latencies), sep="\n")


def _histogram(latencies: dict[float, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    most = max(latencies.values())
    for top, count in latencies.items():
        upto = "longer" if math.isinf(top) else f"≤ {top:g} s"
        table.add_row("", upto, f"{count:,}", "▇" * max(round(BAR * count / most), 1))
    return table
