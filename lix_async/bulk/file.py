"""A ledger's file: nobody else's to read, and one process's at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from ..core.errors import BulkError


def private(path: Path) -> None:
    """Make the file before SQLite does, so that it and its journal are nobody else's (0600)."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise BulkError(f"the ledger {path} cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BulkError(f"the ledger {path} is not a file")
        if hasattr(os, "fchmod"):
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def locked(path: Path) -> IO[str]:
    """Hold the ledger for this process, or say which one holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    lock = os.fdopen(handle, "r+")
    try:
        _lock(lock)
    except OSError:
        owner = lock.read().strip()
        lock.close()
        raise BulkError(f"the ledger {path.stem} is in use by process {owner or '?'}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _lock(file: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # there only
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
