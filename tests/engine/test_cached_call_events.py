"""The events and the log of calls that go through a cache: their attempts are those of one call."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_provider import (
    LIST,
    LOST,
    THING,
    UNREACHED,
    ListParams,
    SampleClient,
    Skipping,
    ThingParams,
    refused,
    reply,
)

from lix_async import LixError, RateLimit
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpRequest
from lix_async.engine.events import (
    AttemptStarted,
    CallEnded,
    CallStarted,
    Event,
    EventStream,
    Held,
    WaitStarted,
)
from lix_async.testing import VirtualClock

from .test_events import FAULTS, FINE, ONE, grammatical, waits

ONCE = RetryPolicy(attempts=1)


def ends(events: Iterable[Event]) -> list[CallEnded]:
    return [event for event in events if isinstance(event, CallEnded)]


@pytest.mark.anyio
async def test_the_attempts_of_a_lookup_are_one_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lix_async")
    events: list[Event] = []
    answers: list[Any] = [refused(429, "rate_limit"), LOST, refused(202, "queued"), FINE]
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "clock": Skipping()}
    async with SampleClient(*answers, on_event=events.append, **options) as client:
        answer = await client.send(THING, ONE)
        await client.send(THING, ONE)
    assert grammatical(events) == 1
    assert waits(events) == ["held", "queued"]  # the lowest pause before a retry is none
    (end,) = ends(events)
    assert (end.attempts, end.outcome, end.credits, end.lost) == (4, "ok", 2, 1)
    seconds = sum(one.seconds or 0 for one in events if isinstance(one, WaitStarted))
    assert end.waited == answer.waited == seconds > 60
    assert {record.levelname for record in caplog.records} == {"INFO"}
    assert "thing.get: waits 60.0 s (queued by the provider)" in caplog.text
    assert f"ok after 4 attempts, {end.seconds:.1f} s of which {seconds:.1f} waiting" in caplog.text


@pytest.mark.anyio
async def test_a_lookup_that_fails_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "clock": Skipping()}
    async with SampleClient(refused(500, "api_error"), **options) as client:
        with pytest.raises(LixError):
            await client.send(THING, ONE)
    assert [record.getMessage() for record in caplog.records] == [
        "thing.get: ServerError after 4 attempts"
    ]


@pytest.mark.anyio
async def test_a_record_that_an_earlier_client_asked_for_is_waited_for(tmp_path: Path) -> None:
    events: list[Event] = []
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "clock": Skipping()}
    never = RetryPolicy(queued_attempts=0)
    async with SampleClient(refused(202, "queued"), retry=never, **options) as client:
        with pytest.raises(LixError):
            await client.send(THING, ONE)
    async with SampleClient(FINE, on_event=events.append, **options) as client:
        await client.send(THING, ONE)
    assert grammatical(events) == 1
    assert [type(event) for event in events[:3]] == [CallStarted, WaitStarted, AttemptStarted]
    assert waits(events) == ["queued"]


@pytest.mark.anyio
async def test_an_older_answer_in_place_of_a_newer_one_is_an_error_of_the_call(
    tmp_path: Path,
) -> None:
    events: list[Event] = []
    clock = Skipping()
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "clock": clock, "retry": ONCE}
    async with SampleClient(FINE, reply(503), on_event=events.append, **options) as client:
        await client.send(THING, ONE)
        clock.time += 3600
        assert (await client.with_options(max_age=60.0).send(THING, ONE)).stale
    assert [(one.outcome, one.error) for one in ends(events)] == [
        ("ok", None),
        ("error", "ServerError"),
    ]


@pytest.mark.anyio
async def test_a_lookup_that_is_given_up_was_cancelled(tmp_path: Path) -> None:
    events: list[Event] = []
    rate, clock = RateLimit(1, per=30.0), VirtualClock()
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "rate_limit": rate, "clock": clock}
    async with SampleClient(FINE, on_event=events.append, **options) as client:
        await client.send(THING, ONE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, THING, ThingParams(id="2"))
            while len(waits(events)) < 2:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        while client.cache.flights:
            await anyio.lowlevel.checkpoint()
    assert grammatical(events) == 2
    assert [one.outcome for one in ends(events)] == ["ok", "cancelled"]


def listed(outgoing: HttpRequest) -> object:
    start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
    paging = {"total": 3, "count": 1, "start": start}
    return reply(200, {"things": [{"id": f"{start}"}], "paging": paging})


@pytest.mark.anyio
async def test_each_page_is_a_call(tmp_path: Path) -> None:
    events: list[Event] = []
    clock = Skipping()
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "cache_searches": True}
    async with SampleClient(listed, clock=clock, on_event=events.append, **options) as client:
        assert len(await client.pages(LIST, ListParams(q="q")).collect()) == 3
        clock.time += 3600  # the flight of the third page buys the first two as well
        fresh = client.with_options(max_age=60.0)
        assert len(await fresh.pages(LIST, ListParams(q="q")).collect()) == 3
    assert [one.attempts for one in ends(events)] == [1] * grammatical(events)
    assert grammatical(events) >= 6


def test_calls_of_other_endpoints_and_those_after_an_answer_are_their_own() -> None:
    events: list[Event] = []
    stream, clock = EventStream(events.append), VirtualClock()
    joined = stream.join_calls(THING, clock)
    assert joined.active
    joined.emit(Held(endpoint="thing.get", at=0.0, seconds=1.0))
    assert len(events) == 1
    first = joined.begin_call(THING, clock)
    assert joined.begin_call(LIST, clock).number != first.number == joined.call.number
    end: dict[str, Any] = {"attempts": 1, "waited": 0.0, "credits": 2, "lost": 0}
    first.ended("error", "ServerError", **end)
    assert joined.begin_call(THING, clock) is first
    first.ended("ok", None, **end)
    second = joined.begin_call(THING, clock)
    assert second.number != first.number
    assert [(one.call, one.outcome, one.credits) for one in ends(events)] == [
        (first.number, "ok", 4)
    ]
    joined.call.all_ended("ok", None)  # nothing has begun
    assert len(ends(events)) == 1


@settings(max_examples=40, deadline=None)
@given(
    faults=st.lists(FAULTS.filter(lambda one: one != "cancel"), max_size=10),
    calls=st.integers(1, 4),
    rate=st.sampled_from([None, RateLimit(1, per=3.0)]),
    seconds=st.sampled_from([None, 0.5, 20.0]),
    backend=st.sampled_from(["asyncio", "trio"]),
)
def test_the_events_of_cached_calls_keep_to_the_grammar(
    faults: list[Any], calls: int, rate: RateLimit | None, seconds: float | None, backend: str
) -> None:
    events: list[Event] = []

    async def call(client: SampleClient) -> None:
        try:
            await client.send(THING, ONE)
        except LixError:
            pass

    async def main(folder: str) -> None:
        client = SampleClient(
            *faults, UNREACHED, FINE,
            clock=Skipping(), rate_limit=rate, deadline=seconds, on_event=events.append,
            cache=Path(folder) / "ledger.db",
        )  # fmt: skip
        async with client:
            for _ in range(2):
                async with anyio.create_task_group() as tasks:
                    for _ in range(calls):
                        tasks.start_soon(call, client)

    with tempfile.TemporaryDirectory() as folder:
        anyio.run(main, folder, backend=backend)
    grammatical(events)
