"""Asking: which step is next for a target, and everything that is written down of its answer."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import (
    AuthenticationError,
    BudgetError,
    DailyLimitError,
    LixError,
    NotFoundError,
    QuotaExceededError,
    ViewerError,
)
from .budget import Budget, owed
from .results import Result, Source
from .stats import Order, Stat, in_order
from .steps import Found, Step
from .targets import Target

_LASTING = (AuthenticationError, QuotaExceededError, DailyLimitError, ViewerError)
_KEYS = {
    "linkedin_url": "linkedin_url",
    "email": "email",
    "full_name": "name",
    "company": "company",
}
"""Fields of results that steps may need, and what they are called in a target."""


class Asking:
    """Asks the steps of a waterfall, for one target at a time or for many at once."""

    def __init__(self, steps: Sequence[Step], order: Order, budget: Budget) -> None:
        self.steps = tuple(steps)
        self.order: Order = order
        self.budget = budget
        self.stats = {step.name: Stat() for step in steps}

    def next(self, result: Result, wanted: frozenset[str], asked: frozenset[str]) -> Step | None:
        """The step to ask now, or None when nobody is left who could add anything."""
        target = known(result)
        missing = result.missing(wanted)
        left = [s for s in self.steps if s.name not in asked and s.about == result.about]
        useful = [step for step in left if step.fills & missing]
        useful = [one for one in useful if not any(_rather(it, one, missing) for it in useful)]
        ready = [step for step in useful if step.ready(target)]
        if not ready:
            needed = {name for step in useful for need in step.needs for name in need}
            missing = result.missing(field for field, key in _KEYS.items() if key in needed)
            ready = [step for step in left if step.fills & missing and step.ready(target)]
        return next(iter(in_order(ready, self.order, self.stats, missing)), None)

    async def ask(self, step: Step, result: Result, resting: dict[str, LixError]) -> None:
        """Ask a step, and put what came of it into result, stats and budget.

        `resting`: the steps that are not asked for now, by the error that will not pass.
        """
        if step.name in resting:
            result.errors[step.name] = resting[step.name]
            return
        price, stat = step.price.amount, self.stats[step.name]
        if not await self.budget.reserve(price):
            result.errors[step.name] = self.budget.refusal(price, step.endpoint)
            return
        found: Found | None = None
        error: LixError | None = None
        spent, lost = 0, price  # what an ask may have cost that is cancelled
        try:
            found = await step.ask(known(result))
            error, spent, lost = found.error, found.credits, found.lost
        except LixError as failed:
            error, lost = failed, owed(failed, price)
        finally:
            self.budget.settle(price, spent=spent, lost=lost)
            stat.credits += spent
            stat.lost += lost
            stat.asked += 1
        result.credits += spent
        if error is not None:
            result.errors[step.name] = error
            stat.failed += not isinstance(error, NotFoundError)
            if isinstance(error, _LASTING) and not isinstance(error, BudgetError):
                resting[step.name] = error
        if found is not None:
            self._keep(step, found, result)

    def _keep(self, step: Step, found: Found, result: Result) -> None:
        values = {name: value for name, value in found.values.items() if name in step.fills}
        self.stats[step.name].filled.update(
            name for name, value in values.items() if (value or "").strip()
        )
        source = Source(
            provider=step.provider, endpoint=found.endpoint, at=found.at, credits=found.credits
        )
        result.take(values, source)


def _rather(special: Step, step: Step, missing: frozenset[str]) -> bool:
    """Whether a provider has a lookup of its own for all that a step could add.

    A record that has an address at times is paid for at any rate: it is asked for the address last.
    """
    return (
        special.provider == step.provider
        and special.fills < step.fills
        and step.fills & missing <= special.fills
    )


def known(result: Result) -> Target:
    """The target, and what was found of it so far."""
    target = result.target
    found = {key: result.get(name) for name, key in _KEYS.items()}
    return Target(
        text=target.text,
        linkedin_url=target.linkedin_url or found["linkedin_url"],
        email=target.email or found["email"],
        name=target.name or found["name"],
        company=target.company or found["company"],
    )
