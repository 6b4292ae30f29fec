"""Files that hold personal data: only their owner reads them, and no link leads elsewhere.

Everything is created 0600, a symbolic link in the last part of a path is refused, and what has
been written is on the disk before the next step relies on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from ...filesystem import (
    fsync_directory,
    fsync_file,
    lock_descriptor,
    open_private,
    replace_atomically,
)
from ..errors import REFUSED, CommandError


def refused(path: Path, error: OSError, doing: str) -> CommandError:
    """What to tell when a file cannot be opened or written."""
    if path.is_symlink():
        return CommandError(f"{path} is a symbolic link", hint="name the file that it stands for")
    code = REFUSED if doing == "write" else 2
    return CommandError(f"cannot {doing} {path}: {error.strerror or error}", code=code)


class AppendFile:
    """A file that rows are appended to, held by this process alone."""

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes that are in the file."""
        self._fd = fd

    @classmethod
    def create(cls, path: Path, *, overwrite: bool = False) -> AppendFile:
        """A new, empty file; one that is there already is an error unless it may go."""
        try:
            if overwrite and not path.is_symlink():
                path.unlink(missing_ok=True)
            return cls._held(path, open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), 0)
        except OSError as error:
            raise refused(path, error, "create") from None

    @classmethod
    def open(cls, path: Path) -> AppendFile:
        """A file that is there, to go on with."""
        try:
            fd = open_private(path, os.O_RDWR)
        except OSError as error:
            raise refused(path, error, "open") from None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            raise CommandError(f"{path} is no ordinary file")
        return cls._held(path, fd, found.st_size)

    @classmethod
    def _held(cls, path: Path, fd: int, size: int) -> AppendFile:
        if sys.platform != "win32":  # there a locked file cannot be read either
            try:
                lock_descriptor(fd)
            except OSError:
                os.close(fd)
                raise CommandError(f"another program is writing to {path}") from None
        return cls(path, fd, size)

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """Bytes from a position on."""
        length = self.size - start if length is None else length
        os.lseek(self._fd, start, os.SEEK_SET)
        parts: list[bytes] = []
        while length > 0 and (part := os.read(self._fd, length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def truncate(self, size: int) -> None:
        """Cut off everything behind a position."""
        os.ftruncate(self._fd, size)
        self.size = size

    def append(self, data: bytes) -> None:
        """Add to the end; it is on the disk when this returns."""
        try:
            os.lseek(self._fd, self.size, os.SEEK_SET)
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            os.fsync(self._fd)
        except OSError as error:
            raise refused(self.path, error, "write") from None
        self.size += len(data)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)


def replace(path: Path, data: bytes) -> None:
    """Put a whole file in place at once: readers see the old one or the new one, never a part."""
    try:
        replace_atomically(path, data)
    except OSError as error:
        raise refused(path, error, "write") from None


def contents(path: Path) -> bytes | None:
    """A whole file, or None where there is none."""
    try:
        fd = open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(path, error, "read") from None
    with os.fdopen(fd, "rb") as file:
        return file.read()


def close_ignoring_errors(file: BinaryIO) -> None:
    """Close a file that may hold what no longer fits on the disk: whoever wrote it was told."""
    with contextlib.suppress(OSError):
        file.close()


class StagedOutput:
    """A folder (0700) beside a file that is to be made; always gone at the end.

    Without a path there is nothing to put in place, and it lies where temporary files do.
    """

    def __init__(self, path: Path | None, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self.folder = Path()

    def __enter__(self) -> StagedOutput:
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
            fsync_file(made)
            made.replace(self.path)
            fsync_directory(self.path.parent)
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
