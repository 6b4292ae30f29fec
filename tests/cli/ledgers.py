"""Ledgers for the tests of `lix run`: with every status."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import anyio
import msgspec

from lix_async.bulk import SqliteStore
from lix_async.ledger.families import Family, judgement
from lix_async.ledger.records import Judge, LookupSpec, Lose, Receive, Send
from lix_async.ledger.rule import CODES, MEANINGS
from lix_async.ledger.store import Store

L = "https://www.linkedin.com/in"
ADA = {"name": "Ada", "link": f"{L}/ada", "profileLanguage": "fr"}
HAL = {"name": "Hal"}
NOW = 1_700_000_000
MS = NOW * 1000
"""`NOW` as ledgers keep it."""


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


class LookupMaker:
    """Makes one lookup of a ledger by the events that led to it."""

    def __init__(self, store: Store, number: int, endpoint: str, given: object) -> None:
        self._store = store
        self._spec = LookupSpec(key(number), endpoint, msgspec.json.encode(given))
        self._id = self._owner = self._n = 0

    async def ask(self) -> LookupMaker:
        """Nothing is sent yet."""
        await self._store.statement(lambda tables: tables.add([self._spec], MS))
        return self

    async def send(self, *, expired: bool = False) -> LookupMaker:
        """A request is in flight; `expired`: for a newer answer."""
        send = Send(0, self._n, 1, MS, "standard", expired=expired)
        result, lookup = await self._store.announce(self._spec, send)
        assert result.applied
        self._id, self._owner, self._n = lookup.id, result.owner, result.state.n
        return self

    async def lose(self, note: str | None = None) -> None:
        """It ends without an answer."""
        await self.send()
        await self._store.apply(Lose(self._id, self._owner, self._n, MS, note))

    async def receive(self, http: int, body: bytes) -> None:
        """Its answer comes, and is not judged."""
        await self.send()
        await self._store.apply(Receive(self._id, self._owner, self._n, 0, http, body, MS))

    async def judge(
        self,
        family: Family,
        http: int,
        body: bytes,
        *,
        note: str | None = None,
        due: int = 0,
        final: bool = False,
    ) -> None:
        """Its answer comes, and is of a family; `final`: it refuses the lookup all the same."""
        await self.receive(http, body)
        meaning = judgement(family, int(family != "queued"), due=due or None)
        if final:
            meaning = msgspec.structs.replace(meaning, meaning="refused")
        await self._store.apply(
            Judge(self._id, self._owner, self._n, meaning, MS, family, note=note)
        )


def error_body(kind: str, message: str) -> bytes:
    """The API's own error."""
    return msgspec.json.encode({"error": {"type": kind, "message": message}})


async def every_status(store: Store) -> None:
    """One lookup for each status, and one in flight, which is in doubt once the store is closed."""

    numbers = itertools.count()

    def lookup(endpoint: str, given: object) -> LookupMaker:
        return LookupMaker(store, next(numbers), endpoint, given)

    await lookup("person.get", f"{L}/ada").judge("answer", 200, json.dumps(ADA).encode())
    not_found, invalid = "no such person", "bad link"
    await lookup("person.get", {"email": "bob@example.com"}).judge(
        "refused", 404, error_body("not_found", not_found), note=not_found
    )
    company = "https://www.linkedin.com/company/acme"
    await lookup("organisation.by_linkedin", company).judge(
        "refused", 400, error_body("params_invalid", invalid), note=invalid
    )
    await lookup("contact.email_by_linkedin", f"{L}/carl").judge("unusable", 200, b'{"email":')
    queued = "still queued"
    await lookup("person.get", f"{L}/dora").judge(
        "queued", 202, error_body("queued", queued), note=queued, due=MS + 60_000
    )
    await lookup("person.get", f"{L}/emil").lose("connection lost")
    await lookup("person.get", f"{L}/fay").ask()
    await lookup("person.get", f"{L}/gus").send()
    await lookup("person.get", f"{L}/hal").receive(200, json.dumps(HAL).encode())


def filled(path: Path, fill: Callable[[Store], Awaitable[None]] = every_status) -> Path:
    """A ledger in a file."""

    async def main() -> None:
        async with SqliteStore(path) as store:
            await fill(store)

    anyio.run(main)
    return path


async def nothing(store: Store) -> None:
    """A ledger without a lookup."""
    await store.counts()


def many(path: Path, bodies: Iterable[bytes]) -> Path:
    """A ledger of answers about people, made in one transaction, which is fast."""
    filled(path, nothing)
    with sqlite3.connect(path) as connection:
        for number, body in enumerate(bodies, start=1):
            connection.execute(
                "INSERT INTO lookup (id, key, endpoint, written_as, variant, status, n, cur, changed) "
                "VALUES (?, ?, 'person.get', ?, X'', ?, 1, 1, ?)",
                (number, key(number), json.dumps(f"{L}/p-{number}").encode(), CODES["done"], MS),
            )
            connection.execute(
                "INSERT INTO attempt (lookup, n, owner, price, kind, sent, ended, charged) "
                "VALUES (?, 1, 1, 1, 'standard', ?, ?, 1)",
                (number, MS, MS),
            )
            connection.execute(
                "INSERT INTO answer (lookup, n, page, at, http, meaning, body) "
                "VALUES (?, 1, 0, ?, 200, ?, ?)",
                (number, MS, MEANINGS.index("usable"), body),
            )
    connection.close()
    return path
