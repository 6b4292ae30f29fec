"""Decoding a body into its struct, as tolerantly as the contract requires and no more.

The fast path is one call of msgspec and covers what is documented. A body that is no strict JSON
(see `json_text`), has keys of an older version or other names, or does not fit, takes the slow
path: it is parsed into plain objects, these are repaired by the struct's description (see
`repair`), and converted. A struct describes this in class variables:

* `__aliases__`: other wire names of a field; the first one present and not null is taken;
* `__repair__`: a classmethod that rearranges a mapping of another form, called when one of the
  keys of `__markers__` is present. Beside each key stands the field that is empty in a body of
  that form, or None where no field tells;
* `__envelopes__`: keys under which the whole object may be wrapped, with others next to them;
* `__root__`: the field for a body that is an array;
* `__grouped__`: of a `Listing`, the field of its items that is a list of rows.

The order of the repairs: the root, then the envelope, then for each object `__repair__`, the
aliases and the fields, from the outside to the inside. Repaired are, as lix.md#value-quirks
requires: a null list becomes an empty one, null items of lists are dropped, a number in a string
becomes a number, a value in place of a number, flag or date that is none becomes None (an object or
list as well), a number in place of a text becomes a text, an empty text or list in place of an
object becomes an empty object. Not repaired are an object or list in place of a text, and any other
value in place of an object or list. They raise `SchemaMismatch` with their path, because a guess
would lose data that was charged.

A result or row of which no key is known, and a page without rows, are looked for inside of their
objects, as envelopes change. A page that has other lists of objects instead of rows does not fit.

In the rows of a page, such a value costs only itself: the field is None, and a row that has nothing
else, or no key that is known, becomes an `UnreadableItem`. The other rows were charged as well, and
the next page can only be found behind this one. A page does not fit if its rows cannot be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import inspect

from .json_text import JSON_ERRORS, SchemaMismatch, UnknownKeys, describe_error, parse_json
from .models import ItemCounts, Listing, UnreadableItem, item_type
from .repair import ObjectRepair, object_repair, without_null
from .values import JsonObject, decode_undocumented, type_name

T = TypeVar("T")
_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])
_OtherNames = set[tuple[str, "str | None"]]
_DEPTH = 3
"""Objects within objects among which rows, or the fields of a result, are looked for."""
_BEGINNING = 256
"""Bytes of a body among which the name of its envelope is expected."""


class TolerantDecoder(Generic[T]):
    """Decodes bodies of one type. Get it from `decoder_for()`, which keeps one for each type."""

    def __init__(self, type_: type[T]) -> None:
        self._type = type_
        kind = inspect.type_info(type_)
        self._object = object_repair(type_) if isinstance(kind, inspect.StructType) else None
        self._fast: Callable[[bytes], T] = msgspec.json.Decoder(
            type_, strict=False, dec_hook=decode_undocumented
        ).decode
        self._root: str | None = getattr(type_, "__root__", None)
        self._envelopes: tuple[str, ...] = getattr(type_, "__envelopes__", ())
        self._page = _PageReader(type_) if _is_page(type_) else None
        names = {name for name, _ in _other_names(kind)}
        if self._page is None:  # a page in an envelope that was not found is empty
            names |= {*self._envelopes}
        self._names = _quoted(names)
        self._empty = _empty_value(type_, kind) if self._page is None else None
        self._empty_item = None if self._page is None else self._page.empty_item
        self._is_filled = _filled_check(type_, kind, self._page is not None)
        if self._page is not None and self._envelopes:
            self._fast = _EnvelopeDecoder(self._fast, type_, self._envelopes).decode

    @property
    def other_names(self) -> Sequence[bytes]:
        """Quoted keys that mean that a body has other names than the fields."""
        return self._names

    def read(self, body: bytes) -> T:
        """Decode a body.

        Raises:
            SchemaMismatch: It does not fit the type.

        """
        try:
            value = self._fast(body)
        except JSON_ERRORS:
            pass
        else:
            if self._empty is not None and value == self._empty:
                return self._read_slowly(body)
            if self._empty_item is not None and self._empty_item in _items(value):
                return self._read_slowly(body)
            if self._is_filled(value):  # then other names of its fields do not matter
                return value
            has_items = self._page is None or _items(value)
            if has_items and not any(map(body.__contains__, self._names)):
                return value
        return self._read_slowly(body)

    def read_item(self, body: bytes) -> T:
        """Decode a row of a page, as far as it fits; see `UnreadableItem`.

        Raises:
            SchemaMismatch: It is no JSON.

        """
        try:
            value = self.read(body)
        except SchemaMismatch:
            pass
        else:
            if self._empty is None or value != self._empty:
                return value
        return _read_entry(self._type, parse_json(body))[0]

    def _read_slowly(self, body: bytes) -> T:
        try:
            return self._convert(parse_json(body))
        except UnknownKeys:
            raise
        except SchemaMismatch as error:
            message, path = str(error), error.path
        except JSON_ERRORS as error:
            message, path = describe_error(error)
        raise SchemaMismatch(message, path)  # here: the traceback of the others holds the body

    def _convert(self, tree: object) -> T:
        if isinstance(tree, list) and self._root is not None:
            tree = {self._root: cast("list[object]", tree)}
        if not isinstance(tree, dict):
            raise SchemaMismatch(f"expected an object, got {type_name(tree)}")
        whole = cast("JsonObject", tree)
        inner = unwrap_envelope(whole, self._envelopes)
        if self._page is not None:
            return cast("T", self._page.read(inner, wrapped=inner is not whole))
        repaired: object = inner
        if self._object is not None:
            repaired = _whole_path(self._object, inner)
            if self._empty is not None and not repaired:
                repaired = _fields_inside(inner, self._object)
        return msgspec.convert(repaired, self._type, strict=False, dec_hook=decode_undocumented)


def _fields_inside(tree: JsonObject, repair: ObjectRepair) -> object:
    """The fields of a result of which an object itself has none: of the one inside it."""
    inside, objects = tree, list[JsonObject]()
    for _ in range(_DEPTH):
        if _has_known_key(inside, repair):
            return {}
        objects = [
            cast("JsonObject", value)
            for value in inside.values()
            if value and isinstance(value, dict)
        ]
        if len(objects) != 1:
            break
        inside = objects[0]
        if repaired := _whole_path(repair, inside):
            return repaired
    if inside is tree and not objects:
        return {}
    raise _unknown_keys()


def _has_known_key(tree: JsonObject, repair: ObjectRepair) -> bool:
    return not repair.fields.keys().isdisjoint(repair.rearranged(tree))


def _unknown_keys() -> UnknownKeys:
    return UnknownKeys("nothing of it could be read: none of its keys is known")


def _empty_value(type_: type[T], kind: inspect.Type) -> T | None:
    """A result without any field; None for a type whose values may look like one."""
    if not isinstance(kind, inspect.StructType) or not kind.fields:
        return None
    return None if any(field.required for field in kind.fields) else type_()


def _items(page: object) -> list[object]:
    return cast("Listing[object]", page).items


def _is_page(type_: type) -> bool:
    return issubclass(type_, Listing)


class _EnvelopeDecoder(Generic[T]):
    """Decodes pages that may be wrapped in an envelope, with other keys next to it, in one pass."""

    def __init__(
        self, plain: Callable[[bytes], T], type_: type[T], envelopes: Sequence[str]
    ) -> None:
        names = [f"envelope_{number}" for number in range(len(envelopes))]
        wrapped = msgspec.defstruct(
            f"Wrapped{type_.__name__}",
            [
                (name, type_ | None, msgspec.field(name=envelope, default=None))
                for name, envelope in zip(names, envelopes, strict=True)
            ],
            bases=(cast("type[msgspec.Struct]", type_),),
            kw_only=True,
        )
        self._plain = plain
        self._names = _quoted(set(envelopes))
        self._wrapped = msgspec.json.Decoder(wrapped, strict=False, dec_hook=decode_undocumented)
        self._inside = [attrgetter(name) for name in names]
        self._fields: tuple[str, ...] = getattr(type_, "__struct_fields__", ())

    def decode(self, body: bytes) -> T:
        """Decode a body."""
        beginning = body[:_BEGINNING]
        if any(map(beginning.__contains__, self._names)):
            outside = self._wrapped.decode(body)
            inside: T | None = next(
                (found for get in self._inside if (found := get(outside))), None
            )
            if inside is not None:
                for name in self._fields:
                    if not getattr(inside, name) and (value := getattr(outside, name)):
                        setattr(inside, name, value)
                return inside
        return self._plain(body)


class _PageReader:
    """Reads the plain objects of a page, row by row."""

    def __init__(self, type_: type) -> None:
        self._type = cast("type[Listing[object]]", type_)
        self._item: type[object] = item_type(type_)
        self.empty_item = _empty_value(self._item, inspect.type_info(self._item))
        """An item without any field, as one looks of whose keys none is known."""
        self._object = object_repair(type_)
        fields = msgspec.structs.fields(self._type)
        self._items = next(field.encode_name for field in fields if field.name == "items")
        aliases: dict[str, str] = getattr(type_, "__aliases__", {})
        self._known = self._object.fields.keys() | aliases.keys()
        self._item_names = {self._items, *(a for a, name in aliases.items() if name == self._items)}
        self._grouped: str | None = getattr(type_, "__grouped__", None)

    def read(self, tree: JsonObject, *, wrapped: bool) -> Listing[object]:
        """Read a page.

        Raises:
            SchemaMismatch: Its rows cannot be found.

        """
        found = self._with_items(tree, _DEPTH)
        tree = self._object.rearranged(found or tree)
        entries = tree.get(self._items)
        around = {name: value for name, value in tree.items() if name != self._items}
        if entries in (None, "", {}):
            if self._items not in tree and not self._is_known(around, wrapped=wrapped):
                raise self._not_found()
            entries = []
        if not entries and self._may_have_items(around, _DEPTH):
            raise self._not_found()
        if not isinstance(entries, list):
            raise SchemaMismatch(f"expected an array, got {type_name(entries)}", f"$.{self._items}")
        page = msgspec.convert(
            self._object.repaired_fields(around, []),
            self._type,
            strict=False,
            dec_hook=decode_undocumented,
        )
        nulls = repaired = 0
        for entry in cast("list[object]", entries):
            if entry is None:
                nulls += 1
                continue
            item, whole = _read_entry(self._item, entry)
            page.items.append(item)
            nulls += self._lost_in_group(entry, item)
            repaired += not whole
        unreadable = sum(isinstance(item, UnreadableItem) for item in page.items)
        page.note(ItemCounts(nulls, repaired - unreadable, unreadable))
        return page

    def _not_found(self) -> SchemaMismatch:
        return SchemaMismatch("no rows were found: expected an array", f"$.{self._items}")

    def _with_items(self, tree: JsonObject, depth: int) -> JsonObject | None:
        """The page without the objects around its rows, if they are in one place."""
        if any(isinstance(tree.get(name), list) for name in self._item_names):
            return tree
        found: list[JsonObject] = []
        for name, value in tree.items() if depth else ():
            inside = cast("JsonObject", value) if isinstance(value, dict) else {}
            if (inner := self._with_items(inside, depth - 1)) is not None:
                outer = {key: one for key, one in tree.items() if key not in (name, self._items)}
                found.append(_merged(outer, inner))
        return found[0] if len(found) == 1 else None

    def _is_known(self, around: JsonObject, *, wrapped: bool) -> bool:
        """Whether this is a page although it lacks its list of rows (lix.md#paging-end).

        It is if it has other keys of such a page, or none at all.
        """
        return wrapped or not around or not self._known.isdisjoint(around)

    def _may_have_items(self, around: JsonObject, depth: int) -> bool:
        """Whether there is a list of objects under an unknown name: they may be the rows."""
        for name, value in around.items():
            if name in self._known and name not in self._item_names:
                continue
            if isinstance(value, list) and any(map(_is_object, cast("list[object]", value))):
                return True
            inside = cast("JsonObject", value) if depth and isinstance(value, dict) else {}
            if self._may_have_items(inside, depth - 1):
                return True
        return False

    def _lost_in_group(self, entry: object, item: object) -> int:
        """Rows of a group that are null or do not fit."""
        if self._grouped is None or not isinstance(entry, dict):
            return 0
        inside = cast("JsonObject", entry).get(self._grouped)
        if not isinstance(inside, list):
            return 0
        return len(cast("list[object]", inside)) - len(getattr(item, self._grouped))


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _read_entry(type_: type[T], entry: object) -> tuple[T, bool]:
    """An item from a row, and whether all of the row could be read."""
    omitted: list[SchemaMismatch] = []
    try:
        if not isinstance(entry, dict):
            raise SchemaMismatch(f"expected an object, got {type_name(entry)}")
        tree = cast("JsonObject", entry)
        repaired: object = tree
        if issubclass(type_, msgspec.Struct):
            repair = object_repair(type_)
            repaired = repair(tree, omitted)
            if omitted and not repaired:
                raise omitted[0]
            if tree and not repaired and not _has_known_key(tree, repair):
                repaired = _fields_inside(tree, repair)
                if not repaired:
                    raise _unknown_keys()
        item = msgspec.convert(repaired, type_, strict=False, dec_hook=decode_undocumented)
    except SchemaMismatch as error:
        message, path = str(error), error.path
    except JSON_ERRORS as error:
        message, path = describe_error(error)
    else:
        return item, not omitted
    reason = f"{message} at {path if path.startswith('$') else f'${path}'}"
    make: Callable[[bytes, str], T] = _unreadable(type_)  # type: ignore[arg-type]  # mypy: a class is hashable
    return make(msgspec.json.encode(entry), reason), False


@cache
def _unreadable(type_: type[Any]) -> Callable[[bytes, str], Any]:
    """How to make an `UnreadableItem` in place of an item of this type."""
    name = f"Unreadable{type_.__name__}"
    if issubclass(type_, msgspec.Struct):
        fields: list[tuple[str, Any, Any]] = [("raw", bytes, b""), ("reason", str, "")]
        cls: Any = msgspec.defstruct(name, fields, bases=(type_, UnreadableItem), kw_only=True)
        return lambda raw, reason: cls(raw=raw, reason=reason)
    cls = type(name, (UnreadableItem, type_), {})

    def make(raw: bytes, reason: str) -> Any:
        item = cls()
        item.raw, item.reason = raw, reason
        return item

    return make


def _whole_path(repair: Callable[[object, None], object], tree: JsonObject) -> object:
    try:
        return repair(tree, None)
    except SchemaMismatch as error:
        error.path = f"${error.path}"
        raise


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
            return _merged(outer, cast("JsonObject", inner))
    return tree


def _merged(outer: JsonObject, inner: JsonObject) -> JsonObject:
    return outer | {key: value for key, value in inner.items() if value or key not in outer}


def write_item(item: object) -> bytes:
    """Encode an item; one that could not be read as it was received."""
    return item.raw if isinstance(item, UnreadableItem) else msgspec.json.encode(item)


def read_items(type_: type[T], body: bytes) -> list[T]:
    """Decode a JSON array of items: of a checkpoint, or rows as they were received.

    Raises:
        SchemaMismatch: It is no JSON array.

    """
    decoder = decoder_for(type_)
    try:
        entries = _ENTRIES.decode(body)
    except JSON_ERRORS as error:
        message, path = describe_error(error)
    else:
        return [decoder.read_item(bytes(entry)) for entry in entries]
    raise SchemaMismatch(message, path)


def _quoted(names: set[str]) -> list[bytes]:
    return sorted(f'"{name}"'.encode() for name in names)


def _other_names(kind: inspect.Type, seen: set[type] | None = None) -> _OtherNames:
    """Keys that require the slow path, each with the field that is empty in a body that has it."""
    seen = set() if seen is None else seen
    kind = without_null(kind)
    found: _OtherNames = set()
    if isinstance(kind, inspect.UnionType):
        for part in kind.types:
            found |= _other_names(part, seen)
    elif isinstance(kind, inspect.ListType):
        found |= _other_names(kind.item_type, seen)
    elif isinstance(kind, inspect.StructType) and kind.cls not in seen:
        seen.add(kind.cls)
        found |= _own_names(kind.cls)
        for field in kind.fields:
            found |= _other_names(field.type, seen)
    return found


def _own_names(cls: type) -> _OtherNames:
    names = (getattr(cls, "__aliases__", {}), getattr(cls, "__markers__", {}))
    return {pair for mapping in names for pair in mapping.items()}


def _filled_check(type_: type, kind: inspect.Type, is_page: bool) -> Callable[[Any], bool]:
    """A function that says of a decoded value that no other name of a field can matter."""
    names = _other_names(kind)
    envelopes = getattr(type_, "__envelopes__", ()) and not is_page
    if envelopes or any(empty is None for _, empty in names):
        return lambda value: False
    if not names and not is_page:
        return lambda value: True
    return _Filled(cast("inspect.StructType", kind), is_page=is_page).one


class _Filled:
    """Says whether all fields that have other names have a value, here and in nested objects."""

    def __init__(self, kind: inspect.StructType, *, is_page: bool = False) -> None:
        attributes = {field.encode_name: field.name for field in kind.fields}
        wanted = {attributes[name] for _, name in _own_names(kind.cls) if name is not None}
        self._wanted: list[Callable[[Any], Any]] = [
            attrgetter(name) for name in sorted(wanted | ({"items"} if is_page else set()))
        ]
        self._nested: list[tuple[Callable[[Any], Any], _Filled]] = []
        _FILLED[kind.cls] = self
        for field in kind.fields:
            inner = without_null(field.type)
            if isinstance(inner, inspect.ListType):
                inner = without_null(inner.item_type)
            if isinstance(inner, inspect.StructType) and _other_names(inner):
                check = _FILLED.get(inner.cls) or _Filled(inner)
                self._nested.append((attrgetter(field.name), check))

    def one(self, value: object) -> bool:
        """Whether they have in this object."""
        for get in self._wanted:
            if not get(value):
                return False
        for get, check in self._nested:
            if (inner := get(value)) and not check.inside(inner):
                return False
        return True

    def inside(self, value: object) -> bool:
        """Whether they have in what another object has: one of these objects, or a list."""
        return (
            self.every(cast("list[object]", value)) if isinstance(value, list) else self.one(value)
        )

    def every(self, values: Sequence[object]) -> bool:
        """Whether they have in all of these objects."""
        for get in self._wanted:
            if not all(map(get, values)):
                return False
        for get, check in self._nested:
            for inner in filter(None, map(get, values)):
                if not check.inside(inner):
                    return False
        return True


_FILLED: dict[type, _Filled] = {}
