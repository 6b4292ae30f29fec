"""Where the key goes on a request, and where it is taken out again."""

from __future__ import annotations

import logging

import httpx
import pytest
from sample_provider import SAMPLE

from lix_async.core.provider import ApiKey, parse_base_url
from lix_async.core.wire import HttpRequest
from lix_async.engine.credentials import KeyRedactionFilter, RequestBuilder

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


def test_a_key_that_the_server_echoes_is_taken_out_of_the_body():
    long = KEY * 2
    echo = request_builder(key=long)
    assert echo.redact(f'{{"no": "{long}"}}'.encode()) == b'{"no": "***"}'
    escaped = "s3cret%2Bkey%2Fwith%3Dsigns%26more%23" * 2
    assert echo.redact(f"at ?api_key={escaped}".encode()) == b"at ?api_key=***"
    assert echo.redact(b"nothing") == b"nothing"


def test_a_key_that_is_an_ordinary_word_is_left_where_it_stands():
    assert request_builder(key="demo").redact(b"a demo body") == b"a demo body"


def test_the_librarys_log_line_shows_no_key_of_our_host_and_others_as_they_are():
    hide = KeyRedactionFilter(parse_base_url("https://sample.example"), "api_key")
    record = logging.LogRecord("httpx", 20, "", 0, "%s %s %d", None, None)

    def logged(*args: object) -> str:
        record.args = args
        assert hide.filter(record)
        return record.getMessage()

    ours = httpx.URL("https://sample.example/v1?a=b&api_key=s3cret%2B&c=d")
    assert logged("GET", ours, 200) == "GET https://sample.example/v1?a=b&api_key=***&c=d 200"
    other = httpx.URL("https://other.example/v1?api_key=theirs")
    assert logged("GET", other, 200) == "GET https://other.example/v1?api_key=theirs 200"
    record.msg, record.args = "%(a)s", ({"a": 1},)
    assert hide.filter(record)
    record.args = None
    assert hide.filter(record)


def test_the_filter_is_installed_once_for_each_host():
    before = [len(logging.getLogger(name).filters) for name in KeyRedactionFilter.LOGGERS]
    for host in ("https://once.example", "https://twice.example", "https://once.example"):
        KeyRedactionFilter(parse_base_url(host), "api_key").install()
    after = [len(logging.getLogger(name).filters) for name in KeyRedactionFilter.LOGGERS]
    assert after == [count + 2 for count in before]


def test_the_debug_line_with_the_headers_of_a_redirect_shows_no_key():
    hide = KeyRedactionFilter(parse_base_url("https://sample.example"), "api_key")
    said = "receive_response_headers.complete return_value=[(b'Location', b'/?a=b&api_key=s3cret')]"
    record = logging.LogRecord("httpcore.http11", 10, "", 0, said, None, None)
    assert hide.filter(record)
    assert record.getMessage().endswith("[(b'Location', b'/?a=b&api_key=***')]")
