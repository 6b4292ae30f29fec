"""The events of runs: what is handed out, why a run waits, and how it ended."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sample_provider import LOST, refused, settle

from lix_async import RateLimit, RetryPolicy, bulk
from lix_async.core.errors import BudgetError, RateLimitError, ServerError
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.events import (
    CallStarted,
    Event,
    OutcomeReady,
    RunEnded,
    RunParked,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from lix_async.sandbox import Sandbox
from lix_async.testing import VirtualClock, memory_client

from .conftest import Open
from .test_admission import Vendor, drained, thing

pytestmark = pytest.mark.anyio
LINKS = [f"https://www.linkedin.com/in/sandbox-person-{n}" for n in range(5)]


def of_runs(events: list[Event]) -> list[Event]:
    kinds = (RunStarted, OutcomeReady, RunParked, RunResumed, RunEnded)
    return [event for event in events if isinstance(event, kinds)]


async def test_every_outcome_is_an_event_also_from_the_ledger(tmp_path: Path) -> None:
    events: list[Event] = []
    async with memory_client(Sandbox(rate=None), on_event=events.append) as lix:
        links = LINKS[:2]
        for _ in range(2):
            async with bulk.Run(
                tmp_path / "a.db", lix.people.get, [*links, ""], name="crm", concurrency=1
            ) as run:
                outcomes = [outcome async for outcome in run]
    first, second = of_runs(events)[:5], of_runs(events)[5:]
    for found, cached in ((first, False), (second, True)):
        started, *ready, ended = found
        assert isinstance(started, RunStarted)
        assert (started.name, started.method, started.endpoint) == ("crm", "Lix people.get", "")
        states = [
            (one.endpoint, one.state, one.credits, one.cached)
            for one in ready
            if isinstance(one, OutcomeReady)
        ]
        done = ("person.get", "done", 0 if cached else 1, cached)
        assert sorted(states) == sorted([("", "invalid", 0, False), done, done])
        assert isinstance(ended, RunEnded)
        assert (ended.inputs, ended.done, ended.failed, ended.in_doubt) == (3, 2, 0, 0)
        assert ended.credits == (0 if cached else 2)
        assert len({one.run for one in found}) == 1  # type: ignore[attr-defined]
        assert {one.call for one in found} == {None}
    assert all(link not in repr(events) for link in links)
    assert len(outcomes) == 3


async def test_a_run_says_why_and_until_when_it_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lix_async.bulk")
    events: list[Event] = []
    async with VirtualClock() as clock:
        sandbox = Sandbox(rate=None, daily_allowance=3, clock=clock.now, wall=clock.wall)
        async with memory_client(sandbox, clock=clock, on_event=events.append) as lix:
            names = LINKS
            async with bulk.Run(
                tmp_path / "a.db", lix.people.get, names, check_balances=False, concurrency=1
            ) as run:
                assert [outcome.state async for outcome in run] == ["done"] * len(LINKS)
    found = [type(one).__name__ for one in of_runs(events) if not isinstance(one, OutcomeReady)]
    assert found == ["RunStarted", "RunParked", "RunResumed", "RunEnded"]
    (parked,) = [one for one in events if isinstance(one, RunParked)]
    assert parked.reason == "daily limit"
    assert parked.until is not None
    assert 0 < parked.until - parked.at <= 86_400
    bulk_records = [one for one in caplog.records if one.name == "lix_async.bulk"]
    texts = [record.getMessage() for record in bulk_records]
    assert texts[1].startswith("person.get: run 1 waits until 2023-11-15 ")
    assert texts[1].endswith(" UTC: daily limit")
    assert texts[2:] == [
        "person.get: run 1 resumed",
        "person.get: run 1 ended: 5 inputs, 5 done, 0 failed, 0 in doubt, 5 credits",
    ]


async def test_an_outage_is_one_pause_however_often_it_is_tried(tmp_path: Path) -> None:
    events: list[Event] = []
    async with VirtualClock() as clock:
        sandbox = Sandbox(rate=None, clock=clock.now, wall=clock.wall)
        async with memory_client(
            sandbox, clock=clock, on_event=events.append, retry=RetryPolicy(backoff=0.1)
        ) as lix:
            for name in ("unavailable",) * 9:
                sandbox.faults.force(name)
            names = LINKS
            async with bulk.Run(
                tmp_path / "a.db", lix.people.get, names, check_balances=False
            ) as run:
                assert [outcome.state async for outcome in run] == ["done"] * len(LINKS)
    found = [one for one in of_runs(events) if not isinstance(one, OutcomeReady)]
    kinds = [type(one) for one in found]
    assert kinds == [RunStarted, RunParked, RunResumed, RunEnded]
    assert isinstance(found[1], RunParked)
    assert found[1].reason == "outage: ServerError"


async def test_what_parks_a_run_is_reported_once(tmp_path: Path) -> None:
    events: list[Event] = []
    async with memory_client(Sandbox(rate=None), on_event=events.append) as lix:
        async with bulk.Run(tmp_path / "a.db", lix.people.get, LINKS) as run:
            async for _ in run:
                run.park("maintenance")
                run.park("again")
        with pytest.raises(BudgetError):
            async with bulk.Run(
                tmp_path / "b.db", lix.people.get, LINKS, max_credits=0, check_balances=False
            ) as run:
                async for _ in run:
                    pass
    parked = [(one.reason, one.until) for one in events if isinstance(one, RunParked)]
    assert parked == [("maintenance", None), ("BudgetError", None)]
    assert sum(isinstance(one, RunEnded) for one in events) == 2


async def test_a_run_whose_lookups_are_all_queued_says_so(tmp_path: Path) -> None:
    events: list[Event] = []
    async with VirtualClock() as clock:
        sandbox = Sandbox(rate=None, clock=clock.now, wall=clock.wall)
        async with memory_client(sandbox, clock=clock, on_event=events.append) as lix:
            sandbox.faults.force("queued")
            names = LINKS[:1]
            async with bulk.Run(
                tmp_path / "a.db", lix.people.get, names, check_balances=False
            ) as run:
                assert [outcome.state async for outcome in run] == ["done"]
    parked = [one for one in events if isinstance(one, RunParked)]
    assert parked
    for one in parked:
        assert one.reason == "queued"
        assert one.until is not None
        assert one.until - one.at > 100
    assert sum(isinstance(one, RunResumed) for one in events) == len(parked)
    assert sum(isinstance(one, CallStarted) for one in events) >= 2


async def test_a_run_says_that_it_waits_once_the_calls_under_way_have_ended(
    tmp_path: Path,
) -> None:
    events: list[Event] = []
    may_answer = anyio.Event()
    asked = 0

    async def answer(outgoing: HttpRequest) -> HttpResponse:
        nonlocal asked
        asked += 1
        if outgoing.target.endswith("/a"):
            return refused(202, "queued") if asked <= 2 else thing(outgoing)
        await may_answer.wait()
        return thing(outgoing)

    def parked() -> list[RunParked]:
        return [one for one in events if isinstance(one, RunParked)]

    clock = VirtualClock()  # it stands still until it is moved on
    vendor = Vendor(answer, clock=clock, on_event=events.append)
    states: list[str] = []
    async with bulk.Run(tmp_path / "a.db", vendor.get, ["a", "b"], concurrency=2) as run:

        async def consume() -> None:
            states.extend([outcome.state async for outcome in run])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(consume)
            while run.progress().queued < 1 or run.progress().in_flight != 1:
                await anyio.lowlevel.checkpoint()
            await settle()
            assert parked() == []
            may_answer.set()
            while not parked():
                await anyio.lowlevel.checkpoint()
            while len(states) < 2:
                clock.advance(600)
                await anyio.lowlevel.checkpoint()
    assert [one.reason for one in parked()] == ["queued"]
    assert states == ["done", "done"]


async def test_a_run_says_that_it_gets_no_permits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lix_async")
    async with VirtualClock() as clock:
        sandbox = Sandbox(rate=None, clock=clock.now, wall=clock.wall)
        rate = RateLimit(1, per=1.0)
        async with memory_client(sandbox, clock=clock, rate_limit=rate) as lix:
            sandbox.faults.force(*["rate_limit;retry-after=90"] * 2)
            with contextlib.suppress(RateLimitError):
                await lix.with_options(retry=RetryPolicy(attempts=1)).people.get(LINKS[1])
            assert "no permits" not in caplog.text, (
                "a call outside of a run says itself why it waits"
            )
            async with bulk.Run(
                tmp_path / "a.db", lix.people.get, LINKS[:1], check_balances=False
            ) as run:
                assert [outcome.state async for outcome in run] == ["done"]
    assert "person.get: no permits for 90.0 s after a 429" in caplog.text


async def test_a_run_without_a_rate_limit_says_that_a_lookup_waits_after_a_429(
    ledger: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lix_async.calls")
    answers = {"one": iter([refused(429, "too_many", retry_after="90")]), "two": iter([LOST])}
    events: list[Event] = []

    def answer(outgoing: HttpRequest) -> HttpResponse:
        return next(answers[outgoing.target.rsplit("/", 1)[-1]], thing(outgoing))

    async with VirtualClock() as clock:
        client = Vendor(answer, clock=clock, rate_limit=None, on_event=events.append)
        run = bulk.Run(ledger(), client.get, ["one", "two"], doubts="retry")
        assert {outcome.input: outcome.state for outcome in await drained(run)} == {
            "one": "done",
            "two": "in_doubt",
        }
    (wait,) = [event for event in events if isinstance(event, WaitStarted)]
    assert (wait.call, wait.reason) == (None, "held")
    assert wait.seconds is not None
    text = f"thing.get: waits {wait.seconds:.1f} s (held by 429)"
    assert [one for one in caplog.messages if "waits" in one] == [text]
    assert 90 <= wait.seconds < 100


@pytest.mark.parametrize("level", [logging.WARNING, logging.INFO])
async def test_a_run_with_failures_warns_once_at_its_end_at_any_level(
    ledger: Open, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level)
    retry = RetryPolicy(attempts=2)

    def answer(outgoing: HttpRequest) -> HttpResponse:
        return refused(500, "api_error") if outgoing.target.endswith("bad") else thing(outgoing)

    async with VirtualClock() as clock:
        client = Vendor(answer, clock=clock, rate_limit=None, retry=retry)
        outcomes = await drained(bulk.Run(ledger(), client.get, ["one", "bad", "two", "bad-bad"]))
        assert sorted(outcome.state for outcome in outcomes) == ["done", "done", "failed", "failed"]
        assert warnings(caplog) == [
            "thing.get: run 1 ended: 4 inputs, 2 done, 2 failed, 0 in doubt, 4 credits"
        ]
        with pytest.raises(ServerError):  # a call of the same task, which is none of the run
            await client.get("bad")
        assert warnings(caplog) == ["thing.get: ServerError after 2 attempts"]


async def test_each_logger_can_be_turned_on_alone(
    ledger: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.INFO, "lix_async.bulk")
    async with VirtualClock() as clock:
        run = bulk.Run(ledger(), Vendor(thing, clock=clock).get, ["one"])
        await drained(run)
        assert [record.getMessage() for record in caplog.records] == [
            "bulk: run 1 started: Sample get",
            "thing.get: run 1 ended: 1 input, 1 done, 0 failed, 0 in doubt, 2 credits",
        ]
        caplog.clear()
        caplog.set_level(logging.DEBUG, "lix_async.bulk")
        await drained(bulk.Run(ledger(), Vendor(thing, clock=clock).get, ["one"]))
        assert "thing.get: run 2: done, 0 credits, from the ledger" in caplog.messages


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The texts of the warnings since the last time."""
    found = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    caplog.clear()
    return found


