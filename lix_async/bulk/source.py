"""Inputs one at a time, from anything that can be iterated."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

import anyio

I = TypeVar("I")  # noqa: E741  # an input


class Source(Generic[I]):
    """Inputs one at a time, from anything that can be iterated, by many tasks."""

    def __init__(self, inputs: Iterable[I] | AsyncIterable[I]) -> None:
        self._plain: Iterator[I] | None = None
        self._async: AsyncIterator[I] | None = None
        if isinstance(inputs, AsyncIterable):
            self._async = aiter(inputs)
        else:
            self._plain = iter(inputs)
        self._lock: anyio.Lock | None = None
        self.taken = 0
        self.ended = False

    @property
    def plain(self) -> bool:
        """Whether nobody has to be waited for."""
        return self._plain is not None

    def many(self, most: int) -> list[I]:
        """The next inputs of a plain iterable; none when there are no more."""
        assert self._plain is not None  # see `plain`
        found = [] if self.ended else list(itertools.islice(self._plain, most))
        self.ended = len(found) < most
        self.taken += len(found)
        return found

    async def next(self) -> tuple[int, I]:
        """The next input and its number, or `StopAsyncIteration`."""
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        async with self._lock:
            if self.ended:
                raise StopAsyncIteration
            try:
                found = next(self._plain) if self._plain is not None else await self._awaited()
            except (StopIteration, StopAsyncIteration):
                self.ended = True
                raise StopAsyncIteration from None
            self.taken += 1
            return self.taken - 1, found

    async def _awaited(self) -> I:
        assert self._async is not None  # one of the two is there
        return await anext(self._async)
