"""Which rows of an output would be lost if the rows of another input took their place.

The rows of a pipe are nowhere else than in the output: another search into the same file must not
replace them. Rows in the same order are compared one by one; of the others, only digests are kept.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import msgspec

from ..input.csv_records import large_csv_fields
from ..input.table import open_table
from ..options import Format
from .answer_columns import ADDED
from .existing_output import delimiter_of
from .joined_row import OwnColumns, own_text, triples


def count_lost_rows(path: Path, file_format: Format, names: Sequence[str], own: OwnColumns) -> int:
    """How many rows of an output are not in an input.

    Args:
        path: The output.
        file_format: Its format.
        names: Its headings, or keys.
        own: The input.

    Raises:
        CommandError: The output cannot be read.
    """
    after = _rows_of_input(own, file_format)
    before = _rows_of_output(path, file_format, names)
    for row in before:
        if row != next(after, None):
            lost = Counter(map(hash, chain([row], before)))
            lost.subtract(Counter(map(hash, _rows_of_input(own, file_format))))
            return sum(count for count in lost.values() if count > 0)
    return 0


def _rows_of_input(own: OwnColumns, file_format: Format) -> Iterator[bytes]:
    keys = own.sampled_keys() if file_format == "parquet" else ()
    for row in own.table.rows():
        if file_format == "jsonl":
            yield _encoded(own.record(row))
        elif file_format == "parquet":
            record = own.record(row)
            yield _text([record.get(key) for key in keys])
        else:
            yield _text(own.cells(row))


def _rows_of_output(path: Path, file_format: Format, names: Sequence[str]) -> Iterator[bytes]:
    places = list(triples(names))
    width = min(place for place, _ in places)
    if file_format == "jsonl":
        added = {f"{prefix}{name}" for _, prefix in places for name in (*ADDED, "result")}
        with path.open("rb") as file:
            for line in file:
                with suppress(msgspec.DecodeError):  # a partial row at the end
                    record = msgspec.json.decode(line, type=dict[str, object])
                    yield _encoded({n: one for n, one in record.items() if n not in added})
    elif file_format == "csv":
        with (
            path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
            large_csv_fields(str(path)),
            suppress(csv.Error),  # a partial row at the end
        ):
            rows = csv.reader(file, delimiter=delimiter_of(path), strict=True)
            next(rows, None)
            for cells in rows:
                if len(cells) >= len(names):
                    yield _text([*cells[:width], *cells[len(names) :]])
    else:
        for row in open_table(str(path)).rows():
            yield _text(row.cells[:width])


def _text(cells: Sequence[object]) -> bytes:
    texts = list(map(own_text, cells))
    while texts and not texts[-1]:
        texts.pop()
    return msgspec.json.encode([text.encode("utf-8", "replace") for text in texts])


def _encoded(record: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(record, enc_hook=own_text, order="sorted")
