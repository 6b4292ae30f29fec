"""Which columns `lix enrich` adds to a table, beside those that an earlier run has added."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

from ...ledger.records import Export
from ..errors import CommandError
from ..input.lookup_kinds import LookupKind
from ..input.table import TableTargets
from ..input.targets import LOOKUPS, lookup_kind
from ..options import Format
from ..output.answer_columns import AnswerColumns, chosen_columns, columns_by_kind
from ..output.destination import place_of
from ..output.joined_row import AnswerGroup, triples

SAMPLE_ROWS = 1000
"""Rows whose links decide which kinds of columns are added."""
EXPORTED = re.compile(
    r"lix enrich (?P<run>.* [0-9a-f]+) --as (?P<kinds>[a-z,]+)"
    r'(?: --column (?P<column>"(?:[^"\\]|\\.)*"))? --prefix (?P<prefix>.*)',
    re.DOTALL,
)
"""What the ledger has noted about an output of `lix enrich`; see `export_text`."""


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

    def export_text(self, run: str, column: str) -> str:
        """What is noted in the ledger about an output, for those that find its columns again.

        Args:
            run: The run of the file.
            column: The column that its links were taken from.
        """
        kinds = ",".join(kind or "auto" for kind in self.kinds)
        return f"lix enrich {run} --as {kinds} --column {json.dumps(column)} --prefix {self.prefix}"


class ColumnPlan:
    """The groups of columns of an output.

    Args:
        joined: The options.
        run_name: The run that has the inputs of this command.
        targets: The links of the input; None where it has no rows.
        names: The headings, or keys, that the output has already.
        exports: What was written from the ledger.

    Raises:
        CommandError: A column is unknown, or the output has columns of another ledger.
    """

    def __init__(
        self,
        joined: JoinedOptions,
        run_name: str,
        targets: TableTargets | None,
        names: Sequence[str],
        exports: Sequence[Export],
    ) -> None:
        self._joined = joined
        self._run_name = run_name
        self._column = None if targets is None else targets.column
        self._names = names
        self._runs = _exported(exports, place_of(joined.out))
        self._sample_kinds = _kinds_of_sample(targets)
        self.groups: list[AnswerGroup] = []
        """All groups, in the order of their columns."""
        self.asked: list[AnswerGroup] = []
        """Those that this command looks up."""
        self._plan()

    def _plan(self) -> None:
        joined = self._joined
        names = self._names
        there = {prefix: place for place, prefix in triples(names)}
        runs = self._runs
        self._check_inputs(there)
        structs = [LOOKUPS[kind].endpoint.result for kind in joined.kinds if kind is not None]
        chosen = columns_by_kind(joined.columns, structs) or [joined.columns]
        for index, kind in enumerate(joined.kinds):
            prefix = self._prefix(kind, there, runs)
            columns = chosen[index]
            if columns is None and prefix in there and joined.format != "jsonl":
                columns = self._columns_there(kind, prefix, names, there)
            run = _RowRun(self._run_name, kind, len(joined.kinds), index, self._column)
            self.asked.append(self._group(prefix, run, columns))
        asked = {group.prefix: group for group in self.asked}
        for prefix in there:
            if prefix in asked:
                self.groups.append(asked.pop(prefix))
            elif (earlier := runs.get(prefix)) is not None:
                self.groups.append(self._earlier_group(prefix, earlier, names, there))
            else:
                raise CommandError(
                    f"{joined.out} has columns {prefix}… of lookups that are not in this ledger",
                    hint="choose another --out, or the ledger that has them with --store",
                )
        self.groups += asked.values()

    def _check_inputs(self, there: Mapping[str, int]) -> None:
        """Check that the lookups of an output were made for the column that is read now.

        Raises:
            CommandError: They were made for websites, and others are asked for, or the reverse.
        """
        websites = "website" in self._joined.kinds
        for prefix in there:
            earlier = self._runs.get(prefix)
            if earlier is not None and (earlier.kind == "website") != websites:
                found, asked = ("links", "websites") if websites else ("websites", "links")
                raise CommandError(
                    f"{self._joined.out} has answers for {found}: {asked} are another column",
                    hint="choose another --out",
                )

    def _prefix(
        self, kind: LookupKind | None, there: Mapping[str, int], runs: Mapping[str, _RowRun]
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

    def _kinds(self, kind: LookupKind | None) -> list[LookupKind]:
        return self._sample_kinds if kind is None else [kind]

    def _answer_columns(self, kind: LookupKind | None, chosen: str) -> AnswerColumns:
        kinds = self._kinds(kind)
        return AnswerColumns({one: LOOKUPS[one].endpoint.result for one in kinds}, chosen)

    def _columns_there(
        self, kind: LookupKind | None, prefix: str, names: Sequence[str], there: Mapping[str, int]
    ) -> str | None:
        """The columns that a group has in the output; None where they are not known."""
        start = there[prefix] + 3
        end = min((place for place in there.values() if place >= start), default=len(names))
        found: list[str] = []
        for heading in names[start:end]:
            name = heading.removeprefix(prefix)
            owner, _, rest = name.partition("_")
            kinds = self._kinds(kind)
            owners = {LOOKUPS[one].endpoint.result.__name__.lower() for one in kinds}
            found.append(rest if owner in owners and rest else name)
        return ",".join(found) or None

    def _earlier_group(
        self, prefix: str, run: _RowRun, names: Sequence[str], there: Mapping[str, int]
    ) -> AnswerGroup:
        columns = None
        if self._joined.format != "jsonl":
            columns = self._columns_there(run.kind, prefix, names, there)
        return self._group(prefix, run, columns)

    def _group(self, prefix: str, run: _RowRun, columns: str | None) -> AnswerGroup:
        chosen = chosen_columns(columns, self._joined.format)
        found = self._answer_columns(run.kind, chosen)
        is_raw = self._joined.format == "jsonl" and found.is_all
        place = run.name, run.stride, run.kind_index
        return AnswerGroup(prefix, run.kind, found, *place, is_raw, run.column)


def _kinds_of_sample(targets: TableTargets | None) -> list[LookupKind]:
    found: dict[LookupKind, None] = {}
    if targets is None:
        return ["person"]
    for row in islice(targets.table.rows(), SAMPLE_ROWS):
        target, _ = targets.find(row)
        if target is not None:
            found[lookup_kind(None, target)] = None
    return list(found) or ["person"]


def check_origin(exports: Sequence[Export], out: Path | None, run_name: str) -> None:
    """Check that an output has rows of this file, bought with this ledger.

    Args:
        exports: What was written from the ledger.
        out: The output.
        run_name: The run of the file.

    Raises:
        CommandError: It has others: they would be lost, or paid for again.
    """
    matches = [(one.place, match) for one in exports if (match := EXPORTED.fullmatch(one.what))]
    earlier = [match["run"] for place, match in matches if place == place_of(out)]
    file = run_name.rpartition(" ")[0]
    if earlier and (other := earlier[-1].rpartition(" ")[0]) != file:
        raise CommandError(f"{out} has the rows of {other}", hint="choose another name")
    if not any(match["run"] == run_name for _, match in matches) and not earlier:
        raise CommandError(
            f"{out} was written with another ledger, and its rows would be paid for again",
            hint="pass that ledger with --store, or choose another name",
        )


class _RowRun(NamedTuple):
    """The inputs of a run for one kind of lookup."""

    name: str
    kind: LookupKind | None
    stride: int
    kind_index: int
    column: str | None


def _same_kind(one: LookupKind | None, other: LookupKind) -> bool:
    return one == other or (one is None and other != "email")


def _exported(exports: Sequence[Export], place: str) -> dict[str, _RowRun]:
    """The runs whose answers an output has, by the prefix of their columns."""
    runs: dict[str, _RowRun] = {}
    for one in exports:
        match = EXPORTED.fullmatch(one.what) if one.place == place else None
        if match is None:
            continue
        kinds = match["kinds"].split(",")
        for index, name in enumerate(kinds):
            kind = None if name == "auto" else cast("LookupKind", name)
            column = None if match["column"] is None else str(json.loads(match["column"]))
            run = _RowRun(match["run"], kind, len(kinds), index, column)
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
