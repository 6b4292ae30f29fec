"""The progress line on a terminal, which is removed when the command ends."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..text import counted, format_clock, rate_text
from .activity import ActivityMonitor

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.spinner import Spinner

REFRESH_INTERVAL = 0.1
"""Seconds between two updates of the line."""


@dataclass
class ProgressCounts:
    """What a command counts, shown in the progress line and in the summary."""

    noun: str
    """What is counted, in the plural: people, posts, rows."""
    items: int = 0
    total: int | None = None
    """The expected number of items, if it is known."""
    requests_left: int | None = None
    """Requests that are still to be made, if that is known."""
    requests_today: int | None = None
    """Those that are left of the daily allowance, if that is known."""
    renewed_at: float | None = None
    """When the allowance is renewed (epoch seconds), if that is known."""
    queued_for: float = 0.0
    """Seconds until queued lookups are asked for again; 0 if there are none."""
    credits: int = 0
    duplicates: int = 0
    queued: int = 0
    in_doubt: int = 0
    failed: int = 0
    refresh: Callable[[], None] | None = None
    """Updates the counts before they are shown."""


class ProgressLine:
    """The progress line. Without a terminal, its methods do nothing."""

    def __init__(self, counts: ProgressCounts, monitor: ActivityMonitor, *, show: bool) -> None:
        self.counts = counts
        self._monitor = monitor
        self._live: Live | None = None
        if show and sys.stderr.isatty():
            from rich.console import Console  # late, as below: not where no line is shown
            from rich.live import Live

            console = Console(stderr=True)
            if not console.is_dumb_terminal:
                self._live = Live(
                    console=console,
                    transient=True,
                    auto_refresh=False,
                    redirect_stdout=False,
                    redirect_stderr=False,
                    get_renderable=self.render,
                )

    @cached_property
    def _spinner(self) -> Spinner:
        from rich.spinner import Spinner

        return Spinner("dots")

    @property
    def shown(self) -> bool:
        """Whether there is a line."""
        return self._live is not None

    def start(self) -> None:
        """Show the line."""
        if self._live is not None:
            self._live.start(refresh=True)

    def refresh(self) -> None:
        """Draw the line again."""
        if self._live is not None:
            self._live.refresh()

    def stop(self) -> None:
        """Remove the line."""
        if self._live is not None:
            self._live.stop()

    def render(self) -> RenderableType:
        """The line with the current counts."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        counts = self.counts
        line = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [self._spinner]
        if counts.total:
            cells.append(ProgressBar(counts.total, min(counts.items, counts.total), width=20))
        text = Text(no_wrap=True, overflow="ellipsis")
        for part, style in self._parts():
            text.append(" · " if text else "", style="dim").append(part, style=style)
        line.add_row(*cells, text)
        return line

    def _parts(self) -> Iterator[tuple[str, str]]:
        """The parts of the line, the most important first: the last ones are cut off first."""
        counts = self.counts
        if counts.refresh is not None:
            counts.refresh()
        left, state = self.seconds_left(), self._monitor.describe()
        if counts.items or counts.total:
            of = f" of {counts.total:,}" if counts.total else ""
            yield f"{counts.items:,}{of} {counts.noun}", "bold"
        if left is not None:
            yield f"{format_clock(left)} left at {rate_text(self._monitor.rate)}", "cyan"
        if state:
            yield state, "yellow"
        if counts.credits:
            yield f"{counted(counts.credits, 'credit')}", ""
        for count, what, style in (
            (counts.queued, "queued", ""),
            (counts.in_doubt, "in doubt", "yellow"),
            (counts.failed, "failed", "red"),
        ):
            if count:
                yield f"{count:,} {what}", style
        if counts.duplicates:
            yield f"{counted(counts.duplicates, 'duplicate')}", "dim"

    def seconds_left(self) -> float | None:
        """The requests still to make, at the limiter's rate. Past speed would mislead."""
        counts, rate = self.counts, self._monitor.rate
        left, at = counts.requests_left, counts.renewed_at
        if left is None or (not left and not counts.items):
            return None
        from ...bulk.preview import (
            seconds_needed,  # late: not for a lookup that is answered at once
        )

        return seconds_needed(
            left,
            None if rate is None else rate.interval,
            requests_left=counts.requests_today,
            renewed_in=None if at is None else at - self._monitor.clock.wall(),
            queued_for=counts.queued_for,
        )


def pages_left(items: int, pages: int, wanted: int | None) -> int | None:
    """Requests that the rest of a listing takes, by the average size of its pages so far.

    Args:
        items: Items received.
        pages: Pages received.
        wanted: Items expected in total.
    """
    if wanted is None or not items or not pages:
        return None
    return math.ceil(max(wanted - items, 0) / (items / pages))
