"""Any params are encoded into one request line, and decoded to equal params."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.endpoint import Endpoint
from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params
from lix_async.core.wire import encode, read

hostile = st.text(
    st.sampled_from("a&=?#/%+;:,. \"'\\\r\n\t\0\x7f\x80é中😀\ufeff\u2028"), max_size=12
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | hostile
given_texts = texts.filter(bool)


class AnyParams(Params, frozen=True, kw_only=True):
    id: str
    link: str | None = None
    count: int | None = None
    flag: bool | None = None


def rows(body: tuple[str, ...], form: bool) -> Endpoint[AnyParams, object]:
    return Endpoint("any", "POST", "/v1/{id}/x", AnyParams, object, body=body, form=form)


ROWS = [rows((), False), rows(("link", "count", "flag"), False), rows(("link", "count"), True)]
params = st.builds(
    AnyParams,
    id=given_texts.filter(lambda text: text not in (".", "..")),
    link=st.none() | given_texts,
    count=st.none() | st.integers(-(2**63), 2**63 - 1),
    flag=st.none() | st.booleans(),
)


@pytest.mark.parametrize("row", ROWS, ids=["query", "json", "form"])
@pytest.mark.parametrize("library", [httpx, httpx2])
@given(params=params)
def test_a_url_is_encoded_as_the_http_library_does(row, library, params):
    """So the transport sends the target as it is, without the HTTP library's encoding."""
    target = encode(row, params).target
    assert library.URL(f"https://sample.example{target}").raw_path == target.encode("ascii")


@pytest.mark.parametrize("row", ROWS, ids=["query", "json", "form"])
@given(params=params)
def test_an_encoded_request_can_be_decoded(row, params):
    request = encode(row, params)
    parts = urlsplit(request.target)
    segment = re.fullmatch(r"/v1/([^/]+)/x", parts.path)
    assert segment is not None
    query = parse_qsl(parts.query, keep_blank_values=True)
    assert read(row, {"id": unquote(segment[1])}, query, request.body or b"") == params


@pytest.mark.parametrize("row", ROWS, ids=["query", "json", "form"])
@given(params=params)
def test_a_target_contains_only_safe_characters(row, params):
    target = encode(row, params).target
    assert re.fullmatch(r"/v1/[A-Za-z0-9._~%-]+/x(\?[A-Za-z0-9._~%=&-]+)?", target)
    assert "/../" not in target
    assert "/./" not in target


@given(st.dictionaries(texts, texts, max_size=4), st.lists(st.tuples(texts, texts)), st.binary())
def test_any_request_is_decoded_or_rejected(path, query, body):
    for row in ROWS:
        try:
            found = read(row, path, query, body)
        except ConfigurationError:
            continue
        assert isinstance(found, AnyParams)
