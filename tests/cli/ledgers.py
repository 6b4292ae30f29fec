"""Ledgers for the tests of `lix run`: with every status."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import anyio

from lix_async.bulk.stores.base import Store, StoredError
from lix_async.bulk.stores.sqlite import SqliteStore

L = "https://www.linkedin.com/in"
ADA = {"name": "Ada", "link": f"{L}/ada", "profileLanguage": "fr"}
NOW = 1_700_000_000.0


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


async def every_status(store: Store) -> None:
    """One entry for each status of a row, and one in flight."""
    given = [
        ("person.get", f"{L}/ada"),
        ("person.get", {"email": "bob@example.com"}),
        ("organisation.by_linkedin", "https://www.linkedin.com/company/acme"),
        ("contact.email_by_linkedin", f"{L}/carl"),
        ("person.get", f"{L}/dora"),
        ("person.get", f"{L}/emil"),
        ("person.get", f"{L}/fay"),
        ("person.get", f"{L}/gus"),
    ]
    for number, (endpoint, value) in enumerate(given):
        await store.claim(key(number), endpoint, json.dumps(value).encode(), NOW)
    for number in (0, 1, 2, 3, 4, 5, 7):
        await store.mark_sent(key(number), True, NOW)
    await store.done(key(0), json.dumps(ADA).encode(), 1, NOW)
    not_found = StoredError("NotFoundError", "no such person", 404, "not_found")
    await store.set_outcome(key(1), "refused", not_found, 0, NOW)
    refused = StoredError("InvalidParamsError", "bad link", 400, "invalid_params")
    await store.set_outcome(key(2), "refused", refused, 0, NOW)
    await store.done(key(3), b"<html>", 1, NOW)
    queued = StoredError("QueuedError", "still queued", 202, "queued")
    await store.set_outcome(key(4), "queued", queued, NOW + 60, NOW)
    await store.set_outcome(
        key(5), "in_doubt", StoredError("TransportError", "connection lost"), 0, NOW
    )


def filled(path: Path, fill: Callable[[Store], Awaitable[None]] = every_status) -> Path:
    """A ledger in a file."""

    async def main() -> None:
        async with SqliteStore(path) as store:
            await fill(store)

    anyio.run(main)
    return path


async def _nothing(store: Store) -> None:
    await store.counts()


def many(path: Path, bodies: Iterable[bytes]) -> Path:
    """A ledger of answers about people, made in one transaction, which is fast."""
    filled(path, _nothing)
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO call (key, endpoint, given, status, credits, changed, body) "
            "VALUES (?, 'person.get', ?, 3, 1, ?, ?)",
            _values(bodies),
        )
    connection.close()
    return path


def _values(bodies: Iterable[bytes]) -> Iterator[tuple[bytes, bytes, float, bytes]]:
    for number, body in enumerate(bodies):
        yield key(number), json.dumps(f"{L}/p-{number}").encode(), NOW, body
