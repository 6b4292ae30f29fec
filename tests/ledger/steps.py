"""The life of lookups in few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from lix_async.ledger.connection import (
    Announced,
    AnnounceJob,
    EventsJob,
    Job,
    LedgerConnection,
    StatementJob,
)
from lix_async.ledger.records import (
    EventResult,
    Judge,
    LedgerEvent,
    LookupSpec,
    Receive,
    Send,
    StoredLookup,
)
from lix_async.ledger.rule import Judgement
from lix_async.ledger.tables import SqlTables

T = TypeVar("T")
NOW = 1_700_000_000_000
USABLE = Judgement("usable", 1)


def spec(name: str, *, page: int = 0) -> LookupSpec:
    key = name.encode().rjust(16, b".")
    return LookupSpec(key, "person.get", f'["{name}"]'.encode(), page=page)


def send(lookup: int = 0, *, n: int = 0, price: int = 1, run: int | None = None) -> Send:
    return Send(lookup, n, price, NOW, "standard", run)


def announce(ledger: LedgerConnection, *names: str, run: int | None = None) -> list[Announced]:
    """Announce first requests, all in one transaction."""
    jobs: list[Job] = [AnnounceJob(spec(name), send(run=run)) for name in names]
    return cast("list[Announced]", ledger.run(jobs))


def apply(ledger: LedgerConnection, *events: LedgerEvent) -> list[EventResult]:
    (results,) = ledger.run([EventsJob(events)])
    return cast("list[EventResult]", results)


def ask(ledger: LedgerConnection, work: Callable[[SqlTables], T], *, writes: bool = False) -> T:
    (value,) = ledger.run([StatementJob(work, writes)])
    return cast("T", value)


def receive(sent: Announced, body: bytes = b"{}", *, http: int = 200) -> Receive:
    owner, n = sent.result.owner, sent.result.state.n
    return Receive(sent.lookup.id, owner, n, 0, http, body, NOW)


def judge(sent: Announced, judgement: Judgement = USABLE) -> Judge:
    owner, n = sent.result.owner, sent.result.state.n
    return Judge(sent.lookup.id, owner, n, judgement, NOW, "answer")


def found(ledger: LedgerConnection, name: str) -> StoredLookup:
    """A lookup as the ledger has it now."""
    key = spec(name).key
    return ask(ledger, lambda tables: tables.find([key]))[key]
