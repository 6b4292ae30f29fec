"""Whether a run may send another call: outage, balances, daily allowance, parked ledger.

One controller for each run or worker. It is asked before each call that would be charged, and once
more just before the request is sent. Lookups that are answered from the ledger do not need it. The
credits of each attempt are reserved by the engine, in the budget of the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import anyio
from msgspec.structs import replace

from ..core.endpoint import BalanceEndpoints, CreditKind, Endpoint, Price
from ..core.errors import (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    Family,
    LixError,
    OutageError,
    QuotaExceededError,
    RefusalError,
)
from ..core.families import UNKNOWN_ROUTE
from ..core.models import Params
from ..core.plurals import plural
from ..core.validation import check_type
from ..engine.circuit_breaker import ATTESTED
from ..engine.credits import CreditBudget
from ..engine.engine import Engine
from ..engine.lookup import Admission, CallsParked
from ..ledger.reconciliation import Reading, add_readings, spending, unexplained
from ..ledger.store import Store

DAY = 86_400.0
BALANCE_CHECK_INTERVAL = 900.0
"""Seconds between two requests for balances and allowance: each takes a permit."""
LONGEST_DAY = 25 * 3600.0
"""Seconds within which a daily allowance is renewed. A later moment is a mistake."""
OVERDUE_DELAY = 10.0
"""Seconds until a used-up allowance is looked at again; each further look doubles them."""
PARK_CHECK_INTERVAL = 2.0
"""Seconds between two checks whether the ledger is parked."""
OUTAGE_PATIENCE = 900.0
"""Seconds after which an outage ends a run."""

OnDailyLimit = Literal["wait", "stop"]


class AdmissionController(Admission):
    """Decides whether a call may be sent. One instance for each run or worker.

    Args:
        engine: The engine of the client.
        store: The ledger, which may be parked.
        balance_endpoints: Where to read balances and allowance; None to read nothing.
        max_credits: Credits of all kinds that may be spent, calls in doubt included.
        on_daily_limit: Whether to wait until the daily allowance refreshes, or to stop.
        outage_patience: Seconds after which an outage ends the run with `OutageError`; None to wait
            as long as it lasts.
        account: The account as the ledger writes it, to keep readings of the balances there; None
            to keep none. The runs of a client for one account share its circuit breaker.

    Raises:
        ConfigurationError: If an argument is not valid.
    """

    waits_for_outages = True

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        balance_endpoints: BalanceEndpoints | None = None,
        max_credits: int | None = None,
        on_daily_limit: OnDailyLimit = "wait",
        outage_patience: float | None = OUTAGE_PATIENCE,
        account: str | None = None,
    ) -> None:
        check_type("max_credits", max_credits, int | None)
        check_type("outage_patience", outage_patience, float | None)
        if on_daily_limit not in ("wait", "stop"):
            raise ConfigurationError(
                f"invalid on_daily_limit {on_daily_limit!r}: expected 'wait' or 'stop'"
            )
        once = replace(engine.options.retry, attempts=1, queued_attempts=0)
        self._engine = engine.with_options(replace(engine.options, retry=once))
        self._store = store
        self._balance_endpoints = balance_endpoints
        super().__init__(
            CreditBudget(max_credits, name="max_credits of this run", parent=engine.credits)
        )
        self.breaker = engine.breaker_of(account)
        """Whether the provider works."""
        self._began, self._outage_timeout = engine.clock.now(), outage_patience
        self.breaker.retry(self._began)
        self._on_daily_limit: OnDailyLimit = on_daily_limit
        self._account = account
        self._first: dict[str, Reading] = {}
        self._last: dict[str, Reading] = {}
        self._billed: Counter[str] = Counter()
        self.unexplained: Counter[str] = Counter()
        """Credits by kind that the account has lost and the ledger does not account for."""
        self._read_at: float | None = None
        self._since: Counter[CreditKind] = Counter()
        self._asked = 0
        self._flying = 0
        self._held: Counter[CreditKind] = Counter()
        self._polled_at: float | None = None
        self._lock: anyio.Lock | None = None
        self.balances: Mapping[CreditKind, int] | None = None
        """Credits by kind when they were last read; None if the provider does not report them."""
        self.requests_left: int | None = None
        """Requests left of the daily allowance when it was last read."""
        self.refreshes_at: float | None = None
        """When the daily allowance refreshes (epoch seconds), if it is known."""
        self._closed_until = self._look_at = 0.0
        self._empty = False
        self._overdue_delay = OVERDUE_DELAY
        self.parked = ""
        """The reason why the ledger is parked; empty if it is not."""

    def check(self, key: bytes, *, reserved: bool = False) -> None:
        """Raise `CallsParked` if a call may not be sent now.

        Args:
            key: The lookup. While there is an outage, only the one that is tried may be sent.
            reserved: The credits of the call are reserved: that others get none does not stop it.
        """
        stopped = self.stop is not None and not (reserved and isinstance(self.stop, BudgetError))
        outage = self.breaker.failure is not None and self.breaker.trial != key
        if stopped or outage or self.parked or self.closed_for > 0:
            raise CallsParked

    @property
    def closed_for(self) -> float:
        """Seconds until to try again after a daily limit or a failure; 0 if calls may be sent."""
        if not self._closed_until and self.breaker.failure is None:  # as a rule
            return 0.0
        now = self._engine.clock.now()
        until = self._closed_until
        if self._balance_endpoints is not None:  # the allowance may come back before
            until = min(until, self._look_at)
        return max(until - now, self._outage_pause(now), 0.0)

    @property
    def closed_until(self) -> float:
        """When calls may be sent again at the latest (epoch seconds), as far as that is known."""
        now = self._engine.clock.now()
        return self._engine.clock.wall() + max(self._closed_until - now, self._outage_pause(now))

    def _outage_pause(self, now: float) -> float:
        return self.breaker.pause(now, self._began, self._outage_timeout)

    @property
    def wait_reason(self) -> str:
        """`waits_for` without the error's text, which may have something of an answer."""
        failure = self.breaker.failure
        return self.waits_for if failure is None else f"outage: {type(failure).__name__}"

    @property
    def waits_for(self) -> str:
        """What calls wait for, for people; empty if they may be sent."""
        if self.breaker.failure is not None:
            return f"outage: {self.breaker.failure.args[0]}"
        return "daily limit" if self.closed_for > 0 else ""

    @property
    def left_today(self) -> int | None:
        """Requests left of the daily allowance, those of this run since it was read taken off."""
        return None if self.requests_left is None else max(self.requests_left - self._asked, 0)

    async def admit(self, price: Price, key: bytes) -> None:
        """Wait until a call may be sent. Report its end with `ended`.

        Raises:
            CallsParked: If no call may be sent at the moment.
            BulkError: If the ledger cannot be read.
        """
        if self._admits_at_once(price):
            self._flying += 1
            self._held[price.kind] += price.amount
            return
        self._lock = self._lock or anyio.Lock(fast_acquire=True)
        try:
            async with self._lock:
                if self.stop is None and not self.closed_for:
                    await self._poll_parked()
                if not self.parked:
                    await self._try(key)
                self.check(key)
                if self._balance_endpoints is not None and self.breaker.failure is None:
                    await self._check_balances(price, key, self._balance_endpoints)
                self._flying += 1
                self._held[price.kind] += price.amount
        except BaseException:
            self._wake(key)
            raise

    def _admits_at_once(self, price: Price) -> bool:
        """Whether a call may be sent and no other one waits, as a rule: that costs no lock."""
        if self.stop is not None or self.breaker.failure is not None or self.parked:
            return False
        if self.closed_for or self._is_poll_due():
            return False
        if self._lock is not None and self._lock.locked():
            return False
        return self._balance_endpoints is None or not (
            self._due(price)
            or self._day_is_over()
            or self._short(price) is not None
            or self._depends_on_calls_in_flight(price)
        )

    def ended(self, price: Price, key: bytes, *, credits: int, requests: int) -> None:
        """An admitted call has ended.

        Args:
            price: The price that it was admitted with.
            key: Its key.
            credits: What it has cost, as far as that is known.
            requests: How many requests were sent.
        """
        self._flying -= 1
        self._held[price.kind] -= price.amount
        self._since[price.kind] += credits
        self._billed[price.kind] += credits
        if credits:
            self._overdue_delay = OVERDUE_DELAY
        self._asked += requests
        self._wake(key)

    def _wake(self, key: bytes) -> None:
        """A call has ended or was not admitted: those that wait look again."""
        if self.breaker.trial == key:
            self.breaker.trial = None
        self.breaker.call_ended()

    async def _try(self, key: bytes) -> None:
        """While there is an outage: let one call at a time through, when it is due."""
        breaker, clock = self.breaker, self._engine.clock
        while breaker.failure is not None and self.stop is None:
            if breaker.is_over(clock.now(), self._began, self._outage_timeout):
                self.stop = OutageError(self.waits_for)
                self.stop.retry_after = breaker.pause(clock.now())
                self.stop.__cause__ = breaker.failure
            elif breaker.trial is not None:
                await self._one_ended()
            elif self._outage_pause(clock.now()) > 0:
                return
            elif await self._answers():
                breaker.trial = key
                return

    async def _answers(self) -> bool:
        """Whether to try a lookup: where that may cost something, after a free endpoint.

        Where that one fails, the next try is a lookup's: it may be the only one that fails.
        """
        endpoints = self._balance_endpoints
        if endpoints is None or not self.breaker.may_cost:
            return True
        error = await self._asked_for(endpoints.allowance, endpoints)
        if not isinstance(error, LixError) or error.family in ATTESTED:
            return True
        if isinstance(error, RefusalError) and 400 <= error.status < 500:
            return True  # that endpoint is not there, or not for everybody
        self.breaker.fail(self._engine.clock.now(), error)
        self.breaker.may_cost = False
        return False

    async def _one_ended(self) -> None:
        ended = anyio.Event()
        self.breaker.waiting.append(ended)
        await ended.wait()

    def report(self, family: Family, key: bytes, error: LixError | None = None) -> bool:
        """Take what came of an attempt into account.

        Returns:
            Whether there is an outage now: the lookup waits, and its attempt counts as none.
        """
        self.breaker.report(family, key, self._engine.clock.now(), error)
        if self.breaker.failure is None:
            return False
        every = isinstance(error, AuthenticationError | QuotaExceededError)
        if every or getattr(error, "kind", "") == UNKNOWN_ROUTE:
            self.stop = self.stop or error  # of a proxy or not: no call gets through
        return True

    async def is_rejected(self) -> bool:
        """Whether a free endpoint refuses the key as well, after a 401 or 403 without words."""
        endpoints = self._balance_endpoints
        return endpoints is not None and isinstance(
            await self._asked_for(endpoints.allowance, endpoints), AuthenticationError
        )

    async def _check_balances(self, price: Price, key: bytes, endpoints: BalanceEndpoints) -> None:
        """See that there are credits and requests left for the call."""
        while self._read_at is not None and self._flying and self._day_is_over():
            await self._one_ended()  # the last requests of the day are under way
        while self._flying and self._depends_on_calls_in_flight(price):
            await self._one_ended()  # those in flight may take what is left
        self.check(key)
        if self._due(price):
            await self._read(endpoints)
        self.check(key)
        left = self._short(price)
        if left is not None:
            left = max(left, 0)
            credits = plural(left, f"{price.kind} credit")
            self.stop = QuotaExceededError(
                f"{left} {credits} {plural(left, 'is')} left, and a call costs {price.amount}; "
                "nothing was sent",
                kind="balance",
            )
            raise CallsParked

    def over_budget(self, price: Price) -> None:
        """Stop: the cap of the run, which its workers share in the ledger, is reached."""
        if self.stop is None:
            self.stop = BudgetError(
                "max_credits of this run is reached: a call costs "
                f"{price.amount} {plural(price.amount, 'credit')}; nothing was sent",
                kind="max_credits",
            )
        raise CallsParked

    @property
    def has_unread_costs(self) -> bool:
        """Whether calls have cost something since the balances were read, which can be read now."""
        reported = self._balance_endpoints is not None and self.breaker.failure is None
        return reported and any(self._since.values())

    async def read_balances(self) -> None:
        """Read the balances now, if the provider reports them, and keep them in the ledger."""
        if self._balance_endpoints is not None:
            await self._read_balances(self._balance_endpoints)

    async def read(self) -> None:
        """Read balances and allowance now, if the provider reports them."""
        if self._balance_endpoints is not None:
            await self._read(self._balance_endpoints)

    def refused(self, error: LixError) -> None:
        """Record an error that every call would get: close until the day ends, or stop."""
        if isinstance(error, DailyLimitError) and self._on_daily_limit == "wait":
            wall, now = self._engine.clock.wall(), self._engine.clock.now()
            moments = (error.refreshes_at, self.refreshes_at, (wall // DAY + 1) * DAY)
            left = next(at - wall for at in moments if at is not None and at - wall <= LONGEST_DAY)
            if not self.closed_for:
                delay = self._overdue_delay
                self._look_at = now + delay
                if not 0 < left < delay:
                    self._overdue_delay = min(2 * delay, BALANCE_CHECK_INTERVAL)
            # Monotonic: setting the clock must not change how long the run waits.
            self._closed_until = now + max(left, 1.0)
            if left <= 0:  # a clock is ahead, or the provider's counter lags behind
                self._closed_until = self._look_at
            self._read_at = None  # look at what there is before calls are sent again
        elif self.stop is None:
            self.stop = error

    async def _poll_parked(self) -> None:
        """See whether another process has parked the ledger."""
        if self._is_poll_due():
            self._polled_at = self._engine.clock.now()
            self.parked = await self._store.parked()

    def _is_poll_due(self) -> bool:
        now = self._engine.clock.now()
        return self._polled_at is None or now - self._polled_at >= PARK_CHECK_INTERVAL

    def _due(self, price: Price) -> bool:
        """Whether balances and allowance are to be read: at first, now and then, at the edge."""
        if self._read_at is None:
            return True
        if self._engine.clock.now() - self._read_at >= BALANCE_CHECK_INTERVAL:
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

    def _depends_on_calls_in_flight(self, price: Price) -> bool:
        """Whether there are credits for the call, but not for those in flight besides."""
        left = self._left(price)
        if left is None or left < price.amount:
            return False
        return left - self._held[price.kind] < price.amount

    def _day_is_over(self) -> bool:
        taken = self._asked + self._flying
        return self.requests_left is not None and self.requests_left - taken <= 0

    async def _read(self, endpoints: BalanceEndpoints) -> None:
        """Read balances and allowance. What cannot be read is unknown, and no reason to stop."""
        self._read_at = self._engine.clock.now()
        self._asked = 0
        answer = await self._asked_for(endpoints.allowance, endpoints)
        error = answer if isinstance(answer, LixError) else None
        self.requests_left, full = (None, None) if error is not None else endpoints.left(answer)
        self.refreshes_at = full or self.refreshes_at
        if error is None or error.family in ATTESTED:  # else the next is not answered either
            await self._read_balances(endpoints)
        else:
            self._since.clear()
            self.balances = None
        if self._day_is_over():
            used_up = DailyLimitError(
                "the day's allowance is used up; nothing was sent", kind="daily_allowance"
            )
            used_up.refreshes_at = self.refreshes_at
            self._empty = True
            self.refused(used_up)
        elif self._empty and self.requests_left is not None:
            self._empty, self._closed_until = False, 0.0
        else:  # the limit is of one endpoint, say: it ends when the provider said
            self._look_at = self._closed_until

    async def _read_balances(self, endpoints: BalanceEndpoints) -> None:
        self._since.clear()
        began = max(int(self._engine.clock.wall() * 1000), self.not_before)
        answer = await self._asked_for(endpoints.balances, endpoints)
        self.balances = None if isinstance(answer, LixError) else endpoints.credits(answer)
        if self._account is None or not self.balances:
            return
        # Later than `began`, and than what follows: the order of calls and readings stays known.
        ended = self.not_before = max(int(self._engine.clock.wall() * 1000), began + 1)
        found = {
            kind: Reading(self._account, kind, began, ended, balance)
            for kind, balance in self.balances.items()
        }
        await self._store.statement(lambda tables: add_readings(tables.database, [*found.values()]))
        for kind, reading in found.items():
            await self._compare(kind, reading)

    async def _compare(self, kind: str, reading: Reading) -> None:
        """Compare the account with the ledger since the run's first reading."""
        last, self._last[kind] = self._last.get(kind), reading
        first = self._first.get(kind)
        if first is None or last is None or reading.balance > last.balance:
            # The first one, or credits were bought: what is compared begins here.
            self._first[kind], self._billed[kind] = reading, 0
            return
        spent = first.balance - reading.balance
        self.unexplained[kind] = 0
        if spent != self._billed[kind]:  # other processes work on this ledger, or it is not right
            known = await self._store.statement(
                lambda tables: spending(tables.database, first, reading), writes=False
            )
            self.unexplained[kind] = unexplained(spent - known.charged, known)

    async def _asked_for(
        self, row: Endpoint[Params, object], endpoints: BalanceEndpoints
    ) -> object:
        """The answer, or the error: also 401 and 403, since a key may have no right to read it."""
        try:
            return (await self._engine.send(row, endpoints.params)).value
        except LixError as error:
            return error
