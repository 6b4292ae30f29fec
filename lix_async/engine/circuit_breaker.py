"""The circuit breaker: no requests while the provider, or the way to it, does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import Family, LixError, RateLimitError, RefusalError
from ..core.families import COUNTS, REFUSED_STATUSES

if TYPE_CHECKING:
    import anyio

FAILURES = 5
"""Failures in a row after which it opens."""
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds until the next try; each failed one doubles them."""
ATTESTED: frozenset[Family] = frozenset({"answer", "unusable", "refused", "queued", "stop"})
"""Families that prove that the API itself answers."""
RECENT = 20
"""Outcomes since the last proof within which a missing page is taken for that input's fault."""


class CircuitBreaker:
    """Opens after failures in a row on different lookups; one answer of the API closes it.

    All runs of one client and account share it. While it is open, one lookup at a time is tried,
    after growing pauses. Callers pass the time.
    """

    def __init__(self) -> None:
        self._failing: set[object] = set()
        self._since_attested = RECENT
        self._opened_at = self._due = 0.0
        self._pause = 0.0
        self.trial: bytes | None = None
        """The lookup that is tried while it is open."""
        self.failure: LixError | None = None
        """The last failure while it is open; None while it is closed."""
        self.may_cost = False
        """Whether a try that fails like the last lookup may be charged."""
        self.outages = 0
        """How often it has opened."""
        self.waiting: list[anyio.Event] = []
        """What to set when a call has ended."""

    def call_ended(self) -> None:
        """A call has ended: those that wait look again."""
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            event.set()

    @property
    def suspects(self) -> bool:
        """Whether nothing has been answered since a failure that counted."""
        return bool(self._failing)

    def is_over(self, now: float, began: float, timeout: float | None) -> bool:
        """Whether an outage has lasted longer than a run waits.

        Args:
            now: Seconds on a clock that is never set.
            began: When the run began.
            timeout: Seconds that it waits; None for as long as it takes.
        """
        return (
            self.failure is not None
            and timeout is not None
            and now - max(self._opened_at, began) >= timeout
        )

    def pause(self, now: float, began: float = 0.0, timeout: float | None = None) -> float:
        """Seconds until the next try, or until it has lasted too long; 0 while it is closed."""
        if self.failure is None:
            return 0.0
        due = self._due
        if timeout is not None:
            due = min(due, max(self._opened_at, began) + timeout)
        return max(due - now, 0.0)

    def retry(self, now: float) -> None:
        """Let the next try be made at once, because a run has begun: the outage may be over."""
        self._due = min(self._due, now)

    def report(self, family: Family, key: bytes, now: float, error: LixError | None = None) -> None:
        """Take what came of an attempt into account.

        Args:
            family: By whose fault it ended.
            key: The lookup.
            now: Seconds on a clock that is never set.
            error: The error that it ended with; None for an answer.
        """
        if error is None or family in ATTESTED:
            self._failing.clear()
            self._since_attested, self._pause, self.failure = 0, 0.0, None
            return
        self._since_attested += 1
        if self.failure is not None and key == self.trial:
            self.may_cost = family in ("gateway", "unknown")
            self.fail(now, error)
        if not self._counts(family, error):
            return
        # What no request has left for cannot be the fault of one lookup.
        self._failing.add(object() if family == "infrastructure" else key)
        if self.failure is None and len(self._failing) >= FAILURES:
            self.may_cost = family in ("gateway", "unknown")
            self._opened_at, self.outages = now, self.outages + 1
            self.fail(now, error)

    def fail(self, now: float, error: LixError) -> None:
        """Open, or stay open after a try that failed."""
        self.failure = error
        named = (error.retry_after if isinstance(error, RefusalError) else None) or 0.0
        self._pause = min(2 * self._pause or FIRST_PAUSE, LONGEST_PAUSE)
        self._due = now + max(self._pause, min(named, LONGEST_PAUSE))

    def _counts(self, family: Family, error: LixError) -> bool:
        if family == "attested":
            return not isinstance(error, RateLimitError)  # an answer to our own pace
        missing = isinstance(error, RefusalError) and error.status in REFUSED_STATUSES
        return family in COUNTS and not (missing and self._since_attested <= RECENT)
