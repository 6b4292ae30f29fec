"""One call: what is repeated, what is raised, and what an answer tells."""

from __future__ import annotations

import pickle

import anyio
import pytest
from sample_provider import (
    LIST,
    LOST,
    SEND,
    THING,
    UNREACHED,
    ListParams,
    SampleClient,
    SendParams,
    Thing,
    ThingParams,
    refused,
    reply,
)

from lix_async.core.errors import (
    ConfigurationError,
    DailyLimitError,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    QueuedError,
    RateLimitError,
    ServerError,
    TransportError,
)
from lix_async.core.rate_limit import RateLimit
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpResponse
from lix_async.engine.transport import TOO_LATE, TransportFailure
from lix_async.limiters.local import LocalLimiter

pytestmark = pytest.mark.anyio
ONE, MAIL = ThingParams(id="1"), SendParams(to="me", text="hi")
FINE = reply(200, {"id": "a", "size": "7"}, X_Twice="a", x_twice="b")


async def failed(client: SampleClient, kind: type[Exception], row=THING, params=ONE):
    with pytest.raises(kind) as caught:
        await client.send(row, params)
    assert type(caught.value) is kind
    return caught.value


async def test_an_answer_tells_everything_about_its_call():
    answer = await SampleClient(FINE).send(THING, ONE)
    assert (answer.value, answer.body) == (Thing(id="a", size=7), b'{"id":"a","size":"7"}')
    assert (answer.status, answer.attempts, answer.waited, answer.lost) == (200, 1, 0, 0)
    assert answer.headers == {"x-twice": "a, b"}
    assert answer.credits == 2


@pytest.mark.parametrize("fault", [LOST, UNREACHED, reply(500), refused(502, "api_error")], ids=str)
async def test_a_read_is_repeated_after_every_passing_fault(fault):
    client = SampleClient(fault, fault, fault, FINE)
    answer = await client.send(THING, ONE)
    assert (answer.attempts, len(client.script.sent)) == (4, 4)
    assert answer.lost == (3 if fault is LOST else 0)


async def test_it_gives_up_after_the_attempts_that_the_policy_allows():
    client = SampleClient(reply(500), retry=RetryPolicy(attempts=3))
    error = await failed(client, ServerError)
    assert (error.attempts, error.endpoint, len(client.script.sent)) == (3, "thing.get", 3)
    assert str(error) == "thing.get: status 500 (500)"
    assert (await failed(SampleClient(LOST), TransportError)).attempts == 4


async def test_pauses_grow_and_are_counted_as_waiting():
    class LongRetryPolicy(RetryPolicy, frozen=True):
        def next_delay(self, *args, **facts):
            pause = super().next_delay(*args, **facts)
            return pause and type(pause)(pause.high, pause.high, pause.hold_limiter)

    client = SampleClient(LOST, LOST, LOST, FINE, retry=LongRetryPolicy())
    answer = await client.send(THING, ONE)
    assert client.clock_used.slept == [0.5, 1, 2]
    assert answer.waited == 3.5


async def test_a_named_pause_is_kept_in_seconds_and_as_a_date():
    client = SampleClient(reply(503, retry_after="7"), FINE)
    await client.send(THING, ONE)
    assert client.clock_used.slept == [7]
    client = SampleClient(reply(503, retry_after="Tue, 14 Nov 2023 22:13:50 GMT"), FINE)
    await client.send(THING, ONE)
    assert client.clock_used.slept == [30]


async def test_a_pause_that_is_too_long_is_raised_at_once_and_named():
    client = SampleClient(refused(429, "rate_limit", retry_after="3600"))
    error = await failed(client, RateLimitError)
    assert (error.retry_after, error.attempts, error.status) == (3600, 1, 429)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refused(404, "not_found"), NotFoundError),
        (refused(429, "daily_limit"), DailyLimitError),
        (reply(200, b"<html>"), DecodeError),
        (TransportFailure("bad certificate", False, permanent=True), TransportError),
    ],
)
async def test_what_a_repeat_cannot_change_is_raised_at_once(fault, kind):
    client = SampleClient(fault)
    assert (await failed(client, kind)).attempts == 1
    assert client.clock_used.slept == []


