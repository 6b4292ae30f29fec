"""Files that hold personal data: only their owner reads them, and no link leads elsewhere.

Everything is created 0600, a symbolic link in the last part of a path is refused, and what has
been written is on the disk before the next step relies on it.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from .errors import REFUSED, CommandError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]  # asked for before use

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_FLAGS = _NOFOLLOW | _CLOEXEC | _BINARY


def refused(path: Path, error: OSError, doing: str) -> CommandError:
    """What to tell when a file cannot be opened or written."""
    if path.is_symlink():
        return CommandError(f"{path} is a symbolic link", hint="name the file that it stands for")
    code = REFUSED if doing == "write" else 2
    return CommandError(f"cannot {doing} {path}: {error.strerror or error}", code=code)


class Appended:
    """A file that rows are appended to, held by this process alone."""

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes that are in the file."""
        self._fd = fd

    @classmethod
    def create(cls, path: Path, *, overwrite: bool = False) -> Appended:
        """A new, empty file; one that is there already is an error unless it may go."""
        try:
            if overwrite and not path.is_symlink():
                path.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS
            return cls._held(path, os.open(path, flags, 0o600), 0)
        except OSError as error:
            raise refused(path, error, "create") from None

    @classmethod
    def open(cls, path: Path) -> Appended:
        """A file that is there, to go on with."""
        try:
            fd = os.open(path, os.O_RDWR | _FLAGS)
        except OSError as error:
            raise refused(path, error, "open") from None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            raise CommandError(f"{path} is no ordinary file")
        return cls._held(path, fd, found.st_size)

    @classmethod
    def _held(cls, path: Path, fd: int, size: int) -> Appended:
        if fcntl is not None:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _settle(path.parent)
    except OSError as error:
        raise refused(path, error, "write") from None


def contents(path: Path) -> bytes | None:
    """A whole file, or None where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(path, error, "read") from None
    with os.fdopen(fd, "rb") as file:
        return file.read()


def _settle(folder: Path) -> None:
    """Make a rename survive a power cut, where folders can be synced."""
    if hasattr(os, "O_DIRECTORY"):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
