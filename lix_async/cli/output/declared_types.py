"""The SQL types of columns by their definitions: for a file in which a column has no value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args, get_type_hints

from msgspec import inspect

from ...core.repair import without_null
from .basic_columns import paths_of
from .column_reader import property_of, type_info

TEXT = "VARCHAR"
INTEGER = "BIGINT"
FLOAT = "DOUBLE"
_PLAIN: tuple[tuple[type[inspect.Type], str], ...] = (
    (inspect.StrType, TEXT),
    (inspect.BoolType, "BOOLEAN"),
    (inspect.IntType, INTEGER),
    (inspect.FloatType, FLOAT),
)


def declared_type(structs: Iterable[type], name: str) -> str:
    """The type of a column, of the first struct that has it; text for what is not declared.

    Args:
        structs: The types of a row.
        name: The column: a short name, a path, or a property.
    """
    for struct in structs:
        kind: inspect.Type | None = type_info(struct)
        for part in paths_of(struct, name)[0].split("."):
            kind = None if kind is None else _part(without_null(kind), part)
        if kind is not None:
            return _sql(kind)
    return TEXT


def _part(kind: inspect.Type, part: str) -> inspect.Type | None:
    if isinstance(kind, inspect.ListType):
        return kind.item_type if part.isascii() and part.isdigit() else None
    if not isinstance(kind, inspect.StructType):
        return None
    field = next((one.type for one in kind.fields if one.encode_name == part), None)
    return _property_type(kind.cls, part) if field is None else field


def _property_type(struct: type, name: str) -> inspect.Type | None:
    attribute = property_of(struct, name)
    if attribute is None:
        return None
    found = get_type_hints(getattr(struct, attribute).fget)["return"]
    plain = {part for part in (found, *get_args(found)) if part in (str, bool, int, float)}
    return inspect.type_info(plain.pop()) if len(plain) == 1 else inspect.AnyType()


def _sql(kind: inspect.Type) -> str:
    kind = without_null(kind)
    if isinstance(kind, inspect.ListType):
        return f"{_sql(kind.item_type)}[]"
    return next((sql for plain, sql in _PLAIN if isinstance(kind, plain)), TEXT)
