"""The rows of an input file with what was found for them beside their own cells."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple, cast

import msgspec

from ...core.json_text import SchemaMismatch, compact, strict_json
from ..errors import CommandError
from ..input.lookup_kinds import LookupKind
from ..input.table import InputTable, TableRow, column_labels
from ..values import cell_text, csv_cell
from .answer_columns import ADDED, AnswerColumns
from .declared_types import TEXT

JoinedStatus = Literal[
    "found",
    "filled",
    "partial",
    "nothing",
    "not_found",
    "refused",
    "unreadable",
    "in_doubt",
    "suppressed",
    "queued",
    "pending",
    "invalid",
    "not_asked",
]
OPEN: frozenset[str] = frozenset({"in_doubt", "queued", "pending", "not_asked"})
"""The statuses of rows that a later run may change."""
_LARGEST_EXACT = 2**53
_SAMPLE_ROWS = 1000
_FORMULA_STARTS = frozenset("'=+-@\t\r＝＋－＠")


class JoinedAnswer(NamedTuple):
    """What became of the lookup of a row."""

    status: JoinedStatus
    reason: str = ""
    bought_at: str = ""
    values: Sequence[object] = ()
    """The values of the columns of its group; empty where there is no answer."""
    body: bytes | None = None
    """The answer as received."""


class JoinedRow(NamedTuple):
    """A row of the input with an answer for each group."""

    row: TableRow
    answers: Sequence[JoinedAnswer]


class AnswerGroup(msgspec.Struct, frozen=True):
    """The columns that one kind of lookup adds to a table, and the run that has its inputs."""

    prefix: str
    kind: LookupKind | None
    columns: AnswerColumns
    run: str
    """The name of the run."""
    stride: int = 1
    """How many inputs the run has for each row."""
    index: int = 0
    """Which of these belongs to this group."""
    is_raw: bool = False
    """Whether answers are written whole, as they were received: their values are not read."""
    column: str | None = None
    """The column that the links were taken from; None where that is not known."""

    def number(self, position: int) -> int:
        """The number in the run of a row, by its position in the file from 1 on."""
        return (position - 1) * self.stride + self.index + 1

    @property
    def headings(self) -> list[str]:
        """The headings of all columns that it adds."""
        return [*(self.prefix + name for name in ADDED), *self.columns.headings(self.prefix)]

    @property
    def types(self) -> dict[str, str]:
        """The SQL type of each of them, by its definition."""
        kinds = [*(TEXT for _ in ADDED), *map(self.columns.type_of, self.columns.names)]
        return dict(zip(self.headings, kinds, strict=True))

    @property
    def keys(self) -> list[str]:
        """The keys that it adds to a JSON object."""
        return [*(self.prefix + name for name in ADDED), f"{self.prefix}result"]

    def read(self, kind: str, body: bytes) -> Sequence[object]:
        """The values of an answer.

        Raises:
            SchemaMismatch: The answer cannot be read.
        """
        return () if self.is_raw else self.columns.read(kind, body)

    def cells(self, answer: JoinedAnswer) -> list[object]:
        """The cells of all columns that it adds."""
        values = answer.values or (None,) * len(self.columns.names)
        return [answer.status, answer.reason, answer.bought_at, *values]

    def fields(self, answer: JoinedAnswer) -> dict[str, object]:
        """What it adds to a JSON object."""
        result: object = None
        if answer.body is not None and self.is_raw:
            result = _raw(answer.body)
        elif answer.values:
            result = dict(zip(self.columns.names, answer.values, strict=True))
        values = (answer.status, answer.reason or None, answer.bought_at or None, result)
        return dict(zip(self.keys, values, strict=True))


def _raw(body: bytes) -> object:
    try:
        return msgspec.Raw(compact(strict_json(body)))
    except SchemaMismatch:
        return None


class OwnColumns:
    """The columns that a table has itself.

    Args:
        table: The table. JSON has no headings: where they are needed, it is read once for its keys.
    """

    def __init__(self, table: InputTable) -> None:
        self._is_json = table.format == "jsonl"
        self.table = table
        self._keys: list[str] | None = None
        self.labels = column_labels(table.names)

    @property
    def headings(self) -> Sequence[str]:
        """The headings as they stand in the file; of JSON the keys of all records."""
        return self._json_keys() if self._is_json else self.table.names

    def _json_keys(self) -> list[str]:
        if self._keys is None:
            keys: dict[str, None] = {}
            for row in self.table.rows():
                if not keys.keys() >= (record := self.record(row)).keys():
                    keys.update(dict.fromkeys(record))
            self._keys = list(keys)
        return self._keys

    def sampled_keys(self) -> Sequence[str]:
        """The keys of rows as objects; of JSON those of the first rows."""
        if not self._is_json:
            return self.labels
        rows = islice(self.table.rows(), _SAMPLE_ROWS)
        return list(dict.fromkeys(key for row in rows for key in self.record(row)))

    def cells(self, row: TableRow) -> Sequence[object]:
        """The cells of a row in the order of the headings; more where the row is longer."""
        if not self._is_json:
            return row.cells
        record = self.record(row)
        return [record.get(key) for key in self._json_keys()]

    def record(self, row: TableRow) -> Mapping[str, object]:
        """A row as an object."""
        if self._is_json:
            value = row.cells[0] if row.cells else None
            if isinstance(value, dict):
                return cast("dict[str, object]", value)
            return {} if value in (None, "") else {"input": value}
        labels, width = self.labels, len(self.labels)
        found = dict(zip(labels, row.cells, strict=False))
        for number, cell in enumerate(row.cells[width:], start=width + 1):
            found[f"column {number}"] = cell
        return found


class JoinedTable:
    """The headings and rows of a joined output.

    Args:
        own: The columns of the input.
        groups: What is added to them.

    Raises:
        CommandError: A name is there already.
    """

    def __init__(self, own: OwnColumns, groups: Sequence[AnswerGroup]) -> None:
        self.own = own
        self.groups = groups

    def check_names(self, *, as_json: bool) -> None:
        """Check that no column is added whose name is there already, whatever its case.

        Raises:
            CommandError: There is one.
        """
        names = self.own.sampled_keys() if as_json else self.own.headings
        taken = {name.strip().casefold() for name in names}
        for group in self.groups:
            for name in group.keys if as_json else group.headings:
                if name.casefold() in taken:
                    raise CommandError(
                        f"the file already has a column {name!r}",
                        hint=f"choose other names with --prefix, such as --prefix "
                        f"{'lix_' if not group.prefix else group.prefix.rstrip('_') + '2_'}",
                    )
                taken.add(name.casefold())

    @property
    def headings(self) -> list[str]:
        """All headings."""
        return [*self.own.headings, *(name for group in self.groups for name in group.headings)]

    def cells(self, joined: JoinedRow) -> tuple[Sequence[object], list[object]]:
        """The own cells of a row and the added ones; more own cells than headings come last."""
        added: list[object] = []
        for group, answer in zip(self.groups, joined.answers, strict=True):
            added += group.cells(answer)
        return self.own.cells(joined.row), added

    def csv_row(self, joined: JoinedRow) -> list[object]:
        """The row of a CSV: own cells as they were read, answers escaped."""
        own, added = self.cells(joined)
        texts = [one if type(one) is str else own_text(one) for one in own]
        answers = [
            one if type(one) is str and one[:1] not in _FORMULA_STARTS else answer_text(one)
            for one in added
        ]
        width = len(self.own.headings)
        return [*texts[:width], *answers, *texts[width:]]

    def json_row(self, joined: JoinedRow) -> bytes:
        """The row as a JSON object."""
        row = dict(self.own.record(joined.row))
        for group, answer in zip(self.groups, joined.answers, strict=True):
            row.update(group.fields(answer))
        return msgspec.json.encode(row, enc_hook=own_text)

    def named_values(self, joined: JoinedRow) -> bytes:
        """The row as a JSON object with a key for each column, as Parquet has it."""
        row = dict(self.own.record(joined.row))
        return msgspec.json.encode(row | self.added_values(joined), enc_hook=own_text)

    def added_values(self, joined: JoinedRow) -> dict[str, object]:
        """The added columns of a row by heading."""
        return {
            name: None if cell == "" else cell
            for group, answer in zip(self.groups, joined.answers, strict=True)
            for name, cell in zip(group.headings, group.cells(answer), strict=True)
        }


def own_text(value: object) -> str:
    """A cell of the input as text."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        return str(int(value))  # a workbook has no other numbers
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, timedelta):
        return _hours(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()  # as in JSON
    if value is None or isinstance(value, str | int | float | list | dict):
        return cell_text(value)  # pyright: ignore[reportUnknownArgumentType]  # of any items
    return str(value)


def _hours(value: timedelta) -> str:
    """A duration as a spreadsheet shows it: `30:00:00`, and not in days."""
    seconds, rest = divmod(abs(value), timedelta(seconds=1))
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    fraction = f".{rest.microseconds:06}" if rest else ""
    return f"{'-' if value < timedelta() else ''}{hour}:{minute:02}:{second:02}{fraction}"


def answer_text(value: object) -> str:
    """A cell of an answer as text, which a spreadsheet does not evaluate."""
    if value is None:
        return ""
    if type(value) is str and value[:1] not in _FORMULA_STARTS:
        return value
    return csv_cell(value)


def triples(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Where the columns of a group begin among some names, and their prefix."""
    status, reason, bought_at = ADDED
    for place, name in enumerate(names):
        if name.endswith(status):
            prefix = name.removesuffix(status)
            if tuple(names[place + 1 : place + 3]) == (prefix + reason, prefix + bought_at):
                yield place, prefix
