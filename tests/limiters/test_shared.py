"""The behaviour of every shared limiter, on each backend and each event loop."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from preloaded import PROGRAM, start

from lix_async import RateLimit
from lix_async.concurrency.clock import RealClock
from lix_async.core.rate_limit import FOREVER, SECOND, GcraParameters
from lix_async.limiters import SqliteLimiter
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
FAST = RateLimit(50, per=1.0)
SLOW = RateLimit(1, per=60.0)
QUICK = RateLimit(20, per=1.0)


async def wait_now(limiter):
    """Seconds until the next permit; takes one if it is free."""
    return await limiter.try_acquire()


@pytest.mark.parametrize("bulk", [False, True], ids=["interactive", "bulk"])
async def test_permits_are_given_at_the_rate_and_in_order(place, bulk):
    order, moments = [], []
    async with place.limiter(FAST) as limiter:
        asked = limiter.bulk if bulk else limiter
        began = time.monotonic()
        await asked.acquire()

        async def one(number):
            await asked.acquire()
            order.append(number)
            moments.append(time.monotonic() - began)

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(one, number)
                await checkpoint()
    params = GcraParameters.in_microseconds(FAST)
    assert order == list(range(10))
    assert moments[-1] >= (10 * params.interval - params.tolerance) / SECOND - 0.005


async def test_a_caller_cancelled_at_any_step_takes_no_permit(place):
    async with place.limiter(SLOW) as limiter, place.limiter(SLOW) as other:
        assert await other.try_acquire() == 0.0
        for pauses in range(12):
            async with anyio.create_task_group() as group:
                group.start_soon(limiter.acquire if pauses % 3 else limiter.bulk.acquire)
                for _ in range(pauses):
                    await checkpoint()
                if pauses > 9:  # also one that sleeps
                    await anyio.wait_all_tasks_blocked()
                    await limiter._client.hold_left()
                    await anyio.wait_all_tasks_blocked()
                group.cancel_scope.cancel()
            await limiter._client.hold_left()  # what was posted has been run
            assert 50 < await wait_now(other) < 61.3, pauses


async def test_a_refunded_permit_goes_to_the_next_caller_of_the_same_process(place):
    rate = RateLimit(10, per=1.0)
    async with place.limiter(rate) as one, place.limiter(rate) as other:
        await one.acquire()
        wait, first = await one._client.take(FOREVER)
        await other._client.take(FOREVER)
        assert first is not None
        one._client.refund(first)
        again, spare = await one._client.take(FOREVER)
        assert spare is not None
        assert spare.full_at == first.full_at
        assert again <= wait


async def test_a_reserved_permit_waits_for_a_hold_of_another_process(place):
    async with place.limiter(QUICK) as one, place.limiter(QUICK) as other:
        await one.acquire()
        async with anyio.create_task_group() as group:
            moments = []

            async def wait():
                await one.acquire()
                moments.append(time.monotonic())

            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            held = time.monotonic()
            await other.hold(0.6)
            assert await other.try_acquire() > 0.1
            assert await one.try_acquire() > 0.1
        assert moments[0] - held >= 0.59
        await other.hold(-1)


async def test_an_unused_permit_is_refunded(place):
    async with place.limiter(SLOW) as limiter:
        for asked in (limiter, limiter.bulk):
            await asked.acquire()
            asked.refund()
            asked.refund()
        assert await limiter.try_acquire() == 0.0
        assert await limiter.try_acquire() > 59


async def test_a_late_request_moves_the_next_permits(place):
    async with place.limiter(SLOW) as limiter:
        limiter.report_delay(10.0)  # of no permit
        await limiter.acquire()
        before = await limiter.try_acquire()
        limiter.report_delay(0.1)
        assert await limiter.try_acquire() <= before
        limiter.bulk.report_delay(10.0)
        assert 8 < await limiter.try_acquire() - before <= 10


async def test_requests_that_leave_late_cost_a_permit_each_at_most(place):
    async with place.limiter(SLOW) as limiter, place.limiter(SLOW) as other:
        await limiter.acquire()
        _, permit = await other._client.take(FOREVER)
        assert permit is not None
        limiter.report_delay(10_000.0)
        assert 170 < await limiter.try_acquire() <= 184


async def test_interactive_callers_go_before_bulk(place):
    rate = QUICK
    async with place.limiter(rate) as people, place.limiter(rate) as runs:
        await runs.bulk.acquire()
        await people.hold(0.8)  # all of them are waiting when it ends, on a loaded machine too
        order = []

        async def ask(who, acquire, times):
            for _ in range(times):
                await acquire()
                order.append(who)

        async with anyio.create_task_group() as group:
            group.start_soon(ask, "bulk", runs.bulk.acquire, 3)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(ask, "person", people.acquire, 3)
            await anyio.wait_all_tasks_blocked()
        # One bulk permit may have been close when the person came; no more.
        assert order.index("person") <= 1
        assert sorted(order[:4]).count("person") >= 2


async def test_try_acquire_does_not_overtake_bulk_callers(place):
    async with place.limiter(SLOW) as limiter:
        await limiter.acquire()
        async with anyio.create_task_group() as group:
            group.start_soon(limiter.bulk.acquire)
            await anyio.wait_all_tasks_blocked()
            assert await limiter.try_acquire() > 50
            group.cancel_scope.cancel()


async def test_it_connects_again_after_it_was_closed(place):
    limiter = place.limiter(RateLimit(1000, per=1.0))
    for _ in range(2):
        async with limiter:
            await limiter.acquire()


async def test_a_client_accepts_it(place):
    async with place.limiter(RateLimit(1000, per=1.0)) as limiter:
        async with memory_client(rate_limit=limiter) as lix:
            assert place.name in repr(limiter)
            await lix.account.balances()
        async with memory_client(rate_limit=limiter.bulk) as lix:
            assert "bulk" in repr(limiter.bulk)
            await lix.account.balances()


def test_two_processes_share_one_rate(place):
    worker = Path(__file__).with_name("worker.py")
    asked = [str(worker), place.kind, place.where, place.name, "1.5"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [start(asked, PROGRAM, **pipes) for _ in range(2)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    each = [[float(x) for x in process.communicate(timeout=20)[0].split()] for process in started]
    permits = sorted(each[0] + each[1])
    worst = max(sum(1 for x in permits if first <= x < first + 1.0) for first in permits)
    # Each of the six tasks may record one permit late, in the next window. Two rates give 100.
    assert worst <= 50 + 6
    assert min(len(each[0]), len(each[1])) >= len(permits) / 4


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_setting_the_wall_clock_changes_no_wait_of_the_file(tmp_path, step):
    class Stepped(RealClock):
        offset = 0.0

        def wall(self):
            return time.time() + self.offset

    clock = Stepped()
    async with (
        SqliteLimiter(tmp_path / "rate.db", "x", SLOW, clock=clock) as limiter,
        SqliteLimiter(tmp_path / "rate.db", "x", SLOW) as other,
        SqliteLimiter(tmp_path / "rate.db", "x", SLOW, clock=clock) as third,
    ):
        await limiter.hold(30)
        clock.offset = step
        for asked in (limiter, other):
            assert 20 < await asked.try_acquire() <= 30
        await other.hold(90)
        assert 80 < await third.try_acquire() <= 90


async def test_a_clock_of_the_server_that_is_put_back_stops_no_permits(place):
    """As if the last answer had come a day later: the clock has been put back by a day since."""
    async with place.limiter(FAST) as limiter:
        await limiter.acquire()
        await limiter._client._thread.run(lambda backend: put_clock_back(place))
        for _ in range(3):
            await limiter.bulk.acquire()
        await limiter.acquire()
        assert await limiter.try_acquire() <= 0.1


def put_clock_back(place):
    """Move the state of a limiter a day into the future."""
    day = 86_400 * SECOND
    moved = "full_at = full_at + ?, held = held + ?, asked_at = asked_at + ?"
    if place.kind == "sqlite":
        with contextlib.closing(sqlite3.connect(place.where, isolation_level=None)) as file:
            file.execute(f"UPDATE lix_async_rate SET {moved}", [day] * 3)
    elif place.kind == "postgres":
        import psycopg

        with psycopg.connect(place.where, autocommit=True) as server:
            moved = moved.replace("?", "%s")
            row = f"UPDATE lix_async_limiter SET {moved} WHERE name = %s"
            server.execute(row, [day, day, day, place.name])
    else:
        import redis

        with redis.Redis.from_url(place.where) as server:
            for field in ("full_at", "held", "asked"):
                server.hincrby(f"lix_async:{place.name}", field, day)


async def test_the_file_is_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "rate.db"
    before = os.umask(0)
    try:
        async with SqliteLimiter(path, "x", FAST) as limiter:
            await limiter.acquire()
            assert {x.stat().st_mode & 0o777 for x in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_importing_the_package_does_not_import_it():
    program = "import sys, lix_async; sys.exit('lix_async.limiters.shared' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
