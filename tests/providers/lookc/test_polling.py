"""Waiting for a lookup in the background: the intervals, the timeout, and errors meanwhile."""

from __future__ import annotations

import pickle
from typing import Any

import anyio
import pytest

from lix_async.core.errors import (
    AuthenticationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    PendingError,
    RefusalError,
    TransportError,
)
from lix_async.core.wire import HttpResponse
from lix_async.engine.transport import TransportFailure
from lix_async.providers.lookc.models import PersonByEmail
from lix_async.testing import VirtualClock

from .stub import (
    COMPLETE,
    ID,
    LOOKUP,
    LOST,
    PENDING,
    STATUS,
    WAITING,
    Stopwatch,
    Wire,
    client,
    says,
)

pytestmark = pytest.mark.anyio

EMAIL = "example.person+one@example.com"
SCHEDULE = [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def refused(kind: str, status: int = 400, **headers: str) -> HttpResponse:
    return says({"error": {"type": kind, "message": "no"}}, status, **headers)


def name(person: PersonByEmail) -> str | None:
    return person.hits[0].name


async def test_intervals_double_from_one_second_to_thirty() -> None:
    clock = Stopwatch()
    wire = Wire(lookup=[says(PENDING)], status=[*[WAITING] * 6, COMPLETE])
    async with client(wire, clock=clock) as lookc:
        assert name(await lookc.person_by_email(EMAIL)) == "Example Person 1"
        assert (lookc.credits.org, lookc.credits.unpriced) == (1, 7)
    assert clock.slept == SCHEDULE
    assert wire.paths == [LOOKUP, *[STATUS] * 7]


async def test_the_timeout_error_has_the_request_id() -> None:
    clock = Stopwatch()
    wire = Wire(lookup=[says(PENDING)], status=[WAITING])
    async with client(wire, clock=clock) as lookc:
        with pytest.raises(PendingError, match="after 60 s") as caught:
            await lookc.person_by_email(EMAIL, timeout=60.0)
        error = caught.value
        assert isinstance(error, DeadlineError)
        assert (error.request_id, error.endpoint) == (ID, "lookc.request_status")
        assert wire.paths.count(LOOKUP) == 1, "a poll never starts the lookup again"
        assert clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 28.0], "a last poll just before the end"
        assert error.attempts == 6
        wire._answers[STATUS] = [COMPLETE]
        assert name(await lookc.result(error.request_id)) == "Example Person 1"


async def test_the_error_can_be_pickled() -> None:
    with pytest.raises(PendingError) as caught:
        await client(Wire(lookup=[says(PENDING)], status=[WAITING])).person_by_email(EMAIL)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is PendingError
    assert (str(again), vars(again)) == (str(caught.value), vars(caught.value))


async def test_a_hanging_status_call_ends_at_the_timeout() -> None:
    async def hang(_: object) -> HttpResponse:
        await anyio.sleep_forever()
        raise AssertionError

    async with VirtualClock() as clock:
        lookc = client(Wire(lookup=[says(PENDING)], status=[hang]), clock=clock)
        with pytest.raises(PendingError) as caught:
            await lookc.person_by_email(EMAIL, timeout=20.0)
        assert (clock.now(), caught.value.request_id) == (20.0, ID)


async def test_virtual_time_passes_between_polls() -> None:
    wire = Wire(lookup=[says(PENDING)], status=[WAITING, WAITING, COMPLETE])
    async with VirtualClock() as clock:
        assert name(await client(wire, clock=clock).person_by_email(EMAIL)) == "Example Person 1"
        assert clock.now() == 7.0


async def test_a_short_timeout_still_polls_once() -> None:
    clock = Stopwatch()
    wire = Wire(lookup=[says(PENDING)], status=[WAITING])
    with pytest.raises(PendingError):
        await client(wire, clock=clock).person_by_email(EMAIL, timeout=0.5)
    assert (wire.paths, clock.slept) == ([LOOKUP, STATUS], [0.25])


@pytest.mark.parametrize("word", ["failed", "error", "cancelled", "Failed"])
async def test_a_status_of_failure_raises(word: str) -> None:
    wire = Wire(lookup=[says(PENDING)], status=[WAITING, says({"status": word, "data": None})])
    with pytest.raises(RefusalError, match=word) as caught:
        await client(wire).person_by_email(EMAIL)
    assert (caught.value.kind, caught.value.status, caught.value.attempts) == (word, 200, 2)
    assert word in caught.value.body
    with pytest.raises(RefusalError) as caught:
        await client(Wire(lookup=[says({"request_id": ID, "status": word})])).submit(EMAIL)
    assert caught.value.endpoint == "lookc.person_by_email"


