"""What is learned of each step while it is asked, and the order that follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec import field

from .steps import Step

Order = Literal["given", "price", "fill"]
CHEAPEST = 0.1
"""Credits that a free call counts as in the order by fill rate: it still takes a turn."""


class Stat(msgspec.Struct, kw_only=True):
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


def in_order(
    steps: Iterable[Step], order: Order, stats: Mapping[str, Stat], wanted: frozenset[str]
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


def _worth(step: Step, stat: Stat, wanted: frozenset[str]) -> float:
    expected = sum(stat.rate(name) for name in step.fills & wanted)
    return expected / max(stat.cost(step.price.amount), CHEAPEST)
