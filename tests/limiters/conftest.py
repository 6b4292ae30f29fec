"""The three backends, each on a real server, and limiters over them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from servers import mortal_redis, postgres_dsn, redis_url  # noqa: F401  # fixtures

from lix_async import RateLimit
from lix_async.concurrency.clock import RealClock
from lix_async.limiters import PostgresLimiter, RedisLimiter, SharedLimiter, SqliteLimiter
from lix_async.limiters.backend import LimiterBackend
from lix_async.limiters.postgres import PostgresBackend
from lix_async.limiters.redis import RedisBackend
from lix_async.limiters.sqlite import SqliteBackend

NUMBERS = itertools.count()
LIMITERS = {"redis": RedisLimiter, "postgres": PostgresLimiter, "sqlite": SqliteLimiter}


class Place(NamedTuple):
    """A server, and a name for a rate that no other test uses."""

    kind: str
    where: str
    name: str

    def limiter(self, rate: RateLimit, **options: object) -> SharedLimiter:
        return LIMITERS[self.kind](self.where, self.name, rate, **options)

    def backend(self) -> LimiterBackend:
        if self.kind == "sqlite":
            return SqliteBackend(Path(self.where), self.name, RealClock())
        return {"redis": RedisBackend, "postgres": PostgresBackend}[self.kind](
            self.where, self.name
        )


@pytest.fixture
def place_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    def place(kind: str) -> Place:
        fixtures = {"redis": "redis_url", "postgres": "postgres_dsn"}
        where = str(tmp_path / "rate.db")
        if kind in fixtures:
            where = request.getfixturevalue(fixtures[kind])
        return Place(kind, where, f"test-{next(NUMBERS)}")

    return place


@pytest.fixture(params=["redis", "postgres", "sqlite"])
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    return place_of(request.param)
