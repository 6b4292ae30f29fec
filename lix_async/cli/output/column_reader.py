"""Reading columns from rows as received.

A column is a short name (see `basic_columns`), a path of the wire, or a property of the struct. A
table of a million rows needs few of their fields: where only plain fields are asked for, only those
are decoded. Where everything is, a row is taken as it was sent, unless the struct reads it
otherwise, such as a number sent as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import inspect

from ...core.decoding import decoder_for
from ...core.json_text import JSON_ERRORS, SchemaMismatch
from ...core.models import OpenObject
from ...core.repair import without_null
from ...core.values import JsonObject, decode_undocumented
from ..values import get_path, remaining_fields
from .basic_columns import is_short_name, paths_of

OTHER = "other"
"""The column of what no other column shows."""
OTHER_PREFIX = f"{OTHER}."
RowReader = Callable[[bytes], list[object]]
"""Reads the values of columns from a row; a `SchemaMismatch` says that it cannot be read."""
Getter = Callable[[Any], object]


class Steps(msgspec.Struct, frozen=True):
    """How a value is found in a struct."""

    path: tuple[str | int, ...]
    """Attributes and indexes."""
    is_property: bool = False

    def getter(self) -> Getter:
        """What reads the value."""
        if len(self.path) == 1:
            return attrgetter(cast("str", self.path[0]))
        steps = self.path

        def get(value: Any) -> object:
            for step in steps:
                if value is None:
                    return None
                if isinstance(step, int):
                    value = value[step] if step < len(value) else None
                else:
                    value = getattr(value, step)
            return value

        return get


class RowColumn(NamedTuple):
    """A column of a type of row."""

    name: str
    paths: tuple[str, ...]
    """Where its value is, or a part of the value of a short name that has alternatives."""

    is_short: bool
    """Whether its name is a short one."""

    @classmethod
    def of(cls, struct: type | None, name: str) -> RowColumn:
        """The column with a name."""
        return cls(name, paths_of(struct, name), is_short_name(struct, name))


@cache
def type_info(struct: type) -> inspect.Type:
    """`msgspec.inspect.type_info`, which takes milliseconds."""
    return inspect.type_info(struct)


@cache
def steps_of(struct: type, path: str) -> Steps | None:
    """How a path is found; None where it is no plain value of a field or property."""
    found: list[str | int] = []
    kind: inspect.Type = type_info(struct)
    parts = path.split(".")
    for place, part in enumerate(parts):
        kind = without_null(kind)
        if isinstance(kind, inspect.StructType):
            field = next((one for one in kind.fields if one.encode_name == part), None)
            if field is None:
                attribute = property_of(kind.cls, part)
                last = place == len(parts) - 1
                return None if attribute is None or not last else Steps((*found, attribute), True)
            found.append(field.name)
            kind = field.type
        elif isinstance(kind, inspect.ListType) and part.isascii() and part.isdigit() and place:
            found.append(int(part))
            kind = kind.item_type
        else:
            return None
    kind = without_null(kind)
    if isinstance(kind, inspect.ListType):
        kind = without_null(kind.item_type)
    plain = inspect.StrType | inspect.IntType | inspect.FloatType | inspect.BoolType
    return Steps(tuple(found)) if isinstance(kind, plain) else None


def property_of(struct: type, name: str) -> str | None:
    """The property of a type that has this name in the style of the wire."""
    for base in struct.__mro__:
        for attribute, member in vars(base).items():
            if isinstance(member, property) and attribute not in ("identity", "full_name"):
                first, *rest = attribute.split("_")
                if first + "".join(map(str.capitalize, rest)) == name:
                    return attribute
    return None


def column_reader(
    struct: type | None, names: Sequence[str], *, short_names: bool = True
) -> RowReader:
    """A reader of columns.

    Args:
        struct: The type of the rows; None if it is unknown.
        names: The columns.
        short_names: Whether there may be short names among them; else all are paths.
    """
    columns = [RowColumn.of(struct if short_names else None, name) for name in names]
    if struct is not None and issubclass(struct, OpenObject):
        return _open_reader(struct, columns)
    if struct is None or not issubclass(struct, msgspec.Struct):
        return _tree_reader(None, columns)
    found = [[steps_of(struct, path) for path in column.paths] for column in columns]
    if None in (one for some in found for one in some):
        return _tree_reader(struct, columns)
    steps = cast("list[list[Steps]]", found)
    getters = [_first([one.getter() for one in some]) for some in steps]
    decode = _partial_decoder(struct, [one for some in steps for one in some])
    return lambda body: _values(decode(body), getters)


def _values(answer: object, getters: Sequence[Getter]) -> list[object]:
    return [get(answer) for get in getters]


def _first(getters: Sequence[Getter]) -> Getter:
    """The first of several values that is given."""
    if len(getters) == 1:
        return getters[0]

    return lambda value: next((one for get in getters if _is_given(one := get(value))), None)


def _is_given(value: object) -> bool:
    """Whether a value is none of the ways in which a provider leaves something out."""
    return bool(value) and not str(value).endswith("/sales/company/")


def _partial_decoder(struct: type, steps: Sequence[Steps]) -> Callable[[bytes], object]:
    """A decoder of the fields that are asked for; of all where there are properties among them."""
    full = decoder_for(cast("type[object]", struct))
    if any(one.is_property for one in steps):
        return full.read
    paths = [[step for step in one.path if isinstance(step, str)] for one in steps]
    fast: Callable[[bytes], object] = msgspec.json.Decoder(
        _partial(struct, paths), strict=False, dec_hook=decode_undocumented
    ).decode
    names = full.other_names

    def read(body: bytes) -> object:
        if not any(map(body.__contains__, names)):
            try:
                return fast(body)
            except JSON_ERRORS:
                pass
        return full.read(body)

    return read


def _partial(struct: type, paths: Sequence[Sequence[str]]) -> type[object]:
    """A struct with only those fields of another one that paths lead to."""
    wanted: dict[str, list[Sequence[str]]] = {}
    for first, *rest in paths:
        wanted.setdefault(first, []).append(rest)
    fields: list[tuple[str, Any, Any]] = []
    for field in cast("inspect.StructType", type_info(struct)).fields:
        if field.name not in wanted:
            continue
        declared = next(one for one in msgspec.structs.fields(struct) if one.name == field.name)
        kind: Any = declared.type
        inner = without_null(field.type)
        deeper = [rest for rest in wanted[field.name] if rest]
        is_list = isinstance(inner, inspect.ListType)
        if deeper and len(deeper) == len(wanted[field.name]):
            part = without_null(inner.item_type) if isinstance(inner, inspect.ListType) else inner
            kind = _partial(cast("inspect.StructType", part).cls, deeper)
            kind = list[kind] if is_list else kind | None
        default: Any = msgspec.field(name=field.encode_name, default=None)
        if is_list:
            default = msgspec.field(name=field.encode_name, default_factory=list[Any])
        fields.append((field.name, kind, default))
    return msgspec.defstruct(f"Partial{struct.__name__}", fields, kw_only=True, gc=False)


# Rows as they were sent


def _tree_reader(struct: type | None, columns: Sequence[RowColumn]) -> RowReader:
    """A reader of any paths, and of what no other column shows."""
    found = [
        [_Source.of(struct, path) for path in column.paths] if column.name != OTHER else []
        for column in columns
    ]
    plan = [(some[0].field if len(some) == 1 else None, some) for some in found]
    as_read = None if struct is None else _as_read(struct)
    properties = any(one.property is not None for some in found for one in some)
    shown = shown_paths(struct, columns)

    def read(body: bytes) -> list[object]:
        row = tree = parsed(body)
        answer: object = None
        if as_read is not None:
            tree, answer = as_read(row, body)
            if properties and answer is None:  # it is raised what is wrong with it
                answer = decoder_for(cast("type[object]", struct)).read(body)
        get, dotted = tree.get, "." in "".join(tree)
        values: list[object] = []
        for field, sources in plan:
            if field is not None:
                values.append(get(*field))
            elif not sources:
                values.append(remaining_fields(row, shown) or None)
            elif len(sources) == 1:
                values.append(sources[0].value(tree, answer, dotted))
            else:
                given = (one.value(tree, answer, dotted) for one in sources)
                values.append(next(filter(_is_given, given), None))
        return values

    return read


def sent_reader(struct: type | None, names: Sequence[str]) -> RowReader:
    """A reader of rows that do not fit their type: values are as they were sent."""
    columns = [RowColumn.of(struct, name) for name in names]
    shown = shown_paths(struct, columns)

    def read(body: bytes) -> list[object]:
        row = parsed(body)
        return [
            (remaining_fields(row, shown) or None)
            if name == OTHER
            else next(filter(_is_given, (value_at(row, path) for path in paths)), None)
            for name, paths, _ in columns
        ]

    return read


class _Source(msgspec.Struct, frozen=True):
    """Where a value of a column is in a row."""

    path: str
    parts: tuple[str, ...]
    """The parts of a path that the struct declares; empty for others."""
    field: tuple[str] | None
    """The field of the row that it is; None for one that is deeper, or not declared."""
    property: Getter | None

    @classmethod
    def of(cls, struct: type | None, path: str) -> _Source:
        steps = None if struct is None else steps_of(struct, path)
        if steps is not None and steps.is_property:
            return cls(path, (), None, steps.getter())
        parts = tuple(path.split("."))
        if struct is None or not _is_declared(type_info(struct), parts):
            return cls(path, (), None, None)
        return cls(path, parts, parts if len(parts) == 1 else None, None)

    def value(self, tree: JsonObject, answer: object, dotted: bool) -> object:
        """The value in a row, or in what the struct has read of it."""
        if self.property is not None:
            return self.property(answer)
        if not self.parts or (dotted and len(self.parts) > 1):
            return value_at(tree, self.path)
        node = cast("object", tree)
        for part in self.parts:
            if node is None:
                return None
            if isinstance(node, dict):
                node = cast("JsonObject", node).get(part)
            elif isinstance(node, list) and part.isdigit():
                items = cast("list[object]", node)
                node = items[int(part)] if int(part) < len(items) else None
            else:
                return None
        return node  # pyright: ignore[reportUnknownVariableType]  # of any items


def _is_declared(kind: inspect.Type, parts: Sequence[str]) -> bool:
    """Whether a struct has a field at a path."""
    for part in parts:
        kind = without_null(kind)
        if isinstance(kind, inspect.StructType):
            found = next((one.type for one in kind.fields if one.encode_name == part), None)
            if found is None:
                return False
            kind = found
        elif isinstance(kind, inspect.ListType) and part.isascii() and part.isdigit():
            kind = kind.item_type
        else:
            return False
    return True


def _open_reader(struct: type[OpenObject], columns: Sequence[RowColumn]) -> RowReader:
    """A reader of objects whose keys are not documented: short names are properties of them."""
    read_row = decoder_for(struct).read
    shown = shown_paths(None, columns)
    names = [column.name for column in columns]
    getters = [
        None
        if name == OTHER
        else _first([_property_path(struct, path) for path in paths])
        if is_short
        else _path_getter(name)
        for name, paths, is_short in columns
    ]

    def read(body: bytes) -> list[object]:
        row = read_row(body)
        values = [None if get is None else get(row) for get in getters]
        if OTHER in names:
            found = remaining_fields(row, shown)
            for name, value in zip(names, values, strict=True):
                if name in row and row[name] != value:
                    found[name] = row[name]  # a short name shows something else
            values[names.index(OTHER)] = found or None
        return values

    return read


def _path_getter(path: str) -> Getter:
    return lambda row: value_at(row, path)


def _property_path(struct: type, path: str) -> Getter:
    """What reads `company.url`: the property of a property of an open object."""
    steps = path.split(".")

    def get(row: object) -> object:
        value: object = row
        for step in steps:
            if value is None:
                return None
            value = getattr(value, property_of(type(value), step) or step)
        return value.isoformat() if isinstance(value, datetime) else value

    return get


def parsed(body: bytes) -> JsonObject:
    """A row as an object.

    Raises:
        SchemaMismatch: It is none.
    """
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        row: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SchemaMismatch(str(error), "$") from None
    if not isinstance(row, dict):
        raise SchemaMismatch("expected an object", "$")
    return cast("JsonObject", row)


def value_at(row: JsonObject, path: str) -> object:
    """The value at a path; `other.new` is a field that no struct has."""
    found = get_path(row, path)
    if found is None and path.startswith(OTHER_PREFIX):
        return get_path(row, path.removeprefix(OTHER_PREFIX))
    return found


def shown_paths(struct: type | None, columns: Sequence[RowColumn]) -> frozenset[str]:
    """The paths of the wire that columns show; a property shows none.

    Args:
        struct: The type of the rows; None for rows whose columns are keys.
        columns: The columns.
    """
    shown: set[str] = set()
    for name, paths, _ in columns:
        for path in (paths if struct is not None else (name,)) if name != OTHER else ():
            steps = None if struct is None else steps_of(struct, path)
            if steps is None or not steps.is_property:
                shown |= {path, path.removeprefix(OTHER_PREFIX)}
    return frozenset(shown)


def normalised(row: JsonObject, struct: type) -> JsonObject:
    """A row with its values as the struct reads them, such as numbers sent as text."""
    return _as_read(struct)(row, msgspec.json.encode(row))[0]


@cache
def _as_read(struct: type) -> Callable[[JsonObject, bytes], tuple[JsonObject, object]]:
    """What gives a row with its values as the struct reads them, and the struct; None without one.

    Most fields are read as they were sent: only those that are not are compared in detail.
    """
    full = decoder_for(cast("type[object]", struct))
    lenient: Callable[[bytes], object] = msgspec.json.Decoder(
        cast("type[object]", struct), strict=False, dec_hook=decode_undocumented
    ).decode
    strict: Callable[[bytes], object] = msgspec.json.Decoder(
        cast("type[object]", struct), dec_hook=decode_undocumented
    ).decode
    declared = msgspec.structs.fields(struct) if issubclass(struct, msgspec.Struct) else ()
    fields = {one.encode_name: (one.name, one.type) for one in declared}
    names = full.other_names

    def read(row: JsonObject, body: bytes) -> tuple[JsonObject, object]:
        answer: object = None
        if not fields.keys().isdisjoint(row) and not any(map(body.__contains__, names)):
            with suppress(*JSON_ERRORS):
                answer = lenient(body)
        if answer is None:
            try:
                answer = full.read(body)
            except SchemaMismatch:
                return row, None
            return cast("JsonObject", _merge(row, msgspec.to_builtins(answer))), answer
        with suppress(*JSON_ERRORS):
            strict(body)
            return row, answer
        tree = row.copy()
        for name, sent in row.items():
            if (field := fields.get(name)) is not None:
                tree[name] = _field_as_read(sent, getattr(answer, field[0]), field[1])
        return tree, answer

    return read


def _field_as_read(sent: object, known: object, kind: object) -> object:
    if isinstance(sent, dict | list):
        with suppress(msgspec.ValidationError):
            msgspec.convert(sent, cast("type[object]", kind), dec_hook=decode_undocumented)
            return sent  # pyright: ignore[reportUnknownVariableType]  # of any items
        return _merge(sent, msgspec.to_builtins(known))  # pyright: ignore[reportUnknownArgumentType]  # as above
    return sent if known is None else known


def _merge(sent: object, known: object) -> object:
    """What was sent, updated by what the struct read, part by part.

    Values that the struct could not read (a number that is not one, a null in a list) stay as sent.
    """
    if isinstance(sent, dict) and isinstance(known, dict):
        merged = cast("dict[str, object]", sent).copy()
        for name, value in cast("dict[str, object]", known).items():
            if isinstance(value, (dict, list)):
                merged[name] = _merge(merged.get(name), cast("object", value))
            elif value is not None or name not in merged:
                merged[name] = value
        return merged
    if isinstance(sent, list) and isinstance(known, list):
        before, after = cast("list[object]", sent), cast("list[object]", known)
        if len(before) == len(after):
            return [_merge(*pair) for pair in zip(before, after, strict=True)]
        rest = iter(after)  # the decoder drops nulls, and nothing else
        return [None if one is None else _merge(one, next(rest, None)) for one in before]
    return sent if known is None else known  # pyright: ignore[reportUnknownVariableType]  # narrowed to a list, and back
