"""Ledgers of both kinds, new for each test, and a vendor with no limit to count what is paid."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.bulk import SqliteStore, Store
from lix_async.sandbox import Sandbox, running

NUMBERS = itertools.count(1)
Open = Callable[[], Store]


@pytest.fixture
def schema() -> str:
    return f"ledger_{next(NUMBERS)}"


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, schema: str) -> Open:
    """Gives a store over one ledger each time it is called."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "ledger.db")
    from lix_async.ledger.postgres import PostgresStore

    dsn = request.getfixturevalue("postgres_dsn")
    return lambda: PostgresStore(dsn, schema=schema, timeout=5.0)


@pytest.fixture
def vendor() -> Iterator[tuple[Sandbox, str]]:
    sandbox = Sandbox(people=50, organisations=5, rate=None)
    with running(sandbox) as url:
        yield sandbox, url
