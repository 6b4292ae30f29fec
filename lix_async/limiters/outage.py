"""The books of a store that does not answer: since when, and when to try again."""

from __future__ import annotations

from ..core.errors import TransportError

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0


class Outage:
    """All callers of a process share one: while it lasts, one of them tries at a time.

    Pauses between attempts double from 0.05 to 5 s.
    """

    def __init__(self) -> None:
        self.error: TransportError | None = None
        self.retry_at = 0.0
        self._since = 0.0
        self._pause = FIRST_PAUSE

    def failed(self, error: TransportError, now: float) -> None:
        """An attempt failed. Errors are kept as new objects: one that is raised twice grows."""
        if self.error is None:
            self._since, self._pause = now, FIRST_PAUSE
        self.error = error
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def worked(self) -> None:
        """An attempt brought an answer."""
        self.error = None
        self.retry_at = 0.0

    def left(self, now: float) -> float:
        """Seconds until the next attempt; 0 when one may be made."""
        return max(self.retry_at - now, 0.0)

    def hopeless(self, patience: float) -> TransportError | None:
        """The error for a caller with that much patience, if the next attempt comes too late."""
        if self.error is None or self.retry_at <= self._since + patience:
            return None
        return TransportError(str(self.error.args[0]))
