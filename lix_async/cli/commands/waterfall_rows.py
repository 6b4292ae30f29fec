"""The rows of a table with what a ledger has for them from several providers."""

from __future__ import annotations

import re
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import anyio.lowlevel
import msgspec

from ...core.errors import (
    BudgetError,
    ConfigurationError,
    DecodeError,
    InDoubtError,
    InvalidParamsError,
    NotFoundError,
    SuppressedError,
)
from ...engine.run_inputs import RunInputs
from ...ledger.store import Store
from ...waterfall import Order, Profile, Step, StepResult, StepStats, Target, Waterfall
from ..input.table import TableRow, TableTargets
from ..input.targets import LookupTarget
from ..ledger.joined import Selection
from ..options import Format
from ..output.answer_columns import chosen_columns
from ..output.field_columns import FieldColumns
from ..output.joined_row import JoinedAnswer, JoinedRow, JoinedStatus
from ..text import counted

BATCH = 200
"""Rows between two moments at which other tasks run."""
METHOD = "waterfall"
WHAT = "lix waterfall"
EXPORTED = re.compile(
    rf"{WHAT} (?P<run>.* [0-9a-f]+) --want (?P<wanted>[a-z_,]+)"
    r"(?: --providers (?P<providers>[a-z,]+) --order (?P<order>[a-z]+))? --prefix ",
    re.DOTALL,
)
"""What the ledger has noted about an output of `lix waterfall`; see `export_text`."""
ANSWERED: frozenset[str] = frozenset({"filled", "partial", "nothing"})
"""The statuses of rows that have answers."""
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
    ledger: str = ""
    """Its address."""
    run_name: str = ""
    """The run in the ledger."""
    providers: tuple[str, ...] = ()
    """The names of those that are asked."""
    order: Order = "given"


def export_text(options: WaterfallOptions) -> str:
    """What is noted in the ledger about an output."""
    wanted = ",".join(options.wanted)
    asked = f"--providers {','.join(options.providers)} --order {options.order}"
    return f"{WHAT} {options.run_name} --want {wanted} {asked} --prefix {options.prefix}"


def status_of(result: Profile, wanted: tuple[str, ...]) -> JoinedStatus:
    """What a result is: `filled`, `partial`, `nothing`, or `pending` if a step was not asked."""
    if result.filled(wanted):
        return "filled"
    if any(isinstance(error, SuppressedError) for error in result.errors.values()):
        return "suppressed"
    if any(source.endpoint != "input" for source in result.sources.values()):
        return "partial"
    if is_in_doubt(result):
        return "in_doubt"
    open_ = any(not isinstance(error, FINAL_ERRORS) for error in result.errors.values())
    return "pending" if open_ else "nothing"


def is_in_doubt(result: Profile) -> bool:
    """Whether a lookup of a result was sent, and no answer was received."""
    return any(isinstance(error, InDoubtError) for error in result.errors.values())


def asked_words(stats: Mapping[str, StepStats]) -> list[str]:
    """For each step that was asked, how often, and how many fields that brought."""
    return [
        f"{name}: asked {one.asked - one.known:,}, "
        f"{counted(one.filled.total() - one.known_values, 'field')}"
        for name, one in stats.items()
        if one.asked > one.known
    ]


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

    async def result(self, target: Target) -> Profile:
        """What the ledger has for a target."""
        return await self.waterfall.profile(target)

    def _noting(self, step: Step) -> Step:
        async def ask(target: Target) -> StepResult:
            found = await step.ask(target)
            self._answered.setdefault(target.text, set()).add(step.name)
            return found

        return msgspec.structs.replace(step, lookup=ask)


