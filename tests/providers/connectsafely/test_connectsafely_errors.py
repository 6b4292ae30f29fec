"""The four forms of error responses, the two kinds of 429, and what is not retried."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from sample_provider import LOST, Skipping, reply, run

from lix_async.core.errors import (
    AuthenticationError,
    DailyLimitError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.providers.connectsafely.errors import HeldError, InvalidFieldsError, Issue

from .stub import answer, client, fresh, profile, sent

pytestmark = pytest.mark.anyio
ONCE = RetryPolicy(attempts=1)
RESET = 1736467200.0  # 2025-01-10T00:00:00Z


def refused(*answers: Any, **settings: Any) -> Any:
    settings.setdefault("retry", ONCE)
    with pytest.raises(LixError) as caught:
        run(client(*answers, **settings).profile("x"))
    return caught.value


def test_the_validator_names_field_and_reason() -> None:
    error = refused(answer("error-400-zod", 400))
    assert isinstance(error, InvalidFieldsError)
    assert error.message == "profileId: Required (expected string, received undefined)"
    assert (error.status, error.kind) == (400, "ZodError")
    (issue,) = error.issues
    assert (issue.field, issue.code, issue.message) == ("profileId", "invalid_type", "Required")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is InvalidFieldsError
    assert again.issues == error.issues
    assert str(again) == str(error)


def test_issues_of_other_codes_keep_their_keys() -> None:
    wrong = {
        "issues": [
            {"code": "too_big", "maximum": 100, "path": ["filters", "industry", 0], "message": ""},
            {"code": "unrecognized_keys", "keys": ["x"], "path": [], "message": "Unknown key"},
            "no object",
        ],
        "name": "ZodError",
    }
    error = refused(reply(400, {"success": False, "error": wrong}))
    assert error.message == "filters.industry[0]: too_big; Unknown key"
    assert error.issues[0]["maximum"] == 100
    assert Issue().message == "not accepted"
    assert str(Issue(path="x")) == "not accepted"


@pytest.mark.parametrize(
    ("said", "cls", "message", "kind"),
    [
        (answer("error-401", 401), AuthenticationError, "Example: key not accepted", "401"),
        (answer("error-403", 403), AuthenticationError, "Example: no active subscription", "403"),
        (
            answer("error-coded", 400),
            InvalidParamsError,
            "Example: profileId is not valid",
            "validation_error",
        ),
        (answer("error-coded", 404), NotFoundError, "Example: profileId is not valid", None),
        (answer("error-coded", 500), ServerError, "Example: profileId is not valid", None),
        (answer("error-403", 502), ServerError, "Example: no active subscription", "502"),
        (answer("error-coded"), InvalidParamsError, "Example: profileId is not valid", None),
        (answer("error-403"), RefusalError, "Example: no active subscription", "200"),
        (answer("error-401"), RefusalError, "Example: key not accepted", "200"),
        (answer("error-400-zod"), InvalidFieldsError, None, "ZodError"),
        (reply(401, b""), AuthenticationError, "the key is missing or not accepted", "401"),
        (reply(502, b"<html>bad gateway</html>"), ServerError, "status 502", "502"),
        (reply(418, {"success": False}), RefusalError, "status 418", "418"),
        (reply(302, b""), RefusalError, "the server redirects", "302"),
        (reply(400, {"error": {"issues": "?"}}), InvalidParamsError, "status 400", "400"),
        (reply(407, b""), TransportError, "unexpected status 407", None),
        (reply(500, {"errorDetails": {"message": "proxy gone"}}), ServerError, "proxy gone", "500"),
        (
            reply(500, {"error": "failed", "errorDetails": {"message": "proxy gone"}}),
            ServerError,
            "failed: proxy gone",
            "500",
        ),
        (
            reply(500, {"error": "proxy gone", "errorDetails": {"message": "proxy gone"}}),
            ServerError,
            "proxy gone",
            "500",
        ),
        (reply(302, {"errorDetails": {"message": "to x"}}), RefusalError, "the server", "302"),
    ],
)
def test_error_responses_in_every_form(
    said: Any, cls: type[LixError], message: str | None, kind: str | None
) -> None:
    error = refused(said)
    assert type(error) is cls
    assert message is None or str(error.args[0]).startswith(message)
    assert kind is None or error.kind == kind
    assert error.endpoint == "connectsafely.profile"


def test_a_success_may_contain_the_word_error() -> None:
    fine = profile("x", error=None, message="Example: no error")
    assert run(client(fine).profile("x")).message == "Example: no error"
    fine = profile("x", error="an old one")
    assert run(client(fine).profile("x")).success is True, "success: true has priority"


def test_the_error_has_the_body() -> None:
    assert json.loads(refused(answer("error-401", 401)).body) == {
        "error": "Example: key not accepted"
    }


async def test_a_daily_quota_error_is_not_retried() -> None:
    asked = client(answer("error-429", 429, "error-429.headers"))
    with pytest.raises(DailyLimitError, match="120/120 used") as caught:
        await asked.profile("x")
    assert caught.value.refreshes_at == RESET
    assert (caught.value.retry_after, caught.value.attempts) == (None, 1)
    assert len(sent(asked)) == 1


async def test_a_daily_quota_error_is_recognised_by_headers_or_text() -> None:
    coded = answer("error-429-velocity", 429, "error-429.headers")
    for said in (coded, answer("error-429", 429)):
        with pytest.raises(DailyLimitError) as caught:
            await client(said).profile("x")
        assert caught.value.refreshes_at == RESET
        assert bool(caught.value.headers) is (said is coded)


async def test_a_daily_quota_without_a_reset_time_ends_at_midnight() -> None:
    said = reply(429, {"error": "Rate limit exceeded for PROFILE: 9/9 used", "success": False})
    with pytest.raises(DailyLimitError) as caught:
        await client(said).profile("x")
    assert caught.value.refreshes_at == 1_700_006_400.0  # after 2023-11-14 22:13:20


async def test_a_rate_limit_error_is_retried_after_the_named_delay() -> None:
    clock = Skipping()
    asked = client(
        answer("error-429-velocity", 429, "error-429-velocity.headers"), fresh, clock=clock
    )
    assert (await asked.profile("x")).profile_id == "x"
    assert clock.slept == [12.0]
    assert len(sent(asked)) == 2


async def test_retry_after_means_the_rate_limit_whatever_the_text() -> None:
    said = reply(
        429,
        {"success": False, "error": "Rate limit exceeded for PROFILE: 30/30 used"},
        Retry_After="3",
    )
    error = refused(said)
    assert type(error) is RateLimitError
    assert error.retry_after == 3.0


async def test_without_retry_after_the_reset_time_gives_the_delay() -> None:
    clock = Skipping()
    said = reply(429, {"success": False, "code": "x"}, X_RateLimit_Reset="1700000007")
    await client(said, fresh, clock=clock).profile("x")
    assert clock.slept == [7.0]
    clock = Skipping()
    await client(reply(429, b""), fresh, clock=clock).profile("x")
    assert clock.slept == [15.0]


async def test_no_call_is_sent_before_hold_until() -> None:
    body = {"success": False, "error": "held", "holdUntil": "2023-11-14T23:13:20.000Z"}
    error = refused(reply(429, body, Retry_After="5"), retry=RetryPolicy())
    assert type(error) is HeldError
    assert (error.retry_after, error.attempts) == (3600.0, 1)
    assert error.hold_until == 1_700_003_600.0
    assert pickle.loads(pickle.dumps(error)).hold_until == error.hold_until
    clock = Skipping()
    soon = body | {"holdUntil": "2023-11-14T22:14:00Z"}
    await client(reply(429, soon, Retry_After="5"), fresh, clock=clock).profile("x")
    assert clock.slept == [40.0]


async def test_a_read_is_retried_and_a_write_is_not() -> None:
    asked = client(LOST, reply(502, b""), fresh)
    await asked.profile("x")
    assert len(sent(asked)) == 3
    for said in (LOST, reply(502, b""), reply(429, b"", Retry_After="1")):
        asked = client(said)
        with pytest.raises(LixError):
            await asked.endorse_skill("x", random=True)
        assert len(sent(asked)) == 1
    with pytest.raises(OutcomeUnknownError, match="not retried"):
        await client(LOST).endorse_skill("x", skill_id="1")


async def test_a_refresh_with_a_lost_answer_is_not_retried() -> None:
    asked = client(LOST)
    with pytest.raises(OutcomeUnknownError):
        await asked.profile("x", force_refresh=True)
    with pytest.raises(OutcomeUnknownError):
        await asked.profile_get("x", force_refresh=True)
    asked = client(reply(502, b""))
    with pytest.raises(OutcomeUnknownError):
        await asked.profile("x", force_refresh=True)
    assert len(sent(asked)) == 1
