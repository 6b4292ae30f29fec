"""The columns of a struct, as Arrow has them.

A struct becomes one array for each field. Every column may be null: any field may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import cast, get_type_hints

import msgspec
from msgspec import inspect

from ..core.errors import ConfigurationError
from ..core.field_docs import field_descriptions
from ..core.models import OpenObject
from .arrow import Array, DataType, Field, array_of, cast_array, list_array, struct_array

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = 2**63
JSON_COLUMN = "json"
"""The column with the whole of an object whose keys are open."""


class ArrowType:
    """The type of a column, and how its values become an array.

    Args:
        arrow: The type.
        convert: Makes a value of the type from each one that is not None.
        repair: Does so where that has failed.
    """

    def __init__(
        self,
        arrow: DataType,
        convert: Callable[[object], object] | None = None,
        repair: Callable[[object], object] | None = None,
    ) -> None:
        self.arrow = arrow
        self._convert = convert
        self._repair = repair or convert

    def array(self, values: Sequence[object]) -> Array:
        """The values as an array."""
        try:
            return self._made(values, self._convert)
        except (TypeError, ValueError, OverflowError):  # such as a number of more than 64 bits
            return self._made(values, self._repair)

    def _made(self, values: Sequence[object], convert: Callable[[object], object] | None) -> Array:
        if convert is not None:
            values = [None if value is None else convert(value) for value in values]
        return array_of(values, self.arrow)


class CastType(ArrowType):
    """A type whose values are made from numbers."""

    def __init__(
        self, arrow: DataType, numbers: DataType, convert: Callable[[object], object]
    ) -> None:
        super().__init__(arrow)
        self._numbers = ArrowType(numbers, convert)

    def array(self, values: Sequence[object]) -> Array:
        return cast_array(self._numbers.array(values), self.arrow)


class ListType(ArrowType):
    """Lists of a type."""

    def __init__(self, item: ArrowType) -> None:
        super().__init__(DataType.list(Field("item", item.arrow)))
        self._item = item

    def array(self, values: Sequence[object]) -> Array:
        lists = cast("Sequence[Sequence[object] | None]", values)
        offsets, items = [0], list[object]()
        for one in lists:
            items += one or ()
            offsets.append(len(items))
        return list_array(values, offsets, self._item.array(items), self.arrow)


class _StructType(ArrowType):
    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._fields = [column.field for column in columns]
        super().__init__(DataType.struct(self._fields))

    def array(self, values: Sequence[object]) -> Array:
        arrays = [column.array(values) for column in self.columns]
        return struct_array(values, arrays, self._fields)


class Column(msgspec.Struct, frozen=True):
    """A column: where its values are in a struct, and what they become."""

    name: str
    path: tuple[str, ...]
    """The attribute, or those that lead to it; empty for the object itself."""
    type: ArrowType
    description: str = ""

    @property
    def field(self) -> Field:
        """The column in an Arrow schema, with its description."""
        about = {"description": self.description} if self.description else None
        return Field(self.name, self.type.arrow, nullable=True, metadata=about)

    def array(self, structs: Sequence[object]) -> Array:
        """Its values of some structs. Of None, all are null."""
        for name in self.path:
            structs = [getattr(one, name, None) for one in structs]
        return self.type.array(structs)

    def renamed(self, name: str) -> Column:
        """The same column under another name."""
        return msgspec.structs.replace(self, name=name)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _whole(value: object) -> int | None:
    fits = isinstance(value, int) and -LARGEST <= value < LARGEST
    return cast("int", value) if fits else None


def microseconds(value: object) -> int:
    """A time in microseconds since 1970; one without a zone is taken for UTC."""
    moment = cast("datetime", value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


BOOL = ArrowType(DataType.bool(), None, bool)
INT = ArrowType(DataType.int64(), None, _whole)
FLOAT = ArrowType(DataType.float64(), None, lambda value: float(cast("float", value)))
TEXT = ArrowType(DataType.utf8(), None, _text)
AS_TEXT = ArrowType(DataType.utf8(), _text)
"""Texts of values that may be of several types."""
JSON = ArrowType(DataType.utf8(), _json)
TIME = CastType(DataType.timestamp("us", tz="UTC"), DataType.int64(), microseconds)
_SCALARS: dict[type[inspect.Type], ArrowType] = {
    inspect.BoolType: BOOL,
    inspect.IntType: INT,
    inspect.FloatType: FLOAT,
    inspect.StrType: TEXT,
    inspect.LiteralType: TEXT,
    inspect.DateTimeType: TIME,
}


def _type_of(kind: inspect.Type, enclosing: frozenset[type]) -> ArrowType:
    if isinstance(kind, inspect.UnionType):
        parts = {
            _type_of(one, enclosing) for one in kind.types if type(one) is not inspect.NoneType
        }
        if len(parts) == 1:
            return parts.pop()
        return AS_TEXT if parts <= {BOOL, INT, FLOAT, TEXT} else JSON
    if isinstance(kind, inspect.ListType):
        item = _type_of(kind.item_type, enclosing)
        return JSON if item is JSON else ListType(item)
    cls = cast("object", getattr(kind, "cls", object))
    if isinstance(cls, type) and issubclass(cls, msgspec.Struct | OpenObject):
        if cls in enclosing:
            return JSON
        columns = _fields(cls, enclosing) or _properties(cls, enclosing)
        return _StructType(columns) if columns else JSON
    return _SCALARS.get(type(kind), JSON)


def _fields(cls: type, enclosing: frozenset[type] = frozenset()) -> list[Column]:
    """The columns of the fields of a struct."""
    if not issubclass(cls, msgspec.Struct):
        return []
    kind = cast("inspect.StructType", inspect.type_info(cls))
    about = field_descriptions(cls)
    enclosing |= {cls}
    return [
        Column(one.name, (one.name,), _type_of(one.type, enclosing), about.get(one.name, ""))
        for one in kind.fields
    ]


def _properties(cls: type, enclosing: frozenset[type] = frozenset()) -> list[Column]:
    """The columns of the properties of a struct or an open object, in the order of its source."""
    about = field_descriptions(cls)
    enclosing |= {cls}
    members = {
        name: member
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, property) and not name.startswith("_") and name != "identity"
    }
    return [
        Column(
            name,
            (name,),
            _type_of(inspect.type_info(get_type_hints(member.fget)["return"]), enclosing),
            about.get(name, ""),
        )
        for name, member in members.items()
    ]


def _flattened(columns: Iterable[Column]) -> list[Column]:
    found: list[Column] = []
    for column in columns:
        if not isinstance(column.type, _StructType):
            found.append(column)
            continue
        for inner in _flattened(column.type.columns):
            name, path = f"{column.name}_{inner.name}", column.path + inner.path
            found.append(Column(name, path, inner.type, inner.description))
    return found


@cache
def _columns_of(kind: type, flatten: bool) -> tuple[list[Column], list[Column]]:
    """The columns of a struct, and those of its properties."""
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct | OpenObject):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(f"kind must be a struct such as Person, not {kind!r}")
    if issubclass(kind, msgspec.Struct):
        columns, others = _fields(kind), _properties(kind)
    else:
        about = "The whole object, as JSON."
        columns, others = [Column(JSON_COLUMN, (), JSON, about), *_properties(kind)], []
    return (_flattened(columns), _flattened(others)) if flatten else (columns, others)


def columns_of(
    kind: type,
    *,
    flatten: bool = False,
    names: Sequence[str] | None = None,
    more: Mapping[str, Column] | None = None,
) -> list[Column]:
    """The columns of a struct: all of its fields, or those of these names, also properties.

    Args:
        kind: The struct.
        flatten: Whether the fields of structs in it become columns of their own.
        names: The columns to choose.
        more: Other columns that may be chosen; without `names`, all of them come first.

    Raises:
        ConfigurationError: There is no such struct or column.
    """
    fields, properties = _columns_of(kind, flatten)
    others = dict(more or {})
    # A field of the name of another column, such as the status of an e-mail address.
    own = f"{kind.__name__.lower()}_"
    taken = {one.name: own + one.name if one.name in others else one.name for one in fields}
    known = {
        name: others.get(name) or column.renamed(name)
        for name, column in [
            *others.items(),
            *((taken[column.name], column) for column in fields),
            *((column.name, column) for column in properties),
        ]
    }
    if names is None:
        return [known[name] for name in (*others, *taken.values())]
    if isinstance(names, str):
        raise ConfigurationError("columns must be a list of names, not a single text")
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"unknown column {name!r} in columns; available columns: {', '.join(known)}"
            )
    return [known[name] for name in dict.fromkeys(names)]
