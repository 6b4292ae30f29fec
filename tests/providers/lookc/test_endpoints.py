"""The three endpoints of lookc.md#endpoints, and their methods."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from lix_async.core import wire
from lix_async.core.error_responses import ERROR_TYPES
from lix_async.core.errors import (
    AuthenticationError,
    ConfigurationError,
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    WeeklyLimitError,
)
from lix_async.core.pagination import Cursor
from lix_async.core.retry import RetryPolicy
from lix_async.providers.lookc.client import AsyncLookC
from lix_async.providers.lookc.endpoints import (
    BY_ID,
    ORG_EMPLOYEES,
    PERSON_BY_EMAIL,
    REQUEST_STATUS,
    TABLE,
)
from lix_async.providers.lookc.errors import refusal
from lix_async.providers.lookc.models import PersonByEmail
from lix_async.providers.lookc.provider import LOOKC

INDEX = {
    "lookc.person_by_email": (
        "https://api.lookc.io/v1/search/person/by-email",
        {"email", "request_id"},
        ("org", 1),
    ),
    "lookc.request_status": ("https://api.lookc.io/v1/request", {"request_id"}, ("unknown", 0)),
    "lookc.org_employees": (
        "https://api.lookc.io/org/{org_id}/employees",
        {"org_id", "after", "page_size"},
        ("unknown", 0),
    ),
}


def test_the_endpoints() -> None:
    found = {
        row.id: (
            LOOKC.base_url + row.path,
            set(row.params.__struct_encode_fields__),
            (row.credits.kind, row.credits.amount),
        )
        for row in TABLE
    }
    assert found == INDEX
    assert {row.method for row in TABLE} == {"GET"}
    assert all(row.idempotent and not row.body for row in TABLE)
    assert {name: row.id for name, row in BY_ID.items()} == {name: name for name in INDEX}
    assert [row.paging for row in TABLE] == [None, None, Cursor("after")]
    assert REQUEST_STATUS.alternate == PERSON_BY_EMAIL.path


def test_params_are_read_back_by_a_server_as_they_were_sent() -> None:
    sent = ORG_EMPLOYEES.params(org_id="a/b", after="c+d=&", page_size=5)
    outgoing = wire.encode(ORG_EMPLOYEES, sent)
    assert outgoing.target == "/org/a%2Fb/employees?after=c%2Bd%3D%26&page_size=5"
    query = [("after", "c+d=&"), ("page_size", "5")]
    assert wire.read(ORG_EMPLOYEES, {"org_id": "a/b"}, query, b"") == sent


def test_the_client_has_the_arguments_of_the_lix_client() -> None:
    lix = pytest.importorskip("lix_async.providers.lix.client")

    def arguments(client: type) -> list[tuple[str, object]]:
        found = inspect.signature(client).parameters.values()
        return [(one.name, one.default) for one in found if one.name != "rate_limit"]

    assert arguments(AsyncLookC) == arguments(lix.AsyncLix)


def test_base_url_and_rate_are_its_own() -> None:
    assert repr(AsyncLookC("key")).startswith("<AsyncLookC api.lookc.io ")
    assert (LOOKC.rate.requests, LOOKC.rate.per, LOOKC.window) == (50, 1.0, 1.0)
    policy = RetryPolicy()
    too_fast = RateLimitError("too many requests")
    pause = policy.next_delay(too_fast, failures=1, polls=0, idempotent=True, window=LOOKC.window)
    assert pause is not None
    assert pause.low == 1.0


def test_the_key_may_be_for_lookc_or_for_lix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKC_API_KEY", raising=False)
    monkeypatch.delenv("LIX_API_KEY", raising=False)
    monkeypatch.setenv("LIX_BASE_URL", "https://lix.example")
    with pytest.raises(ConfigurationError, match="LOOKC_API_KEY or LIX_API_KEY"):
        AsyncLookC()
    monkeypatch.setenv("LIX_API_KEY", "lix")
    assert "api.lookc.io" in repr(AsyncLookC())
    monkeypatch.setenv("LOOKC_API_KEY", "not visible\n")
    with pytest.raises(ConfigurationError, match="line breaks"):
        AsyncLookC()
    monkeypatch.setenv("LOOKC_API_KEY", "lookc")
    monkeypatch.setenv("LOOKC_BASE_URL", "http://127.0.0.1:9/x")
    assert "127.0.0.1:9" in repr(AsyncLookC())


@pytest.mark.parametrize("auth", ["raw", "bearer", "x-api-key", "query"])
def test_the_key_is_sent_by_the_schemes_of_lix(auth: str) -> None:
    assert f"auth='{auth}'" in repr(AsyncLookC("key", auth=auth))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidParamsError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (404, NotFoundError),
        (409, RefusalError),
        (418, RefusalError),
        (429, RateLimitError),
        (500, ServerError),
        (599, ServerError),
    ],
)
def test_without_an_error_type_the_status_decides(status: int, error: type[RefusalError]) -> None:
    """The error bodies of this host are not confirmed (lookc.md#errors)."""
    for body in (b"", b"<html>", b'{"message":"x"}', b'{"error":{}}'):
        assert type(refusal(status, body, PersonByEmail)) is error
    for status_ in (200, 202):
        assert refusal(status_, b"{}", PersonByEmail) is None


@pytest.mark.parametrize("status", [200, 202, 400, 404, 429, 503])
@pytest.mark.parametrize(("kind", "error"), ERROR_TYPES.items())
def test_the_error_type_decides_over_the_status(
    status: int, kind: str, error: type[RefusalError]
) -> None:
    body = msgspec.json.encode({"error": {"type": kind, "message": "why"}, "hits": []})
    found = refusal(status, body, PersonByEmail)
    assert type(found) is error
    assert (found.kind, found.message, found.status) == (kind, "why", status)


def test_an_error_may_be_a_text_unless_there_are_data() -> None:
    alone = refusal(200, b'{"error":"something went wrong"}', PersonByEmail)
    assert type(alone) is RefusalError
    assert alone.message == "something went wrong"
    beside = b'{"error":"partial","hits":[{"name":"A"}]}'
    assert refusal(200, beside, PersonByEmail) is None
    assert type(refusal(500, beside, PersonByEmail)) is ServerError


def test_rare_error_responses() -> None:
    daily = refusal(429, b'{"error":{"type":"daily_limit","refreshesAt":7}}', PersonByEmail)
    assert isinstance(daily, DailyLimitError)
    assert daily.refreshes_at == 7.0
    moved = refusal(302, b"", PersonByEmail)
    assert moved is not None
    assert "never followed" in moved.message
    assert refusal(407, b"<html>proxy</html>", PersonByEmail) is None, "a proxy's, not LookC's"
    assert type(refusal(429, b'{"error":{"type":3,"message":4}}', PersonByEmail)) is RateLimitError
    broken = refusal(400, b'{"error":\xff', PersonByEmail)
    assert type(broken) is InvalidParamsError
    week = refusal(429, b'{"error":{"type":"rate_limit","message":"Weekly"}}', PersonByEmail)
    assert isinstance(week, WeeklyLimitError)
