"""Responses: results, and errors by their type first and their status second."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_provider import SAMPLE, SEND, THING, Sent, Thing

from lix_async.core import errors
from lix_async.core.endpoint import Endpoint
from lix_async.core.errors import (
    AuthenticationError,
    DailyLimitError,
    DecodeError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from lix_async.core.json_text import SchemaMismatch, json_object
from lix_async.core.models import Model, Params
from lix_async.core.wire import decode


def said(status: int, body: object) -> object:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(SAMPLE, THING, status, raw)


def error(kind: str = "", message: str = "", **more: object) -> dict[str, object]:
    return {"error": {"type": kind, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (301, RefusalError),
        (400, InvalidParamsError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (418, RefusalError),
        (422, InvalidParamsError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"{}", b"[1]", b'{"error": null}'])
def test_the_status_decides_where_there_is_no_error_type(status, cls, body):
    refusal = said(status, body)
    assert type(refusal) is cls
    assert (refusal.status, refusal.kind, refusal.endpoint) == (status, str(status), "thing.get")
    assert refusal.body == body.decode()


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("params_invalid", InvalidParamsError),
        ("not_found", NotFoundError),
        ("queued", QueuedError),
        ("rate_limit", RateLimitError),
        ("daily_limit", DailyLimitError),
        ("api_error", ServerError),
        ("unknown_route", RefusalError),
    ],
)
@pytest.mark.parametrize("status", [200, 202, 400, 404, 429, 500, 503])
def test_the_error_type_decides_before_the_status(kind, cls, status):
    refusal = said(status, error(kind))
    assert type(refusal) is cls
    assert (refusal.status, refusal.kind) == (status, kind)


def test_an_answer_without_a_message_gets_one_for_its_status():
    assert str(said(400, error("odd", "Bad cookie"))) == "thing.get: Bad cookie (400 odd)"
    assert said(400, error("params_invalid")).message == "params invalid"
    assert said(429, b"").message == "too many requests"
    assert said(418, b"").message == "status 418"
    assert said(200, error("", "only words")).kind == "200"
    assert said(400, {"error": {"type": 7, "message": ["x"]}}).message == "status 400"


def test_the_message_for_a_redirect_does_not_contain_its_target():
    refusal = said(302, b'{"error": "go to https://evil.example/?api_key=k"}')
    assert refusal.message == "the server redirects; redirects are never followed"


def test_the_message_distinguishes_the_weekly_quota_from_the_rate():
    assert type(said(429, error("rate_limit", "Weekly quota used"))) is WeeklyLimitError
    assert type(said(429, error("", "resets next week"))) is WeeklyLimitError
    assert type(said(400, error("params_invalid", "week"))) is InvalidParamsError


def test_a_daily_limit_has_its_refresh_time_if_the_provider_gives_it():
    assert said(429, error("daily_limit", refreshesAt=1_700_000_000)).refreshes_at == 1.7e9
    assert said(429, error("daily_limit", refreshesAt="soon")).refreshes_at is None
    assert said(429, error("daily_limit")).refreshes_at is None


class Profile(Model):
    __aliases__ = {"liProfile": "profile"}
    profile: str | None = None
    error: str | None = None


PROFILE = Endpoint("profile", "GET", "/p", Params, Profile)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b'{"error": "", "profile": "p"}', False),
        (b'{"error": "partly", "profile": "p"}', False),
        (b'{"error": "partly", "liProfile": "p"}', False),
        (b'{"error": "no such"}', True),
        (b'{"error": "no such", "profile": null, "more": 1}', True),
        (b'{"error": {}, "profile": "p"}', False),
        (b'{"text": "\\"error\\""}', False),
    ],
)
def test_an_error_text_next_to_data_is_a_field_of_the_result(body, refused):
    outcome = decode(SAMPLE, PROFILE, 200, body.replace(b'{"error": {},', b'{"error": "",'))
    assert isinstance(outcome, RefusalError) is refused
    assert isinstance(decode(SAMPLE, PROFILE, 500, body), ServerError)


def test_a_407_without_json_comes_from_a_proxy():
    assert type(said(407, error("viewer_invalid"))) is ViewerError
    assert type(said(407, b"{}")) is ViewerError
    proxy = said(407, b"<html>Proxy Authentication Required</html>")
    assert type(proxy) is TransportError
    assert (proxy.permanent, proxy.sent, str(proxy)) == (
        True, False, "thing.get: unexpected status 407",
    )  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_success_is_decoded(status):
    assert said(status, {"id": "a", "size": "3"}) == Thing(id="a", size=3)
    assert said(status, b'\xef\xbb\xbf{"id": "a"}') == Thing(id="a")


@pytest.mark.parametrize(
    ("body", "message", "path"),
    [
        (b"", "the answer is empty", "$"),
        (b" \n", "the answer is empty", "$"),
        (b" <!doctype html>", "the answer is a web page, not JSON", "$"),
        (b'{"id": "a"', "Input data was truncated", "$"),
        (b'{"id": ["a"]}', "expected a text, got an array", "$.id"),
        (b'"text"', "expected an object, got a text", "$"),
        (b"null", "expected an object, got null", "$"),
        (b'"\xff', "Input data was truncated", "$"),
        (b"[" * 100_000, "the answer is nested too deeply", "$"),
    ],
)
def test_a_decode_error_has_the_path_and_the_body(body, message, path):
    failed = said(200, body)
    assert type(failed) is DecodeError
    assert str(failed) == f"thing.get: {message} at {path}"
    assert (failed.path, failed.body, failed.endpoint) == (path, body, "thing.get")


def test_a_provider_may_normalise_a_body_first():
    def normalise(body: bytes, result: type) -> bytes:
        if body == b"[]":
            raise SchemaMismatch("expected one", "$[0]")
        return body.strip(b"[]") if result is Thing else body

    provider = msgspec.structs.replace(SAMPLE, normalise=normalise)
    assert decode(provider, THING, 200, b'[{"id": "a"}]') == Thing(id="a")
    assert decode(provider, THING, 200, b"[]").path == "$[0]"


@given(st.integers(100, 599), st.binary(max_size=40) | st.builds(json.dumps, st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["error", "type", "message", "id", "size"]), inner, max_size=3),
)).map(str.encode))  # fmt: skip
def test_every_answer_is_a_result_or_an_error(status, body):
    outcome = said(status, body)
    assert isinstance(outcome, Thing | LixError)
    if isinstance(outcome, Thing):
        assert 200 <= status < 300


def test_errors_are_returned_without_a_traceback():
    assert said(500, b"").__traceback__ is None
    assert errors.DecodeError is type(said(200, b""))
    assert said(200, b"").__traceback__ is None
    assert said(200, b"").__context__ is None


def test_json_object_decodes_objects_only():
    assert json_object(b'{"a": [1]}') == {"a": [1]}
    assert [json_object(body) for body in (b"[]", b"{", b'"\xff"', b"[" * 99_999)] == [None] * 4


def test_a_call_that_acts_was_carried_out_whatever_its_answer_says():
    body = b'{"something": {"new": 1}}'
    assert decode(SAMPLE, SEND, 200, body) == Sent()
    read = decode(SAMPLE, replace(SEND, idempotent=True), 200, body)
    assert isinstance(read, DecodeError)
    assert "none of its keys is known" in str(read)
    assert isinstance(decode(SAMPLE, SEND, 200, b'{"something": '), DecodeError)
