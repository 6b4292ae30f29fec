"""A walk into a file that can be interrupted at any byte, and goes on without loss or repeat.

Beside FILE stands FILE.checkpoint. Before a page's rows go into FILE they are written there,
together with the walk's position behind that page and FILE's size before it. So whatever happens
(Ctrl-C, a full disk, a power cut), going on means: cut FILE back to that size, write those rows,
and ask for the next page. No page is paid for twice, a torn last line vanishes by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...core.errors import PagingError
from ...engine.checkpoint import Checkpoint
from ..errors import CommandError
from .files import AppendFile, contents, replace
from .rows import RowEncoder

VERSION = 1


class ListingState(msgspec.Struct, kw_only=True):
    """What FILE.checkpoint holds."""

    version: int = VERSION
    endpoint: str
    format: str
    columns: tuple[str, ...] | None
    written: int
    """Rows in FILE, without the owed ones."""
    size: int
    """Bytes of FILE, without the owed rows."""
    owed: list[msgspec.Raw]
    """Rows that are paid for and may not be in FILE yet."""
    walk: msgspec.Raw
    """The walk's own checkpoint, behind the owed rows."""


def checkpoint_path(path: Path) -> Path:
    """`people.jsonl.checkpoint` for `people.jsonl`."""
    return path.with_name(f"{path.name}.checkpoint")


def load(path: Path) -> ListingState | None:
    """The checkpoint beside a file, or None. Raises `CommandError` for one that cannot be used."""
    beside = checkpoint_path(path)
    data = contents(beside)
    if data is None:
        return None
    try:
        entry = msgspec.json.decode(data, type=ListingState)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        entry = None
    if entry is None or entry.version != VERSION:
        raise CommandError(
            f"{beside} is not a checkpoint of this version of lix",
            hint=f"--overwrite begins anew; {path} is lost then",
        )
    return entry


class ResumableListingFile:
    """FILE and its checkpoint, kept in step page by page."""

    def __init__(self, file: AppendFile, rows: RowEncoder, form: str, endpoint: str) -> None:
        self.file = file
        self.written = 0
        """Rows in the file."""
        self.owed: list[bytes] = []
        """Rows that are paid for and wait for a higher limit."""
        self.walk: Checkpoint | None = None
        """Where the walk stands behind the owed rows."""
        self._rows = rows
        self._form = form
        self._endpoint = endpoint

    def take_up(self, entry: ListingState) -> None:
        """Go on from a checkpoint: check it against the file, and cut the file back to it."""
        path = self.file.path
        if entry.endpoint != self._endpoint:
            raise CommandError(f"{checkpoint_path(path)} belongs to a walk of {entry.endpoint}")
        asked = self._rows.columns
        if entry.format != self._form or (asked is not None and asked != entry.columns):
            raise CommandError(
                f"{path} was begun as {entry.format} with other columns or another format",
                hint="repeat the first command with --resume",
            )
        try:
            self.walk = Checkpoint.from_json(bytes(entry.walk))
        except PagingError as error:
            raise CommandError(f"{checkpoint_path(path)}: {error}") from None
        self._rows.columns = entry.columns
        self.owed = [bytes(row) for row in entry.owed]
        self.written = entry.written
        behind = self._rows.encode(self.owed, first=entry.written == 0) if self.owed else b""
        there = self.file.read(entry.size) if self.file.size >= entry.size else None
        if there is None or not behind.startswith(there):
            raise CommandError(
                f"{path} was changed after the walk stopped",
                hint="put it back as it was, or begin anew with --overwrite",
            )
        self.file.truncate(entry.size)

    def put(self, rows: Sequence[bytes], walk: Checkpoint) -> None:
        """Take in a page: from here on its rows are safe, though not yet in the file."""
        self.owed += rows
        self.walk = walk
        self._rows.settle(self.owed)
        self.save()

    def write(self, most: int | None = None) -> int:
        """Move owed rows into the file, up to a number; returns how many."""
        now, later = (self.owed, []) if most is None else (self.owed[:most], self.owed[most:])
        if now:
            self.file.append(self._rows.encode(now, first=self.written == 0))
            self.written += len(now)
        self.owed = later
        return len(now)

    def save(self) -> None:
        """Write the checkpoint as things stand."""
        assert self.walk is not None  # set by the first page, or by the checkpoint
        entry = ListingState(
            endpoint=self._endpoint,
            format=self._form,
            columns=self._rows.columns,
            written=self.written,
            size=self.file.size,
            owed=[msgspec.Raw(row) for row in self.owed],
            walk=msgspec.Raw(self.walk.to_json()),
        )
        replace(checkpoint_path(self.file.path), msgspec.json.encode(entry))

    def finish(self) -> None:
        """The walk is over and everything is in the file: the checkpoint has done its work."""
        checkpoint_path(self.file.path).unlink(missing_ok=True)
