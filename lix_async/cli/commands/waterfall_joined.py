"""`lix waterfall` into the user's own table: what is known, what is asked, and the rows."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import anyio
import anyio.lowlevel

from ...bulk import Preview
from ...core.endpoint import CreditKind
from ...core.errors import BudgetError, LixError
from ...engine.run_inputs import RunInputs
from ...ledger.store import Store
from ...waterfall import Profile, Step, Target, Waterfall
from ...waterfall.results import INPUT
from ...waterfall.waterfall import LASTING_ERRORS
from .. import console
from ..costs import confirm, credits_text, is_confirmed, print_estimate
from ..errors import NETWORK, OK, QUOTA, CommandError, Interrupted, command_error_for, refusal_error
from ..input.table import TableRow, TableTargets
from ..input.targets import LookupTarget
from ..ledger.address import ledger_argument
from ..ledger.joined import Selection
from ..options import ConnectionOptions
from ..output.destination import place_of
from ..output.existing_output import existing_names
from ..output.joined_file import JoinedOutput
from ..output.joined_row import (
    OPEN,
    AnswerGroup,
    JoinedAnswer,
    JoinedRow,
    JoinedTable,
    OwnColumns,
)
from ..runtime.session import CommandSession
from ..text import counted, plural
from .answer_origins import AnswerOrigins
from .enrich_joined import note_long_write
from .waterfall_rows import (
    ANSWERED,
    BATCH,
    EXPORTED,
    FINAL_ERRORS,
    METHOD,
    WHAT,
    KnownAnswers,
    KnownRows,
    WaterfallOptions,
    added_columns,
    asked_words,
    export_text,
    is_in_doubt,
    status_of,
    target_of,
)

_MOST_COUNTED = 10_000
"""Rows that are kept of those that were read to count what they cost."""
_REOPENS = OPEN | {"partial", "nothing"}
"""The statuses of rows that a later run may change, as one that asks another provider."""


class _WantedRow(NamedTuple):
    """A row of the file, and what the ledger has for it."""

    position: int
    row: TableRow
    link: LookupTarget | None
    """None where it has no usable one."""
    reason: str
    """Why not."""
    asks: bool
    """Whether it is among those that `--limit` allows."""
    result: Profile | None
    unasked: Sequence[Step]
    """The steps that it may still need, whatever those before them bring."""

    @property
    def key(self) -> int:
        """The same for all rows of its link."""
        assert self.link is not None  # only such rows are compared
        return hash((self.link.kind, self.link.key))

    @property
    def target(self) -> Target:
        """What it asks for, with its position as the text."""
        assert self.link is not None  # only such rows are asked about
        return target_of(self.link, str(self.position))


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
        group = AnswerGroup(options.prefix, None, self._columns, "", column=targets.column)
        self._table = JoinedTable(OwnColumns(targets.table), [group])
        self._table.check_names(as_json=options.format in ("jsonl", "parquet"))
        self._existing = existing_names(options.out, options.format, targets)
        self._known_rows = KnownRows(
            targets, known, options.wanted, self._columns, options.limit, store
        )
        self._output: JoinedOutput
        self.on_begin: Callable[[RunInputs], None] = lambda inputs: None
        """Called with the inputs of the run before anything is bought."""
        self.was_looked_up: Callable[[str], bool]
        """Whether an answer was received for a target, by its text; it is called once for each."""
        self._reading = self._read()
        self._counted: deque[_WantedRow] = deque()
        """Rows that were read to count what they cost."""
        self._rows: dict[str, _WantedRow] = {}
        self._asked: set[int] = set()
        """The links that were asked about, and what came was no failure."""
        self._repeats: Counter[int] = Counter()
        """How many other rows have them."""
        self._error: CommandError | None = None
        self._pipe_closed = False
        self._over_budget = False
        self._refusal: LixError | None = None
        """Why a provider was not asked any more."""
        self._origins = AnswerOrigins(datetime.fromtimestamp(session.monitor.clock.wall(), UTC))

    async def _read(self, first: int = 1) -> AsyncGenerator[_WantedRow]:
        """The rows of the file from a position on, each with what the ledger has for it."""
        options, monitor = self._options, self._session.monitor
        selection = Selection(options.limit)
        for position, row in enumerate(self._targets.table.rows(), start=1):
            if position % BATCH == 0:
                if monitor.stopping:
                    raise Interrupted
                await anyio.lowlevel.checkpoint()
            if position < first and options.limit is None:
                continue
            link, reason = self._targets.find(row)
            asks = link is not None and selection.takes(link)
            if position < first:
                continue
            result: Profile | None = None
            unasked: Sequence[Step] = ()
            if link is not None and asks:
                result = await self._known_rows.result(link, position)
                unasked = self._unasked(result)
            if self._known_rows.inputs is not None:
                self._known_rows.keep(position, None if unasked else result)
            yield _WantedRow(position, row, link, reason, asks, result, unasked)

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

    # What it costs

    async def preview(self) -> Preview:
        """What a run would cost at most, by what the ledger has."""
        credits: Counter[CreditKind] = Counter()
        calls = rows = invalid = answered = in_doubt = unpriced = 0
        seen: set[int] = set()
        async for one in self._read():
            rows += 1
            invalid += one.link is None
            if one.link is None or one.result is None:
                continue
            if one.key in seen:
                continue
            seen.add(one.key)
            answered += not one.unasked
            in_doubt += is_in_doubt(one.result)
            calls += len(one.unasked)
            for step in one.unasked:
                credits[step.price.kind] += step.price.amount
                unpriced += step.price.kind == "unknown"
        rate = self._session.monitor.rate
        return Preview(
            inputs=rows,
            distinct=len(seen),
            invalid=invalid,
            answered=answered,
            in_doubt=in_doubt,
            calls=calls,
            listings=0,
            credits={kind: n for kind, n in credits.items() if n},
            unpriced=unpriced,
            balances=None,
            requests_left=None,
            refreshes_at=None,
            seconds=None if rate is None else calls * rate.interval,
        )

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
        if estimate.in_doubt:
            held = f"{estimate.in_doubt:,}, not looked up again unless --doubts says so"
            head.append(("In doubt", held))
        names = ", ".join(dict.fromkeys(step.provider for step in self._known.waterfall.steps))
        head += [
            ("Providers", names),
            ("To look up", f"{estimate.calls:,} at most" if estimate.calls else "none"),
        ]
        print_estimate(head, estimate, self._session.monitor.rate)
        return OK

    async def _confirm(self, connection: ConnectionOptions) -> None:
        """Ask before the run costs more than the threshold; counting stops there.

        The rows that were counted are kept for the run, as far as they are few.

        Raises:
            CommandError: The answer was no, or there is no terminal.
            Interrupted: The command was stopped.
        """
        if is_confirmed(connection):
            return
        self._session.monitor.state = "counting"
        limit, credits = connection.confirm_above, 0
        seen: set[int] = set()
        position, full_at = 0, 0
        async for one in self._reading:
            position = one.position
            if one.unasked and one.key not in seen:
                seen.add(one.key)
                credits += sum(step.price.amount for step in one.unasked)
            if not full_at:
                self._keep(one)
                full_at = position if len(self._counted) >= _MOST_COUNTED else 0
            if credits > limit:
                break
        if full_at:
            await self._reading.aclose()
            self._reading = self._read(full_at + 1)
        self._session.monitor.state = "requesting"
        what = f"this costs more than {credits_text(limit)} (--dry-run says how many)"
        await confirm(credits, what, connection, self._session)

    def _keep(self, one: _WantedRow) -> None:
        if one.unasked:
            self._counted.append(one)
        else:
            self._skip(one)

    def _skip(self, one: _WantedRow) -> None:
        """Count a row that needs nothing; it is written with all of them at the end."""
        if one.link is not None and one.key in self._asked:
            self._repeats[one.key] += 1
        self._session.counts.items += 1

    # The run

    async def run(self, connection: ConnectionOptions) -> int:
        """Fill the rows; returns the exit code.

        Raises:
            CommandError: The run failed, or some rows have no answer.
            Interrupted: The user stopped the run.
        """
        options, store = self._options, self._store
        place = place_of(options.out)
        await self._check_existing(place)
        run = await store.begin_run(options.run_name, METHOD, "", None)
        inputs = self._known_rows.inputs = RunInputs(store, run)
        await self._known_rows.begin()
        await self._confirm(connection)
        self.on_begin(inputs)
        self._open_output()
        statuses: list[Counter[str]] = []
        ended = False
        try:
            await store.add_export(place, export_text(options))
            async with self._buying.run(self._wanted()) as results:
                async for result in results:
                    self._deliver(result)
                    if self._error is not None or self._pipe_closed:
                        break
            ended = True
        except LixError as error:
            self._error = self._error or command_error_for(error)
            ended = True
        finally:
            self._session.progress.stop()
            with anyio.CancelScope(shield=True):
                statuses = await self._end(run)
                if not (ended or options.quiet):  # an answer in flight did not come in time
                    console.print_note(self._summary(statuses))
        return self._finish(statuses)

    def _open_output(self) -> None:
        options = self._options
        self._output = JoinedOutput(
            options.out, options.format, self._table, bom=options.bom, reopens=_REOPENS
        )
        self._output.open(self._existing)

    async def _check_existing(self, place: str) -> None:
        """Check that an output has rows of this file, bought with this ledger.

        Raises:
            CommandError: It has others: they would be lost, or paid for again.
        """
        if self._existing is None:
            return
        out, name = self._options.out, self._options.run_name
        exports = await self._store.statement(lambda tables: tables.exports(), writes=False)
        matches = [match for one in exports if (match := EXPORTED.match(one.what))]
        here = [one.what for one in exports if one.place == place]
        strange = set(self._existing) - {*self._table.headings, *self._table.groups[0].keys}
        own = {*self._table.own.sampled_keys(), *self._table.own.headings}
        if strange - own or not all(what.startswith(WHAT) for what in here):
            raise CommandError(
                f"{out} has other columns than this command writes",
                hint="choose another file with --out",
            )
        earlier = [match["run"] for what in here if (match := EXPORTED.match(what))]
        file = name.rpartition(" ")[0]
        if earlier and (other := earlier[-1].rpartition(" ")[0]) != file:
            raise CommandError(f"{out} has the rows of {other}", hint="choose another name")
        if not here and all(match["run"] != name for match in matches):
            raise CommandError(
                f"{out} was written with another ledger, and its rows would be paid for again",
                hint="pass that ledger with --store, or choose another name",
            )

    async def _wanted(self) -> AsyncIterator[Target]:
        """The targets that the ledger has no whole answer for, each when it is asked for."""
        monitor = self._session.monitor
        while self._counted and not monitor.stopping:
            if self._asks(one := self._counted.popleft()):
                yield one.target
            else:
                self._skip(one)
        try:
            async for one in self._reading:
                if monitor.stopping:
                    return
                if one.unasked and self._asks(one):
                    yield one.target
                elif one.link is None:
                    self._add(one.position, one.row, JoinedAnswer("invalid", one.reason))
                else:
                    self._skip(one)
        except Interrupted:
            return

    def _asks(self, one: _WantedRow) -> bool:
        """Whether a row is asked about: the first one of its link is."""
        if one.key in self._asked:
            return False
        self._asked.add(one.key)
        self._rows[one.target.text] = one
        return True

    def _deliver(self, result: Profile) -> None:
        one = self._rows.pop(result.target.text)
        self._session.counts.credits += result.credits
        for error in result.errors.values():
            if isinstance(error, BudgetError):
                self._over_budget = True
            elif isinstance(error, LASTING_ERRORS):
                self._refusal = error
        status = status_of(result, self._options.wanted)
        if status in ANSWERED:
            self._count_origin(result)
        else:
            self._asked.discard(one.key)
        if status not in ("pending", "in_doubt"):
            answer = self._columns.answer(result, status)
            self._add(one.position, one.row, answer, flush=True)

    def _count_origin(self, result: Profile) -> None:
        """Count a row whose link was asked about; another id of it may have been bought before."""
        errors = result.errors.values()
        refused = any(isinstance(one, FINAL_ERRORS) and not one.cached for one in errors)
        if self.was_looked_up(result.target.text) or refused:
            self._origins.looked_up += 1
        else:
            times = (one.at for one in result.sources.values() if one.endpoint != INPUT)
            self._origins.add(max(times, default=None))

    def _add(
        self, position: int, row: TableRow, answer: JoinedAnswer, *, flush: bool = False
    ) -> None:
        self._session.counts.items += 1
        if self._output.continues and not flush:  # it is there, or written at the end
            return
        try:
            self._output.add(position, JoinedRow(row, [answer]), flush=flush)
        except CommandError as error:
            self._error = self._error or error
        except BrokenPipeError:
            self._pipe_closed = True

    async def _end(self, run: int) -> list[Counter[str]]:
        """Write the rows in the order of the file, by what the ledger has, and close the output."""
        statuses: list[Counter[str]] = []
        try:
            await self._reading.aclose()
            note_long_write(self._session, quiet=self._options.quiet)
            if not self._pipe_closed:
                statuses = await self._output.write_all(self._known_rows.batches)
                self._count_others(statuses[0])
            await self._store.end_run(run)
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

    def _count_others(self, statuses: Counter[str]) -> None:
        """Count the rows that were not asked about, by what was written of all."""
        origins = self._origins
        origins.duplicates += sum(self._repeats[key] for key in self._asked & self._repeats.keys())
        answered = sum(statuses[status] for status in ANSWERED)
        origins.add_undated(max(answered - origins.total, 0))

    def _finish(self, statuses: list[Counter[str]]) -> int:
        if self._pipe_closed:
            return OK
        if not self._options.quiet:
            console.print_note(self._summary(statuses))
            if in_doubt := self._known_rows.in_doubt:
                console.print_note(
                    f"{counted(in_doubt, 'row')} {plural(in_doubt, 'has')} a lookup in "
                    "doubt: no answer received, may have been charged; --doubts retry looks it up "
                    "again.\n"
                    f"  lix run doubts{ledger_argument(self._options.ledger)}"
                )
        if self._session.monitor.stopping:
            raise Interrupted
        if self._error is not None:
            raise self._error
        counts = statuses[0] if statuses else Counter[str]()
        left = counts["pending"]
        over = self._over_budget or self._refusal is not None
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
            if self._refusal is not None:
                raise refusal_error(self._refusal, text)
            raise CommandError(
                rows, hint="run the same command again; only those are looked up", code=NETWORK
            )
        return OK

    def _summary(self, statuses: list[Counter[str]]) -> str:
        counts = statuses[0] if statuses else Counter[str]()
        words = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.most_common())
        place = "" if self._options.out is None else f" in {self._options.out}"
        stats = self._buying.stats
        lost = sum(one.lost for one in stats.values()) + self._buying.reserved
        parts = [f"{words or 'no rows'}{place}"] if statuses else []  # none: not written
        parts.append(credits_text(sum(one.credits for one in stats.values()), lost))
        parts += [*asked_words(stats), *self._origins.words()]
        return ", ".join(parts)
