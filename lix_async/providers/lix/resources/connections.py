"""Connections of a LinkedIn account, and requests for new ones."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import accounts as e
from .base import Resource


class Connections(Resource):
    """`lix.connections`: list connections and send connection requests."""

    __slots__ = ()

    def list(
        self,
        viewer_id: str | None = None,
        *,
        count: int = 1000,
        start: int = 0,
        include_profile_pictures: bool | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Connection]:
        """The connections of an attached account.

        Items are open objects: a field that is not documented stays available under its own key.

        Args:
            viewer_id: The account; default the client's `viewer_id`.
            count: Items to ask for per page.
            start: Position of the first item.
            include_profile_pictures: False leaves out the pictures, about half of the bytes.
            **options: Options of every listing; see `ListingOptions`.

        Raises:
            ViewerError: The account is not attached.
            InvalidParamsError: The same; both are documented.

        Credits:
            Not published.

        Contract:
            lix.md#connections.list
        """
        params = p.ConnectionsParams(
            viewer_id=viewer_id,
            count=count,
            start=start,
            include_profile_pictures=include_profile_pictures,
        )
        return self._client.pages(e.CONNECTIONS, params, **options)

    async def send(
        self,
        profile_link: str | None = None,
        *,
        profile_id: str | None = None,
        message: str | None = None,
        viewer_id: str | None = None,
    ) -> m.Invitation:
        """Send a connection request. Pass either the link of the profile or its public identifier.

        A request that may have arrived is not sent again. After `OutcomeUnknownError`, compare
        `used` of `account.connections_remaining`.

        Args:
            profile_link: The link of the profile.
            profile_id: The public identifier, instead of the link.
            message: A note of at most 300 characters.
            viewer_id: The account that asks; default the client's `viewer_id`.

        Raises:
            OutcomeUnknownError: The request may or may not have been sent.
            WeeklyLimitError: The account has sent all requests of this week.
            RefusalError: The provider answered that it did not send it (`kind` is `not_sent`).

        Credits:
            1 standard credit.

        Contract:
            lix.md#connections.send
        """
        params = p.InviteParams(
            viewer_id=viewer_id, profile_link=profile_link, profile_id=profile_id, message=message
        )
        return (await self._client.send(e.INVITE, params)).value
