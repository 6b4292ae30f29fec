"""The events of calls: their order, their listeners, and what they must not contain."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextvars import ContextVar

import anyio
import anyio.lowlevel
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_provider import (
    LIST,
    LOST,
    ROUTED,
    SEND,
    THING,
    UNREACHED,
    ListParams,
    SampleClient,
    SendParams,
    ThingParams,
    refused,
    reply,
)

import lix_async
from lix_async import RateLimit, RetryPolicy
from lix_async.core.errors import (
    BudgetError,
    ConfigurationError,
    DeadlineError,
    LixError,
    NotFoundError,
    TransportError,
)
from lix_async.core.wire import HttpResponse
from lix_async.engine.recording import RecordingEngine, recorded_call, replaying_engine
from lix_async.events import (
    AttemptEnded,
    AttemptStarted,
    CacheHit,
    CallEnded,
    CallStarted,
    Event,
    EventStream,
    Held,
    WaitStarted,
)
from lix_async.limiters.base import Limiter
from lix_async.testing import VirtualClock

ONE = ThingParams(id="1")
FINE = reply(200, {"id": "a"})
LETTERS = {
    CallStarted: "S",
    WaitStarted: "w",
    AttemptStarted: "a",
    AttemptEnded: "e",
    CallEnded: "E",
}
GRAMMAR = re.compile(r"S(?:w*ae)*w*E")


def grammatical(events: Iterable[Event]) -> int:
    """Check the order of the events of each call; the number of calls."""
    calls: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.call is not None:
            calls[event.call].append(event)
    for found in calls.values():
        text = "".join(LETTERS[type(event)] for event in found)
        assert GRAMMAR.fullmatch(text), text
        attempts = [event.attempt for event in found if isinstance(event, AttemptStarted)]
        ends = [event for event in found if isinstance(event, AttemptEnded)]
        end = found[-1]
        assert isinstance(end, CallEnded)
        assert attempts == [one.attempt for one in ends] == list(range(1, end.attempts + 1))
        assert end.lost == sum(one.lost for one in ends)
        assert [one.at for one in found] == sorted(one.at for one in found)
        assert (end.error is not None) == (end.outcome == "error")
    return len(calls)


def waits(events: Iterable[Event]) -> list[str]:
    return [event.reason for event in events if isinstance(event, WaitStarted)]


class LowestDraws(VirtualClock):
    """A virtual clock that draws the lower end of a range."""

    def between(self, low: float, high: float) -> float:
        return low


@pytest.mark.anyio
async def test_a_call_with_retries_says_what_it_waits_for():
    events: list[Event] = []
    async with LowestDraws() as clock:
        client = SampleClient(
            refused(429, "rate_limit"), reply(503), FINE,
            rate_limit=RateLimit(1, per=3.0), clock=clock, on_event=events.append,
        )  # fmt: skip
        answer = await client.send(THING, ONE)
    assert grammatical(events) == 1
    assert waits(events) == ["permit", "held", "permit", "retry", "permit"]
    started, ended = events[0], events[-1]
    assert started == CallStarted(
        call=started.call, endpoint="thing.get", at=1_700_000_000.0, provider="sample",
        method="GET", path="/v1/things/{id}", idempotent=True, host="sample.example", port=443,
    )  # fmt: skip
    assert isinstance(ended, CallEnded)
    assert (ended.attempts, ended.outcome, ended.error, ended.lost) == (3, "ok", None, 0)
    assert (ended.credits, ended.credit_kind) == (2, "standard") == (answer.credits, "standard")
    assert ended.seconds == ended.waited == answer.waited == clock.now() > 6
    found = [event for event in events if isinstance(event, AttemptEnded)]
    assert [one.status for one in found] == [429, 503, 200]
    assert [one.error for one in found] == ["RateLimitError", "ServerError", None]
    assert [one.kind for one in found] == ["rate_limit", "503", ""]
    assert found[-1].received == len(FINE.body)
    assert [one.seconds for one in events if isinstance(one, Held)] == [3.0]
    assert [one.call for one in events if isinstance(one, Held)] == [None]


@pytest.mark.anyio
async def test_queued_is_a_reason_of_its_own_and_a_lost_answer_is_counted():
    events: list[Event] = []
    queued, client = refused(202, "queued"), None
    client = SampleClient(queued, LOST, UNREACHED, FINE, on_event=[events.append])
    await client.send(THING, ONE)
    assert waits(events) == ["queued", "retry", "retry"]
    found = [event for event in events if isinstance(event, AttemptEnded)]
    assert [(one.status, one.error, one.lost) for one in found] == [
        (202, "QueuedError", False),
        (0, "TransportError", True),
        (0, "TransportError", False),
        (200, None, False),
    ]
    assert isinstance(events[-1], CallEnded)
    assert events[-1].lost == 1


@pytest.mark.anyio
async def test_what_prevents_a_call_is_one_of_its_events():
    class Closed:
        def begin(self, endpoint: object, params: object, wall: float) -> object:
            raise NotFoundError("no", status=404)

    class Unreachable(Limiter):
        async def acquire(self) -> None:
            raise TransportError("no server")

        async def hold(self, seconds: float) -> None: ...

    refusals = [
        ({"observer": Closed()}, NotFoundError, "SE"),
        ({"max_credits": 1}, BudgetError, "SE"),
        ({"rate_limit": Unreachable()}, TransportError, "SwE"),
    ]
    for options, kind, text in refusals:
        events: list[Event] = []
        client = SampleClient(FINE, on_event=events.append, **options)  # type: ignore[arg-type]
        with pytest.raises(kind):
            await client.send(THING, ONE)
        assert "".join(LETTERS[type(event)] for event in events) == text
        assert isinstance(events[-1], CallEnded)
        assert (events[-1].outcome, events[-1].error) == ("error", kind.__name__)
        assert [one.seconds for one in events if isinstance(one, WaitStarted)] in ([], [None])
        assert client.script.sent == []


@pytest.mark.anyio
async def test_an_argument_that_is_not_valid_is_no_call():
    events: list[Event] = []
    with pytest.raises(ConfigurationError):
        await SampleClient(FINE, on_event=events.append).send(SEND, SendParams(to="", text=""))
    assert events == []


@pytest.mark.anyio
async def test_each_path_of_an_endpoint_is_an_attempt():
    events: list[Event] = []
    unknown = refused(404, "unknown_route")
    client = SampleClient(unknown, FINE, on_event=events.append)
    await client.send(ROUTED, ONE)
    await client.send(ROUTED, ONE)
    assert grammatical(events) == 2
    starts = [event for event in events if isinstance(event, CallStarted)]
    assert [one.path for one in starts] == ["/v1/a/{id}", "/v1/b/{id}"]
    assert [one.attempts for one in events if isinstance(one, CallEnded)] == [2, 1]


@pytest.mark.anyio
async def test_a_deadline_is_an_error_and_a_cancellation_is_not():
    events: list[Event] = []

    async def never(_: object) -> object:
        await anyio.sleep_forever()

    async with VirtualClock() as clock:
        client = SampleClient(never, clock=clock, deadline=5.0, on_event=events.append)
        with pytest.raises(DeadlineError):
            await client.send(THING, ONE)
    client = SampleClient(never, on_event=events.append)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, THING, ONE)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert grammatical(events) == 2
    attempts = [event for event in events if isinstance(event, AttemptEnded)]
    assert [(one.error, one.status, one.lost) for one in attempts] == [("cancelled", 0, True)] * 2
    ends = [(one.outcome, one.error) for one in events if isinstance(one, CallEnded)]
    assert ends == [("error", "DeadlineError"), ("cancelled", None)]


@pytest.mark.anyio
async def test_who_waits_for_a_permit_and_leaves_has_made_no_attempt():
    events: list[Event] = []
    clock = VirtualClock()  # stands still
    rate = RateLimit(1, per=60.0)
    client = SampleClient(FINE, clock=clock, rate_limit=rate, on_event=events.append)
    await client.send(THING, ONE)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, THING, ONE)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert grammatical(events) == 2
    *_, started, waiting, ended = events
    assert isinstance(started, CallStarted)
    assert isinstance(waiting, WaitStarted)
    assert waiting.seconds == pytest.approx(61.2)
    assert isinstance(ended, CallEnded)
    assert (ended.attempts, ended.outcome) == (0, "cancelled")


class Stopping:
    """Hooks that let no request leave."""

    async def departing(self) -> None:
        raise LookupError("another owner has it")

    def departed(self) -> None: ...

    async def received(self, response: HttpResponse) -> None: ...


class Failing(Stopping):
    """Hooks that cannot store an answer."""

    async def departing(self) -> None: ...

    async def received(self, response: HttpResponse) -> None:
        raise OSError("the disk is full")


@pytest.mark.anyio
async def test_hooks_that_let_no_request_leave_give_the_call_up():
    events: list[Event] = []
    clock = VirtualClock()
    limiter = lix_async.LocalLimiter(RateLimit(1, per=60.0), clock=clock)
    client = SampleClient(FINE, rate_limit=limiter, clock=clock, on_event=events.append)
    with pytest.raises(LookupError):
        await client.engine.send(THING, ONE, hooks=Stopping())
    assert limiter.estimated_wait() == 0.0  # its permit was returned
    with pytest.raises(OSError, match="full"):
        await client.engine.send(THING, ONE, hooks=Failing())
    assert grammatical(events) == 2
    ends = [(one.outcome, one.error) for one in events if isinstance(one, CallEnded)]
    assert ends == [("cancelled", None), ("error", "OSError")]
    (attempt,) = [one for one in events if isinstance(one, AttemptEnded)]
    assert (attempt.status, attempt.error, attempt.received) == (200, "OSError", len(FINE.body))


@pytest.mark.anyio
async def test_every_page_of_a_listing_is_a_call():
    events: list[Event] = []
    pages = [reply(200, {"things": [{"id": str(n)}]}) for n in range(2)]
    client = SampleClient(*pages, reply(200, {"things": []}), on_event=events.append)
    async for _ in client.pages(LIST, ListParams()):
        pass
    assert grammatical(events) == len(client.script.sent) >= 3


@pytest.mark.anyio
async def test_recorded_and_replayed_calls_have_no_events(caplog: pytest.LogCaptureFixture):
    events: list[Event] = []
    caplog.set_level(1)
    client = SampleClient(FINE, on_event=events.append)
    view = client.with_engine(RecordingEngine(client.engine))
    assert recorded_call(view.send(THING, ONE)) is not None
    replayed = replaying_engine(client.engine, refused(404, "not_found"))
    with pytest.raises(NotFoundError):
        await replayed.send(THING, ONE)
    assert (events, caplog.records) == ([], [])


# Listeners


@pytest.mark.anyio
async def test_views_share_the_listeners_and_a_removed_one_hears_nothing():
    first: list[Event] = []
    second: list[Event] = []
    client = SampleClient(FINE)
    remove = client.with_options(deadline=9.0).events.add(first.append)
    removal: list[Callable[[], None]] = []

    def until_sent(event: Event) -> None:
        second.append(event)
        if isinstance(event, AttemptStarted):
            removal[0]()

    removal.append(client.events.add(until_sent))
    await client.send(THING, ONE)
    assert (len(first), len(second)) == (4, 2)
    remove()
    remove()  # without effect
    await client.with_options(deadline=3.0).send(THING, ONE)
    assert (len(first), len(second)) == (4, 2)


@pytest.mark.anyio
async def test_a_listener_that_is_added_during_a_call_hears_whole_calls_only():
    late: list[Event] = []

    def fault(_: object) -> HttpResponse:
        client.events.add(late.append)
        return FINE

    client = SampleClient(fault, FINE)
    await client.send(THING, ONE)
    assert late == []
    await client.send(THING, ONE)
    assert grammatical(late) == 1


@pytest.mark.anyio
async def test_a_listener_that_raises_costs_no_answer_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
):
    heard: list[Event] = []
    calls: list[Event] = []

    def broken(event: Event) -> None:
        calls.append(event)
        if isinstance(event, AttemptStarted):
            raise ValueError("with a link of somebody")

    client = SampleClient(FINE, on_event=[broken, heard.append])
    for _ in range(2):
        assert (await client.send(THING, ONE)).value.id == "a"
    assert [LETTERS[type(event)] for event in calls] == ["S", "a", "S", "a"]
    assert grammatical(heard) == 2
    warnings = [record.getMessage() for record in caplog.records]
    assert warnings == [
        "a listener raised ValueError (AttemptStarted) and receives no more events of that call"
    ]


@pytest.mark.anyio
async def test_an_event_of_no_call_goes_to_all_listeners_that_work():
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise ValueError

    stream = EventStream([broken, heard.append])
    hit = CacheHit(endpoint="thing.get", at=1.0, source="ledger", saved=2, credit_kind="standard")
    stream.emit(hit)
    assert heard == [hit]


@pytest.mark.anyio
async def test_listeners_run_in_the_context_of_the_caller():
    caller: ContextVar[str] = ContextVar("caller", default="")
    seen: set[tuple[str, str]] = set()
    client = SampleClient(
        reply(503), FINE, on_event=lambda event: seen.add((caller.get(), event.endpoint))
    )
    caller.set("me")
    await client.send(THING, ONE)
    assert seen == {("me", "thing.get")}


@pytest.mark.parametrize("listener", [3, "text", [3], [None]], ids=repr)
def test_a_listener_must_be_a_function(listener: object):
    with pytest.raises(ConfigurationError, match=r"on_event|listener"):
        SampleClient(FINE, on_event=listener)


def test_a_listener_must_not_be_a_coroutine_function():
    async def listener(event: Event) -> None: ...

    with pytest.raises(ConfigurationError, match="coroutine"):
        SampleClient(FINE).events.add(listener)  # type: ignore[arg-type]


# What they contain


@pytest.mark.anyio
async def test_no_event_has_anything_of_a_parameter_an_answer_or_the_key(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(1)
    key, link = "SENTINEL-0123456789abcdef", "https://www.linkedin.com/in/SENTINEL"
    events: list[Event] = []
    answers = [
        refused(503, f"{key} {link}", f"{key} {link}"),
        refused(400, link, link),
        reply(200, b"<html>" + key.encode()),
        reply(200, {"id": f"{key} {link}"}),
        LOST,
    ]
    for answer in answers:
        client = SampleClient(
            answer, api_key=key, on_event=events.append, retry=RetryPolicy(attempts=2)
        )
        params = ThingParams(id=link, note=key, viewer_id=key)
        try:
            await client.send(THING, params)
        except LixError:
            pass
    text = repr(events) + msgspec.json.encode(events).decode() + caplog.text
    text += "".join(repr(record.__dict__) for record in caplog.records)
    assert "SENTINEL" not in text
    assert {event.path for event in events if isinstance(event, CallStarted)} == {"/v1/things/{id}"}


def test_events_are_frozen():
    event = Held(endpoint="thing.get", at=1.0, seconds=3.0)
    with pytest.raises(AttributeError):
        event.seconds = 4.0  # type: ignore[misc]


# The grammar, under faults

FAULTS = st.sampled_from(
    [
        FINE,
        LOST,
        UNREACHED,
        reply(503),
        reply(502),
        reply(500),
        refused(429, "rate_limit"),
        refused(429, "rate_limit", retry_after="9"),
        refused(429, "daily_limit"),
        refused(202, "queued"),
        refused(404, "not_found"),
        reply(200, b"<html>"),
        "cancel",
    ]
)


@settings(max_examples=60)
@given(
    faults=st.lists(FAULTS, max_size=12),
    calls=st.integers(1, 4),
    acts=st.booleans(),
    rate=st.sampled_from([None, RateLimit(1, per=3.0)]),
    deadline=st.sampled_from([None, 0.5, 20.0]),
    budget=st.sampled_from([None, 3]),
    backend=st.sampled_from(["asyncio", "trio"]),
)
def test_the_events_of_every_call_keep_to_the_grammar(
    faults: list[object],
    calls: int,
    acts: bool,
    rate: RateLimit | None,
    deadline: float | None,
    budget: int | None,
    backend: str,
):
    events: list[Event] = []
    scopes: list[anyio.CancelScope] = []
    ended = 0

    def script(fault: object) -> object:
        if fault != "cancel":
            return fault

        async def cancelled(_: object) -> object:
            scopes.pop().cancel()
            await anyio.lowlevel.checkpoint()
            return FINE

        return cancelled

    async def call(client: SampleClient) -> None:
        nonlocal ended
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            try:
                if acts:
                    await client.send(SEND, SendParams(to="a", text="b"))
                else:
                    await client.send(THING, ONE)
            except LixError:
                pass
        if scope in scopes:
            scopes.remove(scope)
        ended += 1

    async def main() -> None:
        clock = Hurried()
        client = SampleClient(
            *map(script, faults), FINE,
            clock=clock, rate_limit=rate, deadline=deadline, max_credits=budget,
            on_event=events.append,
        )  # fmt: skip
        async with anyio.create_task_group() as tasks:
            for _ in range(calls):
                tasks.start_soon(call, client)

    anyio.run(main, backend=backend)
    assert ended == calls
    assert grammatical(events) == calls


class Hurried(VirtualClock):
    """A virtual clock on which each sleep lets all tasks run and then moves the time."""

    async def sleep(self, seconds: float) -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        self.advance(max(seconds, 0.0))
