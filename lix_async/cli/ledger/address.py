"""A ledger as the command line sees it: where it is, and its entries as rows of an output."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from typing import Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from ..bulk.address import opened
from ..bulk.store import Entry, Status, Store
from ..core import wire
from ..core.endpoint import Listing
from ..core.errors import BulkError, DecodeError, LixError, NotFoundError
from ..engine.walk import item_type
from ..tolerant import read_items
from .errors import REFUSED, USAGE, CommandError, one_line
from .formats import compact
from .houses import Row, house, provider_of, rows
from .kinds import BEHIND, KINDS

VARIABLE = "LIX_STORE"
"""Where the address of a ledger is read from: one with a password is no argument."""
SERVERS = ("postgresql://", "postgres://")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.ASCII | re.IGNORECASE)  # a drive has one letter
# What libpq takes instead of an address: `host=db user=me password=…`.
_KEYWORD = re.compile(
    r"(?:^|\s)(?:host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=",
    re.ASCII | re.IGNORECASE,
)

RowStatus = Literal["found", "not_found", "refused", "unreadable", "queued", "in_doubt", "owed"]
WHERE: dict[RowStatus, tuple[Status, ...]] = {
    "found": ("done", "queued", "owed", "sent", "in_doubt"),  # one may be asked for again
    "not_found": ("refused",),
    "refused": ("refused",),
    "unreadable": ("done", "queued", "owed", "sent", "in_doubt"),
    "queued": ("queued",),
    "in_doubt": ("in_doubt", "sent"),
    "owed": ("owed",),
}
"""The statuses of a row, and those of the entries that become one."""
UNDER_WAY = "it has been sent, and no answer is known yet"


class Line(msgspec.Struct, frozen=True):
    """An entry in the words of an output."""

    input: object
    kind: str
    status: RowStatus
    error: str | None = None
    body: bytes | None = None
    """The answer as it came, on one line."""

    def row(self) -> bytes:
        """The row of the output: input, kind, status, error, result."""
        return msgspec.json.encode(
            {
                "input": self.input,
                "kind": self.kind,
                "status": self.status,
                "error": self.error,
                "result": None if self.body is None else msgspec.Raw(self.body),
            }
        )


def row_of_entry(entry: Entry) -> bytes:
    """An entry as the row that `lix enrich` writes for it: nothing of the answer is left out."""
    return line_of(entry).row()


def line_of(entry: Entry) -> Line:
    """An entry in the words of an output."""
    given, kind = input_of(entry), KINDS.get(entry.endpoint, entry.endpoint)
    if entry.body is not None:  # also where a better answer is waited for
        trouble = _trouble(entry.endpoint, entry.body)
        if trouble is None:
            return Line(given, kind, "found", None, compact(entry.body))
        return Line(given, kind, "unreadable", one_line(str(trouble)), _json(entry.body))
    error = None if entry.error is None else entry.error.error(entry.endpoint)
    if isinstance(error, NotFoundError) and entry.status == "refused":
        return Line(given, kind, "not_found", one_line(error.message))
    text = None if error is None else one_line(str(error))
    if entry.status == "sent":
        return Line(given, kind, "in_doubt", UNDER_WAY)
    status = entry.status if entry.status in WHERE else "owed"
    return Line(given, kind, cast("RowStatus", status), text)


def input_of(entry: Entry) -> object:
    """The input as it was given; of keyword arguments the only one, or all by name."""
    given = cast("object", msgspec.json.decode(entry.given))
    if not isinstance(given, dict):
        return given
    named = cast("dict[str, object]", given)
    return next(iter(named.values())) if len(named) == 1 else named


def row_behind(kind: str) -> Row | None:
    """The row of the table behind a row's `kind`."""
    return rows().get(BEHIND.get(kind, kind))


@cache
def walked(row: Row) -> bool:
    """Whether an answer in the ledger is a whole walk: its items as an array."""
    return row.paging is not None and issubclass(row.result, Listing)


def _trouble(endpoint: str, body: bytes) -> LixError | None:
    """Why an answer that was kept cannot be read; None when it can."""
    row = row_behind(endpoint)
    if row is None:  # of a table that is not installed: as it came, if it is JSON
        return None if _json(body) is not None else DecodeError("no JSON", endpoint=endpoint)
    if not walked(row):
        found = wire.decode(provider_of(house(endpoint)), row, 200, body)
        return found if isinstance(found, LixError) else None
    try:
        read_items(item_type(cast("type[Listing[object]]", row.result)), body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return DecodeError(str(error), endpoint=endpoint)
    return None


def _json(body: bytes) -> bytes | None:
    try:
        msgspec.json.decode(body)
        return compact(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


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


def shown(address: str) -> str:
    """An address as anybody may see it: without password and options."""
    if not on_server(address):
        return address
    try:
        parts = urlsplit(address)
        user = f"{parts.username}@" if parts.username else ""
        return f"postgresql://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "postgresql://…"


def pasteable(address: str) -> str | None:
    """An address as an argument of a command line, options and all; None if it has a password."""
    try:
        parts = urlsplit(address)
        query = {name.lower() for name, _ in parse_qsl(parts.query)}
    except ValueError:
        return None
    secret = parts.password or query & {"password", "sslpassword"}
    return None if secret else shlex.quote(address)


def scrubbed(text: str, address: str) -> str:
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
async def looked(address: str) -> AsyncGenerator[Store]:
    """A ledger opened beside whoever works on it. Raises `CommandError` when that fails."""
    store = opened(address)
    try:
        await store.look()
        try:
            yield store
        finally:
            await store.close()
    except BulkError as error:
        code = REFUSED if on_server(address) else USAGE
        raise CommandError(scrubbed(str(error), address), code=code) from None
