"""Private files: created for their owner alone, never through a symbolic link.

Everything here raises `OSError`; callers turn it into their own errors. Files are created with
mode 0600, because ledgers, outputs and checkpoints hold personal data.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import weakref
from pathlib import Path
from typing import IO, BinaryIO

PRIVATE = 0o600
"""Mode of every file created here: only its owner reads and writes it."""
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Flags for `os.open`: no symbolic link, not inherited by child processes, bytes as they are."""
LOCK_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""The errors of a lock that another open file holds; which one depends on the system."""
_locks: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()


def open_private(path: Path, flags: int) -> int:
    """Open a file, created with mode 0600 where `flags` create it.

    Raises:
        OSError: The file cannot be opened, or is a symbolic link.

    """
    return os.open(path, flags | NO_FOLLOW, PRIVATE)


def create_private_folder(folder: Path) -> None:
    """Create a folder with mode 0700 where there is none; those above it get the usual mode."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def create_private_file(path: Path) -> None:
    """Create an empty file with mode 0600; an existing file is left as it is."""
    if not os.path.lexists(path):
        with contextlib.suppress(FileExistsError):  # another process created it first
            os.close(open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def make_private(path: Path) -> None:
    """Set mode 0600 on a regular file that has another mode; a missing file is ignored."""
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) != PRIVATE and hasattr(os, "fchmod"):
            path.chmod(PRIVATE)


def new_private_file(path: Path) -> BinaryIO:
    """Create a file with mode 0600 and open it for writing.

    Raises:
        OSError: The file exists already, or cannot be created.

    """
    handle = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    return os.fdopen(handle, "wb", buffering=1 << 16)


def replace_atomically(path: Path, data: bytes) -> None:
    """Replace a file's contents: readers see the old contents or the new ones, never a part.

    The data and the rename are on the disk when this returns.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with new_private_file(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


def fsync_file(path: Path) -> None:
    """Flush a file's contents to the disk."""
    _fsync(path, os.O_RDWR)


def fsync_directory(folder: Path) -> None:
    """Make a rename in a folder survive a power failure, where the system can sync folders."""
    if hasattr(os, "O_DIRECTORY"):
        _fsync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _fsync(path: Path, flags: int) -> None:
    handle = os.open(path, flags | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def try_lock(path: Path) -> IO[bytes] | None:
    """Lock a file, created if missing, until it is closed or the process ends.

    Returns:
        The open file that holds the lock, or None where another process holds it.

    Raises:
        OSError: The file cannot be opened or locked.

    """
    file = os.fdopen(open_private(path, os.O_RDWR | os.O_CREAT), "r+b")
    try:
        lock_descriptor(file.fileno())
    except OSError as error:
        file.close()
        if error.errno in LOCK_HELD:
            return None
        raise
    _locks.add(file)
    return file


def lock_descriptor(descriptor: int) -> None:
    """Lock an open file without waiting; closing it releases the lock.

    Raises:
        OSError: Another process holds the lock (`LOCK_HELD`), or the system has no locks.

    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # there only
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _release_in_child() -> None:
    # A fork shares the open files: the locks would outlive the parent.
    for lock in _locks:
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_in_child)
