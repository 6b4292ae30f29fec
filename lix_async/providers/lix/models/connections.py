"""Connections of an attached account (lix.md#connections)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.models import Listing, Model, OpenObject

__all__ = ["Connection", "ConnectionsPage", "Invitation"]


class Connection(OpenObject):
    """A connection: a dict as it was sent. Only `profile_picture` is documented."""

    @property
    def profile_picture(self) -> str | None:
        """A signed image URL."""
        return self.first_text("profile_picture", "profilePicture")

    @property
    def first_name(self) -> str | None:
        """The first name."""
        return self.first_text("firstName", "first_name")

    @property
    def last_name(self) -> str | None:
        """The last name."""
        return self.first_text("lastName", "last_name")

    @property
    def headline(self) -> str | None:
        """The headline."""
        return self.first_text("headline", "occupation")

    @property
    def public_identifier(self) -> str | None:
        """The last part of `linkedin.com/in/<public_identifier>`."""
        return self.first_text("publicIdentifier", "public_identifier")

    @property
    def entity_urn(self) -> str | None:
        """The URN of the profile."""
        return self.first_text("entityUrn", "entity_urn")

    @property
    def full_name(self) -> str | None:
        """First and last name."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None

    @property
    def profile_url(self) -> str | None:
        """The URL of the LinkedIn profile."""
        slug = self.public_identifier
        return f"https://www.linkedin.com/in/{slug}" if slug else None

    @property
    def identity(self) -> str | None:
        """The id by which connections are compared."""
        return self.entity_urn or self.public_identifier


class ConnectionsPage(Listing[Connection]):
    """A page of connections."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("connections_response",)

    items: list[Connection] = field(name="elements", default=[])
    """The connections of the page."""


class Invitation(Model):
    """The result of `connections.send`. With `success: false` it is raised as an error instead."""

    success: bool | None = None
    """Whether the invitation was sent."""
    entity_urn: str | None = field(name="entity_urn", default=None)
    """The URN of the invitation: `urn:li:fsd_invitation:<digits>`."""
