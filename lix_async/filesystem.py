"""A ledger's file, nobody else's to read; and beside it, who is at work on it.

Each worker has a number and locks the file of that number for as long as it lives. The system
lets go of the lock when the process dies, so no clock decides who is dead.
"""

from __future__ import annotations

import contextlib
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


def there(path: Path, *, make: bool = True) -> None:
    """See to it that the file is there, made before SQLite does: nobody else's to read (0600).

    One that is there already is not touched: it may be anybody's. With `make=False` it must be.
    """
    if make and not os.path.lexists(path):
        with contextlib.suppress(FileExistsError):  # another worker was quicker
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        # No handle is opened: closing it would end SQLite's locks on it in all this process.
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise BulkError(f"the ledger {path} is not a file")
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _closed(path, error) from None


def private(path: Path) -> None:
    """Make a ledger and what SQLite keeps beside it nobody else's (0600), if it is not yet."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        file = path.with_name(name)
        with contextlib.suppress(FileNotFoundError):
            found = file.lstat().st_mode
            if stat.S_ISREG(found) and stat.S_IMODE(found) != 0o600 and hasattr(os, "fchmod"):
                file.chmod(0o600)


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
        raise _closed(path, error) from None


def _closed(path: Path, error: OSError) -> BulkError:
    kind = AbsentLedgerError if isinstance(error, FileNotFoundError) else BulkError
    return kind(f"the ledger {path} cannot be opened: {error.strerror}")


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
