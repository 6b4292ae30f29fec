"""The column of a table that has the links, and the link of each row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from ...core.values import JsonObject
from ..errors import CommandError
from ..values import get_path, leaf_paths
from .cell_target import CellReader, WebsiteReader
from .lookup_kinds import LookupKind
from .table_row import InputTable, TableRow, column_labels
from .targets import TARGET_NAMES, LookupTarget, target_weight

SAMPLE_ROWS = 1000
"""Rows that are searched to choose the column; more where none of them has a link."""
_MENTION = 3
"""The weight of a link among words; see `target_weight`."""
_HANDLE_HEADING = re.compile(r"linkedin|handle|slug|vanity|user ?name", re.IGNORECASE)
_WEBSITE_HEADING = re.compile(r"web|site|domain|url|home ?page", re.IGNORECASE)


class TableTargets:
    """The links of one column of a table, row by row.

    Args:
        table: The table.
        column: The column with the links; None to choose the one with most of them. A column with
            links of people is preferred to one with links of companies.
        kinds: The accepted kinds of target: websites, or any of the others.
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
        self.has_websites = "website" in kinds
        """Whether it is the websites of the table that are read."""
        self._reader = WebsiteReader() if self.has_websites else CellReader(kinds, handles=handles)
        self.handles = handles
        """Whether a cell may have the last part of a link alone."""
        self._is_json = table.format == "jsonl"
        self._labels = column_labels(table.names)
        self.also_has: tuple[str, ...] = ()
        """The columns with links of companies, where the column with those of people was taken; the
        other columns with websites."""
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
        cell = self.cell(row)
        if self.index in row.guessed and not str(cell).isascii():
            target, reason = None, "it has bytes that are not UTF-8"
        else:
            target, reason = self._reader.read(cell, row.links.get(self.index))
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
        people: set[str] = set()  # not of a note that mentions somebody
        count = 0
        for count, row in enumerate(self._table.rows(), start=1):
            for label, target, whole in self._targets(row):
                if given and label != self.column:
                    continue
                if target.kind in self._reader.kinds:
                    weight = target_weight(target) if whole else _MENTION
                    scores.setdefault(label, Counter())[target.kind] += weight
                    people |= {label} if whole and target.kind == "person" else set()
                else:
                    others[target.kind] += 1
            if scores and count >= SAMPLE_ROWS:
                break
        if given and (scores or self.handles):
            return
        if not scores and self.handles and count:
            self.column = self._column_of_handles()
            return
        if not scores:
            raise self._no_links(
                count, others, inside=f" in column {self.column!r}" if given else ""
            )
        candidates = [label for label in scores if not people or label in people]
        self.column = max(candidates, key=lambda label: self._rank(label, scores[label]))
        if people or self.has_websites:
            other: LookupKind = "website" if self.has_websites else "org"
            self.also_has = tuple(
                label for label in scores if label != self.column and scores[label][other]
            )

    def _rank(self, label: str, score: Counter[LookupKind]) -> tuple[int, bool]:
        """What the column is chosen by: the cells, and of equal ones the heading."""
        return score.total(), self.has_websites and _WEBSITE_HEADING.search(label) is not None

    def _targets(self, row: TableRow) -> Iterator[tuple[str, LookupTarget, bool]]:
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
            target, whole = self._reader.first_target(cell, link)
            if target is not None:
                yield label, target, whole

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
        wanted, example = (
            "usable links or e-mail addresses",
            (
                "expected links such as https://www.linkedin.com/in/NAME or "
                "https://www.linkedin.com/company/NAME"
            ),
        )
        if self.has_websites:
            wanted, example = "websites", "expected websites such as acme.com or https://acme.com"
        hint = self._table.hint or example
        if others:
            found = " and ".join(TARGET_NAMES[kind].many for kind in others)
            hint = f"it has {found}, which this lookup does not take"
        return CommandError(f"{path} has no {wanted}{inside}", hint=hint)


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
