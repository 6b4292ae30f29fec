"""Where the key goes on a request, and where it is taken out again."""

from __future__ import annotations

import pytest
from sample_provider import SAMPLE

from lix_async.core.provider import ApiKey, parse_base_url
from lix_async.core.wire import HttpRequest
from lix_async.engine.credentials import RequestBuilder

KEY = "s3cret+key/with=signs&more#"


def request_builder(auth: str = "raw", key: str = KEY) -> RequestBuilder:
    where = parse_base_url("https://sample.example:8443/base")
    return RequestBuilder(where, ApiKey(key), SAMPLE.credentials[auth], "agent/1", lambda: 0.0)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("raw", (b"Authorization", KEY.encode())),
        ("bearer", (b"Authorization", b"Bearer " + KEY.encode())),
        ("x-api-key", (b"X-Api-Key", KEY.encode())),
        ("query", None),
    ],
)
def test_the_key_goes_to_one_place_only(auth, header):
    outgoing = HttpRequest("POST", "/base/v1?a=b", b"{}")
    headers = request_builder(auth).headers(outgoing)
    assert headers[:4] == [
        (b"Host", b"sample.example:8443"),
        (b"User-Agent", b"agent/1"),
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", b"gzip"),
    ]
    assert headers[4:6] == [(b"Content-Type", b"application/json"), (b"Content-Length", b"2")]
    assert headers[6:] == ([] if header is None else [header])
    plain = "https://sample.example:8443/base/v1?a=b"
    url = request_builder(auth).url(outgoing)
    escaped = "s3cret%2Bkey%2Fwith%3Dsigns%26more%23"
    assert url == (plain if header else f"{plain}&api_key={escaped}")
    assert request_builder(auth).in_query is (header is None)


def test_a_request_without_query_or_body_gets_no_stray_signs():
    outgoing = HttpRequest("GET", "/v1")
    assert (
        request_builder("query").url(outgoing).startswith("https://sample.example:8443/v1?api_key=")
    )
    assert b"Content-Length" not in dict(request_builder().headers(outgoing))


def test_some_providers_want_no_type_where_there_is_no_body():
    where = parse_base_url("https://sample.example")
    quiet = RequestBuilder(
        where, ApiKey(KEY), SAMPLE.credentials["raw"], "agent/1", lambda: 0.0, typed=False
    )
    assert b"Content-Type" not in dict(quiet.headers(HttpRequest("GET", "/v1")))
    assert b"Content-Type" in dict(quiet.headers(HttpRequest("POST", "/v1", b"{}")))
