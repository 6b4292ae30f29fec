"""`lix enrich` into the user's own table: every row of the input, with what was found beside it."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple, cast

import anyio
import msgspec

from ...bulk import Outcome, Run
from ...bulk.prepared_call import CallKey
from ...core.errors import LixError
from ...engine.call_key import Input, PreparedCall
from ...ledger.records import Export
from ...ledger.store import Entry
from ...ledger.tables import SqlTables
from ...providers.lix.client import AsyncLix
from .. import console
from ..errors import NETWORK, OK, CommandError, Interrupted, command_error_for
from ..input.lookup_kinds import LookupKind
from ..input.table import TableRow, TableTargets, open_table
from ..input.targets import LOOKUPS, LookupTarget, TargetCallPreparer, lookup_kind
from ..ledger.address import ledger_argument
from ..ledger.joined import Joiner, Selection, accepts, answer_of_outcome, refused_kind
from ..options import Format
from ..output.answer_columns import AnswerColumns, chosen_columns
from ..output.destination import place_of
from ..output.joined_file import CsvStyle, JoinedOutput
from ..output.joined_row import (
    AnswerGroup,
    JoinedAnswer,
    JoinedRow,
    JoinedTable,
    OwnColumns,
    triples,
)
from ..output.schema import LookupSchema
from ..output.workbook import check_workbooks
from ..runtime.session import CommandSession
from ..text import plural
from .enrich_run import EnrichOptions, RunCommand, days_text

SAMPLE_ROWS = 1000
"""Rows whose links decide which kinds of columns are added."""
LARGEST_COUNTED = 20 << 20
"""Bytes of a file whose rows are counted before the run, for the progress line."""
_LARGEST_WHOLE_READ = 1 << 20
_SETTLED_AT_ONCE = 50_000
_EXPORTED = re.compile(
    r"lix enrich (?P<run>.* [0-9a-f]+) --as (?P<kinds>[a-z,]+) --prefix (?P<prefix>.*)", re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class JoinedOptions:
    """The options of `lix enrich` that affect a joined output."""

    out: Path | None
    format: Format
    kinds: tuple[LookupKind | None, ...]
    prefix: str
    columns: str | None
    limit: int | None
    bom: bool
    quiet: bool


class RowInput(NamedTuple):
    """An input of the run: a row, and which of the kinds it is looked up as."""

    position: int
    row: TableRow
    target: LookupTarget
    kind_index: int


_ARGUMENT_KINDS: Mapping[str, LookupKind] = {
    "profile_link": "person",
    "email": "person",
    "url": "email",
    "linkedin_url": "org",
    "sales_nav_url": "org",
}
"""Of several kinds, the one that an input is of, by the name of its parameter."""


def _argument(kind: LookupKind, target: LookupTarget) -> str:
    if kind == "email":
        return "url"
    if kind == "org":
        return "sales_nav_url" if target.sales else "linkedin_url"
    return "email" if target.kind == "email" else "profile_link"


class RowCallPreparer(TargetCallPreparer):
    """Turns rows into calls, of one kind of lookup or of several for each row."""

    def __init__(self, lix: AsyncLix, kinds: Sequence[LookupKind | None]) -> None:
        super().__init__(lix, kinds[0])
        self._kinds = kinds
        self.by_kind = {kind: TargetCallPreparer(lix, kind) for kind in kinds}

    def input_of(self, row: object) -> Input:
        one = cast("RowInput", row)
        kind = self._kinds[one.kind_index]
        if len(self._kinds) == 1 or kind is None:
            return one.target.sent
        return {_argument(kind, one.target): one.target.sent}

    def call_key(self, given: Input) -> CallKey:
        preparer, text = self._of(given)
        return preparer.call_key(text)

    def call(self, given: Input) -> PreparedCall:
        preparer, text = self._of(given)
        return preparer.call(text)

    def _of(self, given: Input) -> tuple[TargetCallPreparer, Input]:
        if not isinstance(given, Mapping):
            return self.by_kind[self._kinds[0]], given
        ((name, text),) = given.items()
        return self.by_kind[_ARGUMENT_KINDS[name]], cast("str", text)


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
        self._preparers = dict(self._preparer.by_kind)
        self._own = OwnColumns(targets.table)
        self._sample_kinds = self._kinds_of_sample()
        self._existing = existing_names(joined.out, joined.format, targets)
        self._groups: list[AnswerGroup] = []
        self._asked: list[AnswerGroup] = []
        self._output: JoinedOutput
        self._numbers: deque[int] = deque()
        self._settled = bytearray()
        self._settled_rows = 0
        self._partial: dict[int, list[JoinedAnswer | None]] = {}
        self._live = True
        self._answered = self._known = self._other_ids = 0
        self._known_days: tuple[datetime, datetime] | None = None
        self._statuses: list[Counter[str]] = []
        self._run: Run[object] | None = None
        self._began = datetime.fromtimestamp(session.monitor.clock.wall(), UTC)
        if self._existing is None:
            self._make_table(())

    @property
    def _place(self) -> Path | None:
        return self._joined.out

    def _kinds_of_sample(self) -> list[LookupKind]:
        found: dict[LookupKind, None] = {}
        for row in islice(self._targets.table.rows(), SAMPLE_ROWS):
            target, _ = self._targets.find(row)
            if target is not None:
                found[lookup_kind(None, target)] = None
        return list(found) or ["person"]

    # The columns

    def _make_table(self, exports: Sequence[Export]) -> None:
        """Decide about the columns, with those that the output has already."""
        joined = self._joined
        names = [] if self._existing is None else self._existing
        there = {prefix: place for place, prefix in triples(names)}
        runs = _exported(exports, place_of(joined.out), joined.prefix)
        self._groups = []
        self._asked = []
        for index, kind in enumerate(joined.kinds):
            prefix = self._prefix(kind, there, runs)
            columns = joined.columns
            if columns is None and prefix in there and joined.format != "jsonl":
                columns = self._columns_there(kind, prefix, names, there)
            self._asked.append(
                AnswerGroup(
                    prefix,
                    kind,
                    self._answer_columns(kind, chosen_columns(columns, joined.format)),
                    self._options.run_name,
                    len(joined.kinds),
                    index,
                )
            )
        asked = {group.prefix: group for group in self._asked}
        for prefix in there:
            if prefix in asked:
                self._groups.append(asked.pop(prefix))
            elif (run := runs.get(prefix)) is not None:
                self._groups.append(self._earlier_group(prefix, run, names, there))
            elif exports:
                raise CommandError(
                    f"{joined.out} has columns {prefix}… of lookups that are not in this ledger",
                    hint="choose another --out, or the ledger that has them with --store",
                )
        self._groups += asked.values()
        self._table = JoinedTable(self._own, self._groups)
        self._table.check_names(as_json=joined.format in ("jsonl", "parquet"))

    def _prefix(
        self, kind: LookupKind | None, there: Mapping[str, int], runs: Mapping[str, _EarlierRun]
    ) -> str:
        base = self._joined.prefix
        own = f"{base}{kind}_"
        if kind is None:
            return base
        if len(self._joined.kinds) > 1 or own in there:
            return own
        earlier = runs.get(base)
        if base in there and earlier is not None and not _same_kind(earlier.kind, kind):
            return own
        return base

    def _answer_columns(self, kind: LookupKind | None, chosen: str) -> AnswerColumns:
        kinds = self._sample_kinds if kind is None else [kind]
        return AnswerColumns({one: LOOKUPS[one].endpoint.result for one in kinds}, chosen)

    def _columns_there(
        self, kind: LookupKind | None, prefix: str, names: Sequence[str], there: Mapping[str, int]
    ) -> str | None:
        """The columns that a group has in the output; None where they cannot be told."""
        start = there[prefix] + 3
        end = min((place for place in there.values() if place >= start), default=len(names))
        found: list[str] = []
        for heading in names[start:end]:
            name = heading.removeprefix(prefix)
            owner, _, rest = name.partition("_")
            kinds = self._sample_kinds if kind is None else [kind]
            owners = {LOOKUPS[one].endpoint.result.__name__.lower() for one in kinds}
            found.append(rest if owner in owners and rest else name)
        return ",".join(found) or None

    def _earlier_group(
        self, prefix: str, run: _EarlierRun, names: Sequence[str], there: Mapping[str, int]
    ) -> AnswerGroup:
        columns = None
        if self._joined.format != "jsonl":
            columns = self._columns_there(run.kind, prefix, names, there)
        self._preparers.setdefault(run.kind, TargetCallPreparer(self._session.lix, run.kind))
        chosen = chosen_columns(columns, self._joined.format)
        found = self._answer_columns(run.kind, chosen)
        return AnswerGroup(prefix, run.kind, found, run.name, run.stride, run.kind_index)

    # The run

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
                    self._make_table(await self._exports())
                    await self._find_settled()
                    if self.confirm is not None:
                        await self.confirm(self._preparer, self._open_inputs())
                    self._open_output()
                    opened = True
                    self._run = run = self._new_run(
                        self._preparer, self._inputs(), self._next_numbers(), await self._doubts()
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

    async def _exports(self) -> list[Export]:
        if self._existing is None:
            return []
        return await self._store.statement(lambda tables: tables.exports(), writes=False)

    def _open_output(self) -> None:
        joined, table = self._joined, self._targets.table
        if joined.format == "xlsx":
            check_workbooks()
        style = CsvStyle(bom=joined.bom)
        if table.format == "csv":
            style = CsvStyle(table.delimiter, table.line_end, joined.bom)
        is_file = table.format == joined.format == "parquet" and Path(table.path).exists()
        beside = Path(table.path) if is_file else None
        self._output = JoinedOutput(joined.out, joined.format, self._table, style, beside)
        self._output.open(self._existing)
        self._live = self._groups == self._asked

    async def _find_settled(self) -> None:
        """Note the rows whose lookups have ended, a bit for each: they are not asked for again."""
        if self._options.buys_again or self._options.recheck:
            return
        name = self._options.run_name
        run = await self._store.statement(lambda tables: tables.run_named(name), writes=False)
        after = 0
        while run is not None:
            number, last = run, after
            rows = await self._store.statement(
                partial(_settled_inputs, run=number, after=last), writes=False
            )
            if not rows:
                return
            after = rows[-1]
            bits = self._settled
            bits.extend(bytes(after // 8 + 1 - len(bits)))
            for row in rows:
                bits[row >> 3] |= 1 << (row & 7)

    def _is_settled(self, number: int) -> bool:
        bits = self._settled
        return number >> 3 < len(bits) and bool(bits[number >> 3] & 1 << (number & 7))

    def _open_inputs(self) -> Iterator[RowInput]:
        """The inputs that have no answer yet."""
        selection = Selection(self._joined.limit)
        stride = len(self._joined.kinds)
        for one in self._inputs_again():
            if not selection.takes(one.target):
                return
            if not self._is_settled((one.position - 1) * stride + 1 + one.kind_index):
                yield one

    def _inputs(self) -> Iterator[RowInput]:
        """The inputs of the run, each when it is asked for."""
        selection = Selection(self._joined.limit)
        find, kinds = self._targets.find, self._joined.kinds
        stride = len(kinds)
        for position, row in enumerate(self._targets.table.rows(), start=1):
            first = (position - 1) * stride + 1
            settled = [self._is_settled(first + index) for index in range(stride)]
            if selection.limit is None and all(settled):
                self._settled_rows += 1
                self._session.counts.items += 1
                continue
            target, reason = find(row)
            if target is None:
                self._add_row(position, row, [JoinedAnswer("invalid", reason)] * stride)
                continue
            if not selection.takes(target):
                return
            self._settled_rows += all(settled)
            for index, kind in enumerate(kinds):
                if not accepts(kind, target):
                    self._add_answer(position, row, index, refused_kind(row, kind, target))
                elif not settled[index]:
                    self._numbers.append(first + index)
                    yield RowInput(position, row, target, index)

    def _next_numbers(self) -> Iterator[int]:
        while True:
            yield self._numbers.popleft()

    async def _process(self, run: Run[object]) -> None:
        try:
            async with run:
                place = place_of(self._joined.out)
                kinds = ",".join(kind or "auto" for kind in self._joined.kinds)
                run_name, prefix = self._options.run_name, self._joined.prefix
                what = f"lix enrich {run_name} --as {kinds} --prefix {prefix}"
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
        if outcome.cached and outcome.bought_at is not None and outcome.bought_at < self._began:
            self._known += 1
            self._other_ids += bool(outcome.via)
            first, last = self._known_days or (outcome.bought_at, outcome.bought_at)
            self._known_days = min(first, outcome.bought_at), max(last, outcome.bought_at)
        if answer.status == "in_doubt":
            self._reported_doubts.add(outcome.key)
            return
        new = outcome.attempts > 0 or not outcome.cached
        self._add_answer(one.position, one.row, one.kind_index, answer, new=new)

    def _add_answer(
        self, position: int, row: TableRow, index: int, answer: JoinedAnswer, *, new: bool = False
    ) -> None:
        answers: list[JoinedAnswer | None]
        if len(self._asked) == 1:
            answers = [answer]
        else:
            answers = self._partial.setdefault(position, [None] * len(self._asked))
            answers[index] = answer
            if None in answers:
                return
            del self._partial[position]
        self._add_row(position, row, cast("list[JoinedAnswer]", answers), new=new)

    def _add_row(
        self, position: int, row: TableRow, answers: Sequence[JoinedAnswer], *, new: bool = False
    ) -> None:
        self._session.counts.items += 1
        if not self._live or (self._output.continues and not new) or self._error is not None:
            return
        try:
            self._output.add(position, JoinedRow(row, answers), flush=new)
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
        nothing = not (self._answered or self._settled_rows or self._output.continues)
        try:
            if abandoned and self._run is not None:
                await self._run.aclose(0)
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
        if not texts:
            texts = [f"{self._answered:,} {plural(self._answered, 'answer')}"]
        return [f"{'; '.join(texts)}{place}"]

    def _known_words(self) -> list[str]:
        words: list[str] = []
        if self._known_days is not None:
            other = f" ({self._other_ids:,} under another id)" if self._other_ids else ""
            words.append(
                f"{self._known:,} from the ledger{other}, bought {days_text(self._known_days)}"
            )
        if self._settled_rows:
            words.append(f"{self._settled_rows:,} answered before")
        return words


class _EarlierRun(NamedTuple):
    name: str
    kind: LookupKind | None
    stride: int
    kind_index: int


def _same_kind(one: LookupKind | None, other: LookupKind) -> bool:
    return one == other or (one is None and other != "email")


def _exported(exports: Sequence[Export], place: str, base: str) -> dict[str, _EarlierRun]:
    """The runs whose answers an output has, by the prefix of their columns."""
    runs: dict[str, _EarlierRun] = {}
    for one in exports:
        match = _EXPORTED.fullmatch(one.what) if one.place == place else None
        if match is None:
            continue
        kinds = match["kinds"].split(",")
        for index, name in enumerate(kinds):
            kind = None if name == "auto" else cast("LookupKind", name)
            run = _EarlierRun(match["run"], kind, len(kinds), index)
            prefix = match["prefix"]
            own = f"{prefix}{name}_"
            earlier = runs.get(prefix)
            if (
                len(kinds) > 1
                or own in runs
                or (earlier is not None and kind is not None and not _same_kind(earlier.kind, kind))
            ):
                runs[own] = run
            else:
                runs[prefix] = run
    return runs


def _settled_inputs(tables: SqlTables, run: int, after: int) -> list[int]:
    return tables.settled_inputs(run, after, _SETTLED_AT_ONCE)


Mode = Literal["new", "joined", "distinct"]


def existing_mode(path: Path | None, file_format: Format) -> Mode:
    """What an output file is: of an earlier run of either kind, or none.

    Raises:
        CommandError: It cannot be read.
    """
    names = _names_of(path, file_format)
    if names is None:
        return "new"
    if any(True for _ in triples(names)):
        return "joined"
    return "distinct" if {"input", "status"} <= set(names) else "new"


def existing_names(
    path: Path | None, file_format: Format, targets: TableTargets
) -> list[str] | None:
    """The headings, or keys, of an output that an earlier run has written; None for no file.

    Raises:
        CommandError: The file is none of this input.
    """
    names = _names_of(path, file_format)
    if names is None:
        return None
    own = OwnColumns(targets.table)
    headings = own.sampled_keys() if file_format in ("jsonl", "parquet") else own.headings
    first = next((place for place, _ in triples(names)), None)
    if first is None:
        raise CommandError(
            f"{path} already exists and is not {file_format} output of `lix enrich`",
            hint="choose another name",
        )
    ours = names[:first]
    if file_format == "jsonl":
        fits = set(ours) <= set(headings)
    else:
        fits = [name.strip() for name in ours] == [name.strip() for name in headings]
    if not fits:
        raise CommandError(
            f"{path} already exists and has the columns of another file",
            hint="choose another name",
        )
    return list(names)


def _names_of(path: Path | None, file_format: Format) -> Sequence[str] | None:
    """The headings or keys of a file; None where there is none, or an empty one."""
    if path is None or not path.exists() or (path.is_file() and not path.stat().st_size):
        return None
    if path.is_symlink() or not path.is_file():
        return None  # opening it says what is wrong
    if file_format == "jsonl":
        try:
            with path.open("rb") as file:
                line = file.readline(_LARGEST_WHOLE_READ)
            return list(msgspec.json.decode(line, type=dict[str, object]))
        except OSError as error:
            raise CommandError(
                f"cannot read {path}: {error.strerror or error}", hint="check its permissions"
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return (
                () if LookupSchema.meta_fields[0].encode() not in line[:10] else ("input", "status")
            )
    if file_format == "csv":
        return _first_record(path)
    return open_table(str(path)).names


def _first_record(path: Path) -> Sequence[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            head = file.read(_LARGEST_WHOLE_READ)
    except OSError as error:
        raise CommandError(
            f"cannot read {path}: {error.strerror or error}", hint="check its permissions"
        ) from None
    for delimiter in ",;\t|":
        names = next(csv.reader(head.splitlines(keepends=True), delimiter=delimiter), [])
        if any(True for _ in triples(names)) or "status" in names:
            return names
    return ()


def run_name(
    file: str, kinds: Sequence[LookupKind | None], targets: TableTargets, more: str
) -> str:
    """The name of the run of a file: another file, or another content, is another run.

    Its inputs are numbered by the positions of their rows.

    Args:
        file: The input file.
        kinds: The kinds of lookup.
        targets: Its links.
        more: Options on which it depends what a row's link is.
    """
    names = ",".join(kind or "auto" for kind in kinds)
    head = f"{names}\n{targets.column}\n{more}\n"
    digest = hashlib.blake2b(head.encode("utf-8", "replace"), digest_size=6)
    if file == "-":
        for row in targets.table.rows():
            digest.update(repr(row.cells).encode("utf-8", "replace"))
    else:
        with Path(file).open("rb") as source:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
    place = "stdin" if file == "-" else Path(file).resolve()
    return f"{place} {digest.hexdigest()}"


def count_rows(file: str, targets: TableTargets) -> int | None:
    """The rows of a file, where counting them takes no time."""
    if file == "-" or Path(file).stat().st_size > LARGEST_COUNTED:
        return None
    return sum(1 for _ in targets.table.rows())
