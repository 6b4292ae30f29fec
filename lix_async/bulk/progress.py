"""The counts of a run."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import msgspec

from ..core.bridge import ReadableStruct, set_fields
from ..core.html_table import html_fields
from ..engine.outcome import Outcome

T = TypeVar("T")


class Progress(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """The state of a run."""

    total: int | None
    """The number of inputs, if it is known."""
    seen: int
    """Inputs taken so far, repeated ones included."""
    done: int
    """Inputs with an answer, those from the ledger included."""
    kept: int
    """Inputs whose answer is in the ledger and cannot be read by this version."""
    cached: int
    """Inputs whose answer was in the ledger already."""
    refused: int
    """Inputs that the provider refused for good."""
    failed: int
    """Inputs without an answer, which a later run asks for again."""
    in_doubt: int
    """Inputs that were sent without an answer; they may have been charged."""
    queued: int
    """Inputs that the provider is still preparing."""
    invalid: int
    """Inputs that cannot be sent."""
    suppressed: int
    """Inputs whose subject was forgotten; they were not sent."""
    credits: int
    """Credits of all kinds that this run has spent."""
    in_flight: int
    """Calls under way."""
    parked: str
    """Why the run waits or has stopped; empty while it runs."""

    def _repr_html_(self) -> str:
        return html_fields("Progress", self)


class Report(ReadableStruct, msgspec.Struct, kw_only=True):
    """The summary of a run: counts, credits and reasons of failures."""

    progress: Progress
    """The counts of the run."""
    reasons: dict[str, int]
    """The number of errors by kind."""
    latencies: dict[float, int]
    """Histogram of seconds per answer, by the upper end of each bucket."""
    seconds: float
    """Seconds since the run was made."""
    unexplained: int = 0
    """Credits that the account has lost since the run began, as far as its balances were read, and
    that the ledger does not account for; below 0 where it has lost less. A price is not the one of
    the table, or somebody else uses the account."""

    def _repr_html_(self) -> str:
        counts = {name: number for name, number in set_fields(self.progress).items() if number}
        title = f"Report after {self.seconds:,.1f} s"
        return html_fields(
            title, counts | {f"error: {name}": n for name, n in self.reasons.items()}
        )


BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, float("inf"))


class OutcomeCounter:
    """Counts the outcomes of a run."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.latencies: Counter[float] = Counter()
        self.seen = self.cached = self.credits = 0

    def add(self, outcome: Outcome[T]) -> None:
        """Count an outcome that is handed out."""
        self.seen += 1
        self.states[outcome.state] += 1
        self.credits += outcome.credits
        self.cached += outcome.cached
        if outcome.error is not None:
            kind = getattr(outcome.error, "kind", "") or type(outcome.error).__name__
            self.reasons[kind] += 1
        if outcome.attempts:
            self.latencies[next(top for top in BUCKETS if outcome.seconds <= top)] += 1

    def spent(self, outcome: Outcome[T]) -> None:
        """Count the credits of an outcome that is not handed out yet."""
        self.credits += outcome.credits

    def progress(self, *, total: int | None, waiting: int, in_flight: int, parked: str) -> Progress:
        """The counts so far."""
        states = self.states
        return Progress(
            total=total,
            seen=self.seen,
            done=states["done"],
            kept=states["kept"],
            cached=self.cached,
            refused=states["refused"],
            failed=states["failed"],
            in_doubt=states["in_doubt"],
            queued=states["queued"] + waiting,
            invalid=states["invalid"],
            suppressed=states["suppressed"],
            credits=self.credits,
            in_flight=in_flight,
            parked=parked,
        )
