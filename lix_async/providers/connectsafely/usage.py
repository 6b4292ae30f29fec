"""What the client remembers between calls: the state of limits, and the profiles of the day.

Each LinkedIn account may fetch 120 different profiles a day; answers from the vendor's cache are
free (connectsafely.md#cache-and-quota). The count starts at zero with the client and is corrected
by response headers, since other programs may use the account too. Nothing here reads a clock: the
time is a parameter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ...core.endpoint import Endpoint, P
from ...core.errors import DailyLimitError, LixError, NotFoundError, RateLimitError
from ...core.models import Params
from ...linkedin.fields import folded
from .errors import HeldError
from .models import ProfileResult
from .rate_limits import RateState

Limited = TypeVar("Limited", bound=RateLimitError)


def midnight(wall: float) -> float:
    """The next midnight UTC, in epoch seconds."""
    today = datetime.fromtimestamp(wall, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()


class _DailyProfileCount:
    """The day of one account: profiles fetched, profiles being fetched, and the reported state."""

    __slots__ = ("ends", "fetched", "in_flight", "state")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.fetched: set[str] = set()
        self.in_flight: Counter[str] = Counter()
        self.state: RateState | None = None

    def free(self, limit: int) -> bool:
        """Whether one more different profile may be fetched."""
        if self.state is not None and self.state.remaining == 0:
            return False
        reported = (self.state.used if self.state else None) or 0
        in_flight = sum(1 for slug in self.in_flight if slug not in self.fetched)
        return max(len(self.fetched), reported) + in_flight < limit


class UsageTracker:
    """The state that one client and its views share."""

    def __init__(self, daily_profiles: int | None) -> None:
        self.states: dict[tuple[str | None, str | None], RateState] = {}
        """The latest state of each limit, by account id and action."""
        self._limit = daily_profiles
        self._days: dict[str, _DailyProfileCount] = {}
        self._default: str | None = None

    def account(self, params: Params) -> str:
        """The account that a call counts for; empty for the one that acts when none is named.

        Responses name that account, so that calls with and without its id are counted together.
        """
        named: str | None = getattr(params, "account_id", None)
        return "" if named is None or named == self._default else named

    def known(self, params: Params) -> str | None:
        """The id of the account that a call counts for, if it is known."""
        return self.account(params) or self._default

    def begin(self, endpoint: Endpoint[P, object], params: P, wall: float) -> TrackedCall:
        """Register a call before it is sent.

        Raises:
            DailyLimitError: The call would fetch more different profiles than the day allows.
        """
        slug = None
        if endpoint.group == "profile":
            slug = folded(str(getattr(params, "profile_id", "")))
            day = self.day(params, wall)
            known = slug in day.fetched or slug in day.in_flight
            if self._limit is not None and not known and not day.free(self._limit):
                raise self._full(day, endpoint.id)
            day.in_flight[slug] += 1
        return TrackedCall(self, params, slug)

    def day(self, params: Params, wall: float) -> _DailyProfileCount:
        """The count of the account's current day."""
        account = self.account(params)
        if account not in self._days or wall >= self._days[account].ends:
            self._days[account] = _DailyProfileCount(midnight(wall))
        return self._days[account]

    def finish_profile(self, params: Params, slug: str, spent: bool) -> None:
        """A profile is no longer being fetched.

        If it was spent, it counts for the day it ended in.
        """
        day = self._days.get(self.account(params))
        if day is not None:
            day.in_flight -= Counter([slug])  # drops counts of zero as well
            day.fetched |= {slug} if spent else set()

    def set_default_account(self, params: Params, account: str) -> None:
        """A response names the account that acted, for a call that named none."""
        if getattr(params, "account_id", None) is not None or account == self._default:
            return
        if self._default is not None and "" in self._days:
            self._days[self._default] = self._days.pop("")
        self._default = account
        own, named = self._days.get(""), self._days.pop(account, None)
        if named is not None and own is not None:
            own.fetched |= named.fetched
            own.in_flight += named.in_flight
            own.state = own.state or named.state
        elif named is not None:
            self._days[""] = named

    def _full(self, day: _DailyProfileCount, endpoint: str) -> DailyLimitError:
        error = DailyLimitError(
            f"the day's {self._limit} different profiles of this LinkedIn account are used up, "
            "so nothing was sent; profiles of today can still be asked for",
            kind="daily_profiles",
            endpoint=endpoint,
        )
        error.refreshes_at = day.ends
        return error


class TrackedCall:
    """One call, as the engine reports it."""

    __slots__ = ("_params", "_slug", "_spent", "_usage")

    def __init__(self, usage: UsageTracker, params: Params, slug: str | None) -> None:
        self._usage = usage
        self._params = params
        self._slug = slug
        self._spent = False

    def check(self, outcome: object, headers: Mapping[str, str], wall: float) -> LixError | None:
        """Record a response.

        Returns:
            For a 429, the error that it is according to its headers; otherwise None.
        """
        account = getattr(outcome, "account_id", None)
        if isinstance(account, str) and account:
            self._usage.set_default_account(self._params, account)
        state = RateState.from_headers(headers)
        error = _limited(outcome, state, wall) if isinstance(outcome, RateLimitError) else None
        if state is None and isinstance(error, DailyLimitError):
            state = RateState.from_text(error.message)
        if state is not None:
            self._usage.states[self._usage.known(self._params), state.action] = state
        if self._slug is not None:
            self._note(outcome, state, wall)
        return error

    def _note(self, outcome: object, state: RateState | None, wall: float) -> None:
        """Count the profile, and take over what the headers report about the day."""
        day = self._usage.day(self._params, wall)
        fetched = isinstance(outcome, ProfileResult) and not outcome.cached
        # An empty profile was fetched from LinkedIn too; a 404 may not have got that far.
        self._spent |= fetched or (isinstance(outcome, NotFoundError) and outcome.status == 200)
        if state is not None and state.of_profiles:
            ends = day.ends if state.reset is None else state.reset.timestamp()
            if ends > wall:  # else it reports a day that is over
                day.state, day.ends = state, ends

    def end(self, lost: int) -> None:
        """Record the end of the call. An attempt whose answer was lost may have used the quota."""
        if self._slug is not None:
            self._usage.finish_profile(self._params, self._slug, self._spent or lost > 0)


def _limited(error: RateLimitError, state: RateState | None, wall: float) -> RateLimitError:
    """Which kind of 429 it is. The daily quota has no `Retry-After`, but an action and its use."""
    if isinstance(error, HeldError) and error.hold_until is not None:
        error.retry_after = max(error.retry_after or 0.0, error.hold_until - wall)
        return error
    if error.retry_after is not None:
        return _as(RateLimitError, error) if isinstance(error, DailyLimitError) else error
    reset = state.reset.timestamp() if state and state.reset else None
    of_day = state is not None and (state.action is not None or state.used is not None)
    if of_day or isinstance(error, DailyLimitError):
        daily = _as(DailyLimitError, error)
        daily.refreshes_at = reset or getattr(error, "refreshes_at", None) or midnight(wall)
        return daily
    if reset is not None and reset > wall:
        error.retry_after = reset - wall
    return error


def _as(cls: type[Limited], error: RateLimitError) -> Limited:
    return cls(
        error.message,
        status=error.status,
        kind=error.kind,
        retry_after=error.retry_after,
        body=error.body,
        headers=error.headers,
    )
