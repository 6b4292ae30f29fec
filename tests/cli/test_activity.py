"""The activity monitor: its descriptions, and stopping without losing answers in flight."""

from __future__ import annotations

import io

import anyio
import pytest
from rich.console import Console

from lix_async import RateLimit, RetryPolicy
from lix_async.cli.errors import Interrupted
from lix_async.cli.runtime.activity import (
    ActivityMonitor,
    MonitoredClock,
    MonitoredLimiter,
    MonitoredRetryPolicy,
)
from lix_async.cli.runtime.progress import ProgressCounts, ProgressLine, pages_left
from lix_async.core.errors import (
    DecodeError,
    LixError,
    NotFoundError,
    QueuedError,
    RateLimitError,
    ServerError,
    TransportError,
)
from lix_async.testing import VirtualClock


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
    limiter = MonitoredLimiter(RateLimit(1, 3), monitor)
    assert monitor.describe() == "requesting"
    await limiter.acquire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(limiter.acquire)
        await anyio.wait_all_tasks_blocked()
        assert monitor.describe() == "waiting for a permit"
        await limiter.hold(5)
        assert monitor.describe() == "held after 429, 5 s"
        while monitor.requests < 2:
            clock.advance(1)
            await anyio.wait_all_tasks_blocked()
    assert (monitor.describe(), clock.now()) == ("requesting", 5)


async def test_a_wait_before_a_retry_is_described_with_its_reason(anyio_backend: object) -> None:
    clock = VirtualClock()  # moved by hand
    monitor = ActivityMonitor(clock)
    policy = MonitoredRetryPolicy(monitor=monitor, queued_interval=40.0)

    async def queued() -> None:
        policy.next_delay(QueuedError("later"), failures=0, polls=1, idempotent=True, window=3)
        await MonitoredClock(monitor).sleep(40)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(queued)
        await anyio.wait_all_tasks_blocked()
        assert monitor.describe() == "queued, next attempt in 40 s"
        assert monitor.failures == {"queued": 1}
        clock.advance(40)
    assert monitor.describe() == "requesting"


async def test_stopping_ends_all_waits_and_sends_nothing_more(anyio_backend: object) -> None:
    monitor, stopped = ActivityMonitor(), []
    limiter = MonitoredLimiter(RateLimit(1, 3600), monitor)
    await limiter.acquire()

    async def wait(action: object) -> None:
        with pytest.raises(Interrupted):
            await action()  # type: ignore[operator]
        stopped.append(action)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, limiter.acquire)
        tasks.start_soon(wait, lambda: MonitoredClock(monitor).sleep(3600))
        await anyio.wait_all_tasks_blocked()
        monitor.stop()
    await wait(limiter.acquire)
    await wait(lambda: MonitoredClock(monitor).sleep(0))
    assert (len(stopped), monitor.requests) == (4, 1)
    assert monitor.describe().startswith("stopping")


async def test_without_a_rate_nothing_waits_and_requests_are_counted(anyio_backend: object) -> None:
    monitor = ActivityMonitor()
    limiter = MonitoredLimiter(None, monitor)
    for _ in range(3):
        await limiter.acquire()
    await limiter.hold(3600)
    limiter.report_delay(1)
    limiter.refund()
    assert monitor.requests == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RateLimitError("x", status=429), "429"),
        (ServerError("x", status=503), "503"),
        (TransportError("x"), "connection lost"),
    ],
)
def test_a_failure_that_is_retried_is_counted_by_reason(error: LixError, reason: str) -> None:
    monitor = ActivityMonitor()
    MonitoredRetryPolicy(monitor=monitor).next_delay(
        error, failures=1, polls=0, idempotent=True, window=3
    )
    assert monitor.failures == {reason: 1}


@pytest.mark.parametrize(
    "error", [NotFoundError("x", status=404), DecodeError("x"), ServerError("x", status=500)]
)
def test_a_final_failure_is_not_counted(error: LixError) -> None:
    monitor = ActivityMonitor()
    policy = MonitoredRetryPolicy(monitor=monitor, attempts=1)
    assert policy.next_delay(error, failures=1, polls=0, idempotent=True, window=3) is None
    assert not monitor.failures


def test_the_monitored_policy_decides_like_the_plain_one() -> None:
    monitored, plain = (
        MonitoredRetryPolicy(monitor=ActivityMonitor(), attempts=3),
        RetryPolicy(attempts=3),
    )
    for error in (
        RateLimitError("x"),
        ServerError("x"),
        TransportError("x"),
        NotFoundError("x"),
        QueuedError("x"),
    ):
        for failures in (1, 2, 3, 4):
            arguments = {"failures": failures, "polls": failures, "idempotent": True, "window": 3.0}
            assert monitored.next_delay(error, **arguments) == plain.next_delay(error, **arguments)  # type: ignore[arg-type]


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
