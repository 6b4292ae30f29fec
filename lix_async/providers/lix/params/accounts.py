"""Parameters for the Lix account, LinkedIn accounts and connections.

Contract: lix.md#lix-account, lix.md#linkedin-accounts, lix.md#connections
"""

from __future__ import annotations

from ....core.endpoint import at_least, at_most, exactly_one, required
from ....core.models import Params
from ....core.validation import ValidatedStruct
from ....linkedin.fields import ProfileLink, ProfileName, check_linkedin_urls

__all__ = [
    "ConnectionsParams",
    "Cookie",
    "InviteParams",
    "LinkedInAccountsParams",
    "NoParams",
    "PutLinkedInParams",
    "ViewerParams",
]

INVITATION = 300
"""The most characters of a note with a connection request (lix.md#connections.send)."""


class NoParams(Params, frozen=True, kw_only=True):
    """For endpoints without parameters."""


class ViewerParams(Params, frozen=True, kw_only=True):
    """For endpoints about one attached LinkedIn account."""

    viewer_id: str | None = None

    def check(self) -> None:
        """Require a viewer."""
        required(self, "viewer_id")


class LinkedInAccountsParams(Params, frozen=True, kw_only=True):
    """`account.linkedin_accounts`."""

    page: int = 1

    def check(self) -> None:
        """Pages begin at 1."""
        at_least(self, "page", 1)


class Cookie(ValidatedStruct, frozen=True):
    """One cookie of www.linkedin.com. The value is as secret as the API key and not printed."""

    key: str
    value: str

    def __repr__(self) -> str:
        return f"Cookie(key={self.key!r}, value='***')"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for rich, which would print the value otherwise."""
        return [("key", self.key), ("value", "***")]


class PutLinkedInParams(Params, frozen=True, kw_only=True):
    """`account.put_linkedin`."""

    cookies: list[Cookie]

    def check(self) -> None:
        """Require cookies."""
        required(self, "cookies")


class ConnectionsParams(Params, frozen=True, kw_only=True):
    """`connections.list`."""

    viewer_id: str | None = None
    count: int = 1000
    """The vendor recommends a high value; 1000 works."""
    start: int = 0
    include_profile_pictures: bool | None = None

    def check(self) -> None:
        """Require a viewer; numbers must not be negative."""
        required(self, "viewer_id")
        at_least(self, "count", 1)
        at_least(self, "start", 0)


class InviteParams(Params, frozen=True, kw_only=True):
    """`connections.send`."""

    viewer_id: str | None = None
    profile_link: ProfileLink | None = None
    profile_id: ProfileName | None = None
    message: str | None = None

    def check(self) -> None:
        """Require a viewer, exactly one of link and id, and a note within its limit."""
        exactly_one(self, "profile_link", "profile_id")
        check_linkedin_urls(self, "profile_link", bare=True)
        at_most(self, "message", INVITATION)
        required(self, "viewer_id")
