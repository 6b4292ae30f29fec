"""`lix_async.testing`: the virtual clock, and clients of a sandbox in the same process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence

import anyio
import anyio.to_thread
import pytest
from sample_provider import (
    LIST,
    SAMPLE,
    SEND,
    THING,
    ListParams,
    SampleClient,
    SendParams,
    ThingParams,
    refused,
    reply,
    settle,
)

import lix_async
from lix_async.cli.providers import client_class, providers
from lix_async.concurrency.event_loop import running_loop
from lix_async.concurrency.thread_work import in_thread
from lix_async.concurrency.worker_thread import WorkerThread
from lix_async.core.errors import ConfigurationError, RateLimitError
from lix_async.core.rate_limit import RateLimit
from lix_async.engine.client import Client
from lix_async.sandbox import Sandbox, base_url_of
from lix_async.testing import IdleClock, VirtualClock, memory_client

pytest_plugins = ["lix_async.testing.fixtures"]
pytestmark = pytest.mark.anyio


async def test_sleeping_tasks_wake_in_order_without_real_waiting():
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
        client = SampleClient(reply(), clock=clock, rate_limit=RateLimit(1, per=3.0, margin=0))
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(client.send, THING, ThingParams(id=str(number)))
        assert clock.now() == 15


async def test_a_timeout_cancels_at_its_time_and_not_before():
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


async def test_advance_moves_time():
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


async def test_random_delays_repeat_with_the_same_seed():
    draws = [[VirtualClock(seed=seed).between(0, 1) for _ in range(3)] for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert all(0 <= draw <= 1 for draw in draws[0])


async def test_an_error_in_the_block_is_not_wrapped_in_a_group():
    with pytest.raises(KeyError):
        async with VirtualClock():
            raise KeyError
    with pytest.raises(RateLimitError):
        async with VirtualClock() as clock:
            client = SampleClient(refused(429, "rate_limit", retry_after="100"), clock=clock)
            await client.send(THING, ThingParams(id="1"))


async def test_advanced_time_is_not_repeated_by_the_clock():
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


async def test_an_idle_clock_serves_the_sleeper_with_the_nearest_deadline():
    clock = IdleClock(start=100)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for seconds in naps:
            await clock.sleep(seconds)
            woken.append((name, clock.now()))

    async with anyio.create_task_group() as tasks:
        for name, naps in {"a": (5, 5), "b": (3, 4), "c": (0, 6)}.items():
            tasks.start_soon(sleeper, name, *naps)
    assert woken == [("c", 100), ("b", 103), ("a", 105), ("c", 106), ("b", 107), ("a", 110)]
    assert sorted(clock.slept) == [3, 4, 5, 5, 6]


async def test_of_many_sleepers_of_an_idle_clock_none_is_woken_early():
    """While one works, no other makes the clock jump."""
    clock = IdleClock()
    early: list[float] = []

    async def worker(number: int) -> None:
        for step in range(3):
            due = clock.now() + number + step
            await clock.sleep(number + step)
            early.extend([clock.now()] * (clock.now() != due))
            await settle(number)

    async with anyio.create_task_group() as tasks:
        for number in range(1, 9):
            tasks.start_soon(worker, number)
    assert early == []


async def test_a_timeout_alone_does_not_move_an_idle_clock():
    clock = IdleClock()
    with clock.timeout(5) as scope:
        await settle(3)
        await anyio.wait_all_tasks_blocked()
        assert clock.now() == 0
        await clock.sleep(9)
    assert (scope.cancelled_caught, clock.now()) == (True, 5)
    with clock.timeout(5) as scope:
        clock.advance(5)
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_an_idle_clock_in_two_event_loops():
    clock = IdleClock()
    began, loops = anyio.Event(), []

    async def other() -> None:
        loops.append(running_loop())
        await clock.sleep(1000)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 10)
        tasks.start_soon(anyio.to_thread.run_sync, lambda: anyio.run(other, backend="asyncio"))
        tasks.start_soon(anyio.to_thread.run_sync, lambda: anyio.run(other, backend="trio"))
    assert clock.now() >= 1000
    assert len(loops) == 2
    ended: list[float] = []

    async def sleeper() -> None:
        with anyio.CancelScope():
            began.set()
            with clock.timeout(50):
                await anyio.sleep_forever()
            ended.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper)
        await began.wait()
        await settle(2)
        await anyio.to_thread.run_sync(clock.advance, 50)  # a thread without an event loop
    assert len(ended) == 1


CALLS: dict[str, tuple[str, Callable[..., Awaitable[object]]]] = {
    "lix": ("account.balances", lambda lix: lix.account.balances()),
    "lookc": ("lookc.person_by_email", lambda lookc: lookc.submit("ada@example.com")),
    "connectsafely": ("connectsafely.profile", lambda safely: safely.profile("ada-example")),
    "letrics": ("letrics.companies", lambda letrics: letrics.companies().first()),
    "meetalfred": ("meetalfred.campaigns", lambda alfred: alfred.campaigns()),
}
"""A call to each provider, and its endpoint."""
there = pytest.mark.parametrize("name", providers())


@pytest.fixture
def given(request: pytest.FixtureRequest, name: str) -> Client:
    """The fixture of a provider, by its name."""
    return request.getfixturevalue(name)


@there
async def test_the_fixtures_are_clients_of_one_sandbox_and_a_clock(
    given, lix_sandbox, virtual_clock, name
):
    row, call = CALLS[name]
    assert type(given) is client_class(name)
    await call(given)
    assert [fact.endpoint for fact in lix_sandbox.requests] == [row]
    await virtual_clock.sleep(3600)
    assert virtual_clock.now() == 3600


@there
async def test_memory_client_takes_a_sandbox_and_a_client_class(name):
    row, call = CALLS[name]
    kind, sandbox = client_class(name), Sandbox(rate=None)
    for own in ({}, {"base_url": base_url_of("http://localhost:1", name)}):
        async with memory_client(sandbox, kind, deadline=9, **own) as client:
            assert (type(client), client.engine.options.deadline) == (kind, 9)
            assert "sandbox-key" not in repr(client)
            await call(client)
    assert [(fact.endpoint, fact.status) for fact in sandbox.requests] == [(row, 200)] * 2
    async with memory_client(kind=kind) as client:
        await call(client)
    assert len(sandbox.requests) == 2


async def test_memory_client_defaults_to_lix():
    if "lix" not in providers():
        with pytest.raises(ModuleNotFoundError, match="lix"):
            memory_client()
        return
    async with memory_client() as client:
        assert type(client) is client_class("lix")
        await client.account.balances()


async def test_a_provider_that_the_sandbox_lacks_is_an_error():
    stranger = type("Stranger", (Client,), {"provider": SAMPLE})
    with pytest.raises(ConfigurationError, match="does not simulate"):
        memory_client(Sandbox(), stranger)


NOTHING = """
import sys, types
package = types.ModuleType("lix_async")
package.__path__ = [sys.argv[1]]
sys.modules["lix_async"] = package  # without its __init__, which imports some
from lix_async.testing import VirtualClock, memory_client
import lix_async.testing.fixtures
assert VirtualClock().now() == 0
print(*(name for name in sys.modules if name.startswith("lix_async.providers")))
"""


async def test_testing_imports_providers_on_use():
    folder = next(iter(lix_async.__path__))
    done = await anyio.run_process([sys.executable, "-c", NOTHING, folder], stderr=subprocess.PIPE)
    assert done.stdout.strip() == b""


async def test_an_object_with_exchange_is_a_transport():
    """The one method that a transport has is enough to test against."""
    client = SampleClient(reply(200, {"things": [{"id": "a"}]}), reply(200, {"ok": True}))
    assert (await client.send(LIST, ListParams())).value.items[0].id == "a"
    assert (await client.send(SEND, SendParams(to="me", text="x"))).value.ok


async def waits_for_a_worker(held: threading.Event) -> None:
    """As a ledger waits for its thread, which works until `held` is set."""

    class Slow:
        def run(self, jobs: Sequence[None]) -> Sequence[None]:
            held.wait()
            return jobs

        def error_for(self, error: Exception) -> Exception:
            return error

        def close(self) -> None:
            pass

    await WorkerThread(Slow(), "slow", idle_timeout=1.0).run(None)


async def waits_for_a_function(held: threading.Event) -> None:
    await in_thread(held.wait)


@pytest.mark.parametrize("waits", [waits_for_a_worker, waits_for_a_function])
@pytest.mark.parametrize("kind", [VirtualClock, IdleClock])
async def test_a_clock_stands_still_while_a_thread_works_for_a_task(
    kind: type[VirtualClock], waits: Callable[[threading.Event], Awaitable[None]]
) -> None:
    held, found = threading.Event(), list[object]()

    async def work() -> None:
        with clock.timeout(5) as scope:
            await waits(held)
            found.append(clock.now())
        found.append(scope.cancelled_caught)

    async def sleep() -> None:
        await clock.sleep(10)
        found.append(clock.now())

    async with kind() if kind is VirtualClock else contextlib.nullcontext(kind()) as clock:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            tasks.start_soon(sleep)
            for _ in range(3):
                await anyio.wait_all_tasks_blocked()
                await settle()
            assert (found, clock.now()) == ([], 0)
            held.set()
    assert found == [0, False, 10]


async def test_a_clock_waits_for_no_thread_whose_caller_was_cancelled() -> None:
    held = threading.Event()
    async with VirtualClock() as clock, anyio.create_task_group() as tasks:
        tasks.start_soon(waits_for_a_worker, held)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    async with clock:
        await clock.sleep(5)
    held.set()
    assert clock.now() == 5
