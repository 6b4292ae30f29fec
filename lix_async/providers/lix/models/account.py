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
    """Whether standard credits are bought automatically."""
    org: bool | None = None
    """Whether org credits are bought automatically."""


class Balances(Model):
    """Credits left. None means unknown, not zero."""

    __aliases__: ClassVar[dict[str, str]] = {
        "email_balance": "emailBalance",
        "linkedin_balance": "linkedInBalance",
        "linkedinBalance": "linkedInBalance",
    }

    email_balance: int | None = None
    """Email credits left."""
    linkedin_balance: int | None = field(name="linkedInBalance", default=None)
    """Standard credits left."""
    lookc_balance: int | None = None
    """Org credits left."""
    auto_top_up_enabled: AutoTopUp | None = None
    """The kinds of credits that are bought automatically when they run out."""
    enterprise: bool | None = None
    """Whether the team has an enterprise plan: then both flags of `auto_top_up_enabled` are
    false."""


class DailyAllowance(Model):
    """Requests left today."""

    __aliases__: ClassVar[dict[str, str]] = {"refreshesAtISO": "refreshesAt"}
    __markers__: ClassVar[dict[str, str | None]] = {"refreshesAt": None}

    requests_remaining: int | None = None
    """Requests left until the allowance refreshes."""
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
    """Days in a row on which the account was active."""
    daily_available: int | None = None
    """Requests allowed per day now."""
    hourly_available: int | None = None
    """Requests allowed per hour now."""
    daily_total: int | None = None
    """Requests allowed per day when the warm-up is complete."""
    hourly_total: int | None = None
    """Requests allowed per hour when the warm-up is complete."""


class Warmup(Model):
    """The warm-up of an attached account."""

    status: WarmupStatus | None = None
    """The state of the warm-up: `warming`, `completed`; others may be added."""
    details: WarmupDetails | None = None
    """The limits of the account during and after the warm-up."""


class LinkedInAccount(Model):
    """A LinkedIn account attached to the Lix team."""

    __aliases__: ClassVar[dict[str, str]] = {"viewer_id": "viewerId"}

    viewer_id: str | None = None
    """The value to use as `viewer_id` in other calls."""
    linkedin_ready: bool | None = field(name="linkedInReady", default=None)
    """Whether calls that use LinkedIn can go through the account."""
    sales_navigator_ready: bool | None = None
    """Whether calls that use Sales Navigator can go through the account."""
    warmup: Warmup | None = None
    """The warm-up of the account, only if that feature is on for it."""
    num_available_tokens: int | None = None
    """The number of available tokens, only in the oldest answers."""

    @property
    def identity(self) -> str | None:
        """The id by which accounts are compared."""
        return self.viewer_id or None


class LinkedInAccountsPage(Listing[LinkedInAccount]):
    """A page of attached accounts, sent as a bare array."""

    __root__: ClassVar[str] = "accounts"

    items: list[LinkedInAccount] = field(name="accounts", default=[])
    """The attached accounts, at most 5 on a page."""


class AttachedAccount(Model):
    """The result of `account.put_linkedin`."""

    __aliases__: ClassVar[dict[str, str]] = {"viewerId": "viewer_id", "liId": "viewer_id"}

    viewer_id: str | None = field(name="viewer_id", default=None)
    """The value to use as `viewer_id` in other calls."""


class ConnectionsRemaining(Model):
    """Connection requests left in the calendar week."""

    viewer_id: str | None = None
    """The attached account that was asked about."""
    weekly_limit: int | None = None
    """Connection requests allowed in a calendar week: 50 for a standard LinkedIn account, 100 with
    Sales Navigator."""
    used: int | None = None
    """Connection requests sent in the current calendar week."""
    remaining: int | None = None
    """Connection requests left in the current calendar week."""
    next_refresh: str | None = None
    """When the next week begins, in ISO 8601: Monday 00:00 UTC."""

    @property
    def next_refresh_time(self) -> datetime | None:
        """When the next week begins."""
        return parse_timestamp(self.next_refresh)
