"""Reading a body into its struct, as tolerantly as the contract asks and no more.

The straight way is one call into msgspec and covers what is documented. Where a body has keys
of an older or other spelling, or does not fit, the slow way takes over: the body is read into
plain objects, repaired after the struct's own description, and converted. A struct says of
itself, in class variables beside its fields:

* `__aliases__`: other wire names of a field; the first one present and not null is taken;
* `__repair__`: a classmethod that rearranges a mapping of another shape, when one of the keys in
  `__markers__` occurs;
* `__envelopes__`: keys under which the whole object may be wrapped, with others beside them;
* `__root__`: the field that takes a body which is a bare array.

What is repaired: null lists are empty, null items of lists are dropped, a number in a string is
a number, what is no number, flag or date is None (an object or list too), a number where text
belongs is text, an empty text or list where an object belongs is an empty object. What is not: an
object or list where text belongs, and any other shape where an object or list belongs. That is a
`Misfit` with its path, since guessing there would lose paid data silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import inspect

T = TypeVar("T")
JsonObject = dict[str, object]
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?\s*", re.ASCII)
_MAX_DIGITS = 40


class SchemaMismatch(Exception):
    """A body does not fit, at `path`."""

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class OpenObject(dict[str, object]):
    """An object whose keys no document confirms: a dict with accessors for the likely ones."""

    def first_text(self, *names: str) -> str | None:
        """The first of the named values that is a text with something in it."""
        for name in names:
            value = self.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    def first_number(self, *names: str) -> int | None:
        """The first of the named values that is a whole number, also in a string."""
        for name in names:
            value = _number(self.get(name))
            if value is not None:
                return int(value)
        return None

    def inside(self, *path: str) -> object:
        """The value at the end of a path of keys, or None."""
        value: object = self
        for name in path:
            value = cast("JsonObject", value).get(name) if isinstance(value, dict) else None
        return value


def _open(kind: type, value: object) -> object:
    if kind is object:  # a field of a type that no document tells
        return value
    if issubclass(kind, OpenObject) and isinstance(value, dict):
        return kind(cast("JsonObject", value))
    raise ValueError(f"Expected `object`, got `{type(value).__name__}`")


class TolerantDecoder(Generic[T]):
    """How bodies of one type are read. Make it with `reader()`, which keeps one for each type."""

    def __init__(self, type_: type[T]) -> None:
        self._type = type_
        self._shape = inspect.type_info(type_)
        self._fast = msgspec.json.Decoder(type_, strict=False, dec_hook=_open)
        self._root: str | None = getattr(type_, "__root__", None)
        self._envelopes: tuple[str, ...] = getattr(type_, "__envelopes__", ())
        # Where an envelope is looked for anyway, the other names of the outermost fields are
        # seen to on that occasion, and a page under its older name need not go the slow way.
        aliases: dict[str, str] = getattr(type_, "__aliases__", {})
        self._aliases = aliases if self._envelopes else {}
        self._outer = tuple(_quoted({*self._envelopes, *self._aliases}))
        self._markers = tuple(_quoted(_markers(self._shape, bool(self._envelopes))))

    def read(self, body: bytes) -> T:
        """The struct, or `Misfit`."""
        try:
            return self._read(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message, path = _place(error)
        raise SchemaMismatch(message, path)

    def _read(self, body: bytes) -> T:
        if not any(map(body.__contains__, self._markers)):
            try:
                return self._fast.decode(self._unwrapped(body))
            except msgspec.ValidationError:
                pass
        found: object = msgspec.json.decode(body)
        if isinstance(found, list) and self._root is not None:
            found = {self._root: cast("list[object]", found)}
        if not isinstance(found, dict):
            raise SchemaMismatch(f"expected an object, got {_word(found)}")
        tree = cast("JsonObject", found)
        for name in self._envelopes:
            if isinstance(inner := tree.get(name), dict):
                beside = {key: value for key, value in tree.items() if key != name}
                tree = beside | cast("JsonObject", inner)
                break
        fixed = _repair(tree, self._shape, "$")
        return msgspec.convert(fixed, self._type, strict=False, dec_hook=_open)

    def _unwrapped(self, body: bytes) -> bytes:
        """The body without envelope and with today's names outside, its values untouched."""
        if not any(map(body.__contains__, self._outer)):
            return body
        outer = _OUTER.decode(body)
        for name in self._envelopes:
            inner = bytes(outer.get(name, b""))
            if inner[:1] == b"{":
                del outer[name]
                outer |= _OUTER.decode(inner)
                break
        for alias, name in self._aliases.items():
            if alias in outer and bytes(outer.get(name, b"null")) == b"null":
                outer[name] = outer.pop(alias)
        return msgspec.json.encode(outer)


_OUTER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_READERS: dict[type, object] = {}


