"""`--columns`: which columns a row type has, and suggestions for unknown ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from msgspec import inspect

from ..errors import CommandError
from ..providers import all_endpoints
from ..text import one_line
from .basic_columns import is_short_name
from .column_reader import OTHER, type_info
from .schema import LookupSchema, RowSchema, all_columns, columns_of

_MAX_SUGGESTED = 12
"""Columns listed when none is similar to the unknown one."""


def check_columns(columns: Sequence[str] | None, schema: RowSchema) -> None:
    """Check that rows of a schema can have these columns.

    If no struct describes the rows, any column is accepted.

    Args:
        columns: The requested columns; None for all.
        schema: The schema of the rows.

    Raises:
        CommandError: A column is unknown; the hint has similar ones.
    """
    if columns is None or not schema.columns:
        return
    structs = schema.structs
    if isinstance(schema, LookupSchema) and not structs:  # a ledger, with lookups of any kind
        structs = tuple(_result_structs())
    for column in columns:
        if not _is_known(column, schema, structs):
            raise CommandError(
                f"unknown column {one_line(column, 60)!r} in --columns",
                hint=_hint(column, schema, structs),
            )


def unknown_column_error(column: str, names: Iterable[str]) -> CommandError:
    """The error for a column that is not one of the given names."""
    found = list(names)
    from difflib import get_close_matches  # late, as below: only a wrong name needs it

    near = get_close_matches(column, found, n=3)
    hint = (
        f"did you mean {' or '.join(near)}?" if near else f"available columns: {', '.join(found)}"
    )
    return CommandError(f"unknown column {one_line(column, 60)!r} in --columns", hint=hint)


def _is_known(column: str, schema: RowSchema, structs: Sequence[type]) -> bool:
    first, dot, _ = column.partition(".")
    # Full paths such as `result.new` or `input.email` are accepted whether documented or not.
    is_full_path = column in LookupSchema.row_fields or (dot and first in ("input", "result"))
    if first == OTHER or (isinstance(schema, LookupSchema) and is_full_path):
        return True
    return any(
        is_short_name(struct, column) or _path_exists(type_info(struct), column)
        for struct in structs
    )


def _path_exists(kind: inspect.Type, path: str) -> bool:
    """Whether a dotted path can have a value in that type."""
    if isinstance(kind, inspect.UnionType):
        return any(_path_exists(part, path) for part in kind.types)
    if isinstance(kind, inspect.StructType):
        fields = {field.encode_name: field.type for field in kind.fields}
        aliases: dict[str, str] = getattr(kind.cls, "__aliases__", {})
        fields |= {alias: fields[name] for alias, name in aliases.items()}
        dots = [dot.start() for dot in re.finditer(r"\.", path)]
        return path in fields or any(
            path[:at] in fields and _path_exists(fields[path[:at]], path[at + 1 :]) for at in dots
        )
    if isinstance(kind, inspect.ListType):
        index, _, rest = path.partition(".")
        if not (index.isascii() and index.isdigit()):
            return False
        return not rest or _path_exists(kind.item_type, rest)
    # An object without a struct may have any field; scalars have none.
    return isinstance(kind, inspect.DictType | inspect.AnyType | inspect.CustomType)


def _result_structs() -> Iterator[type]:
    """The structs of what single calls return."""
    for endpoint in all_endpoints().values():
        struct = cast("type", endpoint.result)
        if not endpoint.is_listing and columns_of(struct):
            yield struct


def _hint(column: str, schema: RowSchema, structs: Sequence[type]) -> str:
    own = schema.row_fields if isinstance(schema, LookupSchema) else ()
    names = list(
        dict.fromkeys(
            name
            for struct in structs or (None,)
            for name in (*own, *all_columns(struct), *columns_of(struct))
        )
    )
    names = [name for name in names if name != OTHER]
    similar = [
        name for name in names if name.endswith(f".{column}") or column.startswith(f"{name}.")
    ]
    from difflib import get_close_matches

    near = list(dict.fromkeys((*get_close_matches(column, names, n=3), *similar)))[:3]
    prefix = "result" if own else OTHER
    new = f"\n      for a field that this version does not know, use {prefix}.NAME"
    if near:
        return f"did you mean {' or '.join(near)}?{new}"
    if own:
        new = f"\n      `lix columns person` describes them; basic or all stands alone{new}"
    return f"available columns: {', '.join(names[:_MAX_SUGGESTED])}, …{new}"
