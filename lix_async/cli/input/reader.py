"""Reading links and e-mail addresses from CSV, JSON lines or plain text."""

from __future__ import annotations

import codecs
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import msgspec

from ..errors import CommandError
from ..values import get_path, leaf_paths
from .csv_records import csv_records, first_records, large_csv_fields
from .lookup_kinds import LookupKind
from .targets import LookupTarget, parse_target

_DELIMITERS = ",;\t|"
_NAMED_DELIMITER = re.compile(r'\s*"?sep=(.)"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)
"""The first line of a file for Excel, which names the delimiter."""
_BETWEEN = re.compile(r"[\s,;|]+")
Record = dict[str, object]
SAMPLE_BYTES = 1000
HEAD_ROWS = 50
"""Rows that are searched for the delimiter and the heading."""
SAMPLE_ROWS = 1000
"""Rows that are searched to choose the column."""


class InputFile:
    """The targets in a file: each once, in the order of the file."""

    def __init__(
        self, records: Iterable[Record], column: str, kinds: frozenset[LookupKind]
    ) -> None:
        targets: dict[str, LookupTarget] = {}
        self.column = column
        self.rows = 0
        self.unusable = 0
        """Rows whose cell is not a link or address of an accepted kind."""
        for record in records:
            self.rows += 1
            cell = get_path(record, column)
            target = parse_target(cell) if isinstance(cell, str) else None
            if target is None or target.kind not in kinds:
                self.unusable += 1
            else:
                targets.setdefault(target.key, target)
        self.targets = list(targets.values())


def read(path: str, column: str | None, kinds: frozenset[LookupKind]) -> InputFile:
    """Read the targets from a file.

    Args:
        path: The file, or `-` for stdin.
        column: The column with the links; None to choose the one with most of them.
        kinds: The accepted kinds of target; others are skipped.

    Raises:
        CommandError: The file cannot be read, has no such column, or has no targets.
    """
    text = _text(sys.stdin.buffer.read() if path == "-" else _bytes(Path(path)))
    records = InputRecords(text, Path(path).suffix.lower())
    with large_csv_fields(path):
        chosen = _choose_column(records, column, path, kinds)
        inputs = InputFile(records, chosen, kinds)
    if not inputs.targets:
        inside = f" in column {chosen!r}" if column else ""
        raise CommandError(
            f"{path} has no usable links or e-mail addresses{inside}",
            hint="expected links such as https://www.linkedin.com/in/NAME or "
            "https://www.linkedin.com/company/NAME",
        )
    return inputs


class InputRecords:
    """The rows of a file, parsed anew by each iteration: parsed rows need ten times the memory."""

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
    """Decode a file: spreadsheets write UTF-8 with a BOM, UTF-16, or a legacy encoding.

    Files are also put together from parts, so each line that is not UTF-8 is decoded on its own.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    head = data[:SAMPLE_BYTES]
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):  # without a mark
        if 2 * head[first::2].count(0) > len(head[first::2]) and 0 not in head[1 - first :: 2]:
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        data = data.removeprefix(codecs.BOM_UTF8)
        return "".join(map(_line_text, data.splitlines(keepends=True)))


def _line_text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _records(text: str, ending: str) -> Iterator[Record]:
    head = text.lstrip()[:1]
    if head == "[" and ending != ".csv":
        yield from _json_array(text)
    elif head == "{" or ending in (".jsonl", ".ndjson"):
        yield from _json_lines(text)
    elif ending in (".csv", ".tsv") or (_delimiter(text) is not None and not _is_list(text)):
        yield from _csv(text)
    else:
        for line in filter(str.strip, text.splitlines()):
            for word in _words(line):
                yield {"": word}


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
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    try:  # Python itself writes NaN and half surrogate pairs
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CommandError(f"invalid JSON in {place}") from None


def _record(value: object) -> Record:
    return cast("Record", value) if isinstance(value, dict) else {"": value}


def _words(line: str) -> list[str]:
    """The targets of a line that has nothing else, else the line itself."""
    line = line.strip()
    words = list(filter(None, _BETWEEN.split(line)))
    several = len(words) > 1 and not parse_target(line)
    return words if several and all(map(parse_target, words)) else [line]


def _is_list(text: str) -> bool:
    """Whether a file has targets only, some of them on one line.

    Targets on a line may also be columns, which have pages of different kinds.
    """
    lines = (line for line in text.splitlines() if line.strip())
    several = False
    for words in map(_words, itertools.islice(lines, HEAD_ROWS)):
        targets = [parse_target(word) for word in words]
        if len({target and (target.kind, _score(target)) for target in targets} - {None}) != 1:
            return False
        several = several or len(words) > 1
    return several


def _delimiter(text: str) -> str | None:
    """The delimiter by which most of the first rows have the same number of cells, else None."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    if parse_target(line) is not None:
        return None

    def score(delimiter: str) -> int:
        rows = first_records(text, delimiter, HEAD_ROWS)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        return max(widths.values(), default=0)

    delimiter = max(_DELIMITERS, key=score)
    return delimiter if score(delimiter) else None


def _csv(text: str) -> Iterator[Record]:
    delimiter = None
    if named := _NAMED_DELIMITER.match(text):
        delimiter, text = named[1], text[named.end() :]
    rows = csv_records(text, delimiter or _delimiter(text) or ",")
    filled = (row for row in rows if any(cell.strip() for cell in row))
    head = list(itertools.islice(filled, HEAD_ROWS))
    head = head[_rows_above_table(head) :]
    first = head.pop(0) if head else []
    names: list[str] = []
    if any(parse_target(cell) for cell in first):  # no heading: the first line is a row
        names = [f"column {number}" for number in range(1, len(first) + 1)]
        yield dict(zip(names, first, strict=True))
    else:
        for number, cell in enumerate(first, start=1):
            name = cell.strip() or f"column {number}"
            names.append(name if name not in names else f"{name} (column {number})")
    for row in itertools.chain(head, filled):
        yield dict(zip(names, row, strict=False))


def _rows_above_table(head: list[list[str]]) -> int:
    """How many of the first rows are a title or notes: one cell, above a row that has more."""
    for number, row in enumerate(head):
        if not row[0].strip() or len(_filled(row)) > 1 or parse_target(row[0]):
            return number
        below = next((other for other in head[number + 1 :] if len(_filled(other)) > 1), None)
        # A spreadsheet gives a title as many cells as the table; a heading of one name too.
        if below is None or (len(row) > 1 and any(map(parse_target, below))):
            return number
    return 0


def _filled(row: list[str]) -> list[str]:
    return [cell for cell in row if cell.strip()]


def _choose_column(
    records: InputRecords, column: str | None, path: str, kinds: frozenset[LookupKind]
) -> str:
    """The given column, or the one with the most targets."""
    names = dict.fromkeys(name for record in records for name in (*record, *leaf_paths(record)))
    if column is not None:
        if names and not any(get_path(record, column) is not None for record in records):
            available = ", ".join(name for name in names if name) or "none"
            raise CommandError(
                f"{path} has no column {column!r}", hint=f"available columns: {available}"
            )
        return column
    sample = list(itertools.islice(records, SAMPLE_ROWS))

    def score(name: str) -> int:
        cells = (get_path(record, name) for record in sample)
        targets = (parse_target(cell) for cell in cells if isinstance(cell, str))
        return sum(_score(target) for target in targets if target and target.kind in kinds)

    return max(names, key=score, default="")


def _score(target: LookupTarget) -> int:
    """The weight of a target: of two columns with the same people, public links are better."""
    if target.kind == "email":
        return 9
    return 5 if "/sales/" in target.sent else 10
