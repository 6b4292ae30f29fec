"""The steps of a waterfall, their statistics, and the order in which they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar

import msgspec
from msgspec import field

from ..core.bridge import ReadableStruct
from ..core.endpoint import UNKNOWN, Endpoint, P, Price
from ..core.errors import LixError
from ..engine.answer import Answer, credits_for
from ..engine.client import Client
from .targets import About, Target

R = TypeVar("R")

LINK = frozenset({"linkedin_url"})
EMAIL = frozenset({"email"})
NAME = frozenset({"name", "company"})
"""Values for `Step.needs`: `needs=(LINK, EMAIL)` means either."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one step found, and what it cost."""

    values: Mapping[str, str | None]
    """By field name; empty values count as missing."""
    endpoint: str
    """The catalogue id of the call."""
    at: datetime
    """When the answer was received; aware."""
    credits: int = 0
    """Credits charged for the answer."""
    known: bool = False
    """Whether the answer is from a ledger."""
    bought_for: int = 0
    """What an answer from a ledger cost when it was bought."""
    lost: int = 0
    """Credits that attempts without an answer may have cost."""
    error: LixError | None = None
    """An error after the part that was paid for."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One lookup of one provider. Create your own for other sources, such as a database.

    `lookup` receives a target that has what `needs` says and returns a `StepResult`. A `LixError`
    that it raises is stored on the result; any other exception is raised to the caller.
    """

    name: str
    """Unique within a waterfall; by convention `provider.noun`."""
    provider: str
    """The name of the provider, such as `Lix`."""
    endpoint: str
    """Catalogue id."""
    fills: frozenset[str]
    """The fields that it may fill: names of fields of `Profile`, `Email` or `Company`."""
    needs: tuple[frozenset[str], ...]
    """What the target must have, as alternatives."""
    lookup: Callable[[Target], Awaitable[StepResult]]
    """Makes the call for a target."""
    about: About = "person"
    """What the step looks up: a person or a company."""
    price: Price = UNKNOWN
    """The highest cost of one lookup, which is reserved in the budget."""

    def ready(self, target: Target) -> bool:
        """Whether the target has what the step needs."""
        return any(target.has(need) for need in self.needs)

    async def ask(self, target: Target) -> StepResult:
        """Look up a target.

        Raises:
            LixError: What the provider's client raises.

        Credits: `price` at most for an answer that is received at the first attempt.
        """
        return await self.lookup(target)


def step_result(
    client: Client,
    endpoint: Endpoint[P, object],
    answer: Answer[R],
    values: Mapping[str, str | None],
    error: LixError | None = None,
) -> StepResult:
    """The result of a step from an answer of a client.

    Its time is that of the client's clock; of an answer from a ledger, when it was bought.
    """
    return StepResult(
        values=values,
        endpoint=endpoint.id,
        at=answer.bought_at or datetime.fromtimestamp(client.clock.wall(), UTC),
        credits=answer.credits,
        known=answer.cached,
        bought_for=credits_for(endpoint.credits, answer.value) if answer.cached else 0,
        lost=answer.lost * endpoint.credits.amount,
        error=error,
    )


Order = Literal["given", "price", "fill"]


MIN_COST = 0.1
"""Credits that a free lookup counts as in the order `"fill"`: it still needs a permit."""


class StepStats(ReadableStruct, msgspec.Struct, kw_only=True):
    """Counts of one step so far."""

    asked: int = 0
    """Lookups that have ended, failed ones included."""
    filled: Counter[str] = field(default_factory=Counter[str])
    """Lookups that had a value for a field, whether or not it was still missing; by field."""
    failed: int = 0
    """Lookups that ended with an error other than `NotFoundError`."""
    known: int = 0
    """Lookups among them whose answer a ledger had, or another lookup brought."""
    known_values: int = 0
    """Values among those of `filled` that were in such answers."""
    credits: int = 0
    """Credits spent."""
    lost: int = 0
    """Credits that lookups without a usable answer may have cost."""

    def rate(self, name: str) -> float:
        """The estimated share of lookups that fill a field; 1 before the first."""
        return (self.filled[name] + 1) / (self.asked + 1)

    def cost(self, price: int) -> float:
        """The estimated credits of one lookup; the price before the first."""
        return (self.credits + self.lost + price) / (self.asked + 1)


def sort_steps(
    steps: Iterable[Step], order: Order, stats: Mapping[str, StepStats], wanted: frozenset[str]
) -> list[Step]:
    """The steps in the order in which they are to run.

    Steps that compare equal keep their given order.

    Args:
        steps: The steps that can run.
        order: `"given"`, `"price"` (cheapest first, unpublished prices last) or `"fill"` (most
            expected fields per credit first).
        stats: The statistics of all steps by name.
        wanted: The fields that are missing.
    """
    if order == "price":
        return sorted(steps, key=lambda step: (step.price.kind == "unknown", step.price.amount))
    if order == "fill":
        return sorted(steps, key=lambda step: -_fields_per_credit(step, stats[step.name], wanted))
    return list(steps)


def _fields_per_credit(step: Step, stats: StepStats, wanted: frozenset[str]) -> float:
    # value = sum of P(field) over the wanted fields of the step / E(credits)
    #
    # P(field) = (lookups that filled it + 1) / (lookups + 1)
    # E(credits) = (credits spent + possibly lost + price) / (lookups + 1), at least MIN_COST
    #
    # Both are averages with one imagined lookup that fills every field at the list price. It makes
    # a step that never ran look good, so each one is tried, and it loses weight as lookups are
    # observed (additive smoothing). Lost credits count, so an unreliable provider moves back.
    expected = sum(stats.rate(name) for name in step.fills & wanted)
    return expected / max(stats.cost(step.price.amount), MIN_COST)
