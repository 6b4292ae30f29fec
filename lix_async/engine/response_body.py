"""Reading a response body under a size limit, and sending a request body in one piece."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import cache

import anyio

MAX_RECEIVED_BYTES = 16 * 2**20
"""Bytes of one body as received."""
MAX_BODY_BYTES = 64 * 2**20
"""Bytes of one body after decompression: gzip can turn half a megabyte into half a gigabyte."""
MAX_GZIP_MEMBERS = 2048
"""Members of one gzip body (RFC 1952 section 2.2): twice what the size limit needs in blocks of
64 KiB. Each member costs time, even an empty one, and 800,000 empty ones fit into the limit of
received bytes."""
GZIP = zlib.MAX_WBITS | 16
_CODING = re.compile(r"[a-z]{2,8}(?:, ?[a-z]{2,8})?")
"""The names of one or two content codings, such as br, zstd and deflate."""
CHUNK_SIZE = 2**16
"""Bytes decompressed at a time. What follows the end of a gzip member is copied, so chunks must
not be large."""

BodyError = tuple[str, bool, bool]
"""A message; whether the request may have arrived (here always); whether the error is permanent."""


async def read_body(chunks: AsyncIterable[bytes], encoding: str | None) -> bytes | BodyError:
    """The whole body, decompressed. Reading stops at the size limits."""
    coding = (encoding or "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", ""):
        # A header may contain anything, so it is only shown if it looks like a coding.
        name = repr(coding) if _CODING.fullmatch(coding) else "an unknown one"
        return f"unexpected content encoding: {name}, expected gzip", True, True
    body = _BodyReader("gzip" in coding)
    # Leaving the loop early would leave the library's generators suspended, which trio reports.
    # A cancellation ends them where they wait.
    with anyio.CancelScope() as scope:
        async for chunk in chunks:
            if body.error is None and not body.feed(chunk):
                scope.cancel()
    return body.result()


class _BodyReader:
    """Collects and decompresses the chunks of a body."""

    def __init__(self, compressed: bool) -> None:
        self.error: BodyError | None = None
        self._member = zlib.decompressobj(GZIP) if compressed else None
        self._members = 1
        self._ended = False
        self._parts: list[bytes] = []
        self._received = self._size = 0

    def feed(self, chunk: bytes) -> bool:
        """Add a chunk; False if no more chunks are wanted."""
        self._received += len(chunk)
        if self._member is None:
            self._append(chunk)
        else:
            for start in range(0, len(chunk), CHUNK_SIZE):
                self._decompress(chunk[start : start + CHUNK_SIZE])
        if self._received > MAX_RECEIVED_BYTES or self._size > MAX_BODY_BYTES:
            message = f"the response is too large ({self._received} bytes received)"
            self.error = message, True, True
        return self.error is None

    def _append(self, part: bytes) -> None:
        self._size += len(part)
        self._parts.append(part)

    def _decompress(self, data: bytes) -> None:
        """Decompress data that may contain the ends of several members."""
        while data and self._member and self.error is None and self._size <= MAX_BODY_BYTES:
            if self._member.eof:
                data = data.lstrip(b"\0")  # gzip files may be padded with zeros; gzip(1) skips them
                # Bytes that do not start another member are ignored, as by gzip(1).
                self._ended = self._ended or data[:1] not in (b"", b"\x1f")
                if self._ended or not data:
                    return
                self._member = zlib.decompressobj(GZIP)
                self._members += 1
            if self._members > MAX_GZIP_MEMBERS:
                message = f"the response has more than {MAX_GZIP_MEMBERS} gzip members"
                self.error = message, True, True
                return
            try:
                self._append(self._member.decompress(data, MAX_BODY_BYTES - self._size + 1))
            except zlib.error:
                self.error = "the response cannot be decompressed", True, True
            data = self._member.unused_data

    def result(self) -> bytes | BodyError:
        """The body after the last chunk."""
        if self.error is None and self._member and self._received and not self._member.eof:
            return "the compressed response is incomplete", True, False
        return self.error or b"".join(self._parts)


@cache
def single_chunk_stream(stream: type) -> type:
    """A byte stream class of an HTTP library that sends its bytes without a generator.

    When a request is cancelled while its body is sent, a generator would stay suspended.
    """

    def iterate(self: Iterable[bytes]) -> _SingleChunkStream:
        return _SingleChunkStream(b"".join(self))

    return type(stream.__name__, (stream,), {"__aiter__": iterate})


class _SingleChunkStream:
    """An async iterator of one chunk."""

    def __init__(self, chunk: bytes) -> None:
        self._chunks = [chunk]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop()
