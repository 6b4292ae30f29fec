"""The column of a table that has the links, and the link of each row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from ...core.values import JsonObject
from ..errors import CommandError
from ..values import get_path, leaf_paths
from .cell_target import CellReader, first_target
from .lookup_kinds import LookupKind
from .table_row import InputTable, TableRow, column_labels
from .targets import LookupTarget, target_weight

SAMPLE_ROWS = 1000
"""Rows that are searched to choose the column; more where none of them has a link."""
_HANDLE_HEADING = re.compile(r"linkedin|handle|slug|vanity|user ?name", re.IGNORECASE)
_NAMES = {"person": "links of people", "org": "links of companies", "email": "e-mail addresses"}


class TableTargets:
    """The links of one column of a table, row by row.

    Args:
        table: The table.
        column: The column with the links; None to choose the one with most of them. A column with
            links of people is preferred to one with links of companies.
        kinds: The accepted kinds of target.
        handles: Whether a cell may have the last part of a link alone, such as `ada-example`.

    Raises:
        CommandError: The table has no such column, or no usable link at all.
    """

    def __init__(
        self,
        table: InputTable,
        column: str | None,
        kinds: frozenset[LookupKind],
        *,
        handles: bool = False,
    ) -> None:
        self._table = table
        self._reader = CellReader(kinds, handles=handles)
        self._handles = handles
        self._is_json = table.format == "jsonl"
        self._labels = column_labels(table.names)
        self.also_has: tuple[str, ...] = ()
        """The columns with links of companies, where the column with those of people was taken."""
        self.column = "" if column is None else self._named(column)
        """The column, by its heading; a dotted path in JSON."""
        self._choose(given=column is not None)
        self.index = 0 if self._is_json else self._labels.index(self.column)
        """Its place among the cells of a row."""

    def __iter__(self) -> Iterator[tuple[TableRow, LookupTarget | None, str]]:
        """Each row with its target, or with the reason why it has none: `line 14: …`."""
        for row in self._table.rows():
            yield row, *self.find(row)

    @property
    def table(self) -> InputTable:
        """The table."""
        return self._table

    def cell(self, row: TableRow) -> object:
        """The cell of a row that should have the link."""
        return _in_record(row.cells[0], self.column) if self._is_json else row.cells[self.index]

    def find(self, row: TableRow) -> tuple[LookupTarget | None, str]:
        """The target of a row, or the reason why it has none: `line 14: …`."""
        if row.problem is not None:
            return None, f"line {row.line}: {row.problem}"
        target, reason = self._reader.read(self.cell(row), row.links.get(self.index))
        if target is not None and self.index in row.guessed and not target.text.isascii():
            target, reason = None, "the link has bytes that are not UTF-8"
        return target, f"line {row.line}: {reason}" if target is None else ""

    def _named(self, column: str) -> str:
        """The column that a user names.

        Raises:
            CommandError: There is none.
        """
        if self._is_json:
            labels: list[str] = []
            for number, row in enumerate(self._table.rows()):
                if get_path(row.cells[0], column) is not None:
                    return column
                if number < SAMPLE_ROWS:
                    labels.extend(n for n in _json_columns(row.cells[0]) if n not in labels)
        else:
            labels = self._labels
            if column in labels:
                return column
            folded = column.strip().casefold()
            for label in labels:
                if folded == label.casefold():
                    return label
        if not labels:
            raise NoRowsError(self._table)
        raise CommandError(
            f"{self._table.path} has no column {column!r}",
            hint=f"available columns: {', '.join(filter(None, labels)) or 'none'}",
        )

    def _choose(self, *, given: bool) -> None:
        """Choose the column, and check that it has links, by the first rows that have any."""
        scores: dict[str, Counter[LookupKind]] = {}
        others: Counter[LookupKind] = Counter()
        count = 0
        for count, row in enumerate(self._table.rows(), start=1):
            for label, target in self._targets(row):
                if given and label != self.column:
                    continue
                if target.kind in self._reader.kinds:
                    scores.setdefault(label, Counter())[target.kind] += target_weight(target)
                else:
                    others[target.kind] += 1
            if scores and count >= SAMPLE_ROWS:
                break
        if given and (scores or self._handles):
            return
        if not scores and self._handles and count:
            self.column = self._column_of_handles()
            return
        if not scores:
            raise self._no_links(
                count, others, inside=f" in column {self.column!r}" if given else ""
            )
        people = {label: kinds for label, kinds in scores.items() if kinds["person"]}
        candidates = people or scores
        self.column = max(candidates, key=lambda label: candidates[label].total())
        if people:
            self.also_has = tuple(
                label for label in scores if label != self.column and scores[label]["org"]
            )

    def _targets(self, row: TableRow) -> Iterator[tuple[str, LookupTarget]]:
        """What the cells of a row have, by column."""
        if row.problem is not None:
            return
        if self._is_json:
            record = row.cells[0]
            cells = [(name, _in_record(record, name)) for name in _json_columns(record)]
            links: Sequence[str | None] = [None] * len(cells)
        else:
            cells = list(zip(self._labels, row.cells, strict=False))
            links = [row.links.get(index) for index in range(len(cells))]
        for (label, cell), link in zip(cells, links, strict=True):
            target = first_target(cell, link)
            if target is not None:
                yield label, target

    def _column_of_handles(self) -> str:
        if len(self._labels) == 1:
            return self._labels[0]
        for label in self._labels:
            if _HANDLE_HEADING.search(label):
                return label
        raise CommandError(
            f"{self._table.path}: no column is known to have handles", hint="name it with --column"
        )

    def _no_links(self, rows: int, others: Counter[LookupKind], inside: str) -> CommandError:
        path = self._table.path
        if not rows:
            return NoRowsError(self._table)
        hint = self._table.hint or (
            "expected links such as https://www.linkedin.com/in/NAME or "
            "https://www.linkedin.com/company/NAME"
        )
        if others:
            found = " and ".join(_NAMES[kind] for kind in others)
            hint = f"it has {found}, which this lookup does not take"
        return CommandError(f"{path} has no usable links or e-mail addresses{inside}", hint=hint)


class NoRowsError(CommandError):
    """An input has no rows: it is empty, or has a heading only."""

    def __init__(self, table: InputTable) -> None:
        what = "has a heading and no rows" if table.names and table.format != "text" else "is empty"
        super().__init__(f"{table.path} {what}", hint=table.hint or "there is nothing to look up")


def _in_record(record: object, path: str) -> object:
    return get_path(cast("object", record), path) if isinstance(record, dict) else record


def _json_columns(record: object) -> Iterable[str]:
    if not isinstance(record, dict):
        return ("",)
    own = cast("JsonObject", record)
    return dict.fromkeys((*own, *leaf_paths(own)))
