"""An output that would take the place of what it is made from: refused before anything happens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from .errors import CommandError
from .ledger import on_server

_COMPANION = re.compile(r"(?:-wal|-shm|-journal|\.lock[0-9]*)?", re.ASCII)
"""What the names of a ledger's files end with: its own, SQLite's, and the workers' locks."""


def apart(out: Path | None, ledger: str, source: str = "-") -> None:
    """Refuse an output that is the ledger, one of its companions, or the file with the links.

    `out`: None for stdout; `ledger`: as it was named, an address too; `source`: `-` for stdin.
    Links, hard or symbolic, are followed. Raises `CommandError`.
    """
    if out is None:
        return
    if source != "-" and _same(out, Path(source)):
        raise CommandError(f"--out {out} is the file with the links", hint="choose another name")
    if not on_server(ledger) and any(_same(out, file) for file in _files(out, Path(ledger))):
        raise CommandError(
            f"--out {out} belongs to the ledger, which holds what was paid for",
            hint="choose another name",
        )


def _files(out: Path, ledger: Path) -> Iterator[Path]:
    """The ledger, what lies beside it under its name, and what would if it were there."""
    whole = Path(os.path.realpath(ledger))
    yield whole
    for name in {Path(os.path.realpath(out)).name, *_names(whole.parent)}:
        if name.startswith(whole.name) and _COMPANION.fullmatch(name[len(whole.name) :]):
            yield whole.with_name(name)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is not there (yet)
        return os.path.realpath(one) == os.path.realpath(other)
