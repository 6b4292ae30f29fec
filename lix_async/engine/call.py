"""One call's books while it lasts, and the error that its caller is told at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from ..core.endpoint import Endpoint, P
from ..core.errors import DailyLimitError, DeadlineError, LixError, OutcomeUnknownError
from .clock import Clock
from .limiter import Limiter
from .watch import Watched


class Call(msgspec.Struct):
    """What happened to a call so far."""

    clock: Clock
    deadline: float | None
    give_up_at: float | None
    limiter: Limiter | None
    departing: Callable[[], Awaitable[None]] | None = None
    returned: Callable[[], None] | None = None
    attempts: int = 0
    failures: int = 0
    polls: int = 0
    lost: int = 0
    waited: float = 0.0
    departed: bool = False
    stalled: bool = False
    """The limiter has given up: it cannot be reached."""
    pause: float = 0.0
    too_late: float | None = None
    """When the wait that the deadline forbids would have ended, in seconds since the epoch."""
    watched: Watched | None = None

    def overdue(self, seconds: float) -> bool:
        """Whether the deadline is over when so many seconds are: then no wait is begun."""
        if self.give_up_at is None or self.clock.now() + seconds < self.give_up_at:
            return False
        self.too_late = self.clock.wall() + seconds
        return True

    def told(self, row: Endpoint[P, object], error: LixError | None) -> LixError:
        """The error to raise: what happened, told from the caller's point of view.

        None: the deadline ended the call.
        """
        unknown = self.departed if error is None else getattr(error, "sent", False)
        if not row.safe and unknown:
            why = "the deadline passed" if error is None else str(error.args[0])
            error = OutcomeUnknownError(
                f"{why}; it may have been carried out and was not repeated: look before you do",
                sent=True,
            )
        elif error is None:
            error = DeadlineError(f"the deadline of {self.deadline:g} s passed", sent=self.lost > 0)
        elif self.too_late is not None:
            error = DeadlineError(
                f"the deadline of {self.deadline:g} s cannot be met: {error.args[0]}",
                retry_at=self.too_late,
                sent=self.lost > 0,
            )
        if isinstance(error, DailyLimitError) and error.refreshes_at is None and error.retry_after:
            error.refreshes_at = self.clock.wall() + error.retry_after
        error.endpoint = row.id
        error.attempts = self.attempts
        return error
