"""The activity monitor: its descriptions, and stopping without losing answers in flight."""

from __future__ import annotations

import io

import anyio
import pytest
from rich.console import Console
from sample_provider import (
    LOST,
    THING,
    UNREACHED,
    SampleClient,
    ThingParams,
    refused,
    reply,
)

from lix_async import RateLimit, RetryPolicy
from lix_async.cli.errors import Interrupted
from lix_async.cli.runtime.activity import ActivityMonitor, monitored
from lix_async.cli.runtime.progress import ProgressCounts, ProgressLine, pages_left
from lix_async.core.errors import LixError
from lix_async.testing import VirtualClock

ONE = ThingParams(id="1")
FINE = reply(200, {"id": "a"})


def line(
    counts: ProgressCounts,
    monitor: ActivityMonitor,
    rate: RateLimit | None = None,
    width: int = 120,
) -> str:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        monitor.rate = rate
        console.print(ProgressLine(counts, monitor, show=False).render())
    return captured.get().strip()


pytestmark = pytest.mark.anyio


async def test_a_wait_for_a_permit_is_described(anyio_backend: object) -> None:
    clock = VirtualClock()  # moved by hand
    monitor = ActivityMonitor(clock)
    client = monitored(SampleClient(FINE, clock=clock, rate_limit=RateLimit(1, 3)), monitor)
    assert monitor.describe() == "requesting"
    await client.send(THING, ONE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        assert monitor.describe() == "waiting"
        while monitor.requests < 2:
            clock.advance(1)
            await anyio.wait_all_tasks_blocked()
    assert monitor.describe() == "requesting"


@pytest.mark.parametrize(
    ("fault", "text", "reason"),
    [
        (refused(202, "queued"), "queued, next attempt in 40 s", "queued"),
        (
            refused(429, "rate_limit", retry_after="40"),
            "too fast (429), next attempt in 40 s",
            "429",
        ),
        (reply(503, retry_after="40"), "503, next attempt in 40 s", "503"),
        (LOST, "waiting", "connection lost"),
    ],
    ids=["queued", "429", "503", "lost"],
)
async def test_a_wait_before_a_retry_is_described_with_its_reason(
    anyio_backend: object, fault: object, text: str, reason: str
) -> None:
    class Clock(VirtualClock):  # moved by hand
        def between(self, low: float, high: float) -> float:
            return low

    clock, described = Clock(), []
    monitor = ActivityMonitor(clock)
    answers = (fault, FINE)
    retry = RetryPolicy(queued_interval=40.0)
    rate = RateLimit(1000, 1)
    client = monitored(SampleClient(*answers, clock=clock, retry=retry, rate_limit=rate), monitor)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, THING, ONE)
        for _ in range(2):  # the pause, and the permit after it
            await anyio.wait_all_tasks_blocked()
            described.append(monitor.describe())
            clock.advance(41)
    assert described[0] == text
    assert monitor.failures == {reason: 1}
    assert (monitor.requests, monitor.describe()) == (2, "requesting")


async def test_a_pause_between_two_calls_is_described(anyio_backend: object) -> None:
    clock = VirtualClock()  # moved by hand
    monitor = ActivityMonitor(clock)
    client = monitored(SampleClient(FINE, clock=clock), monitor)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.engine.sleep, 40)
        await anyio.wait_all_tasks_blocked()
        assert monitor.describe() == "waiting, next attempt in 40 s"
        monitor.state = "daily limit"
        assert monitor.describe() == "daily limit, next attempt in 40 s"
        clock.advance(40)
    assert monitor.describe() == "daily limit"


