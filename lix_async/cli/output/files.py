"""Files with personal data.

They are created with mode 0600, symbolic links are refused, and data is flushed to the disk before
the next step relies on it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
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

_FILE_HINTS = {
    errno.ENOSPC: "free some space; what was paid for is kept",
    errno.ENOENT: "create its folder first",
    errno.EACCES: "check the permissions, or choose another file with --out",
}


def file_error(path: Path, error: OSError, doing: str) -> CommandError:
    """The error for a file that cannot be opened or written."""
    if path.is_symlink():
        return CommandError(f"{path} is a symbolic link", hint="give the file that it points to")
    if path.is_dir():
        return CommandError(f"{path} is a folder", hint="give the name of a file in it")
    code = REFUSED if doing == "write" else 2
    return CommandError(
        f"cannot {doing} {path}: {error.strerror or error}",
        hint=_FILE_HINTS.get(error.errno or 0, "choose another file with --out"),
        code=code,
    )


class AppendFile:
    """A file that rows are appended to, locked by this process."""

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes in the file."""
        self._fd = fd

    @classmethod
    def create(cls, path: Path, *, overwrite: bool = False) -> AppendFile:
        """Create an empty file.

        Raises:
            CommandError: It exists and `overwrite` is not set, or it cannot be created.
        """
        try:
            if overwrite and not path.is_symlink():
                path.unlink(missing_ok=True)
            return cls._locked(path, open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), 0)
        except OSError as error:
            raise file_error(path, error, "create") from None

    @classmethod
    def open(cls, path: Path) -> AppendFile:
        """Open an existing file to append to it.

        Raises:
            CommandError: It is not a regular file, it is locked, or it cannot be opened.
        """
        try:
            fd = open_private(path, os.O_RDWR)
        except OSError as error:
            raise file_error(path, error, "open") from None
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise CommandError(
                f"{path} is not a regular file", hint="choose another file with --out"
            )
        return cls._locked(path, fd, status.st_size)

    @classmethod
    def _locked(cls, path: Path, fd: int, size: int) -> AppendFile:
        if sys.platform != "win32":  # there, a locked file could not be read
            try:
                lock_descriptor(fd)
            except OSError:
                os.close(fd)
                raise CommandError(
                    f"another program is writing to {path}",
                    hint="wait for it, or choose another file with --out",
                ) from None
        return cls(path, fd, size)

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """Read bytes from a position on."""
        length = self.size - start if length is None else length
        os.lseek(self._fd, start, os.SEEK_SET)
        parts: list[bytes] = []
        while length > 0 and (part := os.read(self._fd, length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def truncate(self, size: int) -> None:
        """Remove everything after a position."""
        os.ftruncate(self._fd, size)
        self.size = size

    def append(self, data: bytes) -> None:
        """Append data, and flush it to the disk.

        Raises:
            CommandError: The data cannot be written.
        """
        try:
            os.lseek(self._fd, self.size, os.SEEK_SET)
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            os.fsync(self._fd)
        except OSError as error:
            with contextlib.suppress(OSError):  # no part of the data is left, such as half of a row
                os.ftruncate(self._fd, self.size)
            raise file_error(self.path, error, "write") from None
        self.size += len(data)

    def close(self) -> None:
        """Close the file and release its lock."""
        os.close(self._fd)


def replace_file(path: Path, data: bytes) -> None:
    """Write a whole file atomically: readers see the old contents or the new ones."""
    try:
        replace_atomically(path, data)
    except OSError as error:
        raise file_error(path, error, "write") from None


def read_file(path: Path) -> bytes | None:
    """The contents of a file, or None if it does not exist."""
    try:
        fd = open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_error(path, error, "read") from None
    with os.fdopen(fd, "rb") as file:
        return file.read()


def close_ignoring_errors(file: BinaryIO) -> None:
    """Close a file whose data may not fit on the disk; the writer has reported that already."""
    with contextlib.suppress(OSError):
        file.close()


class StagedOutput:
    """A temporary folder (0700) next to an output file, removed at the end.

    Without a path the folder is in the system's temporary directory, and there is nothing to place.
    """

    def __init__(self, path: Path | None, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self.folder = Path()

    def __enter__(self) -> StagedOutput:
        import tempfile  # late: few outputs are staged

        path = self.path
        if path is None:
            self.folder = Path(tempfile.mkdtemp(prefix="lix."))
            return self
        self._check_free(path)
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        except OSError as error:
            raise file_error(path, error, "create") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, file: Path) -> None:
        """Move a file of the folder to the output path, with mode 0600 and flushed to the disk."""
        assert self.path is not None  # callers have given one
        self._check_free(self.path)
        try:
            file.chmod(0o600)
            fsync_file(file)
            file.replace(self.path)
            fsync_directory(self.path.parent)
        except OSError as error:
            raise file_error(self.path, error, "write") from None

    def _check_free(self, path: Path) -> None:
        if path.is_symlink():
            raise CommandError(f"{path} is a symbolic link", hint="give the file that it points to")
        if path.is_dir():
            raise CommandError(f"{path} is a folder", hint="give a file in it")
        if path.exists() and not self._overwrite:
            raise CommandError(
                f"{path} already exists", hint="choose another name, or add --overwrite"
            )
