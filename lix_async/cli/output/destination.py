"""Where the rows of a listing go: to a file that a later run can continue, or to stdout."""

from __future__ import annotations

import os
import stat
import sys
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from ...engine.checkpoint import Checkpoint
from .. import console
from ..errors import CommandError
from ..options import Format, ListingOutputOptions, OutputOptions, choose_format
from .answer_columns import chosen_names
from .files import AppendFile
from .listing_file import ListingState, ResumableListingFile, checkpoint_path, load_state
from .listing_table import check_writer, rows_path, write_table
from .rows import CsvEncoder, row_encoder
from .schema import RowSchema

WHOLE: tuple[Format, ...] = ("parquet", "xlsx")
"""Formats of files that are written whole: rows cannot be appended to them."""


class RowSink(Protocol):
    """Receives pages of rows, and writes as many rows as a limit allows."""

    written: int
    checkpoint: Checkpoint | None

    def add_page(self, rows: Sequence[bytes], checkpoint: Checkpoint) -> None:
        """Add a page, and the position of the listing after it."""

    @abstractmethod
    def write(self, limit: int | None = None) -> int:
        """Write pending rows, up to a limit; returns their number."""

    def close(self, *, ended: bool) -> None:
        """Finish the output; `ended` if the listing is complete."""


class StdoutSink:
    """Writes rows to stdout as they arrive, or as a table at the end."""

    def __init__(
        self, file_format: Format, schema: RowSchema, columns: tuple[str, ...] | None
    ) -> None:
        self.written = 0
        self.checkpoint: Checkpoint | None = None
        self._rows = row_encoder(file_format, schema, columns)
        self._table = (schema, columns) if file_format == "table" else None
        self._pending: list[bytes] = []
        self._table_rows: list[bytes] = []

    def add_page(self, rows: Sequence[bytes], checkpoint: Checkpoint) -> None:
        self._pending += rows
        self._rows.fix_columns(self._pending)

    def write(self, limit: int | None = None) -> int:
        rows, self._pending = self._pending[:limit], []
        if self._table is not None:
            self._table_rows += rows
        elif rows:
            console.write_stdout(self._rows.encode(rows, first=self.written == 0))
        self.written += len(rows)
        return len(rows)

    def close(self, *, ended: bool) -> None:
        if ended and not self.written and isinstance(self._rows, CsvEncoder):
            console.write_stdout(self._rows.encode([], first=True))
        if self._table is not None:
            from rich.console import Console  # late: not for rows in a pipe or a file

            from .table import print_table

            print_table(Console(), self._table_rows, *self._table)


class FileSink(ResumableListingFile):
    """Writes rows to a file, with a checkpoint next to it."""

    def close(self, *, ended: bool) -> None:
        try:
            if ended and not self.pending:
                if not self.written:  # a heading, where the format has one
                    self.file.append(self.rows.encode([], first=True))
                self.finish()
                return
            if self.checkpoint is not None:
                self.save()
        finally:
            self.file.close()
        if not self.file.size and self.checkpoint is None:
            self.file.path.unlink(missing_ok=True)


class RowsSink(FileSink):
    """Keeps rows beside a file that is written whole, and their checkpoint until `discard`."""

    table: Callable[[], None] | None = None
    """Writes the file, when the listing has ended or stopped; None where another command does."""

    def close(self, *, ended: bool) -> None:
        try:
            if self.checkpoint is not None:
                self.save()
        finally:
            self.file.close()
        if self.table is not None and (ended or self.checkpoint is not None):
            self.table()
        if self.checkpoint is None or (self.table is not None and ended and not self.pending):
            self.discard()

    def discard(self) -> None:
        """Delete the rows: they are in the file."""
        self.finish()
        self.file.path.unlink(missing_ok=True)


def place_of(path: Path | None) -> str:
    """Where an output goes, as a ledger keeps it: an absolute path, or `stdout`."""
    return "stdout" if path is None else str(path.absolute())


def output_path(output: OutputOptions) -> Path | None:
    """The output file; None for stdout, which `-` also means.

    Raises:
        CommandError: It is a folder without a name, such as `.`.
    """
    if output.out is None or str(output.out) == "-":
        return None
    if not output.out.name:
        raise CommandError(f"{output.out} is a folder", hint="give the name of a file in it")
    return output.out


