"""One answer: as received in a file or a pipe, as a card on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import msgspec

from ...core.json_text import compact
from ...core.values import JsonObject
from .. import console
from ..options import OutputOptions, choose_format
from ..text import one_line
from ..values import cell_text, leaf_paths
from .answer_columns import chosen_names
from .columns import check_columns
from .destination import output_path
from .files import AppendFile
from .rows import parse_row, row_encoder
from .schema import RowSchema

_PARTS = (
    *("title", "degree", "fieldOfStudy", "name", "institutionName", "proficiency"),
    *("companyName", "company_name", "duration"),
)
_MAX_VALUE_LENGTH = 600
_PLAIN_LENGTH = 6
"""Values up to this length, such as `false` and small numbers, are equal by chance."""


def check_answer_columns(output: OutputOptions, result: type) -> None:
    """Check before anything is paid that an answer has the columns that the options ask for.

    Raises:
        CommandError: A column is unknown.
    """
    check_columns(_columns(output, result), RowSchema(result))


def _columns(output: OutputOptions, result: type) -> tuple[str, ...] | None:
    """The columns of an answer; None for all that it has."""
    file_format = choose_format(output, terminal=sys.stdout.isatty())
    if file_format == "table" and (output.columns or "basic").strip() == "basic":
        return None  # a card shows all fields
    return chosen_names(output.columns, file_format, result)


def check_answer_output(output: OutputOptions) -> None:
    """Check before anything is paid that an answer can be written as the options say.

    Raises:
        CommandError: It cannot.
    """
    choose_format(output, terminal=sys.stdout.isatty())
    if (path := output_path(output)) is not None:
        AppendFile.create(path).close()
        path.unlink()


def write_answer(body: bytes, result: type, output: OutputOptions) -> None:
    """Write one answer as the options say.

    Raises:
        CommandError: The file exists, or cannot be written.
    """
    columns = _columns(output, result)
    file_format, path = choose_format(output, terminal=sys.stdout.isatty()), output_path(output)
    schema, row = RowSchema(result), compact(body)
    is_object = row[:1] == b"{"
    if file_format == "table" and path is None and columns is None and (rows := _only_list(row)):
        from rich.console import Console  # late: not for an answer in a pipe or a file

        from .table import print_table

        print_table(Console(), rows, RowSchema(None), None)
        return
    if file_format == "table" and path is None and is_object:
        if columns is None:
            print_card(schema.normalised(parse_row(row)), schema.columns)
        else:
            print_card(dict(zip(columns, schema.values(row, columns), strict=True)), columns)
        return
    # An answer that is not an object, such as a list of accounts, is printed as received.
    data = (
        row_encoder(file_format, schema, columns).encode([row], first=True)
        if is_object
        else row + b"\n"
    )
    if path is None:
        console.write_stdout(data)
        return
    file = AppendFile.create(path)
    try:
        file.append(data)
    finally:
        file.close()


def _only_list(body: bytes) -> list[bytes]:
    """The objects of an answer that has nothing but several, such as the members of a team."""
    value: object = msgspec.json.decode(body)
    if isinstance(value, Mapping):
        values = [*cast("JsonObject", value).values()]
        lists = [cast("list[object]", one) for one in values if isinstance(one, list)]
        others = [one for one in values if not isinstance(one, list)]
        if len(lists) != 1 or not all(isinstance(one, dict | None) for one in others):
            return []  # what stands next to a list is at most the position of the page
        value = lists[0]
    entries = cast("list[object]", value) if isinstance(value, list) else []
    if len(entries) < 2 or not all(isinstance(one, dict) for one in entries):
        return []
    return [msgspec.json.encode(one) for one in entries]


def print_card(record: JsonObject, order: Sequence[str]) -> None:
    """Print a record with one line for each field, and its parts below their names.

    Args:
        record: The record.
        order: The columns of its type, as dotted paths, in their order.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _card_lines(record, order, "", {}):
        table.add_row(name, Text(value))
    Console().print(table)


def _card_lines(
    record: JsonObject, order: Sequence[str], indent: str, shown: dict[str, JsonObject]
) -> Iterator[tuple[str, str]]:
    """Names and values: the record's own fields, then those of its parts, further to the right.

    Args:
        record: The record.
        order: The names of its fields in order.
        indent: What precedes the names.
        shown: The values so far, with the part that has each: of a value that two parts share,
            the first is enough.
    """
    positions = {name.partition(".")[0]: at for at, name in reversed([*enumerate(order)])}
    names = sorted(record, key=lambda name: positions.get(name, len(positions) + len(order)))
    for name in names:
        for at, value in enumerate(_values(record[name])):
            known = len(value) > _PLAIN_LENGTH and shown.setdefault(value, record) is not record
            if not known:
                yield f"{indent}{name}" if not at else "", value
    for name in names:
        rest = [one.partition(".")[2] for one in order if one.startswith(f"{name}.")]
        for title, part in _parts(name, record[name]):
            lines = list(_card_lines(part, rest, f"{indent}  ", shown))
            if lines:
                yield f"{indent}{title}", ""
                yield from lines


def _values(value: object) -> list[str]:
    """The lines of a field; none for one without a value, and for one with parts of its own."""
    if isinstance(value, Mapping) or not cell_text(value):
        return []
    entries = _objects(value)
    texts = [one_line(_entry_text(entry), _MAX_VALUE_LENGTH) for entry in entries]
    if not entries:
        return [one_line(cell_text(value), _MAX_VALUE_LENGTH)]
    if not all(texts):
        return []
    names_only = texts == [cell_text(entry.get("name")) for entry in entries]
    return [", ".join(texts)] if names_only else texts


def _parts(name: str, value: object) -> Iterator[tuple[str, JsonObject]]:
    """The objects in a field that are shown below its name."""
    if isinstance(value, Mapping):
        yield name, cast("JsonObject", value)
    elif not _values(value):
        yield from ((f"{name} {at}", entry) for at, entry in enumerate(_objects(value), 1))


def _objects(value: object) -> list[JsonObject]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("JsonObject", one) for one in entries if isinstance(one, Mapping)]


def _entry_text(entry: JsonObject) -> str:
    """`Engineer, Example Corp (2019 to Present)` for an entry of a list; else "" ."""
    flat = leaf_paths(entry)
    parts = [cell_text(flat.get(name)) for name in _PARTS if cell_text(flat.get(name))]
    organisation = cell_text(flat.get("organisation.name"))
    if organisation and organisation not in parts:
        parts.append(organisation)
    dates = [cell_text(flat.get(name)) for name in ("dateStarted", "dateEnded")]
    when = " to ".join(date for date in dates if date)
    return ", ".join(parts) + (f" ({when})" if when and parts else "")
