"""Bodies on their way out and in: sent whole, unpacked under a cap."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import cache

import anyio

WIRE_CAP = 16 * 2**20
BODY_CAP = 64 * 2**20
"""Bytes of one answer, as received and unpacked: half a megabyte of gzip can become half a
gigabyte."""
MEMBERS = 2048
"""Members of one gzip answer (RFC 1952 section 2.2): the cap in blocks of 64 KiB, twice. Each
costs time, also an empty one, of which the cap on the wire would let eight hundred thousand in."""
GZIP = zlib.MAX_WBITS | 16
_CODING = re.compile(r"[a-z]{2,8}(?:, ?[a-z]{2,8})?")
"""The names of codings, such as br, zstd and deflate, or two of them."""
PIECE = 2**16
"""Bytes unpacked at a time: what follows the end of a member is copied."""

Trouble = tuple[str, bool, bool]
"""What went wrong; may the request have arrived (always, here); is a repeat senseless."""


async def read(chunks: AsyncIterable[bytes], encoding: str | None) -> bytes | Trouble:
    """The whole body, unpacked; stops at the caps instead of filling the memory."""
    packed = (encoding or "identity").strip().lower()
    if packed not in ("identity", "gzip", "x-gzip", ""):
        # Told only where it is a word: a careless server may say anything in a header.
        how = f"as {packed!r}" if _CODING.fullmatch(packed) else "in a strange way"
        return f"the answer is packed {how}, not as asked for", True, True
    body = _BodyReader("gzip" in packed)
    # Leaving the loop early would leave the library's generators half run, which trio reports:
    # a cancellation ends them where they wait.
    with anyio.CancelScope() as scope:
        async for chunk in chunks:
            if body.trouble is None and not body.feed(chunk):
                scope.cancel()
    return body.whole()


class _BodyReader:
    """What came so far of a body."""

    def __init__(self, packed: bool) -> None:
        self.trouble: Trouble | None = None
        self._member = zlib.decompressobj(GZIP) if packed else None
        self._members = 1
        self._over = False
        self._parts: list[bytes] = []
        self._came = self._size = 0

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk in; False when no more of them is wanted."""
        self._came += len(chunk)
        if self._member is None:
            self._keep(chunk)
        else:
            for start in range(0, len(chunk), PIECE):
                self._unpack(chunk[start : start + PIECE])
        if self._came > WIRE_CAP or self._size > BODY_CAP:
            self.trouble = f"the answer is too large ({self._came} bytes came)", True, True
        return self.trouble is None

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        self._parts.append(part)

    def _unpack(self, piece: bytes) -> None:
        """Unpack a piece, over the ends of as many members as end in it."""
        while piece and self._member and self.trouble is None and self._size <= BODY_CAP:
            if self._member.eof:
                piece = piece.lstrip(b"\0")  # as gzip(1): zeros may fill up the end
                # Bytes behind the last member that begin no other one are nobody's.
                self._over = self._over or piece[:1] not in (b"", b"\x1f")
                if self._over or not piece:
                    return
                self._member = zlib.decompressobj(GZIP)
                self._members += 1
            if self._members > MEMBERS:
                self.trouble = f"the answer has more than {MEMBERS} gzip members", True, True
                return
            try:
                self._keep(self._member.decompress(piece, BODY_CAP - self._size + 1))
            except zlib.error:
                self.trouble = "the answer cannot be unpacked", True, True
            piece = self._member.unused_data

    def whole(self) -> bytes | Trouble:
        """The body, once the last chunk is in."""
        if self.trouble is None and self._member and self._came and not self._member.eof:
            return "the packed answer is cut off", True, False
        return self.trouble or b"".join(self._parts)


@cache
def single_chunk_stream(stream: type) -> type:
    """A byte stream of an HTTP library, without the generator that it sends its bytes with.

    When a request is cancelled while its body leaves, that generator stays behind half run.
    """

    def iterate(self: Iterable[bytes]) -> _SingleChunkStream:
        return _SingleChunkStream(b"".join(self))

    return type(stream.__name__, (stream,), {"__aiter__": iterate})


class _SingleChunkStream:
    """One chunk, and the end."""

    def __init__(self, chunk: bytes) -> None:
        self._left = [chunk]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()
