"""Joining the rows of an input file with the answers that a ledger has for them.

The ledger notes which input of a run led to which lookup, by its position in the file. That is read
in batches beside the file, so that neither is held in memory. What was given is compared with the
row before its answer is used; a row without such an input is looked for by its key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import cast

import anyio
import anyio.lowlevel
import msgspec

from ...core.errors import ConfigurationError
from ...core.json_text import SchemaMismatch
from ...engine.outcome import Outcome
from ...ledger.records import CallQuery, InputAnswer
from ...ledger.store import Entry, Store
from ..errors import CommandError
from ..input.lookup_kinds import LookupKind, row_kind
from ..input.table import TableRow, TableTargets
from ..input.target_calls import TargetCallPreparer
from ..input.targets import (
    LOOKUPS,
    TARGET_NAMES,
    LookupTarget,
    accepted_kinds,
    lookup_kind,
    parser_of,
)
from ..output.joined_row import AnswerGroup, JoinedAnswer, JoinedRow
from ..output.lookup_rows import NO_MATCH, LookupRow, has_no_match, row_of_entry, row_of_outcome

BATCH = 1000
"""Rows that are read from the ledger at once."""
_UNASKED = JoinedAnswer("not_asked")
_PENDING = JoinedAnswer("pending")


class Joiner:
    """Joins the rows of a file with the answers of a ledger.

    Args:
        store: The ledger, which must be open while batches are read.
        targets: The links of the table; those of a group that was looked up by another column are
            read from that one.
        groups: The columns to add.
        asked: Those that lookups were made for.
        preparers: What makes the calls of each kind.
        limit: How many distinct lookups were asked for at most; None for all.
    """

    def __init__(
        self,
        store: Store,
        targets: TableTargets,
        groups: Sequence[AnswerGroup],
        asked: Sequence[AnswerGroup],
        preparers: Mapping[LookupKind | None, TargetCallPreparer],
        limit: int | None,
    ) -> None:
        self._asked = asked
        self._store = store
        self._targets = targets
        self._own_targets = {group.prefix: _targets_of(group, targets) for group in groups}
        self._groups = groups
        self._preparers = preparers
        self._selection = Selection(limit)
        self._runs: dict[str, int | None] = {}

    async def batches(self, first: int = 1) -> AsyncIterator[list[JoinedRow]]:
        """The rows of the file in their order.

        Args:
            first: The position of the first row.
        """
        rows = self._targets.table.rows()
        position = first
        for row in islice(rows, first - 1):
            if self._selection.limit is not None:
                self._select(row)
        while batch := list(islice(rows, BATCH)):
            yield await self._joined(batch, position)
            position += len(batch)
            await anyio.lowlevel.checkpoint()

    async def _joined(self, rows: list[TableRow], position: int) -> list[JoinedRow]:
        selected = [self._select(row) for row in rows]
        columns: list[list[JoinedAnswer]] = []
        for group in self._groups:
            columns.append(await self._answers(group, rows, position, selected))
        return [
            JoinedRow(row, answers)
            for row, answers in zip(rows, zip(*columns, strict=True), strict=True)
        ]

    def _select(self, row: TableRow) -> bool:
        """Whether the lookup of a row was asked for."""
        if self._selection.limit is None:
            return True
        target, _ = self._targets.find(row)
        return target is not None and self._selection.takes(target)

    async def _answers(
        self, group: AnswerGroup, rows: list[TableRow], position: int, selected: list[bool]
    ) -> list[JoinedAnswer]:
        found, entries = await self._inputs(group, position, position + len(rows) - 1)
        answers: list[JoinedAnswer | None] = []
        unread: dict[int, int] = {}
        missing: dict[int, LookupTarget] = {}
        for place, row in enumerate(rows):
            one = found.get(group.number(position + place))
            if one is not None and not self._is_of(group, row, one):
                one = None
            answer = None if one is None else self._noted(group, row, one, entries)
            if answer is None and one is not None and one.body is not None and one.lookup:
                unread[place] = one.lookup
            elif answer is None:
                answer = self._missing(group, row, place, missing)
            answers.append(answer)
        if unread:
            more = await self._store.entries_by_id(set(unread.values()))
            for place, lookup in unread.items():
                answers[place] = answer_of_row(group, row_of_entry(more[lookup]))
        if missing:
            await self._find(group, rows, missing, answers)
        if group not in self._asked:
            selected = [False] * len(rows)
        return [
            (_PENDING if wanted else _UNASKED)
            if answer is None or (answer.status == "pending" and not wanted)
            else answer
            for answer, wanted in zip(answers, selected, strict=True)
        ]

    def _noted(
        self, group: AnswerGroup, row: TableRow, one: InputAnswer, entries: Mapping[int, Entry]
    ) -> JoinedAnswer | None:
        """The answer of an input of the run; None where that has to be looked for."""
        if one.state == "invalid":
            return JoinedAnswer("invalid", f"line {row.line}: {one.note}")
        if one.state == "suppressed":
            return JoinedAnswer("suppressed", _SUPPRESSED)
        if one.lookup is None:
            return None
        if one.body is not None:
            return _found(group, one)
        entry = entries.get(one.lookup)  # none of a lookup that was erased
        return None if entry is None else answer_of_row(group, row_of_entry(entry))

    def _missing(
        self, group: AnswerGroup, row: TableRow, place: int, missing: dict[int, LookupTarget]
    ) -> JoinedAnswer | None:
        """The answer of a row that has no link; one that has is noted, to be looked for."""
        target, reason = self._own_targets[group.prefix].find(row)
        if target is None:
            return JoinedAnswer("invalid", reason)
        if not accepts(group.kind, target):
            return refused_kind(row, group.kind, target)
        missing[place] = target
        return None

    async def _inputs(
        self, group: AnswerGroup, first: int, last: int
    ) -> tuple[dict[int, InputAnswer], dict[int, Entry]]:
        if group.run not in self._runs:
            name = group.run
            self._runs[name] = await self._store.statement(
                lambda tables: tables.run_named(name), writes=False
            )
        run = self._runs[group.run]
        if run is None:
            return {}, {}
        found, entries = await self._store.input_answers(
            run, group.number(first), group.number(last)
        )
        return {one.row: one for one in found}, entries

    def _is_of(self, group: AnswerGroup, row: TableRow, one: InputAnswer) -> bool:
        """Whether an input is what a row has: numbers may have been given twice."""
        if one.lookup is None or group.column is None:
            return True
        targets = self._own_targets[group.prefix]
        cell = targets.cell(row)
        given = one.given or b"null"
        if isinstance(cell, str) and given == msgspec.json.encode(cell.strip()):
            return True
        target, _ = targets.find(row)
        value = cast("object", msgspec.json.decode(given))
        if isinstance(value, dict):
            value = next(iter(cast("dict[str, object]", value).values()), None)
        other = parser_of(group.kind)(value) if isinstance(value, str) else None
        return target is not None and other is not None and target.key == other.key

    async def _find(
        self,
        group: AnswerGroup,
        rows: list[TableRow],
        missing: dict[int, LookupTarget],
        answers: list[JoinedAnswer | None],
    ) -> None:
        """Look for the lookups of rows by their keys."""
        preparer = self._preparers[group.kind]
        queries: dict[int, CallQuery] = {}
        for place, target in missing.items():
            try:
                member = await preparer.member_call(self._store, target.sent)
                key = preparer.call_key(target.sent) if member is None else member
            except ConfigurationError as error:
                answers[place] = JoinedAnswer("invalid", f"line {rows[place].line}: {error}")
            else:
                queries[place] = key.query
        lookups = await self._store.find_calls(list(queries.values()), self._store.now)
        known = {place: one for place, one in zip(queries, lookups, strict=True) if one is not None}
        entries = await self._store.entries_by_id(
            {one.id for one in known.values() if not one.suppressed}
        )
        for place, one in known.items():
            if one.suppressed:
                answers[place] = JoinedAnswer("suppressed", _SUPPRESSED)
            elif not one.moved and (entry := entries.get(one.id)) is not None:
                answers[place] = answer_of_row(group, row_of_entry(entry))


def _targets_of(group: AnswerGroup, targets: TableTargets) -> TableTargets:
    """The links that a group was looked up by."""
    if group.column in (None, targets.column):
        return targets
    kinds = accepted_kinds(group.kind)
    try:
        return TableTargets(targets.table, group.column, kinds, handles=targets.handles)
    except CommandError:  # the file has no such column any more
        return targets


class Selection:
    """The first distinct lookups of a file.

    Args:
        limit: How many at most; None for all.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._keys: set[tuple[str, str]] = set()

    def takes(self, target: LookupTarget) -> bool:
        """Whether a target is one of them; it is counted where it is new."""
        if self.limit is None:
            return True
        key = target.kind, target.key
        if key not in self._keys:
            if len(self._keys) >= self.limit:
                return False
            self._keys.add(key)
        return True

    def copy(self) -> Selection:
        """One that has taken the same lookups."""
        other = Selection(self.limit)
        other._keys |= self._keys
        return other

    @property
    def is_full(self) -> bool:
        """Whether no new lookup is taken any more."""
        return self.limit is not None and len(self._keys) >= self.limit


