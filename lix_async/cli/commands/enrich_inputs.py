"""The rows of a file as inputs of a run, each numbered by its position."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple, cast

import anyio.lowlevel

from ...bulk.prepared_call import CallKey
from ...core.errors import ConfigurationError
from ...engine.call_key import Input, PreparedCall, input_json
from ...ledger.records import CallQuery, InputRow
from ...ledger.store import Store
from ...ledger.tables import SqlTables
from ...providers.lix.client import AsyncLix
from ..input.lookup_kinds import LookupKind
from ..input.table import TableRow, TableTargets
from ..input.target_calls import TargetCallPreparer
from ..input.targets import LookupTarget
from ..ledger.joined import Selection, accepts, refused_kind
from ..output.joined_row import JoinedAnswer
from .answer_origins import AnswerOrigins

FIRST = 16
"""Rows that are looked for at once at first, so that the first request leaves soon."""
MOST = 8000
"""Rows that are looked for at once at most: the ledger writes to the disk after each time."""
MOST_HELD = 10_000
"""Inputs that are kept of those that were read to count what they cost."""
LARGEST_COUNTED = 20 << 20
"""Bytes of a file whose rows are counted before the run, for the progress line."""
_ENDED_AT_ONCE = 50_000


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
        self.kinds = kinds
        self.by_kind: dict[LookupKind | None, TargetCallPreparer] = {
            kind: TargetCallPreparer(lix, kind) for kind in kinds
        }

    def input_of(self, row: object) -> Input:
        one = cast("RowInput", row)
        kind = self.kinds[one.kind_index]
        if len(self.kinds) == 1 or kind is None:
            return one.target.sent
        return {_argument(kind, one.target): one.target.sent}

    def call_key(self, given: Input) -> CallKey:
        preparer, text = self._of(given)
        return preparer.call_key(text)

    def call(self, given: Input, known: CallKey | None = None) -> PreparedCall:
        preparer, text = self._of(given)
        return preparer.call(text, known)

    def _of(self, given: Input) -> tuple[TargetCallPreparer, Input]:
        if not isinstance(given, Mapping):
            return self.by_kind[self.kinds[0]], given
        ((name, text),) = given.items()
        return self.by_kind[_ARGUMENT_KINDS[name]], cast("str", text)


class RowInputs:
    """The inputs of a run in the order of the file, without those that have an answer already.

    Many rows are looked for in the ledger at once: of those that are known, the run need not read
    the answers, which are read when the output is written.

    Args:
        targets: The links of the file.
        preparer: Makes the calls.
        limit: How many distinct links are asked for at most; None for all.
        skips_known: Whether what is known is left out; else it may be bought again.
        origins: Counts those that are left out.
    """

    def __init__(
        self,
        targets: TableTargets,
        preparer: RowCallPreparer,
        limit: int | None,
        *,
        skips_known: bool,
        origins: AnswerOrigins,
    ) -> None:
        self._targets = targets
        self._origins = origins
        self._preparer = preparer
        self._limit, self._selection = limit, Selection(limit)
        self._skips_known = skips_known
        self._done = EndedInputs()
        self._rows = enumerate(targets.table.rows(), start=1)
        self._ready: deque[RowInput] = deque()
        self._numbers: deque[int] = deque()
        self._at_once = FIRST
        self._ended = False
        self._position = 0
        """Rows that were read."""
        self._store: Store
        self._run = 0
        self.on_answer: Callable[[RowInput, JoinedAnswer], None]
        self.on_row: Callable[[int, TableRow, JoinedAnswer], None]
        self.on_known: Callable[[int], None]
        self.check_stopped: Callable[[], None]

    async def begin(self, store: Store, run: int) -> None:
        """Read what an earlier run of the file has done.

        Args:
            store: The ledger.
            run: Its number of the run.
        """
        self._store, self._run = store, run
        self._skips_known &= not (store.has_old_keys or store.has_unlearned)
        if self._skips_known:
            await self._done.read(store, run)

    async def unanswered(self) -> AsyncGenerator[RowInput]:
        """The inputs without an answer, to count what they cost.

        They are kept, so that the file is read once; those after the first `MOST_HELD` are read
        again when the run takes them.
        """
        while not self._ended and len(self._ready) < MOST_HELD:
            for one in await self._read():
                yield one
        if self._ended:
            return
        selection, kinds = self._selection.copy(), self._preparer.kinds
        rows = islice(enumerate(self._targets.table.rows(), start=1), self._position, None)
        for position, row in rows:
            if position % MOST == 0:
                await self._pause()
            left = self._left(position)
            target = self._targets.find(row)[0] if left or self._limit is not None else None
            if target is None:
                continue
            if not selection.takes(target):
                return
            for index in left:
                if accepts(kinds[index], target):
                    yield RowInput(position, row, target, index)

    def numbers(self) -> Iterator[int]:
        """The numbers of the inputs that were taken."""
        while True:
            yield self._numbers.popleft()

    def __aiter__(self) -> RowInputs:
        return self

    async def __anext__(self) -> RowInput:
        while not self._ready:
            if self._ended:
                raise StopAsyncIteration
            await self._read()
        found = self._ready.popleft()
        self._numbers.append(self._number(found))
        return found

    def _number(self, one: RowInput) -> int:
        return (one.position - 1) * len(self._preparer.kinds) + one.kind_index + 1

    def _left(self, position: int) -> Sequence[int]:
        """Which of the inputs of a row had not ended in an earlier run."""
        places, done = range(len(self._preparer.kinds)), self._done
        first = (position - 1) * len(places) + 1
        if first > done.last:
            return places
        return [index for index in places if first + index not in done]

    async def _pause(self) -> None:
        self.check_stopped()
        await anyio.lowlevel.checkpoint()

    async def _read(self) -> list[RowInput]:
        """Read some rows; their inputs that are to be looked up."""
        await self._pause()
        rows = list(islice(self._rows, self._at_once))
        self._ended = not rows
        found: list[RowInput] = []
        for position, row in rows:
            self._position = position
            if not self._add(position, row, found):
                self._ended = True
                break
        unknown = await self._without_known(found) if self._skips_known and found else found
        self._ready += unknown
        if 2 * len(unknown) <= len(rows):  # the more are known, the more are read at once
            self._at_once = min(2 * self._at_once, MOST)
        else:
            self._at_once = max(self._at_once // 2, FIRST)
        return unknown

    def _add(self, position: int, row: TableRow, found: list[RowInput]) -> bool:
        """Add the inputs of a row; False where no more rows are asked for."""
        kinds = self._preparer.kinds
        left = self._left(position)
        if not left and self._limit is None:
            self._origins.add_undated(len(kinds))
            self.on_known(1)
            return True
        target, reason = self._targets.find(row)
        if target is None:
            self.on_row(position, row, JoinedAnswer("invalid", reason))
            return True
        if not self._selection.takes(target):
            return False
        self._origins.add_undated(len(kinds) - len(left))
        for index, kind in enumerate(kinds):
            one = RowInput(position, row, target, index)
            if not accepts(kind, target):
                self.on_answer(one, refused_kind(row, kind, target))
            elif index in left:
                found.append(one)
        return True

    async def _without_known(self, found: list[RowInput]) -> list[RowInput]:
        """Those that have no final answer in the ledger; for the others it is noted."""
        preparer = self._preparer
        queries: list[CallQuery | None] = []
        for one in found:
            try:
                queries.append(preparer.call_key(preparer.input_of(one)).query)
            except ConfigurationError:  # the run says why
                queries.append(None)
        unknown: list[RowInput] = []
        rows: list[InputRow] = []
        sent = [query for query in queries if query is not None]
        calls = iter(await self._store.ended_calls(sent, self._store.now))
        for one, query in zip(found, queries, strict=True):
            call = None if query is None else next(calls)
            if query is None or call is None:
                unknown.append(one)
                continue
            given: bytes | None = None
            if call.key != query.key:
                given = input_json(preparer.input_of(one))
            at = None if call.at is None else datetime.fromtimestamp(call.at / 1000, UTC)
            self._origins.add(at, other_id=given is not None)
            rows.append(InputRow(self._number(one), call.lookup, given=given))
        if rows:
            self._store.post_inputs(self._run, rows)
        open_rows = {one.position for one in unknown}
        self.on_known(len({one.position for one in found} - open_rows))
        return unknown


class EndedInputs:
    """The inputs of a run whose lookups have ended, a bit for each."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.last = 0
        """The greatest of their numbers."""

    async def read(self, store: Store, run: int) -> None:
        """Read them from a ledger."""
        bits, work = self._bits, partial(_ended_inputs, run=run)
        while rows := await store.statement(partial(work, after=self.last), writes=False):
            self.last = rows[-1]
            bits.extend(bytes(self.last // 8 + 1 - len(bits)))
            for row in rows:
                bits[row >> 3] |= 1 << (row & 7)

    def __contains__(self, number: int) -> bool:
        return number <= self.last and bool(self._bits[number >> 3] & 1 << (number & 7))


def _ended_inputs(tables: SqlTables, run: int, after: int) -> list[int]:
    return tables.ended_inputs(run, after, _ENDED_AT_ONCE)


def run_name(
    file: str,
    kinds: Sequence[LookupKind | Literal["waterfall"] | None],
    targets: TableTargets,
    more: str,
) -> str:
    """The name of the run of a file: another file, or another content, is another run.

    Its inputs are numbered by the positions of their rows.

    Args:
        file: The input file.
        kinds: The kinds of lookup; `waterfall` stands for those of several providers.
        targets: Its links.
        more: Options on which it depends what a row's link is.
    """
    names = ",".join(kind or "auto" for kind in kinds)
    head = f"{names}\n{targets.column}\n{more}\n"
    digest = hashlib.blake2b(head.encode("utf-8", "replace"), digest_size=6)
    if file == "-" or not Path(file).is_file():  # a pipe can be read once
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
