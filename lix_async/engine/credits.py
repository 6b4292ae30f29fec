"""Credit accounting: what was spent, and a limit that is enforced before a call is sent."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

import anyio

from ..core.endpoint import CreditKind, Price
from ..core.errors import BudgetError, ConfigurationError, DecodeError, LixError, TransportError
from ..core.validation import check_type, guarded_repr

PAID: tuple[CreditKind, ...] = ("standard", "org", "email")


class CreditBudget:
    """Credits spent, by kind, and an optional limit.

    The price of a call is reserved before the call is sent and settled when it has ended. In
    between it counts as spent, so calls in flight cannot exceed the limit together. Calls without
    a published price count as 0 credits; `unpriced` is their number.

    Args:
        limit: Credits of all kinds, or credits by kind; None for no limit.
        name: The argument that set the limit, as error messages name it.
        kind: The `kind` of the `BudgetError`.

    Raises:
        ConfigurationError: If a limit is negative, not a whole number, or of an unknown kind.
    """

    def __init__(
        self,
        limit: int | Mapping[CreditKind, int] | None = None,
        *,
        name: str = "max_credits",
        kind: str = "max_credits",
    ) -> None:
        check_type(name, limit, int | Mapping[str, int] | None)
        if isinstance(limit, int):
            limits: dict[str, int] = {"total": limit}
        else:
            limits = {str(kind): amount for kind, amount in (limit or {}).items()}
        for credit_kind, amount in limits.items():
            if credit_kind not in (*PAID, "total"):
                raise ConfigurationError(
                    f"unknown credit kind {credit_kind!r} in {name}: "
                    "expected standard, org or email"
                )
            if amount < 0:
                raise ConfigurationError(f"{name} must not be negative: {amount}")
        self._limits = limits
        self._name = name
        self._error_kind = kind
        self._spent: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._reserved: Counter[str] = Counter()
        self._next_settlement: anyio.Event | None = None
        self._waiting: deque[object] = deque()
        self.unpriced = 0
        """Settled calls whose price the provider does not publish."""

    @property
    def standard(self) -> int:
        """Standard credits spent on answers that were received."""
        return self._spent["standard"]

    @property
    def org(self) -> int:
        """Organisation credits spent on answers that were received."""
        return self._spent["org"]

    @property
    def email(self) -> int:
        """E-mail credits spent on answers that were received."""
        return self._spent["email"]

    @property
    def total(self) -> int:
        """Credits of all kinds spent on answers that were received."""
        return self._spent.total()

    @property
    def lost(self) -> int:
        """Credits that attempts without an answer may have cost. They count towards the limit."""
        return self._lost.total()

    @guarded_repr
    def __repr__(self) -> str:
        kinds = ", ".join(f"{kind} {self._spent[kind]}" for kind in PAID)
        return f"<CreditBudget spent: {kinds}; possibly lost: {self.lost}>"

    def reserved(self, kind: CreditKind) -> int:
        """Credits of one kind that are reserved for calls in flight."""
        return self._reserved[kind]

    def reserve(self, price: Price, endpoint: str | None = None) -> None:
        """Reserve the price of a call. Every reservation must be settled.

        Raises:
            BudgetError: If the price does not fit beside what was spent and is reserved.
        """
        if (error := self._refusal(price, endpoint)) is not None:
            raise error
        self._reserved[price.kind] += price.amount

    async def reserve_when_free(self, price: Price, endpoint: str | None = None) -> None:
        """Reserve the price of a call, waiting for calls in flight that may turn out to be free.

        A lookup that finds nothing may cost nothing, and then its reservation is available again.

        Raises:
            BudgetError: If the price does not fit beside what was spent.
        """
        if not price.amount:
            return
        mine = object()
        self._waiting.append(mine)  # first come, first served
        try:
            while self._waiting[0] is not mine or self._refusal(price, endpoint) is not None:
                if (error := self._refusal(price, endpoint, in_flight=False)) is not None:
                    raise error
                await self.wait_for_settlement()
            self._reserved[price.kind] += price.amount
        finally:
            self._waiting.remove(mine)
            if self._waiting:
                self._wake()

    async def wait_for_settlement(self) -> None:
        """Wait until the next call is settled."""
        if self._next_settlement is None:
            self._next_settlement = anyio.Event()
        await self._next_settlement.wait()

    def settle(self, price: Price, spent: int, lost: int = 0) -> None:
        """Replace the reservation of a call that has ended by what the call cost.

        Args:
            price: The price that was reserved.
            spent: Credits charged for the answer.
            lost: Credits that attempts without an answer may have cost.
        """
        self.unpriced += price.kind == "unknown"
        self._reserved[price.kind] -= price.amount
        self._spent[price.kind] += spent
        self._lost[price.kind] += lost
        self._wake()

    def _wake(self) -> None:
        if self._next_settlement is not None:
            self._next_settlement.set()
            self._next_settlement = None

    def _refusal(
        self, price: Price, endpoint: str | None, *, in_flight: bool = True
    ) -> BudgetError | None:
        counters = [self._spent, self._lost, *([self._reserved] if in_flight else [])]
        for kind, limit in self._limits.items() if price.amount else ():
            if kind not in (price.kind, "total"):
                continue
            used = sum(c.total() if kind == "total" else c[kind] for c in counters)
            if used + price.amount > limit:
                unit = "credits" if kind == "total" else f"{kind} credits"
                return BudgetError(
                    f"{self._name} is {limit} {unit}: {used} are spent"
                    f"{' or in flight' * in_flight} and this call costs {price.amount}; "
                    "nothing was sent",
                    kind=self._error_kind,
                    endpoint=endpoint,
                )
        return None


def possible_cost(error: LixError, price: int) -> int:
    """Credits that a failed call may have cost.

    An error response costs nothing. An answer that could not be read is charged, and so may be
    every attempt whose answer was lost.
    """
    if isinstance(error, DecodeError):
        return price
    if isinstance(error, TransportError) and error.sent:
        return price * max(error.attempts, 1)
    return 0
