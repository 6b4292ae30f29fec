"""A table of one's own, with the answers for its rows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence, Sized
from datetime import date, datetime
from typing import Protocol, TypeVar, Unpack, cast, get_type_hints

import msgspec

from ..bulk.prepared_call import ClientMethod
from ..bulk.row_input import check_on, is_missing
from ..bulk.row_input import columns_of as columns_in
from ..bulk.run import Run, RunOptions
from ..core.errors import ConfigurationError
from ..core.plurals import counted
from ..core.validation import check_type
from ..engine.outcome import Outcome
from ..ledger.ledger import StoreAddress
from .arrow import ChunkedArray, DataType, Table, table_of, values_of
from .build import OUTCOME_COLUMNS
from .columns import (
    BOOL,
    FLOAT,
    INT,
    LARGEST,
    TEXT,
    TIME,
    ArrowType,
    CastType,
    Column,
    ListType,
    columns_of,
    microseconds,
)
from .frame import Frame

T = TypeVar("T")
MOST_ROWS = 100_000
_ROW = ""
"""The key of a row's number in the inputs of the run; `on` names no column like it."""
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


class ArrowStream(Protocol):
    """A table of polars, pandas, DuckDB, pyarrow or another library that exports Arrow streams."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow stream."""
        ...


class Records(Protocol):
    """A table that gives its rows as dicts, such as one of pandas without pyarrow."""

    def to_dict(self, orient: str, /) -> object:
        """The rows; `orient` is `"records"`."""
        ...


AnyTable = ArrowStream | Records | Sequence[Mapping[str, object]]
"""A table of one's own."""


async def enrich_frame(
    frame: AnyTable,
    method: ClientMethod[T],
    *,
    on: str | Mapping[str, str],
    store: StoreAddress,
    columns: Sequence[str] | None = None,
    flatten: bool = False,
    prefix: str = "lix_",
    **run_options: Unpack[RunOptions],
) -> Frame:
    """A table of one's own with the answers of a method beside its rows.

    It has the rows and columns of `frame`, in their order, and after them `lix_status`,
    `lix_credits`, `lix_reason` and the columns of the answer. The ledger keeps only what the method
    takes, never the table's own columns; called again with the same ledger, it pays for nothing
    twice. What stops a run is raised; what was bought until then is in the ledger. Without asyncio,
    it is a method of the client: `lix.enrich_frame`.

    Args:
        frame: A table: an Arrow stream (polars, DuckDB, pyarrow, pandas), a list of dicts, or an
            object with `to_dict("records")`. Of 100,000 rows at most.
        method: A method of a client with one answer for each input, such as `lix.people.get`.
        on: The column with the method's first argument, or a mapping of its keyword arguments to
            columns. None, NaN and "" are no argument; a row without any is `invalid`.
        store: The ledger; see `bulk.Run`.
        columns: The columns of the answer, also properties such as `full_name`. Default: all
            fields. A field called status, credits or reason has the name of its struct before it,
            such as `email_status`.
        flatten: Whether the fields of structs in the answer become columns.
        prefix: What the names of the added columns begin with.
        **run_options: Further arguments of `bulk.Run`, such as `max_credits` and `max_age`.

    Raises:
        ConfigurationError: If an argument is not valid, a column is missing, or an added column has
            the name of one that is there. Nothing was sent.
        LixError: What ends a `bulk.Run`.

    Credits: those of the method, for each distinct input that the ledger does not have.

    Example:
        ```python
        frame = await enrich_frame(
            df, lix.people.get, on="linkedin_url", store="people.db", columns=["name", "headline"]
        )
        df = frame.to_pandas()
        ```
    """
    enrichment = TableEnrichment(
        frame, method, on=on, columns=columns, flatten=flatten, prefix=prefix
    )
    async with Run(store, method, enrichment.inputs, on=on, **run_options) as run:
        async for outcome in run:
            enrichment.add(outcome)
    return enrichment.frame()