async def test_stopping_ends_all_waits_and_sends_nothing_more(anyio_backend: object) -> None:
    clock, stopped = VirtualClock(), []  # the clock stands still
    monitor = ActivityMonitor(clock)
    plain = SampleClient(FINE, clock=clock, rate_limit=RateLimit(1, 3600))
    client = monitored(plain, monitor)
    await client.send(THING, ONE)

    async def wait(action: object) -> None:
        with pytest.raises(Interrupted):
            await action()  # type: ignore[operator]
        stopped.append(action)

    async def call() -> None:
        await client.send(THING, ONE)

    async def pause() -> None:
        await client.engine.sleep(3600)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, call)
        tasks.start_soon(wait, pause)
        await anyio.wait_all_tasks_blocked()
        monitor.stop()
    await wait(call)
    await wait(pause)
    assert (len(stopped), monitor.requests, len(plain.script.sent)) == (4, 1, 1)
    assert monitor.describe().startswith("stopping")


async def test_an_answer_on_its_way_is_received_after_a_stop(anyio_backend: object) -> None:
    monitor, arrived = ActivityMonitor(), anyio.Event()

    async def slow(_: object) -> object:
        await arrived.wait()
        return FINE

    client = monitored(SampleClient(slow), monitor)  # type: ignore[arg-type]
    async with anyio.create_task_group() as tasks:

        async def call() -> None:
            assert (await client.send(THING, ONE)).value.id == "a"

        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        monitor.stop()
        await anyio.wait_all_tasks_blocked()
        arrived.set()
    with pytest.raises(Interrupted):
        await client.send(THING, ONE)


async def test_a_failure_on_its_way_is_not_repeated_after_a_stop(anyio_backend: object) -> None:
    monitor = ActivityMonitor()

    def failing(_: object) -> object:
        monitor.stop()
        return reply(503)

    client = monitored(SampleClient(failing), monitor)
    with pytest.raises(Interrupted):
        await client.send(THING, ONE)
    assert (monitor.requests, monitor.failures) == (1, {"503": 1})


@pytest.mark.parametrize("fault", [refused(404, "not_found"), reply(200, b"<html>"), reply(500)])
async def test_a_final_failure_is_not_counted(anyio_backend: object, fault: object) -> None:
    monitor = ActivityMonitor()
    client = monitored(SampleClient(fault, retry=RetryPolicy(attempts=1)), monitor)  # type: ignore[arg-type]
    with pytest.raises(LixError):
        await client.send(THING, ONE)
    assert (monitor.requests, dict(monitor.failures)) == (1, {})


async def test_a_request_that_was_never_sent_is_not_counted(anyio_backend: object) -> None:
    monitor = ActivityMonitor()
    await monitored(SampleClient(UNREACHED, FINE), monitor).send(THING, ONE)
    assert (monitor.requests, monitor.failures) == (1, {"connection lost": 1})


def test_the_line_shows_the_progress_and_the_time_left_at_the_rate() -> None:
    counts = ProgressCounts(
        "people", items=175, total=480, requests_left=13, credits=7, duplicates=2
    )
    shown = line(counts, ActivityMonitor(), RateLimit(1, 3))
    assert (
        "175 of 480 people · 0:40 left at 1 per 3 s · requesting · 7 credits · 2 duplicates"
        in shown
    )


def test_the_line_fits_a_narrow_terminal() -> None:
    counts = ProgressCounts(
        "organisations", items=1750, total=4800, requests_left=13_000, credits=70, duplicates=20
    )
    shown = line(counts, ActivityMonitor(), RateLimit(1, 3), width=60)
    assert "\n" not in shown
    assert shown.endswith("…")


def test_the_line_omits_what_is_unknown() -> None:
    assert line(ProgressCounts("people"), ActivityMonitor()).endswith("requesting")
    assert "left" not in line(
        ProgressCounts("people", items=3, total=9, requests_left=2), ActivityMonitor(), None
    )


def test_remaining_requests_follow_from_the_pages_so_far() -> None:
    assert pages_left(175, 7, 480) == 13
    assert pages_left(480, 20, 480) == 0
    assert (pages_left(0, 0, 480), pages_left(10, 1, None)) == (None, None)
