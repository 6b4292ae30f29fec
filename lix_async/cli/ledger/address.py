"""The addresses of ledgers: checks, display without passwords, and conflicts with outputs."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from ...core.errors import BulkError, ConfigurationError
from ...core.server_address import check_server_address
from ...ledger.personal import personal_path
from ..errors import REFUSED, USAGE, CommandError
from ..options import ConnectionOptions
from ..runtime.clients import uses_sandbox

if TYPE_CHECKING:
    from ...ledger.store import Store

NO_LEDGER = "none"
STORE_VARIABLE = "LIX_STORE"
"""The environment variable for the address. A password must not be in an argument."""
SERVERS = ("postgresql://", "postgres://")
# Two letters at least, because the drive of a Windows path has one.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.ASCII | re.IGNORECASE)
# What libpq accepts instead of an address: `host=db user=me password=…`.
_KEYWORD = re.compile(
    r"(?:^|\s)(?:host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=",
    re.ASCII | re.IGNORECASE,
)


def given_address(given: str | None) -> str:
    """The address that was given, or that LIX_STORE contains; empty where there is none.

    Raises:
        CommandError: It is not a file or a PostgreSQL address.
    """
    return check_address((given or os.environ.get(STORE_VARIABLE, "")).strip())


def ledger_address(given: str | None) -> str:
    """The address that was given, else that of LIX_STORE, else the personal ledger.

    Raises:
        CommandError: It is not a file or a PostgreSQL address.
    """
    return given_address(given) or str(personal_path())


def default_address(given: str | None, connection: ConnectionOptions) -> str:
    """The ledger for lookups, unless another one is named; empty for none.

    A sandbox never uses the personal ledger, which has what was paid for.

    Raises:
        CommandError: It is not a file or a PostgreSQL address.
    """
    if address := given_address(given):
        return "" if address == NO_LEDGER else address
    return "" if uses_sandbox(connection) else str(personal_path())


def ledger_argument(address: str) -> str:
    """The address as an argument of a command in a message; nothing where it is the default."""
    try:
        is_default = ledger_address(None) == address
    except CommandError:
        is_default = False
    return "" if is_default else f" {address}"


def check_address(address: str) -> str:
    """Check that an address is a file or a PostgreSQL address, and return it.

    Raises:
        CommandError: It is neither. The message does not contain the address, which may have a
            password in it.
    """
    if not is_server(address) and (_SCHEME.match(address) or _KEYWORD.search(address)):
        raise CommandError(
            "invalid ledger: expected a file or a postgresql:// address",
            hint="write postgresql://USER@HOST/DATABASE, without a driver and without key=value",
        )
    if is_server(address):
        try:
            check_server_address(address)
        except ConfigurationError as error:
            raise ledger_error(error, address) from None
    return address


def is_server(address: str) -> bool:
    """Whether an address is that of a server rather than a file."""
    return address.startswith(SERVERS)


def display_address(address: str) -> str:
    """An address without its password and its options."""
    if not is_server(address):
        return address
    try:
        parts = urlsplit(address)
        user = f"{parts.username}@" if parts.username else ""
        return f"postgresql://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "postgresql://…"


def shell_argument(address: str) -> str | None:
    """An address as a shell argument, options included; None if it has a password."""
    try:
        parts = urlsplit(address)
        options = {name.lower() for name, _ in parse_qsl(parts.query)}
    except ValueError:
        return None
    secret = parts.password or options & {"password", "sslpassword"}
    return None if secret else shlex.quote(address)


def redact_password(text: str, address: str) -> str:
    """A text with everything removed that may be part of the password of an address."""
    if not is_server(address):
        return text
    rest = address.partition("://")[2]
    secret = rest.rpartition("@")[0].partition(":")[2]
    query = dict(parse_qsl(rest.partition("?")[2])).get("password", "")
    parts = {secret, query, *secret.split("@"), *secret.split("/")}
    for part in sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True):
        text = text.replace(part, "…") if part else text
    return text


def ledger_error(error: Exception, *addresses: str) -> CommandError:
    """The error for a ledger that cannot be used, without the passwords of the addresses.

    Args:
        error: The error of the library.
        *addresses: The ledgers that it may be about; the first is the one of the command.
    """
    text = str(error)
    for address in addresses:
        text = redact_password(text, address)
    at_server = is_server(addresses[0])
    return CommandError(
        text,
        hint="check the address, and that PostgreSQL runs there; write postgresql://USER@HOST/NAME"
        if at_server
        else f"check {addresses[0]}, or name another ledger with {STORE_VARIABLE}",
        code=REFUSED if at_server and not isinstance(error, ConfigurationError) else USAGE,
    )


@asynccontextmanager
async def opened_read_only(address: str) -> AsyncGenerator[Store]:
    """Open a ledger while others may be writing to it.

    Raises:
        CommandError: It cannot be opened or read.
    """
    from ...ledger.connection import LedgerNotFoundError  # late: most lookups open none
    from ...ledger.ledger import open_store

    store = open_store(address)
    try:
        await store.open_read_only()
        try:
            yield store
        finally:
            await store.close()
    except LedgerNotFoundError as error:
        found = ledger_error(error, address)
        if address == str(personal_path()):
            found.hint = (
                "the first lookup makes it, except in a sandbox, which has FILE.ledger beside each "
                f"file; name another one in the command, or set {STORE_VARIABLE}"
            )
        raise found from None
    except BulkError as error:
        raise ledger_error(error, address) from None


_COMPANION = re.compile(
    r"(?:-wal|-shm|-journal|\.lock[0-9]*|-owner-[0-9a-f]+|\.v[0-9]+-[0-9-]+|\.key)?", re.ASCII
)
"""The suffixes of a ledger's files: its own, SQLite's, and the workers' locks."""


def check_output_conflicts(out: Path | None, ledger: str, source: str = "-") -> None:
    """Check that an output is not the ledger, one of its companion files, or the input.

    Links, hard or symbolic, are followed.

    Args:
        out: The output; None for stdout.
        ledger: The ledger's file or address.
        source: The input; `-` for stdin.

    Raises:
        CommandError: The output conflicts with one of them.
    """
    if out is None:
        return
    if source != "-" and _is_same_file(out, Path(source)):
        raise CommandError(f"--out {out} is the input file", hint="choose another name")
    if not is_server(ledger) and any(
        _is_same_file(out, file) for file in _ledger_files(out, Path(ledger))
    ):
        raise CommandError(
            f"--out {out} is a file of the ledger",
            hint="choose another name",
        )


def _ledger_files(out: Path, ledger: Path) -> Iterator[Path]:
    """The ledger, its existing companions, and the output if it would be one."""
    path = Path(os.path.realpath(ledger))
    yield path
    for name in {Path(os.path.realpath(out)).name, *_file_names(path.parent)}:
        if name.startswith(path.name) and _COMPANION.fullmatch(name[len(path.name) :]):
            yield path.with_name(name)


def _file_names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them does not exist
        return os.path.realpath(one) == os.path.realpath(other)
