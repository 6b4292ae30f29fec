"""The columns of answers: `basic`, `all`, or a list of names.

A name is a short one, such as `company`, a path of the wire, such as `experience.0.title`, or a
property of the struct in the same style, such as `employeeCount`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import cast, get_args, get_type_hints

from msgspec import inspect

from ...core.field_docs import field_descriptions
from ...core.models import OpenObject
from ...core.repair import without_null
from ..errors import CommandError
from ..options import parse_columns
from .basic_columns import basic_names, is_short_name, paths_of
from .column_reader import OTHER, RowReader, column_reader, property_of, steps_of, type_info
from .columns import check_columns
from .declared_types import declared_type
from .schema import LookupSchema, all_columns

ADDED = ("status", "reason", "bought_at")
"""The columns before those of an answer."""


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
        self._readers: dict[str, RowReader] = {}

    @property
    def is_all(self) -> bool:
        """Whether an answer is written whole."""
        return self.chosen == "all"

    def _names(self) -> tuple[str, ...]:
        if self.chosen in ("basic", "all"):
            parts = [
                (basic_names(struct) if self.chosen == "basic" else ()) or all_columns(struct)
                for struct in self.structs.values()
            ]
            names = dict.fromkeys(name for part in parts for name in part)
            if names.pop(OTHER, names) is None:
                names[OTHER] = None
            return tuple(names)
        given = parse_columns(self.chosen) or ()
        names = dict.fromkeys(name.removeprefix("result.") for name in given)
        for meta in (*LookupSchema.meta_fields, *ADDED):
            if not any(_has(struct, meta) for struct in self.structs.values()):
                names.pop(meta, None)
        unknown = [
            name
            for name in names
            if not any(_has(struct, name) for struct in self.structs.values())
        ]
        check_columns(unknown, LookupSchema(self.structs))
        return tuple(names)

    def headings(self, prefix: str) -> list[str]:
        """The names with a prefix; a field called `status` has the name of its struct before it."""
        return [
            f"{prefix}{self._owner(name)}_{name}" if name in ADDED else f"{prefix}{name}"
            for name in self.names
        ]

    def type_of(self, name: str) -> str:
        """The SQL type of a column, by its definition."""
        return declared_type(self.structs.values(), name)

    def _owner(self, name: str) -> str:
        owners = (one for one in self.structs.values() if _has(one, name))
        return next(owners).__name__.lower()

    def read(self, kind: str, body: bytes) -> list[object]:
        """The values of an answer, in the order of the names.

        Raises:
            SchemaMismatch: The answer cannot be read.
        """
        reader = self._readers.get(kind)
        if reader is None:
            reader = self._readers[kind] = column_reader(self.structs.get(kind), self.names)
        return reader(body)


def _has(struct: type, name: str) -> bool:
    """Whether a type has a plain value of that name."""
    return is_short_name(struct, name) or steps_of(struct, name) is not None


def described_columns(struct: type) -> Iterator[tuple[str, str, bool]]:
    """The columns of a type of row: name, description, and whether it is one of the basic."""
    names = dict.fromkeys((*basic_names(struct), *all_columns(struct)))
    names.pop(OTHER, None)
    for name in names:
        is_basic = is_short_name(struct, name)
        text = _description(struct, paths_of(struct, name)[0])
        paths = [path for path in paths_of(struct, name) if "." in path]
        if is_basic and paths:
            text = f"{text} ({' or '.join(paths)})"
        yield name, text, is_basic
    yield OTHER, "Fields that this version does not know, as JSON.", False


def _description(struct: type[object], name: str) -> str:
    if issubclass(struct, OpenObject):
        return _property_description(struct, name.split("."))
    if (attribute := property_of(struct, name)) is not None:
        return field_descriptions(struct).get(attribute, "")
    kind = type_info(cast("type", struct))
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
            found = field_descriptions(kind.cls).get(property_of(kind.cls, part) or "", found)
            break
        found = field_descriptions(kind.cls).get(field.name, found)
        kind = field.type
    return found


def _property_description(struct: type[object], parts: Sequence[str]) -> str:
    """The description of a property, or of one of the object that a property is."""
    attribute = property_of(struct, parts[0]) or parts[0]
    if len(parts) == 1:
        return field_descriptions(struct).get(attribute, "")
    found = get_type_hints(vars(struct)[attribute].fget, vars(sys.modules[struct.__module__]))
    kinds: tuple[type[object], ...] = get_args(found["return"])
    return _property_description(kinds[0], parts[1:])


def chosen_names(
    columns: str | None, file_format: str, struct: type | None
) -> tuple[str, ...] | None:
    """The columns of a table of rows; None for rows as they were received.

    Args:
        columns: What `--columns` asks for.
        file_format: The format, which decides where nothing is asked for.
        struct: The type of the rows.

    Raises:
        CommandError: It is empty.
    """
    chosen = chosen_columns(columns, file_format).strip()
    if chosen == "basic":
        return basic_names(struct) or None
    if chosen == "all":
        return None
    return parse_columns(chosen)


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
        name: [struct for struct in structs if _has(struct, name.removeprefix("result."))]
        or structs[:1]
        for name in names
    }
    # A reason stands in each row anyway, so it is a list without a column.
    return [
        ",".join(name for name in names if struct in owners[name]) or "reason" for struct in structs
    ]
