"""Structs and outcomes as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from ..core.errors import ConfigurationError
from ..core.models import AnyStruct
from ..core.validation import as_list
from ..engine.outcome import Outcome
from .arrow import Schema, table_of
from .columns import AS_TEXT, INT, TEXT, ArrowType, Column, columns_of
from .frame import Frame


def _input_text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()


OUTCOME_COLUMNS = {
    one.name: one
    for one in (
        Column("status", ("state",), TEXT, "What became of the input: done, refused, invalid, …"),
        Column("credits", ("credits",), INT, "Credits that this run spent on it."),
        Column("reason", ("error",), AS_TEXT, "Why the answer is missing."),
    )
}
"""What the frame of a run has beside the answers."""
_INPUT = {"input": Column("input", ("input",), ArrowType(TEXT.arrow, _input_text), "The input.")}


def to_frame(
    rows: Iterable[AnyStruct | Outcome[object]],
    kind: type[AnyStruct] | None = None,
    *,
    flatten: bool = False,
    columns: Sequence[str] | None = None,
) -> Frame:
    """Structs, or the outcomes of a run, as a table.

    The columns follow from the type of the structs, so that tables of different rows fit together.
    Texts, numbers, flags, times (UTC), lists and structs keep their types; what is not documented,
    and a struct inside itself, is JSON.

    Args:
        rows: Structs of one type, or outcomes. A table of outcomes has the columns `input`,
            `status`, `credits` and `reason` too, and an answer's field of one of these names gets
            the name of its struct before it, such as `email_status`. An answer that is a list
            becomes one row for each item, without items one row.
        kind: The type of the structs; needed where there may be none.
        flatten: Whether the fields of structs in a struct become columns (`birth_date_year`).
        columns: The columns to have, in this order, also properties such as `full_name`. Default:
            all fields.

    Raises:
        ConfigurationError: If an argument is not valid, or the rows are of several types.
    """
    found = cast("list[object]", as_list("rows", rows))
    pairs: list[tuple[Outcome[object] | None, object]] = []
    for row in found:
        if not isinstance(row, Outcome):
            pairs.append((None, row))
            continue
        outcome = cast("Outcome[object]", row)
        is_list = isinstance(outcome.value, list)
        values = cast("list[object]", outcome.value) if is_list else [outcome.value]
        pairs += [(outcome, value) for value in values or [None]]
    answers = [answer for _, answer in pairs]
    outcomes = [outcome for outcome, _ in pairs]
    is_run = any(outcome is not None for outcome in outcomes)
    more = {**_INPUT, **OUTCOME_COLUMNS} if is_run else None
    chosen = columns_of(_kind_of(answers, kind), flatten=flatten, names=columns, more=more)
    arrays = [one.array(outcomes if one in (more or {}).values() else answers) for one in chosen]
    return Frame(table_of(arrays, [one.field for one in chosen]))


def schema(kind: type[AnyStruct], *, flatten: bool = False) -> Schema:
    """The columns of the table of a struct, with the descriptions of its fields as metadata.

    Within a minor version of this package, columns are only ever appended.

    Args:
        kind: The struct, such as `Person`.
        flatten: Whether the fields of structs in it become columns.

    Raises:
        ConfigurationError: If an argument is not valid.
    """
    return Schema([one.field for one in columns_of(kind, flatten=flatten)])


def _kind_of(answers: Sequence[object], kind: type[AnyStruct] | None) -> type:
    if kind is not None:
        for one in answers:
            if one is not None and not isinstance(one, kind):
                raise ConfigurationError(
                    f"rows must be of {kind.__name__}, not {type(one).__name__}"
                )
        return kind
    # An item that could not be read is of a subclass of the type of the others.
    kinds = {type(one) for one in answers if one is not None}
    widest = [one for one in kinds if all(issubclass(other, one) for other in kinds)]
    if not widest:
        problem = "of several types" if kinds else "without a struct"
        raise ConfigurationError(f"rows are {problem}: pass kind, such as kind=Person")
    return widest[0]