async def test_a_daily_limit_with_a_pause_knows_when_it_ends():
    client = SampleClient(refused(429, "daily_limit", retry_after="60"))
    assert (await failed(client, DailyLimitError)).refreshes_at == 1_700_000_060
    client = SampleClient(
        reply(200, {"error": {"type": "daily_limit", "refreshesAt": 5}}, retry_after="60")
    )
    assert (await failed(client, DailyLimitError)).refreshes_at == 5


@pytest.mark.parametrize("status", [200, 202, 400, 429, 503])
async def test_queued_is_polled_at_its_own_interval_beside_the_failures(status):
    """For any status; three failures in between do not count as polls."""
    queued = refused(status, "queued")
    client = SampleClient(queued, LOST, queued, LOST, queued, LOST, queued, FINE)
    answer = await client.send(THING, ONE)
    assert answer.attempts == 8
    assert client.clock_used.slept == [60, 0, 60, 0, 60, 0, 60]


async def test_queued_is_raised_after_the_last_poll():
    client = SampleClient(
        refused(200, "queued"), retry=RetryPolicy(queued_attempts=2, queued_interval=5)
    )
    error = await failed(client, QueuedError)
    assert (error.attempts, client.clock_used.slept) == (3, [5, 5])


async def test_a_send_is_repeated_only_while_nothing_was_sent():
    client = SampleClient(UNREACHED, UNREACHED, reply(200, {"ok": True}))
    assert (await client.send(SEND, MAIL)).attempts == 3


async def test_a_send_that_may_have_arrived_is_never_repeated():
    client = SampleClient(UNREACHED, LOST, reply(200, {"ok": True}))
    error = await failed(client, OutcomeUnknownError, SEND, MAIL)
    assert (error.sent, error.attempts, len(client.script.sent)) == (True, 2, 2)
    assert str(error).startswith(
        "send: the connection broke; the request may have been carried out"
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reply(500), ServerError),
        (refused(429, "rate_limit", retry_after="1"), RateLimitError),
        (refused(503, "queued"), QueuedError),
        (refused(502, "rate_limit"), RateLimitError),
    ],
)
async def test_a_send_that_was_answered_is_never_repeated(fault, kind):
    client = SampleClient(fault)
    assert (await failed(client, kind, SEND, MAIL)).attempts == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *((reply(status, b"<html>"), ServerError) for status in (502, 504, 522, 524)),
        (refused(504, "api_error"), ServerError),
        *((reply(200, body), DecodeError) for body in (b"[]", b"", b"<html>", b'{"ok": tr')),
    ],
)
async def test_a_send_without_the_answer_of_the_api_may_have_been_carried_out(fault, kind):
    """A gateway lost the answer, or the answer of success cannot be read. A read says so."""
    error = await failed(SampleClient(fault), OutcomeUnknownError, SEND, MAIL)
    assert (error.sent, error.attempts) == (True, 1)
    assert type(error.__cause__) is kind
    await failed(SampleClient(fault, retry=RetryPolicy(attempts=1)), kind)


async def test_a_refusal_has_the_headers_of_its_answer():
    error = await failed(
        SampleClient(refused(404, "not_found", X_Request_Id="7", x_request_id="8")), NotFoundError
    )
    assert error.headers == {"x-request-id": "7, 8"}
    assert pickle.loads(pickle.dumps(error)).headers == error.headers
    assert NotFoundError("no answer").headers == {}


async def test_bad_arguments_are_refused_before_anything_is_sent():
    client = SampleClient(FINE)
    error = await failed(client, ConfigurationError, SEND, SendParams(to="", text="hi"))
    assert str(error) == "to must not be empty"
    for params in (ThingParams(id=".."), ThingParams(id="\ud800"), ThingParams(id=7)):
        await failed(client, ConfigurationError, THING, params)
    await failed(client, ConfigurationError, THING, MAIL)
    assert client.script.sent == []


