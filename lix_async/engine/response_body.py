"""Reading a response body under a size limit, and sending a request body in one piece."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import cache

import anyio

from ..core.families import begins_as_json
from ..core.plurals import plural

MAX_RECEIVED_BYTES = 16 * 2**20
"""Bytes of one body as received."""
MAX_BODY_BYTES = 64 * 2**20
"""Bytes of one body after decompression: gzip can turn half a megabyte into half a gigabyte."""
MAX_GZIP_MEMBERS = 2048
"""Members of one gzip body (RFC 1952 section 2.2): twice what the size limit needs in blocks of
64 KiB. Each member costs time, even an empty one, and 800,000 empty ones fit into the limit of
received bytes."""
MAX_CODINGS = 4
"""Codings of one body that are undone. Each one could unfold to the size limit."""
GZIP = zlib.MAX_WBITS | 16
CHUNK_SIZE = 2**16
"""Bytes decompressed at a time. What follows the end of a gzip member is copied, so chunks must
not be large."""

BodyError = tuple[str, bool, bool]
"""A message; whether the request may have arrived (here always); whether the error is permanent."""


async def read_body(chunks: AsyncIterable[bytes], encoding: str | None) -> bytes | BodyError:
    """The whole body, decompressed. Reading stops at the size limit."""
    parts: list[bytes] = []
    received = 0
    # Leaving the loop early would leave the library's generators suspended, which trio reports.
    # A cancellation ends them where they wait.
    with anyio.CancelScope() as scope:
        async for chunk in chunks:
            parts.append(chunk)
            received += len(chunk)
            if received > MAX_RECEIVED_BYTES:
                scope.cancel()
                parts.clear()
    if received > MAX_RECEIVED_BYTES:
        return _too_large(received)
    return decompress(b"".join(parts), encoding)


def decompress(body: bytes, encoding: str | None) -> bytes | BodyError:
    """A complete body without its content codings, as httpx reads them.

    Names that are no coding (`none`, `utf-8`) are ignored, and so is a coding that the body does
    not have: proxies decompress and leave the header. What cannot be read then is for the decoder
    of the body to say; the body itself is kept.
    """
    names = [name.strip().lower() for name in (encoding or "").split(",")]
    codings = [name for name in names if name in ("gzip", "x-gzip", "deflate")]
    if len(codings) > MAX_CODINGS:
        return f"the response has more than {MAX_CODINGS} content codings", True, True
    for coding in reversed(codings):
        found = _inflate(body) if coding == "deflate" else _gunzip(body)
        if isinstance(found, tuple):
            return found
        body = found
    return body


def _too_large(received: int) -> BodyError:
    return f"the response is too large ({received} {plural(received, 'byte')} received)", True, True


def _gunzip(body: bytes) -> bytes | BodyError:
    """Decompress the members of a gzip body."""
    if not body.startswith(b"\x1f"):
        return body  # not gzip, whatever the header says
    member = zlib.decompressobj(GZIP)
    members, size = 1, 0
    parts: list[bytes] = []
    for start in range(0, len(body), CHUNK_SIZE):
        data = body[start : start + CHUNK_SIZE]
        while data and size <= MAX_BODY_BYTES:
            if member.eof:
                data = data.lstrip(b"\0")  # gzip files may be padded with zeros; gzip(1) skips them
                if not data:
                    break
                if data[:1] != b"\x1f":  # not another member: ignored, as by gzip(1)
                    return b"".join(parts)
                member = zlib.decompressobj(GZIP)
                members += 1
                if members > MAX_GZIP_MEMBERS:
                    return f"the response has more than {MAX_GZIP_MEMBERS} gzip members", True, True
            try:
                parts.append(member.decompress(data, MAX_BODY_BYTES - size + 1))
            except zlib.error:
                return "the response cannot be decompressed", True, True
            size += len(parts[-1])
            data = member.unused_data
    if size > MAX_BODY_BYTES:
        return _too_large(len(body))
    if not member.eof:
        return "the compressed response is incomplete", True, False
    return b"".join(parts)


def _inflate(body: bytes) -> bytes | BodyError:
    """Decompress a deflate body, with or without the zlib header that RFC 9110 asks for."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        inflater = zlib.decompressobj(bits)
        try:
            found = inflater.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
        # Without that header, `{` and `[` are the beginning of a deflate body as well.
        if begins_as_json(body) and not begins_as_json(found):
            break
        if len(found) > MAX_BODY_BYTES:
            return _too_large(len(body))
        if body and not inflater.eof:
            return "the compressed response is incomplete", True, False
        return found
    return body  # not deflate, whatever the header says


@cache
def single_chunk_stream(stream: type) -> type:
    """A byte stream class of an HTTP library that sends its bytes without a generator.

    When a request is cancelled while its body is sent, a generator would stay suspended.
    """

    def iterate(self: Iterable[bytes]) -> SingleChunkStream:
        return SingleChunkStream(b"".join(self))

    return type(stream.__name__, (stream,), {"__aiter__": iterate})


class SingleChunkStream:
    """An async iterator of one chunk."""

    def __init__(self, chunk: bytes) -> None:
        self._chunks = [chunk]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop()
