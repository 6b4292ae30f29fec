"""The Lix account and the LinkedIn accounts that are attached to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import msgspec

from ....core.errors import ConfigurationError
from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import accounts as e
from .base import Resource


class Account(Resource):
    """`lix.account`: balances, the daily allowance and attached LinkedIn accounts."""

    __slots__ = ()

    async def balances(self) -> m.Balances:
        """Credits left, by kind.

        Credits:
            Not published.

        Contract:
            lix.md#account.balances
        """
        return (await self._client.send(e.BALANCES, p.NoParams())).value

    async def daily_allowance(self) -> m.DailyAllowance:
        """Requests left today, and when the allowance is full again.

        Credits:
            Free.

        Contract:
            lix.md#account.daily_allowance
        """
        return (await self._client.send(e.DAILY_ALLOWANCE, p.NoParams())).value

    async def linkedin(self, viewer_id: str | None = None) -> m.LinkedInAccount:
        """One attached LinkedIn account: which products it has and how far its warm-up is.

        Args:
            viewer_id: The account; default the client's `viewer_id`.

        Raises:
            ViewerError: The account is not attached.

        Credits:
            Not published.

        Contract:
            lix.md#linkedin_account.get
        """
        return (
            await self._client.send(e.LINKEDIN_ACCOUNT, p.ViewerParams(viewer_id=viewer_id))
        ).value

    def linkedin_accounts(
        self,
        *,
        page: int = 1,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.LinkedInAccount]:
        """All attached LinkedIn accounts, five on a page, from page number `page` on.

        Args:
            page: The number of the first page, from 1.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            Not published.

        Contract:
            lix.md#linkedin_account.list
        """
        return self._client.pages(
            e.LINKEDIN_ACCOUNTS, p.LinkedInAccountsParams(page=page), **options
        )

    async def put_linkedin(
        self, cookies: Mapping[str, str] | list[p.Cookie] | list[dict[str, str]]
    ) -> m.AttachedAccount:
        """Attach a LinkedIn account to the team, or refresh the session of an attached one.

        It is safe to call again. The cookies are as secret as the API key and appear in no log or
        error.

        Args:
            cookies: Every cookie of www.linkedin.com, as a mapping or as a list of objects with
                `key` and `value`. `li_at` is the essential one.

        Returns:
            The account, with the `viewer_id` to use for it.

        Raises:
            InvalidParamsError: The cookies do not work.

        Credits:
            Not published.

        Contract:
            lix.md#linkedin_account.put
        """
        params = p.PutLinkedInParams(cookies=_jar(cookies))
        del cookies  # crash reporters show the locals of this frame
        return (await self._client.send(e.PUT_LINKEDIN, params)).value

    async def connections_remaining(self, viewer_id: str | None = None) -> m.ConnectionsRemaining:
        """How many connection requests a LinkedIn account may still send this week.

        The week begins on Monday at 00:00 UTC.

        Args:
            viewer_id: The account; default the client's `viewer_id`.

        Credits:
            Not published.

        Contract:
            lix.md#linkedin_account.connections_remaining
        """
        params = p.ViewerParams(viewer_id=viewer_id)
        return (await self._client.send(e.CONNECTIONS_REMAINING, params)).value


def _jar(cookies: Mapping[str, str] | list[p.Cookie] | list[dict[str, str]]) -> list[p.Cookie]:
    try:
        if isinstance(cookies, Mapping):
            return [msgspec.convert({"key": k, "value": v}, p.Cookie) for k, v in cookies.items()]
        return msgspec.convert(cookies, list[p.Cookie])
    except msgspec.ValidationError:
        pass  # raised below instead: the traceback of this error would show the values
    raise ConfigurationError("cookies must be a mapping, or a list of objects with key and value")
