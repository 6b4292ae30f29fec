"""The Lix account and the LinkedIn accounts attached to it.

Contract: lix.md#lix-account, lix.md#linkedin-accounts
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, field

from ....core.models import Listing, Model
from ....core.timestamps import parse_moment, parse_timestamp

__all__ = [
    "AttachedAccount",
    "AutoTopUp",
    "Balances",
    "ConnectionsRemaining",
    "DailyAllowance",
    "LinkedInAccount",
    "LinkedInAccountsPage",
    "Warmup",
    "WarmupDetails",
    "WarmupStatus",
]

WarmupStatus: TypeAlias = Literal["warming", "completed"] | str
"""The state of a warm-up; others may be added."""


class AutoTopUp(Model):
    """Which kinds of credits are bought automatically when they run out."""

    standard: bool | None = None
    org: bool | None = None


class Balances(Model):
    """Credits left. None means unknown, not zero."""

    __aliases__: ClassVar[dict[str, str]] = {
        "email_balance": "emailBalance",
        "linkedin_balance": "linkedInBalance",
        "linkedinBalance": "linkedInBalance",
    }

    email_balance: int | None = None
    linkedin_balance: int | None = field(name="linkedInBalance", default=None)
    """Standard credits."""
    lookc_balance: int | None = None
    """Org credits."""
    auto_top_up_enabled: AutoTopUp | None = None
    enterprise: bool | None = None
    """When true, both flags of `auto_top_up_enabled` are false."""


class DailyAllowance(Model):
    """Requests left today."""

    __aliases__: ClassVar[dict[str, str]] = {"refreshesAtISO": "refreshesAt"}
    __markers__: ClassVar[dict[str, str | None]] = {"refreshesAt": None}

    requests_remaining: int | None = None
    refreshes_at: Annotated[datetime, Meta(tz=True)] | None = None
    """When the allowance is full again. Sent as epoch seconds, also in a text, or as ISO 8601."""

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Read milliseconds, which other fields of the API have (lix.md#value-quirks)."""
        return {**tree, "refreshesAt": parse_moment(tree.get("refreshesAt"))}


class WarmupDetails(Model):
    """The limits of an attached account during warm-up; afterwards, available equals total."""

    # The keys were renamed three times; the newest one that is present is read.
    __aliases__: ClassVar[dict[str, str]] = {
        "active_days": "consecutiveActiveDays",
        "currentDailyLimit": "dailyAvailable",
        "daily_limit": "dailyAvailable",
        "currentHourlyLimit": "hourlyAvailable",
        "hourly_limit": "hourlyAvailable",
        "targetDailyLimit": "dailyTotal",
        "maxDailyLimit": "dailyTotal",
        "max_daily_limit": "dailyTotal",
        "targetHourlyLimit": "hourlyTotal",
        "maxHourlyLimit": "hourlyTotal",
        "max_hourly_limit": "hourlyTotal",
    }

    consecutive_active_days: int | None = None
    daily_available: int | None = None
    hourly_available: int | None = None
    daily_total: int | None = None
    hourly_total: int | None = None


class Warmup(Model):
    """The warm-up of an attached account."""

    status: WarmupStatus | None = None
    """`warming`, `completed`; others may be added."""
    details: WarmupDetails | None = None


class LinkedInAccount(Model):
    """A LinkedIn account attached to the Lix team."""

    __aliases__: ClassVar[dict[str, str]] = {"viewer_id": "viewerId"}

    viewer_id: str | None = None
    """The value to use as `viewer_id` in other calls."""
    linkedin_ready: bool | None = field(name="linkedInReady", default=None)
    sales_navigator_ready: bool | None = None
    warmup: Warmup | None = None
    """Only if the warm-up feature is on for the account."""
    num_available_tokens: int | None = None
    """Only in the oldest answers."""

    @property
    def identity(self) -> str | None:
        """The id by which accounts are compared."""
        return self.viewer_id or None


class LinkedInAccountsPage(Listing[LinkedInAccount]):
    """A page of attached accounts, sent as a bare array."""

    __root__: ClassVar[str] = "accounts"

    items: list[LinkedInAccount] = field(name="accounts", default=[])


class AttachedAccount(Model):
    """The result of `account.put_linkedin`."""

    __aliases__: ClassVar[dict[str, str]] = {"viewerId": "viewer_id", "liId": "viewer_id"}

    viewer_id: str | None = field(name="viewer_id", default=None)
    """The value to use as `viewer_id` in other calls."""


class ConnectionsRemaining(Model):
    """Connection requests left in the calendar week."""

    viewer_id: str | None = None
    weekly_limit: int | None = None
    """50 for a standard LinkedIn account, 100 with Sales Navigator."""
    used: int | None = None
    remaining: int | None = None
    next_refresh: str | None = None
    """ISO 8601: Monday 00:00 UTC."""

    @property
    def next_refresh_time(self) -> datetime | None:
        """When the next week begins."""
        return parse_timestamp(self.next_refresh)
