"""Whether a run may send another call: its budget, the account's means, the day's allowance.

One governor per run or worker. It is asked before each call that would be paid for, and once more
at the last moment before the call leaves; what the ledger knows already never comes here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import anyio
from msgspec.structs import replace

from ..core.endpoint import BalanceEndpoints, CreditKind, Endpoint, Price
from ..core.errors import (
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    LixError,
    QuotaExceededError,
)
from ..core.models import Params
from ..core.validation import check_type
from ..engine.credits import CreditBudget
from ..engine.engine import Engine
from ..ledger.store import Store

DAY = 86_400.0
EVERY = 900.0
"""Seconds between two readings of the account's means: each costs a turn."""
LOOK = 2.0
"""Seconds between two looks whether somebody has parked the ledger."""

OnDailyLimit = Literal["wait", "stop"]


class CallsParked(Exception):
    """No further call makes sense before something changes. The input is still owed.

    `error` is the provider's refusal, where it was one: tell the governor.
    """

    def __init__(self, error: LixError | None = None, spent: int = 0) -> None:
        super().__init__(str(error or "parked"))
        self.error = error
        self.spent = spent
        """Credits that the lookup had spent before: pages of its walk, which are kept."""


class AdmissionController:
    """The one who says yes to each call.

    `funds`: where to read balances and allowance; None reads nothing. `max_credits`: credits of
    all kinds that may be spent, calls whose end nobody knows included.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        funds: BalanceEndpoints | None = None,
        max_credits: int | None = None,
        on_daily_limit: OnDailyLimit = "wait",
    ) -> None:
        check_type("max_credits", max_credits, int | None)
        if on_daily_limit not in ("wait", "stop"):
            raise ConfigurationError(
                f'on_daily_limit must be "wait" or "stop", not {on_daily_limit!r}'
            )
        retry = replace(engine.settings.retry, queued_attempts=0)
        self._engine = engine.with_settings(replace(engine.settings, retry=retry))
        self._store = store
        self._funds = funds
        self._budget = CreditBudget(max_credits, name="max_credits of this run")
        self._on_daily_limit: OnDailyLimit = on_daily_limit
        self._read_at: float | None = None
        self._since: Counter[CreditKind] = Counter()
        self._asked = 0
        self._flying = 0
        self._looked_at: float | None = None
        self._lock: anyio.Lock | None = None
        self.balances: Mapping[CreditKind, int] | None = None
        """Credits by kind when they were last read; None where nobody tells."""
        self.requests_left: int | None = None
        """Requests of the day when they were last read."""
        self.refreshes_at: float | None = None
        """When the day's allowance is full again (epoch seconds), as far as it is known."""
        self._closed_until = 0.0
        self.stop: LixError | None = None
        """What ends the run."""
        self.parked = ""
        """Why somebody has parked the ledger; empty while nobody has."""

    def check(self) -> None:
        """Raise `Parked` when no call may leave now."""
        if self.stop is not None or self.parked or self.closed_for > 0:
            raise CallsParked

    @property
    def closed_for(self) -> float:
        """Seconds until calls may be sent again after the daily limit; 0 where they may."""
        return max(self._closed_until - self._engine.clock.now(), 0.0)

    async def admit(self, price: Price) -> None:
        """Return when a call may be sent, its price set aside; raise `Parked` when none may.

        Raises `BulkError` when the ledger cannot be asked. Ends with `settle`.
        """
        self._lock = self._lock or anyio.Lock(fast_acquire=True)
        async with self._lock:
            if self.stop is None and not self.closed_for:
                await self._look()
            self.check()
            if self._funds is not None:
                await self._means(price, self._funds)
            await self._reserve(price)
            self._flying += 1

    async def _means(self, price: Price, funds: BalanceEndpoints) -> None:
        """See that there are credits and requests left for the call."""
        while self._read_at is not None and self._flying and self._day_is_over():
            await self._budget.wait_for_settlement()  # the last requests of the day are under way
        while self._flying and self._tight(price):
            await self._budget.wait_for_settlement()  # those in flight may take what is left
        self.check()
        if self._due(price):
            await self._read(funds)
        self.check()
        left = self._short(price)
        if left is not None:
            self.stop = QuotaExceededError(
                f"{max(left, 0)} {price.kind} credits are left, and a call costs {price.amount}; "
                "nothing was sent",
                kind="balance",
            )
            raise CallsParked

    def over_budget(self, price: Price) -> None:
        """The ledger says that the run's cap, shared by its workers, allows no further call."""
        if self.stop is None:
            self.stop = BudgetError(
                f"max_credits of this run is reached: a call costs {price.amount} credits; "
                "nothing was sent",
                kind="max_credits",
            )
        raise CallsParked

    async def read(self) -> None:
        """Read balances and allowance now, where the provider tells them."""
        if self._funds is not None:
            await self._read(self._funds)

    def settle(self, price: Price, spent: int, requests: int) -> None:
        """An admitted call has ended: the credits and the requests that it took."""
        self._budget.settle(price, spent)
        self._flying -= 1
        self._since[price.kind] += spent
        self._asked += requests

    def refused(self, error: LixError) -> None:
        """Every further call would hear this too: close until the day ends, or stop for good."""
        if isinstance(error, DailyLimitError) and self._on_daily_limit == "wait":
            now = self._engine.clock.wall()
            until = error.refreshes_at or self.refreshes_at or (now // DAY + 1) * DAY
            # Monotonic: setting the clock must not change how long the run waits.
            self._closed_until = self._engine.clock.now() + max(until - now, 1.0)
            self._read_at = None  # a new day: look at what there is before it begins
        elif self.stop is None:
            self.stop = error

    async def _look(self) -> None:
        """See whether another process has parked the ledger."""
        now = self._engine.clock.now()
        if self._looked_at is None or now - self._looked_at >= LOOK:
            self._looked_at = now
            self.parked = await self._store.parked()

    def _due(self, price: Price) -> bool:
        """Whether balances and allowance are to be read: at first, now and then, at the edge."""
        if self._read_at is None:
            return True
        if self._engine.clock.now() - self._read_at >= EVERY:
            return True
        # At the edge only where calls have been made since: a reading does not change by itself.
        return bool(self._asked) and (self._short(price) is not None or self._day_is_over())

    def _short(self, price: Price) -> int | None:
        """Credits that are left for a call which costs more; None where there are enough."""
        left = self._left(price)
        return left if left is not None and left < price.amount else None

    def _left(self, price: Price) -> int | None:
        """Credits of a call's kind, as far as they are known and it costs any."""
        if self.balances is None or price.kind not in self.balances or not price.amount:
            return None
        # What is in flight may come back uncharged; whether it does, the provider knows.
        return self.balances[price.kind] - self._since[price.kind]

    def _tight(self, price: Price) -> bool:
        """Whether there are credits for the call, but not for those in flight besides."""
        left = self._left(price)
        if left is None or left < price.amount:
            return False
        return left - self._budget.reserved(price.kind) < price.amount

    def _day_is_over(self) -> bool:
        taken = self._asked + self._flying
        return self.requests_left is not None and self.requests_left - taken <= 0

    async def _read(self, funds: BalanceEndpoints) -> None:
        """Read balances and allowance. What cannot be read is unknown, and no reason to stop."""
        self._read_at = self._engine.clock.now()
        self._since.clear()
        self._asked = 0
        told = await self._asked_for(funds.allowance, funds)
        self.requests_left, full = (None, None) if told is None else funds.left(told)
        self.refreshes_at = full or self.refreshes_at
        told = await self._asked_for(funds.balances, funds)
        self.balances = None if told is None else funds.credits(told)
        if self._day_is_over():
            error = DailyLimitError(
                "the day's allowance is used up; nothing was sent", kind="daily_allowance"
            )
            error.refreshes_at = self.refreshes_at
            self.refused(error)

    async def _asked_for(self, row: Endpoint[Params, object], funds: BalanceEndpoints) -> object:
        try:
            return (await self._engine.send(row, funds.params)).value
        except LixError:  # also 401 and 403: a key may have no right to read its balances
            pass
        return None

    async def _reserve(self, price: Price) -> None:
        try:
            await self._budget.reserve_when_free(price)
        except BudgetError as error:
            self.stop = self.stop or error
            raise CallsParked from None
        try:
            self.check()
        except CallsParked:
            self._budget.settle(price, 0)
            raise
