"""What is kept in mind between calls: the state of limits, and the day's different profiles.

Each LinkedIn account may fetch 120 different profiles a day; answers from the vendor's cache are
free. The count here begins with the client and is corrected by the headers, since other programs
use the account too. Pure: the time is handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ...core.endpoint import Endpoint, P
from ...core.errors import DailyLimitError, LixError, NotFoundError, RateLimitError
from ...core.models import Params
from .errors import HeldError
from .models import ProfileResult
from .rate_limits import RateState

Limited = TypeVar("Limited", bound=RateLimitError)


def midnight(wall: float) -> float:
    """The next midnight UTC, in seconds since the epoch."""
    today = datetime.fromtimestamp(wall, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()


class _DailyProfileCount:
    """One account's day: profiles fetched, profiles on their way, and what the headers said."""

    __slots__ = ("ends", "fetched", "flying", "state")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.fetched: set[str] = set()
        self.flying: Counter[str] = Counter()
        self.state: RateState | None = None

    def free(self, limit: int) -> bool:
        """Whether one more different profile fits."""
        if self.state is not None and self.state.remaining == 0:
            return False
        told = (self.state.used if self.state else None) or 0
        flying = sum(1 for slug in self.flying if slug not in self.fetched)
        return max(len(self.fetched), told) + flying < limit


class UsageTracker:
    """One client's books, shared by its views."""

    def __init__(self, daily_profiles: int | None) -> None:
        self.states: dict[tuple[str | None, str | None], RateState] = {}
        """The latest state of each limit, by account id and action."""
        self._limit = daily_profiles
        self._days: dict[str, _DailyProfileCount] = {}
        self._default: str | None = None

    def account(self, params: Params) -> str:
        """Which account a call counts for; empty is the one that acts where none is named.

        Answers tell who that is, so calls that name it and calls that do not count together.
        """
        named: str | None = getattr(params, "account_id", None)
        return "" if named is None or named == self._default else named

    def known(self, params: Params) -> str | None:
        """The id of the account that a call counts for, as far as it is known."""
        return self.account(params) or self._default

    def begin(self, row: Endpoint[P, object], params: P, wall: float) -> TrackedCall:
        """A call begins. Raises `DailyLimitError` for a profile that the day has no room for."""
        slug = None
        if row.group == "profile":
            slug = str(getattr(params, "profile_id", "")).casefold()
            day = self.day(params, wall)
            known = slug in day.fetched or slug in day.flying
            if self._limit is not None and not known and not day.free(self._limit):
                raise self._full(day, row.id)
            day.flying[slug] += 1
        return TrackedCall(self, params, slug)

    def day(self, params: Params, wall: float) -> _DailyProfileCount:
        """The account's day."""
        account = self.account(params)
        if account not in self._days or wall >= self._days[account].ends:
            self._days[account] = _DailyProfileCount(midnight(wall))
        return self._days[account]

    def landed(self, params: Params, slug: str, spent: bool) -> None:
        """A profile is no longer on its way. What was spent counts for the day that it ends in."""
        day = self._days.get(self.account(params))
        if day is not None:
            day.flying -= Counter([slug])  # also drops what has come to nothing
            day.fetched |= {slug} if spent else set()

    def acted(self, params: Params, account: str) -> None:
        """An answer says which account acted, where the call named none."""
        if getattr(params, "account_id", None) is not None or account == self._default:
            return
        if self._default is not None and "" in self._days:
            self._days[self._default] = self._days.pop("")
        self._default = account
        own, named = self._days.get(""), self._days.pop(account, None)
        if named is not None and own is not None:
            own.fetched |= named.fetched
            own.flying += named.flying
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
    """One call's entry: what the engine tells of it."""

    __slots__ = ("_books", "_params", "_slug", "_spent")

    def __init__(self, books: UsageTracker, params: Params, slug: str | None) -> None:
        self._books = books
        self._params = params
        self._slug = slug
        self._spent = False

    def check(self, outcome: object, headers: Mapping[str, str], wall: float) -> LixError | None:
        """Note an answer. Returns the error that a 429 is, now that its headers are read."""
        account = getattr(outcome, "account_id", None)
        if isinstance(account, str) and account:
            self._books.acted(self._params, account)
        state = RateState.from_headers(headers)
        error = _limited(outcome, state, wall) if isinstance(outcome, RateLimitError) else None
        if state is None and isinstance(error, DailyLimitError):
            state = RateState.from_text(error.message)
        if state is not None:
            self._books.states[self._books.known(self._params), state.action] = state
        if self._slug is not None:
            self._note(outcome, state, wall)
        return error

    def _note(self, outcome: object, state: RateState | None, wall: float) -> None:
        """Count the profile, and believe what the headers say of the day."""
        day = self._books.day(self._params, wall)
        fetched = isinstance(outcome, ProfileResult) and not outcome.cached
        # An empty profile took a look at LinkedIn too; a 404 may not have come that far.
        self._spent |= fetched or (isinstance(outcome, NotFoundError) and outcome.status == 200)
        if state is not None and state.of_profiles:
            ends = day.ends if state.reset is None else state.reset.timestamp()
            if ends > wall:  # else it speaks of a day that is over
                day.state, day.ends = state, ends

    def end(self, lost: int) -> None:
        """The call is over. An attempt whose answer was lost may have spent a unit: it counts."""
        if self._slug is not None:
            self._books.landed(self._params, self._slug, self._spent or lost > 0)


def _limited(error: RateLimitError, state: RateState | None, wall: float) -> RateLimitError:
    """Which 429 it is. The day quota names no `Retry-After`, but an action and what was used."""
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
    )
