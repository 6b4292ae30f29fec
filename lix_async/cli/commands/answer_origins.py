"""Where the answers of a run came from: each is looked up, known before, or a duplicate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..text import counted


class AnswerOrigins:
    """Counts of the answers that a run has written, by their origin.

    Args:
        began: When the run began: what was bought since is not from the ledger of before.
    """

    def __init__(self, began: datetime) -> None:
        self._began = began
        self.looked_up = 0
        """Answers that this run received."""
        self.known = 0
        """Answers that the ledger had when the run began."""
        self.other_ids = 0
        """How many of those were bought under another id."""
        self.duplicates = 0
        """Answers that are those of another lookup of this run."""
        self._days: tuple[datetime, datetime] | None = None
        self._is_dated = True

    @property
    def total(self) -> int:
        """All of them."""
        return self.looked_up + self.known + self.duplicates

    def is_known(self, at: datetime | None) -> bool:
        """Whether an answer of the ledger was there before the run; None where it has no time."""
        return at is None or at < self._began

    def add(self, at: datetime | None, *, other_id: bool = False) -> None:
        """Count an answer that the ledger had when it was asked for.

        Args:
            at: When it was received.
            other_id: Whether it was bought under another id.
        """
        if not self.is_known(at):
            self.duplicates += 1
            return
        self.known += 1
        self.other_ids += other_id
        if at is not None:
            first, last = self._days or (at, at)
            self._days = min(first, at), max(last, at)

    def add_undated(self, count: int) -> None:
        """Count answers of earlier runs, whose times are not read."""
        self.known += count
        self._is_dated = self._is_dated and not count

    def words(self) -> Iterable[str]:
        """What a summary says of them; nothing where all were looked up."""
        if not (self.known or self.duplicates):
            return
        if self.looked_up:
            yield f"{self.looked_up:,} looked up"
        if self.known:
            other = f" ({self.other_ids:,} under another id)" if self.other_ids else ""
            yield f"{self.known:,} from the ledger{other}"
        if self.known and self._days is not None and self._is_dated:
            yield f"bought {_days_text(*self._days)}"
        if self.duplicates:
            yield counted(self.duplicates, "duplicate")


def _days_text(first: datetime, last: datetime) -> str:
    """`on 2026-11-01`, or `from 2026-10-01 to 2026-11-01`."""
    days = first.date().isoformat(), last.date().isoformat()
    return f"on {days[0]}" if days[0] == days[1] else f"from {days[0]} to {days[1]}"
