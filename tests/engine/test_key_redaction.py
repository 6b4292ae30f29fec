"""What is taken out of an answer that becomes an error, and what is left as it is."""

from __future__ import annotations

import gc
import html
import importlib
import json
import logging
import pickle
import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.provider import ApiKey
from lix_async.core.wire import HttpResponse
from lix_async.engine.credentials import (
    LOG_FILTER,
    MIN_KEY_LENGTH,
    MIN_SECRET_LENGTH,
    KeyRedactionFilter,
    KeyRedactor,
    _rule,
)

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


def records(*lines: object) -> list[str]:
    """What is logged for these messages, by one of the loggers of an HTTP library."""
    filtered = [logging.LogRecord("httpcore.http11", 10, "", 0, line, None, None) for line in lines]
    assert all(LOG_FILTER.filter(record) for record in filtered)
    assert not any(record.args for record in filtered)
    return [record.getMessage() for record in filtered]


def test_each_key_is_hidden_in_log_records_while_its_client_exists():
    """Two clients over one host, with two keys at two places: neither key is shown."""
    keys = ["first-key/of+a-client", "second-key/of+a-client"]
    lines = [
        f"GET https://sample.example/?k={quote(key, '')} {key!r} {key.encode()!r}" for key in keys
    ]
    redactors = [redactor(key) for key in keys]
    for one in redactors:
        LOG_FILTER.add(one)
    assert records(*lines) == ["GET https://sample.example/?k=*** '***' b'***'"] * 2
    assert records("GET %s", 5, "nothing to hide") == ["GET %s", "5", "nothing to hide"]
    del redactors, one
    gc.collect()
    assert records(*lines) == lines


def test_the_arguments_of_a_record_are_redacted_whatever_their_type():
    one = redactor()
    LOG_FILTER.add(one)
    for argument in (httpx.URL(f"https://a.example/?k={quote(KEY, '')}"), (b"X", KEY.encode())):
        record = logging.LogRecord("httpx", 20, "", 0, "sent %s %d", (argument, 1), None)
        LOG_FILTER.filter(record)
        assert "***" in record.getMessage()
        assert "k3y" not in repr(vars(record))


def test_every_logger_of_the_http_libraries_has_the_filter_once():
    """A filter applies to the records of its own logger only, not to those of its children."""
    for name in ("httpx", "httpcore", "httpx2", "httpcore2"):
        folder = Path(importlib.import_module(name).__file__ or "").parent
        sources = [path.read_text() for path in folder.rglob("*.py")]
        loggers = {found for text in sources for found in re.findall(r'getLogger\("(.+?)"\)', text)}
        assert loggers <= {*KeyRedactionFilter.LOGGERS, "httpx2.sse"}
        assert loggers
    kept = [redactor() for _ in range(3)]
    for one in kept:
        LOG_FILTER.add(one)
    for name in KeyRedactionFilter.LOGGERS:
        assert logging.getLogger(name).filters.count(LOG_FILTER) == 1


ESCAPES = [
    lambda char: char,
    lambda char: f"%{ord(char):02x}",
    lambda char: f"%25{ord(char):02X}",
    lambda char: f"\\u{ord(char):04X}",
    lambda char: f"\\\\u{ord(char):04x}",
    lambda char: f"\\x{ord(char):02x}",
    lambda char: f"&#{ord(char)};",
    lambda char: f"&#0{ord(char)};",
    lambda char: f"&#x{ord(char):x};",
    lambda char: f"&amp;#X{ord(char):X};",
    lambda char: quote(f"&#x{ord(char):x};", safe=""),
    lambda char: f"\\u0026#{ord(char)};",
]
LAYERS = [
    lambda text: f"%{ord(text[0]):02x}{text[1:]}",
    lambda text: f"&#{ord(text[0])};{text[1:]}",
    lambda text: f"\\u{ord(text[0]):04x}{text[1:]}",
]
LETTERS = st.text(st.sampled_from("Ab0zZ9-_.~k+/="), min_size=MIN_SECRET_LENGTH, max_size=40)


@given(LETTERS, st.data())
def test_each_character_may_be_escaped_in_a_way_of_its_own(key, data):
    form = "".join(data.draw(st.sampled_from(ESCAPES))(char) for char in key)
    text = f'{{"error": {{"message": "bad key \\"{form}\\" \\u00e9 &lt; 5 %"}}}}'
    wanted = '{"error": {"message": "bad key \\"***\\" \\u00e9 &lt; 5 %"}}'
    assert redactor(key).redact_text(text) == wanted


@pytest.mark.parametrize("layers", range(1, 9))
@pytest.mark.parametrize("first", range(len(LAYERS)))
def test_an_escape_within_escapes_is_undone(layers: int, first: int) -> None:
    """As where each server on the way quotes the answer of the next one in a way of its own."""
    form = KEY
    for layer in range(layers):
        form = LAYERS[(first + layer) % len(LAYERS)](form)
    assert redactor().redact_text(f"bad key {form}, and 100 %") == "bad key ***, and 100 %"


@given(
    LETTERS,
    st.sampled_from([b"", b"a", b"user:", b"a longer text that a line begins with"]),
    st.integers(64, 76),
    st.sampled_from(["\n", "\r\n", "\\n", "\\r\\n", "\\\\n", "\n\t ", "%0A", "%0d%0a", "\\u000a"]),
    st.sampled_from([b64encode, urlsafe_b64encode]),
)
def test_base64_in_lines(key, before, width, line_break, encoded):
    form = encoded(before + key.encode()).decode()
    lines = line_break.join(form[at : at + width] for at in range(0, len(form), width))
    left = redactor(key).redact_text(f'{{"message": "{lines}"}}')
    assert "***" in left
    assert len(left) <= len('{"message": "***"}') + len(before) * 4 / 3 + 8 + 2 * len(line_break)


@pytest.mark.parametrize(
    "text", ["100% of C# \\u00e9", "a\\nb", "%20%2C", "&#39;", "&#999;", "\\x", "%4", "line\nline"]
)
def test_what_is_escaped_elsewhere_stays(text):
    """Whether the quick search rules the key out, or the thorough one finds none."""
    assert redactor().redact_text(f"{text} %41") == f"{text} %41"
    assert redactor().redact_text(f"{text} {KEY}") == f"{text} ***"


@given(key=VISIBLE, offset=st.integers(0, 2), after=st.text(max_size=5))
def test_the_quick_search_misses_no_form(key, offset, after):
    """What the thorough search finds, the search for letters and digits finds first."""
    rule = _rule(key)
    assert rule is not None
    text = f"{'x' * offset}{key}{after}".encode("utf-8", "surrogatepass")
    for form in (text, quote(text, "").encode(), b64encode(text), json.dumps(key).encode()):
        if rule.replace(form) != form:
            assert rule.may_be_in(form)
