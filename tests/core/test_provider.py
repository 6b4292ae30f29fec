"""API keys that are not shown, and base URLs that do not expose the key."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.errors import ConfigurationError
from lix_async.core.provider import ApiKey, parse_base_url

SECRET = 's3cret-"key"/with+signs&%41~'


def test_a_key_does_not_appear_in_repr_or_str():
    key = ApiKey(SECRET)
    assert key.reveal() == SECRET
    assert SECRET not in f"{key} {key!r} {[key]} {getattr(key, '__dict__', '')}"
    assert not any(SECRET in repr(getattr(key, name, "")) for name in dir(key) if name != "reveal")


@pytest.mark.parametrize("taken", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_cannot_be_pickled_or_copied(taken):
    with pytest.raises(ConfigurationError, match="cannot be pickled") as caught:
        taken(ApiKey(SECRET))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        (f"{SECRET}\n", "has spaces"),
        (f" {SECRET}", "has spaces"),
        (f"{SECRET}\r\nX: y", "has spaces"),
        (f"{SECRET}é", "non-ASCII"),
        (f"{SECRET}\x7f", "non-ASCII"),
        (f"{SECRET}\x00", "non-ASCII"),
    ],
)
def test_a_key_that_cannot_be_sent_is_rejected_without_showing_it(text, why):
    with pytest.raises(ConfigurationError, match=why) as caught:
        ApiKey(text)
    assert SECRET not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("value", [7, None, SECRET.encode()])
def test_a_key_that_is_not_a_text_is_rejected_without_showing_it(value):
    with pytest.raises(ConfigurationError, match="must be a text") as caught:
        ApiKey(value)
    assert SECRET not in str(caught.value)


@given(st.text())
def test_only_visible_ascii_is_accepted_as_a_key(text):
    fine = bool(text) and all(33 <= ord(char) <= 126 for char in text)
    try:
        key = ApiKey(text)
    except ConfigurationError:
        assert not fine
    else:
        assert fine
        assert key.reveal() == text


@pytest.mark.parametrize(
    ("url", "origin", "loopback"),
    [
        ("https://api.lix-it.com", "https://api.lix-it.com", False),
        ("https://api.lix-it.com/", "https://api.lix-it.com", False),
        ("HTTPS://API.lix-it.com:8443/base/", "https://api.lix-it.com:8443/base", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("http://localhost", "http://localhost", True),
        ("http://[::1]:80", "http://[::1]:80", True),
        ("https://[2001:db8::1]/v", "https://[2001:db8::1]/v", False),
        ("https://a.example/für alle/%2F", "https://a.example/f%C3%BCr%20alle/%2F", False),
    ],
)
def test_a_base_url_uses_https_or_is_this_machine(url, origin, loopback):
    found = parse_base_url(url)
    assert (found.origin, found.loopback) == (origin, loopback)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://api.lix-it.com", "must use https"),
        ("http://127.0.0.1.evil.example", "must use https"),
        ("http://localhost.evil.example", "must use https"),
        ("ftp://localhost", "must use https"),
        ("//api.lix-it.com", "must use https"),
        ("api.lix-it.com", "must contain a host name"),
        ("", "must contain a host name"),
        ("https://", "must contain a host name"),
        ("https:///v1", "must contain a host name"),
        ("https://a b.example", "must contain a host name"),
        ("https://lïx.example", "must contain a host name"),
        ("https://evil.example\\.lix-it.com", "must contain a host name"),
        ("https://[fe80::1%25eth0]", "must contain a host name"),
        ("https://user:pass@api.lix-it.com", "scheme, host, port and path only"),
        ("https://@api.lix-it.com", "scheme, host, port and path only"),
        ("https://api.lix-it.com?a=1", "scheme, host, port and path only"),
        ("https://api.lix-it.com#a", "scheme, host, port and path only"),
        ("https://api.lix-it.com:99999", "must be a URL"),
        ("https://api.lix-it.com:port", "must be a URL"),
        ("https://[::1", "must be a URL"),
    ],
)
def test_a_base_url_that_would_expose_the_key_is_rejected(url, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_base_url(url)
    assert "pass" not in str(caught.value)


@given(st.text(st.sampled_from("https:/[]@?#%.\\ \t\n01aé-"), max_size=30) | st.text())
def test_any_text_is_parsed_or_rejected_as_a_base_url(url):
    try:
        found = parse_base_url(url)
    except ConfigurationError:
        return
    assert found.scheme == "https" or found.loopback
    assert not set(found.authority) & set("/\\@?#% \t\r\n")
