"""Organisations: by link, by website, their ids and their followers."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import profiles as e
from .base import Resource


class Organisations(Resource):
    """`lix.organisations`: companies, schools and other organisations."""

    __slots__ = ()

    async def get(
        self,
        linkedin_url: str | None = None,
        *,
        sales_nav_url: str | None = None,
        viewer_id: str | None = None,
    ) -> m.Organisation:
        """One organisation, by the link of its LinkedIn page or of its Sales Navigator page.

        An answer may hold two descriptions of the organisation; the properties of the result merge
        them. If it holds none, `error` of the result gives the reason.

        Args:
            linkedin_url: The link of the page: https://www.linkedin.com/company/NAME.
            sales_nav_url: The link of its Sales Navigator page, instead of the other.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Credits:
            1 org credit.

        Contract:
            lix.md#organisation.by_linkedin

        Example:
            ```python
            org = await lix.organisations.get("https://www.linkedin.com/company/example-org")
            ```
        """
        params = p.OrganisationParams(
            linkedin_url=linkedin_url, sales_nav_url=sales_nav_url, viewer_id=viewer_id
        )
        return (await self._client.send(e.ORGANISATION, params)).value

    async def by_website(self, website: str) -> list[m.WebsiteMatch]:
        """The organisations that a website belongs to, at most 5.

        The vendor announced this endpoint without confirming its path. If the path is unknown, an
        earlier one is tried once.

        Args:
            website: A URL or a bare domain.

        Returns:
            Organisations as from `get`; an empty list when none is known.

        Credits:
            1 org credit.

        Contract:
            lix.md#organisation.by_website
        """
        params = p.WebsiteParams(website=website)
        return (await self._client.send(e.ORGANISATIONS_BY_WEBSITE, params)).value.items

    async def ids(
        self,
        *,
        sales_nav_id: str | None = None,
        li_flagship_id: str | None = None,
        lix_id: str | None = None,
    ) -> m.OrganisationIds:
        """All ids of an organisation, by exactly one of them.

        Args:
            sales_nav_id: The digits after `linkedin.com/sales/company/`.
            li_flagship_id: The last part of `linkedin.com/company/<id>`.
            lix_id: The provider's own id.

        Credits:
            1 org credit.

        Contract:
            lix.md#ids.organisation
        """
        params = p.IdsParams(
            sales_nav_id=sales_nav_id, li_flagship_id=li_flagship_id, lix_id=lix_id
        )
        return (await self._client.send(e.ORGANISATION_IDS, params)).value

    def followers(
        self,
        profile_link: str,
        viewer_id: str | None = None,
        *,
        start: int = 0,
        count: int | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Follower]:
        """The followers of an organisation.

        Args:
            profile_link: The LinkedIn or Sales Navigator page of the organisation.
            viewer_id: The account; default the client's `viewer_id`.
            start: Position of the first item.
            count: Items per page; the provider's default is 100.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#organisation.followers
        """
        params = p.FollowersParams(
            profile_link=profile_link, viewer_id=viewer_id, start=start, count=count
        )
        return self._client.pages(e.FOLLOWERS, params, **options)
