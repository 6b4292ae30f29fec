"""Credits that many tasks may spend together, and never more."""

from __future__ import annotations

import anyio

from ..core.errors import BudgetError, ConfigurationError, DecodeError, LixError, TransportError


class Budget:
    """A sum of credits. What is set aside for a call counts as spent until the call is over."""

    def __init__(self, limit: int | None) -> None:
        if limit is not None and limit < 0:
            raise ConfigurationError(f"budget must not be negative: {limit}")
        self.limit = limit
        self.spent = 0
        """Credits for answers that came."""
        self.lost = 0
        """Credits that calls without an answer may have cost: they count as spent."""
        self._reserved = 0
        self._settled: anyio.Event | None = None

    async def reserve(self, amount: int) -> bool:
        """Set a price aside before its call; False when the budget does not allow it.

        Waits while calls in flight may still give back what was set aside for them: a lookup
        that finds nothing may cost nothing.
        """
        while self.limit is not None and amount:
            free = self.limit - self.spent - self.lost
            if amount > free:
                return False
            if amount <= free - self._reserved:
                break
            if self._settled is None:
                self._settled = anyio.Event()
            await self._settled.wait()
        self._reserved += amount
        return True

    def settle(self, amount: int, *, spent: int, lost: int) -> None:
        """The call is over, for which `amount` was set aside: what it cost."""
        self._reserved -= amount
        self.spent += spent
        self.lost += lost
        settled, self._settled = self._settled, None
        if settled is not None:
            settled.set()

    def refusal(self, amount: int, endpoint: str) -> BudgetError:
        """What a result says of a step that could not be paid for."""
        left = (self.limit or 0) - self.spent - self.lost
        return BudgetError(
            f"the budget is {self.limit} credits, {max(left, 0)} are left and this call costs "
            f"{amount}; nothing was sent",
            kind="budget",
            endpoint=endpoint,
        )


def possible_cost(error: LixError, price: int) -> int:
    """Credits that a failed call may have cost.

    A refusal costs nothing; an answer that could not be read is paid for, and so may be every
    attempt whose answer was lost.
    """
    if isinstance(error, DecodeError):
        return price
    if isinstance(error, TransportError) and error.sent:
        return price * max(error.attempts, 1)
    return 0
