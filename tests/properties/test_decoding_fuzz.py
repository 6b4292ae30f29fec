"""Any body is decoded into its struct or is a schema mismatch with a path."""

from __future__ import annotations

import json
import re

from core.test_decoding import People, Person
from hypothesis import example, given
from hypothesis import strategies as st

from lix_async.core.decoding import decoder_for, read_items, write_item
from lix_async.core.json_text import SchemaMismatch
from lix_async.core.models import OpenObject

KEYS = [
    "people", "persons", "profiles", "searchResponse", "response", "meta", "sequenceId", "paging",
    "total", "count", "name", "fullName", "followers", "score", "premium", "seenAt", "place", "jobs",
    "title", "job_title", "headline", "started", "year", "related", "raw", "error", "x",
]  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["57", "1,000", "true", "", "2025-01-01", "1e400", "-0", "9" * 50, "null"])
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=25,
)
objects = st.dictionaries(st.sampled_from(KEYS), trees, max_size=8)
PATH = re.compile(r"\$(\.\w+|\[\d*\]|\[\.\.\.\])*")


def read(kind: type, body: bytes) -> object:
    try:
        found = decoder_for(kind).read(body)
    except SchemaMismatch as mismatch:
        assert PATH.fullmatch(mismatch.path), mismatch.path
        assert str(mismatch)
        return None
    assert type(found) is kind
    return found


@given(objects | trees)
def test_every_tree_is_a_page_or_a_schema_mismatch(tree):
    body = json.dumps(tree).encode()
    for kind in (People, Person, OpenObject):
        read(kind, body)


@given(st.binary(max_size=200))
@example(b'{"name":"\xed\xa0\x80"}')
@example(b'{"name":"\\ud800\\u0041"}')
@example(b'{"people":[' * 3000)
@example(b"\xef\xbb\xbf{}")
def test_every_body_is_a_page_or_a_schema_mismatch(body):
    for kind in (People, Person, OpenObject):
        read(kind, body)


@given(objects, st.data())
def test_a_cut_or_changed_body_is_a_page_or_a_schema_mismatch(tree, data):
    body = json.dumps({"searchResponse": tree, "meta": {"sequenceId": "s"}}).encode()
    at = data.draw(st.integers(0, len(body)))
    read(People, body[:at])
    read(People, body[:at] + data.draw(st.binary(max_size=3)) + body[at + 1 :])


@given(objects)
def test_a_decoded_page_can_be_encoded_and_decoded_again(tree):
    """A checkpoint saves the items of a page and decodes them again."""
    page = read(People, json.dumps(tree).encode())
    if page is not None:
        written = b"[%b]" % b",".join(map(write_item, page.items))
        again = read_items(Person, written)
        assert again == page.items or "NaN" in repr(again)
        assert b"[%b]" % b",".join(map(write_item, again)) == written


@given(trees, st.text(max_size=3))
def test_accessors_of_open_objects_accept_anything(tree, name):
    posting = OpenObject({"a": tree, "b": {"c": tree}})
    text, number = posting.first_text("a", name), posting.first_number("a", name)
    assert text is None or (isinstance(text, str) and text)
    assert number is None or isinstance(number, int)
    assert posting.inside("b", "c") == tree
    assert posting.inside("b", "c", "c", name) is None or isinstance(tree, dict)
