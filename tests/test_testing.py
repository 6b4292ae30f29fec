"""What we give to other people's tests: a clock that jumps, and clients on a sandbox in memory."""

from __future__ import annotations

import anyio
import pytest
from toy import LIST, SEND, THING, ListParams, SendParams, ThingParams, Toy, refused, reply, settle

from lix_async import AsyncLookC
from lix_async.core.bucket import RateLimit
from lix_async.core.errors import RateLimitError
from lix_async.sandbox import Sandbox
from lix_async.testing import VirtualClock, memory_client

pytest_plugins = ["lix_async.testing.fixtures"]
pytestmark = pytest.mark.anyio


async def test_sleepers_wake_in_the_order_of_their_moments_without_any_waiting():
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    async with VirtualClock(start=100) as clock, anyio.create_task_group() as tasks:
        for name, seconds in (("day", 86_400), ("second", 1), ("now", 0), ("past", -5)):
            tasks.start_soon(sleeper, name, seconds)
    assert sorted(woken[:2]) == [("now", 100), ("past", 100)]
    assert woken[2:] == [("second", 101), ("day", 86_500)]


async def test_six_calls_at_one_in_three_seconds_take_fifteen_virtual_seconds():
    async with VirtualClock() as clock:
        toy = Toy(reply(), clock=clock, rate_limit=RateLimit(1, per=3.0, margin=0))
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(toy.send, THING, ThingParams(id=str(number)))
        assert clock.now() == 15


async def test_a_scope_is_cancelled_at_its_moment_and_not_before():
    async with VirtualClock() as clock:
        with clock.timeout(10) as scope:
            await clock.sleep(9)
            assert not scope.cancel_called
            await clock.sleep(9)
        assert (scope.cancelled_caught, clock.now()) == (True, 10)
        with clock.timeout(5) as scope:
            await clock.sleep(1)
        await clock.sleep(100)
        assert not scope.cancelled_caught


async def test_time_can_be_moved_by_hand():
    clock = VirtualClock()
    woken: list[float] = []

    async def sleeper() -> None:
        await clock.sleep(5)
        woken.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper)
        await settle()
        clock.advance(4)
        await settle()
        assert (woken, clock.now(), clock.wall() - VirtualClock().wall()) == ([], 4, 4)
        clock.advance(4)
        await settle()
    assert woken == [8]


async def test_chance_repeats_exactly_with_the_same_seed():
    draws = [[VirtualClock(seed=seed).between(0, 1) for _ in range(3)] for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert all(0 <= draw <= 1 for draw in draws[0])


async def test_an_error_inside_the_block_comes_out_as_it_is_and_not_in_a_group():
    with pytest.raises(KeyError):
        async with VirtualClock():
            raise KeyError
    with pytest.raises(RateLimitError):
        async with VirtualClock() as clock:
            toy = Toy(refused(429, "rate_limit", retry_after="100"), clock=clock)
            await toy.send(THING, ThingParams(id="1"))


async def test_time_moved_by_hand_is_not_moved_again():
    async with VirtualClock() as clock, anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 5)
        await settle(2)
        clock.advance(7)
        await anyio.wait_all_tasks_blocked()
        assert clock.now() == 7
    await clock.__aexit__(None, None, None)


async def test_a_clock_can_be_entered_again():
    clock = VirtualClock()
    for moment in (5, 10):
        async with clock:
            await clock.sleep(5)
        assert clock.now() == moment


async def test_the_fixtures_give_a_client_on_a_sandbox_and_a_clock(lix, lix_sandbox, virtual_clock):
    assert isinstance(lix_sandbox, Sandbox)
    await lix.account.balances()
    await virtual_clock.sleep(3600)
    assert virtual_clock.now() == 3600


async def test_a_client_in_memory_is_any_client_on_a_sandbox_of_its_own_or_yours():
    async with memory_client() as lix:
        assert "sandbox-key" not in repr(lix)
        await lix.account.balances()
    sandbox = Sandbox(rate=None)
    async with memory_client(sandbox, AsyncLookC, deadline=9) as lookc:
        assert (type(lookc), lookc.engine.settings.deadline) == (AsyncLookC, 9)


async def test_a_script_is_a_transport_too():
    """The one method that a transport has is enough to test against."""
    toy = Toy(reply(200, {"things": [{"id": "a"}]}), reply(200, {"ok": True}))
    assert (await toy.send(LIST, ListParams())).value.items[0].id == "a"
    assert (await toy.send(SEND, SendParams(to="me", text="x"))).value.ok