class FoundAnswers:
    """Answers of the first rows of a file, in a temporary file until all rows are written."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._encoder = msgspec.msgpack.Encoder()
        self._last = 0

    def add(self, position: int, answer: JoinedAnswer | None) -> None:
        """Keep the answer of the next row; nothing is kept of one that was there before.

        Args:
            position: The row.
            answer: Its answer; None where it is to be looked for again.
        """
        if position != self._last + 1:
            return
        if self._file is None:
            self._file = cast("BinaryIO", TemporaryFile(buffering=1 << 18))  # noqa: SIM115  (it is closed with this object)
            weakref.finalize(self, self._file.close)
        self._last = position
        data = b"" if answer is None else self._encoder.encode(answer)
        self._file.write(len(data).to_bytes(4, "little") + data)

    def read(self) -> Iterator[JoinedAnswer | None]:
        """The answers, row by row."""
        if self._file is None:
            return
        self._file.seek(0)
        decode = msgspec.msgpack.Decoder(JoinedAnswer).decode
        while head := self._file.read(4):
            size = int.from_bytes(head, "little")
            yield decode(self._file.read(size)) if size else None


class KnownRows:
    """The rows of a table, each with what the ledger has for it.

    Args:
        targets: The links of the table.
        known: What the ledger has.
        wanted: The fields to fill.
        columns: The columns that are added.
        limit: How many distinct links are asked about at most; None for all.
        store: The ledger.
    """

    def __init__(
        self,
        targets: TableTargets,
        known: KnownAnswers,
        wanted: tuple[str, ...],
        columns: FieldColumns,
        limit: int | None,
        store: Store,
    ) -> None:
        self.inputs: RunInputs | None = None
        """Where it is noted which lookups the ledger had for a row."""
        self.in_doubt = 0
        """Rows of the last batches with a lookup in doubt."""
        self._targets = targets
        self._known = known
        self._wanted = wanted
        self._columns = columns
        self._limit = limit
        self._store = store
        self._found = FoundAnswers()
        self._forgotten: int | None = None

    async def result(self, link: LookupTarget, position: int) -> Profile:
        """What the ledger has for a row; which lookups these are is noted as the run's inputs."""
        target = target_of(link, str(position))
        if self.inputs is None:
            return await self._known.result(target)
        with self.inputs.calls_for(position):
            return await self._known.result(target)

    async def begin(self) -> None:
        """Begin to read the rows for the first time."""
        self._forgotten = await self._count_forgotten()

    def keep(self, position: int, result: Profile | None) -> None:
        """Keep what was found for a row that needs nothing, so that it is not read again.

        Args:
            position: The row.
            result: What was found; None where more may be found.
        """
        answer: JoinedAnswer | None = None
        if result is not None and (status := status_of(result, self._wanted)) in ANSWERED:
            answer = self._columns.answer(result, status)
        self._found.add(position, answer)

    async def batches(self, first: int) -> AsyncIterator[list[JoinedRow]]:
        """The rows from a position on, with what the ledger has for them."""
        selection = Selection(self._limit)
        rows = enumerate(self._targets.table.rows(), start=1)
        # Where somebody was forgotten meanwhile, all rows are looked for again.
        is_same = self._forgotten == await self._count_forgotten()
        found = self._found.read() if is_same else iter(())
        while batch := list(islice(rows, BATCH)):
            joined: list[JoinedRow] = []
            for position, row in batch:
                answer = next(found, None)
                if answer is None or self._limit is not None:
                    answer = await self._answer(row, position, selection, answer, first)
                if position >= first and answer is not None:
                    joined.append(JoinedRow(row, [answer]))
            if self.inputs is not None:
                self.inputs.flush()
            await anyio.lowlevel.checkpoint()
            if joined:
                yield joined

    async def _answer(
        self,
        row: TableRow,
        position: int,
        selection: Selection,
        found: JoinedAnswer | None,
        first: int,
    ) -> JoinedAnswer | None:
        link, reason = self._targets.find(row)
        if link is None:
            return JoinedAnswer("invalid", reason)
        asks = selection.takes(link)
        if position < first or found is not None:
            return found
        result = await self.result(link, position)
        self._known.take(result)
        self.in_doubt += is_in_doubt(result)
        status = status_of(result, self._wanted)
        if not asks and status == "pending":  # the ledger has nothing
            return JoinedAnswer("not_asked")
        result.errors = {
            name: error
            for name, error in result.errors.items()
            if not isinstance(error, BudgetError)
        }
        return self._columns.answer(result, status)

    async def _count_forgotten(self) -> int:
        return await self._store.statement(lambda tables: tables.count_suppressed(), writes=False)
