"""One answer: as received in a file or a pipe, as a list of fields on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import cast

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...core.json_text import compact
from ...core.values import JsonObject
from .. import console
from ..options import OutputOptions, choose_format, parse_columns
from ..text import one_line
from ..values import cell_text, leaf_paths
from .destination import output_path
from .files import AppendFile
from .rows import parse_row, row_encoder
from .schema import RowSchema

_PARTS = ("title", "degree", "fieldOfStudy", "name", "institutionName", "proficiency")
_MAX_VALUE_LENGTH = 600


def write_answer(body: bytes, result: type, output: OutputOptions) -> None:
    """Write one answer as the options say.

    Raises:
        CommandError: The file exists, or cannot be written.
    """
    columns = parse_columns(output.columns)
    file_format, path = choose_format(output, terminal=sys.stdout.isatty()), output_path(output)
    schema, row = RowSchema(result), compact(body)
    is_object = row[:1] == b"{"
    if file_format == "table" and path is None and is_object:
        normalised = schema.normalised(parse_row(row))
        if columns is None:
            print_record(leaf_paths(normalised), schema.columns)
        else:
            print_record({name: schema.value_at(normalised, name) for name in columns}, columns)
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


def print_record(found: JsonObject, order: tuple[str, ...]) -> None:
    """Print a record with one line for each field, in the given order."""
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _fields(found, order):
        table.add_row(name, Text(value))
    Console().print(table)


def _fields(found: JsonObject, order: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The names and values in order; a value that two parts of a record share is shown once."""
    positions = {name: position for position, name in enumerate(order)}
    shown_values: dict[str, str] = {}
    for name in sorted(found, key=lambda name: positions.get(name, len(positions))):
        value = found[name]
        entries = cast("list[object]", value) if isinstance(value, list) else []
        if entries and isinstance(entries[0], dict):
            for position, entry in enumerate(cast("list[JsonObject]", entries)):
                yield (
                    name if not position else "",
                    one_line(_entry_text(entry), _MAX_VALUE_LENGTH),
                )
            continue
        shown, part = one_line(cell_text(found[name]), _MAX_VALUE_LENGTH), name.partition(".")[0]
        if shown and shown_values.setdefault(shown, part) == part:
            yield name, shown


def _entry_text(entry: JsonObject) -> str:
    """`Engineer, Example Corp (2019 to Present)` for an entry of a list."""
    flat = leaf_paths(entry)
    parts = [cell_text(flat.get(name)) for name in _PARTS if cell_text(flat.get(name))]
    organisation = cell_text(flat.get("organisation.name"))
    parts += [organisation] if organisation else []
    if not parts:
        return ", ".join(cell_text(value) for value in flat.values() if cell_text(value))
    dates = [cell_text(flat.get(name)) for name in ("dateStarted", "dateEnded")]
    when = " to ".join(date for date in dates if date)
    return ", ".join(parts) + (f" ({when})" if when else "")
