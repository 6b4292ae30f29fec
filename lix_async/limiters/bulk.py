"""The other way to ask for a shared rate's turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shared import SharedLimiter


class BulkLimiter:
    """A `SharedLimiter`'s rate for work that can wait: `AsyncLix(rate_limit=limiter.bulk)`.

    It takes turns that are free and reserves none, so it gets what others leave: under callers
    who use the whole rate it gets nothing. While the store cannot be reached it waits.
    """

    def __init__(self, shared: SharedLimiter) -> None:
        self.shared = shared
        self.rate = shared.rate
        self.acquire = shared.acquire_patiently
        self.try_acquire = shared.try_acquire
        self.turn_in = shared.turn_in_patiently
        self.hold = shared.hold
        self.give_back = shared.give_back
        self.late = shared.late

    def __repr__(self) -> str:
        return f"{self.shared!r}.bulk"
