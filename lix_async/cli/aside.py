"""Output that is made aside and put in its place at once: readers see all of it, or none."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from .errors import CommandError
from .files import refused

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def private(path: Path) -> BinaryIO:
    """A new file that only its owner may read, to be written."""
    return os.fdopen(os.open(path, _FLAGS, 0o600), "wb", buffering=1 << 16)


def let_go(file: BinaryIO) -> None:
    """Close a file that may hold what no longer fits on the disk: whoever wrote it was told."""
    with contextlib.suppress(OSError):
        file.close()


class Aside:
    """A folder (0700) beside a file that is to be made; always gone at the end.

    Without a path there is nothing to put in place, and it lies where temporary files do.
    """

    def __init__(self, path: Path | None, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self.folder = Path()

    def __enter__(self) -> Aside:
        path = self.path
        if path is None:
            self.folder = Path(tempfile.mkdtemp(prefix="lix."))
            return self
        self._free(path)
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        except OSError as error:
            raise refused(path, error, "create") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, made: Path) -> None:
        """Put a file of the folder in place, private and on the disk."""
        assert self.path is not None  # whoever calls this has named one
        self._free(self.path)
        try:
            made.chmod(0o600)
            _synced(made, os.O_RDWR)
            made.replace(self.path)
            if hasattr(os, "O_DIRECTORY"):
                _synced(self.path.parent, os.O_RDONLY)
        except OSError as error:
            raise refused(self.path, error, "write") from None

    def _free(self, path: Path) -> None:
        if path.is_symlink():
            raise CommandError(
                f"{path} is a symbolic link", hint="name the file that it stands for"
            )
        if path.is_dir():
            raise CommandError(f"{path} is a folder", hint="name a file in it")
        if path.exists() and not self._overwrite:
            raise CommandError(
                f"{path} is there already", hint="choose another name, or say --overwrite"
            )


def _synced(path: Path, flags: int) -> None:
    handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
