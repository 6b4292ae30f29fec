"""A ledger's file, nobody else's to read; and beside it, who is at work on it.

Each worker has a number and locks the file of that number for as long as it lives. The system
lets go of the lock when the process dies, so no clock decides who is dead.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from pathlib import Path
from typing import IO

from ..core.errors import BulkError
from .store import AbsentLedgerError

TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""What the systems say of a lock that somebody holds."""
_locks: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()


def private(path: Path, *, make: bool = True) -> None:
    """Make the file before SQLite does, so that it and its journal are nobody else's (0600).

    With `make=False` it must be there already.
    """
    handle = _opened(path, os.O_CREAT if make else 0)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BulkError(f"the ledger {path} is not a file")
        if hasattr(os, "fchmod"):
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def joined(path: Path) -> tuple[int, IO[bytes]]:
    """The first number that nobody has, and its lock, which holds until it is closed."""
    number = 1
    while (lock := locked(path, number)) is None:
        number += 1
    return number, lock


def locked(path: Path, number: int) -> IO[bytes] | None:
    """The lock of that number, or None while its worker lives."""
    name = f"{path.name}.lock" if number == 1 else f"{path.name}.lock{number}"
    lock = os.fdopen(_opened(path.with_name(name), os.O_CREAT), "r+b")
    try:
        _lock(lock)
    except OSError as error:
        lock.close()
        if error.errno in TAKEN:
            return None
        raise BulkError(f"the ledger {path} cannot be locked: {error.strerror}") from None
    _locks.add(lock)
    return lock


def _opened(path: Path, more: int) -> int:
    try:
        return os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | more, 0o600)
    except OSError as error:
        kind = AbsentLedgerError if isinstance(error, FileNotFoundError) else BulkError
        raise kind(f"the ledger {path} cannot be opened: {error.strerror}") from None


def _lock(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # there only
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _let_go() -> None:
    for lock in _locks:  # a fork shares them: it would keep its parent alive in others' eyes
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
