"""Shared rates that were taken part of, and lookups of LookC that were under way."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from lix_async import AsyncLookC, RateLimit
from lix_async.limiters import PostgresLimiter, RedisLimiter, SqliteLimiter
from lix_async.providers.lookc.models import Lookup
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .written import EPOCH, WORLD, WRITTEN, ManualClock, read, requested

pytestmark = pytest.mark.anyio
A_MINUTE = RateLimit(1, per=60.0)


async def test_a_rate_in_a_file_knows_its_hold(tmp_path: Path) -> None:
    """One permit was given at `EPOCH`, and then none was to be given for two minutes."""
    shutil.copyfile(WRITTEN / "limiters" / "rate.db", tmp_path / "rate.db")
    clock = ManualClock(10.0)
    limiter = SqliteLimiter(tmp_path / "rate.db", "lix", A_MINUTE, clock=clock)
    await limiter.acquire()
    assert 120 <= clock.now() < 122
    await limiter.acquire()
    assert 180 <= clock.now() < 183
    await limiter.aclose()


async def test_a_rate_in_postgres_is_the_same_row(postgres_dsn: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    stored = read("limiters/postgres.json")
    columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in stored["columns"])
    dsn = f"{postgres_dsn}&options=-csearch_path%3Dwritten_rate"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA written_rate")
        connection.execute(f"CREATE TABLE lix_async_limiter ({columns}, PRIMARY KEY (name))")
        marks = ", ".join(["%s"] * len(stored["row"]))
        connection.execute(f"INSERT INTO lix_async_limiter VALUES ({marks})", stored["row"])
        limiter = PostgresLimiter(dsn, "lix", A_MINUTE)
        await limiter.acquire()
        await limiter.aclose()
        [row] = connection.execute("SELECT name, full_at FROM lix_async_limiter").fetchall()
        connection.execute("DROP SCHEMA written_rate CASCADE")
    assert row[0] == stored["row"][0]
    assert row[1] != stored["row"][1]


async def test_a_rate_in_redis_is_the_same_key(redis_url: str) -> None:
    redis = pytest.importorskip("redis")
    stored = read("limiters/redis.json")
    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        connection.delete(stored["key"])
        connection.hset(stored["key"], mapping=stored["hash"])
        limiter = RedisLimiter(redis_url, "lix", A_MINUTE)
        await limiter.acquire()
        await limiter.aclose()
        found = connection.hgetall(stored["key"])
        connection.delete(stored["key"])
    assert found.keys() >= stored["hash"].keys()
    assert found["full_at"] != stored["hash"]["full_at"]


async def test_a_lookup_under_way_is_not_started_again() -> None:
    """The sandbox numbers its lookups: the first one of a new sandbox is the stored one."""
    sandbox = Sandbox(**WORLD, wall=lambda: EPOCH)
    stored = (WRITTEN / "lookc" / "pending.json").read_bytes()
    async with memory_client(sandbox, AsyncLookC, clock=ManualClock()) as lookc:
        begun = await lookc.submit("slow.one@acme.example.com")
        lookup = msgspec.json.decode(stored, type=Lookup)
        assert lookup == begun
        assert msgspec.json.encode(lookup) == stored
        result = await lookc.result(lookup)
    assert result.org is not None or result.hits is not None
    assert len(requested(sandbox, "lookc.person_by_email")) == 1


async def test_a_lookup_that_is_done_needs_no_call(sandbox: Sandbox) -> None:
    stored = (WRITTEN / "lookc" / "done.json").read_bytes()
    async with memory_client(sandbox, AsyncLookC) as lookc:
        result = await lookc.result(msgspec.json.decode(stored, type=Lookup))
    assert [hit.name for hit in result.hits or ()] == ["Breith Gostevik"]
    assert msgspec.json.encode(Lookup(result=result)) == stored
    assert sandbox.requests == []
