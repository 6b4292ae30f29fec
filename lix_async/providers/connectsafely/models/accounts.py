"""Connected accounts: state, limits, relationships and endorsements."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import field

from ....core.models import Model, OpenObject
from ....core.timestamps import parse_timestamp

__all__ = [
    "AccountQuota",
    "AccountState",
    "AccountStatus",
    "Endorsement",
    "Health",
    "LinkedInPlan",
    "PremiumType",
    "Quota",
    "QuotaWindow",
    "Relationship",
]

AccountState: TypeAlias = Literal["AVAILABLE", "IN_USE", "ERROR", "WARMUP", "UNKNOWN"] | str
"""The state of a connected account; others may be added."""
PremiumType: TypeAlias = (
    Literal["SALES_NAVIGATOR", "RECRUITER", "BUSINESS_PREMIUM", "NON_PREMIUM"] | str
)
"""The LinkedIn product of an account; others may be added."""
QuotaWindow: TypeAlias = Literal["daily", "weekly"] | str
"""The period of a limit; others may be added."""


class LinkedInPlan(Model):
    """The LinkedIn products of an account."""

    premium_type: PremiumType | None = None
    """`SALES_NAVIGATOR`, `RECRUITER`, `BUSINESS_PREMIUM`, `NON_PREMIUM`."""
    is_premium: bool | None = None
    has_sales_navigator: bool | None = None
    has_recruiter: bool | None = None
    has_away_messages: bool | None = None
    has_advertise_badge: bool | None = None
    has_hiring_manager: bool | None = None


class AccountStatus(Model):
    """A connected LinkedIn account."""

    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    public_id: str | None = None
    platform: str | None = None
    status: AccountState | None = None
    """`AVAILABLE`, `IN_USE`, `ERROR`, `WARMUP`, `UNKNOWN`."""
    enabled: bool | None = None
    last_used: str | None = None
    has_tokens: bool | None = None
    linkedin_plan: LinkedInPlan | None = None
    """Only for `AVAILABLE` or `WARMUP`."""

    @property
    def last_used_time(self) -> datetime | None:
        """`last_used` as an aware UTC datetime."""
        return parse_timestamp(self.last_used)


class Quota(Model):
    """One limit of an account.

    `used` counts all programs that use the account, not only this client.
    """

    feature: str | None = None
    window: QuotaWindow | None = None
    """`daily`, `weekly`."""
    used: int | None = None
    limit: int | None = None
    linkedin_limit: int | None = None
    remaining: int | None = None
    limit_reached: bool | None = None
    """Whether LinkedIn itself answered 429, which is not the same as `remaining` 0."""
    limit_reached_at: str | None = None
    reset_at: str | None = None

    @property
    def limit_reached_time(self) -> datetime | None:
        """`limit_reached_at` as an aware UTC datetime."""
        return parse_timestamp(self.limit_reached_at)

    @property
    def reset_time(self) -> datetime | None:
        """`reset_at` as an aware UTC datetime."""
        return parse_timestamp(self.reset_at)


class AccountQuota(Model):
    """All limits of an account."""

    account_id: str | None = None
    quotas: list[Quota] = field(default_factory=list[Quota])


class Relationship(Model):
    """How an account is connected to a profile."""

    connected: bool | None = None
    invitation_sent: bool | None = None
    invitation_received: bool | None = None
    status: str | None = None
    """Such as `NOT_CONNECTED`."""
    profile_urn: str | None = None
    account_id: str | None = None


class Endorsement(Model):
    """The result of an endorsement."""

    success: bool | None = None
    profile_id: str | None = None
    member_id: str | None = None
    skill_id: str | None = None
    skill_name: str | None = None
    """Only if the skill was chosen at random."""
    random: bool | None = None
    message: str | None = None


class Health(OpenObject):
    """The answer of the health check.

    Its keys are not documented; a text becomes an empty object.
    """
