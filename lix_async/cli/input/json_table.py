"""JSON lines, and JSON documents that are a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import msgspec

from ..values import leaf_paths
from .source import TextSource, has_escape, restored
from .table_row import InputTable, TableRow
from .targets import parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.values import JsonObject

_RECORD = frozenset({0})


class JsonLinesTable(InputTable):
    """A file of JSON lines; a line that is not JSON is a row with a problem."""

    format = "jsonl"

    def __init__(self, text: TextSource) -> None:
        self._text = text
        self.path = text.source.name
        self.encoding = text.encoding
        self.notes = text.notes

    def rows(self) -> Iterator[TableRow]:
        with self._text.open() as lines:
            for number, line in enumerate(lines, start=1):
                if line.isspace():
                    continue
                bad = self._text.has_escapes and has_escape(line)
                own = restored(line) if bad else line
                try:
                    record = _decoded(own)
                except ValueError:
                    yield TableRow(number, [own.rstrip()], "invalid JSON")
                else:
                    yield TableRow(number, [record], guessed=_RECORD if bad else frozenset())


class JsonDocumentTable(InputTable):
    """The entries of a JSON document, which is held in memory."""

    format = "jsonl"

    def __init__(self, text: TextSource, entries: Sequence[object]) -> None:
        self.path = text.source.name
        self.encoding = text.encoding
        self.notes = text.notes
        self._guessed = _RECORD if text.has_escapes else frozenset[int]()
        self._entries = entries

    def rows(self) -> Iterator[TableRow]:
        for number, entry in enumerate(self._entries, start=1):
            yield TableRow(number, [entry], guessed=self._guessed)


def is_json(text: str) -> bool:
    """Whether a text is a JSON value."""
    try:
        _decoded(text)
    except ValueError:
        return False
    return True


def json_entries(text: TextSource) -> Sequence[object] | None:
    """The entries of a document: of its list, or of the one list in its object, or the object.

    An object with a link beside its list is a record. None if it is not JSON.
    """
    with text.open() as lines:
        whole = "".join(restored(line) if has_escape(line) else line for line in lines)
    try:
        value = _decoded(whole)
    except ValueError:
        return None
    if isinstance(value, dict):
        record = cast("JsonObject", value)
        lists = [cast("list[object]", one) for one in record.values() if isinstance(one, list)]
        lists = [one for one in lists if one and all(isinstance(entry, dict) for entry in one)]
        return lists[0] if len(lists) == 1 and not _has_link(record) else [record]
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _has_link(record: JsonObject) -> bool:
    return any(
        isinstance(cell, str) and parse_target(cell) is not None
        for cell in leaf_paths(record).values()
    )


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    try:  # Python itself writes NaN and half surrogate pairs
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
