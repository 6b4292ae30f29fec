"""Packed answers: of one member or many, cut anywhere, and made to do harm."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lix_async.engine import response_body as module
from lix_async.engine.response_body import (
    CHUNK_SIZE,
    MAX_BODY_BYTES,
    MAX_GZIP_MEMBERS,
    MAX_RECEIVED_BYTES,
    decompress,
    read_body,
)

EMPTY = gzip.compress(b"")


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def whole(data: bytes, size: int = CHUNK_SIZE) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_SIZE", size)
        return decompress(data, "gzip")


@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=6),
    zeros=st.integers(0, 30),
    size=st.integers(1, 70),
)
def test_all_members_are_read_however_they_are_cut(parts, zeros, size):
    """RFC 1952 section 2.2: a file is a series of members, without anything between them."""
    packed = b"".join(map(gzip.compress, parts))
    assert whole(packed + bytes(zeros), size) == b"".join(parts)


@given(parts=st.lists(st.binary(max_size=50), min_size=2, max_size=4), data=st.data())
def test_a_member_that_is_cut_off_is_no_answer(parts, data):
    first, *others = map(gzip.compress, parts)
    packed = first + b"".join(others)
    cut = data.draw(st.integers(1, len(packed) - 1))
    ends = {len(first) + sum(map(len, others[:n])) for n in range(len(others))}
    if cut not in ends:
        assert whole(packed[:cut], 7) == ("the compressed response is incomplete", True, False)


@pytest.mark.parametrize("size", [1, 5, CHUNK_SIZE])
def test_bytes_after_the_last_member_that_begin_no_other_are_ignored(size):
    """As every HTTP client has it; also where one of them looks like a beginning."""
    assert whole(gzip.compress(b"{}") + b"\r\n\x1f\x8b" + EMPTY, size) == b"{}"
    assert whole(gzip.compress(b"{}") + b"\x00\x00" + EMPTY + bytes(9), size) == b"{}"


def test_a_second_member_that_is_none_cannot_be_unpacked():
    broken = gzip.compress(b"a") + gzip.compress(b"b" * 90)[:-8] + bytes(8)
    assert whole(broken) == ("the response cannot be decompressed", True, True)
    assert whole(gzip.compress(b"a") + b"\x1fnonsense") == (
        "the response cannot be decompressed",
        True,
        True,
    )


def test_a_bomb_of_many_members_is_stopped_at_the_cap_and_keeps_no_more():
    """Each member is small enough by itself; together they are four times the cap."""
    bomb = gzip.compress(bytes(MAX_BODY_BYTES // 16)) * 64
    tracemalloc.start()
    try:
        message, sent, permanent = whole(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message.startswith("the response is too large")
    assert (sent, permanent) == (True, True)
    assert peak <= MAX_BODY_BYTES + 16 * 2**20


def test_a_last_member_may_fill_the_cap_to_the_byte_and_no_further(monkeypatch):
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 1000)
    assert whole(gzip.compress(bytes(600)) + gzip.compress(bytes(400))) == bytes(1000)
    assert whole(gzip.compress(bytes(600)) + gzip.compress(bytes(401)))[2] is True
    assert whole(gzip.compress(bytes(1001)) + EMPTY)[2] is True


@pytest.mark.parametrize("size", [7, CHUNK_SIZE, MAX_RECEIVED_BYTES])
def test_members_without_number_are_stopped_however_they_come(size):
    """Empty members cost time and no memory: 800,000 fit into the limit of received bytes."""
    assert whole(EMPTY * MAX_GZIP_MEMBERS, size) == b""
    flood = EMPTY * (MAX_RECEIVED_BYTES // len(EMPTY) if size > 7 else MAX_GZIP_MEMBERS + 1)
    assert whole(flood, size) == ("the response has more than 2048 gzip members", True, True)


def test_noise_is_refused_and_never_raises():
    noise = random.Random(7)
    for _ in range(300):
        body = bytearray(gzip.compress(b"x" * 50) * 3)
        for _ in range(noise.randrange(1, 6)):
            body[noise.randrange(len(body))] = noise.randrange(256)
        assert isinstance(whole(bytes(body), noise.randrange(1, 90)), bytes | tuple)


@pytest.mark.anyio
async def test_the_whole_way_in():
    packed = gzip.compress(b'{"a": ') + gzip.compress(b"1}")
    assert await read_body(chunks(packed, 9), "gzip") == b'{"a": 1}'
    assert await read_body(chunks(b"plain", 2), "identity") == b"plain"


CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "none": bytes,
    "utf-8": bytes,
}


@given(
    body=st.binary(max_size=300).map(lambda data: b"{" + data),
    names=st.lists(st.sampled_from(sorted(CODERS)), max_size=4),
    separator=st.sampled_from([",", ", ", " ,\t"]),
    upper=st.booleans(),
)
def test_every_series_of_codings_is_undone_in_reverse(body, names, separator, upper):
    """As httpx reads them: names that are no coding change nothing."""
    sent = body
    for name in names:
        sent = CODERS[name](sent)
    header = separator.join(name.upper() if upper else name for name in names)
    assert decompress(sent, header) == body
    if "x-gzip" not in names:
        response = httpx.Response(200, headers={"Content-Encoding": header}, content=sent)
        assert response.content == body


@given(st.binary(max_size=300), st.text(st.characters(codec="latin-1"), max_size=20))
def test_no_header_and_no_body_raise(body, header):
    assert isinstance(decompress(body, header), bytes | tuple)


@given(st.sampled_from([b"{", b"[", b" {", b"\xef\xbb\xbf["]), st.binary(max_size=200))
@example(b"{", b'"name":"Ada"}')
def test_json_under_the_name_of_a_coding_that_it_does_not_have_stays_as_it_is(start, rest):
    for coding in ("deflate", "gzip", "x-gzip", "deflate, gzip"):
        assert decompress(start + rest, coding) == start + rest
    raw = zlib.compressobj(wbits=-15)
    packed = raw.compress(start + rest) + raw.flush()
    assert decompress(packed, "deflate") == start + rest


def test_nested_bombs_are_stopped_at_the_limit():
    bomb = gzip.compress(bytes(2 * MAX_BODY_BYTES))
    for sent, header in (
        (zlib.compress(bytes(2 * MAX_BODY_BYTES)), "deflate"),
        (zlib.compress(bomb), "gzip, deflate"),
        (gzip.compress(bomb), "gzip,gzip"),
    ):
        assert decompress(sent, header)[0].startswith("the response is too large")
