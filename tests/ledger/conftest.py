"""Ledgers of both kinds, new for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.ledger.connection import LedgerConnection
from lix_async.ledger.postgres import PostgresLedgerConnection
from lix_async.ledger.sqlite import SqliteLedgerConnection

NUMBERS = itertools.count(1)
OpenPostgres = Callable[..., PostgresLedgerConnection]


class OpenLedger(Protocol):
    """Opens the test's ledger once more."""

    def __call__(self, *, read_only: bool = False) -> LedgerConnection: ...


@pytest.fixture
def schema() -> str:
    return f"new_ledger_{next(NUMBERS)}"


@pytest.fixture
def open_sqlite(tmp_path: Path) -> Iterator[Callable[..., SqliteLedgerConnection]]:
    opened: list[SqliteLedgerConnection] = []

    def open_one(*, read_only: bool = False, **options: Any) -> SqliteLedgerConnection:
        path = tmp_path / "ledger.db"
        opened.append(SqliteLedgerConnection(path, read_only=read_only, **options))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def open_postgres(postgres_dsn: str, schema: str) -> Iterator[OpenPostgres]:  # noqa: F811
    opened: list[PostgresLedgerConnection] = []

    def open_one(
        kind: type[PostgresLedgerConnection] = PostgresLedgerConnection,
        *,
        address: str = "",
        **options: Any,
    ) -> PostgresLedgerConnection:
        options = {"schema": schema, "timeout": 10.0, **options}
        opened.append(kind(address or postgres_dsn, **options))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def open_ledger(request: pytest.FixtureRequest) -> OpenLedger:
    opener: OpenLedger = request.getfixturevalue(f"open_{request.param}")
    return opener
