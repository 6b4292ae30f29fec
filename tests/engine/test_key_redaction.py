"""What is taken out of an answer that becomes an error, and what is left as it is."""

from __future__ import annotations

import html
import json
import pickle
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.provider import ApiKey
from lix_async.core.wire import HttpResponse
from lix_async.engine.credentials import MIN_KEY_LENGTH, MIN_SECRET_LENGTH, KeyRedactor

KEY = "k3y/of+the='caller'<&>\"\\~"
VISIBLE = st.text(
    st.characters(min_codepoint=33, max_codepoint=126), min_size=MIN_SECRET_LENGTH, max_size=90
)


def redactor(key: str = KEY) -> KeyRedactor:
    return KeyRedactor(ApiKey(key))


@given(VISIBLE)
def test_every_spelling_of_any_key_is_found(key):
    spellings = [
        key,
        quote(key, ""),
        quote(key, "").lower() if key == key.lower() else quote(key),
        quote(quote(key, ""), ""),
        json.dumps(key)[1:-1],
        json.dumps(key)[1:-1].replace("/", "\\/"),
        "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in key),
        html.escape(key),
        "".join(c if c.isalnum() else f"&#{ord(c)};" for c in key),
    ]
    for form in spellings:
        assert redactor(key).redact_text(f"a {form} b") == "a *** b"


@given(VISIBLE, st.sampled_from([b"", b"a", b"ab", b"Bearer "]), st.sampled_from([b"", b":", b"x"]))
def test_base64_keeps_no_more_than_what_is_shared_with_the_neighbours(key, before, after):
    for encoded in (b64encode, urlsafe_b64encode):
        form = encoded(before + key.encode() + after).decode()
        for echoed in (form, form.replace("/", "\\/"), quote(form, "")):
            left = redactor(key).redact_text(echoed)
            assert "***" in left
            assert len(left.replace("%3D", "=")) <= len("***") + len(before) * 4 / 3 + 8


@pytest.mark.parametrize("key", ["demo", "sandbox", "secret", "12345", "123456789012", "k-1"])
def test_a_key_that_is_an_ordinary_word_or_number_is_left_where_it_stands(key):
    assert redactor(key).redact_text(f"a {key} body") == f"a {key} body"


@pytest.mark.parametrize(
    "key", ["sandbox-key", "abc123", "a" * MIN_SECRET_LENGTH, "1" * MIN_SECRET_LENGTH]
)
def test_a_shorter_key_that_looks_like_one_is_taken_out(key):
    assert len(key) >= MIN_KEY_LENGTH
    assert redactor(key).redact_text(f"key was {key}.") == "key was ***."


def test_an_answer_without_the_key_stays_the_same_object():
    plain = HttpResponse(200, [(b"A", b"b")], b"body")
    assert redactor().redact_response(plain) is plain
    for headers, body in (([(b"A", KEY.encode())], b""), ([(KEY.encode(), b"")], b""), ([], KEY)):
        echoed = body.encode() if isinstance(body, str) else body
        assert (
            b"***" in repr(redactor().redact_response(HttpResponse(200, headers, echoed))).encode()
        )
        assert "k3y" not in repr(redactor().redact_response(HttpResponse(200, headers, echoed)))


def test_text_that_is_not_valid_utf8_is_redacted_too():
    assert redactor().redact_text(f"\udc80 {KEY}") == "\udc80 ***"


def test_the_redactor_does_not_show_the_key():
    one = redactor()
    one.redact_text("made ready")
    assert repr(one) == str(one) == "<KeyRedactor>"
    assert "k3y" not in repr([getattr(one, name) for name in KeyRedactor.__slots__])
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)) as caught:
        pickle.dumps(one)
    assert "k3y" not in repr(caught.value)
