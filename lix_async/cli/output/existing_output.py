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
from .schema import LookupSchema

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
        try:
            with path.open("rb") as file:
                line = file.readline(_HEAD)
            return list(msgspec.json.decode(line, type=dict[str, object]))
        except OSError as error:
            raise CommandError(
                f"cannot read {path}: {error.strerror or error}", hint="check its permissions"
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return (
                () if LookupSchema.meta_fields[0].encode() not in line[:10] else ("input", "status")
            )
    if file_format == "csv":
        return _first_record(path)
    return open_table(str(path)).names


def _first_record(path: Path) -> Sequence[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise CommandError(
            f"cannot read {path}: {error.strerror or error}", hint="check its permissions"
        ) from None
    for delimiter in ",;\t|":
        names = next(csv.reader(head.splitlines(keepends=True), delimiter=delimiter), [])
        if any(True for _ in triples(names)) or "status" in names:
            return names
    return ()
