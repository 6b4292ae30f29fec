"""`FILE.ledger`, the ledger that earlier versions kept beside each input file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import anyio.to_thread

from ...core.errors import BulkError
from ...ledger.ledger import Ledger
from ...ledger.sqlite import SqliteStore
from .. import console
from ..errors import CommandError
from ..text import counted, plural


async def take_in(path: Path, address: str) -> None:
    """Merge a file's own ledger into another one, unless that has all of it. The file is kept.

    Args:
        path: The file's own ledger.
        address: The ledger that grows.

    Raises:
        CommandError: It is in use, or cannot be read.
    """
    mark = _mark(path)
    try:
        async with Ledger(address) as ledger:
            done = await ledger.store.statement(lambda tables: tables.about(mark), writes=False)
            if done == _state(path):
                return
            if await anyio.to_thread.run_sync(lambda: SqliteStore(path).is_in_use):
                raise BulkError("it is in use by another process")
            report = await ledger.merge(path)
            state = _state(path)
            await ledger.store.statement(lambda tables: tables.set_about(mark, state))
    except (BulkError, OSError) as error:
        raise CommandError(
            f"{path} cannot be taken into the ledger {address}: {error}",
            hint=f"use it by itself: --store {path}",
        ) from None
    console.print_note(
        f"{path}: {counted(report.lookups, 'lookup')} and {report.credits:,} "
        f"{plural(report.credits, 'credit')} taken into the ledger {address}; the file is kept"
    )


def _mark(path: Path) -> str:
    """The setting that tells what was taken in; it does not tell the file's name."""
    return f"merged {hashlib.blake2b(bytes(path.resolve()), digest_size=16).hexdigest()}"


def _state(path: Path) -> str:
    """What changes with the file."""
    files = [path.with_name(path.name + ending) for ending in ("", "-wal")]
    return " ".join(
        f"{found.st_size}:{found.st_mtime_ns}"
        for found in (file.stat() for file in files if file.exists())
    )
