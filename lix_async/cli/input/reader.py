"""Reading what shall be looked up: links and addresses from CSV, JSON lines or plain text."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import msgspec

from ..errors import CommandError
from ..values import get_path, leaf_paths
from .csv_records import large_csv_fields, records_of
from .targets import LookupKind, LookupTarget, parse_target

_DELIMITERS = ",;\t|"
Record = dict[str, object]
SAMPLE = 1000
"""Rows that are looked at to find the column."""


class InputFile:
    """What a file asks for: each target once, in the order of the file."""

    def __init__(
        self, records: Iterable[Record], column: str, kinds: frozenset[LookupKind]
    ) -> None:
        found: dict[str, LookupTarget] = {}
        self.column = column
        self.rows = 0
        self.unusable = 0
        """Rows whose cell holds something else than a link or an address."""
        for record in records:
            self.rows += 1
            cell = get_path(record, column)
            known = parse_target(cell) if isinstance(cell, str) else None
            if known is None or known.kind not in kinds:
                self.unusable += 1
            else:
                found.setdefault(known.key, known)
        self.targets = list(found.values())


def read(path: str, column: str | None, kinds: frozenset[LookupKind]) -> InputFile:
    """Read a file, or stdin for `-`: what is of these kinds. Raises `CommandError` for nothing."""
    text = _text(sys.stdin.buffer.read() if path == "-" else _bytes(Path(path)))
    records = InputRecords(text, Path(path).suffix.lower())
    with large_csv_fields(path):
        name = _chosen(records, column, path, kinds)
        inputs = InputFile(records, name, kinds)
    if not inputs.targets:
        inside = f" in column {name!r}" if column else ""
        raise CommandError(
            f"{path} holds nothing{inside} that can be looked up like this",
            hint="profiles look like https://www.linkedin.com/in/NAME, companies like "
            "https://www.linkedin.com/company/NAME",
        )
    return inputs


class InputRecords:
    """The rows of a file, read anew each time: together they take ten times what the text does."""

    def __init__(self, text: str, ending: str) -> None:
        self._text = text
        self._ending = ending

    def __iter__(self) -> Iterator[Record]:
        return _records(self._text, self._ending)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None


def _text(data: bytes) -> str:
    """Spreadsheets save UTF-8 with a mark, UTF-16, or the encoding of their country."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _records(text: str, ending: str) -> Iterator[Record]:
    head = text.lstrip()[:1]
    if head == "[" and ending != ".csv":
        yield from _json_array(text)
    elif head == "{" or ending in (".jsonl", ".ndjson"):
        yield from _json_lines(text)
    elif ending in (".csv", ".tsv") or _delimiter(text) is not None:
        yield from _csv(text)
    else:
        for line in text.splitlines():
            if line.strip():
                yield {"": line.strip()}


def _json_lines(text: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _record(_decoded(line, f"line {number}"))


def _json_array(text: str) -> Iterator[Record]:
    entries = _decoded(text, "the file")
    yield from map(_record, cast("list[object]", entries))


def _decoded(text: str, place: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise CommandError(f"{place} is not JSON") from None


def _record(value: object) -> Record:
    return cast("Record", value) if isinstance(value, dict) else {"": value}


def _delimiter(text: str) -> str | None:
    """What parts the cells of the first line; None where it is one cell."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    if parse_target(line) is not None:
        return None
    most = max(_DELIMITERS, key=line.count)
    return most if line.count(most) else None


def _csv(text: str) -> Iterator[Record]:
    rows = records_of(text, _delimiter(text) or ",")
    filled = (row for row in rows if any(cell.strip() for cell in row))
    first = next(filled, list[str]())
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(first, start=1)]
    if any(parse_target(cell) for cell in first):  # no heading: the first line is a row already
        names = [f"column {place}" for place in range(1, len(first) + 1)]
        yield dict(zip(names, first, strict=True))
    for row in filled:
        yield dict(zip(names, row, strict=False))


def _chosen(
    records: InputRecords, column: str | None, path: str, kinds: frozenset[LookupKind]
) -> str:
    """The column that was asked for, or the one with the most links and addresses in it."""
    names = dict.fromkeys(name for record in records for name in (*record, *leaf_paths(record)))
    if column is not None:
        if names and not any(get_path(record, column) is not None for record in records):
            shown = ", ".join(name for name in names if name) or "no columns at all"
            raise CommandError(f"{path} has no column {column!r}", hint=f"there are: {shown}")
        return column
    some = list(itertools.islice(records, SAMPLE))

    def worth(name: str) -> int:
        cells = (get_path(record, name) for record in some)
        found = (parse_target(cell) for cell in cells if isinstance(cell, str))
        return sum(_worth(known) for known in found if known and known.kind in kinds)

    return max(names, key=worth, default="")


def _worth(known: LookupTarget) -> int:
    """Of two columns that name the same people, the one with public links is the better one."""
    if known.kind == "email":
        return 9
    return 5 if "/sales/" in known.sent else 10
