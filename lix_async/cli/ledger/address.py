"""A ledger as the command line sees it: where it is, and its entries as rows of an output."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from ...bulk.stores import open_store
from ...bulk.stores.base import Store
from ...core.errors import BulkError
from ..errors import REFUSED, USAGE, CommandError

VARIABLE = "LIX_STORE"
"""Where the address of a ledger is read from: one with a password is no argument."""
SERVERS = ("postgresql://", "postgres://")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.ASCII | re.IGNORECASE)  # a drive has one letter
# What libpq takes instead of an address: `host=db user=me password=…`.
_KEYWORD = re.compile(
    r"(?:^|\s)(?:host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=",
    re.ASCII | re.IGNORECASE,
)


def address_of(given: str | None) -> str:
    """The ledger that was named, or that LIX_STORE names."""
    found = (given or os.environ.get(VARIABLE, "")).strip()
    if not found:
        raise CommandError(
            "which ledger?", hint=f"name its file or postgresql:// address, or set {VARIABLE}"
        )
    return checked_address(found)


def checked_address(address: str) -> str:
    """An address that names a file or a PostgreSQL, as it is.

    Raises `CommandError` for one of another kind, and shows nothing of it: there may be a password
    in it, which as the name of a file would be told to everybody.
    """
    if not on_server(address) and (_SCHEME.match(address) or _KEYWORD.search(address)):
        raise CommandError(
            "a ledger is a file or a postgresql:// address, and this is neither",
            hint="write postgresql://USER@HOST/DATABASE, without a driver and without key=value",
        )
    return address


def on_server(address: str) -> bool:
    """Whether an address names a server, and no file."""
    return address.startswith(SERVERS)


def display_address(address: str) -> str:
    """An address as anybody may see it: without password and options."""
    if not on_server(address):
        return address
    try:
        parts = urlsplit(address)
        user = f"{parts.username}@" if parts.username else ""
        return f"postgresql://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "postgresql://…"


def shell_argument(address: str) -> str | None:
    """An address as an argument of a command line, options and all; None if it has a password."""
    try:
        parts = urlsplit(address)
        query = {name.lower() for name, _ in parse_qsl(parts.query)}
    except ValueError:
        return None
    secret = parts.password or query & {"password", "sslpassword"}
    return None if secret else shlex.quote(address)


def redact_password(text: str, address: str) -> str:
    """A text about an address without anything that may be a part of its password."""
    if not on_server(address):
        return text
    behind = address.partition("://")[2]
    secret = behind.rpartition("@")[0].partition(":")[2]
    query = dict(parse_qsl(behind.partition("?")[2])).get("password", "")
    parts = {secret, query, *secret.split("@"), *secret.split("/")}
    for part in sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True):
        text = text.replace(part, "…") if part else text
    return text


@asynccontextmanager
async def opened_read_only(address: str) -> AsyncGenerator[Store]:
    """A ledger opened beside whoever works on it. Raises `CommandError` when that fails."""
    store = open_store(address)
    try:
        await store.open_read_only()
        try:
            yield store
        finally:
            await store.close()
    except BulkError as error:
        code = REFUSED if on_server(address) else USAGE
        raise CommandError(redact_password(str(error), address), code=code) from None


_COMPANION = re.compile(r"(?:-wal|-shm|-journal|\.lock[0-9]*)?", re.ASCII)
"""What the names of a ledger's files end with: its own, SQLite's, and the workers' locks."""


def check_output_conflicts(out: Path | None, ledger: str, source: str = "-") -> None:
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
