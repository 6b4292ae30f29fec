"""Webhooks: payloads from unknown senders, read with care."""

from __future__ import annotations

import json
import types
from typing import Any

import msgspec
import pytest

from lix_async.core.errors import ConfigurationError, DecodeError
from lix_async.providers.lookc import webhooks
from lix_async.providers.lookc.client import AsyncLookC

from .stub import sample

BODY = sample("lookc.webhook")
KNOWN = b'{"type":"search.person.by-email"'


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        BODY.decode(),
        b"\xef\xbb\xbf" + BODY,
        "\ufeff" + BODY.decode(),
        json.loads(BODY),
        types.MappingProxyType(json.loads(BODY)),
    ],
    ids=["bytes", "text", "bytes with mark", "text with mark", "object", "other mapping"],
)
def test_a_known_event_in_every_form(body: Any) -> None:
    event = webhooks.parse(body)
    assert event.type == webhooks.PERSON_BY_EMAIL == "search.person.by-email"
    assert event.data is not None
    assert event.data.hits[0].profile_url == "https://www.linkedin.com/in/example-person-1"
    assert event.raw == json.loads(BODY)
    assert webhooks.fingerprint(body) == webhooks.fingerprint(BODY)


def test_webhook_functions_are_on_the_module_and_the_client() -> None:
    assert AsyncLookC.webhooks.parse(BODY) == webhooks.parse(BODY)
    assert AsyncLookC.webhooks.token_matches("a", "a")
    assert AsyncLookC("key").webhooks.fingerprint(BODY) == webhooks.fingerprint(BODY)


@pytest.mark.parametrize("data", [None, 3, "text", [1], {"hits": 7}])
def test_an_unknown_type_is_an_event_without_data(data: object) -> None:
    event = webhooks.parse({"type": "search.company.by-domain", "data": data})
    assert event.data is None
    assert event.raw["data"] == data


def test_data_may_be_missing_and_unknown_keys_are_ignored() -> None:
    assert webhooks.parse(KNOWN + b"}").data is None
    assert webhooks.parse(KNOWN + b',"data":null}').data is None
    event = webhooks.parse(KNOWN + b',"data":{"hits":null,"new":1},"request_id":"r"}')
    assert event.data is not None
    assert event.data.hits == []
    assert event.raw["request_id"] == "r"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", "$"),
        (b"junk", "$"),
        (b"<html></html>", "$"),
        (b"[]", "$"),
        (b"null", "$"),
        (b"\xff\xfe", "$"),
        (b'{"a":' * 5000, "$"),
        ("\ud800", "$"),
        ({"type": object()}, "$"),
        (b"{}", "$.type"),
        (b'{"type":""}', "$.type"),
        (b'{"type":7}', "$.type"),
        (KNOWN + b',"data":[]}', "$"),
        (KNOWN + b',"data":7}', "$.data"),
        (KNOWN + b',"data":{"hits":[{"name":{}}]}}', "$.data.hits[0].name"),
    ],
)
def test_an_invalid_body_is_a_decode_error(body: Any, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        webhooks.parse(body)
    if path != "$":
        assert caught.value.path == path
    assert len(webhooks.fingerprint(body)) == 64, "junk has a fingerprint too"


def test_a_recursive_object_is_a_decode_error() -> None:
    circle: dict[str, object] = {"type": "x"}
    circle["me"] = circle
    with pytest.raises(DecodeError):
        webhooks.parse(circle)


def test_an_event_can_be_encoded_as_json() -> None:
    event = webhooks.parse(BODY)
    again = msgspec.json.decode(msgspec.json.encode(event), type=webhooks.WebhookEvent)
    assert again == event


@pytest.mark.parametrize(
    ("given", "tokens", "same"),
    [
        ("new", ("new", "old"), True),
        ("old", ("new", "old"), True),
        ("other", ("new", "old"), False),
        ("ne", ("new",), False),
        ("", ("",), False),
        (None, ("new",), False),
        (None, ("",), False),
        ("new", (), False),
        ("schlüssel", ("schlüssel",), True),
        ("\ud800", ("\ud800",), True),
    ],
)
def test_token_matches(given: str | None, tokens: tuple[str, ...], same: bool) -> None:
    assert webhooks.token_matches(given, *tokens) is same


@pytest.mark.parametrize("given", [(5, "new"), ("new", None), ("new", "old", b"new")])
def test_a_token_must_be_a_text(given: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigurationError, match="a token must be a text, not "):
        webhooks.token_matches(*given)


def test_every_token_is_compared_even_after_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[tuple[int, int]] = []

    def compare(first: bytes, second: bytes) -> bool:
        lengths.append((len(first), len(second)))
        return first == second

    monkeypatch.setattr(webhooks.hmac, "compare_digest", compare)
    assert webhooks.token_matches("short", "short", "a token that is much longer")
    assert lengths == [(32, 32), (32, 32)], "equal lengths, and no early end"


def test_repeats_have_equal_fingerprints() -> None:
    one = webhooks.fingerprint(b'{"type":"a","data":{"x":1,"y":[1,2]}}')
    assert one == webhooks.fingerprint(b' {"data": {"y": [1, 2], "x": 1}, "type": "a"}\n')
    assert one != webhooks.fingerprint(b'{"type":"a","data":{"x":1,"y":[2,1]}}')
    assert webhooks.fingerprint(b"junk") != webhooks.fingerprint(b"other junk")
