"""Where the rows of a walk go: into a file that a later run goes on with, or to stdout."""

from __future__ import annotations

import os
import stat
import sys
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from ...engine.checkpoint import Checkpoint
from ..errors import CommandError
from ..options import Format, ListingOutputOptions, OutputOptions, chosen_format, parsed_columns
from .files import AppendFile
from .listing_file import ResumableListingFile, checkpoint_path, load
from .rows import row_encoder
from .schema import RowSchema
from .table import show


class RowSink(Protocol):
    """Takes in pages of rows, and passes on as many as a limit allows."""

    written: int
    walk: Checkpoint | None

    def put(self, rows: Sequence[bytes], walk: Checkpoint) -> None:
        """Take in a page, and where the walk stands behind it."""

    @abstractmethod
    def write(self, most: int | None = None) -> int:
        """Pass on rows that wait, up to a number; how many there were."""

    def close(self, *, ended: bool) -> None:
        """The walk is over, or stops here."""


class StdoutSink:
    """Rows to stdout as they come; on the screen as a table at the end."""

    def __init__(self, form: Format, schema: RowSchema, columns: tuple[str, ...] | None) -> None:
        self.written = 0
        self.walk: Checkpoint | None = None
        self._rows = row_encoder(form, schema, columns)
        self._table = (schema, columns) if form == "table" else None
        self._owed: list[bytes] = []
        self._kept: list[bytes] = []

    def put(self, rows: Sequence[bytes], walk: Checkpoint) -> None:
        self._owed += rows
        self._rows.settle(self._owed)

    def write(self, most: int | None = None) -> int:
        now, self._owed = (self._owed, []) if most is None else (self._owed[:most], [])
        if self._table is not None:
            self._kept += now
        elif now:
            out = sys.stdout.buffer
            out.write(self._rows.encode(now, first=self.written == 0))
            out.flush()
        self.written += len(now)
        return len(now)

    def close(self, *, ended: bool) -> None:
        if self._table is not None:
            show(Console(), self._kept, *self._table)


class FileSink(ResumableListingFile):
    """Rows into a file, with a checkpoint beside it."""

    def close(self, *, ended: bool) -> None:
        try:
            if ended and not self.owed:
                self.finish()
            elif self.walk is not None:
                self.save()
        finally:
            self.file.close()
            if not self.file.size and self.walk is None:
                self.file.path.unlink(missing_ok=True)


def file_of(output: OutputOptions) -> Path | None:
    """The file to write to; None for stdout, also when it is asked for by `-`."""
    return None if output.out is None or str(output.out) == "-" else output.out


def writes_to_screen(output: OutputOptions) -> bool:
    """Whether rows run over the screen as they come, so that no progress line belongs there.

    Behind a pipe they mostly do too.
    """
    if file_of(output) is not None:
        return False
    if sys.stdout.isatty():
        return chosen_format(output, terminal=True) != "table"
    return _into_a_pipe()


def _into_a_pipe() -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # no file at all, or closed
        return False


def open_row_sink(output: ListingOutputOptions, schema: RowSchema, endpoint: str) -> RowSink:
    """The place that the options ask for, opened, and taken up again after `--resume`."""
    columns = parsed_columns(output.columns)
    form = chosen_format(output, terminal=sys.stdout.isatty())
    path = file_of(output)
    if path is None:
        if output.resume or output.overwrite:
            raise CommandError(
                "only a walk into a file can go on", hint="say --out FILE, then --resume"
            )
        return StdoutSink(form, schema, columns)
    rows = row_encoder(form, schema, columns)
    entry = None if output.overwrite else load(path)
    if entry is not None and not output.resume:
        raise CommandError(
            f"{path} holds a walk that is not finished",
            hint="go on with it by --resume, or begin anew by --overwrite",
        )
    there = path.exists() and not output.overwrite
    if there and entry is None and path.is_file() and path.stat().st_size:
        if output.resume:
            raise CommandError(
                f"{path} has no {checkpoint_path(path).name} beside it: its walk had ended",
                hint="nothing is left to do; --overwrite begins anew",
            )
        raise CommandError(
            f"{path} is there already", hint="choose another name, or say --overwrite"
        )
    if entry is not None and entry.size and not there:
        raise CommandError(
            f"{path} is gone, and only its checkpoint is left",
            hint="put it back, or begin anew by --overwrite",
        )
    if output.overwrite:
        checkpoint_path(path).unlink(missing_ok=True)
    file = AppendFile.open(path) if there else AppendFile.create(path, overwrite=output.overwrite)
    journal = FileSink(file, rows, form, endpoint)
    try:
        if entry is not None:
            journal.take_up(entry)
    except CommandError:
        file.close()
        raise
    return journal
