"""JSON that is not strict is read all the same; the body stays as it was received."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_provider import SAMPLE, THING, Thing

from lix_async.core import wire
from lix_async.core.errors import DecodeError, NotFoundError
from lix_async.core.json_text import SchemaMismatch, json_object, parse_json, strict_json

ODD = [
    (b'\xef\xbb\xbf{"a": "x"}', "x"),
    (b' \n{"a": "x"}', "x"),
    ('\ufeff\ufeff{"a": "x"}'.encode(), "x"),
    ('{"a": "x"}'.encode("utf-16"), "x"),
    (rb'{"a": "cut \ud83d"}', "cut \ufffd"),
    (rb'{"a": "\ude00 cut"}', "\ufffd cut"),
    (rb'{"a": "\ud83d\ud83d\ude00"}', "\ufffd\U0001f600"),
    (rb'{"a": "\\ud83d \\\ud83d"}', "\\ud83d \\\ufffd"),
    (b'{"a": "\xff"}', "\ufffd"),
    (b'{"a": "\xed\xa0\xbd"}', "\ufffd\ufffd\ufffd"),
    (b'{"a": "two\nlines\x01"}', "two\nlines\x01"),
    (b'{"a": NaN}', None),
    (b'{"a": Infinity}', None),
    (b'{"a": -Infinity}', None),
    (b'{"a": 1e400}', None),
    (b'{"a": -1e400}', None),
    (b'{"a": %b}' % (b"9" * 5000), None),
    (b'{"a": 1.%b}' % (b"5" * 5000), 1.5555555555555556),
    (b'{"a": 1, "a": 2}', 2),
]


@pytest.mark.parametrize(("body", "value"), ODD)
def test_json_that_is_not_strict_is_parsed(body: bytes, value: object) -> None:
    assert parse_json(body) == {"a": value}
    assert json_object(body) == {"a": value}
    assert msgspec.json.decode(strict_json(body)) == {"a": value}


@pytest.mark.parametrize("body", [b"", b"nope", b"<html>", b'{"a": ', b'{"a": 1} x', b"[" * 99_999])
def test_what_is_no_json_is_a_schema_mismatch_without_a_trace_of_it(body: bytes) -> None:
    for read in (parse_json, strict_json):
        with pytest.raises(SchemaMismatch) as caught:
            read(body)
        assert caught.value.__context__ is None or read is strict_json
    assert json_object(body) is None


def test_a_strict_body_is_not_copied() -> None:
    body = b'{"a": [1, "x"]}'
    assert strict_json(body) is body


texts = st.text(st.characters(exclude_categories=()), max_size=5)
trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


def plain(value: Any) -> Any:
    """The value without half surrogates and numbers that JSON does not have."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(name): plain(item) for name, item in value.items()}
    return value


@given(trees, st.booleans(), st.booleans())
def test_whatever_python_writes_is_read(tree: Any, escaped: bool, marked: bool) -> None:
    text = json.dumps(tree, ensure_ascii=escaped)
    body = text.encode("utf-8", "surrogatepass")
    if not escaped and "\ufffd" in plain(text):
        parse_json(body)  # each byte of such a half becomes a character
        return
    assert parse_json(b"\xef\xbb\xbf" * marked + body) == plain(tree)


@pytest.mark.parametrize(("body", "value"), [pair for pair in ODD if isinstance(pair[1], str)])
def test_a_call_reads_an_answer_that_is_not_strict(body: bytes, value: str) -> None:
    answer = body.replace(b'"a"', b'"id"') if b"\x00" not in body else body
    found = wire.decode(SAMPLE, THING, 200, answer)
    assert found == (Thing(id=value) if answer is not body else Thing())


def test_an_error_that_is_not_strict_is_an_error() -> None:
    body = b'\xef\xbb\xbf{"error": {"type": "not_found", "message": "gone \\ud83d"}, "n": NaN}'
    refusal = wire.decode(SAMPLE, THING, 200, body)
    assert isinstance(refusal, NotFoundError)
    assert refusal.message == "gone \ufffd"
    assert SAMPLE.own_error(body)


def test_what_does_not_fit_even_so_keeps_its_body() -> None:
    body = b'\xef\xbb\xbf{"id": {"text": "\\ud83d"}, "n": NaN}'
    failed = wire.decode(SAMPLE, THING, 200, body)
    assert isinstance(failed, DecodeError)
    assert (failed.path, failed.body) == ("$.id", body)


def test_a_prefix_against_scripts_is_left_out():
    assert parse_json(b")]}',\n" + b'{"a": 1}') == parse_json(b")]}'," + b'{"a": 1}') == {"a": 1}