def decoder_for(type_: type[T]) -> TolerantDecoder[T]:
    """The reader for a type. Built once: describing a type costs milliseconds, reading micros."""
    found = _READERS.get(type_)
    if found is None:
        found = _READERS[type_] = TolerantDecoder(type_)
    return cast("TolerantDecoder[T]", found)


def read_items(type_: type[T], body: bytes) -> list[T]:
    """A JSON array that this library wrote itself: items of a checkpoint."""
    return msgspec.json.decode(body, type=list[type_], strict=False, dec_hook=_open)  # type: ignore[valid-type]  # a type at run time


def _quoted(names: set[str]) -> list[bytes]:
    return sorted(f'"{name}"'.encode() for name in names)


def _markers(shape: inspect.Type, outermost: bool, seen: set[type] | None = None) -> set[str]:
    """Keys that ask for the slow way; of the outermost object only those that rearrange it."""
    seen = set() if seen is None else seen
    found: set[str] = set()
    if isinstance(shape, inspect.UnionType):
        for part in shape.types:
            found |= _markers(part, False, seen)
    elif isinstance(shape, inspect.ListType):
        found |= _markers(shape.item_type, False, seen)
    elif isinstance(shape, inspect.StructType) and shape.cls not in seen:
        if not outermost:
            seen.add(shape.cls)
            found |= set(getattr(shape.cls, "__aliases__", ()))
        found |= set(getattr(shape.cls, "__markers__", ()))
        for field in shape.fields:
            found |= _markers(field.type, False, seen)
    return found


def _repair(value: object, shape: inspect.Type, path: str) -> object:
    if isinstance(shape, inspect.UnionType):
        if value is None:
            return None
        parts = [part for part in shape.types if not isinstance(part, inspect.NoneType)]
        if len(parts) > 1:  # several shapes are right: which one, msgspec decides
            return value
        shape = parts[0]
    if isinstance(shape, inspect.StructType):
        return _object(value, shape, path)
    if isinstance(shape, inspect.ListType):
        if value in (None, "", {}):
            return []
        if not isinstance(value, list):
            raise SchemaMismatch(f"expected an array, got {_word(value)}", path)
        return [
            _repair(item, shape.item_type, f"{path}[{i}]")
            for i, item in enumerate(cast("list[object]", value))
            if item is not None
        ]
    if (known := _SCALARS.get(type(shape))) is not None:
        name, read = known
        if isinstance(value, dict | list):
            if read is not _text:  # no number, flag or date is nothing; a text may be lost data
                return None
            raise SchemaMismatch(f"expected {name}, got {_word(value)}", path)
        return read(value)
    if isinstance(shape, inspect.CustomType) and not isinstance(value, dict | shape.cls):
        raise SchemaMismatch(f"expected an object, got {_word(value)}", path)
    return value


def _object(value: object, shape: inspect.StructType, path: str) -> object:
    if value in ("", []):
        value = cast("JsonObject", {})
    if not isinstance(value, dict):
        raise SchemaMismatch(f"expected an object, got {_word(value)}", path)
    cls = shape.cls
    tree = cast("JsonObject", value)
    if any(name in tree for name in getattr(cls, "__markers__", ())):
        tree = cast("JsonObject", cls.__repair__(tree))  # type: ignore[attr-defined]  # beside __markers__ by contract
    aliases: dict[str, str] = getattr(cls, "__aliases__", {})
    for alias, name in aliases.items():
        if tree.get(name) is None and tree.get(alias) is not None:
            tree = {**tree, name: tree[alias]}
    fixed: dict[str, object] = {}
    for field in shape.fields:
        name = field.encode_name
        if name in tree:
            part = _repair(tree[name], field.type, f"{path}.{name}")
            if part is not None:
                fixed[name] = part
    return fixed


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _NUMBER.fullmatch(value):
        text = value.replace(",", "")
        return float(text) if "." in text else int(text)
    return None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())


def _moment(value: object) -> datetime | None:
    """Seconds since 1970, also as digits in a text, or ISO 8601, which without a zone is UTC."""
    seconds = _number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_SCALARS: dict[type[inspect.Type], tuple[str, Callable[[object], object]]] = {
    inspect.StrType: ("a text", _text),
    inspect.IntType: ("a number", _whole),
    inspect.FloatType: ("a number", _number),
    inspect.BoolType: ("a flag", _flag),
    inspect.DateTimeType: ("a date", _moment),
}


def _word(value: Any) -> str:
    names: dict[type, str] = {dict: "an object", list: "an array", str: "a text", bool: "a flag"}
    return "null" if value is None else names.get(value.__class__, "a number")


def _place(error: Exception) -> tuple[str, str]:
    if isinstance(error, RecursionError):
        return "the answer is nested too deeply", "$"
    if isinstance(error, UnicodeDecodeError):
        return "the answer is not UTF-8", "$"
    message, _, path = str(error).partition(" - at `")
    return message, path.rstrip("`") or "$"


def compact(body: bytes) -> bytes:
    """A JSON text on one line, every number and text as it was."""
    return msgspec.json.format(body, indent=-1)
