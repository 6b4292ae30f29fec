"""What a client has spent, and the guard that stops it before it spends too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..core.endpoint import CreditKind, Price
from ..core.errors import BudgetError, ConfigurationError
from ..core.validation import check_type

PAID: tuple[CreditKind, ...] = ("standard", "org", "email")


class CreditBudget:
    """Credits by kind, counted from the price list as answers arrive. Read it at any moment.

    `standard`, `org`, `email`: spent for answers that came. `lost`: price of attempts whose
    answers never came; the provider may have charged them, so the guard counts them as spent.
    Calls without a published price count as nothing (`unpriced` says how many there were).
    """

    def __init__(self, limit: int | Mapping[CreditKind, int] | None = None) -> None:
        check_type("max_credits", limit, int | Mapping[str, int] | None)
        if isinstance(limit, int):
            limits: dict[str, int] = {"total": limit}
        else:
            limits = {str(kind): amount for kind, amount in (limit or {}).items()}
        for kind, amount in limits.items():
            if kind not in (*PAID, "total"):
                raise ConfigurationError(f"max_credits knows {', '.join(PAID)}, not {kind!r}")
            if amount < 0:
                raise ConfigurationError(f"max_credits must not be negative: {amount}")
        self._limits = limits
        self._spent: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._reserved: Counter[str] = Counter()
        self.unpriced = 0

    @property
    def standard(self) -> int:
        """Standard credits spent."""
        return self._spent["standard"]

    @property
    def org(self) -> int:
        """Organisation credits spent."""
        return self._spent["org"]

    @property
    def email(self) -> int:
        """E-mail credits spent."""
        return self._spent["email"]

    @property
    def total(self) -> int:
        """Credits of all kinds spent."""
        return self._spent.total()

    @property
    def lost(self) -> int:
        """Credits that attempts without an answer may have cost."""
        return self._lost.total()

    def __repr__(self) -> str:
        kinds = ", ".join(f"{kind} {self._spent[kind]}" for kind in PAID)
        return f"<Credits spent: {kinds}; perhaps lost: {self.lost}>"

    def reserve(self, price: Price, endpoint: str) -> None:
        """Set the price of a call aside before it is sent, or raise `BudgetError`."""
        if not price.amount:
            return
        for kind in (price.kind, "total"):
            limit = self._limits.get(kind)
            if limit is not None and self._bound(kind) + price.amount > limit:
                name = "credits" if kind == "total" else f"{kind} credits"
                raise BudgetError(
                    f"max_credits is {limit} {name}: {self._bound(kind)} are spent or in flight "
                    f"and this call costs {price.amount}; nothing was sent",
                    kind="max_credits",
                    endpoint=endpoint,
                )
        self._reserved[price.kind] += price.amount

    def settle(self, price: Price, charged: int, lost: int) -> None:
        """The call is over: what it cost, and how many of its attempts got no answer."""
        if price.kind == "unknown":
            self.unpriced += 1
        if price.amount:
            self._reserved[price.kind] -= price.amount
            self._spent[price.kind] += charged
            self._lost[price.kind] += lost * price.amount

    def _bound(self, kind: str) -> int:
        books = (self._spent, self._lost, self._reserved)
        return sum(book.total() if kind == "total" else book[kind] for book in books)
