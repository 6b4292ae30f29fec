"""The columns of answers: `basic`, `all`, or a list of names; and reading them from answers.

A name is a path of the wire, such as `experience.0.title`, or a property of the struct in the same
style, such as `employeeCount`. A table of a million answers needs few of their fields: where only
fields are asked for, only those are decoded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, cast

import msgspec
from msgspec import inspect

from ...core.decoding import decoder_for
from ...core.field_docs import field_descriptions
from ...core.json_text import JSON_ERRORS, SchemaMismatch
from ...core.repair import without_null
from ...core.values import JsonObject, decode_undocumented
from ..errors import CommandError
from ..options import parse_columns
from .columns import check_columns
from .rows import parse_row
from .schema import OTHER, LookupSchema, RowSchema, columns_of

BASIC: Mapping[str, tuple[str, ...]] = {
    "person": (
        "name",
        "firstName",
        "lastName",
        "headline",
        "experience.0.title",
        "experience.0.organisation.name",
        "experience.0.dateStarted",
        "location",
        "industry",
        "link",
        "salesNavLink",
        "email",
        "phone",
        "website",
        "numOfConnections",
        "education.0.institutionName",
        "education.0.degree",
        "aboutSummaryText",
    ),
    "org": (
        "name",
        "website",
        "industry",
        "size",
        "employeeCount",
        "orgType",
        "foundedYear",
        "headquarters",
        "hqCountry",
        "followerCount",
        "jobOpeningsCount",
        "specialities",
        "description",
        "stockTickerCode",
        "linkedinUrl",
        "salesNavUrl",
    ),
    "email": ("email", "status", "isValid", "isProbable", "alternatives"),
}
"""The columns of each kind of lookup that are written unless others are asked for."""
ADDED = ("status", "reason", "bought_at")
"""The columns before those of an answer."""
_NEWER_NAMES: Mapping[str, str] = {"headline": "description"}
"""Fields that are empty in most answers, and the older one that has the value then."""
Getter = Callable[[Any], object]


class AnswerColumns:
    """The columns of the answers of one or several kinds of lookup.

    Args:
        structs: The struct of an answer, by kind.
        chosen: `basic`, `all`, or names separated by commas.

    Raises:
        CommandError: A name is unknown.
    """

    def __init__(self, structs: Mapping[str, type], chosen: str) -> None:
        self.chosen = chosen.strip()
        self.structs = structs
        self.names = self._names()
        self._readers: dict[str, Callable[[bytes], list[object]]] = {}

    @property
    def is_all(self) -> bool:
        """Whether an answer is written whole."""
        return self.chosen == "all"

    def _names(self) -> tuple[str, ...]:
        if self.chosen in ("basic", "all"):
            parts = [
                BASIC[kind] if self.chosen == "basic" else columns_of(struct)
                for kind, struct in self.structs.items()
            ]
            names = dict.fromkeys(name for part in parts for name in part)
            if names.pop(OTHER, names) is None:
                names[OTHER] = None
            return tuple(names)
        given = parse_columns(self.chosen) or ()
        names = dict.fromkeys(name.removeprefix("result.") for name in given)
        for meta in (*LookupSchema.meta_fields, *ADDED):
            if not any(_steps(struct, meta) for struct in self.structs.values()):
                names.pop(meta, None)
        unknown = [
            name
            for name in names
            if not any(_steps(struct, name) for struct in self.structs.values())
        ]
        check_columns(unknown, LookupSchema(self.structs))
        return tuple(names)

    def headings(self, prefix: str) -> list[str]:
        """The names with a prefix; a field called `status` has the name of its struct before it."""
        return [
            f"{prefix}{self._owner(name)}_{name}" if name in ADDED else f"{prefix}{name}"
            for name in self.names
        ]

    def _owner(self, name: str) -> str:
        owners = (one for one in self.structs.values() if _steps(one, name))
        return next(owners).__name__.lower()

    def read(self, kind: str, body: bytes) -> list[object]:
        """The values of an answer, in the order of the names.

        Raises:
            SchemaMismatch: The answer cannot be read.
        """
        reader = self._readers.get(kind)
        if reader is None:
            reader = self._readers[kind] = self._reader(self.structs.get(kind))
        return reader(body)

    def _reader(self, struct: type | None) -> Callable[[bytes], list[object]]:
        found = [_steps(struct, name) if struct else None for name in self.names]
        if struct is None or self.is_all or not all(found):
            return _tree_reader(struct, self.names)
        steps = [cast("_Steps", one) for one in found]
        getters = [one.getter() for one in steps]
        decode = _partial_decoder(struct, steps)
        return lambda body: _values(decode(body), getters)


def _values(answer: object, getters: Sequence[Getter]) -> list[object]:
    return [get(answer) for get in getters]


class _Steps(msgspec.Struct, frozen=True):
    """How a column's value is found in a struct."""

    path: tuple[str | int, ...]
    """Attributes and indexes."""
    owner: type
    """The struct that has the last attribute."""
    is_property: bool = False
    other: str | None = None
    """An attribute that has the value where this one is empty."""

    def getter(self) -> Getter:
        if self.other is not None:
            new, old = attrgetter(cast("str", self.path[0])), attrgetter(self.other)
            return lambda answer: new(answer) or old(answer)
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


