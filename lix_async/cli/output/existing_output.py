"""What an output file of `lix enrich` has already, by its headings."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from ..errors import CommandError
from ..input.table import TableTargets, open_table
from ..options import Format
from .joined_row import OwnColumns, triples

_HEAD = 1 << 20
"""Bytes of the beginning that are read."""
Mode = Literal["new", "joined", "distinct"]


def existing_mode(path: Path | None, file_format: Format) -> Mode:
    """What an output file is: of an earlier run of either kind, or none.

    Raises:
        CommandError: It cannot be read.
    """
    names = _names_of(path, file_format)
    if names is None:
        return "new"
    if any(True for _ in triples(names)):
        return "joined"
    return "distinct" if {"input", "status"} <= set(names) else "new"


def existing_names(
    path: Path | None, file_format: Format, targets: TableTargets
) -> list[str] | None:
    """The headings, or keys, of an output that an earlier run has written; None for no file.

    Raises:
        CommandError: The file is none of this input.
    """
    names = _names_of(path, file_format)
    if names is None:
        return None
    own = OwnColumns(targets.table)
    headings = own.sampled_keys() if file_format in ("jsonl", "parquet") else own.headings
    first = next((place for place, _ in triples(names)), None)
    if first is None:
        raise CommandError(
            f"{path} already exists and is not {file_format} output of `lix enrich`",
            hint="choose another name",
        )
    ours = names[:first]
    if file_format == "jsonl":
        fits = set(ours) <= set(headings)
    else:
        fits = [name.strip() for name in ours] == [name.strip() for name in headings]
    if not fits:
        raise CommandError(
            f"{path} already exists and has the columns of another file",
            hint="choose another name",
        )
    return list(names)


def _names_of(path: Path | None, file_format: Format) -> Sequence[str] | None:
    """The headings or keys of a file; None where there is none, or an empty one."""
    if path is None or not path.exists() or (path.is_file() and not path.stat().st_size):
        return None
    if path.is_symlink() or not path.is_file():
        return None  # opening it says what is wrong
    if file_format == "jsonl":
        line = _head(path).partition(b"\n")[0]
        try:
            return list(msgspec.json.decode(line, type=dict[str, object]))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # An output of an earlier version may have been interrupted in its first line.
            return ("input", "status") if b'{"input":'.startswith(line[:9]) else ()
    if file_format == "csv":
        return _first_record(path)
    return open_table(str(path)).names


def delimiter_of(path: Path) -> str:
    """The delimiter of a CSV that an earlier run has written."""
    return _heading(path)[1]


def _first_record(path: Path) -> Sequence[str]:
    return _heading(path)[0]


def _heading(path: Path) -> tuple[Sequence[str], str]:
    head = _head(path).decode("utf-8-sig", "replace")
    for delimiter in ",;\t|":
        records = csv.reader(head.splitlines(keepends=True), delimiter=delimiter)
        names: list[str] = next(records, list[str]())
        if any(True for _ in triples(names)) or "status" in names:
            return names, delimiter
    return (), ","


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise CommandError(
            f"cannot read {path}: {error.strerror or error}", hint="check its permissions"
        ) from None
