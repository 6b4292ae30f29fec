"""Lookups of a person, answered at once or in the background with polling."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lix_async.core.errors import (
    BudgetError,
    ConfigurationError,
    DecodeError,
    NotFoundError,
    QueuedError,
    ServerError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpResponse
from lix_async.providers.lookc.client import AsyncLookC
from lix_async.providers.lookc.models import Lookup, PersonByEmail

from .stub import (
    COMPLETE,
    DIRECT,
    ID,
    LOOKUP,
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


def refused(kind: str, status: int = 400, **headers: str) -> HttpResponse:
    return says({"error": {"type": kind, "message": "no"}}, status, **headers)


def name(person: PersonByEmail) -> str | None:
    return person.hits[0].name


async def test_a_direct_answer_is_returned_at_once() -> None:
    clock, wire = Stopwatch(), Wire(lookup=[DIRECT])
    async with client(wire, clock=clock) as lookc:
        person = await lookc.person_by_email(EMAIL)
        assert name(person) == "Example Person 1"
        assert type(person) is PersonByEmail
        assert (lookc.credits.org, lookc.credits.unpriced) == (1, 0)
    assert wire.asked == [(LOOKUP, {"email": EMAIL})]
    assert clock.slept == []
    assert wire.closed


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("key", ["request_id", "requestId", "id"])
@pytest.mark.parametrize("word", [{}, {"status": "pending"}, {"status": None}])
@pytest.mark.parametrize("under", [False, True])
async def test_an_asynchronous_answer_is_recognised_in_every_form(
    status: int, key: str, word: dict[str, object], under: bool
) -> None:
    found = {key: ID}
    body = {**word, "data": found} if under else {**found, **word}
    wire = Wire(lookup=[says(body, status)], status=[COMPLETE])
    assert name(await client(wire).person_by_email(EMAIL)) == "Example Person 1"
    assert wire.asked[1:] == [(STATUS, {"request_id": ID})]


@pytest.mark.parametrize(
    "body",
    [
        {"request_id": ID, "data": None},
        {"request_id": ID, "data": {}},
        {"request_id": ID, "hits": None, "org": None},
        {"request_id": ID, "status": "queued", "hits": []},
        {"id": 17, "request_id": ID},
        {"id": "outer", "data": {"request_id": ID}},
    ],
)
async def test_an_id_without_hits_means_pending(body: object) -> None:
    wire = Wire(lookup=[says(body)])
    assert await client(wire).submit(EMAIL) == Lookup(request_id=ID)


@pytest.mark.parametrize(
    "body",
    [
        {"request_id": ID, "hits": []},
        {"request_id": ID, "status": "complete", "data": {"hits": None}},
        {"request_id": ID, "status": "COMPLETE ", "hits": []},
        {"request_id": ID, "status": "pending", "hits": [{"name": "A"}]},
        {"id": ID, "data": {"hits": [{"name": "A"}]}},
    ],
)
async def test_hits_or_complete_make_a_result_even_with_an_id(body: object) -> None:
    wire = Wire(lookup=[says(body)])
    lookup = await client(wire).submit(EMAIL)
    assert lookup.request_id == ID
    assert lookup.result is not None


@pytest.mark.parametrize(
    "body", [{"hits": None}, {"hits": []}, {}, {"domainInfo": {"isFreeEmailDomain": True}}]
)
async def test_no_hits_are_a_result(body: object) -> None:
    assert (await client(Wire(lookup=[says(body)])).person_by_email(EMAIL)).hits == []


@pytest.mark.parametrize(
    ("body", "status"),
    [({"status": "pending"}, 200), ({}, 202), ({"hits": []}, 202), ({"status": "x"}, 202)],
)
async def test_a_background_lookup_without_an_id_raises(body: object, status: int) -> None:
    """It is paid for and cannot be asked for: an empty result would be a lie."""
    with pytest.raises(DecodeError, match="no request id") as caught:
        await client(Wire(lookup=[says(body, status)])).person_by_email(EMAIL)
    assert msgspec.json.decode(caught.value.body) == body
    assert caught.value.path == "$.request_id"


async def test_an_accepted_answer_may_have_an_empty_list() -> None:
    wire = Wire(lookup=[says({"request_id": ID, "hits": []}, 202)], status=[COMPLETE])
    assert name(await client(wire).person_by_email(EMAIL)) == "Example Person 1"


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), "5", None, True])
async def test_an_invalid_timeout_is_rejected_before_sending(timeout: Any) -> None:
    wire = Wire(lookup=[DIRECT])
    lookc = client(wire)
    with pytest.raises(ConfigurationError, match="timeout"):
        await lookc.person_by_email(EMAIL, timeout=timeout)
    with pytest.raises(ConfigurationError, match="timeout"):
        await lookc.result(ID, timeout=timeout)
    assert wire.asked == []


@pytest.mark.parametrize("email", ["", "example", "@example.com", "a@", "a b@example.com", "a@b\n"])
async def test_an_invalid_address_is_rejected_without_being_shown(email: str) -> None:
    wire = Wire(lookup=[DIRECT])
    with pytest.raises(ConfigurationError) as caught:
        await client(wire).person_by_email(email)
    assert wire.asked == []
    assert not email or email not in str(caught.value)


async def test_complete_without_data_is_an_empty_result() -> None:
    wire = Wire(status=[says({"status": "complete", "data": None})])
    assert await client(wire).result(ID) == PersonByEmail()


async def test_queued_is_retried_by_the_retry_policy() -> None:
    """An `error` of type queued is the one case in which the lookup itself is sent again."""
    clock = Stopwatch()
    wire = Wire(lookup=[refused("queued", 200), refused("queued", 503), DIRECT])
    lookc = client(wire, clock=clock, retry=RetryPolicy())
    assert name(await lookc.person_by_email(EMAIL)) == "Example Person 1"
    assert clock.slept == [60.0, 60.0]
    assert wire.paths == [LOOKUP] * 3


async def test_queued_on_every_attempt_raises() -> None:
    with pytest.raises(QueuedError):
        await client(Wire(lookup=[refused("queued", 202)])).person_by_email(EMAIL)


async def test_a_lookup_can_be_stored_as_json() -> None:
    wire = Wire(lookup=[says(PENDING)], status=[COMPLETE])
    handle = await client(wire).submit(EMAIL)
    assert (handle.request_id, handle.result) == (ID, None)
    saved = msgspec.json.encode(handle)
    assert saved == b'{"request_id":"%s"}' % ID.encode()
    after = msgspec.json.decode(saved, type=Lookup)
    clock = Stopwatch()
    later = client(wire, clock=clock)
    assert name(await later.result(after)) == "Example Person 1"
    assert clock.slept == [0.0], "the first look is made at once"
    assert wire.paths == [LOOKUP, STATUS]


async def test_a_lookup_with_its_result_needs_no_call() -> None:
    wire = Wire(lookup=[DIRECT])
    lookc = client(wire)
    handle = await lookc.submit(EMAIL)
    again = msgspec.json.decode(msgspec.json.encode(handle), type=Lookup)
    assert again == handle
    assert await lookc.result(again) == handle.result
    assert wire.paths == [LOOKUP]


@pytest.mark.parametrize("empty", ["", Lookup()])
async def test_result_requires_an_id(empty: Any) -> None:
    with pytest.raises(ConfigurationError, match="request_id"):
        await client(Wire()).result(empty)


async def test_request_status_returns_the_status() -> None:
    wire = Wire(status=[WAITING, says({"status": "error", "request_id": ID}), COMPLETE])
    lookc = client(wire)
    first = await lookc.request_status(ID)
    assert (first.pending, first.complete, first.failed, first.data) == (True, False, False, None)
    second = await lookc.request_status(ID)
    assert (second.pending, second.failed, second.request_id) == (False, True, ID)
    third = await lookc.request_status(ID)
    assert third.complete
    assert third.data is not None
    assert name(third.data) == "Example Person 1"


async def test_an_unknown_id_is_not_found() -> None:
    wire = Wire(status=[refused("unknown_record", 404)], lookup=[refused("unknown_record", 404)])
    with pytest.raises(NotFoundError) as caught:
        await client(wire).result(ID)
    assert ID in "".join(caught.value.__notes__)


async def test_a_budget_stops_the_second_lookup() -> None:
    wire = Wire(lookup=[DIRECT])
    lookc = client(wire, max_credits={"org": 1})
    await lookc.person_by_email(EMAIL)
    with pytest.raises(BudgetError):
        await lookc.person_by_email(EMAIL)
    assert wire.paths == [LOOKUP]


async def test_a_server_error_on_the_lookup_is_raised() -> None:
    with pytest.raises(ServerError):
        await client(Wire(lookup=[says(b"", 503)])).person_by_email(EMAIL)


async def test_views_have_the_same_methods() -> None:
    wire = Wire(lookup=[says(PENDING)], status=[COMPLETE])
    view = client(wire).with_options(deadline=9.0)
    assert isinstance(view, AsyncLookC)
    assert name(await view.person_by_email(EMAIL)) == "Example Person 1"