class TableEnrichment:
    """A table with the outcomes of its rows: what `enrich_frame` does before and after its run.

    Args:
        frame: The table; see `enrich_frame` for this and what follows.
        method: The async method.
        on: The column, or the columns by argument.
        columns: The columns of the answer.
        flatten: Whether the fields of structs become columns.
        prefix: What the names of the added columns begin with.

    Raises:
        ConfigurationError: If an argument is not valid.
    """

    def __init__(
        self,
        frame: object,
        method: object,
        *,
        on: str | Mapping[str, str],
        columns: Sequence[str] | None,
        flatten: bool,
        prefix: str,
    ) -> None:
        check_on(on)
        check_type("on", on, str | Mapping[str, str])
        check_type("prefix", prefix, str)
        answer = _answer_of(method)
        answered = columns_of(answer, flatten=flatten, names=columns, more=OUTCOME_COLUMNS)
        self._added = [*_OUTCOME, *(one for one in answered if one not in _OUTCOME)]
        self._prefix = prefix
        self._table = _table(frame)
        _check(self._table, on, [prefix + one.name for one in self._added])
        self.inputs: list[dict[str, object]] = [{_ROW: row} for row in range(self._table.num_rows)]
        """The inputs of the run: the number of each row, and the columns that `on` names."""
        for name in dict.fromkeys(columns_in(on)):
            for one, value in zip(self.inputs, values_of(self._table.column(name)), strict=True):
                one[name] = value
        self._outcomes: list[Outcome[object] | None] = [None] * len(self.inputs)

    def add(self, outcome: Outcome[T]) -> None:
        """Add the outcome of a row."""
        row = cast("dict[str, int]", outcome.input)[_ROW]
        self._outcomes[row] = cast("Outcome[object]", outcome)

    def frame(self) -> Frame:
        """The table with the columns that were added."""
        table = self._table
        answers = [None if one is None else one.value for one in self._outcomes]
        for column in self._added:
            array = column.array(self._outcomes if column in _OUTCOME else answers)
            field = column.renamed(self._prefix + column.name).field
            table = table.append_column(field, ChunkedArray([array]))
        return Frame(table)


_OUTCOME = tuple(OUTCOME_COLUMNS.values())


def _answer_of(method: object) -> type:
    """The struct that a method returns.

    Raises:
        ConfigurationError: It returns something else.
    """
    try:
        kind = get_type_hints(getattr(method, "__func__", method)).get("return")
    except (NameError, TypeError):  # not annotated for those who run it
        kind = None
    name = getattr(method, "__name__", method)
    if inspect.isfunction(method) and not inspect.iscoroutinefunction(method):
        raise ConfigurationError(
            f"{name} returns without being awaited: pass the method of an async client, such as "
            f"AsyncLix, or use lix.enrich_frame(frame, {name}, ...)"
        )
    if not isinstance(kind, type):
        raise ConfigurationError(
            f"{name} does not return one struct: use bulk.Run(..., on=...), or lix.run without "
            "asyncio, and to_frame(outcomes)"
        )
    return kind


def _check(table: Table, on: str | Mapping[str, str], added: list[str]) -> None:
    names = table.column_names
    for name in columns_in(on):
        if name not in names:
            raise ConfigurationError(
                f"on: unknown column {name!r}; available columns: {', '.join(names)}"
            )
    _check_names(names)
    clashes = [name for name in added if name in names]
    if clashes:
        raise ConfigurationError(
            f"the frame already has the column {clashes[0]!r}: pass another prefix"
        )


def _table(frame: object) -> Table:
    kind = type(frame).__name__
    if isinstance(frame, Sized):
        _check_length(len(frame))
    if _is_pandas(frame):
        _check_names([*getattr(frame, "columns", ()), *_index_names(frame)])
    table = _from_stream(frame)
    if table is None:
        records = _records(frame)
        if not isinstance(records, Sequence) or isinstance(records, str | bytes):
            raise ConfigurationError(f"frame must be a table or a list of dicts, not {kind}")
        names: list[str] = list(getattr(frame, "columns", ()))  # of a table without rows
        table = _from_records(cast("Sequence[object]", records), names)
    _check_length(table.num_rows)
    return table


def _is_pandas(frame: object) -> bool:
    return hasattr(frame, "to_dict") and hasattr(frame, "index")


def _index_names(frame: object) -> list[object]:
    """The names of the index, which is a column then; other indexes are numbers of rows."""
    names = getattr(getattr(frame, "index", None), "names", ())
    return [name for name in names if name is not None]


def _check_names(names: Sequence[object]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise ConfigurationError(f"names of columns must be texts, not {name!r}")
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"the frame has several columns of the name {twice[0]!r}")


