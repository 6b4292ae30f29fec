"""One line on the terminal that says how far a run is; nowhere else, and gone when it is done."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ..text import format_clock, plural, rate_text
from .activity import ActivityMonitor

TICK = 0.1
"""Seconds between two looks at what is going on."""


@dataclass
class ProgressCounts:
    """What a command counts; the progress line and the closing line read it."""

    what: str
    """What is counted, in the plural: people, posts, rows."""
    items: int = 0
    total: int | None = None
    """How many there will be, as far as anybody knows."""
    requests_left: int | None = None
    credits: int = 0
    duplicates: int = 0
    queued: int = 0
    in_doubt: int = 0
    failed: int = 0
    look: Callable[[], None] | None = None
    """Brings the counts up to date before they are shown."""


class ProgressLine:
    """The line. `tick` draws it anew; without a terminal every method does nothing."""

    def __init__(self, tally: ProgressCounts, watch: ActivityMonitor, *, show: bool) -> None:
        self.tally = tally
        self._watch = watch
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        if show and sys.stderr.isatty():
            console = Console(stderr=True)
            if not console.is_dumb_terminal:
                self._live = Live(
                    console=console,
                    transient=True,
                    auto_refresh=False,
                    redirect_stdout=False,
                    redirect_stderr=False,
                    get_renderable=self.line,
                )

    @property
    def shown(self) -> bool:
        """Whether there is a line at all."""
        return self._live is not None

    def start(self) -> None:
        """Show the line."""
        if self._live is not None:
            self._live.start(refresh=True)

    def tick(self) -> None:
        """Draw it as things stand now."""
        if self._live is not None:
            self._live.refresh()

    def stop(self) -> None:
        """Take it away."""
        if self._live is not None:
            self._live.stop()

    def line(self) -> RenderableType:
        """The line as it stands."""
        tally = self.tally
        line = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [self._spinner]
        if tally.total:
            cells.append(ProgressBar(tally.total, min(tally.items, tally.total), width=20))
        words = Text(no_wrap=True, overflow="ellipsis")
        for part, style in self._parts():
            words.append(" · " if words else "", style="dim").append(part, style=style)
        line.add_row(*cells, words)
        return line

    def _parts(self) -> Iterator[tuple[str, str]]:
        """What there is to say; what comes last is cut off first."""
        tally = self.tally
        if tally.look is not None:
            tally.look()
        left, state = self.seconds_left(), self._watch.words()
        if tally.items or tally.total:
            of = f" of {tally.total:,}" if tally.total else ""
            yield f"{tally.items:,}{of} {tally.what}", "bold"
        if left is not None:
            yield f"{format_clock(left)} left at {rate_text(self._watch.rate)}", "cyan"
        if state:
            yield state, "yellow"
        if tally.credits:
            yield f"{tally.credits:,} {plural(tally.credits, 'credit')}", ""
        for count, what, style in (
            (tally.queued, "queued", ""),
            (tally.in_doubt, "in doubt", "yellow"),
            (tally.failed, "failed", "red"),
        ):
            if count:
                yield f"{count:,} {what}", style
        if tally.duplicates:
            yield f"{tally.duplicates:,} {plural(tally.duplicates, 'duplicate')}", "dim"

    def seconds_left(self) -> float | None:
        """Requests still to make times the limiter's interval; past speed would mislead."""
        left = self.tally.requests_left
        rate = self._watch.rate
        if left is None or rate is None or (not left and not self.tally.items):
            return None
        return left * rate.interval


def pages_left(items: int, pages: int, wanted: int | None) -> int | None:
    """Requests that the rest of a walk takes, judged by the size of its pages so far."""
    if wanted is None or not items or not pages:
        return None
    return math.ceil(max(wanted - items, 0) / (items / pages))
