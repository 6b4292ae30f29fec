"""`lix waterfall` into the user's own table: what is known, what is asked, and the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import anyio
import msgspec

from ...bulk import Preview
from ...core.endpoint import CreditKind
from ...core.errors import (
    BudgetError,
    ConfigurationError,
    DecodeError,
    InDoubtError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    QuotaExceededError,
    SuppressedError,
)
from ...ledger.store import Store
from ...waterfall import Order, Profile, Step, StepResult, Target, Waterfall
from .. import console
from ..costs import confirm, credits_text, print_estimate
from ..errors import NETWORK, OK, QUOTA, CommandError, Interrupted, command_error_for
from ..input.table import TableRow, TableTargets
from ..input.targets import LookupTarget
from ..ledger.joined import Selection
from ..options import ConnectionOptions, Format
from ..output.answer_columns import chosen_columns
from ..output.destination import place_of
from ..output.existing_output import existing_names
from ..output.field_columns import FieldColumns
from ..output.joined_file import JoinedOutput
from ..output.joined_row import (
    AnswerGroup,
    JoinedAnswer,
    JoinedRow,
    JoinedStatus,
    JoinedTable,
    OwnColumns,
)
from ..runtime.session import CommandSession
from ..text import counted, plural

_BATCH = 200
"""Rows whose answers are read from the ledger at once."""
_WHAT = "lix waterfall"
# A later run would get these errors again.
FINAL_ERRORS = (
    *(NotFoundError, DecodeError, InvalidParamsError, ConfigurationError, SuppressedError),
    InDoubtError,
)


@dataclass(frozen=True, kw_only=True)
class WaterfallOptions:
    """The options of `lix waterfall` that affect its output."""

    out: Path | None
    format: Format
    wanted: tuple[str, ...]
    prefix: str
    columns: str | None
    limit: int | None
    bom: bool
    quiet: bool


def status_of(result: Profile, wanted: tuple[str, ...]) -> JoinedStatus:
    """What a result is: `filled`, `partial`, `nothing`, or `pending` if a step was not asked."""
    if result.filled(wanted):
        return "filled"
    if any(isinstance(error, SuppressedError) for error in result.errors.values()):
        return "suppressed"
    if any(source.endpoint != "input" for source in result.sources.values()):
        return "partial"
    if any(isinstance(error, InDoubtError) for error in result.errors.values()):
        return "in_doubt"
    open_ = any(not isinstance(error, FINAL_ERRORS) for error in result.errors.values())
    return "pending" if open_ else "nothing"


def added_columns(options: WaterfallOptions) -> FieldColumns:
    """The columns that are added to a table."""
    return FieldColumns(options.wanted, chosen_columns(options.columns, options.format))


def target_of(target: LookupTarget, text: str) -> Target:
    """What a row asks for."""
    by_email = target.kind == "email"
    return Target(
        text=text,
        linkedin_url=None if by_email else target.sent,
        email=target.sent if by_email else None,
    )


class KnownAnswers:
    """A waterfall that asks the ledger only, and notes which steps it had an answer for.

    Args:
        steps: Steps that send nothing.
        wanted: The fields to fill.
        order: The order of the steps.
    """

    def __init__(self, steps: Sequence[Step], wanted: Sequence[str], order: Order) -> None:
        self._answered: dict[str, set[str]] = {}
        self.waterfall = Waterfall(map(self._noting, steps), want=wanted, order=order)

    def take(self, result: Profile) -> set[str]:
        """The names of the steps that the ledger had an answer for, once for each result."""
        return self._answered.pop(result.target.text, set())

    def _noting(self, step: Step) -> Step:
        async def ask(target: Target) -> StepResult:
            found = await step.ask(target)
            self._answered.setdefault(target.text, set()).add(step.name)
            return found

        return msgspec.structs.replace(step, lookup=ask)


class JoinedWaterfall:
    """Fills the rows of a table from several providers, and writes them beside their own cells.

    Args:
        targets: The links of the table.
        options: The options.
        session: The session of the command.
        buying: The waterfall that buys.
        known: What the ledger has.
        store: The ledger.
    """

    def __init__(
        self,
        targets: TableTargets,
        options: WaterfallOptions,
        session: CommandSession,
        buying: Waterfall,
        known: KnownAnswers,
        store: Store,
    ) -> None:
        self._targets = targets
        self._options = options
        self._session = session
        self._buying = buying
        self._known = known
        self._store = store
        self._columns = added_columns(options)
        group = AnswerGroup(options.prefix, None, self._columns, "")
        self._table = JoinedTable(OwnColumns(targets.table), [group])
        self._table.check_names(as_json=options.format in ("jsonl", "parquet"))
        self._existing = existing_names(options.out, options.format, targets)
        self._rows: dict[str, tuple[int, TableRow]] = {}
        self._counts: Counter[str] = Counter()
        self._error: CommandError | None = None
        self._pipe_closed = False
        self._over_budget = False
        self._used_up: QuotaExceededError | None = None
        self._from_ledger = 0

    # What it costs

    async def preview(self) -> Preview:
        """What a run would cost at most, by what the ledger has."""
        credits: Counter[CreditKind] = Counter()
        calls = rows = invalid = answered = unpriced = 0
        seen: set[tuple[str, str]] = set()
        selection = Selection(self._options.limit)

        def wanted() -> Iterator[Target]:
            nonlocal rows, invalid
            for row in self._targets.table.rows():
                rows += 1
                target, _ = self._targets.find(row)
                if target is None:
                    invalid += 1
                elif selection.takes(target) and (target.kind, target.key) not in seen:
                    seen.add((target.kind, target.key))
                    yield target_of(target, target.text)

        async with self._known.waterfall.run(wanted()) as results:
            async for result in results:
                unasked = self._unasked(result)
                answered += not unasked
                for step in unasked:
                    calls += 1
                    credits[step.price.kind] += step.price.amount
                    unpriced += step.price.kind == "unknown"
        rate = self._session.monitor.rate
        return Preview(
            inputs=rows,
            distinct=len(seen),
            invalid=invalid,
            answered=answered,
            in_doubt=0,
            calls=calls,
            listings=0,
            credits={kind: n for kind, n in credits.items() if n},
            unpriced=unpriced,
            balances=None,
            requests_left=None,
            refreshes_at=None,
            seconds=None if rate is None else calls * rate.interval,
        )

    def _unasked(self, result: Profile) -> list[Step]:
        """The steps that a result may still need, whatever those before them bring."""
        answered = self._known.take(result)
        missing = result.missing(self._options.wanted)
        if not missing or status_of(result, self._options.wanted) == "suppressed":
            return []
        steps = [step for step in self._known.waterfall.steps if step.about == "person"]
        useful = [step for step in steps if step.fills & missing]
        target = result.target
        known = {
            "linkedin_url": target.linkedin_url or result.get("linkedin_url"),
            "email": target.email or result.get("email"),
        }
        have = {name for name, value in known.items() if value}
        waiting = [step for step in useful if not any(need <= have for need in step.needs)]
        needed = {name for step in waiting for need in step.needs for name in need} - have
        return [
            step
            for step in steps
            if step.name not in answered
            and step.fills & (missing | needed)
            and self._may_ask(step, result)
        ]

    @staticmethod
    def _may_ask(step: Step, result: Profile) -> bool:
        error = result.errors.get(step.name)
        return error is None or not isinstance(error, FINAL_ERRORS)

    async def dry_run(self) -> int:
        """Show what a run would cost; nothing is looked up."""
        self._session.monitor.state = "counting"
        estimate = await self.preview()
        self._session.progress.stop()
        words = f"{estimate.distinct:,} distinct in {counted(estimate.inputs, 'row')}"
        if estimate.invalid:
            words += f", {estimate.invalid:,} without a usable link"
        answered = f"{estimate.answered:,}, at no cost" if estimate.answered else "none"
        head = [("Links", words), ("In the ledger", answered)]
        names = ", ".join(dict.fromkeys(step.provider for step in self._known.waterfall.steps))
        head += [
            ("Providers", names),
            ("To look up", f"{estimate.calls:,} at most" if estimate.calls else "none"),
        ]
        print_estimate(head, estimate, self._session.monitor.rate)
        return OK

    # The run

    async def run(self, connection: ConnectionOptions) -> int:
        """Fill the rows; returns the exit code.

        Raises:
            CommandError: The run failed, or some rows have no answer.
            Interrupted: The user stopped the run.
        """
        options = self._options
        place = place_of(options.out)
        if self._existing is not None:
            await self._check_existing(place)
        estimate = await self.preview()
        most = sum(estimate.credits.values())
        what = f"this asks for {counted(estimate.calls, 'lookup')} and {credits_text(most)} at most"
        await confirm(most, what, connection, self._session)
        self._open_output()
        statuses: list[Counter[str]] = []
        try:
            await self._store.add_export(place, f"{_WHAT} --want {','.join(options.wanted)}")
            async with self._buying.run(self._wanted()) as results:
                async for result in results:
                    self._deliver(result)
                    if self._error is not None or self._pipe_closed:
                        break
        except LixError as error:
            self._error = self._error or command_error_for(error)
        finally:
            self._session.progress.stop()
            with anyio.CancelScope(shield=True):
                statuses = await self._end()
        return self._finish(statuses)

    def _open_output(self) -> None:
        options = self._options
        self._output = JoinedOutput(options.out, options.format, self._table, bom=options.bom)
        self._output.open(self._existing)

    async def _check_existing(self, place: str) -> None:
        exports = await self._store.statement(lambda tables: tables.exports(), writes=False)
        other = [one for one in exports if one.place == place and not one.what.startswith(_WHAT)]
        headings = self._table.headings
        strange = set(self._existing or ()) - {*headings, *(self._table.groups[0].keys)}
        own = {*self._table.own.sampled_keys(), *self._table.own.headings}
        if other or {name for name in strange if name not in own}:
            raise CommandError(
                f"{self._options.out} has other columns than this command writes",
                hint="choose another file with --out",
            )

    async def _wanted(self) -> AsyncIterator[Target]:
        """The targets that the ledger has no whole answer for, each when it is asked for."""
        selection = Selection(self._options.limit)
        rows = enumerate(self._targets.table.rows(), start=1)
        while not self._session.monitor.stopping and (batch := list(islice(rows, _BATCH))):
            wanted: dict[str, tuple[int, TableRow, Target]] = {}
            for position, row in batch:
                target, reason = self._targets.find(row)
                if target is None:
                    self._add(position, row, JoinedAnswer("invalid", reason))
                elif selection.takes(target):
                    text = str(position)
                    wanted[text] = position, row, target_of(target, text)
            async with self._known.waterfall.run([one for *_, one in wanted.values()]) as results:
                async for result in results:
                    if not self._unasked(result):
                        position, row, _ = wanted.pop(result.target.text)
                        self._from_ledger += 1
                        status = status_of(result, self._options.wanted)
                        self._add(position, row, self._columns.answer(result, status))
            for text, (position, row, given) in wanted.items():
                if self._session.monitor.stopping:
                    return
                self._rows[text] = position, row
                yield given

    def _deliver(self, result: Profile) -> None:
        position, row = self._rows.pop(result.target.text)
        self._session.counts.credits += result.credits
        for error in result.errors.values():
            if isinstance(error, BudgetError):
                self._over_budget = True
            elif isinstance(error, QuotaExceededError):
                self._used_up = error
        status = status_of(result, self._options.wanted)
        if status != "pending":
            self._add(position, row, self._columns.answer(result, status))

    def _add(self, position: int, row: TableRow, answer: JoinedAnswer) -> None:
        self._session.counts.items += 1
        if self._output.continues:  # it is written anew at the end
            return
        try:
            self._output.add(position, JoinedRow(row, [answer]), flush=True)
        except CommandError as error:
            self._error = self._error or error
        except BrokenPipeError:
            self._pipe_closed = True

    async def _end(self) -> list[Counter[str]]:
        """Write the rows in the order of the file, by what the ledger has, and close the output."""
        statuses: list[Counter[str]] = []
        try:
            if not self._pipe_closed:
                statuses = await self._output.write_all(self._batches)
        except CommandError as error:
            self._error = self._error or error
        except BrokenPipeError:
            self._pipe_closed = True
        except LixError as error:
            self._error = self._error or command_error_for(error)
        finally:
            try:
                self._output.close()
            except CommandError as error:
                self._error = self._error or error
        self._session.resume_hint = (
            "all answers are in the ledger; run the same command to continue:\n"
            f"  {console.command_line()}"
        )
        return statuses

    async def _batches(self, first: int) -> AsyncIterator[list[JoinedRow]]:
        """The rows from a position on, with what the ledger has for them."""
        selection = Selection(self._options.limit)
        rows = enumerate(self._targets.table.rows(), start=1)
        while batch := list(islice(rows, _BATCH)):
            answers: dict[int, JoinedAnswer] = {}
            wanted: list[Target] = []
            not_asked: set[int] = set()
            for position, row in batch:
                target, reason = self._targets.find(row)
                if target is None:
                    answers[position] = JoinedAnswer("invalid", reason)
                    continue
                if not selection.takes(target):
                    not_asked.add(position)
                if position >= first:
                    wanted.append(target_of(target, str(position)))
            async with self._known.waterfall.run(wanted) as results:
                async for result in results:
                    self._known.take(result)
                    status = status_of(result, self._options.wanted)
                    result.errors = {
                        name: error
                        for name, error in result.errors.items()
                        if not isinstance(error, BudgetError)
                    }
                    position = int(result.target.text)
                    if position in not_asked and status == "pending":  # the ledger has nothing
                        answers[position] = JoinedAnswer("not_asked")
                    else:
                        answers[position] = self._columns.answer(result, status)
            if joined := [
                JoinedRow(row, [answers[position]]) for position, row in batch if position >= first
            ]:
                yield joined

    def _finish(self, statuses: list[Counter[str]]) -> int:
        if self._pipe_closed:
            return OK
        counts = statuses[0] if statuses else Counter[str]()
        if not self._options.quiet:
            console.print_note(self._summary(counts))
        if self._session.monitor.stopping:
            raise Interrupted
        if self._error is not None:
            raise self._error
        left = counts["pending"]
        over = self._over_budget or self._used_up is not None
        if left or (over and counts["partial"]):
            rows = f"{counted(left, 'row')} got no answer for now"
            more = left or counts["partial"]
            text = f"{counted(more, 'row')} {plural(more, 'is')} not filled"
            if self._over_budget:
                raise CommandError(
                    f"the budget is spent: {text}",
                    hint="raise --budget, or --max-credits",
                    code=QUOTA,
                )
            if self._used_up is not None:
                failure = command_error_for(self._used_up)
                failure.message += f"; {text}"
                raise failure
            raise CommandError(
                rows, hint="run the same command again; only those are looked up", code=NETWORK
            )
        return OK

    def _summary(self, counts: Counter[str]) -> str:
        words = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.most_common())
        place = "" if self._options.out is None else f" in {self._options.out}"
        stats = self._buying.stats
        lost = sum(one.lost for one in stats.values())
        parts = [f"{words or 'no rows'}{place}"]
        parts.append(credits_text(self._session.counts.credits, lost))
        parts += [
            f"{name}: asked {one.asked - one.known:,}, {counted(one.filled.total(), 'field')}"
            for name, one in stats.items()
            if one.asked > one.known
        ]
        if self._from_ledger:
            parts.append(f"{counted(self._from_ledger, 'row')} from the ledger")
        return ", ".join(parts)
