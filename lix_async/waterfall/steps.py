"""One lookup of one provider, as a waterfall sees it: what it takes, what it gives, its price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar

import msgspec
from msgspec import field

from ..core.endpoint import UNKNOWN, Endpoint, P, Price
from ..core.errors import LixError
from ..engine.answer import Answer
from ..engine.client import Client
from .targets import About, Target

R = TypeVar("R")

LINK = frozenset({"linkedin_url"})
EMAIL = frozenset({"email"})
NAME = frozenset({"name", "company"})
"""What a step may need: `needs=(LINK, EMAIL)` is either."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer brought, under the names of the results' fields, and what it took."""

    values: Mapping[str, str | None]
    """Empty ones count as not there."""
    endpoint: str
    at: datetime
    """When the answer came; aware."""
    credits: int = 0
    """What it cost."""
    lost: int = 0
    """What attempts whose answers never came may have cost besides."""
    error: LixError | None = None
    """What went wrong after the part that was paid for."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One lookup of one provider. Make your own for a source of yours, such as a database.

    `look` gets a target that has what `needs` says and returns a `Found`. It may raise any
    `LixError`: that is kept on the result and stops nobody; anything else is a bug and is raised.
    """

    name: str
    """Unique within a waterfall; by convention `provider.what`."""
    provider: str
    endpoint: str
    """Catalogue id."""
    fills: frozenset[str]
    """The fields that it may fill: the names of `Profile`, `Email` or `Company`."""
    needs: tuple[frozenset[str], ...]
    """What it can be asked with, as alternatives."""
    lookup: Callable[[Target], Awaitable[StepResult]]
    about: About = "person"
    price: Price = UNKNOWN
    """Of one ask, at most: this much is reserved in the budget."""

    def ready(self, target: Target) -> bool:
        """Whether enough is known to ask."""
        return any(target.has(need) for need in self.needs)

    async def ask(self, target: Target) -> StepResult:
        """Look the target up: the partial result, and what it took.

        Costs `price` at most for an answer that comes at the first attempt. Raises what the
        provider's client raises.
        """
        return await self.lookup(target)


def step_result(
    client: Client,
    endpoint: Endpoint[P, object],
    answer: Answer[R],
    values: Mapping[str, str | None],
    error: LixError | None = None,
) -> StepResult:
    """What an answer brought, as a step hands it on; its moment is read from the client's clock."""
    return StepResult(
        values=values,
        endpoint=endpoint.id,
        at=datetime.fromtimestamp(client.clock.wall(), UTC),
        credits=answer.credits,
        lost=answer.lost * endpoint.credits.amount,
        error=error,
    )


Order = Literal["given", "price", "fill"]


CHEAPEST = 0.1
"""Credits that a free call counts as in the order by fill rate: it still takes a turn."""


class StepStats(msgspec.Struct, kw_only=True):
    """What came of asking one step, so far."""

    asked: int = 0
    """Asks that have ended, failed ones included."""
    filled: Counter[str] = field(default_factory=Counter[str])
    """By field: answers that had it, whether or not it was still missing."""
    failed: int = 0
    """Asks that ended with an error other than `NotFoundError`."""
    credits: int = 0
    """Credits spent."""
    lost: int = 0
    """Credits that asks without a usable answer may have cost."""

    def rate(self, name: str) -> float:
        """The share of asks that filled a field; 1 before the first, so that all get a try."""
        return (self.filled[name] + 1) / (self.asked + 1)

    def cost(self, price: int) -> float:
        """Credits for one ask, learned; the price list counts as one ask."""
        return (self.credits + self.lost + price) / (self.asked + 1)


def sort_steps(
    steps: Iterable[Step], order: Order, stats: Mapping[str, StepStats], wanted: frozenset[str]
) -> list[Step]:
    """The steps in the order in which to ask for these fields.

    `given`: as they came. `price`: the cheapest by the price list first, those without a
    published price last. `fill`: by wanted fields that an ask is expected to fill, per credit.
    Equal ones stay as they came.
    """
    if order == "price":
        return sorted(steps, key=lambda step: (step.price.kind == "unknown", step.price.amount))
    if order == "fill":
        return sorted(steps, key=lambda step: -_worth(step, stats[step.name], wanted))
    return list(steps)


def _worth(step: Step, stat: StepStats, wanted: frozenset[str]) -> float:
    expected = sum(stat.rate(name) for name in step.fills & wanted)
    return expected / max(stat.cost(step.price.amount), CHEAPEST)
