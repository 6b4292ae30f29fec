"""`--columns`: which of the named columns a kind of row may have; a slip is told, not obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import cast

from msgspec import inspect

from ..errors import CommandError
from ..providers import all_endpoints
from ..text import one_line
from .schema import OTHER, LookupSchema, RowSchema, columns_of

_SHOWN = 12
"""Columns that are named where none of them is like the one that was meant."""


def check_columns(columns: Sequence[str] | None, schema: RowSchema) -> None:
    """See to it that rows of this schema may have these columns; None for all is fine.

    Where no document describes the rows, any column may be. Raises `CommandError` that names the
    first one nobody knows, and those that are like it.
    """
    if columns is None or not schema.columns:
        return
    kinds = schema.kinds
    if (
        isinstance(schema, LookupSchema) and not kinds
    ):  # a ledger's: whatever anybody may have asked
        kinds = tuple(_answers())
    for column in columns:
        if not _known(column, schema, kinds):
            raise CommandError(
                f"--columns: nobody knows {one_line(column, 60)!r}",
                hint=_hint(column, schema, kinds),
            )


def unknown(column: str, names: Iterable[str]) -> CommandError:
    """What to tell of a column that is none of these."""
    found = list(names)
    near = get_close_matches(column, found, n=3)
    hint = f"did you mean {' or '.join(near)} ?" if near else f"there are: {', '.join(found)}"
    return CommandError(f"--columns: nobody knows {one_line(column, 60)!r}", hint=hint)


def _known(column: str, schema: RowSchema, kinds: Sequence[type]) -> bool:
    first, dot, _ = column.partition(".")
    # `result.new`, `input.email`: whoever spells it out means it, whatever is documented.
    spelled = column in LookupSchema.own or (dot and first in ("input", "result"))
    if first == OTHER or (isinstance(schema, LookupSchema) and spelled):
        return True
    return any(_leads(inspect.type_info(kind), column) for kind in kinds)


def _leads(shape: inspect.Type, path: str) -> bool:
    """Whether a dotted path may lead somewhere in a value of that shape."""
    if isinstance(shape, inspect.UnionType):
        return any(_leads(part, path) for part in shape.types)
    if isinstance(shape, inspect.StructType):
        inside = {field.encode_name: field.type for field in shape.fields}
        aliases: dict[str, str] = getattr(shape.cls, "__aliases__", {})
        inside |= {alias: inside[name] for alias, name in aliases.items()}
        dots = [dot.start() for dot in re.finditer(r"\.", path)]
        return path in inside or any(
            path[:at] in inside and _leads(inside[path[:at]], path[at + 1 :]) for at in dots
        )
    if isinstance(shape, inspect.ListType):
        place, _, rest = path.partition(".")
        return place.isascii() and place.isdigit() and (not rest or _leads(shape.item_type, rest))
    # An object that nobody describes may have anything in it; a text has nothing.
    return isinstance(shape, inspect.DictType | inspect.AnyType | inspect.CustomType)


def _answers() -> Iterator[type]:
    """The structs of what single calls answer, as far as a document describes them."""
    for row in all_endpoints().values():
        kind = cast("type", row.result)
        if not row.is_listing and columns_of(kind):
            yield kind


def _hint(column: str, schema: RowSchema, kinds: Sequence[type]) -> str:
    own = schema.own if isinstance(schema, LookupSchema) else ()
    names = list(dict.fromkeys((*own, *(name for kind in kinds for name in columns_of(kind)))))
    names = [name for name in names if name != OTHER]
    alike = [name for name in names if name.endswith(f".{column}") or column.startswith(f"{name}.")]
    near = list(dict.fromkeys((*get_close_matches(column, names, n=3), *alike)))[:3]
    spelled = "result" if own else OTHER
    new = f"\n      what the provider has added since then is {spelled}.NAME"
    if near:
        return f"did you mean {' or '.join(near)} ?{new}"
    return f"there are {', '.join(names[:_SHOWN])} and so on{new}"
