"""Every published error response, with every likely status."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from lix_methods import SAMPLES, Wire, client, sample, says

from lix_async import (
    AuthenticationError,
    ConfigurationError,
    DailyLimitError,
    DecodeError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    RetryPolicy,
    ServerError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from lix_async.core.wire import decode
from lix_async.engine.transport import TransportFailure
from lix_async.providers.lix.endpoints import BY_ID
from lix_async.providers.lix.provider import LIX

pytestmark = pytest.mark.anyio

BY_TYPE: dict[str, type[RefusalError]] = {
    "api_error": ServerError,
    "daily_limit": DailyLimitError,
    "not_found": NotFoundError,
    "params_invalid": InvalidParamsError,
    "queued": QueuedError,
    "rate_limit": RateLimitError,
    "rate_limit_weekly": WeeklyLimitError,
    "unknown_record": NotFoundError,
    "unknown_route": RefusalError,
    "viewer_invalid": ViewerError,
}
BY_STATUS: dict[int, type[RefusalError]] = {
    200: RefusalError,
    301: RefusalError,
    400: InvalidParamsError,
    401: AuthenticationError,
    402: QuotaExceededError,
    404: NotFoundError,
    407: ViewerError,
    418: RefusalError,
    429: RateLimitError,
    500: ServerError,
    502: ServerError,
    503: ServerError,
}
IDS = ["person.get", "organisation.by_linkedin", "search.people", "enrich.job", "connections.send"]


def said(id_: str, body: bytes, status: int) -> object:
    return decode(LIX, BY_ID[id_], status, body)


def test_every_sample_is_used() -> None:
    names = {path.stem.removeprefix("lix.") for path in (SAMPLES / "errors").glob("lix.*.json")}
    assert names == {*BY_TYPE, "no_type", "string_error"}


@pytest.mark.parametrize("status", BY_STATUS)
@pytest.mark.parametrize("name", BY_TYPE)
def test_the_error_type_decides_over_the_status(name: str, status: int) -> None:
    body = sample(f"errors/lix.{name}")
    for id_ in IDS:
        error = said(id_, body, status)
        assert type(error) is BY_TYPE[name], id_
        assert isinstance(error, RefusalError)
        assert (error.status, error.endpoint) == (status, id_)
        assert error.kind == json.loads(body)["error"]["type"]
        assert error.body == body.decode()


@pytest.mark.parametrize("status", BY_STATUS)
@pytest.mark.parametrize("name", ["no_type", "string_error"])
def test_without_an_error_type_the_status_decides(name: str, status: int) -> None:
    for id_ in IDS:
        error = said(id_, sample(f"errors/lix.{name}"), status)
        assert type(error) is BY_STATUS[status], id_
        assert isinstance(error, RefusalError)
        assert error.kind == str(status)
        if status != 301:
            assert error.message == "something went wrong"


@pytest.mark.parametrize("status", [status for status in BY_STATUS if status >= 400])
@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b"<html>", b"\xff", b'{"error": {}}'])
def test_an_error_response_without_a_message(body: bytes, status: int) -> None:
    error = said("person.get", body, status)
    if status == 407 and body not in (b"{}", b'{"error": {}}'):
        assert type(error) is TransportError  # a proxy on the way, not the API
        return
    assert type(error) is BY_STATUS[status]


def test_an_unknown_error_type_is_decided_by_its_status() -> None:
    error = said("person.get", b'{"error": {"type": "too_shy"}}', 404)
    assert type(error) is NotFoundError
    assert (error.kind, error.message) == ("too_shy", "no such record")


async def test_an_invitation_that_was_not_sent_raises() -> None:
    for flag in (False, "false"):
        wire = Wire(says({"success": flag, "entity_urn": None}))
        with pytest.raises(RefusalError, match="did not send") as caught:
            await client(wire, viewer_id="v").connections.send("linkedin.com/in/a")
        error = caught.value
        assert (type(error), error.kind, error.status) == (RefusalError, "not_sent", 200)
        assert len(wire.sent) == 1
    sent = client(Wire(says(sample("connections.send"))), viewer_id="v")
    assert (await sent.connections.send("linkedin.com/in/a")).success is True


async def test_an_unreadable_answer_to_an_invitation_raises() -> None:
    wire = Wire(says(b'{"success": '))
    with pytest.raises(LixError) as caught:
        await client(wire, viewer_id="v").connections.send("linkedin.com/in/a")
    assert isinstance(caught.value, DecodeError | OutcomeUnknownError)
    assert len(wire.sent) == 1


@pytest.mark.parametrize("name", ["connections.send", "messages.send", "sales.send_message"])
async def test_a_write_with_a_lost_answer_is_not_retried(name: str) -> None:
    wire = Wire(TransportFailure("the connection broke", sent=True))
    lix = client(wire, viewer_id="v", retry=RetryPolicy(attempts=4))
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "connections.send": lambda: lix.connections.send("linkedin.com/in/a"),
        "messages.send": lambda: lix.messages.send("x", conversation_id="2-a"),
        "sales.send_message": lambda: lix.sales.send_message("x", thread_id="2-a"),
    }
    with pytest.raises(OutcomeUnknownError):
        await calls[name]()
    assert len(wire.sent) == 1


async def test_the_weekly_limit_is_raised_at_once_with_its_delay() -> None:
    body = sample("errors/lix.rate_limit_weekly")
    wire = Wire(says(body, 429, retry_after="86400"))
    with pytest.raises(WeeklyLimitError) as caught:
        await client(wire, viewer_id="v", retry=RetryPolicy()).connections.send("linkedin.com/in/a")
    assert caught.value.retry_after == 86400
    assert len(wire.sent) == 1


async def test_cookies_are_not_in_error_messages() -> None:
    wire = Wire(says(sample("errors/lix.params_invalid"), 400))
    lix = client(wire)
    with pytest.raises(InvalidParamsError) as caught:
        await lix.account.put_linkedin({"li_at": "hunter2"})
    assert "hunter2" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    refusable: tuple[Any, ...] = (
        [{"key": "li_at"}],
        [{"key": "li_at", "value": ["hunter2"]}],
        ["hunter2"],
        {},
    )
    for wrong in refusable:
        with pytest.raises(ConfigurationError) as refused:
            await lix.account.put_linkedin(wrong)
        assert "hunter2" not in f"{refused.value!r}{refused.value.__cause__}"
        assert refused.value.__context__ is None
