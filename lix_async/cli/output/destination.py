"""Where the rows of a listing go: to a file that a later run can continue, or to stdout."""

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
from .. import console
from ..errors import CommandError
from ..options import Format, ListingOutputOptions, OutputOptions, choose_format, parse_columns
from .files import AppendFile
from .listing_file import ResumableListingFile, checkpoint_path, load_state
from .rows import row_encoder
from .schema import RowSchema
from .table import print_table


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
        if self._table is not None:
            print_table(Console(), self._table_rows, *self._table)


class FileSink(ResumableListingFile):
    """Writes rows to a file, with a checkpoint next to it."""

    def close(self, *, ended: bool) -> None:
        try:
            if ended and not self.pending:
                self.finish()
            elif self.checkpoint is not None:
                self.save()
        finally:
            self.file.close()
            if not self.file.size and self.checkpoint is None:
                self.file.path.unlink(missing_ok=True)


def place_of(path: Path | None) -> str:
    """Where an output goes, as a ledger keeps it: an absolute path, or `stdout`."""
    return "stdout" if path is None else str(path.absolute())


def output_path(output: OutputOptions) -> Path | None:
    """The output file; None for stdout, which `-` also means."""
    return None if output.out is None or str(output.out) == "-" else output.out


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


def open_row_sink(output: ListingOutputOptions, schema: RowSchema, endpoint: str) -> RowSink:
    """Open the output that the options ask for, and continue it with `--resume`.

    Raises:
        CommandError: The file exists, cannot be continued, or cannot be opened.
    """
    columns = parse_columns(output.columns)
    file_format = choose_format(output, terminal=sys.stdout.isatty())
    path = output_path(output)
    if path is None:
        if output.resume or output.overwrite:
            raise CommandError(
                "--resume and --overwrite need --out FILE", hint="add --out people.csv"
            )
        return StdoutSink(file_format, schema, columns)
    encoder = row_encoder(file_format, schema, columns)
    state = None if output.overwrite else load_state(path)
    if state is not None and not output.resume:
        raise CommandError(
            f"{path} has an unfinished listing",
            hint="continue it with --resume, or start over with --overwrite",
        )
    exists = path.exists() and not output.overwrite
    if exists and state is None and path.is_file() and path.stat().st_size:
        if output.resume:
            raise CommandError(
                f"nothing to resume: {checkpoint_path(path)} does not exist",
                hint="a complete listing has no checkpoint; --overwrite starts over",
            )
        raise CommandError(f"{path} already exists", hint="choose another name, or add --overwrite")
    if state is not None and state.size and not exists:
        raise CommandError(
            f"{path} is missing; only its checkpoint is left",
            hint="restore the file, or start over with --overwrite",
        )
    if output.overwrite:
        checkpoint_path(path).unlink(missing_ok=True)
    file = AppendFile.open(path) if exists else AppendFile.create(path, overwrite=output.overwrite)
    sink = FileSink(file, encoder, file_format, endpoint)
    try:
        if state is not None:
            sink.resume(state)
    except CommandError:
        file.close()
        raise
    return sink
