"""Connections of a LinkedIn account, and requests for new ones."""

from __future__ import annotations

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.accounts import CONNECTIONS, INVITE
from ..models import Connection, Invitation
from ..params import ConnectionsParams, InviteParams
from .base import Resource


class Connections(Resource):
    """`lix.connections`."""

    __slots__ = ()

    def list(
        self,
        viewer_id: str | None = None,
        *,
        count: int = 1000,
        start: int = 0,
        include_profile_pictures: bool | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Connection]:
        """The connections of an attached account, as open objects.

        `viewer_id`: default the client's. `count`: rows asked for on a page (default 1000).
        `include_profile_pictures=False` leaves the pictures out, which is about half the bytes.
        Raises `ViewerError` or `InvalidParamsError` when the account is not attached: both are
        documented. The cost is not published.

        Contract: lix.md#connections.list
        """
        params = ConnectionsParams(
            viewer_id=viewer_id,
            count=count,
            start=start,
            include_profile_pictures=include_profile_pictures,
        )
        return self._client.pages(
            CONNECTIONS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def send(
        self,
        profile_link: str | None = None,
        *,
        profile_id: str | None = None,
        message: str | None = None,
        viewer_id: str | None = None,
    ) -> Invitation:
        """Ask somebody to connect. Give either the profile's link or its public identifier.

        `message`: at most 300 characters. `viewer_id`: who asks, default the client's. Never
        repeated by itself once it may have arrived: then it raises `OutcomeUnknownError`, and
        `used` of `account.connections_remaining` tells. `RefusalError` with kind `not_sent` when
        the provider answers that it did not send it, `WeeklyLimitError` when the week's requests
        are used up. 1 standard credit.

        Contract: lix.md#connections.send
        """
        params = InviteParams(
            viewer_id=viewer_id, profile_link=profile_link, profile_id=profile_id, message=message
        )
        return (await self._client.send(INVITE, params)).value