@pytest.mark.parametrize("viewer", [None, "me"])
async def test_an_empty_viewer_is_an_error_and_is_never_sent(viewer):
    client = SampleClient(FINE, viewer_id=viewer)
    error = await failed(client, ConfigurationError, LIST, ListParams(viewer_id=""))
    assert str(error) == "viewer_id must not be empty: leave it out or pass None"
    with pytest.raises(ConfigurationError, match="viewer_id must not be empty"):
        client.pages(LIST, ListParams(viewer_id=""))
    assert client.script.sent == []


async def test_the_viewer_goes_along_wherever_a_call_takes_one_and_has_none():
    client = SampleClient(FINE, viewer_id="me")
    await client.send(THING, ONE)
    await client.send(THING, ThingParams(id="1", viewer_id="other"))
    await client.send(SEND, MAIL)
    await client.with_options(viewer_id=None).send(THING, ONE)
    assert client.script.targets == [
        "/v1/things/1?viewer_id=me",
        "/v1/things/1?viewer_id=other",
        "/v1/send?to=me",
        "/v1/things/1",
    ]


class RecordingLimiter(LocalLimiter):
    """A limiter that records the calls of its methods."""

    def __init__(self, clock) -> None:
        super().__init__(RateLimit(1, per=3.0, margin=0), clock=clock)
        self.recorded: list[object] = []

    async def hold(self, seconds: float) -> None:
        self.recorded.append(("hold", seconds))
        await super().hold(seconds)

    def refund(self) -> None:
        self.recorded.append("give back")
        super().refund()

    def report_delay(self, seconds: float) -> None:
        if seconds > 0:
            self.recorded.append(("late", seconds))
        super().report_delay(seconds)


def limited(*answers, **settings) -> tuple[SampleClient, RecordingLimiter]:
    client = SampleClient(*answers, **settings)
    limiter = RecordingLimiter(client.clock_used)
    client.engine.limiter = limiter
    return client, limiter


async def test_every_attempt_waits_for_a_permit_of_its_own():
    client, limiter = limited(LOST, LOST, FINE)
    assert (await client.send(THING, ONE)).waited == 6
    assert (client.clock_used.now(), limiter.recorded) == (6, [])


DATED = refused(
    429,
    "rate_limit",
    retry_after="Thu, 01 Jan 1998 00:00:10 GMT",
    date="Thu, 01 Jan 1998 00:00:00 GMT",
)
"""By a clock that is not this machine's."""


@pytest.mark.parametrize(
    ("fault", "row", "held"),
    [
        (refused(429, "rate_limit", retry_after="10"), THING, [10, 10, 10, 10]),
        (DATED, THING, [10, 10, 10, 10]),
        (refused(429, "rate_limit"), THING, [3, 6, 12, 3]),
        (refused(429, "rate_limit", retry_after="10"), SEND, [10]),
        (refused(429, "rate_limit", retry_after="9999"), THING, [120]),
        (refused(429, "daily_limit", retry_after="9999"), THING, []),
        (reply(503, retry_after="10"), SEND, []),
    ],
)
async def test_a_429_holds_everybody_also_when_its_own_call_gives_up(fault, row, held):
    client, limiter = limited(fault)
    with pytest.raises((RateLimitError, ServerError)):
        await client.send(row, ONE if row is THING else MAIL)
    assert limiter.recorded == [("hold", seconds) for seconds in held]


async def test_who_leaves_late_says_so_at_once_and_not_when_the_answer_comes():
    client, limiter = limited(FINE)
    heard: list[list[object]] = []

    class Slow:
        async def exchange(self, outgoing, departure):
            departure.at = client.clock_used.now() + 0.25
            heard.append(list(limiter.recorded))
            return FINE

        async def aclose(self) -> None: ...

    client.engine.transport = Slow()
    await client.send(THING, ONE)
    assert heard == [[("late", 0.25)]]


