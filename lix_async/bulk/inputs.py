"""From a stream of inputs to calls that are to be made: what the ledger knows goes by quickly."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import NamedTuple

import anyio

from ..core.errors import ConfigurationError
from .calls import Call, Caller, Input, Sketch
from .lookup import Lookup
from .outcome import Outcome
from .source import Source
from .store import Store

FIRST = 16
MOST = 256
"""Inputs looked up in the ledger at once: the more, the more of them it knew."""


class Job(NamedTuple):
    """A call that is to be made, or to be looked up."""

    given: Input
    call: Call
    polls: int = 0
    """How often the provider said that it is queued."""


class Inputs:
    """Takes inputs as they are needed, and hands out at once what needs no call.

    A run that goes on meets what it knows first: there many inputs are looked up at once, and
    handed over together. Where they are new they are taken one at a time.
    """

    def __init__(
        self,
        inputs: Iterable[Input] | AsyncIterable[Input],
        caller: Caller,
        lookup: Lookup,
        store: Store,
        hand_over: Callable[[list[Outcome[object]]], Awaitable[None]],
    ) -> None:
        self._source: Source[Input] = Source(inputs)
        # One at a time from a stream: the next input may be long in coming.
        self._most = 1 if isinstance(inputs, AsyncIterable) else MOST
        self._caller = caller
        self._lookup = lookup
        self._store = store
        self._hand_over = hand_over
        self._ready: deque[Job] = deque()
        self._lock: anyio.Lock | None = None
        self._ahead = min(FIRST, self._most)

    @property
    def used_up(self) -> bool:
        """Whether there is nothing more to take."""
        return self._source.ended and not self._ready

    def met(self, *, known: bool) -> None:
        """Tell whether the ledger knew the input that was last worked on."""
        if not self._ahead and known:
            self._ahead = min(FIRST, self._most)

    async def next(self) -> Job:
        """The next call, or `StopAsyncIteration`."""
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        async with self._lock:  # one looks ahead for all
            while not self._ready:
                await self._look()
            return self._ready.popleft()

    async def _look(self) -> None:
        sketches: list[tuple[Input, Sketch]] = []
        out: list[Outcome[object]] = []
        for given in await self._taken():
            try:
                sketches.append((given, self._caller.sketch(given)))
            except ConfigurationError as error:
                out.append(Outcome(input=given, state="invalid", error=error))
        if self._ahead:
            sketches = await self._unknown(sketches, out)
        self._ready += (
            Job(given, sketch.call or self._caller.call(given)) for given, sketch in sketches
        )
        await self._hand_over(out)

    async def _taken(self) -> list[Input]:
        if not self._source.plain:
            return [(await self._source.next())[1]]
        found = self._source.many(max(self._ahead, 1))
        if not found:
            raise StopAsyncIteration
        return found

    async def _unknown(
        self, sketches: list[tuple[Input, Sketch]], out: list[Outcome[object]]
    ) -> list[tuple[Input, Sketch]]:
        """Those that the ledger has no final answer for; of the others, the outcome."""
        entries = await self._store.known([sketch.key for _, sketch in sketches])
        left: list[tuple[Input, Sketch]] = []
        for given, sketch in sketches:
            entry = entries.get(sketch.key)
            outcome = None if entry is None else self._lookup.final(entry, sketch.row, given)
            if outcome is None:
                left.append((given, sketch))
            else:
                out.append(outcome)
        few = 2 * len(left) > len(sketches)
        self._ahead = self._ahead // 2 if few else min(2 * self._ahead, self._most)
        return left
