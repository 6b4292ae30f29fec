"""What the output of an earlier run holds already, and the repair of its torn last line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from .cells import original
from .errors import CommandError
from .files import Appended
from .links import target
from .options import Format
from .schema import Looked

_HEADS: dict[Format, bytes] = {"jsonl": b'{"input":', "csv": b"input,kin"}
"""How an output begins: a file that holds no more than this was torn at its first line."""


class Kept(msgspec.Struct):
    """What an output file holds."""

    keys: set[str]
    """Targets that have their row, in the one spelling for all."""
    columns: tuple[str, ...] | None = None
    """The heading of a CSV."""


def kept(file: Appended, form: Format) -> Kept:
    """Read an output file, cut off a line that was torn, and tell what it holds.

    Raises `CommandError` for a file that `lix enrich` did not write: nothing is appended there.
    """
    data = file.read()
    whole = data[: _csv_end(data) if form == "csv" else data.rfind(b"\n") + 1]
    found = _csv(whole) if form == "csv" else _jsonl(whole)
    if found is None or not (whole or _HEADS[form].startswith(data[:9])):
        raise CommandError(
            f"{file.path} is there already, and is no output of `lix enrich` as {form}",
            hint="choose another name",
        )
    if len(whole) < len(data):
        file.truncate(len(whole))
    return found


def _jsonl(data: bytes) -> Kept | None:
    keys: set[str] = set()
    for line in data.splitlines():
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if "input" not in row or "status" not in row:
            return None
        keys.update(_key(row["input"]))
    return Kept(keys)


def _csv(data: bytes) -> Kept | None:
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""))
    columns = tuple(next(rows, ()))
    if not columns:
        return Kept(set())
    if not {"input", "status"} <= set(columns) or columns[0] != Looked.head[0]:
        return None
    place = columns.index("input")
    return Kept({key for row in rows if row for key in _key(original(row[place]))}, columns)


def _key(cell: object) -> Iterator[str]:
    known = target(cell) if isinstance(cell, str) else None
    if known is not None:
        yield known.key


def _csv_end(data: bytes) -> int:
    """Where the last whole record of a CSV ends: a line end outside of quotes."""
    end = place = 0
    quoted = False
    for line in data.splitlines(keepends=True):
        place += len(line)
        quoted ^= bool(line.count(b'"') % 2)
        if not quoted and line.endswith(b"\n"):
            end = place
    return end
