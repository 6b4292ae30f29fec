"""The file of a listing that can be interrupted at any byte and continued without loss or repeat.

Next to FILE is FILE.checkpoint. Before the rows of a page are written to FILE, they are written to
the checkpoint, together with the position after that page and the size of FILE before it. The
points at which the process can stop:

- before the checkpoint is replaced: the page is fetched again;
- after it, before the rows are in FILE: FILE is truncated to the saved size, and the rows are
  written from the checkpoint;
- while the rows are written: the same, which also removes a partial line;
- after that, before the next page: the same, and the same bytes are written again.

So no page is paid for twice once the checkpoint has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...core.errors import PagingError
from ...engine.checkpoint import Checkpoint
from ..errors import CommandError
from .files import AppendFile, read_file, replace_file
from .rows import RowEncoder

VERSION = 1


class ListingState(msgspec.Struct, kw_only=True):
    """The contents of FILE.checkpoint. The JSON keys `owed` and `walk` are the stored names."""

    version: int = VERSION
    endpoint: str
    format: str
    columns: tuple[str, ...] | None
    short_names: bool = False
    """Whether columns may be short names; those of earlier versions are paths."""
    written: int
    """Rows in FILE, without the pending ones."""
    size: int
    """Bytes of FILE, without the pending rows."""
    pending: list[msgspec.Raw] = msgspec.field(name="owed")
    """Rows that are paid for and may not be in FILE yet."""
    checkpoint: msgspec.Raw = msgspec.field(name="walk")
    """The position of the listing after the pending rows."""


def checkpoint_path(path: Path) -> Path:
    """`people.jsonl.checkpoint` for `people.jsonl`."""
    return path.with_name(f"{path.name}.checkpoint")


def load_state(path: Path) -> ListingState | None:
    """Load the checkpoint of a file; None if there is none.

    Raises:
        CommandError: The checkpoint cannot be read.
    """
    checkpoint = checkpoint_path(path)
    data = read_file(checkpoint)
    if data is None:
        return None
    try:
        state = msgspec.json.decode(data, type=ListingState)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        state = None
    if state is None or state.version != VERSION:
        raise CommandError(
            f"{checkpoint} is not a checkpoint of this version of lix",
            hint=f"--overwrite starts over and deletes {path}",
        )
    return state


def is_ended(state: ListingState) -> bool:
    """Whether a listing has nothing left to fetch or to write."""
    return not state.pending and Checkpoint.from_json(bytes(state.checkpoint)).ended


class ResumableListingFile:
    """FILE and its checkpoint, kept consistent page by page.

    Args:
        file: The file.
        rows: Encodes its rows.
        file_format: Its format.
        endpoint: The endpoint of the listing.
        any_columns: Whether a file that was begun with other columns is continued with those.
    """

    def __init__(
        self,
        file: AppendFile,
        rows: RowEncoder,
        file_format: str,
        endpoint: str,
        *,
        any_columns: bool = False,
    ) -> None:
        self.file = file
        self.written = 0
        """Rows in the file."""
        self.pending: list[bytes] = []
        """Rows that are paid for and not in the file yet, because of a limit."""
        self.checkpoint: Checkpoint | None = None
        """The position of the listing after the pending rows."""
        self.rows = rows
        """The encoder of the file."""
        self._format = file_format
        self._endpoint = endpoint
        self._any_columns = any_columns

    def resume(self, state: ListingState) -> None:
        """Continue from a checkpoint: compare it with the file, and truncate the file to it.

        Raises:
            CommandError: The checkpoint belongs to another command, or the file was changed.
        """
        path = self.file.path
        if state.endpoint != self._endpoint:
            raise CommandError(
                f"{checkpoint_path(path)} belongs to a listing of {state.endpoint}",
                hint="choose another file with --out, or start over with --overwrite",
            )
        requested = None if self._any_columns else self.rows.columns
        if state.format != self._format:
            raise CommandError(
                f"{path} was started in another format, {state.format}",
                hint="repeat the first command with --resume",
            )
        if requested is not None and requested != state.columns:
            raise CommandError(
                f"{path} was started with other columns",
                hint="leave out --columns to continue with those, or start over with --overwrite",
            )
        try:
            self.checkpoint = Checkpoint.from_json(bytes(state.checkpoint))
        except PagingError as error:
            raise CommandError(
                f"{checkpoint_path(path)}: {error}", hint="start over with --overwrite"
            ) from None
        self.rows.resume(state.columns, short_names=state.short_names)
        self.pending = [bytes(row) for row in state.pending]
        self.written = state.written
        rows = self.rows.encode(self.pending, first=state.written == 0) if self.pending else b""
        existing = self.file.read(state.size) if self.file.size >= state.size else None
        if existing is None or not rows.startswith(existing):
            raise CommandError(
                f"{path} was changed after the listing stopped",
                hint="restore the file, or start over with --overwrite",
            )
        self.file.truncate(state.size)

    def add_page(self, rows: Sequence[bytes], checkpoint: Checkpoint) -> None:
        """Save the rows of a page in the checkpoint; they are not in the file yet."""
        self.pending += rows
        self.checkpoint = checkpoint
        self.rows.fix_columns(self.pending)
        self.save()

    def write(self, limit: int | None = None) -> int:
        """Move pending rows to the file, up to a limit; returns their number."""
        rows = self.pending[:limit]
        if rows:
            self.file.append(self.rows.encode(rows, first=self.written == 0))
            self.written += len(rows)
        self.pending = self.pending[len(rows) :]
        return len(rows)

    def save(self) -> None:
        """Write the checkpoint."""
        assert self.checkpoint is not None  # set by the first page or by `resume`
        state = ListingState(
            endpoint=self._endpoint,
            format=self._format,
            columns=self.rows.columns,
            short_names=self.rows.short_names,
            written=self.written,
            size=self.file.size,
            pending=[msgspec.Raw(row) for row in self.pending],
            checkpoint=msgspec.Raw(self.checkpoint.to_json()),
        )
        replace_file(checkpoint_path(self.file.path), msgspec.json.encode(state))

    def finish(self) -> None:
        """Delete the checkpoint: the listing is complete and in the file."""
        checkpoint_path(self.file.path).unlink(missing_ok=True)
