"""The Lix account and the LinkedIn accounts attached to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ....core.errors import ConfigurationError
from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.accounts import (
    BALANCES,
    CONNECTIONS_REMAINING,
    DAILY_ALLOWANCE,
    LINKEDIN_ACCOUNT,
    LINKEDIN_ACCOUNTS,
    PUT_LINKEDIN,
)
from ..models import (
    AttachedAccount,
    Balances,
    ConnectionsRemaining,
    DailyAllowance,
    LinkedInAccount,
)
from ..params import Cookie, LinkedInAccountsParams, NoParams, PutLinkedInParams, ViewerParams
from .base import Resource


class Account(Resource):
    """`lix.account`."""

    __slots__ = ()

    async def balances(self) -> Balances:
        """Credits left, by kind. The cost is not published.

        Contract: lix.md#account.balances
        """
        return (await self._client.send(BALANCES, NoParams())).value

    async def daily_allowance(self) -> DailyAllowance:
        """Requests left today and when the allowance is full again. Free.

        Contract: lix.md#account.daily_allowance
        """
        return (await self._client.send(DAILY_ALLOWANCE, NoParams())).value

    async def linkedin(self, viewer_id: str | None = None) -> LinkedInAccount:
        """One attached LinkedIn account: what it is ready for, how far its warm-up has come.

        `viewer_id`: default the client's. Raises `ViewerError` when it is not attached. The cost
        is not published.

        Contract: lix.md#linkedin_account.get
        """
        return (await self._client.send(LINKEDIN_ACCOUNT, ViewerParams(viewer_id=viewer_id))).value

    def linkedin_accounts(
        self,
        *,
        page: int = 1,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[LinkedInAccount]:
        """All attached LinkedIn accounts, five on a page, from `page` on.

        The cost is not published.

        Contract: lix.md#linkedin_account.list
        """
        return self._client.pages(
            LINKEDIN_ACCOUNTS,
            LinkedInAccountsParams(page=page),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def put_linkedin(
        self, cookies: Mapping[str, str] | list[Cookie] | list[dict[str, str]]
    ) -> AttachedAccount:
        """Attach a LinkedIn account to the team, or refresh one that is attached.

        `cookies`: every cookie of www.linkedin.com, as a mapping or a list of `key` and
        `value`; `li_at` is the essential one. They are as secret as the API key and appear in no
        log or error. Returns the `viewer_id` to use. Raises `InvalidParamsError` when they do not
        work. Repeating it is safe. The cost is not published.

        Contract: lix.md#linkedin_account.put
        """
        params = PutLinkedInParams(cookies=_jar(cookies))
        del cookies  # a crash reporter shows the locals of this frame
        return (await self._client.send(PUT_LINKEDIN, params)).value

    async def connections_remaining(self, viewer_id: str | None = None) -> ConnectionsRemaining:
        """Connection requests that a LinkedIn account may still send this week.

        `viewer_id`: default the client's. The week begins on Monday 00:00 UTC. The cost is not
        published.

        Contract: lix.md#linkedin_account.connections_remaining
        """
        params = ViewerParams(viewer_id=viewer_id)
        return (await self._client.send(CONNECTIONS_REMAINING, params)).value


def _jar(cookies: Mapping[str, str] | list[Cookie] | list[dict[str, str]]) -> list[Cookie]:
    try:
        if isinstance(cookies, Mapping):
            return [msgspec.convert({"key": k, "value": v}, Cookie) for k, v in cookies.items()]
        return msgspec.convert(cookies, list[Cookie])
    except msgspec.ValidationError:
        pass  # its traceback would hold the values
    raise ConfigurationError("cookies must be a mapping, or a list of objects with key and value")