def writes_to_screen(output: OutputOptions) -> bool:
    """Whether rows appear on the screen as they arrive, so that no progress line is shown.

    Rows in a pipe count as well: they mostly end up on the screen.
    """
    if output_path(output) is not None:
        return False
    if sys.stdout.isatty():
        return choose_format(output, terminal=True) != "table"
    return _stdout_is_pipe()


def _stdout_is_pipe() -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # closed, or without a file descriptor
        return False


def open_row_sink(
    output: ListingOutputOptions, schema: RowSchema, endpoint: str, *, keep_rows: bool = False
) -> RowSink:
    """Open the output that the options ask for, and continue it with `--resume`.

    Args:
        output: The options.
        schema: The schema of the rows.
        endpoint: The endpoint of the listing.
        keep_rows: Whether rows are only kept beside the file, for another command that writes it;
            they are continued without `--resume`.

    Raises:
        CommandError: The file exists, cannot be continued, or cannot be opened.
    """
    file_format = listing_format(output)
    columns = chosen_names(output.columns, file_format, schema.struct)
    path = output_path(output)
    if path is None:
        if output.resume or output.overwrite:
            raise CommandError(
                "--resume and --overwrite need --out FILE", hint="add --out people.csv"
            )
        if file_format in WHOLE:
            raise CommandError(f"{file_format} needs an output file", hint="add --out FILE")
        if file_format == "table" and columns == schema.basic:
            columns = None  # those of them that fit
        return StdoutSink(file_format, schema, columns)
    whole = file_format in WHOLE
    if whole:
        check_writer(path, file_format)
    stored = rows_path(path) if whole or keep_rows else path
    state = None if output.overwrite else load_state(stored)
    if state is not None and not (output.resume or keep_rows):
        raise CommandError(
            f"{path} has an unfinished listing",
            hint="continue it with --resume, or start over with --overwrite",
        )
    if state is None and not output.overwrite:
        _check_free(path, stored, resume=output.resume)
    file = _open(stored, state, overwrite=output.overwrite or stored != path)
    if stored == path:
        rows = row_encoder(file_format, schema, columns)
        sink = FileSink(file, rows, file_format, endpoint, any_columns=output.columns is None)
    else:
        sink = RowsSink(file, row_encoder("jsonl", schema, None), "jsonl", endpoint)
        if not keep_rows:
            sink.table = partial(write_table, stored, path, file_format, schema, columns)
    try:
        if state is not None:
            sink.resume(state)
    except CommandError:
        file.close()
        raise
    return sink


def _check_free(path: Path, stored: Path, *, resume: bool) -> None:
    """Check that a new listing does not take the place of a file."""
    if not (path.is_file() and path.stat().st_size):
        return
    if resume:
        raise CommandError(
            f"nothing to resume: {checkpoint_path(stored)} does not exist",
            hint="a complete listing has no checkpoint; --overwrite starts over",
        )
    raise CommandError(f"{path} already exists", hint="choose another name, or add --overwrite")


def _open(path: Path, state: ListingState | None, *, overwrite: bool) -> AppendFile:
    """Open the file of a listing: the one of an interrupted listing, an empty one, or a new one."""
    exists = path.exists()
    if state is not None and state.size and not exists:
        raise CommandError(
            f"{path} is missing; only its checkpoint is left",
            hint="restore the file, or start over with --overwrite",
        )
    if exists and (state is not None or not overwrite):
        return AppendFile.open(path)
    checkpoint_path(path).unlink(missing_ok=True)
    return AppendFile.create(path, overwrite=overwrite)


def listing_format(output: ListingOutputOptions) -> Format:
    """The format of a listing; every format can be written."""
    return choose_format(output, terminal=sys.stdout.isatty(), parquet=True)


def listing_state(output: ListingOutputOptions, *, keep_rows: bool = False) -> ListingState | None:
    """What an interrupted listing has left beside its output, without opening that."""
    path = output_path(output)
    if path is None or output.overwrite or not (output.resume or keep_rows):
        return None
    return load_state(rows_path(path) if keep_rows or listing_format(output) in WHOLE else path)