async def test_a_preview_warns_where_the_run_takes_days(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with memory_client(Sandbox(rate=None, daily_allowance=3)) as lix:
        for count in (3, 4):
            found = await bulk.preview(tmp_path / "a.db", lix.people.get, LINKS[:count])
            assert found.exceeds_today == (count > (found.requests_left or 0))
    assert [(one.name, one.levelname) for one in caplog.records] == [("lix_async.bulk", "WARNING")]
    assert "takes more than a day" in caplog.text


async def test_a_wait_for_a_queued_lookup_ends_where_another_is_due_before(ledger: Open) -> None:
    """What fails while only a queued lookup is left is repeated after its own pause."""
    times: dict[str, list[float]] = {"queued": [], "slow": []}

    async def answer(outgoing: HttpRequest) -> HttpResponse:
        name = outgoing.target.rsplit("/", 1)[-1]
        times[name].append(clock.now())
        if len(times[name]) > 1:
            return thing(outgoing)
        if name == "queued":
            return refused(202, "queued")
        await clock.sleep(30)
        return refused(503, "api_error")

    events: list[Event] = []
    async with VirtualClock() as clock:
        vendor = Vendor(
            answer, clock=clock, on_event=events.append, retry=RetryPolicy(max_backoff=5)
        )
        run = bulk.Run(ledger(), vendor.get, list(times), queued_for=600, concurrency=2)
        outcomes = [(outcome.input, clock.now()) async for outcome in run]
    (slow, first), (queued, second) = outcomes
    assert (slow, queued) == ("slow", "queued")
    assert 30 < first < 40
    assert second >= 600
    (parked,) = [event for event in events if isinstance(event, RunParked)]
    assert parked.until is not None
    assert parked.until - parked.at > 500


async def test_a_failure_that_was_held_back_is_handed_out_once_others_are_answered(
    ledger: Open,
) -> None:
    """It does not wait until a lookup is due that the provider has queued."""

    async def answer(outgoing: HttpRequest) -> HttpResponse:
        name = outgoing.target.rsplit("/", 1)[-1]
        if name == "queued" and clock.now() < 600:
            return refused(202, "queued")
        if name == "bad":
            await clock.sleep(10)
            return refused(500, "api_error")
        if name == "slow":
            await clock.sleep(30)
        return thing(outgoing)

    async with VirtualClock() as clock:
        vendor = Vendor(answer, clock=clock, retry=RetryPolicy(attempts=1))
        inputs = ["queued", "bad", "slow"]
        run = bulk.Run(ledger(), vendor.get, inputs, queued_for=600, concurrency=3)
        outcomes = {outcome.input: (outcome.state, clock.now()) async for outcome in run}
    assert outcomes["slow"] == ("done", 30)
    assert outcomes["bad"] == ("failed", 30)
    assert outcomes["queued"][0] == "done"


async def test_a_failure_that_was_held_back_waits_for_no_queued_lookup(ledger: Open) -> None:
    """Where nothing else is answered it is handed out after a minute."""

    async def answer(outgoing: HttpRequest) -> HttpResponse:
        if outgoing.target.endswith("queued") and clock.now() < 600:
            return refused(202, "queued")
        if outgoing.target.endswith("bad"):
            await clock.sleep(10)
            return refused(500, "api_error")
        return thing(outgoing)

    async with VirtualClock() as clock:
        vendor = Vendor(answer, clock=clock, retry=RetryPolicy(attempts=1))
        run = bulk.Run(ledger(), vendor.get, ["queued", "bad"], queued_for=600, concurrency=2)
        outcomes = {outcome.input: (outcome.state, clock.now()) async for outcome in run}
    assert outcomes["bad"] == ("failed", 70)
    assert outcomes["queued"][0] == "done"
