"""Parameters of the Meet Alfred API, under the provider's own names."""

from __future__ import annotations

from typing import Literal

from ...core.canonical import EmailAddress
from ...core.endpoint import at_least, required
from ...core.errors import ConfigurationError
from ...core.models import Params
from ...linkedin.fields import ProfileLink

CampaignType = Literal["active", "draft", "archived", "all"]
ActionKind = Literal[
    "invites",
    "already_connected",
    "already_invited",
    "accepted",
    "messages",
    "replies",
    "emails",
    "email_replies",
    "twitter",
    "twitter_replies",
    "all_replies",
    "greetings",
]
COLUMN = "csv_"
"""The prefix of the names of a lead's own columns, as they are sent."""


class CampaignsParams(Params, frozen=True, kw_only=True):
    """`meetalfred.campaigns`."""

    type: str | None = None


class PagedParams(Params, frozen=True, kw_only=True):
    """The page of a listing. Pages count from 0, and the 0 is sent."""

    page: int = 0
    per_page: int | None = None

    def check(self) -> None:
        at_least(self, "page", 0)
        at_least(self, "per_page", 1)


class LeadsParams(PagedParams, frozen=True, kw_only=True):
    """`meetalfred.leads`."""

    campaign: int | None = None


class ConnectionsParams(PagedParams, frozen=True, kw_only=True):
    """`meetalfred.connections`."""

    return_only_synced: bool | None = None


class LastActionsParams(PagedParams, frozen=True, kw_only=True):
    """`meetalfred.get_last_actions`."""

    action: str

    def check(self) -> None:
        super().check()
        required(self, "action")


class NoParams(Params, frozen=True, kw_only=True):
    """An endpoint without parameters."""


class AddLeadParams(Params, frozen=True, kw_only=True):
    """`meetalfred.add_lead_to_campaign`. `columns` are sent beside the other fields, as `csv_…`."""

    campaign: int
    linkedin_profile_url: ProfileLink | None = None
    email: EmailAddress | None = None
    columns: dict[str, str] | None = None

    def check(self) -> None:
        """Require a profile or an e-mail address, and the prefix on every column."""
        if not self.linkedin_profile_url and not self.email:
            raise ConfigurationError("give linkedin_profile_url or email, or both")
        for name in self.columns or {}:
            if not name.startswith(COLUMN) or name == COLUMN:
                raise ConfigurationError(f"invalid column {name!r}: expected {COLUMN}<name>")
