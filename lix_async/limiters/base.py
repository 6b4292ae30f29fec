"""What the engine asks of a rate limiter."""

from __future__ import annotations

from typing import Protocol


class Limiter(Protocol):
    """What paces calls. Shared by everybody who uses the same key, in or between processes.

    Only these two methods are needed. A limiter may also have `turn_in()` (seconds until who
    asks now has a turn: a call whose deadline is over by then ends at once), `give_back()` (a
    turn was taken but nothing was sent), `late(seconds)` (the request left that long after its
    turn) and `lane(row, params)` (the limiter for that call: see `LaneLimiter`).
    """

    async def acquire(self) -> None:
        """Return when it is the caller's turn. One attempt spends one turn.

        A `TransportError` raised here ends the call: its `sent` is False, unless the answer of
        an earlier attempt was lost, and `attempts` counts those earlier ones.
        """

    async def hold(self, seconds: float) -> None:
        """The provider said "too fast": no turn for anybody for that long."""