@cache
def _steps(struct: type, name: str) -> _Steps | None:
    """How a column is found; None where it is no plain value of a field or property."""
    path: list[str | int] = []
    kind: inspect.Type = inspect.type_info(struct)
    owner = struct
    parts = name.split(".")
    for place, part in enumerate(parts):
        kind = without_null(kind)
        if isinstance(kind, inspect.StructType):
            owner = kind.cls
            field = next((one for one in kind.fields if one.encode_name == part), None)
            if field is None:
                attribute = _property(owner, part)
                if attribute is None or len(parts) > 1:
                    return None
                return _Steps((attribute,), owner, is_property=True)
            path.append(field.name)
            kind = field.type
        elif isinstance(kind, inspect.ListType) and part.isascii() and part.isdigit() and place:
            path.append(int(part))
            kind = kind.item_type
        else:
            return None
    kind = without_null(kind)
    if isinstance(kind, inspect.ListType):
        kind = without_null(kind.item_type)
    if not isinstance(
        kind,
        inspect.StrType | inspect.IntType | inspect.FloatType | inspect.BoolType,
    ):
        return None
    return _Steps(tuple(path), owner, other=_NEWER_NAMES.get(name))


def _property(struct: type, name: str) -> str | None:
    """The property of a struct that has this name in the style of the wire."""
    for base in struct.__mro__:
        for attribute, member in vars(base).items():
            if isinstance(member, property) and attribute not in ("identity", "full_name"):
                first, *rest = attribute.split("_")
                if first + "".join(map(str.capitalize, rest)) == name:
                    return attribute
    return None


def _partial_decoder(struct: type, steps: Sequence[_Steps]) -> Callable[[bytes], object]:
    """A decoder of the fields that are asked for; of all where there are properties among them."""
    full = decoder_for(cast("type[object]", struct))
    if any(one.is_property for one in steps):
        return full.read
    paths = [[step for step in one.path if isinstance(step, str)] for one in steps]
    paths += [[one.other] for one in steps if one.other is not None]
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
    for field in cast("inspect.StructType", inspect.type_info(struct)).fields:
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


def _tree_reader(struct: type | None, names: Sequence[str]) -> Callable[[bytes], list[object]]:
    """A reader of any paths, and of what no other column shows."""
    schema = RowSchema(struct)
    wanted = [(name, _steps(struct, name) if struct else None) for name in names]
    properties = any(one is not None and one.is_property for _, one in wanted)
    full = decoder_for(cast("type[object]", struct)) if struct and properties else None

    def read(body: bytes) -> list[object]:
        try:
            row = parse_row(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            row = _parsed_slowly(body)
        tree = schema.normalised(row)
        answer = full.read(body) if full is not None else None
        values: list[object] = []
        for name, one in wanted:
            if one is not None and one.is_property and answer is not None:
                values.append(one.getter()(answer))
            elif name == OTHER:
                values.append(schema.remaining(row, names) or None)
            else:
                value = schema.value_at(tree, name)
                if value is None and name in _NEWER_NAMES and struct and _steps(struct, name):
                    value = schema.value_at(tree, _NEWER_NAMES[name])
                values.append(value)
        return values

    return read


def _parsed_slowly(body: bytes) -> JsonObject:
    try:
        row: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SchemaMismatch(str(error), "$") from None
    if not isinstance(row, dict):
        raise SchemaMismatch("expected an object", "$")
    return cast("JsonObject", row)


def described_columns(kind: str, struct: type) -> Iterator[tuple[str, str, bool]]:
    """The columns of a kind of lookup: name, description, and whether it is one of the basic."""
    names = dict.fromkeys((*BASIC.get(kind, ()), *columns_of(struct)))
    names.pop(OTHER, None)
    for name in names:
        yield name, _description(struct, name), name in BASIC.get(kind, ())
    yield OTHER, "Fields that this version does not know, as JSON.", False


def _description(struct: type, name: str) -> str:
    if (attribute := _property(struct, name)) is not None:
        return field_descriptions(struct).get(attribute, "")
    kind: inspect.Type = inspect.type_info(struct)
    found = ""
    for part in name.split("."):
        kind = without_null(kind)
        if isinstance(kind, inspect.ListType):
            kind = kind.item_type
            continue
        if not isinstance(kind, inspect.StructType):
            break
        field = next((one for one in kind.fields if one.encode_name == part), None)
        if field is None:
            break
        found = field_descriptions(kind.cls).get(field.name, found)
        kind = field.type
    return found


def chosen_columns(columns: str | None, file_format: str) -> str:
    """What `--columns` asks for, else the default of a format.

    Raises:
        CommandError: It is empty.
    """
    if columns is None:
        return "all" if file_format in ("jsonl", "parquet") else "basic"
    if not columns.strip(" ,"):
        raise CommandError("--columns is empty", hint="write --columns name,link")
    return columns


def columns_by_kind(chosen: str | None, structs: Sequence[type]) -> list[str | None]:
    """What `--columns` asks for of each of several kinds of lookup: of a list, what it has.

    Args:
        chosen: What `--columns` asks for.
        structs: The struct of an answer of each kind.

    Returns:
        What is chosen for each kind. What no kind has is left to the first one, which refuses it.
    """
    if chosen is None or chosen.strip() in ("basic", "all") or len(structs) < 2:
        return [chosen] * len(structs)
    names = parse_columns(chosen) or ()
    owners = {
        name: [struct for struct in structs if _steps(struct, name.removeprefix("result."))]
        or structs[:1]
        for name in names
    }
    # A reason stands in each row anyway, so it is a list without a column.
    return [
        ",".join(name for name in names if struct in owners[name]) or "reason" for struct in structs
    ]
