"""The repairs of plain objects before they are converted into structs.

What is repaired, and how a struct describes its variants, is in `decoding`. The description of a
struct is read once, into an `ObjectRepair`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from msgspec import inspect

from .json_text import SchemaMismatch
from .values import SCALARS, JsonObject, decode_undocumented, type_name

Omitted = list[SchemaMismatch] | None
"""Where repairs note the values that do not fit and are left out; None to raise them instead."""
Repair = Callable[[Any, Omitted], object]


class ObjectRepair:
    """Repairs the objects of one struct."""

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._markers = frozenset[str](getattr(cls, "__markers__", ()))
        self._aliases: Mapping[str, str] = getattr(cls, "__aliases__", {})
        self.fields: dict[str, tuple[type | None, Repair]] = {}

    def __call__(self, value: object, omitted: Omitted) -> object:
        """Repair an object and what is inside it."""
        if not isinstance(value, dict):
            if value in ("", []):
                return {}
            raise SchemaMismatch(f"expected an object, got {type_name(value)}", "")
        return self.repaired_fields(self.rearranged(cast("JsonObject", value)), omitted)

    def rearranged(self, tree: JsonObject) -> JsonObject:
        """The object in today's form, under today's names."""
        if self._markers and not self._markers.isdisjoint(tree):
            tree = cast("JsonObject", self._cls.__repair__(tree))  # type: ignore[attr-defined]  # beside __markers__ by contract
        if self._aliases and not self._aliases.keys().isdisjoint(tree):
            for alias, name in self._aliases.items():
                if tree.get(name) is None and tree.get(alias) is not None:
                    tree = {**tree, name: tree[alias]}
        return tree

    def repaired_fields(self, tree: JsonObject, omitted: Omitted) -> JsonObject:
        """The fields of the struct that have a value, repaired."""
        repaired: JsonObject = {}
        for name, value in tree.items():
            if value is None or (field := self.fields.get(name)) is None:
                continue
            exact, repair = field
            if type(value) is exact:
                repaired[name] = value
                continue
            try:
                found = repair(value, omitted)
            except SchemaMismatch as error:
                error.path = f".{name}{error.path}"
                if omitted is None:
                    raise
                omitted.append(error)
                continue
            if found is not None:
                repaired[name] = found
        return repaired


class _ListRepair:
    """Repairs lists: null items are dropped."""

    def __init__(self, exact: type | None, repair: Repair) -> None:
        self._exact = exact
        self._repair = repair

    def __call__(self, value: object, omitted: Omitted) -> object:
        if value in ("", {}):
            return []
        if not isinstance(value, list):
            raise SchemaMismatch(f"expected an array, got {type_name(value)}", "")
        repaired: list[object] = []
        for position, item in enumerate(cast("list[object]", value)):
            if item is None:
                continue
            try:
                repaired.append(item if type(item) is self._exact else self._repair(item, omitted))
            except SchemaMismatch as error:
                error.path = f"[{position}]{error.path}"
                if omitted is None:
                    raise
                omitted.append(error)
        return repaired


_OBJECTS: dict[type, ObjectRepair] = {}


def object_repair(cls: type) -> ObjectRepair:
    """The repair of a struct's objects."""
    found = _OBJECTS.get(cls)
    if found is None:
        found = _OBJECTS[cls] = ObjectRepair(cls)  # kept first: a struct may contain itself
        kind = cast("inspect.StructType", inspect.type_info(cls))
        annotations = msgspec.structs.fields(cls)
        found.fields = {
            field.encode_name: _repair_of(field.type, annotation.type)
            for field, annotation in zip(kind.fields, annotations, strict=True)
        }
    return found


def _repair_of(kind: inspect.Type, annotation: object) -> tuple[type | None, Repair]:
    """The type of values that need no repair, and the repair of all others but null."""
    kind = without_null(kind)
    if isinstance(kind, inspect.StructType):
        return None, object_repair(kind.cls)
    if isinstance(kind, inspect.ListType):
        return None, _ListRepair(*_repair_of(kind.item_type, None))
    if (scalar := SCALARS.get(type(kind))) is not None:
        exact, name, convert = scalar
        return exact, _scalar_repair(name, convert, is_text=exact is str)
    if isinstance(kind, inspect.CustomType):
        return None, _undocumented if kind.cls is object else _open_object
    return None, _other_repair(annotation)


def without_null(kind: inspect.Type) -> inspect.Type:
    """The type without null, where that leaves one. Listed words beside any text are a text."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    parts = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
    if any(isinstance(part, inspect.StrType) for part in parts):
        parts = [part for part in parts if not isinstance(part, inspect.LiteralType)]
    return parts[0] if len(parts) == 1 else kind


def _scalar_repair(name: str, convert: Callable[[object], object], *, is_text: bool) -> Repair:
    def repair(value: object, omitted: Omitted) -> object:
        if not isinstance(value, dict | list):
            return convert(value)
        if is_text:  # where a text belongs, it may be data
            raise SchemaMismatch(f"expected {name}, got {type_name(value)}", "")  # pyright: ignore[reportUnknownArgumentType]  # a name for any value
        return None

    return repair


def _undocumented(value: object, omitted: Omitted) -> object:
    return value


def _open_object(value: object, omitted: Omitted) -> object:
    if not isinstance(value, dict):
        raise SchemaMismatch(f"expected an object, got {type_name(value)}", "")
    return value  # pyright: ignore[reportUnknownVariableType]  # of any keys


def _other_repair(annotation: object) -> Repair:
    """A union or a mapping: msgspec decides whether a value fits."""

    def repair(value: object, omitted: Omitted) -> object:
        if omitted is not None and annotation is not None:
            try:
                msgspec.convert(value, annotation, strict=False, dec_hook=decode_undocumented)
            except msgspec.ValidationError as error:
                raise SchemaMismatch(str(error), "") from None
        return value

    return repair
