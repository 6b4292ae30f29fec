"""One call: what is repeated, what is raised, and what an answer tells."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import (
    LIST,
    LOST,
    SEND,
    THING,
    UNREACHED,
    ListParams,
    SendParams,
    Thing,
    ThingParams,
    Toy,
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
from lix_async.engine.transport import TransportFailure
from lix_async.limiters.local import LocalLimiter

pytestmark = pytest.mark.anyio
ONE, MAIL = ThingParams(id="1"), SendParams(to="me", text="hi")
FINE = reply(200, {"id": "a", "size": "7"}, X_Twice="a", x_twice="b")


async def failed(toy: Toy, kind: type[Exception], row=THING, params=ONE):
    with pytest.raises(kind) as caught:
        await toy.send(row, params)
    assert type(caught.value) is kind
    return caught.value


async def test_an_answer_tells_everything_about_its_call():
    answer = await Toy(FINE).send(THING, ONE)
    assert (answer.value, answer.body) == (Thing(id="a", size=7), b'{"id":"a","size":"7"}')
    assert (answer.status, answer.attempts, answer.waited, answer.lost) == (200, 1, 0, 0)
    assert answer.headers == {"x-twice": "a, b"}
    assert answer.credits == 2


@pytest.mark.parametrize("fault", [LOST, UNREACHED, reply(500), refused(502, "api_error")], ids=str)
async def test_a_read_is_repeated_after_every_passing_fault(fault):
    toy = Toy(fault, fault, fault, FINE)
    answer = await toy.send(THING, ONE)
    assert (answer.attempts, len(toy.script.sent)) == (4, 4)
    assert answer.lost == (3 if fault is LOST else 0)


async def test_it_gives_up_after_the_attempts_that_the_policy_allows():
    toy = Toy(reply(500), retry=RetryPolicy(attempts=3))
    error = await failed(toy, ServerError)
    assert (error.attempts, error.endpoint, len(toy.script.sent)) == (3, "thing.get", 3)
    assert str(error) == "thing.get: status 500 (500 500)"
    assert (await failed(Toy(LOST), TransportError)).attempts == 4


async def test_pauses_grow_and_are_counted_as_waiting():
    class Patient(RetryPolicy, frozen=True):
        def next_delay(self, *args, **facts):
            pause = super().next_delay(*args, **facts)
            return pause and type(pause)(pause.high, pause.high, pause.hold_limiter)

    toy = Toy(LOST, LOST, LOST, FINE, retry=Patient())
    answer = await toy.send(THING, ONE)
    assert toy.clock_used.slept == [0.5, 1, 2]
    assert answer.waited == 3.5


async def test_a_named_pause_is_kept_in_seconds_and_as_a_date():
    toy = Toy(reply(503, retry_after="7"), FINE)
    await toy.send(THING, ONE)
    assert toy.clock_used.slept == [7]
    toy = Toy(reply(503, retry_after="Tue, 14 Nov 2023 22:13:50 GMT"), FINE)
    await toy.send(THING, ONE)
    assert toy.clock_used.slept == [30]


async def test_a_pause_that_is_too_long_is_raised_at_once_and_named():
    toy = Toy(refused(429, "rate_limit", retry_after="3600"))
    error = await failed(toy, RateLimitError)
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
    toy = Toy(fault)
    assert (await failed(toy, kind)).attempts == 1
    assert toy.clock_used.slept == []


async def test_a_daily_limit_with_a_pause_knows_when_it_ends():
    toy = Toy(refused(429, "daily_limit", retry_after="60"))
    assert (await failed(toy, DailyLimitError)).refreshes_at == 1_700_000_060
    toy = Toy(reply(200, {"error": {"type": "daily_limit", "refreshesAt": 5}}, retry_after="60"))
    assert (await failed(toy, DailyLimitError)).refreshes_at == 5


@pytest.mark.parametrize("status", [200, 202, 400, 429, 503])
async def test_queued_is_polled_at_its_own_pace_beside_the_failures(status):
    """At whatever status it comes; three failures in between do not use up its patience."""
    queued = refused(status, "queued")
    toy = Toy(queued, LOST, queued, LOST, queued, LOST, queued, FINE)
    answer = await toy.send(THING, ONE)
    assert answer.attempts == 8
    assert toy.clock_used.slept == [60, 0, 60, 0, 60, 0, 60]


async def test_queued_is_raised_after_the_last_poll():
    toy = Toy(refused(200, "queued"), retry=RetryPolicy(queued_attempts=2, queued_interval=5))
    error = await failed(toy, QueuedError)
    assert (error.attempts, toy.clock_used.slept) == (3, [5, 5])


async def test_a_send_is_repeated_only_while_nothing_was_sent():
    toy = Toy(UNREACHED, UNREACHED, reply(200, {"ok": True}))
    assert (await toy.send(SEND, MAIL)).attempts == 3


async def test_a_send_that_may_have_arrived_is_never_repeated():
    toy = Toy(UNREACHED, LOST, reply(200, {"ok": True}))
    error = await failed(toy, OutcomeUnknownError, SEND, MAIL)
    assert (error.sent, error.attempts, len(toy.script.sent)) == (True, 2, 2)
    assert str(error).startswith(
        "send: the connection broke; the request may have been carried out"
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reply(500), ServerError),
        (refused(429, "rate_limit", retry_after="1"), RateLimitError),
        (refused(200, "queued"), QueuedError),
        (reply(200, b"[]"), DecodeError),
    ],
)
async def test_a_send_that_was_answered_is_never_repeated(fault, kind):
    toy = Toy(fault)
    assert (await failed(toy, kind, SEND, MAIL)).attempts == 1


async def test_bad_arguments_are_refused_before_anything_is_sent():
    toy = Toy(FINE)
    error = await failed(toy, ConfigurationError, SEND, SendParams(to="", text="hi"))
    assert str(error) == "to must not be empty"
    for params in (ThingParams(id=".."), ThingParams(id="\ud800"), ThingParams(id=7)):
        await failed(toy, ConfigurationError, THING, params)
    await failed(toy, ConfigurationError, THING, MAIL)
    assert toy.script.sent == []


@pytest.mark.parametrize("viewer", [None, "me"])
async def test_an_empty_viewer_is_a_slip_and_is_never_sent(viewer):
    toy = Toy(FINE, viewer_id=viewer)
    error = await failed(toy, ConfigurationError, LIST, ListParams(viewer_id=""))
    assert str(error) == "viewer_id must not be empty: leave it out or pass None"
    with pytest.raises(ConfigurationError, match="viewer_id must not be empty"):
        toy.pages(LIST, ListParams(viewer_id=""))
    assert toy.script.sent == []


async def test_the_viewer_goes_along_wherever_a_call_takes_one_and_has_none():
    toy = Toy(FINE, viewer_id="me")
    await toy.send(THING, ONE)
    await toy.send(THING, ThingParams(id="1", viewer_id="other"))
    await toy.send(SEND, MAIL)
    await toy.with_options(viewer_id=None).send(THING, ONE)
    assert toy.script.targets == [
        "/v1/things/1?viewer_id=me",
        "/v1/things/1?viewer_id=other",
        "/v1/send?to=me",
        "/v1/things/1",
    ]


class Told(LocalLimiter):
    """Writes down what it is told."""

    def __init__(self, clock) -> None:
        super().__init__(RateLimit(1, per=3.0, margin=0), clock=clock)
        self.told: list[object] = []

    async def hold(self, seconds: float) -> None:
        self.told.append(("hold", seconds))
        await super().hold(seconds)

    def refund(self) -> None:
        self.told.append("give back")
        super().refund()

    def report_delay(self, seconds: float) -> None:
        self.told.append(("late", seconds))
        super().report_delay(seconds)


def limited(*answers, **settings) -> tuple[Toy, Told]:
    toy = Toy(*answers, **settings)
    limiter = Told(toy.clock_used)
    toy.engine.limiter = limiter
    return toy, limiter


async def test_every_attempt_waits_for_a_turn_of_its_own():
    toy, limiter = limited(LOST, LOST, FINE)
    assert (await toy.send(THING, ONE)).waited == 6
    assert (toy.clock_used.now(), limiter.told) == (6, [])


@pytest.mark.parametrize(
    ("fault", "row", "held"),
    [
        (refused(429, "rate_limit", retry_after="10"), THING, [10, 10, 10, 10]),
        (refused(429, "rate_limit"), THING, [3, 6, 12, 3]),
        (refused(429, "rate_limit", retry_after="10"), SEND, [10]),
        (refused(429, "rate_limit", retry_after="9999"), THING, [120]),
        (refused(429, "daily_limit", retry_after="9999"), THING, []),
        (reply(503, retry_after="10"), SEND, []),
    ],
)
async def test_a_429_holds_everybody_also_when_its_own_call_gives_up(fault, row, held):
    toy, limiter = limited(fault)
    with pytest.raises((RateLimitError, ServerError)):
        await toy.send(row, ONE if row is THING else MAIL)
    assert limiter.told == [("hold", seconds) for seconds in held]


async def test_who_leaves_late_says_so_at_once_and_not_when_the_answer_comes():
    toy, limiter = limited(FINE)
    heard: list[list[object]] = []

    class Slow:
        async def exchange(self, outgoing, departure):
            departure.at = toy.clock_used.now() + 0.25
            heard.append(list(limiter.told))
            return FINE

        async def aclose(self) -> None: ...

    toy.engine.transport = Slow()
    await toy.send(THING, ONE)
    assert heard == [[("late", 0.25)]]


async def test_a_call_that_never_left_gives_its_turn_back_and_one_that_left_does_not():
    for departs, told in ((False, ["give back"]), (True, [])):
        toy, limiter = limited(lambda _: anyio.sleep_forever())
        toy.script.departs = departs
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(toy.send, THING, ONE)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert limiter.told == told


async def test_a_journal_is_written_before_each_attempt_and_may_stop_it():
    toy, limiter = limited(LOST, FINE)
    written: list[int] = []

    async def departing() -> None:
        written.append(len(toy.script.sent))
        if len(written) == 3:
            raise OSError("disk full")

    await toy.engine.send(THING, ONE, before_send=departing)
    assert written == [0, 1]
    with pytest.raises(OSError, match="disk full"):
        await toy.engine.send(THING, ONE, before_send=departing)
    assert (len(toy.script.sent), limiter.told) == (2, ["give back"])
