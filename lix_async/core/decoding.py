"""Decoding a body into its struct, as tolerantly as the contract requires and no more.

The fast path is one call of msgspec and covers what is documented. Where a body has keys of an
older version or other names, or does not fit, the slow path decodes it into plain objects, repairs
them by the struct's description and converts them. A struct describes this in class variables:

* `__aliases__`: other wire names of a field; the first one present and not null is taken;
* `__repair__`: a classmethod that rearranges a mapping of another form, called when one of the
  keys in `__markers__` is present;
* `__envelopes__`: keys under which the whole object may be wrapped, with others next to them;
* `__root__`: the field for a body that is an array.

The order of the repairs: the root, then the envelope, then for each object `__repair__`, the
aliases and the fields, from the outside to the inside. Repaired are, as lix.md#value-quirks
requires: a null list becomes an empty one, null items of lists are dropped, a number in a string
becomes a number, a value in place of a number, flag or date that is none becomes None (an object or
list as well), a number in place of a text becomes a text, an empty text or list in place of an
object becomes an empty object. Not repaired are an object or list in place of a text, and any other
value in place of an object or list. They raise `SchemaMismatch` with their path, because a guess
would lose data that was charged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import inspect

T = TypeVar("T")
JsonObject = dict[str, object]
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?\s*", re.ASCII)
_MAX_DIGITS = 40


class SchemaMismatch(Exception):
    """A body does not fit its struct, at `path`."""

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class OpenObject(dict[str, object]):
    """An object whose keys are not documented: a dict with accessors for the likely ones."""

    def first_text(self, *names: str) -> str | None:
        """Return the first of the named values that is a text and not empty."""
        for name in names:
            value = self.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    def first_number(self, *names: str) -> int | None:
        """Return the first of the named values that is a number, also in a text, as int."""
        for name in names:
            value = _number(self.get(name))
            if value is not None:
                return int(value)
        return None

    def inside(self, *path: str) -> object:
        """Return the value at a path of keys, or None."""
        value: object = self
        for name in path:
            value = cast("JsonObject", value).get(name) if isinstance(value, dict) else None
        return value


def _decode_undocumented(kind: type, value: object) -> object:
    if kind is object:  # a field whose type is not documented
        return value
    if issubclass(kind, OpenObject) and isinstance(value, dict):
        return kind(cast("JsonObject", value))
    raise ValueError(f"Expected `object`, got `{type(value).__name__}`")


class TolerantDecoder(Generic[T]):
    """Decodes bodies of one type. Get it from `decoder_for()`, which keeps one for each type."""

    def __init__(self, type_: type[T]) -> None:
        self._type = type_
        self._type_info = inspect.type_info(type_)
        self._fast = msgspec.json.Decoder(type_, strict=False, dec_hook=_decode_undocumented)
        self._root: str | None = getattr(type_, "__root__", None)
        self._envelopes: tuple[str, ...] = getattr(type_, "__envelopes__", ())
        # Where an envelope is searched anyway, the aliases of the outermost fields are handled
        # with it, so that a page under an older name does not need the slow path.
        aliases: dict[str, str] = getattr(type_, "__aliases__", {})
        self._aliases = aliases if self._envelopes else {}
        self._outer_keys = tuple(_quoted({*self._envelopes, *self._aliases}))
        self._markers = tuple(_quoted(_markers(self._type_info, bool(self._envelopes))))

    def read(self, body: bytes) -> T:
        """Decode a body.

        Raises:
            SchemaMismatch: It does not fit the type.

        """
        try:
            return self._read(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message, path = _describe_error(error)
        raise SchemaMismatch(message, path)

    def _read(self, body: bytes) -> T:
        if not any(map(body.__contains__, self._markers)):
            try:
                return self._fast.decode(self._unwrapped(body))
            except msgspec.ValidationError:
                pass
        tree: object = msgspec.json.decode(body)
        if isinstance(tree, list) and self._root is not None:
            tree = {self._root: cast("list[object]", tree)}
        if not isinstance(tree, dict):
            raise SchemaMismatch(f"expected an object, got {_type_name(tree)}")
        tree = unwrap_envelope(cast("JsonObject", tree), self._envelopes)
        repaired = _repair(tree, self._type_info, "$")
        return msgspec.convert(repaired, self._type, strict=False, dec_hook=_decode_undocumented)

    def _unwrapped(self, body: bytes) -> bytes:
        """The body without its envelope and outer aliases; the values stay as they are."""
        if not any(map(body.__contains__, self._outer_keys)):
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
_DECODERS: dict[type, object] = {}


def decoder_for(type_: type[T]) -> TolerantDecoder[T]:
    """Return the decoder for a type. Creating one takes milliseconds, so it is kept."""
    decoder = _DECODERS.get(type_)
    if decoder is None:
        decoder = _DECODERS[type_] = TolerantDecoder(type_)
    return cast("TolerantDecoder[T]", decoder)


def unwrap_envelope(tree: JsonObject, envelopes: Iterable[str]) -> JsonObject:
    """Return an object without its envelope: the entries next to it and those inside."""
    for name in envelopes:
        if isinstance(inner := tree.get(name), dict):
            outer = {key: value for key, value in tree.items() if key != name}
            return outer | cast("JsonObject", inner)
    return tree


def read_items(type_: type[T], body: bytes) -> list[T]:
    """Decode a JSON array that this library has written: the items of a checkpoint."""
    return msgspec.json.decode(body, type=list[type_], strict=False, dec_hook=_decode_undocumented)  # type: ignore[valid-type]  # a type at run time


def _quoted(names: set[str]) -> list[bytes]:
    return sorted(f'"{name}"'.encode() for name in names)


def _markers(kind: inspect.Type, outermost: bool, seen: set[type] | None = None) -> set[str]:
    """Keys that require the slow path; for the outermost object only those that rearrange it."""
    seen = set() if seen is None else seen
    found: set[str] = set()
    if isinstance(kind, inspect.UnionType):
        for part in kind.types:
            found |= _markers(part, False, seen)
    elif isinstance(kind, inspect.ListType):
        found |= _markers(kind.item_type, False, seen)
    elif isinstance(kind, inspect.StructType) and kind.cls not in seen:
        if not outermost:
            seen.add(kind.cls)
            found |= set(getattr(kind.cls, "__aliases__", ()))
        found |= set(getattr(kind.cls, "__markers__", ()))
        for field in kind.fields:
            found |= _markers(field.type, False, seen)
    return found


def _repair(value: object, kind: inspect.Type, path: str) -> object:
    if isinstance(kind, inspect.UnionType):
        if value is None:
            return None
        parts = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        if len(parts) > 1:  # msgspec decides which of several types it is
            return value
        kind = parts[0]
    if isinstance(kind, inspect.StructType):
        return _object(value, kind, path)
    if isinstance(kind, inspect.ListType):
        if value in (None, "", {}):
            return []
        if not isinstance(value, list):
            raise SchemaMismatch(f"expected an array, got {_type_name(value)}", path)
        return [
            _repair(item, kind.item_type, f"{path}[{i}]")
            for i, item in enumerate(cast("list[object]", value))
            if item is not None
        ]
    if (scalar := _SCALARS.get(type(kind))) is not None:
        name, convert = scalar
        if isinstance(value, dict | list):
            if convert is not _text:  # where a text belongs, it may be data
                return None
            raise SchemaMismatch(f"expected {name}, got {_type_name(value)}", path)
        return convert(value)
    if isinstance(kind, inspect.CustomType) and not isinstance(value, dict | kind.cls):
        raise SchemaMismatch(f"expected an object, got {_type_name(value)}", path)
    return value


def _object(value: object, kind: inspect.StructType, path: str) -> object:
    if value in ("", []):
        value = cast("JsonObject", {})
    if not isinstance(value, dict):
        raise SchemaMismatch(f"expected an object, got {_type_name(value)}", path)
    cls = kind.cls
    tree = cast("JsonObject", value)
    if any(name in tree for name in getattr(cls, "__markers__", ())):
        tree = cast("JsonObject", cls.__repair__(tree))  # type: ignore[attr-defined]  # beside __markers__ by contract
    aliases: dict[str, str] = getattr(cls, "__aliases__", {})
    for alias, name in aliases.items():
        if tree.get(name) is None and tree.get(alias) is not None:
            tree = {**tree, name: tree[alias]}
    repaired: dict[str, object] = {}
    for field in kind.fields:
        name = field.encode_name
        if name in tree:
            part = _repair(tree[name], field.type, f"{path}.{name}")
            if part is not None:
                repaired[name] = part
    return repaired


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


def _datetime(value: object) -> datetime | None:
    """From epoch seconds, also as a text, or from ISO 8601, in UTC unless it names a zone."""
    seconds = _number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        parsed = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


_SCALARS: dict[type[inspect.Type], tuple[str, Callable[[object], object]]] = {
    inspect.StrType: ("a text", _text),
    inspect.IntType: ("a number", _whole),
    inspect.FloatType: ("a number", _number),
    inspect.BoolType: ("a flag", _flag),
    inspect.DateTimeType: ("a date", _datetime),
}


def _type_name(value: Any) -> str:
    names: dict[type, str] = {dict: "an object", list: "an array", str: "a text", bool: "a flag"}
    return "null" if value is None else names.get(value.__class__, "a number")


def _describe_error(error: Exception) -> tuple[str, str]:
    if isinstance(error, RecursionError):
        return "the answer is nested too deeply", "$"
    if isinstance(error, UnicodeDecodeError):
        return "the answer is not UTF-8", "$"
    message, _, path = str(error).partition(" - at `")
    return message, path.rstrip("`") or "$"


def compact(body: bytes) -> bytes:
    """Return a JSON text on one line, with every number and text as it was."""
    return msgspec.json.format(body, indent=-1)
