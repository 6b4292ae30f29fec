"""Asking for turns through the desk, so that a caller who leaves at any moment takes none along.

Jobs of the desk run in the order in which they were posted. A caller who is cancelled posts the
return of the turn it may have got; whoever asks next asks after that.
"""

from __future__ import annotations

import math

import msgspec

from ..engine.clock import Clock
from .desk import Desk
from .gcra import SECOND, Pace, Reply
from .store import Store


class Turn(msgspec.Struct, frozen=True):
    """`stamp`: what taking it left in the store. `at`: its moment on this process's clock."""

    stamp: int
    at: float


class Teller:
    """One process's way to a store."""

    def __init__(self, store: Store, pace: Pace, clock: Clock, name: str) -> None:
        self._pace = pace
        self._clock = clock
        self._desk: Desk[Store] = Desk(store, f"lix_async limiter {name}")
        self._spare: Turn | None = None  # changed by the desk's thread alone, as is the next
        self._full_at = -math.inf  # on this process's clock, as of the last answer

    async def ask(self, ahead: int) -> tuple[float, Turn | None]:
        """Seconds until the next turn, and the turn if that is at most `ahead` microseconds."""
        taken: list[Turn] = []

        def take(store: Store) -> tuple[float, Turn | None]:
            reply = self._take(store, ahead)
            wait = reply.wait / SECOND
            if reply.wait > ahead:
                return wait, None
            taken.append(Turn(reply.full_at, self._clock.now() + wait))
            return wait, taken[0]

        def undo(store: Store) -> None:
            for turn in taken:
                self._undo(store, turn)

        try:
            return await self._desk.do(take)
        except BaseException:
            self._desk.post(undo)
            raise

    def next_at(self, ahead: int) -> float:
        """When, on this process's clock, a turn comes for who has so many before it at the least.

        As far as the last answer tells, without asking: what others have taken since makes it
        later. What they have given back since could make it earlier.
        """
        spare = self._spare
        if spare is not None and spare.at > self._clock.now():
            if not ahead:
                return spare.at
            ahead -= 1
        return self._full_at + (ahead * self._pace.interval - self._pace.slack) / SECOND

    def give_back(self, turn: Turn) -> None:
        """The turn is not used. Needs no waiting: whoever asks later finds it done."""
        self._desk.post(lambda store: self._undo(store, turn))

    async def hold(self, length: int) -> None:
        """No turn for anybody for that many microseconds."""
        await self._desk.do(lambda store: store.hold(self._pace, length))

    async def held(self) -> int:
        """Microseconds for which a hold lasts."""
        return await self._desk.do(lambda store: store.held())

    def push(self, length: int) -> None:
        """Shift the turns that follow."""
        self._desk.post(lambda store: store.push(length))

    async def close(self) -> None:
        """Finish what was posted and disconnect."""
        await self._desk.close()

    def _undo(self, store: Store, turn: Turn) -> None:
        if store.give_back(self._pace, turn.stamp):
            self._full_at -= self._pace.interval / SECOND
        elif turn.at > self._clock.now():
            self._spare = turn  # others come after it: the next caller of this process has it

    def _take(self, store: Store, ahead: int) -> Reply:
        spare = self._spare
        left = 0 if spare is None else math.ceil((spare.at - self._clock.now()) * SECOND)
        if spare is not None and 0 < left <= ahead:
            self._spare = None
            return Reply(0, left, spare.stamp)
        # The server's moment is a later one than this: what is told by `next_at` is no later
        # than what is so.
        asked = self._clock.now()
        reply = store.ask(self._pace, ahead)
        self._full_at = asked + (reply.full_at - reply.now) / SECOND
        return reply
