"""The methods of `AsyncMeetAlfred`, one for each endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar, Unpack

from msgspec import structs

from ...core.endpoint import Endpoint, P
from ...core.pagination import PageNumber
from ...engine.client import Client
from ...engine.pages import ListingOptions, Pages
from . import endpoints as e
from . import models as m
from . import params as p

R = TypeVar("R")
PREFIX = "meetalfred."
"""The beginning of every endpoint id. The rest is the name of the method."""


class MeetAlfredMethods(Client):
    """A client with a method for each endpoint of this provider.

    No price is published for any of them.
    """

    _paths: Mapping[str, str]
    _method: e.ReadMethod
    _first_page: int

    def _customised(self, endpoint: Endpoint[P, R]) -> Endpoint[P, R]:
        """The endpoint under this client's settings."""
        paging = endpoint.paging
        if isinstance(paging, PageNumber):
            paging = structs.replace(paging, first=self._first_page)
        path = self._paths.get(endpoint.id.removeprefix(PREFIX), endpoint.path)
        method = self._method if endpoint.idempotent else endpoint.method
        return replace(endpoint, path=path, method=method, paging=paging)

    def _page(self, page: int) -> int:
        """The first page to request: the default 0 stands for `first_page`."""
        return page or self._first_page

    async def campaigns(
        self,
        type: p.CampaignType | None = "active",  # noqa: A002  # the wire's own word
    ) -> list[m.Campaign]:
        """The campaigns of a type, all in one call.

        `campaign_id` and `title` of a campaign read both of its published forms. The endpoint is
        not treated as a listing: if the server ignored the page number, it would never end.

        Args:
            type: The type; None sends none, which is said to mean the active ones.

        Contract:
            meetalfred.md#meetalfred.campaigns
        """
        return (
            await self.send(self._customised(e.CAMPAIGNS), p.CampaignsParams(type=type))
        ).value.items

    def leads(
        self,
        campaign: int | None = None,
        *,
        page: int = 0,
        per_page: int | None = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Lead]:
        """All leads, or those of one campaign.

        Args:
            campaign: The `campaign_id`.
            page: The page to begin with; the first one is 0.
            per_page: Items per page. 100 is known to work; the maximum is not published. None
                leaves the choice to the service, and then only an empty or repeated page ends the
                listing.
            **options: Options of every listing; see `ListingOptions`.

        Contract:
            meetalfred.md#meetalfred.leads
        """
        return self.pages(
            self._customised(e.LEADS),
            p.LeadsParams(campaign=campaign, page=self._page(page), per_page=per_page),
            **options,
        )

    def connections(
        self,
        *,
        return_only_synced: bool | None = None,
        page: int = 0,
        per_page: int | None = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Connection]:
        """All LinkedIn connections of the user. Empty texts become None.

        Args:
            return_only_synced: Public clients send True; the meaning of leaving it out is not
                known.
            page: As in `leads`.
            per_page: As in `leads`.
            **options: Options of every listing; see `ListingOptions`.

        Contract:
            meetalfred.md#meetalfred.connections
        """
        return self.pages(
            self._customised(e.CONNECTIONS),
            p.ConnectionsParams(
                return_only_synced=return_only_synced, page=self._page(page), per_page=per_page
            ),
            **options,
        )

    def new_reply_detected(
        self,
        *,
        page: int = 0,
        per_page: int | None = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Reply]:
        """Replies that were detected. Some have the text, some only an id and times.

        `page` and `per_page` are those of `leads`.

        Contract:
            meetalfred.md#meetalfred.new_reply_detected
        """
        return self.pages(
            self._customised(e.NEW_REPLY_DETECTED),
            p.PagedParams(page=self._page(page), per_page=per_page),
            **options,
        )

    def get_last_actions(
        self,
        action: p.ActionKind,
        *,
        page: int = 0,
        per_page: int | None = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Action]:
        """The last actions of one kind, newest first.

        Args:
            action: The kind of the actions.
            page: As in `leads`.
            per_page: As in `leads`.
            **options: Options of every listing; see `ListingOptions`.

        Contract:
            meetalfred.md#meetalfred.get_last_actions
        """
        return self.pages(
            self._customised(e.GET_LAST_ACTIONS),
            p.LastActionsParams(action=action, page=self._page(page), per_page=per_page),
            **options,
        )

    async def get_team_members(self) -> list[m.TeamMember]:
        """The members of the team. Requires the key of the team's owner.

        The `webhook_key` of a member is an `ApiKey`, which is neither printed nor written as JSON;
        `reveal()` returns its text. The body that `send` returns has the keys as they were sent.

        Contract:
            meetalfred.md#meetalfred.get_team_members
        """
        return (await self.send(self._customised(e.GET_TEAM_MEMBERS), p.NoParams())).value.items

    def get_member_connections(
        self,
        *,
        page: int = 0,
        per_page: int | None = 100,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Connection]:
        """The connections of the team member whose key is used.

        The form of the answer is not documented: any object with exactly one array is accepted.
        `page` and `per_page` are those of `leads`.

        Contract:
            meetalfred.md#meetalfred.get_member_connections
        """
        return self.pages(
            self._customised(e.GET_MEMBER_CONNECTIONS),
            p.PagedParams(page=self._page(page), per_page=per_page),
            **options,
        )

    async def add_lead_to_campaign(
        self,
        campaign: int,
        *,
        linkedin_profile_url: str | None = None,
        email: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> m.AddedLead:
        """Add a person to a campaign.

        LinkedIn campaigns take a profile, mail campaigns an e-mail address. A call that may have
        arrived is not repeated.

        Args:
            campaign: The `campaign_id`.
            linkedin_profile_url: The URL of the profile.
            email: The e-mail address.
            columns: Values for the texts of the campaign; the prefix `csv_` is added where it is
                missing.

        Returns:
            The answer. Check `success`, which may be False.

        Raises:
            OutcomeUnknownError: The person may or may not have been added.

        Contract:
            meetalfred.md#meetalfred.add_lead_to_campaign
        """
        prefixed = {
            name if name.startswith(p.COLUMN) else f"{p.COLUMN}{name}": value
            for name, value in (columns or {}).items()
        }
        params = p.AddLeadParams(
            campaign=campaign,
            linkedin_profile_url=linkedin_profile_url,
            email=email,
            columns=prefixed or None,
        )
        return (await self.send(self._customised(e.ADD_LEAD_TO_CAMPAIGN), params)).value