async def test_a_failure_with_an_error_text_is_still_a_status() -> None:
    wire = Wire(status=[says({"status": "failed", "error": "mail server down"})])
    with pytest.raises(RefusalError) as caught:
        await client(wire).result(ID)
    assert caught.value.kind == "failed"
    assert "mail server down" in caught.value.body


@pytest.mark.parametrize("word", ["pending", "processing", "queued", "?", None])
async def test_every_other_status_means_pending(word: str | None) -> None:
    wire = Wire(lookup=[says(PENDING)], status=[says({"status": word}), COMPLETE])
    assert name(await client(wire).person_by_email(EMAIL)) == "Example Person 1"


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        says(b"<html>", 502),
        refused("rate_limit", 429),
        refused("queued", 200),
        refused("api_error", 500, retry_after="20"),
        says(b"<html>log in", 302),
        says(b"<html>log in"),
        says(b""),
        says(b"null"),
        says(b"<html>", 520),
    ],
)
async def test_temporary_errors_do_not_end_the_wait(error: Any) -> None:
    clock = Stopwatch()
    wire = Wire(lookup=[says(PENDING)], status=[error, error, COMPLETE])
    assert name(await client(wire, clock=clock).person_by_email(EMAIL)) == "Example Person 1"
    assert wire.paths == [LOOKUP, STATUS, STATUS, STATUS]
    named = getattr(error, "headers", None)
    assert clock.slept == ([1.0, 20.0, 30.0] if named else [1.0, 2.0, 4.0])


async def test_the_last_temporary_error_is_the_cause() -> None:
    wire = Wire(lookup=[says(PENDING)], status=[LOST])
    with pytest.raises(PendingError) as caught:
        await client(wire).person_by_email(EMAIL, timeout=10.0)
    assert isinstance(caught.value.__cause__, TransportError)


async def test_a_requested_delay_beyond_the_timeout_ends_the_wait() -> None:
    clock = Stopwatch()
    wire = Wire(lookup=[says(PENDING)], status=[refused("rate_limit", 429, retry_after="100")])
    with pytest.raises(PendingError) as caught:
        await client(wire, clock=clock).person_by_email(EMAIL, timeout=50.0)
    assert clock.slept == [1.0]
    assert caught.value.retry_at == clock.wall() + 100


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused("", 401), AuthenticationError),
        (refused("daily_limit", 429), DailyLimitError),
        (says(b"[]"), DecodeError),
        (
            TransportFailure("the certificate is not valid", sent=False, permanent=True),
            TransportError,
        ),
    ],
)
async def test_a_permanent_error_raises_at_once_with_the_request_id(
    answer: Any, error: type[Exception]
) -> None:
    wire = Wire(lookup=[says(PENDING)], status=[answer])
    with pytest.raises(error) as caught:
        await client(wire).person_by_email(EMAIL)
    assert not isinstance(caught.value, PendingError)
    assert ID in "".join(caught.value.__notes__)
    assert wire.paths == [LOOKUP, STATUS]


async def test_the_clients_deadline_applies_to_one_poll() -> None:
    async def hang_once(_: object) -> HttpResponse:
        if wire.paths.count(STATUS) == 1:
            await anyio.sleep_forever()
        return COMPLETE

    wire = Wire(lookup=[says(PENDING)], status=[hang_once])
    async with VirtualClock() as clock:
        lookc = client(wire, clock=clock, deadline=5.0)
        assert name(await lookc.person_by_email(EMAIL)) == "Example Person 1"
        assert clock.now() == 1.0 + 5.0 + 2.0


async def test_result_polls_at_the_same_intervals_after_the_first() -> None:
    clock = Stopwatch()
    wire = Wire(status=[*[WAITING] * 4, COMPLETE])
    await client(wire, clock=clock).result(ID)
    assert clock.slept == [0.0, 1.0, 2.0, 4.0, 8.0]


async def test_a_cancelled_wait_leaves_no_task() -> None:
    async with VirtualClock() as clock:
        wire = Wire(lookup=[says(PENDING)], status=[WAITING])
        lookc = client(wire, clock=clock)
        with clock.timeout(4.0) as scope:
            await lookc.person_by_email(EMAIL)
        assert scope.cancelled_caught
        assert wire.paths == [LOOKUP, STATUS, STATUS]
        wire._answers[STATUS] = [COMPLETE]
        assert name(await lookc.result(ID)) == "Example Person 1"


async def test_the_answer_of_a_lookup_that_is_polled_counts_all_of_its_calls():
    wire = Wire(lookup=[says(PENDING)], status=[WAITING, COMPLETE])
    lookc = client(wire)
    answer = await lookc.answer(lookc.person_by_email, "a@example.com")
    assert answer.value.hits
    assert answer.body == COMPLETE.body
    assert (answer.attempts, answer.credits) == (3, 1)
