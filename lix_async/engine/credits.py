"""Credit accounting: what was spent, and limits that are enforced before a request is sent."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import anyio

from ..core.endpoint import CreditKind, Price
from ..core.errors import BudgetError, ConfigurationError
from ..core.plurals import plural
from ..core.validation import check_type, guarded_repr

PAID: tuple[CreditKind, ...] = ("standard", "org", "email")


class CreditBudget:
    """Credits spent, by kind, and an optional limit.

    Budgets form a tree: a request counts in its own budget and in all budgets above it, such as
    listing, run and client. The price of each attempt is reserved at every level before it waits
    for its permit, and settled when it has ended, so requests in flight cannot exceed a limit
    together. Calls without a published price count as 0 credits; `unpriced` is their number.

    Args:
        limit: Credits of all kinds, or credits by kind; None for no limit.
        name: The argument that set the limit, as error messages name it.
        kind: The `kind` of the `BudgetError`.
        parent: The budget above this one.

    Raises:
        ConfigurationError: If a limit is negative, not a whole number, or of an unknown kind.
    """

    def __init__(
        self,
        limit: int | Mapping[CreditKind, int] | None = None,
        *,
        name: str = "max_credits",
        kind: str = "max_credits",
        parent: CreditBudget | None = None,
    ) -> None:
        if limit is not None:
            check_type(name, limit, int | Mapping[str, int])
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
        self._waiting: deque[_Place] = deque()
        self._levels: tuple[CreditBudget, ...] = (self, *(parent._levels if parent else ()))
        self.unpriced = 0
        """Attempts that ended and whose price the provider does not publish."""

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
        """Credits of one kind that are reserved for attempts in flight."""
        return self._reserved[kind]

    async def reserve(self, price: Price, endpoint: str | None = None) -> Reservation:
        """Reserve a price in this budget and those above it; first come, first served.

        While attempts in flight hold what is left of a limit, it waits: one of them may turn out
        to be free.

        Raises:
            BudgetError: If the price does not fit beside what was spent, in one of them.
        """
        outer = _OUTER.get()
        levels = self._levels
        if outer is not None:
            levels = tuple(dict.fromkeys((*levels, *outer.levels)))
        if price.amount:
            inside = outer is not None and outer.release()
            limited = [level for level in levels if level._limits]
            if not (inside and all(level._fits(price) for level in limited)):
                await self._wait(limited, price, endpoint)
            for level in levels:
                level._reserved[price.kind] += price.amount
        return Reservation(levels, price)

    @staticmethod
    async def _wait(levels: Sequence[CreditBudget], price: Price, endpoint: str | None) -> None:
        """Wait until a price fits in every budget, in the queue of the first one that is full."""
        place: _Place | None = None
        try:
            while True:
                for level in levels:
                    level._check(price, endpoint)
                full = next((level for level in levels if not level._admits(price, place)), None)
                if full is None:
                    return
                if place is None or place.level is not full:
                    if place is not None:
                        place.level._leave(place)
                    place = _Place(full)
                    full._waiting.append(place)
                place.changed = anyio.Event()
                await place.changed.wait()
        finally:
            if place is not None:
                place.level._leave(place)

    def _admits(self, price: Price, place: _Place | None) -> bool:
        first = not self._waiting or self._waiting[0] is place
        return first and self._fits(price)

    def _leave(self, place: _Place) -> None:
        self._waiting.remove(place)
        self._wake()

    def _check(self, price: Price, endpoint: str | None) -> None:
        for kind, limit in self._limits.items():
            used = self._used(kind, self._spent, self._lost)
            if kind in (price.kind, "total") and used + price.amount > limit:
                unit = "credit" if kind == "total" else f"{kind} credit"
                raise BudgetError(
                    f"{self._name} is {limit} {plural(limit, unit)}: {used} {plural(used, 'is')} "
                    f"spent and this call costs {price.amount}; it was not sent",
                    kind=self._error_kind,
                    endpoint=endpoint,
                )

    def _fits(self, price: Price) -> bool:
        return all(
            self._used(kind, self._spent, self._lost, self._reserved) + price.amount <= limit
            for kind, limit in self._limits.items()
            if kind in (price.kind, "total")
        )

    @staticmethod
    def _used(kind: str, *counters: Counter[str]) -> int:
        return sum(c.total() if kind == "total" else c[kind] for c in counters)

    def settle(self, price: Price, charged: int, maybe: int) -> None:
        """Replace a reserved price in this budget by what the attempt cost."""
        self.unpriced += price.kind == "unknown"
        self._reserved[price.kind] -= price.amount
        self._spent[price.kind] += charged
        self._lost[price.kind] += maybe
        self._wake()

    def _wake(self) -> None:
        """Let the first of those who wait look again."""
        if self._waiting:
            self._waiting[0].changed.set()


class ClosedBudget(CreditBudget):
    """Lets no attempt through, free ones neither: only what a ledger has is answered."""

    async def reserve(self, price: Price, endpoint: str | None = None) -> Reservation:
        """Refuse the attempt.

        Raises:
            BudgetError: Always, with the kind `unasked`.
        """
        raise unasked(endpoint)


def unasked(endpoint: str | None) -> BudgetError:
    """The error of a call that a `ClosedBudget` does not let through."""
    return BudgetError("not asked yet", kind="unasked", endpoint=endpoint)


class _Place:
    """A place in the queue of a budget that is full."""

    __slots__ = ("changed", "level")

    def __init__(self, level: CreditBudget) -> None:
        self.level = level
        self.changed = anyio.Event()


class Reservation:
    """The reserved price of one attempt. It must be settled."""

    __slots__ = ("_open", "_price", "levels")

    def __init__(self, levels: tuple[CreditBudget, ...], price: Price) -> None:
        self.levels = levels
        """The budgets that it counts in."""
        self._price = price
        self._open = True

    def settle(self, charged: int, maybe: int = 0) -> None:
        """Replace it by what the attempt cost; without effect if it is settled already.

        Args:
            charged: Credits charged for the answer.
            maybe: Credits that an attempt without a usable answer may have cost.
        """
        if self._open:
            self._open = False
            for level in self.levels:
                level.settle(self._price, charged, maybe)

    def release(self) -> bool:
        """Give it up to an attempt inside of it, which counts by itself; False if settled."""
        was_open = self._open
        self.settle(0)
        return was_open

    @contextmanager
    def outer(self) -> Generator[None]:
        """A block whose calls count in the same budgets, in the place of this reservation."""
        token = _OUTER.set(self)
        try:
            yield
        finally:
            _OUTER.reset(token)


_OUTER: ContextVar[Reservation | None] = ContextVar("lix_async_reservation", default=None)
