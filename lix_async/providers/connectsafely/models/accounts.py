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
    """The product: `SALES_NAVIGATOR`, `RECRUITER`, `BUSINESS_PREMIUM`, `NON_PREMIUM`."""
    is_premium: bool | None = None
    """Whether the account has LinkedIn Premium."""
    has_sales_navigator: bool | None = None
    """Whether the account has Sales Navigator."""
    has_recruiter: bool | None = None
    """Whether the account has LinkedIn Recruiter."""
    has_away_messages: bool | None = None
    """Whether the account has away messages."""
    has_advertise_badge: bool | None = None
    """Whether the account has the advertise badge."""
    has_hiring_manager: bool | None = None
    """Whether the account has the hiring manager feature."""


class AccountStatus(Model):
    """A connected LinkedIn account."""

    id: str | None = None
    """The account id, 24 hexadecimal digits: `account_id` of other calls."""
    first_name: str | None = None
    """The first name of the account's owner."""
    last_name: str | None = None
    """The last name of the account's owner."""
    public_id: str | None = None
    """The public identifier of the owner's profile."""
    platform: str | None = None
    """The platform of the account."""
    status: AccountState | None = None
    """The state of the account: `AVAILABLE`, `IN_USE`, `ERROR`, `WARMUP`, `UNKNOWN`."""
    enabled: bool | None = None
    """Whether the account is enabled."""
    last_used: str | None = None
    """When the account was last used, as a text; `last_used_time` reads it."""
    has_tokens: bool | None = None
    """Whether the service has the account's tokens."""
    linkedin_plan: LinkedInPlan | None = None
    """The LinkedIn products of the account; only if it is `AVAILABLE` or in `WARMUP`."""

    @property
    def last_used_time(self) -> datetime | None:
        """`last_used` as an aware UTC datetime."""
        return parse_timestamp(self.last_used)


class Quota(Model):
    """One limit of an account.

    `used` counts all programs that use the account, not only this client.
    """

    feature: str | None = None
    """What is limited, such as `PROFILE_VIEW`."""
    window: QuotaWindow | None = None
    """The period of the limit: `daily`, `weekly`."""
    used: int | None = None
    """Uses in the current window."""
    limit: int | None = None
    """Uses allowed in the window."""
    linkedin_limit: int | None = None
    """LinkedIn's own limit in the window."""
    remaining: int | None = None
    """Uses left in the current window."""
    limit_reached: bool | None = None
    """Whether LinkedIn itself answered 429, which is not the same as `remaining` 0."""
    limit_reached_at: str | None = None
    """When LinkedIn answered 429, as a text; None if it did not."""
    reset_at: str | None = None
    """When the window ends, as a text; `reset_time` reads it."""

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
    """The account id, 24 hexadecimal digits."""
    quotas: list[Quota] = field(default_factory=list[Quota])
    """The limits of the account, one for each feature and window."""


class Relationship(Model):
    """How an account is connected to a profile."""

    connected: bool | None = None
    """Whether they are connected."""
    invitation_sent: bool | None = None
    """Whether the account has sent an invitation to the profile."""
    invitation_received: bool | None = None
    """Whether the account has received an invitation from the profile."""
    status: str | None = None
    """The state of the relationship, such as `NOT_CONNECTED`."""
    profile_urn: str | None = None
    """The URN of the profile."""
    account_id: str | None = None
    """The account id, 24 hexadecimal digits."""


class Endorsement(Model):
    """The result of an endorsement."""

    success: bool | None = None
    """Whether the skill was endorsed."""
    profile_id: str | None = None
    """The profile whose skill was endorsed, as in the call."""
    member_id: str | None = None
    """The member id of the profile."""
    skill_id: str | None = None
    """The id of the skill."""
    skill_name: str | None = None
    """The name of the skill; only if it was chosen at random."""
    random: bool | None = None
    """Whether the skill was chosen at random."""
    message: str | None = None
    """A readable status."""


class Health(OpenObject):
    """The answer of the health check.

    Its keys are not documented; a text becomes an empty object.
    """