def answer_of_outcome(
    group: AnswerGroup, row: TableRow, target: LookupTarget, outcome: Outcome[object]
) -> JoinedAnswer | None:
    """What an outcome is in the output; None for one that a later run looks up again."""
    if outcome.state == "invalid":
        return JoinedAnswer("invalid", f"line {row.line}: {outcome.error}")
    found = row_of_outcome(outcome, lookup_kind(group.kind, target))
    return None if found is None else answer_of_row(group, found)


def answer_of_row(group: AnswerGroup, row: LookupRow) -> JoinedAnswer:
    """A row of lookups as the columns of a group."""
    values: Sequence[object] = ()
    if row.body is not None:
        with suppress(SchemaMismatch):
            values = group.read(row.kind, row.body)
    body = row.body if values or group.is_raw else None
    return JoinedAnswer(row.status, row.error or "", row.bought_at or "", values, body)


def _found(group: AnswerGroup, one: InputAnswer) -> JoinedAnswer | None:
    """The answer of an input; None where it cannot be read that simply."""
    body, kind = cast("bytes", one.body), row_kind(one.endpoint)
    try:
        values, empty = group.read(kind, body), has_no_match(kind, body)
    except SchemaMismatch:
        return None
    at = _time(one.at // 1000)
    if empty:
        return JoinedAnswer("not_found", NO_MATCH, at, values, body)
    return JoinedAnswer("found", "", at, values, body)


@lru_cache(1024)
def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_SUPPRESSED = "forgotten, and not looked up again"


def accepts(kind: LookupKind | None, target: LookupTarget) -> bool:
    """Whether a kind of lookup takes a target."""
    return kind is None or target.kind in LOOKUPS[kind].accepts


def refused_kind(row: TableRow, kind: LookupKind | None, target: LookupTarget) -> JoinedAnswer:
    """The answer for a target that a kind of lookup does not take."""
    wanted = TARGET_NAMES["person" if kind in (None, "email") else kind].one
    reason = f"line {row.line}: {TARGET_NAMES[target.kind].one}, where {wanted} is needed"
    return JoinedAnswer("invalid", reason)
