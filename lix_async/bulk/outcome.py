"""The outcome of an input, and the counts of a run."""

from __future__ import annotations

from collections import Counter
from typing import Generic, Literal, TypeVar

import msgspec

from ..core.bridge import ReadableStruct
from ..core.errors import Family, LixError

T = TypeVar("T")
State = Literal["done", "kept", "refused", "failed", "in_doubt", "queued", "invalid", "suppressed"]
"""What became of an input.

* `done`: charged, and the answer is in the ledger.
* `kept`: charged, and this version of the package cannot read the answer; it is in the ledger.
* `refused`: the provider refused it for good, such as not found or wrong parameters.
* `failed`: no answer; a later run asks again. See `Outcome.maybe` for what may have been charged.
* `in_doubt`: sent, no answer received; may have been charged.
* `queued`: the provider prepares it.
* `invalid`: it cannot be sent, and was not.
* `suppressed`: its subject has been forgotten; it was not sent.
"""
_STATES: dict[Family, State] = {
    "answer": "done",
    "unusable": "kept",
    "refused": "refused",
    "queued": "queued",
    "unknown": "in_doubt",
    "input": "invalid",
}


def state_of(family: Family) -> State:
    """What becomes of an input whose last attempt was of this family; see `core.families`."""
    return _STATES.get(family, "failed")


class Outcome(ReadableStruct, msgspec.Struct, Generic[T], kw_only=True):
    """The outcome of one input."""

    input: object
    key: str = ""
    """The same for every form of the same lookup, such as different links to one profile."""
    state: State
    value: T | None = None
    """The answer; of a listing that did not come to its end, the items so far."""
    error: LixError | None = None
    body: bytes = b""
    """The answer as received, for `done`; of a listing, its items so far as a JSON array."""
    credits: int = 0
    """Credits that this run spent on it; 0 if the answer was in the ledger."""
    maybe: int = 0
    """Credits that attempts without an answer may have cost."""
    attempts: int = 0
    cached: bool = False
    """Whether the answer was in the ledger."""
    seconds: float = 0.0
    """Seconds from sending the request to the answer."""
    due: float = 0.0
    """When a `queued` lookup is requested again (epoch seconds)."""

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.state == "done"


class Progress(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """The state of a run."""

    total: int | None
    """The number of inputs, if it is known."""
    seen: int
    """Inputs taken so far, repeated ones included."""
    done: int
    kept: int
    cached: int
    refused: int
    failed: int
    in_doubt: int
    queued: int
    invalid: int
    credits: int
    in_flight: int
    parked: str
    """Why the run waits or has stopped; empty while it runs."""


class Report(ReadableStruct, msgspec.Struct, kw_only=True):
    """The summary of a run: counts, credits and reasons of failures."""

    progress: Progress
    reasons: dict[str, int]
    """The number of errors by kind."""
    latencies: dict[float, int]
    """Histogram of seconds per answer, by the upper end of each bucket."""
    seconds: float


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
            credits=self.credits,
            in_flight=in_flight,
            parked=parked,
        )
