"""Shared limiters while the server is out of reach, damaged or rejects requests."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import time
import traceback

import anyio
import pytest

from lix_async import ConfigurationError, RateLimit, TransportError
from lix_async.core.rate_limit import SECOND
from lix_async.limiters import PostgresLimiter, RedisLimiter, SqliteLimiter, sqlite
from lix_async.limiters.redis import RedisBackend
from lix_async.limiters.shared import OutageTracker
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
FAST = RateLimit(100, per=1.0)
UNREACHABLE = {
    "redis": (RedisLimiter, "redis://:hunter2@127.0.0.1:1/0"),
    "postgres": (PostgresLimiter, "postgresql://u:hunter2@127.0.0.1:1/x"),
}


@pytest.fixture(params=["redis", "postgres", "sqlite"])
def unreachable(request, tmp_path, monkeypatch):
    """Return a function that makes a limiter whose server cannot be reached."""
    locks = []

    def make(**options):
        if request.param != "sqlite":
            kind, where = UNREACHABLE[request.param]
            return kind(where, "x", FAST, **options)
        monkeypatch.setattr(sqlite, "LOCK_TIMEOUT", 0.01)
        holder = sqlite3.connect(tmp_path / "rate.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        locks.append(holder)
        return SqliteLimiter(tmp_path / "rate.db", "x", FAST, **options)

    yield make
    for holder in locks:
        holder.close()


async def test_interactive_callers_get_an_error_in_time_and_it_contains_no_secret(unreachable):
    async with unreachable(give_up_after=0.1) as limiter:
        failures, waits = [], []

        async def one():
            began = time.monotonic()
            with pytest.raises(TransportError) as caught:
                await limiter.acquire()
            waits.append(time.monotonic() - began)
            failures.append(caught.value)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
        assert max(waits) < 10 * min(waits), "all together, not one after another"
        assert len(failures) == 20
        assert not failures[0].sent
        shown = f"{failures[0]!r} {failures[0].__cause__!r} {failures[0].__context__!r} {limiter!r}"
        assert "hunter2" not in shown


async def test_a_call_without_a_permit_was_not_sent(unreachable):
    async with unreachable(give_up_after=0.05) as limiter, memory_client(rate_limit=limiter) as lix:
        with pytest.raises(TransportError) as caught:
            await lix.account.balances()
    error = caught.value
    assert (error.sent, error.permanent, error.attempts) == (False, False, 0)
    assert error.endpoint == "account.balances"
    assert "hunter2" not in "".join(traceback.format_exception(error))


async def test_bulk_callers_wait_until_the_end_of_an_outage(unreachable):
    async with unreachable(give_up_after=0.1) as limiter:
        with anyio.move_on_after(0.3) as waited:
            await limiter.bulk.acquire()
        assert waited.cancelled_caught
        assert await limiter.try_acquire() > 0


async def test_the_fallback_limiter_is_used_during_an_outage(unreachable):
    async with unreachable(fallback=4) as limiter:
        await limiter.acquire()
        began = time.monotonic()
        for _ in range(3):
            await limiter.acquire()
        assert time.monotonic() - began >= 3 * 0.04 * 1.02 - 0.01, "a quarter of the rate"
        limiter.refund()
        await limiter.hold(0.1)
        await limiter.acquire()
        assert time.monotonic() - began >= 0.2


async def test_a_hold_during_an_outage_holds_this_process(unreachable):
    async with unreachable(give_up_after=0.01, fallback=1) as limiter:
        began = time.monotonic()
        await limiter.hold(0.1)
        await limiter.acquire()
        assert time.monotonic() - began >= 0.1


async def test_callers_get_permits_when_redis_is_back(mortal_redis):
    async with RedisLimiter(mortal_redis.url, "x", FAST) as limiter:
        await limiter.acquire()
        mortal_redis.stop()
        got = []

        async def wait(acquire):
            await acquire()
            got.append(acquire)

        async with anyio.create_task_group() as group:
            group.start_soon(wait, limiter.acquire)
            group.start_soon(wait, limiter.bulk.acquire)
            await anyio.wait_all_tasks_blocked()
            assert not got
            mortal_redis.start()
        assert len(got) == 2


@pytest.mark.parametrize(
    ("setting", "refusing", "fine"),
    [("min-replicas-to-write", 1, 0), ("maxmemory", 1, 0)],
    ids=["NOREPLICAS", "OOM"],
)
async def test_a_redis_that_refuses_for_a_while_is_waited_for(
    mortal_redis, setting, refusing, fine
):
    import redis

    with redis.Redis.from_url(mortal_redis.url) as admin:
        async with (
            RedisLimiter(mortal_redis.url, "x", FAST) as limiter,
            RedisLimiter(mortal_redis.url, "x", FAST, fallback=4) as careful,
            RedisLimiter(mortal_redis.url, "x", FAST, give_up_after=0.05) as hasty,
        ):
            await limiter.acquire()
            admin.config_set(setting, refusing)
            await careful.acquire()
            with pytest.raises(TransportError, match="not available"):
                await hasty.acquire()
            got = []

            async def wait():
                await limiter.bulk.acquire()
                got.append(1)

            async with anyio.create_task_group() as group:
                group.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                assert not got
                admin.config_set(setting, fine)
            assert got == [1]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("MISCONF Redis is configured to save RDB snapshots", TransportError),
        ("READONLY You can't write against a read only replica.", TransportError),
        ("LOADING Redis is loading the dataset in memory", TransportError),
        ("BUSY Redis is busy running a script", TransportError),
        ("CLUSTERDOWN Hash slot not served", TransportError),
        ("MASTERDOWN Link with MASTER is down", TransportError),
        ("SOMEDAY a refusal of a later Redis", TransportError),
        ("ERR max number of clients reached", TransportError),
        ("ERR Error running script (call to f_0a): @user_script:9: -MISCONF x", TransportError),
        (
            "ERR Error running script (call to f_0a): @user_script:9: -WRONGTYPE x",
            ConfigurationError,
        ),
        ("ERR unknown command `EVALSHA`", ConfigurationError),
        ("WRONGTYPE Operation against a key", ConfigurationError),
        ("NOPERM this user has no permissions", ConfigurationError),
        ("NOAUTH Authentication required.", ConfigurationError),
        ("WRONGPASS invalid username-password pair", ConfigurationError),
    ],
)
def test_only_what_asking_again_does_not_change_is_a_rejection_by_redis(text, error):
    from redis._parsers import _RESP2Parser

    backend = RedisBackend("redis://127.0.0.1:1", "x")
    assert type(backend._failure(_RESP2Parser.parse_error(text))) is error


async def test_a_postgres_that_is_read_only_is_waited_for(postgres_dsn):
    read_only = f"{postgres_dsn}&options=-c%20default_transaction_read_only%3Don"
    async with PostgresLimiter(postgres_dsn, "read-only", FAST) as limiter:
        await limiter.acquire()
    async with PostgresLimiter(read_only, "read-only", FAST, give_up_after=0.05) as limiter:
        with pytest.raises(TransportError, match="not available: ReadOnlySqlTransaction 25006"):
            await limiter.acquire()
        assert await limiter.try_acquire() > 0
    async with PostgresLimiter(read_only, "read-only", FAST, fallback=1) as limiter:
        await limiter.acquire()


async def test_a_file_that_is_read_only_for_a_while_is_waited_for(tmp_path):
    async with SqliteLimiter(tmp_path / "x", "x", FAST, fallback=1) as limiter:
        await limiter.acquire()
        for acquire in (limiter.acquire, limiter.bulk.acquire):
            connection = limiter._client._thread._handler._backend._connection
            if connection is not None:
                connection.execute("PRAGMA query_only = ON")
            await acquire()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EROFS, TransportError),
        (errno.ENOSPC, TransportError),
        (errno.EMFILE, TransportError),
        (errno.ENOENT, ConfigurationError),
        (errno.EACCES, ConfigurationError),
    ],
)
async def test_a_file_that_cannot_be_made_now_is_waited_for(tmp_path, monkeypatch, code, error):
    def fail(path):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(sqlite, "create_private_file", fail)
    async with SqliteLimiter(tmp_path / "x", "x", FAST, give_up_after=0.05) as limiter:
        with pytest.raises(error):
            await limiter.acquire()


async def test_a_connection_closed_by_postgres_is_replaced(postgres_dsn):
    import psycopg

    async with PostgresLimiter(postgres_dsn, "closed", FAST) as limiter:
        await limiter.acquire()
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND query LIKE '%lix_async_limiter%'"
        )
        with psycopg.connect(postgres_dsn, autocommit=True) as admin:
            admin.execute(kill)
        await limiter.acquire()
        await limiter.bulk.acquire()


async def test_a_dropped_postgres_row_or_table_is_created_again(postgres_dsn):
    import psycopg

    async with PostgresLimiter(postgres_dsn, "dropped", FAST) as limiter:
        await limiter.acquire()
        with psycopg.connect(postgres_dsn, autocommit=True) as admin:
            admin.execute("DELETE FROM lix_async_limiter WHERE name = 'dropped'")
            await limiter.acquire()
            admin.execute("DROP TABLE lix_async_limiter")
            await limiter.acquire()


async def test_a_connection_returns_to_its_pool_unchanged(postgres_dsn):
    from psycopg_pool import ConnectionPool

    with ConnectionPool(postgres_dsn, min_size=1, max_size=1, open=True) as pool:
        async with PostgresLimiter(pool, "pool", FAST) as limiter:
            await limiter.acquire()
        with pool.connection(timeout=1.0) as connection:
            assert not connection.autocommit
            (mode,) = connection.execute("SHOW synchronous_commit").fetchone()
            assert mode == "on"


async def test_the_users_redis_client_stays_open(redis_url):
    import redis
    import redis.asyncio

    with redis.Redis.from_url(redis_url) as client:
        async with RedisLimiter(client, "own", FAST) as limiter:
            await limiter.acquire()
            client.script_flush()
            await limiter.acquire()
            assert 0 < client.pttl("lix_async:own") <= 61_000
        assert client.ping()
    with pytest.raises(ConfigurationError):
        RedisLimiter(redis.asyncio.Redis(), "own", FAST)
    with pytest.raises(ConfigurationError) as caught:
        RedisLimiter("http://:hunter2@x", "own", FAST)
    assert "hunter2" not in repr(caught.value)


async def test_a_rejected_request_is_not_an_outage(redis_url, postgres_dsn, tmp_path):
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.set("lix_async:text", "something else")
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 20)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for limiter in (
        RedisLimiter(redis_url, "text", FAST),
        SqliteLimiter(tmp_path / "text", "x", FAST),
        SqliteLimiter(tmp_path / "link", "x", FAST),
        SqliteLimiter(tmp_path / "none" / "x", "x", FAST),
    ):
        async with limiter:
            with pytest.raises(ConfigurationError):
                await limiter.acquire()
            with pytest.raises(ConfigurationError):
                await limiter.bulk.acquire()


async def test_a_server_that_does_not_answer_is_an_outage(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        limiter = RedisLimiter(f"redis://127.0.0.1:{port}", "x", FAST, give_up_after=0.1)
        began = time.monotonic()
        with pytest.raises(TransportError):
            await limiter.acquire()
        assert time.monotonic() - began < 1.0


async def test_a_permit_that_was_slept_through_is_not_used(tmp_path):
    """As after a machine was suspended: the permits of all processes have passed."""
    rate = RateLimit(20, per=1.0)
    async with SqliteLimiter(tmp_path / "x", "x", rate) as limiter:
        await limiter.acquire()
        take_permit = limiter._client.take
        calls = []

        async def take_slowly(max_wait):
            wait, permit = await take_permit(max_wait)
            calls.append(permit)
            if len(calls) == 1:
                time.sleep(0.35)  # noqa: ASYNC251  # the process is suspended
            return wait, permit

        limiter._client.take = take_slowly
        await limiter.acquire()
        assert len(calls) == 2


async def test_a_permit_is_not_used_long_after_its_moment(tmp_path):
    async with SqliteLimiter(tmp_path / "x", "x", RateLimit(1, per=3.0)) as limiter:
        assert limiter._is_usable(0.0, 0.0)
        assert limiter._is_usable(0.09, 0.0)
        assert not limiter._is_usable(0.2, 0.0)
        assert not limiter._is_usable(0.0, 2.0)


def test_retry_delays_double_until_the_outage_ends():
    outage, error = OutageTracker(), TransportError("x")
    pauses = []
    for _ in range(9):
        outage.record_failure(error, 0.0)
        pauses.append(outage.retry_delay(0.0))
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert outage.error_after(4.0) is not None
    assert outage.error_after(6.0) is None
    outage.record_success()
    assert outage.retry_delay(0.0) == 0
    assert outage.error_after(0.0) is None
    assert SECOND == 10**6
