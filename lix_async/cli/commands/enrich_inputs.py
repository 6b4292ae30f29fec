"""The rows of a file as inputs of a run, each numbered by its position."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from ...bulk.prepared_call import CallKey
from ...engine.call_key import Input, PreparedCall
from ...ledger.store import Store
from ...ledger.tables import SqlTables
from ...providers.lix.client import AsyncLix
from ..input.lookup_kinds import LookupKind
from ..input.table import TableRow, TableTargets
from ..input.target_calls import TargetCallPreparer
from ..input.targets import LookupTarget

LARGEST_COUNTED = 20 << 20
"""Bytes of a file whose rows are counted before the run, for the progress line."""
_SETTLED_AT_ONCE = 50_000


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


class SettledInputs:
    """The inputs of a run whose lookups have ended, a bit for each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    async def read(self, store: Store, name: str) -> None:
        """Read them from a ledger."""
        run = await store.statement(lambda tables: tables.run_named(name), writes=False)
        after, bits = 0, self._bits
        while run is not None:
            work = partial(_settled_inputs, run=run, after=after)
            if not (rows := await store.statement(work, writes=False)):
                return
            after = rows[-1]
            bits.extend(bytes(after // 8 + 1 - len(bits)))
            for row in rows:
                bits[row >> 3] |= 1 << (row & 7)

    def __contains__(self, number: int) -> bool:
        bits = self._bits
        return number >> 3 < len(bits) and bool(bits[number >> 3] & 1 << (number & 7))


def _settled_inputs(tables: SqlTables, run: int, after: int) -> list[int]:
    return tables.settled_inputs(run, after, _SETTLED_AT_ONCE)


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