class HeldUp:
    """A transport whose first request is ready to leave only after so many seconds."""

    def __init__(self, clock, seconds: float) -> None:
        self.clock = clock
        self.left: list[float] = []
        self.seconds = seconds

    async def exchange(self, outgoing, departure):
        if not self.left:
            await self.clock.sleep(self.seconds)
            self.left.append(0.0)
        if self.clock.now() > departure.latest:
            return TOO_LATE
        departure.at = self.clock.now()
        self.left.append(departure.at)
        return FINE

    async def aclose(self) -> None: ...


@pytest.mark.parametrize(("seconds", "leaves_at", "late"), [(2, 2, 2), (4, 4, 0)])
async def test_a_request_that_is_held_up_for_long_takes_another_permit(seconds, leaves_at, late):
    client, limiter = limited(FINE)
    limiter.permit_lifetime = 3.0
    client.engine.transport = transport = HeldUp(client.clock_used, seconds)
    answer = await client.send(THING, ONE)
    assert (transport.left[1:], answer.attempts) == ([leaves_at], 1)
    assert limiter.recorded == ([("late", late)] if late else [])


async def test_a_recorded_attempt_that_is_held_up_for_long_is_not_sent():
    """Whoever records it may be taken for dead by then."""
    client, limiter = limited(FINE, retry=RetryPolicy(attempts=1))
    limiter.permit_lifetime = 3.0
    client.engine.transport = transport = HeldUp(client.clock_used, 6)
    heard: list[object] = []

    class Hooks:
        async def departing(self) -> None:
            heard.append("departing")

        def departed(self) -> None:
            heard.append("departed")

        async def received(self, response: HttpResponse) -> None:
            heard.append(response.status)

    with pytest.raises(TransportError, match="permit has run out") as caught:
        await client.engine.send(THING, ONE, hooks=Hooks())
    assert (caught.value.sent, transport.left[1:], heard) == (False, [], ["departing"])


async def test_no_other_permit_may_come():
    client, limiter = limited(FINE, retry=RetryPolicy(attempts=1))
    limiter.permit_lifetime = 3.0
    client.engine.transport = HeldUp(client.clock_used, 4)
    acquire, asked = limiter.acquire, []

    async def once() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise TransportError("the store cannot be reached")
        await acquire()

    limiter.acquire = once
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await client.send(THING, ONE)
    assert not caught.value.sent


async def test_a_permit_is_refunded_only_if_nothing_was_sent():
    for departs, recorded in ((False, ["give back"]), (True, [])):
        client, limiter = limited(lambda _: anyio.sleep_forever())
        client.script.departs = departs
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, THING, ONE)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert limiter.recorded == recorded


async def test_hooks_hear_of_each_attempt_and_may_stop_it():
    client, limiter = limited(LOST, FINE)
    heard: list[object] = []

    class Hooks:
        async def departing(self) -> None:
            heard.append(len(client.script.sent))
            if len(heard) == 6:
                raise OSError("disk full")

        def departed(self) -> None:
            heard.append("departed")

        async def received(self, response: HttpResponse) -> None:
            heard.append(response.status)

    await client.engine.send(THING, ONE, hooks=Hooks())
    assert heard == [0, "departed", 1, "departed", 200]
    with pytest.raises(OSError, match="disk full"):
        await client.engine.send(THING, ONE, hooks=Hooks())
    assert (len(client.script.sent), limiter.recorded) == (2, ["give back"])
    assert (client.credits.lost, client.credits.total) == (2, 2)


async def test_who_is_cancelled_while_an_attempt_is_recorded_sends_nothing():
    """The hooks wait for the end of that, whatever comes."""
    client, limiter = limited(FINE)

    class Hooks:
        async def departing(self) -> None:
            scope.cancel()

        def departed(self) -> None: ...

        async def received(self, response: HttpResponse) -> None: ...

    with anyio.CancelScope() as scope:
        await client.engine.send(THING, ONE, hooks=Hooks())
    assert scope.cancelled_caught
    assert (client.script.sent, limiter.recorded) == ([], ["give back"])
    assert (client.credits.lost, client.credits.total) == (0, 0)
