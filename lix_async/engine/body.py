"""Bodies on their way out and in: sent whole, unpacked under a cap."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import cache

import anyio

WIRE_CAP = 16 * 2**20
BODY_CAP = 64 * 2**20
"""Bytes of one answer, as received and unpacked: half a megabyte of gzip can become half a
gigabyte."""

Trouble = tuple[str, bool, bool]
"""What went wrong; may the request have arrived (always, here); is a repeat senseless."""


async def read(chunks: AsyncIterable[bytes], encoding: str | None) -> bytes | Trouble:
    """The whole body, unpacked; stops at the caps instead of filling the memory."""
    packed = (encoding or "identity").strip().lower()
    if packed not in ("identity", "gzip", "x-gzip", ""):
        return f"the answer is packed as {packed[:40]!r}, not as asked for", True, True
    body = _Body("gzip" in packed)
    # Leaving the loop early would leave the library's generators half run, which trio reports:
    # a cancellation ends them where they wait.
    with anyio.CancelScope() as scope:
        async for chunk in chunks:
            if body.trouble is None and not body.feed(chunk):
                scope.cancel()
    return body.whole()


class _Body:
    """What came so far of a body."""

    def __init__(self, packed: bool) -> None:
        self.trouble: Trouble | None = None
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
        self._parts: list[bytes] = []
        self._came = self._size = 0

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk in; False when no more of them is wanted."""
        self._came += len(chunk)
        room = BODY_CAP - self._size + 1
        try:
            part = self._unpack.decompress(chunk, room) if self._unpack else chunk
        except zlib.error:
            self.trouble = "the answer cannot be unpacked", True, True
            return False
        self._size += len(part)
        self._parts.append(part)
        if self._came > WIRE_CAP or self._size > BODY_CAP:
            self.trouble = f"the answer is too large ({self._came} bytes came)", True, True
        return self.trouble is None

    def whole(self) -> bytes | Trouble:
        """The body, once the last chunk is in."""
        if self.trouble is None and self._unpack and self._came and not self._unpack.eof:
            return "the packed answer is cut off", True, False
        return self.trouble or b"".join(self._parts)


@cache
def at_once(stream: type) -> type:
    """A byte stream of an HTTP library, without the generator that it sends its bytes with.

    When a request is cancelled while its body leaves, that generator stays behind half run.
    """

    def iterate(self: Iterable[bytes]) -> _Once:
        return _Once(b"".join(self))

    return type(stream.__name__, (stream,), {"__aiter__": iterate})


class _Once:
    """One chunk, and the end."""

    def __init__(self, chunk: bytes) -> None:
        self._left = [chunk]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()