def _from_stream(frame: object) -> Table | None:
    """The table of an Arrow stream; None for another object, and one that has to be read by row."""
    if not hasattr(frame, "__arrow_c_stream__"):
        return None
    try:
        table = Table.from_arrow(cast("ArrowStream", frame))
    except ImportError:  # pandas exports by pyarrow
        return None
    except (ArithmeticError, NotImplementedError, TypeError, ValueError):
        # pyarrow makes no column of values of several types, such as 1 and "x".
        if _is_pandas(frame):
            return None
        raise
    # Rows that were chosen from a table of pandas have their old numbers as a column.
    return table.drop_columns([one for one in table.column_names if _PANDAS_INDEX.fullmatch(one)])


def _records(frame: object) -> object:
    """The rows of a table that gives them as dicts; another object as it is."""
    index = _index_names(frame)
    if index:  # where pyarrow writes it: after the columns
        level = getattr(getattr(frame, "index", None), "get_level_values", None)
        assign = getattr(frame, "assign", None)
        if callable(level) and callable(assign):
            frame = assign(**{str(name): level(name) for name in index})
    to_dict = getattr(frame, "to_dict", None)
    return to_dict("records") if callable(to_dict) else frame


def _check_length(rows: int) -> None:
    if rows > MOST_ROWS:
        raise ConfigurationError(
            f"the frame has {counted(rows, 'row')}, and enrich_frame takes {MOST_ROWS:,} at most: "
            "use bulk.Run(store, method, rows, on=...), which need not hold them in memory, and "
            "then `lix run export`"
        )


def _from_records(records: Sequence[object], names: Sequence[str]) -> Table:
    values: dict[str, list[object]] = {name: [] for name in names}
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            kind = type(record).__name__
            raise ConfigurationError(f"a row of the frame must be a mapping, not {kind}")
        row = cast("Mapping[str, object]", record)
        if new := [name for name in row if name not in values]:
            _check_names(new)
        for name, value in row.items():
            column = values.setdefault(name, [])
            column += [None] * (number - len(column))
            column.append(None if is_missing(value) else _plain(value))
    columns = {name: some + [None] * (len(records) - len(some)) for name, some in values.items()}
    types = {name: _type_of(column) for name, column in columns.items()}
    return table_of(
        [types[name].array(column) for name, column in columns.items()],
        [Column(name, (), kind).field for name, kind in types.items()],
    )


def _plain(value: object) -> object:
    """A value of NumPy as one of Python; others as they are."""
    to_list = getattr(value, "tolist", None)
    return to_list() if type(value).__module__ == "numpy" and callable(to_list) else value


def _days(value: object) -> int:
    return (cast("date", value) - date(1970, 1, 1)).days


_CONTAINERS: tuple[type, ...] = (Mapping, list, tuple, set, frozenset)


def _any_text(value: object) -> str:
    if isinstance(value, _CONTAINERS):
        try:
            return msgspec.json.encode(value, enc_hook=str).decode()
        except (TypeError, ValueError):  # such as keys that JSON does not have
            pass
    return str(value).encode("utf-8", "replace").decode()


_DATE = CastType(DataType.date32(), DataType.int32(), _days)
_LOCAL_TIME = CastType(DataType.timestamp("us"), DataType.int64(), microseconds)
_ANY = ArrowType(DataType.utf8(), _any_text)
"""Values of several types, and of those that Arrow does not have."""
_TYPES: Mapping[object, ArrowType] = {
    str: TEXT,
    bool: BOOL,
    int: INT,
    float: FLOAT,
    "time in a zone": TIME,
    "time": _LOCAL_TIME,
    date: _DATE,
    bytes: ArrowType(DataType.binary()),
}


def _kind_of(value: object) -> object:
    """What a value is, for the type of its column; None for one without a type of Arrow."""
    if isinstance(value, datetime):
        return "time in a zone" if value.tzinfo else "time"
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return None
    kinds = (bool, int, str, float, date, bytes, list)
    return next((kind for kind in kinds if isinstance(value, kind)), None)


def _type_of(values: Sequence[object]) -> ArrowType:
    """The type of a column that has all of its values, else text."""
    some = [value for value in values if value is not None]
    kinds = {_kind_of(value) for value in some} or {str}
    if kinds == {list}:
        item = _type_of([one for value in cast("list[list[object]]", some) for one in value])
        return _ANY if item is _ANY else ListType(item)
    if kinds == {int, float}:
        return FLOAT
    return _TYPES.get(kinds.pop(), _ANY) if len(kinds) == 1 else _ANY
