"""The watch: what goes on in words, and stopping without losing the answer under way."""

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
    tally: ProgressCounts, watch: ActivityMonitor, rate: RateLimit | None = None, width: int = 120
) -> str:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        watch.rate = rate
        console.print(ProgressLine(tally, watch, show=False).line())
    return captured.get().strip()


pytestmark = pytest.mark.anyio


async def test_who_waits_is_told(anyio_backend: object) -> None:
    clock = VirtualClock()  # moved by hand
    watch = ActivityMonitor(clock)
    turns = MonitoredLimiter(RateLimit(1, 3), watch)
    assert watch.words() == "asking"
    await turns.acquire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.acquire)
        await anyio.wait_all_tasks_blocked()
        assert watch.words() == "waiting for turn"
        await turns.hold(5)
        assert watch.words() == "held by 429, 5 s"
        while watch.requests < 2:
            clock.advance(1)
            await anyio.wait_all_tasks_blocked()
    assert (watch.words(), clock.now()) == ("asking", 5)


async def test_a_pause_is_told_with_its_reason(anyio_backend: object) -> None:
    clock = VirtualClock()  # moved by hand
    watch = ActivityMonitor(clock)
    policy = MonitoredRetryPolicy(watch=watch, queued_interval=40.0)

    async def queued() -> None:
        policy.next_delay(QueuedError("later"), failures=0, polls=1, idempotent=True, window=3)
        await MonitoredClock(watch).sleep(40)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(queued)
        await anyio.wait_all_tasks_blocked()
        assert watch.words() == "queued, asking again in 40 s"
        assert watch.failures == {"queued": 1}
        clock.advance(40)
    assert watch.words() == "asking"


async def test_stopping_wakes_everybody_and_lets_nothing_else_out(anyio_backend: object) -> None:
    watch, told = ActivityMonitor(), []
    turns = MonitoredLimiter(RateLimit(1, 3600), watch)
    await turns.acquire()

    async def wait(what: object) -> None:
        with pytest.raises(Interrupted):
            await what()  # type: ignore[operator]
        told.append(what)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, turns.acquire)
        tasks.start_soon(wait, lambda: MonitoredClock(watch).sleep(3600))
        await anyio.wait_all_tasks_blocked()
        watch.stop()
    await wait(turns.acquire)
    await wait(lambda: MonitoredClock(watch).sleep(0))
    assert (len(told), watch.requests) == (4, 1)
    assert watch.words().startswith("stopping")


async def test_without_a_rate_nobody_waits_and_turns_still_count(anyio_backend: object) -> None:
    watch = ActivityMonitor()
    turns = MonitoredLimiter(None, watch)
    for _ in range(3):
        await turns.acquire()
    await turns.hold(3600)
    turns.report_delay(1)
    turns.refund()
    assert watch.requests == 2


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (RateLimitError("x", status=429), "429"),
        (ServerError("x", status=503), "503"),
        (TransportError("x"), "connection lost"),
    ],
)
def test_a_failure_that_is_tried_again_is_counted_by_its_word(error: LixError, word: str) -> None:
    watch = ActivityMonitor()
    MonitoredRetryPolicy(watch=watch).next_delay(
        error, failures=1, polls=0, idempotent=True, window=3
    )
    assert watch.failures == {word: 1}


@pytest.mark.parametrize(
    "error", [NotFoundError("x", status=404), DecodeError("x"), ServerError("x", status=500)]
)
def test_a_failure_that_is_final_is_not_counted(error: LixError) -> None:
    watch = ActivityMonitor()
    policy = MonitoredRetryPolicy(watch=watch, attempts=1)
    assert policy.next_delay(error, failures=1, polls=0, idempotent=True, window=3) is None
    assert not watch.failures


def test_the_watched_policy_decides_like_the_plain_one() -> None:
    watched, plain = (
        MonitoredRetryPolicy(watch=ActivityMonitor(), attempts=3),
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
            facts = {"failures": failures, "polls": failures, "idempotent": True, "window": 3.0}
            assert watched.next_delay(error, **facts) == plain.next_delay(error, **facts)  # type: ignore[arg-type]


def test_the_line_says_how_far_and_how_long_by_the_limiter() -> None:
    tally = ProgressCounts(
        "people", items=175, total=480, requests_left=13, credits=7, duplicates=2
    )
    shown = line(tally, ActivityMonitor(), RateLimit(1, 3))
    assert "175 of 480 people · 0:40 left at 1 per 3 s · asking · 7 credits · 2 duplicates" in shown


def test_the_line_fits_a_narrow_terminal() -> None:
    tally = ProgressCounts(
        "organisations", items=1750, total=4800, requests_left=13_000, credits=70, duplicates=20
    )
    shown = line(tally, ActivityMonitor(), RateLimit(1, 3), width=60)
    assert "\n" not in shown
    assert shown.endswith("…")


def test_the_line_says_nothing_that_nobody_knows() -> None:
    assert line(ProgressCounts("people"), ActivityMonitor()).endswith("asking")
    assert "left" not in line(
        ProgressCounts("people", items=3, total=9, requests_left=2), ActivityMonitor(), None
    )


def test_requests_left_follow_from_the_pages_so_far() -> None:
    assert pages_left(175, 7, 480) == 13
    assert pages_left(480, 20, 480) == 0
    assert (pages_left(0, 0, 480), pages_left(10, 1, None)) == (None, None)
