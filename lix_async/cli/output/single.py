"""One answer: as it came into a file or a pipe, as a card on the screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import cast

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...core.decoding import compact
from ..options import OutputOptions, chosen_format, parsed_columns
from ..text import one_line
from ..values import Tree, leaf_paths, text
from .destination import file_of
from .files import AppendFile
from .rows import row_encoder, tree_of
from .schema import RowSchema

_PARTS = ("title", "degree", "fieldOfStudy", "name", "institutionName", "proficiency")
_LONG = 600


def deliver(body: bytes, result: type, output: OutputOptions) -> None:
    """Write one answer where the options say. An existing file is refused."""
    columns = parsed_columns(output.columns)
    form, path = chosen_format(output, terminal=sys.stdout.isatty()), file_of(output)
    schema, row = RowSchema(result), compact(body)
    whole = row[:1] == b"{"
    if form == "table" and path is None and whole:
        tidy = schema.tidy(tree_of(row))
        if columns is None:
            card(leaf_paths(tidy), schema.columns)
        else:
            card({name: schema.find(tidy, name) for name in columns}, columns)
        return
    # What is no object (a list of accounts) has no columns: it is printed as it came.
    data = row_encoder(form, schema, columns).encode([row], first=True) if whole else row + b"\n"
    if path is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    file = AppendFile.create(path)
    try:
        file.append(data)
    finally:
        file.close()


def card(found: Tree, order: tuple[str, ...]) -> None:
    """A record for the eye: one line for each thing it says, in that order."""
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(found, order):
        table.add_row(name, Text(value))
    Console().print(table)


def _lines(found: Tree, order: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Names and values in their order; what two parts of a record say, once."""
    places = {name: place for place, name in enumerate(order)}
    said: dict[str, str] = {}
    for name in sorted(found, key=lambda name: places.get(name, len(places))):
        value = found[name]
        entries = cast("list[object]", value) if isinstance(value, list) else []
        if entries and isinstance(entries[0], dict):
            for place, entry in enumerate(cast("list[Tree]", entries)):
                yield (name if not place else "", one_line(_entry(entry), _LONG))
            continue
        shown, part = one_line(text(found[name]), _LONG), name.partition(".")[0]
        if shown and said.setdefault(shown, part) == part:
            yield name, shown


def _entry(entry: Tree) -> str:
    """`Engineer, Example Corp (2019 to Present)` for an entry of a list."""
    flat = leaf_paths(entry)
    said = [text(flat.get(name)) for name in _PARTS if text(flat.get(name))]
    organisation = text(flat.get("organisation.name"))
    said += [organisation] if organisation else []
    if not said:
        return ", ".join(text(value) for value in flat.values() if text(value))
    dates = [text(flat.get(name)) for name in ("dateStarted", "dateEnded")]
    when = " to ".join(date for date in dates if date)
    return ", ".join(said) + (f" ({when})" if when else "")
