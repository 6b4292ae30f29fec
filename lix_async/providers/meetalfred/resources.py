"""The methods of `AsyncMeetAlfred`: one for each row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from msgspec import structs

from ...core.endpoint import Endpoint, P
from ...core.pagination import PageNumber
from ...engine.checkpoint import Checkpoint
from ...engine.client import Client
from ...engine.pages import Pages
from . import endpoints as e
from . import models as m
from . import params as p

R = TypeVar("R")
PREFIX = "meetalfred."
"""What the ids of rows begin with; methods have the rest of their names."""


class MeetAlfredMethods(Client):
    """A client with this provider's methods, over the engine of `Client`."""

    _paths: Mapping[str, str]
    _method: e.ReadMethod
    _first_page: int

    def _at(self, row: Endpoint[P, R]) -> Endpoint[P, R]:
        """The row under this client's settings."""
        paging = row.paging
        if isinstance(paging, PageNumber):
            paging = structs.replace(paging, first=self._first_page)
        path = self._paths.get(row.id.removeprefix(PREFIX), row.path)
        method = self._method if row.idempotent else row.method
        return replace(row, path=path, method=method, paging=paging)

    def _from(self, page: int) -> int:
        """Where a walk begins: the default 0 is the first page, whatever its number."""
        return page or self._first_page

    async def campaigns(
        self,
        type: p.CampaignType | None = "active",  # noqa: A002  # the wire's own word
    ) -> list[m.Campaign]:
        """The campaigns of a kind, all at once. None sends no kind: the active ones, it is said.

        `campaign_id` and `title` are right in either of the two forms in which they come. Not
        paged: if a server ignored the page, asking for one more would never end.

        Contract: meetalfred.md#meetalfred.campaigns
        """
        return (await self.send(self._at(e.CAMPAIGNS), p.CampaignsParams(type=type))).value.items

    def leads(
        self,
        campaign: int | None = None,
        *,
        page: int = 0,
        per_page: int | None = 100,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.Lead]:
        """All leads, or those of one campaign (its `campaign_id`).

        `page`: the first one is 0. `per_page`: 100 is known to work; a maximum is not published,
        None leaves the size to the service, and then only an empty page or a repeated one ends
        the walk.

        Contract: meetalfred.md#meetalfred.leads
        """
        return self.pages(
            self._at(e.LEADS),
            p.LeadsParams(campaign=campaign, page=self._from(page), per_page=per_page),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def connections(
        self,
        *,
        return_only_synced: bool | None = None,
        page: int = 0,
        per_page: int | None = 100,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.Connection]:
        """All LinkedIn connections of the user. Absent texts are None, however they come.

        `return_only_synced`: public clients send True; what None does is not known. `page` and
        `per_page` as in `leads()`.

        Contract: meetalfred.md#meetalfred.connections
        """
        return self.pages(
            self._at(e.CONNECTIONS),
            p.ConnectionsParams(
                return_only_synced=return_only_synced, page=self._from(page), per_page=per_page
            ),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def new_reply_detected(
        self,
        *,
        page: int = 0,
        per_page: int | None = 100,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.Reply]:
        """Replies that were detected. Rows may hold the reply, or an id and times only.

        `page` and `per_page` as in `leads()`.

        Contract: meetalfred.md#meetalfred.new_reply_detected
        """
        return self.pages(
            self._at(e.NEW_REPLY_DETECTED),
            p.PagedParams(page=self._from(page), per_page=per_page),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def get_last_actions(
        self,
        action: p.ActionKind,
        *,
        page: int = 0,
        per_page: int | None = 100,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.Action]:
        """What was done or came back last, of one kind, newest first.

        `page` and `per_page` as in `leads()`.

        Contract: meetalfred.md#meetalfred.get_last_actions
        """
        return self.pages(
            self._at(e.GET_LAST_ACTIONS),
            p.LastActionsParams(action=action, page=self._from(page), per_page=per_page),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def get_team_members(self) -> list[m.TeamMember]:
        """The members of the team. Needs the team owner's key.

        Each one's `webhook_key` is a `Key`: it is not printed and not written as JSON, and gives
        its text by `.reveal()`. The body that `send()` returns has them as they came.

        Contract: meetalfred.md#meetalfred.get_team_members
        """
        return (await self.send(self._at(e.GET_TEAM_MEMBERS), p.NoParams())).value.items

    def get_member_connections(
        self,
        *,
        page: int = 0,
        per_page: int | None = 100,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.Connection]:
        """Connections of the team's member whose key is used; read like `connections()`.

        The form of the answer is not known: any object with one array in it is taken. `page` and
        `per_page` as in `leads()`.

        Contract: meetalfred.md#meetalfred.get_member_connections
        """
        return self.pages(
            self._at(e.GET_MEMBER_CONNECTIONS),
            p.PagedParams(page=self._from(page), per_page=per_page),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def add_lead_to_campaign(
        self,
        campaign: int,
        *,
        linkedin_profile_url: str | None = None,
        email: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> m.AddedLead:
        """Add a person to a campaign: by profile in a LinkedIn campaign, by e-mail in a mail one.

        `columns`: values for the campaign's texts, with or without the prefix `csv_` that they
        have on the wire. It acts, so it is never repeated: `OutcomeUnknownError` says that it
        may have happened. Look at `.success`: it may be False.

        Contract: meetalfred.md#meetalfred.add_lead_to_campaign
        """
        named = {
            name if name.startswith(p.COLUMN) else f"{p.COLUMN}{name}": value
            for name, value in (columns or {}).items()
        }
        asked = p.AddLeadParams(
            campaign=campaign,
            linkedin_profile_url=linkedin_profile_url,
            email=email,
            columns=named or None,
        )
        return (await self.send(self._at(e.ADD_LEAD_TO_CAMPAIGN), asked)).value
