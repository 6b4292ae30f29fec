"""What the output of an earlier run holds already, and the repair of its end.

A last line that was torn is cut off. So are rows at the end that were not final: a run writes
them last, and the next one writes them anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .cells import original
from .errors import CommandError
from .files import Appended
from .largecells import large_cells, records_of
from .links import target
from .options import Format
from .schema import Looked

_HEADS: dict[Format, bytes] = {"jsonl": b'{"input":', "csv": b"input,kin"}
"""How an output begins: a file that holds no more than this was torn at its first line."""
OPEN = "in_doubt"
"""The status of rows that are not final."""


class Kept(msgspec.Struct):
    """What an output file holds."""

    keys: set[str]
    """Targets that have their row, in the one spelling for all."""
    columns: tuple[str, ...] | None = None
    """The heading of a CSV."""


class _Row(msgspec.Struct):
    input: object
    status: object
    end: int
    """Where its line ends."""


def kept(file: Appended, form: Format) -> Kept:
    """Read an output file, cut off what is not to stay, and tell what it holds.

    Raises `CommandError` for a file that `lix enrich` did not write: nothing is appended there.
    """
    data = file.read()
    ends = list(_ends(data, quoted=form == "csv"))
    whole = data[: ends[-1]] if ends else b""
    columns: tuple[str, ...] | None = None
    if form == "csv":
        with large_cells(str(file.path)):
            columns, rows = _csv(whole, ends)
    else:
        rows = _jsonl(whole, ends)
    if rows is None or not (whole or _HEADS[form].startswith(data[:9])):
        raise CommandError(
            f"{file.path} is there already, and is no output of `lix enrich` as {form}",
            hint="choose another name",
        )
    end = len(whole)
    while rows and rows[-1].status == OPEN:
        rows.pop()
        end = rows[-1].end if rows else (ends[0] if form == "csv" else 0)
    if end < len(data):
        file.truncate(end)
    return Kept({key for row in rows if row.status != OPEN for key in _key(row.input)}, columns)


def _jsonl(data: bytes, ends: list[int]) -> list[_Row] | None:
    rows: list[_Row] = []
    for line, end in zip(data.split(b"\n"), ends, strict=False):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if "input" not in row or "status" not in row:
            return None
        rows.append(_Row(row["input"], row["status"], end))
    return rows


def _csv(data: bytes, ends: list[int]) -> tuple[tuple[str, ...] | None, list[_Row] | None]:
    records = records_of(data.decode("utf-8", "replace"))
    columns = tuple(next(records, ()))
    if not columns:
        return None, []
    if not {"input", "status"} <= set(columns) or columns[0] != Looked.head[0]:
        return columns, None
    given, status = columns.index("input"), columns.index("status")
    return columns, [
        _Row(original(record[given]), record[status], end)
        for record, end in zip(records, ends[1:], strict=False)
        if record
    ]


def _key(cell: object) -> Iterator[str]:
    known = target(cell) if isinstance(cell, str) else None
    if known is not None:
        yield known.key


def _ends(data: bytes, *, quoted: bool) -> Iterator[int]:
    """Where each whole record ends: at a line end, in a CSV outside of quotes."""
    place = 0
    inside = False
    while (found := data.find(b"\n", place)) >= 0:
        inside ^= quoted and bool(data.count(b'"', place, found) % 2)
        place = found + 1
        if not inside:
            yield place
